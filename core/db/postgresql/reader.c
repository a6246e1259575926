/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads: each is sent behind the others without waiting.  Those that leave
 * together share a Sync: libpq writes to the socket with each, and the server
 * too.  That makes them one transaction with one view of the data, which is
 * younger than all of them; when one fails, those behind it are aborted and sent
 * once more.
 *
 * What was sent on a connection that is lost is sent once more: it changes
 * nothing.  A store that stays away fails what waits, and then what comes, at
 * once.
 */
#include "db/postgresql/reader.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/must.h"

#include <stdlib.h>

enum {
	SENT_MOST = 64,     /* reads on their way at one time */
	SHARE_MOST = 16,    /* of them with one Sync: the first waits for the last */
	SENDS_MOST = 2,     /* of one read that was at the server when the connection was lost */
	GIVEN_UP_MS = 1000, /* others do not wait longer behind a read that nobody waits for */
	TICK_MS = 50,
	SCRATCH_FIRST = 4096,
};

void
reader_complete(struct reader *reader, struct db_request *request, enum convro_status status)
{
	request->status = status;
	reader->state->env->complete(request);
}

/* --- the queue --- */

static void
push_back(struct reader *reader, struct db_request *request)
{
	request->next = NULL;
	*reader->end = request;
	reader->end = &request->next;
	reader->waiting++;
}

static void
push_front(struct reader *reader, struct db_request *request)
{
	request->next = reader->first;
	reader->first = request;
	if (request->next == NULL)
		reader->end = &request->next;
	reader->waiting++;
}

static struct db_request *
take_first(struct reader *reader)
{
	struct db_request *request = reader->first;

	if (request != NULL) {
		reader->first = request->next;
		if (reader->first == NULL)
			reader->end = &reader->first;
		reader->waiting--;
	}
	return request;
}

void
reader_refuse(struct reader *reader, enum convro_status status)
{
	struct db_request *request;

	while ((request = take_first(reader)) != NULL)
		reader_complete(reader, request, status);
}

static void
drop_late(struct reader *reader, int64_t now_ms)
{
	uint32_t count = reader->waiting;

	for (uint32_t i = 0; i < count; i++) {
		struct db_request *request = take_first(reader);

		if (db_request_is_late(request, now_ms))
			reader_complete(reader, request, CONVRO_TIMEOUT);
		else
			push_back(reader, request);
	}
}

/* --- slots --- */

struct slot *
reader_slot(struct reader *reader)
{
	struct slot *slot;

	MUST(reader->slot_count < reader->slot_size);
	slot = reader_slot_at(reader, reader->slot_count++);
	*slot = (struct slot){ .sent_ms = clock_mono_ms() };
	return slot;
}

/* The aborted ones come before what waits, as they did. */
void
reader_send_again(struct reader *reader)
{
	struct db_request *first = reader->again;

	if (first == NULL)
		return;
	*reader->again_end = reader->first;
	if (reader->first == NULL)
		reader->end = reader->again_end;
	reader->first = first;
	reader->waiting += reader->again_count;
	reader->again = NULL;
	reader->again_end = &reader->again;
	reader->again_count = 0;
}

void
reader_unsend(struct reader *reader)
{
	uint32_t now_ms = (uint32_t)clock_mono_ms();

	while (reader->slot_count > 0) {
		struct slot *slot = reader_slot_at(reader, --reader->slot_count);
		struct db_request *request = slot->request;

		if (request == NULL)
			continue;
		if (reader->slot_count > 0)
			request->driver_mark--; /* its turn had not come */
		if (request->driver_mark < SENDS_MOST &&
		    now_ms - request->driver_index < SILENCE_MS)
			push_front(reader, request); /* from the last on: their order stays */
		else
			reader_complete(reader, request, CONVRO_NOT_SENT);
	}
	reader_send_again(reader);
	reader->sent = 0;
}

/* --- sending --- */

/* 1 when it was sent, 0 when memory is out (of what was sent before it nothing is lost), -1 when
 * the connection is of no more use. */
static int
send_call(struct reader *reader, const struct db_call *call)
{
	struct params params;
	char key[16];

	arena_reset(reader->scratch);
	if (params_build(reader->scratch, call->statement, &call, 1, &params) != 0)
		return 0;
	statement_key(call->statement, key);
	return PQsendQueryPrepared(reader->conn, key, params.count, params.values, params.lengths,
		   params.formats, 1) != 0
		   ? 1
		   : -1;
}

/* The request's calls, without their Sync.  False when the connection is of no more use. */
static bool
send_request(struct reader *reader, struct db_request *request)
{
	struct slot *slot = reader_slot(reader);
	int outcome = 1;

	slot->request = request;
	request->driver_mark++;
	reader->sent++;
	for (uint32_t i = 0; i < request->call_count && outcome == 1; i++) {
		if (request->calls[i].statement->sql == NULL)
			continue;
		outcome = send_call(reader, &request->calls[i]);
		if (outcome == 0)
			slot->status = CONVRO_NO_MEMORY;
		slot->left += outcome == 1;
	}
	if (outcome == 0 && slot->left == 0) { /* no result will come */
		reader->slot_count--;
		reader->sent--;
		reader_complete(reader, request, CONVRO_NO_MEMORY);
	}
	return outcome >= 0;
}

static bool
send_sync(struct reader *reader)
{
	reader_slot(reader)->is_sync = true;
	return PQpipelineSync(reader->conn) != 0;
}

static bool
has_text(const struct db_request *request)
{
	for (uint32_t i = 0; i < request->call_count; i++)
		if (request->calls[i].statement->sql != NULL)
			return true;
	return false;
}

/* What waits, up to a Sync; how many there were, or -1 when the connection was lost over it (they
 * wait again then, or have failed). */
static int
send_share(struct reader *reader, int64_t now_ms)
{
	int count = 0;
	bool good = true;

	while (good && count < SHARE_MOST && reader->sent < SENT_MOST && reader->first != NULL) {
		struct db_request *request = take_first(reader);

		if (db_request_is_late(request, now_ms)) {
			reader_complete(reader, request, CONVRO_TIMEOUT);
		} else if (!has_text(request)) {
			reader_complete(reader, request, CONVRO_OK);
		} else {
			good = send_request(reader, request);
			count++;
		}
	}
	if (good && (count == 0 || send_sync(reader)))
		return count;
	reader_lose(reader);
	return -1;
}

void
reader_pump(struct reader *reader)
{
	int64_t now_ms = clock_mono_ms();
	int sent = 0, all = 0;

	while (reader->phase == READER_UP && reader->sent < SENT_MOST && reader->first != NULL) {
		sent = send_share(reader, now_ms);
		if (sent < 0)
			return;
		all += sent;
	}
	if (all > 0)
		reader_flush(reader);
}

/* --- time --- */

/* Gives up what was sent and is late: its answer is dropped when it comes. */
static void
give_up_late(struct reader *reader, int64_t now_ms)
{
	for (uint32_t i = 0; i < reader->slot_count; i++) {
		struct slot *slot = reader_slot_at(reader, i);

		if (slot->request != NULL && db_request_is_late(slot->request, now_ms)) {
			reader_complete(reader, slot->request, CONVRO_TIMEOUT);
			slot->request = NULL;
		}
	}
}

/* Whether the connection is stuck: no answer, or none that anybody waits for while others do. */
static bool
is_stuck(struct reader *reader, int64_t now_ms)
{
	const struct slot *head = reader_slot_at(reader, 0);
	bool in_the_way;

	if (reader->phase != READER_UP || reader->slot_count == 0)
		return false;
	in_the_way = head->request == NULL && !head->is_session && !head->is_sync &&
		     (reader->slot_count > 1 || reader->waiting > 0);
	return now_ms - head->sent_ms >= (in_the_way ? GIVEN_UP_MS : SILENCE_MS);
}

static void
ticked(evutil_socket_t fd, short what, void *arg)
{
	struct reader *reader = arg;
	struct db_state *state = reader->state;
	int64_t now_ms = clock_mono_ms();

	(void)fd;
	(void)what;
	drop_late(reader, now_ms);
	give_up_late(reader, now_ms);
	if (reader->phase == READER_CONNECTING && now_ms - reader->since_ms >= CONNECT_WORKER_MS) {
		complain(state, "could not connect to the database", "it did not answer in time");
		reader_lose(reader);
	} else if (is_stuck(reader, now_ms)) {
		complain(state, "closed a connection to the database", "a read takes too long");
		reader_lose(reader);
	}
	if (reader->phase == READER_AWAY && !atomic_load(&state->interrupted) &&
	    now_ms >= reader->backoff.next_ms)
		reader_connect(reader);
	if (reader->phase != READER_UP &&
	    (atomic_load(&state->interrupted) || backoff_is_hopeless(&reader->backoff, now_ms)))
		reader_refuse(reader, CONVRO_NOT_SENT);
	reader_arm(reader);
}

void
reader_arm(struct reader *reader)
{
	static const struct timeval pause = { 0, TICK_MS * 1000 };
	bool idle = reader->phase == READER_UP && reader->slot_count == 0 && reader->waiting == 0;

	if (!idle && event_pending(reader->tick, EV_TIMEOUT, NULL) == 0)
		(void)event_add(reader->tick, &pause);
}

/* --- the driver's functions --- */

static struct reader **
readers_of(struct db_state *state, uint32_t worker)
{
	return state->readers + (size_t)worker * state->env->readers;
}

/* Of the worker's connections the one with the least to do that is up; when none is, any; NULL when
 * there is none. */
static struct reader *
idlest(struct reader *const *readers, uint32_t count)
{
	struct reader *best = NULL;

	for (uint32_t i = 0; i < count; i++) {
		struct reader *reader = readers[i];

		if (reader == NULL)
			continue;
		if (best == NULL || (reader->phase == READER_UP && best->phase != READER_UP) ||
		    ((reader->phase == READER_UP) == (best->phase == READER_UP) &&
			reader->waiting + reader->sent < best->waiting + best->sent))
			best = reader;
	}
	return best;
}

/* What the worker's connections have to do. */
static uint32_t
outstanding(struct reader *const *readers, uint32_t count)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < count; i++)
		sum += readers[i] != NULL ? readers[i]->waiting + readers[i]->sent : 0;
	return sum;
}

static void
accept_read(struct db_state *state, struct reader *reader, bool is_full, struct db_request *request)
{
	request->driver_mark = 0;                          /* how often it was sent */
	request->driver_index = (uint32_t)clock_mono_ms(); /* since when it waits */
	if (reader == NULL || atomic_load(&state->stopping)) {
		request->status = CONVRO_NOT_SENT;
		state->env->complete(request);
		return;
	}
	if (is_full) {
		reader_complete(reader, request, CONVRO_OVERLOAD);
		return;
	}
	if (reader->phase != READER_UP &&
	    (atomic_load(&state->interrupted) ||
		backoff_is_hopeless(&reader->backoff, clock_mono_ms()))) {
		reader_complete(reader, request, CONVRO_NOT_SENT);
		return;
	}
	push_back(reader, request);
}

void
reader_read(struct db_state *state, uint32_t worker, struct db_request *requests)
{
	struct reader **readers = readers_of(state, worker);
	uint32_t count = state->env->readers;

	while (requests != NULL) {
		struct db_request *request = requests;

		requests = request->next;
		accept_read(state, idlest(readers, count),
		    outstanding(readers, count) >= state->env->queue_max, request);
	}
	for (uint32_t i = 0; i < count; i++) {
		if (readers[i] == NULL || readers[i]->waiting == 0)
			continue;
		reader_pump(readers[i]);
		reader_arm(readers[i]);
	}
}

static void
reader_free(struct reader *reader)
{
	for (uint32_t i = 0; i < reader->slot_count; i++) {
		struct slot *slot = reader_slot_at(reader, i);

		if (slot->request != NULL)
			reader_complete(reader, slot->request, CONVRO_NOT_SENT);
	}
	reader_send_again(reader);
	reader_refuse(reader, CONVRO_NOT_SENT);
	reader_close(reader);
	if (reader->tick != NULL)
		event_free(reader->tick);
	arena_free(reader->scratch);
	free(reader->slots);
	free(reader);
}

static struct reader *
reader_new(struct db_state *state, struct event_base *base)
{
	struct reader *reader = calloc(1, sizeof(*reader));

	if (reader == NULL)
		return NULL;
	reader->state = state;
	reader->base = base;
	reader->end = &reader->first;
	reader->again_end = &reader->again;
	reader->slot_size = 2 * SENT_MOST + state->statement_count + 1; /* each with a Sync */
	reader->slots = calloc(reader->slot_size, sizeof(*reader->slots));
	reader->scratch = arena_new(SCRATCH_FIRST);
	reader->tick = event_new(base, -1, 0, ticked, reader);
	if (reader->slots == NULL || reader->scratch == NULL || reader->tick == NULL) {
		reader_free(reader);
		return NULL;
	}
	return reader;
}

int
reader_init(struct db_state *state, uint32_t worker, struct event_base *base)
{
	struct reader **readers = readers_of(state, worker);

	for (uint32_t i = 0; i < state->env->readers; i++) {
		readers[i] = reader_new(state, base);
		if (readers[i] == NULL) {
			state->env->log(
			    CONVRO_LOG_ERROR, "out of memory for a reader of the database");
			reader_fini(state, worker);
			return -1;
		}
		reader_connect(readers[i]);
		reader_arm(readers[i]);
	}
	return 0;
}

void
reader_fini(struct db_state *state, uint32_t worker)
{
	struct reader **readers = readers_of(state, worker);

	for (uint32_t i = 0; i < state->env->readers; i++) {
		if (readers[i] != NULL)
			reader_free(readers[i]);
		readers[i] = NULL;
	}
}
