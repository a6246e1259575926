/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Acknowledgements both ways: those that clients owe us, and those we owe them.
 */
#include "guest.h"

#include <stdlib.h>

/* ---- the client's ---- */

struct pending {
	struct pending *next;
	uint64_t id;
	convro_socketio_acked *acked;
	void *arg;
};

enum convro_status
guest_emit_ack(struct convro_ctx *ctx, struct convro_socketio_socket *socket, const char *name,
    const struct convro_socketio_args *args, convro_socketio_acked *acked, void *arg)
{
	struct pending *pending;
	struct text out = { 0 };
	char digits[SLICE_UINT_SIZE];

	if (socket->gone || socket->pending_count >= guest_options(socket->session)->max_acks)
		return CONVRO_OVERLOAD;
	pending = malloc(sizeof(*pending));
	if (pending == NULL)
		return CONVRO_NO_MEMORY;
	*pending = (struct pending){ socket->pending, socket->last_ack_id++, acked, arg };
	guest_put_event(&out, socket->namespace, slice_of_uint(pending->id, digits), name, args,
	    (struct slice){ 0 });
	if (out.failed) {
		free(pending);
		return CONVRO_NO_MEMORY;
	}
	socket->pending = pending;
	socket->pending_count++;
	guest_send(ctx, socket->session, (struct slice){ out.data, out.len }, args);
	text_fini(&out);
	return CONVRO_OK;
}

static void
tell(struct convro_ctx *ctx, struct convro_socketio_socket *socket, struct pending *pending,
    const struct convro_socketio_args *args)
{
	const struct mount *mount = socket->session->station->mount;
	const void *before;

	socket->pending_count--;
	before = guest_enter(ctx, mount);
	pending->acked(ctx, pending->arg, socket, args);
	guest_leave(ctx, before);
	free(pending);
}

void
guest_acked(struct convro_ctx *ctx, struct convro_socketio_socket *socket, uint64_t id,
    const struct convro_socketio_args *args)
{
	for (struct pending **at = &socket->pending; *at != NULL; at = &(*at)->next) {
		struct pending *pending = *at;

		if (pending->id != id)
			continue;
		*at = pending->next;
		tell(ctx, socket, pending, args);
		return;
	}
}

void
guest_forget_acks(struct convro_ctx *ctx, struct convro_socketio_socket *socket)
{
	while (socket->pending != NULL) {
		struct pending *pending = socket->pending;

		socket->pending = pending->next;
		tell(ctx, socket, pending, NULL);
	}
}

/* ---- ours ---- */

struct convro_socketio_reply *
guest_reply_new(struct convro_socketio_socket *socket, struct slice id)
{
	struct convro_socketio_reply *reply = calloc(1, sizeof(*reply));

	if (reply == NULL)
		return NULL;
	guest_ref(socket);
	reply->socket = socket;
	reply->id_len = (uint32_t)id.len; /* at most 16: packet.c */
	if (id.len > 0)
		memcpy(reply->id, id.data, id.len);
	return reply;
}

void
guest_reply(struct convro_ctx *ctx, struct convro_socketio_reply *reply,
    const struct convro_socketio_args *args)
{
	struct convro_socketio_socket *socket;
	struct text out = { 0 };

	if (reply == NULL)
		return;
	socket = reply->socket;
	if (args != NULL && reply->id_len > 0 && !socket->gone) {
		engineio_begin(&out, ENGINEIO_MESSAGE);
		packet_put_head(&out, args->attachment_count > 0 ? PACKET_BINARY_ACK : PACKET_ACK,
		    args->attachment_count, slice_of(socket->namespace),
		    (struct slice){ reply->id, reply->id_len });
		text_putc(&out, '[');
		text_put(&out, args->json, args->len);
		text_putc(&out, ']');
		if (out.failed)
			session_close(ctx, socket->session, GOODBYE_CLOSE, "out of memory");
		else
			guest_send(ctx, socket->session, (struct slice){ out.data, out.len }, args);
		text_fini(&out);
	}
	free(reply);
	guest_unref(socket);
}
