/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client missed is told before anything live: source by source, page by
 * page, as fast as the client reads.  What is pushed meanwhile is queued; at the
 * switch the queue is told but for what a page had already.
 *
 * It begins with the joining of the room, so that nothing falls between the
 * pages and the queue.  A client that has come back (recovery.h) is told what the
 * log has for it in place of the pages, at the same pace; but if it left before
 * the pages were told, they are asked for again, and the log comes behind them.
 */
#include "client.h"

#include <stdlib.h>

struct queued {
	struct queued *next;
	struct push *push; /* a reference */
};

struct queue {
	struct queued *first, **end;
	size_t bytes;
};

struct convro_catch_up {
	struct client *client;  /* a reference */
	struct convro_ctx *ctx; /* of the page that is under way, or NULL */
	uint32_t refs;          /* the session's, a page's, a posted step's */
	uint32_t source;        /* in the service */
	int64_t first_after;    /* the client's afterId; negative = none */
	int64_t after;
	struct queue pages; /* emitted, and not sent as the client is slow */
	struct queue live;  /* pushed meanwhile */
	bool telling;       /* sends itself: does not count against the client's limit */
	bool waiting;       /* for the client to read */
	bool stopped;
	bool has_come_back; /* the pages are those of the log */
	struct alarm alarm; /* looks again while waiting */
};

bool
catch_up_new(struct client *client, int64_t after)
{
	struct convro_catch_up *catch_up = calloc(1, sizeof(*catch_up));

	if (catch_up == NULL)
		return false;
	catch_up->client = client;
	catch_up->refs = 1;
	catch_up->first_after = after;
	catch_up->after = after > 0 ? after : 0;
	catch_up->pages.end = &catch_up->pages.first;
	catch_up->live.end = &catch_up->live.first;
	alarm_init(&catch_up->alarm, ALARM_CATCH_UP);
	socket_ref(&client->socket);
	client->catch_up = catch_up;
	if (client->socket.recovery != NULL)
		client->socket.recovery->is_unfinished = true;
	return true;
}

static void
unref(struct convro_catch_up *catch_up)
{
	if (--catch_up->refs > 0)
		return;
	socket_unref(&catch_up->client->socket);
	free(catch_up);
}

/* ---- queues ---- */

/* False when memory is out. */
static bool
append(struct queue *queue, struct push *push)
{
	struct queued *queued = malloc(sizeof(*queued));

	if (queued == NULL)
		return false;
	*queued = (struct queued){ NULL, push };
	push_ref(push);
	*queue->end = queued;
	queue->end = &queued->next;
	queue->bytes += push->text.len;
	return true;
}

/* The caller gets the reference. */
static struct push *
take_first(struct queue *queue)
{
	struct queued *first = queue->first;
	struct push *push = first->push;

	queue->first = first->next;
	if (first->next == NULL)
		queue->end = &queue->first;
	queue->bytes -= push->text.len;
	free(first);
	return push;
}

bool
catch_up_add(struct convro_catch_up *catch_up, struct push *push)
{
	struct queue *live = &catch_up->live;
	size_t most = catch_up->client->socket.session->station->mount->send_limit;

	if (live->first != NULL && (push->text.len > most || live->bytes > most - push->text.len))
		return false;
	return append(live, push);
}

void
catch_up_stop(struct client *client)
{
	struct convro_catch_up *catch_up = client->catch_up;

	if (catch_up == NULL)
		return;
	client->catch_up = NULL;
	catch_up->stopped = true;
	alarm_cancel(&catch_up->alarm);
	while (catch_up->pages.first != NULL)
		push_unref(take_first(&catch_up->pages));
	while (catch_up->live.first != NULL)
		push_unref(take_first(&catch_up->live));
	unref(catch_up);
}

bool
catch_up_tells(const struct convro_catch_up *catch_up)
{
	return catch_up->telling;
}

static void
tell(struct convro_ctx *ctx, struct convro_catch_up *catch_up, const struct push *push)
{
	catch_up->telling = true;
	push_write(ctx, &catch_up->client->socket, push); /* may stop us */
	catch_up->telling = false;
}

static bool
is_slow(const struct convro_catch_up *catch_up)
{
	return session_queued(catch_up->client->socket.session) > PACE_BYTES;
}

/* The switch to live. */
static void
finish(struct convro_ctx *ctx, struct convro_catch_up *catch_up)
{
	struct client *client = catch_up->client;
	struct socket_recovery *recovery = client->socket.recovery;

	if (recovery != NULL) {
		recovery->is_unfinished = false;
		recovery->is_behind = true;
	}
	while (catch_up->live.first != NULL) {
		struct push *push = take_first(&catch_up->live);

		if (push->cursor == 0 || push->cursor > client->last_cursor)
			push_write(ctx, &client->socket, push); /* may stop us */
		push_unref(push);
	}
	if (catch_up->stopped)
		return;
	if (recovery != NULL)
		recovery->is_behind = false;
	catch_up_stop(client);
}

/* ---- the pages ---- */

/* The next source that has something for this client; NULL = none. */
static const struct source *
next_source(struct convro_catch_up *catch_up)
{
	const struct service *service = &catch_up->client->socket.session->station->mount->service;

	for (; !catch_up->has_come_back && catch_up->source < service->source_count;
	     catch_up->source++) {
		const struct source *source = &service->sources[catch_up->source];

		if (source->source.always != 0 || catch_up->first_after >= 0)
			return source;
	}
	return NULL;
}

/* After what is stored come those who tell how things are, without whom a client may come back. */
static void
note_progress(struct convro_catch_up *catch_up)
{
	struct client *client = catch_up->client;
	const struct service *service = &client->socket.session->station->mount->service;

	if (client->socket.recovery == NULL || catch_up->first_after < 0)
		return;
	for (uint32_t i = catch_up->source; i < service->source_count; i++)
		if (service->sources[i].source.always == 0)
			return;
	client->socket.recovery->is_unfinished = false;
	client->socket.recovery->is_behind = true;
}

static void
step(struct convro_ctx *ctx, struct convro_catch_up *catch_up)
{
	struct client *client = catch_up->client;
	struct station *station = client->socket.session->station;
	const struct source *source;

	if (catch_up->stopped || catch_up->ctx != NULL)
		return;
	while (catch_up->pages.first != NULL && !is_slow(catch_up)) {
		struct push *push = take_first(&catch_up->pages);

		tell(ctx, catch_up, push);
		push_unref(push);
	}
	if (catch_up->stopped)
		return;
	catch_up->waiting = catch_up->pages.first != NULL || is_slow(catch_up);
	if (catch_up->waiting) {
		/* drained() tells of a socket that was blocked; whatever else it was, time does. */
		wheel_set(&station->wheel, &catch_up->alarm, convro->timer->now(ctx));
		return;
	}
	alarm_cancel(&catch_up->alarm);
	note_progress(catch_up);
	source = next_source(catch_up);
	if (source == NULL) {
		finish(ctx, catch_up);
		return;
	}
	catch_up->ctx = ctx;
	catch_up->refs++;
	convro->bus->set_module(ctx, source->module);
	source->source.page(ctx, source->source.self, catch_up, client->device_id, catch_up->after);
	convro->bus->set_module(ctx, station->mount->module);
}

static void
next_step(struct convro_ctx *ctx, void *arg)
{
	struct convro_catch_up *catch_up = arg;

	/* Posted from a page, in whose module's name we run. */
	convro->bus->set_module(ctx, catch_up->client->socket.session->station->mount->module);
	step(ctx, catch_up);
	unref(catch_up);
}

void
catch_up_missed(struct convro_ctx *ctx, struct convro_socketio_socket *socket,
    struct push *const *missed, uint32_t count)
{
	struct convro_catch_up *catch_up = client_of(socket)->catch_up;

	struct queue *queue = &catch_up->live;

	/* What came in since it joined its room is among what it missed. */
	while (catch_up->live.first != NULL)
		push_unref(take_first(&catch_up->live));
	if (!socket->recovery->is_unfinished) { /* else the sources are asked */
		catch_up->has_come_back = true;
		queue = &catch_up->pages;
	}
	socket->recovery->is_behind = true;
	for (uint32_t i = 0; i < count; i++) {
		if (append(queue, missed[i]))
			continue;
		session_close(ctx, socket->session, GOODBYE_ERROR, "out of memory");
		return;
	}
}

void
catch_up_run(struct convro_ctx *ctx, struct client *client)
{
	struct convro_catch_up *catch_up = client->catch_up;

	catch_up->refs++;
	step(ctx, catch_up);
	unref(catch_up);
}

void
catch_up_resume(struct convro_ctx *ctx, struct convro_catch_up *catch_up)
{
	if (!catch_up->waiting)
		return;
	catch_up->refs++;
	step(ctx, catch_up);
	unref(catch_up);
}

void
catch_up_fire(struct convro_ctx *ctx, struct alarm *alarm)
{
	catch_up_resume(ctx, RING_ENTRY(alarm, struct convro_catch_up, alarm));
}

/* A client that keeps offsets gets one, unless it acknowledges the event. */
static struct slice
offset_of(struct client *client, const struct push *push, char out[OFFSET_SIZE])
{
	uint64_t id;

	if (client->socket.recovery == NULL)
		return (struct slice){ 0 };
	if (!client_ack_id(&client->socket, push, &id))
		return recovery_catch_up_offset(&client->socket, out);
	client->socket.recovery->told_acked = push->cursor;
	return (struct slice){ 0 };
}

void
catch_up_emit(struct convro_catch_up *catch_up, const char *event, int64_t cursor, const char *json,
    size_t len)
{
	struct client *client = catch_up->client;
	struct session *session = client->socket.session;
	struct convro_ctx *ctx = catch_up->ctx;
	char offset[OFFSET_SIZE];
	struct push *push;

	if (catch_up->stopped)
		return;
	push = client_push_new(session->station->mount, (struct slice){ 0 }, event, cursor,
	    (struct slice){ json, len });
	if (push == NULL || !push_finish(push, offset_of(client, push, offset))) {
		if (push != NULL)
			push_unref(push);
		session_close(ctx, session, GOODBYE_ERROR, "out of memory");
		return;
	}
	if (catch_up->pages.first == NULL && !is_slow(catch_up))
		tell(ctx, catch_up, push);
	else if (!append(&catch_up->pages, push))
		session_close(ctx, session, GOODBYE_ERROR, "out of memory");
	push_unref(push);
	if (cursor != 0)
		catch_up->after = cursor;
	if (cursor > client->last_cursor)
		client->last_cursor = cursor;
}

void
catch_up_page_done(struct convro_catch_up *catch_up, enum convro_status status, int more)
{
	struct session *session = catch_up->client->socket.session;
	struct convro_ctx *ctx = catch_up->ctx;

	catch_up->ctx = NULL;
	if (!catch_up->stopped && !more) {
		catch_up->source++;
		catch_up->after = catch_up->first_after > 0 ? catch_up->first_after : 0;
	}
	if (catch_up->stopped) {
		unref(catch_up);
	} else if (status != CONVRO_OK || convro->work->post(ctx, session->station->index,
					      next_step, catch_up) != CONVRO_OK) {
		session_close(ctx, session, GOODBYE_CLOSE, "catch-up failed");
		unref(catch_up);
	} /* else the posted step has the reference */
}
