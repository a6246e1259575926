/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames that sockets share, and their compressed variants: made once, whoever
 * asks, and as long-lived as the last who holds them.
 */
#include "base/random.h"
#include "ws/shared_frame.h"
#include "ws_inflate.h"
#include "ws_streams.h"

#include <pthread.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka needs the three above it. */
#include <cmocka.h>

enum { FIN = 0x80, RSV1 = 0x40, TEXT = 1, BINARY = 2 };

static void
is_variant(const struct convro_frame *frame, unsigned bits, const char *text, size_t size)
{
	size_t header = frame->len - frame_payload(frame);

	assert_int_equal(frame->data[0], FIN | RSV1 | TEXT);
	assert_true(is_inflated_by_zlib(
	    (const char *)frame->data + header, frame_payload(frame), (int)bits, text, size));
}

static void
compresses_a_frame_once_for_all(void **state)
{
	static const size_t sizes[] = { 100, 2000, 70000, 300000 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char *text = calloc(1, sizes[i]);
		struct ws_deflate *other = ws_deflate_new();
		struct convro_frame *frame = frame_make(text, sizes[i], 0), *kept;

		kept = frame_ref(frame_deflated(frame, streams, 15));
		assert_ptr_not_equal(kept, frame);
		assert_true(kept->len < frame->len);
		is_variant(kept, 15, text, sizes[i]);
		assert_ptr_equal(frame_deflated(frame, other, 15), kept);
		assert_ptr_not_equal(frame_deflated(frame, other, 9), kept);
		is_variant(frame_deflated(frame, streams, 9), 9, text, sizes[i]);
		assert_ptr_equal(
		    frame_deflated(frame, streams, 9), frame_deflated(frame, other, 9));
		assert_ptr_equal(frame_deflated(frame, streams, 15), kept);
		frame_drop(frame);
		/* Still queued somewhere. */
		is_variant(kept, 15, text, sizes[i]);
		frame_drop(kept);
		ws_deflate_free(other);
		free(text);
	}
}

static void
sends_what_does_not_compress_as_it_is(void **state)
{
	uint8_t noise[4096];
	struct convro_frame *frame;

	(void)state;
	random_bytes(noise, sizeof(noise));
	frame = frame_make(noise, sizeof(noise), 1);
	assert_ptr_equal(frame_deflated(frame, streams, 15), frame);
	assert_ptr_equal(frame_deflated(frame, streams, 15), frame);
	assert_int_equal(frame->data[0], FIN | BINARY);
	frame_drop(frame);
	frame = frame_make("", 0, 0);
	assert_ptr_equal(frame_deflated(frame, streams, 12), frame);
	frame_drop(frame);
}

#define THREADS 4

static char shared_text[5000];

static void *
share(void *arg)
{
	struct convro_frame *frame = arg;
	struct ws_deflate *own = ws_deflate_new();

	for (unsigned bits = 9; bits <= 15; bits++)
		frame_drop(frame_ref(frame_deflated(frame, own, bits)));
	ws_deflate_free(own);
	frame_drop(frame);
	return NULL;
}

static void
lets_workers_share_a_frame(void **state)
{
	(void)state;
	for (int round = 0; round < 50; round++) {
		struct convro_frame *frame = frame_make(shared_text, sizeof(shared_text), 0);
		struct convro_frame *at;
		pthread_t threads[THREADS];
		unsigned count = 0, seen = 0;

		for (int i = 0; i < THREADS; i++)
			assert_int_equal(
			    pthread_create(&threads[i], NULL, share, frame_ref(frame)), 0);
		for (int i = 0; i < THREADS; i++)
			(void)pthread_join(threads[i], NULL);
		for (at = frame->variants; at != NULL; at = at->variants, count++)
			seen |= 1u << at->window_bits;
		assert_int_equal(count, 7);
		assert_int_equal(seen, 0xfe00);
		frame_drop(frame);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compresses_a_frame_once_for_all),
		cmocka_unit_test(sends_what_does_not_compress_as_it_is),
		cmocka_unit_test(lets_workers_share_a_frame),
	};

	return cmocka_run_group_tests(tests, start, end);
}
