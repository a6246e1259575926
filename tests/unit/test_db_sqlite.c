/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SQLite driver behind the group table, on real files: types, callbacks,
 * requests that fail alone, and trouble.  Groups: test_db_sqlite_order.c; the
 * file itself: test_db_sqlite_file.c.
 */
#include "db_store.h"

#include <signal.h>
#include <sys/resource.h>

static void
gives_back_each_type_as_declared(void **state)
{
	const struct convro_db_val list[] = { convro_i64(1), convro_i64(2) };
	struct answer answer;

	assert_int_equal(
	    run(*state, NOTE_TYPES,
		CONVRO_ARGS(convro_i64(INT64_MIN), convro_i32(-7), convro_i32(300),
		    convro_blob("\0\1", 2), text_val("za\xc5\xbc\xc3\xb3\xc5\x82\xc4\x87"),
		    convro_null(), convro_array(list, 2)),
		&answer),
	    CONVRO_OK);
	assert_int_equal(answer.rows, 1);
	assert_int_equal(answer.columns, 7);
	assert_int_equal(answer.first[0].type, CONVRO_DB_I64);
	assert_true(answer.first[0].u.i == INT64_MIN);
	assert_int_equal(answer.first[1].type, CONVRO_DB_I32);
	assert_int_equal(answer.first[1].u.i, -7);
	assert_int_equal(answer.first[2].type, CONVRO_DB_I32);
	assert_int_equal(answer.first[2].u.i, 300);
	assert_int_equal(answer.first[3].type, CONVRO_DB_BLOB);
	assert_int_equal(answer.first[3].len, 2);
	assert_memory_equal(answer.text[3], "\0\1", 2);
	assert_int_equal(answer.first[4].type, CONVRO_DB_TEXT);
	assert_string_equal(answer.text[4], "za\xc5\xbc\xc3\xb3\xc5\x82\xc4\x87");
	assert_int_equal(answer.first[5].type, CONVRO_DB_NULL);
	assert_true(answer.first[6].u.i == INT64_MIN);
}

static void
keeps_an_empty_blob_apart_from_null(void **state)
{
	struct answer answer;

	assert_int_equal(
	    run(*state, NOTE_ADD, CONVRO_ARGS(text_val("empty"), convro_blob("", 0)), &answer),
	    CONVRO_OK);
	add(*state, "null");
	assert_int_equal(run(*state, NOTE_GET, CONVRO_ARGS(text_val("empty")), &answer), CONVRO_OK);
	assert_int_equal(answer.first[1].type, CONVRO_DB_BLOB);
	assert_int_equal(answer.first[1].len, 0);
	assert_int_equal(run(*state, NOTE_GET, CONVRO_ARGS(text_val("null")), &answer), CONVRO_OK);
	assert_int_equal(answer.first[1].type, CONVRO_DB_NULL);
}

static void
answers_once_and_never_within_the_call(void **state)
{
	struct store *store = *state;
	struct answer answer;

	add(store, "first");
	assert_int_equal(
	    run(store, NOTE_ADD, CONVRO_ARGS(text_val("second"), convro_null()), &answer),
	    CONVRO_OK);
	assert_int_equal(answer.first[0].u.i, 2);
	assert_string_equal(answer.text[1], "second");
	assert_int_equal(answer.changed, 1);
	assert_false(answer.during_call);
	assert_true(answer.group > 0);
	assert_int_equal(run(store, NOTE_COUNT, CONVRO_NO_ARGS, &answer), CONVRO_OK);
	assert_int_equal(answer.group, 0); /* a read is in no commit */
	store_stop(store);
	assert_int_equal(atomic_load(&answer.calls), 1);
}

static void
gives_many_rows_in_their_order(void **state)
{
	struct answer answer;

	assert_int_equal(run(*state, NOTE_MANY, CONVRO_ARGS(convro_i64(5000)), &answer), CONVRO_OK);
	assert_int_equal(answer.rows, 5000);
	assert_string_equal(answer.text[1], "row 1");
}

static void
skips_in_a_batch_what_the_engine_lacks(void **state)
{
	static const uint32_t both[] = { NOTE_ELSEWHERE, NOTE_COUNT, NOTE_ELSEWHERE };
	struct answer answer;
	struct call call = { .store = *state,
		.answer = &answer,
		.statements = both,
		.count = 3,
		.args = CONVRO_NO_ARGS };

	answer_init(&answer);
	(void)workers_each(call.store->server.workers, 1, call_on_worker, &call);
	answer_wait(&answer);
	assert_int_equal(answer.status, CONVRO_OK);
	assert_int_equal(answer.result_count, 3);
	assert_int_equal(answer.rows, 0); /* of the last */
}

static void
has_nothing_to_do_for_an_empty_batch(void **state)
{
	struct answer answer;
	struct call call = { .store = *state, .answer = &answer, .statements = (uint32_t[]){ 0 } };

	answer_init(&answer);
	(void)workers_each(call.store->server.workers, 1, call_on_worker, &call);
	answer_wait(&answer);
	assert_int_equal(answer.status, CONVRO_OK);
	assert_int_equal(answer.result_count, 0);
	assert_false(answer.during_call);
}

static void
reads_several_statements_at_one_point_in_time(void **state)
{
	static const uint32_t twice[] = { NOTE_COUNT, NOTE_COUNT };
	struct answer answer;
	struct call call = { .store = *state, .answer = &answer, .statements = twice, .count = 2 };

	add(*state, "one");
	answer_init(&answer);
	(void)workers_each(call.store->server.workers, 1, call_on_worker, &call);
	answer_wait(&answer);
	assert_int_equal(answer.status, CONVRO_OK);
	assert_int_equal(answer.result_count, 2);
	assert_int_equal(answer.first[0].u.i, 1);
}

static void
says_conflict_for_a_name_that_is_taken(void **state)
{
	struct answer answer;

	add(*state, "same");
	assert_int_equal(
	    run(*state, NOTE_ADD, CONVRO_ARGS(text_val("same"), convro_null()), &answer),
	    CONVRO_CONFLICT);
	assert_int_equal(answer.result_count, 0);
	assert_int_equal(answer.group, 0);
	assert_int_equal(count_notes(*state), 1);
}

static void
says_failed_for_a_broken_rule_of_the_schema(void **state)
{
	struct answer answer;

	assert_int_equal(run(*state, NOTE_BAD_CHECK, CONVRO_NO_ARGS, &answer), CONVRO_FAILED);
}

static void
undoes_the_whole_request_that_fails(void **state)
{
	struct answer answer;

	add(*state, "taken");
	/* The second statement of the text fails; the first, which stores "new", is undone. */
	assert_int_equal(
	    run(*state, NOTE_PAIR, CONVRO_ARGS(text_val("taken"), text_val("new")), &answer),
	    CONVRO_CONFLICT);
	assert_int_equal(count_notes(*state), 1);
	assert_int_equal(
	    run(*state, NOTE_PAIR, CONVRO_ARGS(text_val("last"), text_val("new")), &answer),
	    CONVRO_OK);
	assert_string_equal(answer.text[0], "last");
	assert_int_equal(answer.changed, 2);
	assert_int_equal(count_notes(*state), 3);
}

static void
undoes_a_batch_as_a_whole(void **state)
{
	static const uint32_t twice[] = { NOTE_ADD, NOTE_ADD };
	struct answer answer;
	struct call call = { .store = *state,
		.answer = &answer,
		.statements = twice,
		.count = 2,
		.args = CONVRO_ARGS(text_val("twin"), convro_null()) };

	answer_init(&answer);
	(void)workers_each(call.store->server.workers, 1, call_on_worker, &call);
	answer_wait(&answer);
	assert_int_equal(answer.status, CONVRO_CONFLICT);
	assert_int_equal(answer.result_count, 0);
	assert_int_equal(count_notes(*state), 0);
}

/* --- trouble --- */

static void
recovers_from_a_disk_that_takes_nothing(void **state)
{
	struct store *store = *state;
	struct rlimit before, none;
	struct answer answer;

	add(store, "before");
	(void)sigaction(SIGXFSZ, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	none = before;
	none.rlim_cur = 1;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	ask(store, 0, NOTE_ADD, CONVRO_ARGS(text_val("during"), convro_null()), &answer);
	answer_wait(&answer);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(answer.status, CONVRO_RETRY);
	add(store, "after");
	assert_int_equal(count_notes(store), 2);
}

static void
ends_a_read_at_its_deadline(void **state)
{
	struct answer answer;
	struct call call = { .store = *state,
		.answer = &answer,
		.statement = NOTE_FOREVER,
		.args = CONVRO_NO_ARGS,
		.deadline_ms = clock_mono_ms() + 50 };

	answer_init(&answer);
	(void)workers_each(call.store->server.workers, 1, call_on_worker, &call);
	answer_wait(&answer);
	assert_int_equal(answer.status, CONVRO_TIMEOUT);
}

static int
ping_on_worker(struct worker *worker, void *arg)
{
	struct call *call = arg;
	struct convro_ctx *ctx = ctx_new(worker, &call->store->notes);

	MUST(ctx != NULL);
	ctx->deadline_ms = call->deadline_ms;
	db_table.ping(ctx, answered, call->answer);
	ctx_unref(ctx);
	return 0;
}

static void
answers_a_ping_whatever_the_deadline_of_its_context(void **state)
{
	struct answer answer;
	struct call call = { .store = *state, .answer = &answer, .deadline_ms = 1 };

	answer_init(&answer);
	(void)workers_each(call.store->server.workers, 1, ping_on_worker, &call);
	answer_wait(&answer);
	assert_int_equal(answer.status, CONVRO_OK);
	assert_int_equal(answer.rows, 1);
	store_stop(*state);
	assert_int_equal(atomic_load(&answer.calls), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		on_a_store(gives_back_each_type_as_declared),
		on_a_store(keeps_an_empty_blob_apart_from_null),
		on_a_store(answers_once_and_never_within_the_call),
		on_a_store(gives_many_rows_in_their_order),
		on_a_store(skips_in_a_batch_what_the_engine_lacks),
		on_a_store(has_nothing_to_do_for_an_empty_batch),
		on_a_store(reads_several_statements_at_one_point_in_time),
		on_a_store(says_conflict_for_a_name_that_is_taken),
		on_a_store(says_failed_for_a_broken_rule_of_the_schema),
		on_a_store(undoes_the_whole_request_that_fails),
		on_a_store(undoes_a_batch_as_a_whole),
		on_a_store(recovers_from_a_disk_that_takes_nothing),
		on_a_store(ends_a_read_at_its_deadline),
		on_a_store(answers_a_ping_whatever_the_deadline_of_its_context),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
