/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What sockets are told: one by one, and in rooms on every worker (push.c).
 */
#include "push.h"
#include "socket.h"

static struct slice
json_of(const struct convro_socketio_args *args)
{
	return args != NULL ? (struct slice){ args->json, args->len } : (struct slice){ 0 };
}

void
socket_send_attachments(
    struct convro_ctx *ctx, struct session *session, const struct convro_socketio_args *args)
{
	for (uint32_t i = 0; args != NULL && i < args->attachment_count; i++)
		session_send_binary(ctx, session,
		    (struct slice){ args->attachments[i].data, args->attachments[i].len });
}

void
socket_send_packet(
    struct convro_ctx *ctx, struct session *session, const struct convro_socketio_args *args)
{
	const struct text *packet = &session->station->scratch;

	if (packet->failed) {
		session_close(ctx, session, GOODBYE_CLOSE, "out of memory");
		return;
	}
	session_ref(session); /* it may end here */
	session_send(ctx, session, (struct slice){ packet->data, packet->len });
	socket_send_attachments(ctx, session, args);
	session_unref(session);
}

void
socket_tell(struct convro_ctx *ctx, struct convro_socketio_socket *socket, struct slice id,
    struct slice name, const struct convro_socketio_args *args)
{
	struct session *session = socket->session;
	struct text *out = &session->station->scratch;

	text_clear(out);
	engineio_begin(out, ENGINEIO_MESSAGE);
	packet_put_open_event(out, slice_of(socket->namespace), id, name,
	    args != NULL ? args->attachment_count : 0, json_of(args));
	text_putc(out, ']');
	socket_send_packet(ctx, session, args);
}

void
socket_emit(struct convro_ctx *ctx, struct convro_socketio_socket *socket, const char *name,
    const struct convro_socketio_args *args)
{
	if (socket->state != SOCKET_CONNECTED)
		return;
	if (socket->recovery != NULL) /* through the log, so that it can be told again */
		socket_emit_room(ctx, socket->session->station->mount->face, socket->namespace,
		    socket->id, SID_LEN, NULL, name, args);
	else
		socket_tell(ctx, socket, (struct slice){ 0 }, slice_of(name), args);
}

static bool
is_volatile(const struct convro_socketio_emit *how)
{
	return (how->flags & CONVRO_SOCKETIO_VOLATILE) != 0;
}

/* To this one only, and now or never. */
static enum convro_status
emit_volatile(struct convro_ctx *ctx, struct convro_socketio_socket *socket, const char *name,
    const struct convro_socketio_args *args)
{
	struct push *push;

	if (socket->state != SOCKET_CONNECTED || !session_is_writable(socket->session))
		return CONVRO_OVERLOAD;
	push = push_make(socket->session->station->mount, socket->namespace, (struct slice){ 0 },
	    slice_of(name), args);
	if (push == NULL)
		return CONVRO_NO_MEMORY;
	push->is_volatile = true;
	if (push_finish(push, (struct slice){ 0 }))
		push_write(ctx, socket, push);
	push_unref(push);
	return CONVRO_OK;
}

enum convro_status
socket_emit_with(struct convro_ctx *ctx, struct convro_socketio_socket *socket, const char *name,
    const struct convro_socketio_args *args, const struct convro_socketio_emit *how)
{
	if (how->answered != NULL) {
		if (is_volatile(how) && !session_is_writable(socket->session))
			return CONVRO_OVERLOAD;
		return socket_ask(ctx, socket, name, args, how);
	}
	if (is_volatile(how))
		return emit_volatile(ctx, socket, name, args);
	socket_emit(ctx, socket, name, args);
	return CONVRO_OK;
}

/* ---- rooms ---- */

void
socket_emit_room_with(struct convro_ctx *ctx, struct convro_socketio_mount *face,
    const char *namespace, const char *room, size_t room_len,
    const struct convro_socketio_socket *except, const char *name,
    const struct convro_socketio_args *args, const struct convro_socketio_emit *how)
{
	struct push *push = push_make(
	    face->mount, namespace, (struct slice){ room, room_len }, slice_of(name), args);

	if (push == NULL) {
		push_missed(face->mount);
		return;
	}
	if (except != NULL)
		memcpy(push->except, except->id, SID_LEN);
	push->is_volatile = is_volatile(how);
	push_spread(ctx, push);
}

void
socket_emit_room(struct convro_ctx *ctx, struct convro_socketio_mount *face, const char *namespace,
    const char *room, size_t room_len, const struct convro_socketio_socket *except,
    const char *name, const struct convro_socketio_args *args)
{
	static const struct convro_socketio_emit plainly = { .size = sizeof(plainly) };

	socket_emit_room_with(ctx, face, namespace, room, room_len, except, name, args, &plainly);
}
