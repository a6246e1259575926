/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WebSocket connections: life and reading.  Nothing is freed and no module is
 * told of an end from within a call: both happen at the end of the loop turn.
 */
#include "ws/socket.h"

#include "base/clock.h"
#include "base/must.h"
#include "ws/shared_frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_SIZE 65536
#define LINGER_MS 2000 /* for the peer's end of the connection */
#define END_MS    5000 /* for the last frames to be taken */

static void on_turn(evutil_socket_t fd, short what, void *arg);

/* ---- the worker's ---- */

static bool
trim(struct trimmer *trimmer)
{
	struct sockets *sockets = LIST_OF(trimmer, struct sockets, trimmer);

	return tide_is_out(&sockets->tide, sockets->count);
}

int
sockets_init(struct worker *worker)
{
	struct sockets *sockets = calloc(1, sizeof(*sockets));

	if (sockets == NULL)
		return -1;
	sockets->worker = worker;
	slab_init(&sockets->slab, sizeof(struct convro_socket));
	list_init(&sockets->all);
	list_init(&sockets->turn);
	sockets->turn_event = event_new(worker->base, -1, 0, on_turn, sockets);
	sockets->buffer = malloc(READ_SIZE);
	sockets->deflate = ws_deflate_new();
	sockets->trimmer.trim = trim;
	trimmer_add(worker, &sockets->trimmer);
	worker->sockets = sockets;
	return sockets->turn_event != NULL && sockets->buffer != NULL && sockets->deflate != NULL
		   ? 0
		   : -1;
}

static void
early_free(struct convro_socket *socket)
{
	if (socket->early == NULL)
		return;
	buf_fini(socket->early);
	free(socket->early);
	socket->early = NULL;
}

/* Keeps what came early; false when memory is out.  The buffer is taken in any case. */
static bool
early_keep(struct convro_socket *socket, struct buf *early)
{
	bool is_sound = !early->failed;

	if (is_sound && early->len > 0) {
		socket->early = malloc(sizeof(*socket->early));
		is_sound = socket->early != NULL;
	}
	if (socket->early != NULL)
		*socket->early = *early;
	else
		buf_fini(early);
	buf_init(early, 0);
	return is_sound;
}

static void
socket_free(struct convro_socket *socket)
{
	struct sockets *sockets = socket->sockets;

	(void)event_del(&socket->event);
	list_remove(&socket->link);
	list_remove(&socket->turn);
	while (socket->first != NULL) {
		struct queued *first = socket->first;

		socket->first = first->next;
		frame_drop(first->frame);
		free(first);
	}
	ws_reader_fini(&socket->reader);
	early_free(socket);
	if (socket->fd >= 0)
		(void)close(socket->fd);
	slab_give(&sockets->slab, socket);
}

void
sockets_drop(struct worker *worker)
{
	struct sockets *sockets = worker->sockets;
	struct list *first;

	if (sockets == NULL)
		return;
	while ((first = list_first(&sockets->all)) != NULL) {
		struct convro_socket *socket = LIST_OF(first, struct convro_socket, link);

		/* Of a close frame that modules sent just now no loop turn will come. */
		if (socket->state < SOCKET_DEAD)
			(void)socket_flush(socket);
		socket_free(socket);
	}
	sockets->count = 0;
}

void
sockets_fini(struct worker *worker)
{
	struct sockets *sockets = worker->sockets;

	if (sockets == NULL)
		return;
	sockets_drop(worker);
	trimmer_remove(&sockets->trimmer);
	if (sockets->turn_event != NULL)
		event_free(sockets->turn_event);
	free(sockets->buffer);
	ws_deflate_free(sockets->deflate);
	slab_fini(&sockets->slab);
	free(sockets);
	worker->sockets = NULL;
}

uint32_t
sockets_count(const struct worker *worker)
{
	const struct sockets *sockets = worker->sockets;

	return sockets != NULL ? sockets->count : 0;
}

/* ---- telling the module, each time in a context of its own ---- */

struct telling {
	struct convro_socket *socket;
	const struct ws_event *event;
};

static void
tell_message(struct convro_ctx *ctx, void *arg)
{
	const struct telling *telling = arg;
	struct convro_socket *socket = telling->socket;

	socket->events->message(ctx, socket, socket->arg, telling->event->type == WS_BINARY,
	    telling->event->data, telling->event->len);
}

static void
tell_drained(struct convro_ctx *ctx, void *arg)
{
	struct convro_socket *socket = arg;

	socket->events->drained(ctx, socket, socket->arg);
}

static void
tell_closed(struct convro_ctx *ctx, void *arg)
{
	struct convro_socket *socket = arg;

	socket->events->closed(ctx, socket, socket->arg, socket->code, socket->why);
}

/* ---- reading ---- */

static void
peer_closes(struct convro_socket *socket, const struct ws_event *event)
{
	if (socket->state == SOCKET_OPEN) {
		socket->code = event->code;
		socket->why = "transport close";
		socket_send_close(socket, event->code, "");
		socket_limit(socket, END_MS);
	}
	socket->state = SOCKET_ENDING;
	socket_schedule(socket);
}

static void
handle(struct convro_socket *socket, const struct ws_event *event)
{
	struct telling telling = { socket, event };

	switch (event->type) {
	case WS_TEXT:
	case WS_BINARY:
		if (socket->state == SOCKET_OPEN &&
		    !ctx_run(socket->sockets->worker, socket->module, tell_message, &telling))
			socket_die(socket, WS_CLOSE_ABNORMAL, "transport error");
		break;
	case WS_PING:
		socket_send_pong(socket, event->data, event->len);
		break;
	case WS_CLOSE:
		peer_closes(socket, event);
		break;
	case WS_ERROR:
		socket->code = event->code;
		socket->why = "transport error";
		socket_send_close(socket, event->code, event->data);
		socket_limit(socket, END_MS);
		socket->state = SOCKET_ENDING;
		socket_schedule(socket);
		break;
	case WS_PONG:
	case WS_NONE:
		break;
	}
}

static bool
is_read(const struct convro_socket *socket)
{
	return socket->state == SOCKET_OPEN || socket->state == SOCKET_CLOSING;
}

static void
feed(struct convro_socket *socket, char *data, size_t len)
{
	struct ws_deflate *deflate = socket->sockets->deflate;
	struct ws_event event;

	while (is_read(socket) && ws_read(&socket->reader, &data, &len, &event) != WS_NONE) {
		bool inflates = event.compressed && socket->state == SOCKET_OPEN;

		if (inflates)
			ws_inflate_message(deflate, socket->reader.max_message, &event);
		handle(socket, &event);
		if (inflates)
			ws_inflate_done(deflate);
	}
}

static void
read_some(struct convro_socket *socket)
{
	char *buffer = socket->sockets->buffer;
	ssize_t got = recv(socket->fd, buffer, READ_SIZE, MSG_DONTWAIT);

	if (got > 0) {
		feed(socket, buffer, (size_t)got);
	} else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
		if (socket->state == SOCKET_LINGER)
			socket_free(socket);
		else if (socket->state != SOCKET_OPEN)
			socket_die(socket, socket->code, socket->why);
		else
			socket_die(socket, WS_CLOSE_ABNORMAL,
			    got == 0 ? "transport close" : "transport error");
	}
}

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	struct convro_socket *socket = arg;

	(void)fd;
	/* A peer that goes on sending puts off the event's own time limit. */
	if ((what & EV_TIMEOUT) != 0 ||
	    (socket->close_by_ms != 0 && clock_mono_ms() >= socket->close_by_ms)) {
		if (socket->state == SOCKET_LINGER)
			socket_free(socket);
		else
			socket_die(socket, socket->code, socket->why);
		return;
	}
	if ((what & EV_WRITE) != 0)
		socket_schedule(socket);
	if ((what & EV_READ) != 0)
		read_some(socket); /* may free the socket */
}

void
socket_wait(struct convro_socket *socket)
{
	short what = EV_PERSIST | EV_READ;
	int64_t left = socket->close_by_ms != 0 ? socket->close_by_ms - clock_mono_ms() : 0;
	struct timeval limit = { 0, 1000 };

	if (left > 0)
		limit = (struct timeval){ left / 1000, left % 1000 * 1000 };
	if (socket->blocked && socket->state != SOCKET_LINGER)
		what |= EV_WRITE;
	/* A time limit alone is set without a word to the kernel. */
	if (event_get_events(&socket->event) != what) {
		(void)event_del(&socket->event);
		(void)event_assign(&socket->event, socket->sockets->worker->base, socket->fd, what,
		    on_event, socket);
	}
	if (event_add(&socket->event, socket->close_by_ms != 0 ? &limit : NULL) != 0)
		socket_die(socket, WS_CLOSE_ABNORMAL, "transport error");
}

void
socket_limit(struct convro_socket *socket, int64_t ms)
{
	socket->close_by_ms = clock_mono_ms() + ms;
	socket_wait(socket);
}

/* ---- the turn's end ---- */

void
socket_schedule(struct convro_socket *socket)
{
	struct sockets *sockets = socket->sockets;

	if (!list_is_empty(&socket->turn))
		return;
	if (list_is_empty(&sockets->turn))
		event_active(sockets->turn_event, EV_TIMEOUT, 0);
	list_push_back(&sockets->turn, &socket->turn);
}

void
socket_die(struct convro_socket *socket, unsigned code, const char *why)
{
	if (socket->state >= SOCKET_DEAD)
		return;
	socket->code = (uint16_t)code;
	socket->why = why;
	socket->state = SOCKET_DEAD;
	socket_schedule(socket);
}

/* Says closed(), once. */
static void
finish(struct convro_socket *socket)
{
	bool told = ctx_run(socket->sockets->worker, socket->module, tell_closed, socket);

	/* The module would keep a socket for ever that is no more. */
	MUST(told);
	socket->sockets->count--;
}

static void
look_at(struct convro_socket *socket)
{
	bool was_blocked = socket->blocked;
	bool empty = socket->state == SOCKET_DEAD || socket_flush(socket);

	if (socket->state == SOCKET_DEAD) {
		finish(socket);
		socket_free(socket);
		return;
	}
	if (socket->early != NULL) {
		struct buf *early = socket->early;

		socket->early = NULL;
		feed(socket, early->data, early->len);
		buf_fini(early);
		free(early);
		socket_schedule(socket);
		return;
	}
	if (socket->state == SOCKET_ENDING && empty) {
		/* Closing while the peer still sends would reset the connection, and the close
		 * frame with it. */
		(void)shutdown(socket->fd, SHUT_WR);
		socket->state = SOCKET_LINGER;
		finish(socket);
		socket_limit(socket, LINGER_MS);
		return;
	}
	if (empty && was_blocked && socket->state == SOCKET_OPEN && socket->events->drained != NULL)
		(void)ctx_run(socket->sockets->worker, socket->module, tell_drained, socket);
}

static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct sockets *sockets = arg;
	struct list now, *link;

	(void)fd;
	(void)what;
	/* Those that come while we are at it have a turn of their own. */
	list_init(&now);
	while ((link = list_take_first(&sockets->turn)) != NULL)
		list_push_back(&now, link);
	while ((link = list_take_first(&now)) != NULL)
		look_at(LIST_OF(link, struct convro_socket, turn));
}

/* ---- birth ---- */

bool
socket_wants_deflate(const struct convro_socket_events *events)
{
	return CONVRO_HAS(events, deflate) && events->deflate != 0;
}

struct convro_socket *
socket_new(struct worker *worker, struct module *module, const struct convro_socket_events *events,
    void *arg, unsigned window_bits)
{
	struct sockets *sockets = worker->sockets;
	struct convro_socket *socket = slab_take(&sockets->slab);

	if (socket == NULL)
		return NULL;
	list_init(&socket->link);
	list_init(&socket->turn);
	socket->sockets = sockets;
	socket->module = module;
	socket->events = events;
	socket->arg = arg;
	socket->fd = -1;
	socket->window_bits = window_bits & 0xf;
	ws_reader_init(&socket->reader, events->max_message, window_bits != 0);
	if (CONVRO_HAS(events, max_fragments))
		socket->reader.max_fragments = (uint16_t)events->max_fragments;
	list_push_back(&sockets->all, &socket->link);
	sockets->count++;
	tide_rise(&sockets->tide, sockets->count);
	return socket;
}

void
socket_start(struct convro_socket *socket, int fd, const struct buf *head, struct buf *early)
{
	struct convro_frame *frame = frame_raw(head->data, head->len);
	bool kept = early_keep(socket, early);

	socket->fd = fd;
	(void)event_assign(
	    &socket->event, socket->sockets->worker->base, fd, EV_READ, on_event, socket);
	if (frame == NULL || !kept) {
		frame_drop(frame);
		socket_die(socket, WS_CLOSE_ABNORMAL, "transport error");
		return;
	}
	socket_queue(socket, frame);
	socket_wait(socket);
}
