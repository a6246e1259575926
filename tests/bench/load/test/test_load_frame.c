/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames of a WebSocket client: RFC 6455, section 5.7 has the examples.
 */
#include "frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above it. */
#include <cmocka.h>

#include <string.h>

static void
writes_the_masked_example_of_the_standard(void **state)
{
	static const uint8_t expected[] = { 0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d,
		0x51, 0x58 };
	static const uint8_t key[] = { 0x37, 0xfa, 0x21, 0x3d };
	uint8_t out[FRAME_HEAD_MAX + 5];
	uint32_t mask;

	(void)state;
	memcpy(&mask, key, sizeof(mask));
	assert_int_equal(frame_write(out, FRAME_TEXT, "Hello", 5, mask), sizeof(expected));
	assert_memory_equal(out, expected, sizeof(expected));
}

static void
writes_each_form_of_a_length(void **state)
{
	static const struct {
		size_t len, head;
		uint8_t second;
	} cases[] = { { 0, 6, 0x80 }, { 125, 6, 0x80 | 125 }, { 126, 8, 0x80 | 126 },
		{ 65535, 8, 0x80 | 126 }, { 65536, 14, 0x80 | 127 } };
	static char data[65536];
	static uint8_t out[FRAME_HEAD_MAX + sizeof(data)];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t size = frame_write(out, FRAME_BINARY, data, cases[i].len, 0);

		assert_int_equal(size, cases[i].head + cases[i].len);
		assert_int_equal(out[0], 0x82);
		assert_int_equal(out[1], cases[i].second);
	}
}

static void
reads_a_frame_only_when_it_is_whole(void **state)
{
	uint8_t bytes[4 + 300 + 2] = { 0x81, 126, 1, 44 };
	struct frame frame;
	size_t used = 0;

	(void)state;
	for (size_t len = 0; len < 304; len++)
		assert_int_equal(frame_read(bytes, len, &frame, &used), FRAME_INCOMPLETE);
	assert_int_equal(frame_read(bytes, sizeof(bytes), &frame, &used), FRAME_READ);
	assert_int_equal(used, 304);
	assert_int_equal(frame.len, 300);
	assert_int_equal(frame.opcode, FRAME_TEXT);
	assert_ptr_equal(frame.data, bytes + 4);
}

static void
reads_a_length_of_eight_bytes(void **state)
{
	static uint8_t bytes[10 + 70000] = { 0x82, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x70 };
	struct frame frame;
	size_t used = 0;

	(void)state;
	assert_int_equal(frame_read(bytes, sizeof(bytes) - 1, &frame, &used), FRAME_INCOMPLETE);
	assert_int_equal(frame_read(bytes, sizeof(bytes), &frame, &used), FRAME_READ);
	assert_int_equal(frame.len, 70000);
}

static void
refuses_what_no_server_sends(void **state)
{
	static const uint8_t masked[] = { 0x81, 0x80, 0, 0, 0, 0 };
	static const uint8_t fragment[] = { 0x01, 0 };
	static const uint8_t continuation[] = { 0x80, 0 };
	static const uint8_t reserved[] = { 0xc1, 0 };
	static const uint8_t long_ping[] = { 0x89, 126, 0, 126 };
	struct frame frame;
	size_t used;

	(void)state;
	assert_int_equal(frame_read(masked, sizeof(masked), &frame, &used), FRAME_WRONG);
	assert_int_equal(frame_read(fragment, sizeof(fragment), &frame, &used), FRAME_WRONG);
	assert_int_equal(
	    frame_read(continuation, sizeof(continuation), &frame, &used), FRAME_WRONG);
	assert_int_equal(frame_read(reserved, sizeof(reserved), &frame, &used), FRAME_WRONG);
	assert_int_equal(frame_read(long_ping, sizeof(long_ping), &frame, &used), FRAME_WRONG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_the_masked_example_of_the_standard),
		cmocka_unit_test(writes_each_form_of_a_length),
		cmocka_unit_test(reads_a_frame_only_when_it_is_whole),
		cmocka_unit_test(reads_a_length_of_eight_bytes),
		cmocka_unit_test(refuses_what_no_server_sends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
