/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spare things: which are kept, which go, and when a burst is over.
 */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include "loop/spare.h"

#define COUNT 8

static uint32_t
trimmed(struct spare *spare)
{
	uint32_t count = 0;

	while (spare_trim(spare) != NULL)
		count++;
	return count;
}

static void
keeps_no_more_than_it_is_told(void **state)
{
	struct list links[COUNT];
	struct spare spare;

	(void)state;
	spare_init(&spare);
	for (uint32_t i = 0; i < COUNT; i++) {
		list_init(&links[i]);
		assert_int_equal(spare_give(&spare, &links[i], 3), i < 3);
	}
	assert_ptr_equal(spare_take(&spare), &links[2]); /* the last one is still in the cache */
	assert_ptr_equal(spare_take(&spare), &links[1]);
	assert_ptr_equal(spare_take(&spare), &links[0]);
	assert_null(spare_take(&spare));
}

static void
frees_those_that_were_not_needed_for_a_period(void **state)
{
	struct list links[COUNT], *a, *b;
	struct spare spare;

	(void)state;
	spare_init(&spare);
	for (uint32_t i = 0; i < COUNT; i++) {
		list_init(&links[i]);
		assert_true(spare_give(&spare, &links[i], COUNT));
	}
	assert_int_equal(trimmed(&spare), 0); /* the period begins */
	a = spare_take(&spare);
	b = spare_take(&spare);
	assert_true(spare_give(&spare, a, COUNT));
	assert_true(spare_give(&spare, b, COUNT));
	assert_int_equal(trimmed(&spare), COUNT - 2); /* two were in use at one time */
	assert_int_equal(spare.count, 2);
	assert_int_equal(trimmed(&spare), 2);
	assert_int_equal(trimmed(&spare), 0);
	assert_null(spare_take(&spare));
}

static void
sees_once_that_a_burst_is_over(void **state)
{
	struct tide tide = { 0 };

	(void)state;
	tide_rise(&tide, 100);
	assert_false(tide_is_out(&tide, 0)); /* that was no burst */
	tide_rise(&tide, 1000);
	tide_rise(&tide, 400);
	assert_false(tide_is_out(&tide, 500));
	assert_true(tide_is_out(&tide, 499));
	assert_false(tide_is_out(&tide, 300));
	assert_true(tide_is_out(&tide, 200));
	assert_false(tide_is_out(&tide, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_no_more_than_it_is_told),
		cmocka_unit_test(frees_those_that_were_not_needed_for_a_period),
		cmocka_unit_test(sees_once_that_a_burst_is_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
