/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the server sends: frame headers and close frames.
 */
#include "ws/frame.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka needs the three above it. */
#include <cmocka.h>

static void
writes_the_shortest_header(void **state)
{
	static const struct {
		uint64_t len;
		const char *header;
		size_t size;
	} cases[] = {
		{ 0, "\x82\x00", 2 },
		{ 125, "\x82\x7d", 2 },
		{ 126, "\x82\x7e\x00\x7e", 4 },
		{ 256, "\x82\x7e\x01\x00", 4 },
		{ 65535, "\x82\x7e\xff\xff", 4 },
		{ 65536, "\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00", 10 },
		{ UINT64_C(0x0102030405060708), "\x82\x7f\x01\x02\x03\x04\x05\x06\x07\x08", 10 },
	};
	uint8_t out[WS_HEADER_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(
		    ws_frame_header(out, WS_OP_BINARY, false, cases[i].len), cases[i].size);
		assert_memory_equal(out, cases[i].header, cases[i].size);
	}
}

static void
writes_opcode_and_compression_bit(void **state)
{
	uint8_t out[WS_HEADER_MAX];

	(void)state;
	ws_frame_header(out, WS_OP_TEXT, false, 1);
	assert_int_equal(out[0], 0x81);
	ws_frame_header(out, WS_OP_TEXT, true, 1);
	assert_int_equal(out[0], 0xc1);
	ws_frame_header(out, WS_OP_PONG, false, 1);
	assert_int_equal(out[0], 0x8a);
}

static void
writes_close_frames(void **state)
{
	uint8_t out[WS_CLOSE_MAX];

	(void)state;
	assert_int_equal(ws_close_frame(out, WS_CLOSE_GOING_AWAY, "bye"), 7);
	assert_memory_equal(out,
	    "\x88\x05\x03\xe9"
	    "bye",
	    7);
	assert_int_equal(ws_close_frame(out, 4999, ""), 4);
	assert_memory_equal(out, "\x88\x02\x13\x87", 4);
	assert_int_equal(ws_close_frame(out, WS_CLOSE_NO_STATUS, ""), 2);
	assert_memory_equal(out, "\x88\x00", 2);
}

static void
cuts_a_long_reason_between_characters(void **state)
{
	char reason[200];
	uint8_t out[WS_CLOSE_MAX];

	(void)state;
	memset(reason, 'a', sizeof(reason));
	reason[123] = '\0';
	assert_int_equal(ws_close_frame(out, WS_CLOSE_NORMAL, reason), 127);
	reason[123] = 'a';
	reason[124] = '\0';
	assert_int_equal(ws_close_frame(out, WS_CLOSE_NORMAL, reason), 127);
	assert_int_equal(out[1], 125);
	memcpy(reason + 121, "\xe2\x82\xac", 4); /* its last byte does not fit */
	assert_int_equal(ws_close_frame(out, WS_CLOSE_NORMAL, reason), 125);
	assert_int_equal(out[1], 123);
	memcpy(reason + 120, "\xe2\x82\xac", 4);
	assert_int_equal(ws_close_frame(out, WS_CLOSE_NORMAL, reason), 127);
	assert_memory_equal(out + 124, "\xe2\x82\xac", 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_the_shortest_header),
		cmocka_unit_test(writes_opcode_and_compression_bit),
		cmocka_unit_test(writes_close_frames),
		cmocka_unit_test(cuts_a_long_reason_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
