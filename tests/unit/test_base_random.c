/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/random: bytes and ids nobody can guess.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"

#include <string.h>

static void
fills_exactly_the_bytes_asked_for(void **state)
{
	static unsigned char data[100002];
	int seen[256] = { 0 };

	(void)state;
	random_bytes(data + 1, sizeof data - 2);
	assert_int_equal(data[0], 0);
	assert_int_equal(data[sizeof data - 1], 0);
	for (size_t i = 1; i < sizeof data - 1; i++)
		seen[data[i]]++;
	/* 390 of each are expected, with a deviation of 20: ten of those are out of the question.
	 */
	for (int c = 0; c < 256; c++)
		assert_in_range(seen[c], 190, 590);
	random_bytes(NULL, 0);
}

static void
makes_numbers_that_differ(void **state)
{
	(void)state;
	assert_true(random_u64() != random_u64());
}

static void
makes_hex_ids(void **state)
{
	char id[34], other[34];

	(void)state;
	memset(id, '!', sizeof id);
	random_hex(id, 16);
	random_hex(other, 16);
	assert_int_equal(strlen(id), 32);
	assert_int_equal(strspn(id, "0123456789abcdef"), 32);
	assert_int_equal(id[33], '!');
	assert_string_not_equal(id, other);
}

static void
makes_base64url_ids(void **state)
{
	char id[22], other[22], longest[87];

	(void)state;
	memset(id, '!', sizeof id);
	random_base64url(id, 15);
	random_base64url(other, 15);
	assert_int_equal(strlen(id), 20);
	assert_int_equal(id[21], '!');
	assert_string_not_equal(id, other);
	random_base64url(longest, RANDOM_ID_MAX);
	assert_int_equal(strlen(longest), 86);
	assert_int_equal(
	    strspn(longest, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
	    86);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fills_exactly_the_bytes_asked_for),
		cmocka_unit_test(makes_numbers_that_differ),
		cmocka_unit_test(makes_hex_ids),
		cmocka_unit_test(makes_base64url_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
