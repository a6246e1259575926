/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The histogram of latencies: what it says may be 1 % too high, never too low.
 */
#include "histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above it. */
#include <cmocka.h>

#include <string.h>

static struct histogram histogram;

static int
begin(void **state)
{
	(void)state;
	memset(&histogram, 0, sizeof(histogram));
	return 0;
}

static void
knows_every_value_within_one_percent(void **state)
{
	(void)state;
	for (uint64_t value = 1; value < (UINT64_C(1) << 41); value += value / 37 + 1) {
		uint64_t said;

		memset(&histogram, 0, sizeof(histogram));
		histogram_record(&histogram, value);
		histogram_record(&histogram, UINT64_C(1) << 41);
		said = histogram_quantile(&histogram, 0.5);
		assert_true(said >= value);
		assert_true(said - value <= value / 100);
	}
}

static void
finds_the_quantiles_of_a_thousand_values(void **state)
{
	(void)state;
	for (uint64_t i = 1; i <= 1000; i++)
		histogram_record(&histogram, i * 1000);
	assert_in_range(histogram_quantile(&histogram, 0.5), 500000, 505000);
	assert_in_range(histogram_quantile(&histogram, 0.99), 990000, 999900);
	assert_in_range(histogram_quantile(&histogram, 0.999), 999000, 1000000);
	assert_int_equal(histogram_quantile(&histogram, 1), 1000000);
	assert_int_equal(histogram.count, 1000);
}

static void
never_says_more_than_the_largest(void **state)
{
	(void)state;
	histogram_record(&histogram, 1000001);
	assert_int_equal(histogram_quantile(&histogram, 0.5), 1000001);
	assert_int_equal(histogram.max, 1000001);
}

static void
counts_what_is_beyond_its_top_as_the_top(void **state)
{
	(void)state;
	histogram_record(&histogram, UINT64_MAX);
	histogram_record(&histogram, 1);
	assert_int_equal(histogram_quantile(&histogram, 0.5), 1);
	assert_int_equal(histogram_quantile(&histogram, 1), (UINT64_C(1) << HISTOGRAM_TOP) - 1);
	assert_true(histogram.max == UINT64_MAX);
}

static void
says_nothing_without_values(void **state)
{
	(void)state;
	assert_int_equal(histogram_quantile(&histogram, 0.99), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(knows_every_value_within_one_percent, begin),
		cmocka_unit_test_setup(finds_the_quantiles_of_a_thousand_values, begin),
		cmocka_unit_test_setup(never_says_more_than_the_largest, begin),
		cmocka_unit_test_setup(counts_what_is_beyond_its_top_as_the_top, begin),
		cmocka_unit_test_setup(says_nothing_without_values, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
