/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compression without memory: a message that cannot be inflated ends with 1011,
 * one that cannot be compressed goes as it is.
 */
#include "failing_alloc.h"

#include "../../core/ws/deflate.c"
#include "../../core/ws/shared_frame.c"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka needs the two above it. */
#include <cmocka.h>

static void
says_so_when_memory_is_out(void **state)
{
	static char zeros[40000], packed[1000];
	struct ws_deflate *streams = ws_deflate_new();
	size_t len = ws_deflate_message(streams, 15, zeros, sizeof(zeros), packed, sizeof(packed));

	(void)state;
	assert_int_not_equal(len, 0);
	/* The buffer at its beginning, then twice to grow. */
	for (long allowed = 0; allowed <= 3; allowed++) {
		struct ws_deflate *fresh = ws_deflate_new();
		struct ws_event event = {
			.type = WS_BINARY, .compressed = true, .data = packed, .len = len
		};

		allocations_left = allowed;
		ws_inflate_message(fresh, 100000, &event);
		allocations_left = -1;
		assert_int_equal(event.type, allowed < 3 ? WS_ERROR : WS_BINARY);
		assert_int_equal(event.code, allowed < 3 ? WS_CLOSE_INTERNAL : 0);
		ws_deflate_free(fresh);
	}
	allocations_left = 0;
	assert_null(ws_deflate_new());
	allocations_left = -1;
	ws_deflate_free(streams);
}

static void
sends_the_message_as_it_is_then(void **state)
{
	static char zeros[5000];
	struct ws_deflate *streams = ws_deflate_new();
	struct convro_frame *frame = frame_make(zeros, sizeof(zeros), 1);

	(void)state;
	allocations_left = 0;
	assert_null(frame_make(zeros, sizeof(zeros), 1));
	assert_null(frame_raw(zeros, sizeof(zeros)));
	assert_ptr_equal(frame_deflated(frame, streams, 15), frame);
	allocations_left = -1;
	frame_drop(frame);
	ws_deflate_free(streams);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_so_when_memory_is_out),
		cmocka_unit_test(sends_the_message_as_it_is_then),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
