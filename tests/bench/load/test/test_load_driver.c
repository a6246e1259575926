/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open and closed loop: nothing that was intended may be missing from the
 * latencies, however little the server does.
 */
#include "driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above it. */
#include <cmocka.h>

#include <string.h>

static struct measure measure;
static struct options options;
static struct loop loop;
static struct driver driver;
static uint64_t issued, last_intended;

static void
remember(uint64_t intended)
{
	assert_true(intended >= last_intended);
	last_intended = intended;
	issued++;
}

static void
answer_at_once(struct driver *self, uint32_t slot, uint64_t number, uint64_t intended)
{
	(void)number;
	remember(intended);
	driver_completed(self, intended, now_ns());
	driver_release(self, slot);
}

static void
never_answer(struct driver *self, uint32_t slot, uint64_t number, uint64_t intended)
{
	(void)self;
	(void)slot;
	(void)number;
	remember(intended);
}

/* A server that stands still for 30 ms when it gets its first request. */
static void
stall_first(struct driver *self, uint32_t slot, uint64_t number, uint64_t intended)
{
	uint64_t until = now_ns() + 30 * (uint64_t)NS_PER_MS;

	while (number == 0 && now_ns() < until)
		continue;
	answer_at_once(self, slot, number, intended);
}

/* 50 operations in 50 ms, or a closed loop. */
static void
run(double rate, uint32_t slots, void (*issue)(struct driver *, uint32_t, uint64_t, uint64_t))
{
	memset(&driver, 0, sizeof(driver));
	options = (struct options){ .scenario = "test", .seconds = 0.05, .timeout = 0.02 };
	measure_init(&measure, &options);
	issued = last_intended = 0;
	driver.issue = issue;
	loop_init(&loop);
	driver_init(&driver, &loop, &measure, slots, rate);
	driver_run(&driver);
	driver_fini(&driver);
	loop_fini(&loop);
}

static void
asks_as_often_as_it_is_told_to(void **state)
{
	(void)state;
	run(1000, 4, answer_at_once);
	assert_int_equal(issued, 50);
	assert_int_equal(measure.latency.count, 50);
	assert_int_equal(measure.errors, 0);
}

static void
counts_what_waited_for_a_server_that_stands_still(void **state)
{
	(void)state;
	run(1000, 4, stall_first);
	assert_int_equal(measure.latency.count, 50);
	/* Those that were intended within the 30 ms waited: 30, 29, 28 ... ms. */
	assert_true(measure.latency.max >= 30 * (uint64_t)NS_PER_MS);
	assert_true(histogram_quantile(&measure.latency, 0.7) >= 14 * (uint64_t)NS_PER_MS);
}

static void
counts_what_was_never_answered_and_what_never_began(void **state)
{
	(void)state;
	run(1000, 1, never_answer);
	assert_int_equal(issued, 1);
	assert_int_equal(measure.latency.count, 50);
	assert_int_equal(measure.errors, 1);
	assert_string_equal(measure.first_error,
	    "1 operations had no answer and 49 were not begun 0.0 s after the end");
	/* Even the last was intended 20 ms before the end of the wait. */
	assert_true(histogram_quantile(&measure.latency, 0.01) >= 20 * (uint64_t)NS_PER_MS);
}

static void
keeps_all_slots_busy_in_a_closed_loop(void **state)
{
	(void)state;
	run(0, 3, never_answer);
	assert_int_equal(issued, 3);
	assert_int_equal(measure.errors, 1);
}

static void
ends_a_closed_loop_of_answers_that_come_at_once(void **state)
{
	(void)state;
	run(0, 3, answer_at_once);
	assert_true(issued > 3);
	assert_true(measure.operations > 0);
	assert_int_equal(measure.operations, measure.latency.count);
	assert_int_equal(measure.errors, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asks_as_often_as_it_is_told_to),
		cmocka_unit_test(counts_what_waited_for_a_server_that_stands_still),
		cmocka_unit_test(counts_what_was_never_answered_and_what_never_began),
		cmocka_unit_test(keeps_all_slots_busy_in_a_closed_loop),
		cmocka_unit_test(ends_a_closed_loop_of_answers_that_come_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
