/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/log/line.c: how a line looks, and that no input can forge one.
 */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include "log/line.h"

#include <string.h>

#define TIME INT64_C(1769862896000000) /* 2026-01-31T12:34:56.000Z */

static const struct log_origin origin = { "auth", "r-1" };

static void
assert_line(enum log_form form, enum convro_log_level level, const struct log_origin *from,
    const char *message, const char *expected)
{
	char out[LOG_LINE_MAX + 1];
	size_t len = log_line(form, level, TIME, from, message, out);

	out[len] = '\0';
	assert_string_equal(out, expected);
}

static void
lays_out_text(void **state)
{
	const struct log_origin no_request = { "auth", NULL };

	(void)state;
	assert_line(LOG_TEXT, CONVRO_LOG_INFO, &origin, "token refused",
	    "2026-01-31T12:34:56.000Z info    auth: token refused request=r-1\n");
	assert_line(LOG_TEXT, CONVRO_LOG_WARNING, &no_request, "late",
	    "2026-01-31T12:34:56.000Z warning auth: late\n");
	assert_line(LOG_TEXT, CONVRO_LOG_ERROR, NULL, "", "2026-01-31T12:34:56.000Z error   \n");
	assert_line(LOG_TEXT, CONVRO_LOG_DEBUG, NULL, "\xc5\xbc\xc3\xb3\xc5\x82w",
	    "2026-01-31T12:34:56.000Z debug   \xc5\xbc\xc3\xb3\xc5\x82w\n");
}

static void
lays_out_json(void **state)
{
	(void)state;
	assert_line(LOG_JSON, CONVRO_LOG_ERROR, &origin, "say \"so\"",
	    "{\"time\":\"2026-01-31T12:34:56.000Z\",\"level\":\"error\",\"module\":\"auth\","
	    "\"request\":\"r-1\",\"message\":\"say \\\"so\\\"\"}\n");
	assert_line(LOG_JSON, CONVRO_LOG_INFO, NULL, "",
	    "{\"time\":\"2026-01-31T12:34:56.000Z\",\"level\":\"info\",\"message\":\"\"}\n");
}

static void
tells_the_journal_the_priority_and_leaves_the_time_to_it(void **state)
{
	(void)state;
	assert_line(LOG_JOURNAL_TEXT, CONVRO_LOG_ERROR, &origin, "x", "<3>auth: x request=r-1\n");
	assert_line(LOG_JOURNAL_TEXT, CONVRO_LOG_WARNING, NULL, "x", "<4>x\n");
	assert_line(LOG_JOURNAL_TEXT, CONVRO_LOG_INFO, NULL, "x", "<6>x\n");
	assert_line(LOG_JOURNAL_JSON, CONVRO_LOG_DEBUG, NULL, "x",
	    "<7>{\"time\":\"2026-01-31T12:34:56.000Z\",\"level\":\"debug\",\"message\":\"x\"}\n");
}

static void
takes_a_level_it_does_not_know_for_the_least(void **state)
{
	(void)state;
	assert_line(LOG_JOURNAL_TEXT, (enum convro_log_level)9, NULL, "x", "<7>x\n");
}

static void
escapes_what_could_forge_a_line(void **state)
{
	const struct log_origin evil = { "a\nb", "r\n<3>x" };

	(void)state;
	assert_line(LOG_JOURNAL_TEXT, CONVRO_LOG_INFO, &evil, "one\ntwo\r\x1b[31m\x7f\t\\n",
	    "<6>a\\nb: one\\ntwo\\x0d\\x1b[31m\\x7f\\x09\\\\n request=r\\n<3>x\n");
	/* C1 controls, separators, a turn of direction, a byte order mark. */
	assert_line(LOG_JOURNAL_TEXT, CONVRO_LOG_INFO, NULL,
	    "\xc2\x9b|\xe2\x80\xa8|\xe2\x80\xae|\xe2\x81\xa6|\xef\xbb\xbf",
	    "<6>\\xc2\\x9b|\\xe2\\x80\\xa8|\\xe2\\x80\\xae|\\xe2\\x81\\xa6|\\xef\\xbb\\xbf\n");
	/* Not UTF-8: alone, cut short, overlong, a surrogate. */
	assert_line(LOG_JOURNAL_TEXT, CONVRO_LOG_INFO, NULL, "\xff|\xc3|\xc0\x8a|\xed\xa0\x80|",
	    "<6>\\xff|\\xc3|\\xc0\\x8a|\\xed\\xa0\\x80|\n");
}

static void
escapes_in_json_as_json_does(void **state)
{
	const struct log_origin evil = { "a\"b", "r\n" };

	(void)state;
	assert_line(LOG_JSON, CONVRO_LOG_INFO, &evil,
	    "\n\\\"\x7f\xe2\x80\xae\xef\xbb\xbf\xff"
	    "z",
	    "{\"time\":\"2026-01-31T12:34:56.000Z\",\"level\":\"info\",\"module\":\"a\\\"b\","
	    "\"request\":\"r\\u000a\","
	    "\"message\":\"\\u000a\\\\\\\"\\u007f\\u202e\\ufeff\\ufffdz\"}\n");
}

/* A long message of one repeated text, and how its line ends. */
static void
assert_cut(enum log_form form, const char *piece, const char *ending)
{
	char message[5000] = "", out[LOG_LINE_MAX + 1];
	size_t len, at = 0, step = strlen(piece);

	for (; at + step < sizeof(message); at += step)
		memcpy(message + at, piece, step);
	message[at] = '\0';
	len = log_line(form, CONVRO_LOG_INFO, TIME, &origin, message, out);
	assert_in_range(len, 1500, LOG_LINE_MAX);
	out[len] = '\0';
	assert_ptr_equal(strchr(out, '\n'), out + len - 1);
	assert_string_equal(out + len - strlen(ending), ending);
}

static void
cuts_a_long_message_but_never_the_end_of_its_line(void **state)
{
	(void)state;
	assert_cut(LOG_TEXT, "x", "x... request=r-1\n");
	assert_cut(LOG_TEXT, "\xc3\xb3", "\xc3\xb3... request=r-1\n");
	assert_cut(LOG_TEXT, "\x01", "\\x01... request=r-1\n");
	assert_cut(LOG_JSON, "x", "x...\"}\n");
	assert_cut(LOG_JSON, "\"", "\\\"...\"}\n");
	assert_cut(LOG_JOURNAL_JSON, "\x01", "\\u0001...\"}\n");
}

static void
has_room_for_the_longest_origin(void **state)
{
	char id[200], message[3000], out[LOG_LINE_MAX + 1];
	const struct log_origin longest = { id, id };
	size_t len;

	(void)state;
	memset(id, '\x01', sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	memset(message, 'x', sizeof(message) - 1);
	message[sizeof(message) - 1] = '\0';
	len = log_line(LOG_TEXT, CONVRO_LOG_INFO, TIME, &longest, message, out);
	out[len] = '\0';
	assert_non_null(strstr(out, "... request=\\x01"));
	assert_string_equal(out + len - 5, "\\x01\n");
	len = log_line(LOG_JSON, CONVRO_LOG_INFO, TIME, &longest, message, out);
	out[len] = '\0';
	assert_string_equal(out + len - 6, "...\"}\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lays_out_text),
		cmocka_unit_test(lays_out_json),
		cmocka_unit_test(tells_the_journal_the_priority_and_leaves_the_time_to_it),
		cmocka_unit_test(takes_a_level_it_does_not_know_for_the_least),
		cmocka_unit_test(escapes_what_could_forge_a_line),
		cmocka_unit_test(escapes_in_json_as_json_does),
		cmocka_unit_test(cuts_a_long_message_but_never_the_end_of_its_line),
		cmocka_unit_test(has_room_for_the_longest_origin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
