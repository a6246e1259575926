/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arguments against the header of their statement: what fits is copied, what
 * does not is a module's bug and ends the process.
 */
#include "db/store.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const struct db_field fields[] = {
	{ .type = 'i' },
	{ .type = 's', .nullable = true },
	{ .type = 't' },
	{ .type = 'b', .array = true },
};

static const struct db_statement whole = {
	.name = "notes.whole", .sql = "SELECT 1", .args = fields, .arg_count = 4
};
static const struct db_statement merged = { .name = "notes.merged",
	.flags = CONVRO_DB_COALESCE,
	.sql = "SELECT 1",
	.args = fields,
	.arg_count = 4 };

static int
set_up(void **state)
{
	*state = arena_new(256);
	return *state != NULL ? 0 : -1;
}

static int
tear_down(void **state)
{
	arena_free(*state);
	return 0;
}

/* Whether the call ends the process. */
static bool
aborts(struct arena *arena, const struct db_statement *statement, struct convro_db_args args)
{
	const struct rlimit no_core = { 0, 0 };
	int status = 0;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		(void)setrlimit(RLIMIT_CORE, &no_core);
		(void)sigaction(SIGABRT, &(struct sigaction){ .sa_handler = SIG_DFL }, NULL);
		(void)close(STDERR_FILENO);
		(void)args_copy(arena, statement, args);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void
copies_what_fits(void **state)
{
	char text[] = "text";
	const struct convro_db_val items[] = { convro_blob("a", 1), convro_null() };
	const struct convro_db_val *copy = args_copy(*state, &whole,
	    CONVRO_ARGS(
		convro_i32(5), convro_i32(-1), convro_text_n(text, 4), convro_array(items, 2)));

	assert_non_null(copy);
	text[0] = 'x';
	assert_int_equal(copy[0].type, CONVRO_DB_I64); /* as declared */
	assert_int_equal(copy[0].u.i, 5);
	assert_int_equal(copy[1].u.i, -1);
	assert_string_equal(copy[2].u.text, "text");
	assert_int_equal(copy[3].len, 2);
	assert_ptr_not_equal(copy[3].u.array, items);
	assert_memory_equal(copy[3].u.array[0].u.p, "a", 1);
	assert_int_equal(copy[3].u.array[1].type, CONVRO_DB_NULL);
}

static void
takes_one_value_for_an_array_that_the_driver_merges(void **state)
{
	const struct convro_db_val one[] = { convro_blob("a", 1) };

	assert_non_null(args_copy(*state, &merged,
	    CONVRO_ARGS(convro_i64(5), convro_null(), convro_text_n("t", 1), convro_blob("a", 1))));
	assert_non_null(args_copy(*state, &merged,
	    CONVRO_ARGS(convro_i64(5), convro_null(), convro_text_n("t", 1), convro_null())));
	assert_true(aborts(*state, &merged,
	    CONVRO_ARGS(
		convro_i64(5), convro_null(), convro_text_n("t", 1), convro_array(one, 1))));
}

static void
ends_the_process_for_what_does_not_fit(void **state)
{
	const struct convro_db_val good[] = { convro_blob("a", 1) };
	const struct convro_db_val bad[] = { convro_i64(1) };
	const struct convro_db_val text = convro_text_n("t", 1);
	const struct convro_db_val list = convro_array(good, 1);

	assert_false(aborts(*state, &whole, CONVRO_ARGS(convro_i64(1), convro_null(), text, list)));
	assert_true(aborts(*state, &whole, CONVRO_ARGS(convro_i64(1), convro_null(), text)));
	assert_true(aborts(*state, &whole, CONVRO_ARGS(convro_null(), convro_null(), text, list)));
	assert_true(aborts(*state, &whole, CONVRO_ARGS(text, convro_null(), text, list)));
	assert_true(
	    aborts(*state, &whole, CONVRO_ARGS(convro_i64(1), convro_i32(40000), text, list)));
	assert_true(aborts(*state, &whole, CONVRO_ARGS(convro_i64(1), convro_i64(1), text, list)));
	assert_true(aborts(
	    *state, &whole, CONVRO_ARGS(convro_i64(1), convro_null(), convro_blob("b", 1), list)));
	assert_true(aborts(
	    *state, &whole, CONVRO_ARGS(convro_i64(1), convro_null(), text, convro_array(bad, 1))));
	assert_true(aborts(
	    *state, &whole, CONVRO_ARGS(convro_i64(1), convro_null(), text, convro_blob("b", 1))));
}

static void
looks_at_nothing_for_a_statement_that_the_engine_lacks(void **state)
{
	static const struct db_statement absent = { .name = "notes.absent" };

	assert_non_null(args_copy(*state, &absent, CONVRO_ARGS(convro_i64(1))));
	assert_non_null(args_copy(*state, &absent, CONVRO_NO_ARGS));
}

#define in_an_arena(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		in_an_arena(copies_what_fits),
		in_an_arena(takes_one_value_for_an_array_that_the_driver_merges),
		in_an_arena(ends_the_process_for_what_does_not_fit),
		in_an_arena(looks_at_nothing_for_a_statement_that_the_engine_lacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
