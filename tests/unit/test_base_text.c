/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/text: slices and decimal numbers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"

static void
compares_slices(void **state)
{
	(void)state;
	assert_true(slice_equal(slice_of("abc"), (struct slice){ "abcd", 3 }));
	assert_false(slice_equal(slice_of("abc"), slice_of("abd")));
	assert_false(slice_equal(slice_of("abc"), slice_of("ab")));
	assert_true(slice_equal((struct slice){ NULL, 0 }, slice_of("")));
	assert_true(slice_is((struct slice){ "value;", 5 }, "value"));
	assert_false(slice_is(slice_of("value"), "Value"));
	assert_true(slice_starts_with(slice_of("Bearer x"), "Bearer "));
	assert_false(slice_starts_with(slice_of("Bea"), "Bearer "));
	assert_true(slice_starts_with((struct slice){ NULL, 0 }, ""));
}

static void
ignores_the_case_of_ascii_letters_only(void **state)
{
	(void)state;
	assert_true(slice_is_nocase(slice_of("Content-TYPE"), "content-type"));
	assert_false(slice_is_nocase(slice_of("Content-Typ"), "content-type"));
	assert_false(slice_is_nocase(slice_of("@"), "`"));
	assert_false(slice_is_nocase(slice_of("["), "{"));
	assert_false(text_equal_nocase("\xc3\x84", 2, "\xc3\xa4", 2));
	for (int c = 0; c < 128; c++)
		assert_int_equal(text_lower((char)c), c >= 'A' && c <= 'Z' ? c + 32 : c);
	assert_int_equal(text_lower((char)0xc4), (char)0xc4);
}

static void
trims_blanks_and_tabs(void **state)
{
	(void)state;
	assert_true(slice_is(slice_trim(slice_of(" \t a b\t ")), "a b"));
	assert_true(slice_is(slice_trim(slice_of("a")), "a"));
	assert_int_equal(slice_trim(slice_of("  \t ")).len, 0);
	assert_int_equal(slice_trim((struct slice){ NULL, 0 }).len, 0);
	assert_true(slice_is(slice_trim(slice_of("\n")), "\n"));
}

static const struct {
	const char *text;
	int64_t value;
} numbers[] = {
	{ "0", 0 },
	{ "7", 7 },
	{ "-1", -1 },
	{ "10", 10 },
	{ "9007199254740991", INT64_C(9007199254740991) },
	{ "9223372036854775807", INT64_MAX },
	{ "-9223372036854775808", INT64_MIN },
};

static void
reads_numbers_to_the_ends_of_int64(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		int64_t got;

		assert_int_equal(text_int64(numbers[i].text, strlen(numbers[i].text), &got), 0);
		assert_true(got == numbers[i].value);
	}
}

static void
refuses_every_other_spelling(void **state)
{
	static const char *const bad[] = { "", "-", "+1", " 1", "1 ", "01", "-01", "00", "-0",
		"--1", "1-", "0x1", "1.0", "1e3", "a", "9223372036854775808",
		"-9223372036854775809", "18446744073709551617", "99999999999999999999999999999" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		int64_t got = 42;

		if (text_int64(bad[i], strlen(bad[i]), &got) != -1)
			fail_msg("\"%s\" was accepted", bad[i]);
		assert_int_equal(got, 42);
	}
	assert_int_equal(text_int64("1\0", 2, &(int64_t){ 0 }), -1);
}

static void
reads_no_further_than_the_length(void **state)
{
	int64_t got;

	(void)state;
	assert_int_equal(text_int64("123456", 3, &got), 0);
	assert_int_equal(got, 123);
}

static void
writes_numbers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		char text[TEXT_INT64_MAX];
		size_t len = text_from_int64(numbers[i].value, text);

		assert_int_equal(len, strlen(numbers[i].text));
		assert_memory_equal(text, numbers[i].text, len);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compares_slices),
		cmocka_unit_test(ignores_the_case_of_ascii_letters_only),
		cmocka_unit_test(trims_blanks_and_tabs),
		cmocka_unit_test(reads_numbers_to_the_ends_of_int64),
		cmocka_unit_test(refuses_every_other_spelling),
		cmocka_unit_test(reads_no_further_than_the_length),
		cmocka_unit_test(writes_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
