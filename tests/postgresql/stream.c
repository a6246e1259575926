/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See stream.h.
 */
#include "stream.h"

#include "loop/worker.h"

#include <event2/event.h>

static void lane_next(struct lane *lane);

static void
again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	lane_next(arg);
}

static void
retry_soon(struct lane *lane)
{
	const struct timeval pause = { 0, 5000 };

	atomic_fetch_add(&lane->stream->failures, 1);
	MUST(event_base_once(lane->ctx->worker->base, -1, EV_TIMEOUT, again, lane, &pause) == 0);
}

static bool
may_repeat(const struct stream *stream, enum convro_status status)
{
	return status == CONVRO_NOT_SENT || status == CONVRO_RETRY || status == CONVRO_TIMEOUT ||
	       status == CONVRO_OVERLOAD ||
	       (status == CONVRO_UNKNOWN_OUTCOME && stream->kind == STREAM_SENDS);
}

static void
check(struct lane *lane, const struct convro_db_result *results, uint32_t count)
{
	const struct convro_db_result *rows = &results[count - 1];
	int64_t id, outcome = 0;

	if (rows->nrows != 1) {
		atomic_fetch_add(&lane->stream->mistakes, 1);
		return;
	}
	if (lane->stream->kind == STREAM_SENDS)
		outcome = convro_at(rows, 0, 0)->u.i;
	id = convro_at(rows, 0, lane->stream->kind == STREAM_SENDS ? 1 : 0)->u.i;
	/* New or repeated; and what one client sends later has the greater id. */
	if (outcome > 1 || id <= lane->last_id)
		atomic_fetch_add(&lane->stream->mistakes, 1);
	lane->last_id = id;
}

static void
came(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t count)
{
	struct lane *lane = arg;
	struct stream *stream = lane->stream;

	(void)ctx;
	if (may_repeat(stream, status)) {
		retry_soon(lane);
		return;
	}
	if (status == CONVRO_OK) {
		check(lane, results, count);
		atomic_fetch_add(&stream->acknowledged, 1);
	} else if (status == CONVRO_UNKNOWN_OUTCOME) {
		atomic_fetch_add(&stream->unknown, 1);
	} else {
		atomic_fetch_add(&stream->mistakes, 1);
	}
	lane->done++;
	if (lane->done < stream->each) {
		lane_next(lane);
		return;
	}
	ctx_unref(lane->ctx);
	if (atomic_fetch_sub(&stream->lanes_left, 1) == 1)
		sem_post(&stream->ended);
}

static void
send_message(struct lane *lane, const char *name)
{
	struct convro_db_batch *batch = db_table.batch(lane->ctx);
	int session = 1 + (int)(lane->number / LANES_A_SESSION);

	db_table.add(batch, DM_MESSAGES_SEND_LOCK,
	    CONVRO_ARGS(convro_i64(1000 + session), convro_i32(session)));
	db_table.add(batch, DM_MESSAGES_SEND,
	    CONVRO_ARGS(convro_i64(1000 + session), convro_i32(session), convro_null(),
		convro_blob(name, strlen(name)), convro_null(), convro_i32(1),
		convro_blob("0123456789abcdef", 16),
		convro_blob("a ciphertext of some two hundred bytes, more or less, as a short "
			    "message of a person has when it is encrypted and padded, so that "
			    "what is measured here is near to what people do with it......",
		    190),
		convro_i64(clock_wall_us())));
	db_table.exec(batch, came, lane);
}

static void
lane_next(struct lane *lane)
{
	char name[40];

	(void)snprintf(name, sizeof(name), "%u of %u", lane->done, lane->number);
	if (lane->stream->kind == STREAM_SENDS)
		send_message(lane, name);
	else
		db_table.query(lane->ctx, note(lane->stream->kit, NOTE_ADD),
		    CONVRO_ARGS(text_val(name), convro_null()), came, lane);
}

static int
start_lanes(struct worker *worker, void *arg)
{
	struct stream *stream = arg;

	for (uint32_t i = 0; i < stream->lane_count; i++) {
		struct lane *lane = &stream->lanes[i];

		if (i % WORKERS != worker->index)
			continue;
		*lane = (struct lane){ .stream = stream, .number = i };
		lane->ctx = ctx_new(worker, stream->kit->notes);
		MUST(lane->ctx != NULL);
		lane_next(lane);
	}
	return 0;
}

void
stream_start(
    struct stream *stream, struct kit *kit, enum stream_kind kind, uint32_t lanes, uint32_t each)
{
	memset(stream, 0, sizeof(*stream));
	MUST(lanes <= LANES_MOST);
	stream->kit = kit;
	stream->kind = kind;
	stream->lane_count = lanes;
	stream->each = each;
	atomic_store(&stream->lanes_left, lanes);
	assert_int_equal(sem_init(&stream->ended, 0, 0), 0);
	(void)workers_each(kit->server.workers, WORKERS, start_lanes, stream);
}

void
stream_wait(struct stream *stream)
{
	while (sem_wait(&stream->ended) != 0)
		continue;
}
