/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service "socketio.v1".
 */
#include "guest.h"

static struct convro_socketio_mount *
table_mount(struct convro_ctx *ctx, const struct convro_socketio_options *options)
{
	struct mount *mount = mount_guest(ctx, options);

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

/* ---- rooms ---- */

static enum convro_status
table_join(struct convro_socketio_socket *socket, const char *room, size_t len)
{
	struct text name = { 0 };
	enum convro_status status = CONVRO_OK;

	if (socket->gone)
		return CONVRO_OK;
	if (ring_count(&socket->rooms) > guest_options(socket->session)->max_rooms)
		return CONVRO_OVERLOAD;
	if (!guest_room(socket->namespace, (struct slice){ room, len }, &name) ||
	    !rooms_join(&socket->session->station->rooms, (struct slice){ name.data, name.len },
		&socket->rooms, socket))
		status = CONVRO_NO_MEMORY;
	text_fini(&name);
	return status;
}

static void
table_leave(struct convro_socketio_socket *socket, const char *room, size_t len)
{
	struct text name = { 0 };

	if (!socket->gone && guest_room(socket->namespace, (struct slice){ room, len }, &name))
		rooms_leave(&socket->session->station->rooms, (struct slice){ name.data, name.len },
		    &socket->rooms);
	text_fini(&name);
}

/* ---- the end ---- */

static void
table_disconnect(struct convro_ctx *ctx, struct convro_socketio_socket *socket, int whole)
{
	struct session *session = socket->session;
	struct text out = { 0 };

	if (socket->gone)
		return;
	if (whole) {
		session_close(ctx, session, GOODBYE_CLOSE, "forced server close");
		return;
	}
	engineio_begin(&out, ENGINEIO_MESSAGE);
	packet_put_disconnect(&out, slice_of(socket->namespace));
	guest_end(ctx, socket, "server namespace disconnect");
	session_send(ctx, session, (struct slice){ out.data, out.len });
	text_fini(&out);
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

const struct convro_socketio guest_table = {
	.size = sizeof(struct convro_socketio),
	.mount = table_mount,
	.serve = table_serve,
	.worker = table_worker,
	.id = table_id,
	.namespace_of = table_namespace,
	.emit = guest_emit,
	.emit_ack = guest_emit_ack,
	.reply = guest_reply,
	.join = table_join,
	.leave = table_leave,
	.emit_room = guest_emit_room,
	.disconnect = table_disconnect,
	.send = table_send,
	.close = table_close,
};
