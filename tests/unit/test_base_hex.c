/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/hex: ids as the clients see them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hex.h"

#include <ctype.h>
#include <string.h>

static void
reads_sixteen_digits_as_a_signed_number(void **state)
{
	int64_t value;

	(void)state;
	assert_int_equal(hex16_decode("0123456789abcdef", 16, &value), 0);
	assert_true(value == INT64_C(0x0123456789abcdef));
	assert_int_equal(hex16_decode("ffffffffffffffff", 16, &value), 0);
	assert_true(value == -1);
	assert_int_equal(hex16_decode("8000000000000000", 16, &value), 0);
	assert_true(value == INT64_MIN);
	assert_int_equal(hex16_decode("ABCDEFabcdef0000", 16, &value), 0);
	assert_true(value == (int64_t)UINT64_C(0xabcdefabcdef0000));
}

static void
reads_eight_digits(void **state)
{
	int32_t value;

	(void)state;
	assert_int_equal(hex8_decode("0000000a", 8, &value), 0);
	assert_int_equal(value, 10);
	assert_int_equal(hex8_decode("FFFFFFFE", 8, &value), 0);
	assert_int_equal(value, -2);
}

static void
refuses_other_lengths(void **state)
{
	int64_t wide;
	int32_t narrow;

	(void)state;
	assert_int_equal(hex16_decode("0123456789abcdef", 15, &wide), -1);
	assert_int_equal(hex16_decode("0123456789abcdef0", 17, &wide), -1);
	assert_int_equal(hex16_decode("", 0, &wide), -1);
	assert_int_equal(hex8_decode("0123456", 7, &narrow), -1);
	assert_int_equal(hex8_decode("012345678", 9, &narrow), -1);
}

static void
accepts_only_hexadecimal_digits_at_every_place(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++)
		for (size_t at = 0; at < 16; at++) {
			char text[] = "0000000000000000";
			int expected = isxdigit(c) ? 0 : -1;
			uint8_t bytes[8];
			int64_t wide;
			int32_t narrow;

			text[at] = (char)c;
			assert_int_equal(hex16_decode(text, 16, &wide), expected);
			assert_int_equal(hex_decode(text, 16, bytes), expected);
			if (at < 8)
				assert_int_equal(hex8_decode(text, 8, &narrow), expected);
		}
}

static void
writes_lower_case(void **state)
{
	char wide[HEX16_LEN], narrow[HEX8_LEN], bytes[6];

	(void)state;
	hex16_encode(-1, wide);
	assert_memory_equal(wide, "ffffffffffffffff", 16);
	hex16_encode(INT64_C(0x0123456789abcdef), wide);
	assert_memory_equal(wide, "0123456789abcdef", 16);
	hex8_encode(INT32_MIN + 0x0b, narrow);
	assert_memory_equal(narrow, "8000000b", 8);
	hex_encode("\x00\x9f\xfa", 3, bytes);
	assert_memory_equal(bytes, "009ffa", 6);
}

static void
reads_bytes(void **state)
{
	uint8_t bytes[3];

	(void)state;
	assert_int_equal(hex_decode("009FfA", 6, bytes), 0);
	assert_memory_equal(bytes, "\x00\x9f\xfa", 3);
	assert_int_equal(hex_decode("", 0, bytes), 0);
	assert_int_equal(hex_decode("009", 3, bytes), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_sixteen_digits_as_a_signed_number),
		cmocka_unit_test(reads_eight_digits),
		cmocka_unit_test(refuses_other_lengths),
		cmocka_unit_test(accepts_only_hexadecimal_digits_at_every_place),
		cmocka_unit_test(writes_lower_case),
		cmocka_unit_test(reads_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
