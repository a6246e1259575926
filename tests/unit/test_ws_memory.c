/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame reader without memory: each allocation in turn fails, and the peer
 * is told 1011.
 */
#include <stdbool.h>
#include <stdlib.h>

static unsigned left; /* allocations that still succeed */

static bool
is_refused(void)
{
	if (left == 0)
		return true;
	left--;
	return false;
}

static void *
rationed_malloc(size_t size)
{
	return is_refused() ? NULL : malloc(size);
}

static void *
rationed_realloc(void *data, size_t size)
{
	return is_refused() ? NULL : realloc(data, size);
}

#define malloc  rationed_malloc
#define realloc rationed_realloc
#include "../../core/ws/frame.c"
#undef malloc
#undef realloc
#undef FIN
#undef RSV1
#include "ws_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka needs the three above it. */
#include <cmocka.h>

static void
says_so_when_memory_is_out(void **state)
{
	static struct wire wire;
	static const char data[600];
	/* 256 bytes, the ping, 512, 1024 and the 1200 that are known to be enough at the end. */
	static const char *const expected[] = { "error(1011)", "error(1011)",
		"ping(you)error(1011)", "ping(you)error(1011)", "ping(you)error(1011)",
		"ping(you)binary(1200 bytes, last 00)" };

	(void)state;
	put_frame(&wire, BINARY, data, 200);
	put_text(&wire, FIN | PING, "you");
	put_frame(&wire, 0, data, 400);
	put_frame(&wire, FIN, data, 600);
	for (unsigned allowed = 0; allowed < 6; allowed++) {
		struct ws_reader reader;
		char *heard;

		left = allowed;
		ws_reader_init(&reader, 100000, false);
		heard = heard_in(&reader, &wire, 100, 1);
		ws_reader_fini(&reader);
		assert_string_equal(heard, expected[allowed]);
		free(heard);
	}
	assert_int_equal(left, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_so_when_memory_is_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
