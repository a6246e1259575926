/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The routes: which session and transport a request is for, and the handshake.
 * The order of the checks is the reference server's, so that clients see the
 * same error of two.
 */
#include "mount.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

enum transport { TRANSPORT_UNKNOWN, TRANSPORT_POLLING, TRANSPORT_WEBSOCKET };

int
refuse(struct convro_ctx *ctx, enum engineio_error error)
{
	const char *body = engineio_error_body(error);

	return convro->http->reply_raw(
	    ctx, engineio_error_status(error), "application/json", body, strlen(body));
}

static enum transport
transport_of(struct convro_ctx *ctx, const struct mount *mount)
{
	const char *name = convro->http->query(ctx, "transport");

	if (name == NULL)
		return TRANSPORT_UNKNOWN;
	if (mount->polling && strcmp(name, "polling") == 0)
		return TRANSPORT_POLLING;
	if (mount->websocket && strcmp(name, "websocket") == 0)
		return TRANSPORT_WEBSOCKET;
	return TRANSPORT_UNKNOWN;
}

/* A field value that HTTP allows (RFC 9110, section 5.5). */
static bool
origin_ok(struct convro_ctx *ctx)
{
	const char *origin = convro->http->header(ctx, "origin");

	for (; origin != NULL && *origin != '\0'; origin++)
		if ((unsigned char)*origin < ' ' ? *origin != '\t' : *origin == 0x7f)
			return false;
	return true;
}

/* ---- the handshake ---- */

static bool
parse_after(const char *text, int64_t *out)
{
	char *end;
	long long value;

	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	value = strtoll(text, &end, 10);
	*out = value;
	return errno == 0 && *end == '\0';
}

/* False when memory is out. */
static bool
keep_query(struct convro_ctx *ctx, struct session *session)
{
	const char *token = convro->http->query(ctx, "token");
	const char *after = convro->http->query(ctx, "afterId");
	size_t len = token != NULL ? strlen(token) : 0;
	struct handshake *handshake;

	if (after == NULL)
		after = convro->http->query(ctx, "after_id");
	if (len == 0 && after == NULL)
		return true;
	handshake = calloc(1, sizeof(*handshake) + len);
	if (handshake == NULL)
		return false;
	handshake->token_len = len;
	if (len > 0)
		memcpy(handshake->token, token, len);
	handshake->has_after = after != NULL;
	if (after != NULL)
		handshake->after_ok = parse_after(after, &handshake->after);
	session->handshake = handshake;
	return true;
}

struct session *
handshake_session(struct convro_ctx *ctx, struct station *station)
{
	struct session *session = station->draining ? NULL : session_new(ctx, station);

	if (session != NULL && keep_query(ctx, session))
		return session;
	if (session != NULL)
		session_close(ctx, session, GOODBYE_NONE, "out of memory");
	(void)convro->http->fail_later(ctx, 503, "OVERLOADED", 1);
	return NULL;
}

void
handshake_put_open(const struct session *session, struct text *out)
{
	const struct mount *mount = session->station->mount;
	const struct engineio_open packet = {
		.sid = { session->sid, SID_LEN },
		.upgrade = session->polling != NULL && mount->websocket,
		.ping_interval = (uint32_t)mount->ping_interval,
		.ping_timeout = (uint32_t)mount->ping_timeout,
		.max_payload = mount->max_payload,
	};

	engineio_put_open(out, &packet);
}

static int
handshake(struct convro_ctx *ctx, struct station *station, enum transport transport)
{
	const char *version = convro->http->query(ctx, "EIO");

	if (transport == TRANSPORT_WEBSOCKET && !convro->http->is_upgrade(ctx))
		return refuse(ctx, ENGINEIO_BAD_REQUEST);
	if (transport == TRANSPORT_POLLING && convro->http->is_upgrade(ctx))
		return refuse(ctx, ENGINEIO_BAD_REQUEST);
	if (version == NULL || strcmp(version, "4") != 0)
		return refuse(ctx, ENGINEIO_UNSUPPORTED_PROTOCOL_VERSION);
	if (transport == TRANSPORT_WEBSOCKET)
		return websocket_open(ctx, station);
	return polling_open(ctx, station);
}

/* ---- routes ---- */

static int
serve(struct convro_ctx *ctx, struct mount *mount, bool is_post)
{
	struct station *station = &mount->stations[convro->work->worker(ctx)];
	enum transport transport = transport_of(ctx, mount);
	const char *sid = convro->http->query(ctx, "sid");
	struct session *session;

	if (transport == TRANSPORT_UNKNOWN)
		return refuse(ctx, ENGINEIO_UNKNOWN_TRANSPORT);
	if (!origin_ok(ctx))
		return refuse(ctx, ENGINEIO_BAD_REQUEST);
	if (sid == NULL || *sid == '\0') {
		if (is_post)
			return refuse(ctx, ENGINEIO_BAD_HANDSHAKE_METHOD);
		return handshake(ctx, station, transport);
	}
	session = session_find(station, sid);
	if (session == NULL)
		return refuse(ctx, ENGINEIO_UNKNOWN_SID);
	if (!is_post && convro->http->is_upgrade(ctx)) {
		if (transport != TRANSPORT_WEBSOCKET)
			return refuse(ctx, ENGINEIO_BAD_REQUEST);
		return upgrade_begin(ctx, session);
	}
	if (transport != TRANSPORT_POLLING || session->polling == NULL)
		return refuse(ctx, ENGINEIO_BAD_REQUEST);
	return is_post ? polling_post(ctx, session) : polling_get(ctx, session);
}

int
socketio_get(struct convro_ctx *ctx, void *self)
{
	return serve(ctx, self, false);
}

int
socketio_post(struct convro_ctx *ctx, void *self)
{
	return serve(ctx, self, true);
}
