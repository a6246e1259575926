/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/base64: binary fields of the wire contract, section 1.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base64.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *bytes, *padded, *unpadded;
} known[] = {
	{ "", "", "" }, /* RFC 4648, section 10 */
	{ "f", "Zg==", "Zg" },
	{ "fo", "Zm8=", "Zm8" },
	{ "foo", "Zm9v", "Zm9v" },
	{ "foob", "Zm9vYg==", "Zm9vYg" },
	{ "fooba", "Zm9vYmE=", "Zm9vYmE" },
	{ "foobar", "Zm9vYmFy", "Zm9vYmFy" },
	{ "\xfb\xff\xbf", "+/+/", "-_-_" },
	{ "\xff\xe0", "/+A=", "_-A" },
};

static bool
decodes_to(const char *text, const char *bytes)
{
	uint8_t out[64];
	size_t len = 99;

	return base64_decode(text, strlen(text), out, sizeof out, &len) == 0 &&
	       len == strlen(bytes) && (len == 0 || memcmp(out, bytes, len) == 0);
}

static bool
is_refused(const char *text)
{
	uint8_t out[64];
	size_t len;

	return base64_decode(text, strlen(text), out, sizeof out, &len) == -1;
}

static void
writes_the_known_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		size_t len = strlen(known[i].bytes);
		char text[64] = { 0 };

		assert_int_equal(base64_encoded_len(len), strlen(known[i].padded));
		base64_encode(known[i].bytes, len, text);
		assert_string_equal(text, known[i].padded);

		memset(text, 0, sizeof text);
		assert_int_equal(base64url_encoded_len(len), strlen(known[i].unpadded));
		base64url_encode(known[i].bytes, len, text);
		assert_string_equal(text, known[i].unpadded);
	}
}

static void
reads_both_alphabets_padded_or_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		assert_true(decodes_to(known[i].padded, known[i].bytes));
		assert_true(decodes_to(known[i].unpadded, known[i].bytes));
	}
	assert_true(decodes_to("/+A", "\xff\xe0"));
	assert_true(decodes_to("_-A=", "\xff\xe0"));
}

static void
refuses_mixed_alphabets(void **state)
{
	(void)state;
	assert_true(is_refused("+_+_"));
	assert_true(is_refused("-/AA"));
	assert_true(is_refused("+AAA-AAA"));
	assert_true(is_refused("____/w=="));
	assert_true(is_refused("+AAA_w"));
}

static void
refuses_padding_that_is_neither_whole_nor_absent(void **state)
{
	static const char *const texts[] = { "=",
		"==", "===", "====", "Zg=", "Zg===", "Zg====", "Zm8==", "Zm9v=", "Zm9v==",
		"Zm9v====", "Z===", "Z=g=", "=Zg=", "Zg==Zg==", "Zg==Zm9v", "Zm8=Zm8=" };

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (!is_refused(texts[i]))
			fail_msg("%s was accepted", texts[i]);
}

static void
refuses_a_single_digit_left_over(void **state)
{
	(void)state;
	assert_true(is_refused("A"));
	assert_true(is_refused("AAAAA"));
}

static void
refuses_spare_bits_that_are_not_zero(void **state)
{
	(void)state;
	assert_true(is_refused("Zh=="));
	assert_true(is_refused("Zh"));
	assert_true(is_refused("Zv"));
	assert_true(is_refused("Zm9="));
	assert_true(is_refused("Zm9"));
	assert_true(is_refused("Zm+"));
}

static void
accepts_only_the_digits_of_the_alphabets(void **state)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_";

	(void)state;
	for (int c = 1; c < 256; c++)
		for (int at = 0; at < 4; at++) {
			char text[] = "AAAA";
			bool padding = c == '=' && at == 3;

			text[at] = (char)c;
			assert_int_equal(is_refused(text), strchr(digits, c) == NULL && !padding);
		}
}

static void
says_so_when_the_bytes_do_not_fit(void **state)
{
	uint8_t out[3] = { 0, 0, 0xaa };
	size_t len;

	(void)state;
	assert_int_equal(base64_decode("Zm9v", 4, out, 2, &len), -1);
	assert_int_equal(out[2], 0xaa);
	assert_int_equal(base64_decode("Zm8=", 4, out, 2, &len), 0);
	assert_int_equal(len, 2);
	assert_int_equal(base64_decode("Zg", 2, out, 0, &len), -1);
	assert_int_equal(base64_decode(NULL, 0, NULL, 0, &len), 0);
	assert_int_equal(len, 0);
}

static void
gives_back_what_was_encoded(void **state)
{
	uint8_t data[300], back[300];
	char text[402];
	size_t got;

	(void)state;
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)(i * 167 + i / 7);
	for (size_t len = 0; len <= sizeof data; len++) {
		size_t encoded = base64_encoded_len(len);

		base64_encode(data, len, text);
		assert_true(base64_decoded_max(encoded) >= len);
		assert_int_equal(base64_decode(text, encoded, back, len, &got), 0);
		assert_int_equal(got, len);
		assert_memory_equal(back, data, len);

		encoded = base64url_encoded_len(len);
		base64url_encode(data, len, text);
		assert_int_equal(base64_decoded_max(encoded), len);
		assert_int_equal(base64_decode(text, encoded, back, len, &got), 0);
		assert_int_equal(got, len);
		assert_memory_equal(back, data, len);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_the_known_texts),
		cmocka_unit_test(reads_both_alphabets_padded_or_not),
		cmocka_unit_test(refuses_mixed_alphabets),
		cmocka_unit_test(refuses_padding_that_is_neither_whole_nor_absent),
		cmocka_unit_test(refuses_a_single_digit_left_over),
		cmocka_unit_test(refuses_spare_bits_that_are_not_zero),
		cmocka_unit_test(accepts_only_the_digits_of_the_alphabets),
		cmocka_unit_test(says_so_when_the_bytes_do_not_fit),
		cmocka_unit_test(gives_back_what_was_encoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
