/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/utf8: exactly what RFC 3629 allows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/utf8.h"

#include <string.h>

static void
reads_every_code_point_it_writes(void **state)
{
	size_t written = 0;

	(void)state;
	for (uint32_t code = 0; code < 0x120000; code++) {
		char text[UTF8_MAX];
		size_t len = utf8_encode(code, text);

		if (len == 0)
			continue;
		written++;
		assert_int_equal(utf8_step(text, len), len);
		for (size_t cut = 0; cut < len; cut++)
			assert_int_equal(utf8_step(text, cut), 0);
	}
	assert_int_equal(written, 0x110000 - 0x800);
}

/* What can be read is no more than what can be written: so nothing overlong, no surrogate. */
static void
reads_no_other_sequence(void **state)
{
	size_t twos = 0, threes = 0, fours = 0;

	(void)state;
	for (uint32_t word = 0; word < 0x1000000; word++) {
		char text[] = { (char)(word >> 16), (char)(word >> 8), (char)word, (char)0xbf };
		size_t step = utf8_step(text, 4);

		twos += step == 2 && (word & 0xff) == 0;
		threes += step == 3;
		fours += step == 4;
	}
	assert_int_equal(twos, 0x800 - 0x80);
	assert_int_equal(threes, 0x10000 - 0x800 - 0x800);
	assert_int_equal(fours, 0x100000 / 64);
}

static void
counts_code_points(void **state)
{
	size_t count;

	(void)state;
	assert_int_equal(utf8_count("", 0, &count), 0);
	assert_int_equal(count, 0);
	assert_int_equal(utf8_count("za\xc5\xbc\xc3\xb3\xc5\x82\xc4\x87", 10, &count), 0);
	assert_int_equal(count, 6);
	assert_int_equal(utf8_count("0123456789abcde\xf0\x9f\x98\x80 tail", 24, &count), 0);
	assert_int_equal(count, 21);
	assert_int_equal(utf8_count("a\0b", 3, &count), 0);
	assert_int_equal(count, 3);
}

static void
finds_a_bad_byte_at_every_place(void **state)
{
	(void)state;
	for (size_t at = 0; at < 40; at++) {
		char text[40];
		size_t count = 77;

		memset(text, 'x', sizeof text);
		assert_true(utf8_is_valid(text, sizeof text));
		text[at] = (char)0xff;
		assert_false(utf8_is_valid(text, sizeof text));
		assert_int_equal(utf8_count(text, sizeof text, &count), -1);
		assert_int_equal(count, 77);
		text[at] = (char)0xc3; /* its tail is missing */
		assert_false(utf8_is_valid(text, sizeof text));
	}
}

static void
refuses_what_rfc_3629_forbids(void **state)
{
	static const char *const bad[] = { "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf",
		"\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf", "\xed\xa0\x80", "\xed\xbf\xbf",
		"\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80", "\x80", "\xfe" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(utf8_is_valid(bad[i], strlen(bad[i])));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_code_point_it_writes),
		cmocka_unit_test(reads_no_other_sequence),
		cmocka_unit_test(counts_code_points),
		cmocka_unit_test(finds_a_bad_byte_at_every_place),
		cmocka_unit_test(refuses_what_rfc_3629_forbids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
