/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/siphash: against the paper and against libsodium.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/siphash.h"

#include <sodium.h>
#include <string.h>

static const struct siphash_key paper_key = { UINT64_C(0x0706050403020100),
	UINT64_C(0x0f0e0d0c0b0a0908) };

static void
agrees_with_the_paper(void **state)
{
	unsigned char data[15];

	(void)state;
	for (unsigned char i = 0; i < sizeof data; i++)
		data[i] = i;
	assert_true(siphash(&paper_key, data, 15) == UINT64_C(0xa129ca6149be45e5));
	assert_true(siphash(&paper_key, data, 0) == UINT64_C(0x726fdb47dd0e0e31));
}

static void
agrees_with_libsodium_at_every_length(void **state)
{
	unsigned char key[crypto_shorthash_KEYBYTES], hash[crypto_shorthash_BYTES], data[65];

	(void)state;
	for (unsigned char i = 0; i < sizeof data; i++)
		data[i] = (unsigned char)(i * 37);
	for (unsigned char i = 0; i < sizeof key; i++)
		key[i] = i;
	for (size_t len = 0; len <= sizeof data; len++) {
		uint64_t ours = siphash(&paper_key, data, len), theirs = 0;

		assert_int_equal(crypto_shorthash(hash, data, len, key), 0);
		for (size_t i = sizeof hash; i > 0; i--)
			theirs = theirs << 8 | hash[i - 1];
		assert_true(ours == theirs);
	}
}

static void
hashes_a_number_as_its_bytes(void **state)
{
	(void)state;
	assert_true(siphash_u64(&paper_key, UINT64_C(0x0807060504030201)) ==
		    siphash(&paper_key, "\x01\x02\x03\x04\x05\x06\x07\x08", 8));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_the_paper),
		cmocka_unit_test(agrees_with_libsodium_at_every_length),
		cmocka_unit_test(hashes_a_number_as_its_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
