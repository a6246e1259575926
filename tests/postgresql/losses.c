/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections that are cut, a server that crashes under load, one that stays
 * away, a lock that somebody else took.
 */
#include "cluster.h"
#include "messages.h"
#include "stream.h"

#include <time.h>

static void
pause_ms(long ms)
{
	const struct timespec pause = { ms / 1000, ms % 1000 * 1000000 };

	(void)nanosleep(&pause, NULL);
}

/* Waits until `count` more were acknowledged, or all. */
static void
await_progress(struct stream *stream, uint32_t count)
{
	uint32_t from = atomic_load(&stream->acknowledged);

	while (atomic_load(&stream->acknowledged) - from < count &&
	       atomic_load(&stream->lanes_left) > 0)
		pause_ms(1);
}

static void
loses_and_doubles_no_message_when_connections_are_cut(void **state)
{
	struct kit *kit = *state;
	struct stream *stream = calloc(1, sizeof(*stream));

	assert_non_null(stream);
	make_sessions(kit, 4);
	stream_start(stream, kit, STREAM_SENDS, 16, 400);
	for (int i = 0; i < 12; i++) {
		await_progress(stream, 200);
		look_terminate(kit, i % 3 == 2 ? "query LIKE '%pg_try_advisory%'" : "true");
	}
	stream_wait(stream);
	assert_int_equal(stream->mistakes, 0);
	assert_int_equal(stream->acknowledged, 16 * 400);
	assert_int_equal(look_number(kit, "SELECT count(*) FROM messages"), 16 * 400);
	assert_int_equal(look_number(kit, "SELECT sum(unread_r) FROM dm_sessions"), 16 * 400);
	free(stream);
}

static void
stores_what_is_not_idempotent_once_at_most(void **state)
{
	struct kit *kit = *state;
	struct stream *stream = calloc(1, sizeof(*stream));
	int64_t stored;

	assert_non_null(stream);
	stream_start(stream, kit, STREAM_NOTES, 16, 300);
	for (int i = 0; i < 12; i++) {
		await_progress(stream, 150);
		look_terminate(kit, "true");
	}
	stream_wait(stream);
	/* A name that is repeated although it was stored would be a conflict, which is a mistake.
	 */
	assert_int_equal(stream->mistakes, 0);
	stored = look_number(kit, "SELECT count(*) FROM notes");
	assert_true(stored >= stream->acknowledged);
	assert_true(stored <= stream->acknowledged + stream->unknown);
	assert_int_equal(stream->acknowledged + stream->unknown, 16 * 300);
	free(stream);
}

static void
survives_a_crash_of_the_server_under_load(void **state)
{
	struct kit *kit = *state;
	struct stream *stream;

	if (!cluster_is_ours())
		skip();
	stream = calloc(1, sizeof(*stream));
	assert_non_null(stream);
	make_sessions(kit, 4);
	stream_start(stream, kit, STREAM_SENDS, 16, 400);
	for (int i = 0; i < 3; i++) {
		await_progress(stream, 500);
		cluster_crash();
		cluster_revive();
	}
	stream_wait(stream);
	look_connect(kit);
	assert_int_equal(stream->mistakes, 0);
	assert_int_equal(stream->acknowledged, 16 * 400);
	assert_int_equal(look_number(kit, "SELECT count(*) FROM messages"), 16 * 400);
	assert_int_equal(look_number(kit, "SELECT sum(unread_r) FROM dm_sessions"), 16 * 400);
	free(stream);
}

static void
reads_through_lost_connections(void **state)
{
	struct kit *kit = *state;
	struct answer answers[20];

	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < 20; i++)
			ask(kit, (uint32_t)i % WORKERS, note(kit, NOTE_SLEEP),
			    CONVRO_ARGS(convro_i64(5)), &answers[i]);
		look_terminate(kit, "true");
		for (int i = 0; i < 20; i++) {
			answer_wait(&answers[i]);
			assert_int_equal(answers[i].status, CONVRO_OK);
			assert_int_equal(answers[i].rows, 1);
		}
	}
}

static void
says_not_sent_while_the_server_is_away_and_serves_when_it_is_back(void **state)
{
	struct kit *kit = *state;
	struct answer read_answer, write_answer;
	enum convro_status status;

	if (!cluster_is_ours())
		skip();
	add_note(kit, "before");
	cluster_crash();
	for (int i = 0; i < 3; i++) {
		ask(kit, 0, note(kit, NOTE_COUNT), CONVRO_NO_ARGS, &read_answer);
		ask(kit, 1, note(kit, NOTE_ADD), CONVRO_ARGS(text_val("away"), convro_null()),
		    &write_answer);
		answer_wait(&read_answer);
		answer_wait(&write_answer);
		assert_int_equal(read_answer.status, CONVRO_NOT_SENT);
		assert_int_equal(write_answer.status, CONVRO_NOT_SENT);
	}
	cluster_revive();
	look_connect(kit);
	do
		status = run(kit, note(kit, NOTE_ADD),
		    CONVRO_ARGS(text_val("after"), convro_null()), &write_answer);
	while (status == CONVRO_NOT_SENT);
	assert_int_equal(status, CONVRO_OK);
	do
		status = run(kit, note(kit, NOTE_COUNT), CONVRO_NO_ARGS, &read_answer);
	while (status == CONVRO_NOT_SENT);
	assert_int_equal(status, CONVRO_OK);
	assert_int_equal(read_answer.first[0].u.i, 2);
}

static void
stops_while_the_server_is_away(void **state)
{
	struct kit *kit = *state;
	struct answer answers[20];

	if (!cluster_is_ours())
		skip();
	cluster_crash();
	for (uint32_t i = 0; i < 20; i++)
		ask(kit, i % WORKERS, note(kit, i < 10 ? NOTE_COUNT : NOTE_BAD_CHECK),
		    CONVRO_NO_ARGS, &answers[i]);
	kit_stop(kit);
	for (uint32_t i = 0; i < 20; i++) {
		assert_int_equal(atomic_load(&answers[i].calls), 1);
		assert_int_equal(answers[i].status, CONVRO_NOT_SENT);
	}
	cluster_revive();
	look_connect(kit);
}

static void
writes_nothing_while_another_has_the_lock(void **state)
{
	struct kit *kit = *state;
	struct answer answer;
	enum convro_status status;

	add_note(kit, "ours");
	look_do(kit, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' "
		     "AND classid = 17232; SELECT pg_advisory_lock(17232, 0)");
	assert_int_equal(
	    run(kit, note(kit, NOTE_ADD), CONVRO_ARGS(text_val("theirs"), convro_null()), &answer),
	    CONVRO_NOT_SENT);
	assert_int_equal(count_notes(kit), 1); /* reading goes on */
	look_do(kit, "SELECT pg_advisory_unlock(17232, 0)");
	do
		status = run(kit, note(kit, NOTE_ADD),
		    CONVRO_ARGS(text_val("ours again"), convro_null()), &answer);
	while (status == CONVRO_NOT_SENT);
	assert_int_equal(status, CONVRO_OK);
	assert_int_equal(count_notes(kit), 2);
}

static void
prepares_again_what_the_server_forgot(void **state)
{
	struct kit *kit = *state;
	struct answer answer;

	add_note(kit, "one");
	/* What a statement gives back changes: the plan of the old connection is refused. */
	look_do(kit, "ALTER TABLE notes ALTER COLUMN name TYPE varchar COLLATE \"C\"");
	look_do(kit, "ALTER TABLE notes ALTER COLUMN name TYPE text COLLATE \"C\"");
	look_do(kit, "ALTER TABLE notes ADD COLUMN colour text");
	assert_int_equal(
	    run(kit, note(kit, NOTE_GET), CONVRO_ARGS(text_val("one")), &answer), CONVRO_OK);
	add_note(kit, "two");
	assert_int_equal(count_notes(kit), 2);
}

const struct CMUnitTest losses_tests[] = {
	on_a_server(loses_and_doubles_no_message_when_connections_are_cut),
	on_a_server(stores_what_is_not_idempotent_once_at_most),
	on_a_server(survives_a_crash_of_the_server_under_load),
	on_a_server(reads_through_lost_connections),
	on_a_server(says_not_sent_while_the_server_is_away_and_serves_when_it_is_back),
	on_a_server(stops_while_the_server_is_away),
	on_a_server(writes_nothing_while_another_has_the_lock),
	on_a_server(prepares_again_what_the_server_forgot),
};
const size_t losses_count = sizeof(losses_tests) / sizeof(losses_tests[0]);
