/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Acknowledgements both ways: those that clients owe us, and those we owe them.
 */
#include "socket.h"

#include <stdlib.h>

/* ---- the client's ---- */

struct pending {
	struct pending *next;
	struct convro_socketio_socket *socket; /* borrowed: it ends after us */
	uint64_t id;
	convro_socketio_acked *acked;
	convro_socketio_answered *answered; /* or this */
	void *arg;
	struct alarm alarm;
};

struct acks {
	struct pending *first;
	uint64_t next_id;
	uint32_t count;
};

static enum convro_status
expect(struct convro_ctx *ctx, struct convro_socketio_socket *socket, const char *name,
    const struct convro_socketio_args *args, struct pending model, uint32_t timeout)
{
	struct station *station = socket->session->station;
	struct pending *pending;
	char digits[SLICE_UINT_SIZE];

	if (socket->state != SOCKET_CONNECTED)
		return CONVRO_OVERLOAD;
	if (socket->acks == NULL)
		socket->acks = calloc(1, sizeof(*socket->acks));
	if (socket->acks == NULL)
		return CONVRO_NO_MEMORY;
	if (socket->acks->count >= station->mount->options->max_acks)
		return CONVRO_OVERLOAD;
	pending = malloc(sizeof(*pending));
	if (pending == NULL)
		return CONVRO_NO_MEMORY;
	*pending = model;
	pending->socket = socket;
	pending->id = socket->acks->next_id++;
	pending->next = socket->acks->first;
	alarm_init(&pending->alarm, ALARM_ACK);
	if (timeout > 0)
		wheel_set(
		    &station->wheel, &pending->alarm, convro->timer->now(ctx) + (int64_t)timeout);
	socket->acks->first = pending;
	socket->acks->count++;
	/* May end the socket, and with it what was just begun. */
	socket_tell(ctx, socket, slice_of_uint(pending->id, digits), slice_of(name), args);
	return CONVRO_OK;
}

enum convro_status
socket_emit_ack(struct convro_ctx *ctx, struct convro_socketio_socket *socket, const char *name,
    const struct convro_socketio_args *args, convro_socketio_acked *acked, void *arg)
{
	return expect(ctx, socket, name, args, (struct pending){ .acked = acked, .arg = arg }, 0);
}

enum convro_status
socket_ask(struct convro_ctx *ctx, struct convro_socketio_socket *socket, const char *name,
    const struct convro_socketio_args *args, const struct convro_socketio_emit *how)
{
	return expect(ctx, socket, name, args,
	    (struct pending){ .answered = how->answered, .arg = how->arg }, how->ack_timeout);
}

/* Takes it out of the list it hangs in at `at`, and tells the module. */
static void
settle(struct convro_ctx *ctx, struct pending **at, enum convro_status status,
    const struct convro_socketio_args *args)
{
	struct pending *pending = *at;
	struct convro_socketio_socket *socket = pending->socket;
	const void *before;

	*at = pending->next;
	socket->acks->count--;
	alarm_cancel(&pending->alarm);
	before = socket_enter(ctx, socket->session->station->mount);
	if (pending->answered != NULL)
		pending->answered(ctx, pending->arg, socket, status, args);
	else
		pending->acked(ctx, pending->arg, socket, args);
	socket_leave(ctx, before);
	free(pending);
}

void
socket_acked(struct convro_ctx *ctx, struct convro_socketio_socket *socket, uint64_t id,
    const struct convro_socketio_args *args)
{
	struct pending **at = socket->acks != NULL ? &socket->acks->first : NULL;

	while (at != NULL && *at != NULL && (*at)->id != id)
		at = &(*at)->next;
	if (at != NULL && *at != NULL)
		settle(ctx, at, CONVRO_OK, args);
}

void
ack_fire(struct convro_ctx *ctx, struct alarm *alarm)
{
	struct pending *pending = RING_ENTRY(alarm, struct pending, alarm);
	struct convro_socketio_socket *socket = pending->socket;
	struct pending **at = &socket->acks->first;

	while (*at != pending)
		at = &(*at)->next;
	socket_ref(socket);
	settle(ctx, at, CONVRO_TIMEOUT, NULL);
	socket_unref(socket);
}

void
socket_forget_acks(struct convro_ctx *ctx, struct convro_socketio_socket *socket)
{
	while (socket->acks != NULL && socket->acks->first != NULL)
		settle(ctx, &socket->acks->first, CONVRO_FAILED, NULL);
	free(socket->acks);
	socket->acks = NULL;
}

/* ---- ours ---- */

struct convro_socketio_reply *
socket_reply_new(struct convro_socketio_socket *socket, struct slice id)
{
	struct convro_socketio_reply *reply = calloc(1, sizeof(*reply));

	if (reply == NULL)
		return NULL;
	socket_ref(socket);
	reply->socket = socket;
	reply->id_len = (uint32_t)id.len; /* at most 16: packet.c */
	if (id.len > 0)
		memcpy(reply->id, id.data, id.len);
	return reply;
}

static void
answer(struct convro_ctx *ctx, const struct convro_socketio_reply *reply,
    const struct convro_socketio_args *args)
{
	struct convro_socketio_socket *socket = reply->socket;
	struct session *session = socket->session;
	struct text *out = &session->station->scratch;

	text_clear(out);
	engineio_begin(out, ENGINEIO_MESSAGE);
	packet_put_head(out, args->attachment_count > 0 ? PACKET_BINARY_ACK : PACKET_ACK,
	    args->attachment_count, slice_of(socket->namespace),
	    (struct slice){ reply->id, reply->id_len });
	text_putc(out, '[');
	text_put(out, args->json, args->len);
	text_putc(out, ']');
	socket_send_packet(ctx, session, args);
}

void
socket_reply(struct convro_ctx *ctx, struct convro_socketio_reply *reply,
    const struct convro_socketio_args *args)
{
	if (reply == NULL)
		return;
	if (args != NULL && reply->id_len > 0 && reply->socket->state == SOCKET_CONNECTED)
		answer(ctx, reply, args);
	socket_unref(reply->socket);
	free(reply);
}
