/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP long-polling: a GET waits until there is a packet, a POST brings the
 * client's.  Between requests the session holds no connection.
 */
#include "mount.h"

#include <stdlib.h>
#include <strings.h>

static void
answer(struct convro_ctx *ctx, const struct station *station, const struct text *body)
{
	struct slice bytes = { body->data != NULL ? body->data : "", body->len };
	struct text shorter = { 0 };
	enum coding coding = CODING_NONE;

	if (station->compressor != NULL && bytes.len >= COMPRESS_FROM)
		coding = coding_wanted(convro->http->header(ctx, "accept-encoding"));
	if (coding != CODING_NONE && shorten(station->compressor, coding, bytes, &shorter)) {
		convro->http->set_header(ctx, "Content-Encoding", coding_name(coding));
		bytes = (struct slice){ shorter.data, shorter.len };
	}
	convro->http->set_header(ctx, "Cache-Control", "no-store");
	(void)convro->http->reply_raw(ctx, 200, "text/plain; charset=UTF-8", bytes.data, bytes.len);
	text_fini(&shorter);
}

int
polling_open(struct convro_ctx *ctx, struct station *station)
{
	struct session *session = handshake_session(ctx, station);

	if (session == NULL)
		return CONVRO_OK;
	session->polling = calloc(1, sizeof(*session->polling));
	if (session->polling == NULL) {
		session_close(ctx, session, GOODBYE_NONE, "out of memory");
		return convro->http->fail_later(ctx, 503, "OVERLOADED", 1);
	}
	text_init(&session->polling->queue, 0);
	text_clear(&station->scratch);
	handshake_put_open(session, &station->scratch);
	answer(ctx, station, &station->scratch);
	heartbeat_start(ctx, session);
	return CONVRO_OK;
}

/* ---- to the client ---- */

void
polling_release(struct session *session)
{
	struct polling *polling = session->polling;
	struct convro_ctx *get = polling->get;

	if (get == NULL)
		return;
	polling->get = NULL;
	if (polling->queue.len == 0)
		engineio_put(&polling->queue, ENGINEIO_NOOP, (struct slice){ 0 });
	answer(get, session->station, &polling->queue);
	text_fini(&polling->queue); /* an idle session holds no buffer */
	session_unref(session);
}

void
polling_free(struct session *session)
{
	struct polling *polling = session->polling;

	if (polling == NULL)
		return;
	polling_release(session);
	session->polling = NULL;
	text_fini(&polling->queue);
	free(polling);
}

bool
polling_send(struct session *session, struct slice packet)
{
	struct polling *polling = session->polling;

	if (polling->queue.len > 0)
		text_putc(&polling->queue, '\x1e');
	text_put_slice(&polling->queue, packet);
	if (polling->queue.failed)
		return false;
	polling_release(session);
	return true;
}

bool
polling_send_binary(struct session *session, struct slice data)
{
	struct polling *polling = session->polling;

	engineio_put_binary(&polling->queue, data.data, data.len);
	if (polling->queue.failed)
		return false;
	polling_release(session);
	return true;
}

static void
poll_gone(struct convro_ctx *ctx, void *arg)
{
	struct session *session = arg;

	/* The poll's answer goes nowhere, and the packets in it would be lost unseen. */
	if (session->polling != NULL && session->polling->get == ctx)
		session_close(ctx, session, GOODBYE_NONE, "transport error");
}

int
polling_get(struct convro_ctx *ctx, struct session *session)
{
	struct polling *polling = session->polling;

	if (polling->get != NULL) {
		session_close(ctx, session, GOODBYE_ERROR, "transport error");
		return refuse(ctx, ENGINEIO_BAD_REQUEST);
	}
	polling->get = ctx;
	session_ref(session); /* until it is answered */
	if (session->state == SESSION_CLOSING && polling->queue.len == 0) {
		(void)polling_send(session, slice_of("1"));
		session_close(ctx, session, GOODBYE_NONE, "");
		return CONVRO_OK;
	}
	if (polling->queue.len > 0 || (session->probe != NULL && session->probe->answered)) {
		polling_release(session);
		if (session->state == SESSION_OPEN)
			session_drained(ctx, session);
		return CONVRO_OK;
	}
	convro->http->hold(ctx, 0, poll_gone, session);
	return CONVRO_OK;
}

/* ---- from the client ---- */

static bool
is_octets(const char *type)
{
	static const char octets[] = "application/octet-stream";

	return type != NULL && strncasecmp(type, octets, sizeof(octets) - 1) == 0;
}

static void
receive_all(struct convro_ctx *ctx, struct session *session, char *body, size_t len)
{
	struct engineio_payload payload;
	struct engineio_packet packet;

	engineio_payload_init(&payload, body, len);
	while (session->state == SESSION_OPEN) {
		switch (engineio_payload_next(&payload, &packet)) {
		case ENGINEIO_PACKET:
			session_receive(ctx, session, &packet);
			break;
		case ENGINEIO_END:
			return;
		case ENGINEIO_BAD:
			session_close(ctx, session, GOODBYE_ERROR, "parse error");
			return;
		}
	}
}

int
polling_post(struct convro_ctx *ctx, struct session *session)
{
	size_t len = 0;
	const char *body = convro->http->body(ctx, &len);
	char *own;

	if (is_octets(convro->http->header(ctx, "content-type"))) {
		session_close(ctx, session, GOODBYE_ERROR, "transport error");
		return refuse(ctx, ENGINEIO_BAD_REQUEST);
	}
	if (len > session->station->mount->max_payload)
		return convro->http->fail(ctx, 413, "BODY_TOO_LARGE");
	own = convro->mem->copy(ctx, body != NULL ? body : "", len);
	if (own == NULL)
		return convro->http->fail_later(ctx, 503, "OVERLOADED", 1);
	session_ref(session);
	if (session->state == SESSION_CLOSING && len == 1 && own[0] == '1')
		session_close(ctx, session, GOODBYE_NONE, "");
	receive_all(ctx, session, own, len);
	session_unref(session);
	convro->http->set_header(ctx, "Cache-Control", "no-store");
	return convro->http->reply_raw(ctx, 200, "text/html", "ok", 2);
}
