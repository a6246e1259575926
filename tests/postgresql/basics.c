/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Types, callbacks, reads, limits, and who may use a database.
 */
#include "kit.h"

static void
gives_back_each_type_as_declared(void **state)
{
	struct kit *kit = *state;
	struct answer answer;

	assert_int_equal(run(kit, note(kit, NOTE_TYPES),
			     CONVRO_ARGS(convro_i64(INT64_MIN), convro_i32(-7), convro_i32(-300),
				 convro_blob("\0\1", 2),
				 text_val("za\xc5\xbc\xc3\xb3\xc5\x82\xc4\x87"), convro_null()),
			     &answer),
	    CONVRO_OK);
	assert_int_equal(answer.rows, 1);
	assert_int_equal(answer.columns, 6);
	assert_int_equal(answer.first[0].type, CONVRO_DB_I64);
	assert_true(answer.first[0].u.i == INT64_MIN);
	assert_int_equal(answer.first[1].type, CONVRO_DB_I32);
	assert_true(answer.first[1].u.i == -7);
	assert_int_equal(answer.first[2].type, CONVRO_DB_I32);
	assert_true(answer.first[2].u.i == -300);
	assert_int_equal(answer.first[3].type, CONVRO_DB_BLOB);
	assert_int_equal(answer.first[3].len, 2);
	assert_memory_equal(answer.text[3], "\0\1", 2);
	assert_int_equal(answer.first[4].type, CONVRO_DB_TEXT);
	assert_string_equal(answer.text[4], "za\xc5\xbc\xc3\xb3\xc5\x82\xc4\x87");
	assert_int_equal(answer.first[5].type, CONVRO_DB_NULL);
}

static void
carries_arrays_of_each_type_with_nulls_in_them(void **state)
{
	struct kit *kit = *state;
	const struct convro_db_val wide[] = { convro_i64(INT64_MAX), convro_null() };
	const struct convro_db_val middle[] = { convro_null(), convro_i32(INT32_MIN) };
	const struct convro_db_val narrow[] = { convro_i32(-1), convro_null() };
	const struct convro_db_val blobs[] = { convro_blob("", 0), convro_null() };
	const struct convro_db_val texts[] = { text_val("one"), convro_null() };
	struct answer answer;

	assert_int_equal(
	    run(kit, note(kit, NOTE_LISTS),
		CONVRO_ARGS(convro_array(wide, 2), convro_array(middle, 2), convro_array(narrow, 2),
		    convro_array(blobs, 2), convro_array(texts, 2)),
		&answer),
	    CONVRO_OK);
	assert_int_equal(answer.rows, 2);
	assert_true(answer.numbers[0] == INT64_MAX);
	assert_true(answer.numbers[1] == INT64_MIN); /* NULL */
	assert_int_equal(answer.first[1].type, CONVRO_DB_NULL);
	assert_true(answer.first[2].u.i == -1);
	assert_int_equal(answer.first[3].type, CONVRO_DB_BLOB);
	assert_int_equal(answer.first[3].len, 0);
	assert_string_equal(answer.text[4], "one");
	assert_int_equal(
	    run(kit, note(kit, NOTE_LISTS),
		CONVRO_ARGS(convro_array(wide, 0), convro_array(middle, 0), convro_array(narrow, 0),
		    convro_array(blobs, 0), convro_array(texts, 0)),
		&answer),
	    CONVRO_OK);
	assert_int_equal(answer.rows, 0);
}

static void
keeps_an_empty_blob_apart_from_null(void **state)
{
	struct kit *kit = *state;
	struct answer answer;

	assert_int_equal(run(kit, note(kit, NOTE_ADD),
			     CONVRO_ARGS(text_val("empty"), convro_blob("", 0)), &answer),
	    CONVRO_OK);
	add_note(kit, "null");
	(void)run(kit, note(kit, NOTE_GET), CONVRO_ARGS(text_val("empty")), &answer);
	assert_int_equal(answer.first[1].type, CONVRO_DB_BLOB);
	assert_int_equal(answer.first[1].len, 0);
	(void)run(kit, note(kit, NOTE_GET), CONVRO_ARGS(text_val("null")), &answer);
	assert_int_equal(answer.first[1].type, CONVRO_DB_NULL);
}

static void
answers_once_and_never_within_the_call(void **state)
{
	struct kit *kit = *state;
	struct answer answer;

	add_note(kit, "first");
	assert_int_equal(
	    run(kit, note(kit, NOTE_ADD), CONVRO_ARGS(text_val("second"), convro_null()), &answer),
	    CONVRO_OK);
	assert_int_equal(answer.first[0].u.i, 2);
	assert_string_equal(answer.text[1], "second");
	assert_int_equal(answer.changed, 1);
	assert_false(answer.during_call);
	kit_stop(kit);
	assert_int_equal(atomic_load(&answer.calls), 1);
}

static void
gives_many_rows_in_their_order(void **state)
{
	struct kit *kit = *state;
	struct answer answer;

	assert_int_equal(
	    run(kit, note(kit, NOTE_MANY), CONVRO_ARGS(convro_i64(50000)), &answer), CONVRO_OK);
	assert_int_equal(answer.rows, 50000);
	assert_string_equal(answer.text[1], "row 1");
	assert_int_equal(answer.numbers[7], 8);
}

static void
skips_in_a_batch_what_the_engine_lacks(void **state)
{
	struct kit *kit = *state;
	const uint32_t both[] = { note(kit, NOTE_ELSEWHERE), note(kit, NOTE_COUNT),
		note(kit, NOTE_ELSEWHERE) };
	struct answer answer;

	ask_batch(kit, both, 3, CONVRO_NO_ARGS, &answer);
	answer_wait(&answer);
	assert_int_equal(answer.status, CONVRO_OK);
	assert_int_equal(answer.result_count, 3);
	assert_int_equal(answer.rows, 0); /* of the last */
	ask_batch(kit, both, 1, CONVRO_NO_ARGS, &answer);
	answer_wait(&answer);
	assert_int_equal(answer.status, CONVRO_OK);
}

static void
reads_several_statements_at_one_point_in_time(void **state)
{
	struct kit *kit = *state;
	const uint32_t calls[] = { note(kit, NOTE_COUNT), note(kit, NOTE_COUNT),
		note(kit, NOTE_COUNT) };
	struct answer answer;

	/* Rows are stored while the reads run; each read counts three times. */
	add_note(kit, "one");
	for (int i = 0; i < 50; i++) {
		char name[16];

		ask_batch(kit, calls, 3, CONVRO_NO_ARGS, &answer);
		(void)snprintf(name, sizeof(name), "%d", i);
		add_note(kit, name);
		answer_wait(&answer);
		assert_int_equal(answer.status, CONVRO_OK);
		assert_true(answer.of_result[0] == answer.of_result[1]);
		assert_true(answer.of_result[0] == answer.of_result[2]);
	}
}

static void
sees_what_was_acknowledged(void **state)
{
	struct kit *kit = *state;

	for (int i = 1; i <= 50; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "%d", i);
		add_note(kit, name);
		assert_int_equal(count_notes(kit), i);
	}
}

static void
makes_its_settings_on_every_connection(void **state)
{
	struct kit *kit = *state;
	struct answer answer;

	assert_int_equal(run(kit, note(kit, NOTE_SETTINGS), CONVRO_NO_ARGS, &answer), CONVRO_OK);
	assert_int_equal(answer.first[0].u.i, 11);
	assert_int_equal(
	    run(kit, note(kit, NOTE_WRITER_SETTINGS), CONVRO_NO_ARGS, &answer), CONVRO_OK);
	assert_int_equal(answer.first[0].u.i, 4);
}

static void
says_what_failed(void **state)
{
	struct kit *kit = *state;
	struct answer answer;

	add_note(kit, "same");
	assert_int_equal(
	    run(kit, note(kit, NOTE_ADD), CONVRO_ARGS(text_val("same"), convro_null()), &answer),
	    CONVRO_CONFLICT);
	assert_int_equal(answer.result_count, 0);
	assert_int_equal(
	    run(kit, note(kit, NOTE_BAD_CHECK), CONVRO_NO_ARGS, &answer), CONVRO_FAILED);
	assert_int_equal(
	    run(kit, note(kit, NOTE_ADD), CONVRO_ARGS(text_val("\xff"), convro_null()), &answer),
	    CONVRO_FAILED);
	assert_int_equal(
	    run(kit, note(kit, NOTE_GET), CONVRO_ARGS(text_val("\xff")), &answer), CONVRO_FAILED);
	assert_int_equal(count_notes(kit), 1);
}

/* Those of one turn share a transaction. */
static void
a_read_that_fails_takes_no_other_with_it(void **state)
{
	enum { READS = 40 };
	static struct answer answers[READS];
	struct convro_db_val names[READS];
	struct kit *kit = *state;

	add_note(kit, "there");
	for (uint32_t i = 0; i < READS; i++)
		names[i] =
		    i == 0 || i == 7 || i == 8 || i == 39 ? text_val("\xff") : text_val("there");
	names[20] = text_val("nowhere");
	ask_together(kit, note(kit, NOTE_GET), names, READS, answers);
	for (uint32_t i = 0; i < READS; i++) {
		bool is_bad = i == 0 || i == 7 || i == 8 || i == 39;

		answer_wait(&answers[i]);
		assert_int_equal(answers[i].status, is_bad ? CONVRO_FAILED : CONVRO_OK);
		assert_int_equal(answers[i].rows, is_bad || i == 20 ? 0 : 1);
	}
	kit_stop(kit);
	for (uint32_t i = 0; i < READS; i++)
		assert_int_equal(atomic_load(&answers[i].calls), 1);
}

static void
gives_up_a_read_at_its_deadline_and_serves_the_next(void **state)
{
	struct kit *kit = *state;
	struct answer answer;

	ask_until(kit, note(kit, NOTE_SLEEP), CONVRO_ARGS(convro_i64(4000)), clock_mono_ms() + 50,
	    &answer);
	answer_wait(&answer);
	assert_int_equal(answer.status, CONVRO_TIMEOUT);
	assert_int_equal(count_notes(kit), 0);
	assert_int_equal(atomic_load(&answer.calls), 1);
}

static void
ends_a_read_that_takes_too_long(void **state)
{
	struct kit *kit = *state;
	struct answer answer;

	assert_int_equal(run(kit, note(kit, NOTE_SLEEP), CONVRO_ARGS(convro_i64(60000)), &answer),
	    CONVRO_TIMEOUT);
	assert_int_equal(count_notes(kit), 0);
}

static void
refuses_reads_beyond_its_bound_and_answers_all_at_the_end(void **state)
{
	struct kit *kit = *state;
	enum { ASKED = QUEUE_MAX + 20 };
	struct answer *answers = calloc(ASKED, sizeof(*answers));
	uint32_t overload = 0, not_sent = 0, good = 0;

	assert_non_null(answers);
	for (uint32_t i = 0; i < ASKED; i++)
		ask(kit, 0, note(kit, NOTE_SLEEP), CONVRO_ARGS(convro_i64(300)), &answers[i]);
	answer_wait(&answers[0]);
	kit_stop(kit);
	for (uint32_t i = 0; i < ASKED; i++) {
		assert_int_equal(atomic_load(&answers[i].calls), 1);
		overload += answers[i].status == CONVRO_OVERLOAD;
		not_sent += answers[i].status == CONVRO_NOT_SENT;
		good += answers[i].status == CONVRO_OK;
	}
	assert_int_equal(overload, 20);
	assert_true(good >= 1 && not_sent >= 1);
	assert_int_equal(good + not_sent, QUEUE_MAX);
	free(answers);
}

/* --- who may use a database --- */

static void
refuses_a_second_server_on_the_same_database(void **state)
{
	struct kit *kit = *state;
	const struct db_driver *driver = kit->server.db->driver;
	struct db_env env = kit->server.db->env;

	assert_null(driver->open(&env));
	kit_stop(kit);
	kit_start(kit);
	add_note(kit, "ours again");
}

static char logged[4096];

static void log_kept(enum convro_log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
log_kept(enum convro_log_level level, const char *format, ...)
{
	size_t used = strlen(logged);
	va_list args;

	(void)level;
	va_start(args, format);
	(void)vsnprintf(logged + used, sizeof(logged) - used, format, args);
	va_end(args);
}

static void
never_logs_the_password_of_an_address(void **state)
{
	static const char *const urls[] = { "postgresql://me:sesame@[::1/x",
		"postgresql://me:sesame%zz@localhost/x", "host=/nowhere user=me password=sesame",
		"host=/nowhere user=me password='sesame", "host=/nowhere sesame=sesame", "" };
	struct kit *kit = *state;
	struct db_env env = kit->server.db->env;

	env.log = log_kept;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		logged[0] = '\0';
		env.url = urls[i];
		assert_null(kit->server.db->driver->open(&env));
		assert_true(logged[0] != '\0');
		assert_null(strstr(logged, "sesame"));
	}
}

/* --- the start --- */

static const struct db_field one_int[] = { { .type = 'i' } }, one_text[] = { { .type = 't' } };

static void
names_each_statement_that_does_not_fit_its_header(void **state)
{
	static const struct db_statement statements[] = {
		{ .number = 0,
		    .name = "t.good",
		    .sql = "SELECT $1",
		    .args = one_int,
		    .arg_count = 1,
		    .columns = one_int,
		    .column_count = 1 },
		{ .number = 1,
		    .name = "t.type",
		    .sql = "SELECT $1",
		    .args = one_int,
		    .arg_count = 1,
		    .columns = one_text,
		    .column_count = 1 },
		{ .number = 2,
		    .name = "t.more",
		    .sql = "SELECT $1, 1::int8",
		    .args = one_int,
		    .arg_count = 1,
		    .columns = one_int,
		    .column_count = 1 },
		{ .number = 3,
		    .name = "t.args",
		    .sql = "SELECT $1 + $2",
		    .args = one_int,
		    .arg_count = 1,
		    .columns = one_int,
		    .column_count = 1 },
		{ .number = 4, .name = "t.syntax", .sql = "SELECT FROM WHERE", .column_count = 0 },
		{ .number = 5, .name = "t.nowhere", .sql = NULL },
	};
	struct kit *kit = *state;
	const struct db_driver *driver;
	struct db_state *db;
	struct db_env env;

	kit_start(kit);
	driver = kit->server.db->driver;
	env = kit->server.db->env;
	kit_stop(kit);
	env.url = kit_conninfo;
	env.log = log_kept;
	logged[0] = '\0';
	db = driver->open(&env);
	assert_non_null(db);
	assert_int_equal(driver->start(db, statements, 6), -1);
	driver->close(db);
	assert_null(strstr(logged, "t.good"));
	assert_non_null(strstr(logged, "t.type"));
	assert_non_null(strstr(logged, "t.more"));
	assert_non_null(strstr(logged, "t.args"));
	assert_non_null(strstr(logged, "t.syntax"));
	assert_null(strstr(logged, "t.nowhere"));
}

static void
migrates_whole_or_not_at_all(void **state)
{
	struct kit *kit = *state;
	const struct db_driver *driver;
	struct db_state *db;

	kit->server.db = db_open(&kit->server);
	assert_non_null(kit->server.db);
	driver = kit->server.db->driver;
	db = kit->server.db->state;
	assert_int_equal(db_migrate(kit->server.db), 0);
	assert_int_equal(db_migrate(kit->server.db), 0); /* nothing left to do */
	assert_int_equal(driver->migrate_begin(db), 0);
	assert_int_equal(driver->migrate(db, &(struct db_script){ .name = "half",
						 .sql = "CREATE TABLE half(a int); SELECT 1/0" }),
	    -1);
	assert_int_equal(
	    look_number(kit, "SELECT count(*) FROM pg_class WHERE relname = 'half'"), 0);
	assert_int_equal(
	    driver->migrate(db, &(struct db_script){ .name = "outside",
				    .no_transaction = true,
				    .sql = "DROP INDEX IF EXISTS notes_body; -- it's; fine\n"
					   "CREATE INDEX CONCURRENTLY notes_body ON notes(body);\n"
					   "DO $a$ BEGIN PERFORM ';'; END $a$;" }),
	    0);
	assert_int_equal(
	    look_number(kit, "SELECT count(*) FROM pg_class WHERE relname = 'notes_body'"), 1);
	assert_int_equal(
	    look_number(kit, "SELECT count(*) FROM pg_locks WHERE classid = 17231"), 1);
	driver->migrate_end(db);
	while (look_number(kit, "SELECT count(*) FROM pg_locks WHERE classid = 17231") != 0)
		continue;
}

const struct CMUnitTest basics_tests[] = {
	on_a_server(gives_back_each_type_as_declared),
	on_a_server(carries_arrays_of_each_type_with_nulls_in_them),
	on_a_server(keeps_an_empty_blob_apart_from_null),
	on_a_server(answers_once_and_never_within_the_call),
	on_a_server(gives_many_rows_in_their_order),
	on_a_server(skips_in_a_batch_what_the_engine_lacks),
	on_a_server(reads_several_statements_at_one_point_in_time),
	on_a_server(sees_what_was_acknowledged),
	on_a_server(makes_its_settings_on_every_connection),
	on_a_server(says_what_failed),
	on_a_server(a_read_that_fails_takes_no_other_with_it),
	on_a_server(gives_up_a_read_at_its_deadline_and_serves_the_next),
	on_a_server(ends_a_read_that_takes_too_long),
	on_a_server(refuses_reads_beyond_its_bound_and_answers_all_at_the_end),
	on_a_server(refuses_a_second_server_on_the_same_database),
	on_a_server(never_logs_the_password_of_an_address),
	before_a_server(names_each_statement_that_does_not_fit_its_header),
	before_a_server(migrates_whole_or_not_at_all),
};
const size_t basics_count = sizeof(basics_tests) / sizeof(basics_tests[0]);
