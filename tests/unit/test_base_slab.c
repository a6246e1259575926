/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slab: objects are apart, cleared, and chunks go back.
 */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include "base/slab.h"

#include <stdlib.h>
#include <string.h>

#define COUNT 2000
#define SIZE  333

static void
gives_cleared_objects_that_do_not_overlap(void **state)
{
	static unsigned char *objects[COUNT];
	static const unsigned char zero[SIZE];
	struct slab slab;

	(void)state;
	slab_init(&slab, SIZE);
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < COUNT; i++) {
			objects[i] = slab_take(&slab);
			assert_non_null(objects[i]);
			assert_int_equal((uintptr_t)objects[i] % 16, 0);
			assert_memory_equal(objects[i], zero, SIZE);
			memset(objects[i], (int)(i % 251) + 1, SIZE);
		}
		for (size_t i = 0; i < COUNT; i++)
			for (size_t at = 0; at < SIZE; at += 83)
				assert_int_equal(objects[i][at], i % 251 + 1);
		for (size_t i = 0; i < COUNT; i++)
			slab_give(&slab, objects[(i * 7) % COUNT]);
		assert_true(list_is_empty(&slab.partial)); /* every chunk was given back */
		assert_non_null(slab.spare);               /* or kept, but one only */
	}
	slab_fini(&slab);
}

static void
uses_an_object_that_was_given_back(void **state)
{
	struct slab slab;
	void *a, *b, *c;

	(void)state;
	slab_init(&slab, 64);
	a = slab_take(&slab);
	b = slab_take(&slab);
	slab_give(&slab, a);
	c = slab_take(&slab);
	assert_ptr_equal(a, c);
	slab_give(&slab, b);
	slab_give(&slab, c);
	assert_true(list_is_empty(&slab.partial));
	slab_fini(&slab);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_cleared_objects_that_do_not_overlap),
		cmocka_unit_test(uses_an_object_that_was_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
