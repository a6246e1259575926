/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The opening handshake: which requests are let in, and the answer's hash.
 */
#include "ws/handshake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above it. */
#include <cmocka.h>

#define KEY "dGhlIHNhbXBsZSBub25jZQ=="

static void
answers_the_sample_of_the_rfc(void **state)
{
	char accept[WS_ACCEPT_SIZE];

	(void)state;
	assert_true(ws_handshake_accept(KEY, accept));
	assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	assert_true(ws_handshake_accept("x3JJHMbDL1EzLkh9GBhXDw==", accept));
	assert_string_equal(accept, "HSmrc0sMlYUkAGmm5OPpG2HaGWk=");
}

static void
lets_good_requests_in(void **state)
{
	(void)state;
	assert_int_equal(ws_handshake_status("websocket", "Upgrade", "13", KEY), 101);
	assert_int_equal(ws_handshake_status("WebSocket", "keep-alive, Upgrade", "13", KEY), 101);
	assert_int_equal(ws_handshake_status("h2c,websocket", "upgrade ,close", "13", KEY), 101);
	assert_int_equal(ws_handshake_status("websocket", ",,\tUPGRADE", "13", KEY), 101);
	assert_int_equal(
	    ws_handshake_status("websocket", "upgrade", "13", "+/+/+/+/+/+/+/+/+/+/+A=="), 101);
}

static void
refuses_other_upgrades(void **state)
{
	(void)state;
	assert_int_equal(ws_handshake_status(NULL, "Upgrade", "13", KEY), 400);
	assert_int_equal(ws_handshake_status("", "Upgrade", "13", KEY), 400);
	assert_int_equal(ws_handshake_status("h2c", "Upgrade", "13", KEY), 400);
	assert_int_equal(ws_handshake_status("websockets", "Upgrade", "13", KEY), 400);
	assert_int_equal(ws_handshake_status("web socket", "Upgrade", "13", KEY), 400);
	assert_int_equal(ws_handshake_status("websocket", NULL, "13", KEY), 400);
	assert_int_equal(ws_handshake_status("websocket", "keep-alive", "13", KEY), 400);
	assert_int_equal(ws_handshake_status("websocket", "upgraded", "13", KEY), 400);
	assert_int_equal(ws_handshake_status("websocket", "upgrade now", "13", KEY), 400);
	assert_int_equal(ws_handshake_status("websocket", "no upgrade", "13", KEY), 400);
}

static void
asks_for_version_13(void **state)
{
	(void)state;
	assert_int_equal(ws_handshake_status("websocket", "Upgrade", "8", KEY), 426);
	assert_int_equal(ws_handshake_status("websocket", "Upgrade", "", KEY), 426);
	assert_int_equal(ws_handshake_status("websocket", "Upgrade", "130", KEY), 426);
	assert_int_equal(ws_handshake_status("websocket", "Upgrade", NULL, KEY), 400);
}

static void
refuses_keys_that_are_not_16_bytes(void **state)
{
	static const char *const keys[] = { NULL, "", "dGhlIHNhbXBsZSBub25jZQ",
		"dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ===", "dGhlIHNhbXBsZSBub25jZWE=",
		"dGhlIHNhbXBsZSBub25jZ_==", "dGhlIHNhbXBsZSBub25j====",
		"dGhlIHNhbXBsZSBub25jZQ==dGhlIHNhbXBsZSBub25jZQ==", " dGhlIHNhbXBsZSBub25jZQ=" };

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		assert_int_equal(ws_handshake_status("websocket", "Upgrade", "13", keys[i]), 400);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_the_sample_of_the_rfc),
		cmocka_unit_test(lets_good_requests_in),
		cmocka_unit_test(refuses_other_upgrades),
		cmocka_unit_test(asks_for_version_13),
		cmocka_unit_test(refuses_keys_that_are_not_16_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
