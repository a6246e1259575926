/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/isotime: date-times without libc's time zones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/isotime.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define DAY INT64_C(86400000000)

static bool
means(const char *text, int64_t us)
{
	int64_t got;

	return isotime_parse(text, strlen(text), &got) == 0 && got == us;
}

static bool
is_refused(const char *text)
{
	int64_t got;

	return isotime_parse(text, strlen(text), &got) == -1;
}

static void
says(int64_t us, const char *expected)
{
	char text[ISOTIME_LEN + 1] = { 0 };

	isotime_format(us, text);
	assert_string_equal(text, expected);
}

static void
writes_milliseconds_and_z(void **state)
{
	(void)state;
	says(0, "1970-01-01T00:00:00.000Z");
	says(INT64_C(1769862896000000), "2026-01-31T12:34:56.000Z");
	says(INT64_C(1769862896123999), "2026-01-31T12:34:56.123Z");
	says(-1, "1969-12-31T23:59:59.999Z");
	says(-DAY, "1969-12-31T00:00:00.000Z");
	says(INT64_C(951782400000000), "2000-02-29T00:00:00.000Z");
	says(ISOTIME_MIN, "0000-01-01T00:00:00.000Z");
	says(ISOTIME_MAX, "9999-12-31T23:59:59.999Z");
}

static void
writes_the_nearer_end_for_a_time_out_of_range(void **state)
{
	(void)state;
	says(INT64_MIN, "0000-01-01T00:00:00.000Z");
	says(INT64_MAX, "9999-12-31T23:59:59.999Z");
}

static void
writes_seconds_alone(void **state)
{
	char text[ISOTIME_S_LEN + 1] = { 0 };

	(void)state;
	isotime_format_s(INT64_C(1769862896999999), text);
	assert_string_equal(text, "2026-01-31T12:34:56Z");
}

/* Against a calendar that counts day by day. */
static void
knows_every_day_of_ten_thousand_years(void **state)
{
	static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int64_t us = ISOTIME_MIN;

	(void)state;
	for (int year = 0; year <= 9999; year++) {
		bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

		for (int month = 1; month <= 12; month++) {
			int days = lengths[month - 1] + (month == 2 && leap);

			for (int day = 1; day <= days; day++, us += DAY) {
				char text[] = "0000-00-00T00:00:00.000Z", got[ISOTIME_LEN];
				int64_t back;

				for (int i = 3, rest = year; i >= 0; i--, rest /= 10)
					text[i] = (char)('0' + rest % 10);
				text[5] = (char)('0' + month / 10);
				text[6] = (char)('0' + month % 10);
				text[8] = (char)('0' + day / 10);
				text[9] = (char)('0' + day % 10);
				isotime_format(us, got);
				if (memcmp(got, text, sizeof got) != 0)
					fail_msg("%.24s instead of %s", got, text);
				if (isotime_parse(text, 24, &back) != 0 || back != us)
					fail_msg("%s was misread", text);
			}
		}
	}
	assert_true(us == ISOTIME_MAX + 1);
}

static void
reads_fractions_and_offsets(void **state)
{
	const int64_t us = INT64_C(1769862896000000);

	(void)state;
	assert_true(means("2026-01-31T12:34:56Z", us));
	assert_true(means("2026-01-31T12:34:56.1Z", us + 100000));
	assert_true(means("2026-01-31T12:34:56.123456Z", us + 123456));
	assert_true(means("2026-01-31T12:34:56.123456999Z", us + 123456));
	assert_true(means("2026-01-31T12:34:56.000000001Z", us));
	assert_true(means("2026-01-31T13:34:56+01:00", us));
	assert_true(means("2026-01-31T07:04:56.5-05:30", us + 500000));
	assert_true(means("2026-02-01T12:33:56+23:59", us));
	assert_true(means("2026-01-31T12:34:56-00:00", us));
	assert_true(means("1969-12-31T23:59:59.999999Z", -1));
}

static void
refuses_what_is_malformed(void **state)
{
	static const char *const texts[] = { "", "2026-01-31", "2026-01-31T12:34:56",
		"2026-01-31T12:34Z", "2026-01-31 12:34:56Z", "2026-01-31t12:34:56Z",
		"2026-01-31T12:34:56z", "2026-01-31T12:34:56.Z", "2026-01-31T12:34:56.1234567890Z",
		"2026-01-31T12:34:56,1Z", "2026-01-31T12:34:56.1", "2026-01-31T12:34:56ZZ",
		"2026-01-31T12:34:56Z ", " 2026-01-31T12:34:56Z", "2026-01-31T12:34:56+0100",
		"2026-01-31T12:34:56+01", "2026-01-31T12:34:56+1:00", "2026-01-31T12:34:56+01:60",
		"2026-01-31T12:34:56+24:00", "2026-01-31T12:34:56+01:000", "2026-1-31T12:34:56Z",
		"02026-01-31T12:34:56Z", "-026-01-31T12:34:56Z", "+026-01-31T12:34:56Z",
		"2026/01/31T12:34:56Z", "2026-01-31T12.34.56Z", "2026-01-31T1a:34:56Z",
		"20260131T123456Z0000", "2026-W05-6T12:34:56Z" };

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (!is_refused(texts[i]))
			fail_msg("\"%s\" was accepted", texts[i]);
}

static void
refuses_times_that_do_not_exist(void **state)
{
	static const char *const texts[] = { "2026-00-10T00:00:00Z", "2026-13-10T00:00:00Z",
		"2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z", "2026-04-31T00:00:00Z",
		"2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2100-02-29T00:00:00Z",
		"2024-02-30T00:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31T23:60:00Z",
		"2016-12-31T23:59:60Z" };

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (!is_refused(texts[i]))
			fail_msg("\"%s\" was accepted", texts[i]);
	assert_true(means("2000-02-29T00:00:00Z", INT64_C(951782400000000)));
}

static void
refuses_an_offset_that_leaves_the_four_digit_years(void **state)
{
	(void)state;
	assert_true(is_refused("0000-01-01T00:00:00+00:01"));
	assert_true(means("0000-01-01T00:00:00Z", ISOTIME_MIN));
	assert_true(is_refused("9999-12-31T23:59:59-00:01"));
	assert_true(means("9999-12-31T23:59:59.999999Z", ISOTIME_MAX));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_milliseconds_and_z),
		cmocka_unit_test(writes_the_nearer_end_for_a_time_out_of_range),
		cmocka_unit_test(writes_seconds_alone),
		cmocka_unit_test(knows_every_day_of_ten_thousand_years),
		cmocka_unit_test(reads_fractions_and_offsets),
		cmocka_unit_test(refuses_what_is_malformed),
		cmocka_unit_test(refuses_times_that_do_not_exist),
		cmocka_unit_test(refuses_an_offset_that_leaves_the_four_digit_years),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
