/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/clock: wall clock and monotonic clock.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"

#include <time.h>

static void
tells_the_wall_time_in_microseconds(void **state)
{
	int64_t before = (int64_t)time(NULL) - 1; /* time() may lag by a tick */
	int64_t now = clock_wall_us();
	int64_t after = (int64_t)time(NULL) + 1;

	(void)state;
	assert_true(now / 1000000 >= before);
	assert_true(now / 1000000 <= after);
}

static void
never_goes_back(void **state)
{
	int64_t last = clock_mono_us();

	(void)state;
	for (int i = 0; i < 1000; i++) {
		int64_t now = clock_mono_us();

		assert_true(now >= last);
		last = now;
	}
}

static void
tells_milliseconds_on_the_same_clock(void **state)
{
	int64_t before = clock_mono_us() / 1000;
	int64_t now = clock_mono_ms();
	int64_t after = clock_mono_us() / 1000;

	(void)state;
	assert_true(before <= now && now <= after);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_the_wall_time_in_microseconds),
		cmocka_unit_test(never_goes_back),
		cmocka_unit_test(tells_milliseconds_on_the_same_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
