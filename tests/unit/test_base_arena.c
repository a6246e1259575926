/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/arena: memory that lives as long as one unit of work.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "failing_alloc.h"

#include "base/arena.c"

static void
hands_out_aligned_memory_that_does_not_overlap(void **state)
{
	struct arena *arena = arena_new(64);
	unsigned char *pieces[200];

	(void)state;
	assert_non_null(arena);
	for (size_t i = 0; i < 200; i++) {
		pieces[i] = arena_alloc(arena, i);
		assert_non_null(pieces[i]);
		assert_int_equal((uintptr_t)pieces[i] % 16, 0);
		memset(pieces[i], (int)i, i);
	}
	for (size_t i = 0; i < 200; i++)
		for (size_t at = 0; at < i; at++)
			assert_int_equal(pieces[i][at], i);
	arena_free(arena);
}

static void
gives_even_nothing_an_address_of_its_own(void **state)
{
	struct arena *arena = arena_new(0);
	const void *first = arena_alloc(arena, 0);

	(void)state;
	assert_non_null(first);
	assert_ptr_not_equal(first, arena_alloc(arena, 0));
	arena_free(arena);
}

static void
keeps_a_small_block_in_use_when_a_large_piece_gets_its_own(void **state)
{
	struct arena *arena = arena_new(32);
	char *small, *large, *next;

	(void)state;
	small = arena_alloc(arena, 64); /* second block */
	large = arena_alloc(arena, 1000000);
	next = arena_alloc(arena, 16);
	memset(large, 1, 1000000);
	assert_ptr_equal(next, small + 64);
	arena_free(arena);
}

static void
serves_the_first_block_again_after_a_reset(void **state)
{
	struct arena *arena = arena_new(128);
	const void *first = arena_alloc(arena, 100);

	(void)state;
	assert_non_null(arena_alloc(arena, 5000));
	assert_int_equal(arena_used(arena), 112 + 5008);
	arena_reset(arena);
	assert_int_equal(arena_used(arena), 0);
	assert_ptr_equal(arena_alloc(arena, 128), first);
	arena_free(arena);
}

static void
clears_what_it_is_asked_to_clear(void **state)
{
	struct arena *arena = arena_new(256);
	uint32_t *numbers;

	(void)state;
	memset(arena_alloc(arena, 256), 0xff, 256);
	arena_reset(arena);
	numbers = arena_zero(arena, 10, sizeof *numbers);
	for (int i = 0; i < 10; i++)
		assert_int_equal(numbers[i], 0);
	arena_free(arena);
}

static void
copies_bytes_with_a_nul_behind(void **state)
{
	struct arena *arena = arena_new(16);

	(void)state;
	assert_string_equal(arena_copy(arena, "abcdef", 3), "abc");
	assert_string_equal(arena_copy(arena, NULL, 0), "");
	arena_free(arena);
}

static void
refuses_sizes_that_overflow(void **state)
{
	struct arena *arena = arena_new(16);

	(void)state;
	assert_null(arena_alloc(arena, SIZE_MAX));
	assert_null(arena_alloc(arena, PTRDIFF_MAX));
	assert_null(arena_zero(arena, SIZE_MAX / 2, 3));
	assert_null(arena_copy(arena, "", SIZE_MAX));
	assert_null(arena_new(SIZE_MAX));
	arena_free(arena);
}

static void
says_so_when_memory_is_out_and_goes_on_afterwards(void **state)
{
	static const char source[96];
	struct arena *arena;

	(void)state;
	for (long n = 0; n < 2; n++) {
		allocations_left = n;
		assert_null(arena_new(100));
	}
	allocations_left = 2;
	arena = arena_new(100);
	assert_non_null(arena);
	assert_non_null(arena_alloc(arena, 96));
	assert_null(arena_alloc(arena, 96));
	assert_null(arena_zero(arena, 1, 96));
	assert_null(arena_copy(arena, source, sizeof source));
	allocations_left = -1;
	assert_non_null(arena_alloc(arena, 96));
	arena_free(arena);
	arena_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hands_out_aligned_memory_that_does_not_overlap),
		cmocka_unit_test(gives_even_nothing_an_address_of_its_own),
		cmocka_unit_test(keeps_a_small_block_in_use_when_a_large_piece_gets_its_own),
		cmocka_unit_test(serves_the_first_block_again_after_a_reset),
		cmocka_unit_test(clears_what_it_is_asked_to_clear),
		cmocka_unit_test(copies_bytes_with_a_nul_behind),
		cmocka_unit_test(refuses_sizes_that_overflow),
		cmocka_unit_test(says_so_when_memory_is_out_and_goes_on_afterwards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
