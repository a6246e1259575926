/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service "socketio.v1".
 */
#include "socket.h"

#include "recovery.h"

static struct convro_socketio_mount *
table_mount(struct convro_ctx *ctx, const struct convro_socketio_options *options)
{
	struct mount *mount = mount_new(ctx, options, NULL, NULL);

	return mount != NULL ? mount->face : NULL;
}

static int
table_serve(struct convro_ctx *ctx, struct convro_socketio_mount *face)
{
	const void *before = convro->bus->module(ctx);
	int status;

	/* The WebSocket's events are for the module in whose name it was upgraded. */
	convro->bus->set_module(ctx, face->mount->module);
	status = mount_serve(ctx, face->mount);
	convro->bus->set_module(ctx, before);
	return status;
}

static int
table_worker(const char *query, size_t len)
{
	return session_worker(NULL, query, len);
}

static const char *
table_id(const struct convro_socketio_socket *socket)
{
	return socket->id;
}

static const char *
table_namespace(const struct convro_socketio_socket *socket)
{
	return socket->namespace;
}

static void
table_set_user(struct convro_socketio_socket *socket, void *user)
{
	((struct plain_socket *)socket)->user = user;
}

static void *
table_user(const struct convro_socketio_socket *socket)
{
	return ((const struct plain_socket *)socket)->user;
}

static enum convro_status
table_identify(struct convro_socketio_socket *socket, const void *identity, size_t len)
{
	if (len > IDENTITY_SIZE)
		return CONVRO_INVALID;
	if (socket->recovery != NULL && socket->state == SOCKET_CONNECTING) {
		memcpy(socket->recovery->identity, identity, len);
		socket->recovery->identity_len = (uint8_t)len;
	}
	return CONVRO_OK;
}

static void
table_leave(struct convro_socketio_socket *socket, const char *room, size_t len)
{
	struct text *name = &socket->session->station->scratch;

	text_clear(name);
	if (socket->state != SOCKET_GONE &&
	    socket_room(socket->namespace, (struct slice){ room, len }, name))
		rooms_leave(&socket->session->station->rooms,
		    (struct slice){ name->data, name->len }, &socket->rooms);
}

/* ---- raw ---- */

static void
table_send(struct convro_ctx *ctx, struct convro_engineio_socket *socket, int binary,
    const void *data, size_t len)
{
	struct session *session = (struct session *)(void *)socket;
	struct text *out = &session->station->scratch;

	if (binary) {
		session_send_binary(ctx, session, (struct slice){ data, len });
		return;
	}
	text_clear(out);
	engineio_put(out, ENGINEIO_MESSAGE, (struct slice){ data, len });
	session_send(ctx, session, (struct slice){ out->data, out->len });
}

static void
table_close(struct convro_ctx *ctx, struct convro_engineio_socket *socket)
{
	session_close(ctx, (struct session *)(void *)socket, GOODBYE_CLOSE, "forced server close");
}

const struct convro_socketio socketio_table = {
	.size = sizeof(struct convro_socketio),
	.mount = table_mount,
	.serve = table_serve,
	.worker = table_worker,
	.id = table_id,
	.namespace_of = table_namespace,
	.emit = socket_emit,
	.emit_ack = socket_emit_ack,
	.reply = socket_reply,
	.join = socket_join,
	.leave = table_leave,
	.emit_room = socket_emit_room,
	.disconnect = socket_disconnect,
	.send = table_send,
	.close = table_close,
	.admit = socket_admit,
	.refuse = socket_refuse,
	.identify = table_identify,
	.set_user = table_set_user,
	.user = table_user,
	.emit_with = socket_emit_with,
	.emit_room_with = socket_emit_room_with,
};
