/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WebSocket as a session's transport: each message is one packet.  A socket
 * that is only a candidate yet is upgrade.c's.
 */
#include "mount.h"

int
websocket_open(struct convro_ctx *ctx, struct station *station)
{
	struct session *session = handshake_session(ctx, station);

	if (session == NULL)
		return CONVRO_OK;
	session_ref(session); /* until closed() */
	session->socket = convro->http->upgrade(ctx, &station->mount->socket_events, session);
	if (session->socket == NULL) {
		session_unref(session);
		session_close(ctx, session, GOODBYE_NONE, "transport error");
		return CONVRO_OK;
	}
	heartbeat_start(ctx, session);
	text_clear(&station->scratch);
	handshake_put_open(session, &station->scratch);
	session_send(ctx, session, (struct slice){ station->scratch.data, station->scratch.len });
	return CONVRO_OK;
}

static void
receive(struct convro_ctx *ctx, struct session *session, bool binary, const char *data, size_t len)
{
	struct engineio_packet packet = { ENGINEIO_MESSAGE, binary, { data, len } };
	char *own;

	if (binary) {
		session_receive(ctx, session, &packet);
		return;
	}
	own = convro->mem->copy(ctx, data, len); /* read in place, and outlives this call */
	if (own == NULL)
		session_close(ctx, session, GOODBYE_ERROR, "transport error");
	else if (!engineio_read(own, len, &packet))
		session_close(ctx, session, GOODBYE_ERROR, "parse error");
	else
		session_receive(ctx, session, &packet);
}

static void
on_message(struct convro_ctx *ctx, struct convro_socket *socket, void *arg, int binary,
    const char *data, size_t len)
{
	struct session *session = arg;

	session_ref(session);
	if (session->probe != NULL && session->probe->socket == socket)
		upgrade_message(ctx, session->probe, binary ? "" : data, binary ? 0 : len);
	else if (session->socket == socket && session->state == SESSION_OPEN)
		receive(ctx, session, binary != 0, data, len);
	session_unref(session);
}

static void
on_drained(struct convro_ctx *ctx, struct convro_socket *socket, void *arg)
{
	struct session *session = arg;

	if (session->state == SESSION_OPEN && session->socket == socket)
		session_drained(ctx, session);
}

static void
on_closed(
    struct convro_ctx *ctx, struct convro_socket *socket, void *arg, int code, const char *why)
{
	struct session *session = arg;

	(void)code;
	if (session->probe != NULL && session->probe->socket == socket) {
		upgrade_lost(session);
	} else if (session->socket == socket) {
		session->socket = NULL;
		session_close(ctx, session, GOODBYE_NONE, why);
	}
	session_unref(session);
}

const struct convro_socket_events websocket_events = {
	.size = sizeof(struct convro_socket_events),
	.message = on_message,
	.drained = on_drained,
	.closed = on_closed,
};
