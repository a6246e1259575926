/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line: both spellings, and what is assumed.
 */
#include "options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above it. */
#include <cmocka.h>

static struct options options;

#define READ(...)                                                                                  \
	do {                                                                                       \
		char *argv[] = { "convro-load", __VA_ARGS__ };                                     \
		options_read((int)(sizeof(argv) / sizeof(*argv)), argv, &options);                 \
	} while (0)

static void
reads_both_spellings_of_an_option(void **state)
{
	(void)state;
	READ("send", "--url", "http://h:1", "--rate=12.5", "--users", "30", "--seconds=0.5");
	assert_string_equal(options.scenario, "send");
	assert_string_equal(options.url, "http://h:1");
	assert_true(options.rate > 12.4 && options.rate < 12.6);
	assert_true(options.seconds > 0.4 && options.seconds < 0.6);
	assert_int_equal(options.users, 30);
	assert_int_equal(options.sessions, 15);
	assert_null(options.secret);
}

static void
reads_lists_of_processes(void **state)
{
	(void)state;
	READ("--url=http://h:1", "me", "--server=10,11", "--database", "12");
	assert_int_equal(options.server.count, 2);
	assert_int_equal(options.server.pids[0], 10);
	assert_int_equal(options.server.pids[1], 11);
	assert_int_equal(options.database.count, 1);
	assert_int_equal(options.database.pids[0], 12);
}

static void
opens_no_more_sockets_for_push_than_it_is_told_to(void **state)
{
	(void)state;
	READ("push", "--url=http://h:1", "--users=100000");
	assert_int_equal(options.sessions, 1000);
	READ("push", "--url=http://h:1", "--users=100000", "--sessions=5000");
	assert_int_equal(options.sessions, 5000);
	READ("send", "--url=http://h:1", "--users=100000");
	assert_int_equal(options.sessions, 50000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_both_spellings_of_an_option),
		cmocka_unit_test(reads_lists_of_processes),
		cmocka_unit_test(opens_no_more_sockets_for_push_than_it_is_told_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
