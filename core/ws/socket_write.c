/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WebSocket connections: the queue, and the ABI's group table socket.  A frame
 * is encoded once and shared by reference (shared_frame.h); all that a loop turn
 * queues on a socket leaves with one writev.
 */
#include "base/must.h"
#include "ws/shared_frame.h"
#include "ws/socket.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define CLOSE_TIMEOUT_MS 5000 /* for the peer's close frame */
#define PARTS_MAX        64
#define DEFLATE_FROM     1024 /* bytes of a message, unless the module says otherwise */

/* ---- queue ---- */

void
socket_queue(struct convro_socket *socket, struct convro_frame *frame)
{
	struct queued *queued = frame != NULL ? malloc(sizeof(*queued)) : NULL;

	if (queued == NULL) {
		frame_drop(frame);
		socket_die(socket, WS_CLOSE_ABNORMAL, "transport error");
		return;
	}
	*queued = (struct queued){ NULL, frame };
	if (socket->last != NULL)
		socket->last->next = queued;
	else
		socket->first = queued;
	socket->last = queued;
	socket->queued_bytes += frame->len;
	socket_schedule(socket);
}

/* What a module or a peer's ping causes is bounded; a slow reader is dropped. */
static void
queue_bounded(struct convro_socket *socket, struct convro_frame *frame)
{
	uint32_t max = socket->events->max_queue;

	if (socket->state != SOCKET_OPEN) {
		frame_drop(frame);
	} else if (frame != NULL && max != 0 &&
		   frame->len > max - (socket->queued_bytes < max ? socket->queued_bytes : max)) {
		frame_drop(frame);
		socket_die(socket, WS_CLOSE_ABNORMAL, "overflow");
	} else {
		socket_queue(socket, frame);
	}
}

/* `wrote` bytes left the queue's front. */
static void
forget(struct convro_socket *socket, size_t wrote)
{
	socket->queued_bytes -= (uint32_t)wrote;
	wrote += socket->first_sent;
	socket->first_sent = 0;
	while (socket->first != NULL && wrote >= socket->first->frame->len) {
		struct queued *first = socket->first;

		wrote -= first->frame->len;
		socket->first = first->next;
		if (socket->first == NULL)
			socket->last = NULL;
		frame_drop(first->frame);
		free(first);
	}
	socket->first_sent = (uint32_t)wrote;
}

bool
socket_flush(struct convro_socket *socket)
{
	/* The end of the connection follows at once, and leaves in one packet with what is last. */
	int more = socket->state == SOCKET_ENDING ? MSG_MORE : 0;
	bool blocked = false;

	while (socket->first != NULL && !blocked) {
		struct iovec parts[PARTS_MAX];
		struct msghdr message = { .msg_iov = parts };
		size_t skip = socket->first_sent, total = 0;
		ssize_t wrote;

		for (struct queued *at = socket->first;
		     at != NULL && message.msg_iovlen < PARTS_MAX; at = at->next) {
			struct iovec *part = &parts[message.msg_iovlen++];

			part->iov_base = at->frame->data + skip;
			part->iov_len = at->frame->len - skip;
			total += part->iov_len;
			skip = 0;
		}
		wrote = sendmsg(socket->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT | more);
		if (wrote < 0 && errno != EAGAIN && errno != EINTR) {
			socket_die(socket, WS_CLOSE_ABNORMAL, "transport error");
			return false;
		}
		forget(socket, wrote > 0 ? (size_t)wrote : 0);
		blocked = wrote < 0 || (size_t)wrote < total;
	}
	if (socket->blocked != blocked) {
		socket->blocked = blocked;
		socket_wait(socket);
	}
	return !blocked;
}

/* ---- control frames ---- */

void
socket_send_close(struct convro_socket *socket, unsigned code, const char *reason)
{
	uint8_t data[WS_CLOSE_MAX];

	if (socket->state == SOCKET_OPEN)
		socket_queue(socket, frame_raw(data, ws_close_frame(data, code, reason)));
}

void
socket_send_pong(struct convro_socket *socket, const char *data, size_t len)
{
	queue_bounded(socket, frame_encode(WS_OP_PONG, data, len));
}

/* ---- the table ---- */

/* The frame as this socket gets it: compressed where that was agreed on and it is long enough. */
static struct convro_frame *
frame_for(struct convro_socket *socket, struct convro_frame *frame)
{
	const struct convro_socket_events *events = socket->events;
	size_t from = DEFLATE_FROM;

	if (socket->window_bits == 0)
		return frame;
	if (CONVRO_HAS(events, deflate_threshold) && events->deflate_threshold != 0)
		from = events->deflate_threshold;
	if (frame_payload(frame) < from)
		return frame;
	return frame_deflated(frame, socket->sockets->deflate, socket->window_bits);
}

static void
table_send(struct convro_socket *socket, struct convro_frame *frame)
{
	if (socket->state == SOCKET_OPEN)
		queue_bounded(socket, frame_ref(frame_for(socket, frame)));
}

static void
table_send_data(struct convro_socket *socket, const void *data, size_t len, int binary)
{
	struct convro_frame *frame;

	if (socket->state != SOCKET_OPEN)
		return;
	frame = frame_make(data, len, binary);
	if (frame == NULL) {
		queue_bounded(socket, NULL);
		return;
	}
	table_send(socket, frame);
	frame_drop(frame);
}

static size_t
table_queued(const struct convro_socket *socket)
{
	return socket->queued_bytes;
}

static void
table_close(struct convro_socket *socket, int code, const char *reason)
{
	if (socket->state != SOCKET_OPEN)
		return;
	MUST(code == WS_CLOSE_NO_STATUS || ws_close_code_valid((unsigned)code));
	socket_send_close(socket, (unsigned)code, reason != NULL ? reason : "");
	if (socket->state != SOCKET_OPEN)
		return; /* out of memory: it ends without a close frame */
	socket->state = SOCKET_CLOSING;
	socket->code = (uint16_t)code;
	socket->why = "forced close";
	socket_limit(socket, CLOSE_TIMEOUT_MS);
}

static void
table_abort(struct convro_socket *socket)
{
	socket_die(socket, WS_CLOSE_ABNORMAL, "forced close");
}

const struct convro_socket_table socket_table = {
	.size = sizeof(struct convro_socket_table),
	.frame = frame_make,
	.frame_ref = frame_ref,
	.frame_unref = frame_drop,
	.send = table_send,
	.send_data = table_send_data,
	.queued = table_queued,
	.close = table_close,
	.abort = table_abort,
};
