/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The routes: which session and transport a request is for, and the handshake.
 * The order of the checks is the reference server's, so that clients see the
 * same error of two.
 */
#include "mount.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
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

/* Browsers let any page open a WebSocket anywhere, so it is up to us. */
static bool
origin_allowed(struct convro_ctx *ctx, const struct mount *mount)
{
	const char *origin = convro->http->header(ctx, "origin");

	return mount->origins == NULL || *mount->origins == '\0' || origin == NULL ||
	       !convro->http->is_upgrade(ctx) || has_word(mount->origins, origin);
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

static void
set_cookie(struct convro_ctx *ctx, const struct session *session)
{
	const char *name = session->station->mount->cookie;
	char value[256];

	if (name == NULL || *name == '\0')
		return;
	(void)snprintf(value, sizeof(value), "%.150s=%.*s; Path=/; HttpOnly; SameSite=Lax", name,
	    SID_LEN, session->sid);
	convro->http->set_header(ctx, "Set-Cookie", value);
}

struct session *
handshake_session(struct convro_ctx *ctx, struct station *station)
{
	struct session *session =
	    station->draining ? NULL : session_new(ctx, station, convro->http->address(ctx));

	if (session != NULL && keep_query(ctx, session)) {
		set_cookie(ctx, session);
		return session;
	}
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

struct opening { /* in the context's memory */
	struct station *station;
	enum transport transport;
	struct convro_on_socket subject;
};

/* The protocol has one answer for whatever the reason. */
static void
forbid(struct convro_ctx *ctx, const struct convro_verdict *verdict)
{
	char seconds[12];

	(void)snprintf(seconds, sizeof(seconds), "%u", verdict->retry_after);
	if (verdict->retry_after > 0)
		convro->http->set_header(ctx, "Retry-After", seconds);
	(void)refuse(ctx, ENGINEIO_FORBIDDEN);
}

static void
decided(struct convro_ctx *ctx, void *arg, const struct convro_verdict *verdict)
{
	const struct opening *opening = arg;
	const char *version = convro->http->query(ctx, "EIO");

	if (verdict->kind == CONVRO_DENY)
		forbid(ctx, verdict);
	else if (version == NULL || strcmp(version, "4") != 0)
		(void)refuse(ctx, ENGINEIO_UNSUPPORTED_PROTOCOL_VERSION);
	else if (opening->transport == TRANSPORT_WEBSOCKET)
		(void)websocket_open(ctx, opening->station);
	else
		(void)polling_open(ctx, opening->station);
}

static int
handshake(struct convro_ctx *ctx, struct station *station, enum transport transport)
{
	struct opening *opening;

	if (transport == TRANSPORT_WEBSOCKET && !convro->http->is_upgrade(ctx))
		return refuse(ctx, ENGINEIO_BAD_REQUEST);
	if (transport == TRANSPORT_POLLING && convro->http->is_upgrade(ctx))
		return refuse(ctx, ENGINEIO_BAD_REQUEST);
	opening = convro->mem->alloc(ctx, sizeof(*opening));
	if (opening == NULL)
		return convro->http->fail_later(ctx, 503, "OVERLOADED", 1);
	*opening = (struct opening){ .station = station,
		.transport = transport,
		.subject = { .size = sizeof(opening->subject),
		    .address = convro->http->address(ctx),
		    .origin = convro->http->header(ctx, "origin") } };
	convro->bus->ask(ctx, "socket.connect", &opening->subject, decided, opening);
	return CONVRO_OK;
}

/* ---- routes ---- */

int
mount_serve(struct convro_ctx *ctx, struct mount *mount)
{
	struct station *station = &mount->stations[convro->work->worker(ctx)];
	enum transport transport = transport_of(ctx, mount);
	const char *sid = convro->http->query(ctx, "sid");
	int method = convro->http->method(ctx);
	struct session *session;

	if (transport == TRANSPORT_UNKNOWN)
		return refuse(ctx, ENGINEIO_UNKNOWN_TRANSPORT);
	if (!origin_ok(ctx))
		return refuse(ctx, ENGINEIO_BAD_REQUEST);
	if (!origin_allowed(ctx, mount))
		return refuse(ctx, ENGINEIO_FORBIDDEN);
	if (sid == NULL || *sid == '\0') {
		if (method != CONVRO_GET)
			return refuse(ctx, ENGINEIO_BAD_HANDSHAKE_METHOD);
		return handshake(ctx, station, transport);
	}
	session = session_find(station, sid);
	if (session == NULL)
		return refuse(ctx, ENGINEIO_UNKNOWN_SID);
	if (method == CONVRO_GET && convro->http->is_upgrade(ctx)) {
		if (transport != TRANSPORT_WEBSOCKET)
			return refuse(ctx, ENGINEIO_BAD_REQUEST);
		return upgrade_begin(ctx, session);
	}
	if (transport != TRANSPORT_POLLING || session->polling == NULL)
		return refuse(ctx, ENGINEIO_BAD_REQUEST);
	if (method == CONVRO_GET)
		return polling_get(ctx, session);
	return method == CONVRO_POST ? polling_post(ctx, session)
				     : refuse(ctx, ENGINEIO_BAD_REQUEST);
}

int
socketio_serve(struct convro_ctx *ctx, void *self)
{
	return mount_serve(ctx, self);
}
