/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The timer wheel, under a clock that moves when told.
 */
#include <stdbool.h>
#include <stdlib.h>

/* The module links against nothing of ours, so its code is compiled in. */
#include "../../modules/socketio/wheel.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka needs the three above it. */
#include <cmocka.h>

#define START INT64_C(1234567)
#define TURN  ((int64_t)WHEEL_SLOTS * WHEEL_TICK_MS)

struct heard {
	struct wheel wheel;
	int64_t now;
	unsigned count;
	uint32_t kinds[64];
	struct alarm *cancels; /* cancelled by whichever alarm fires first */
	struct alarm *repeats; /* set anew whenever it fires */
};

static void
fire(void *arg, struct alarm *alarm)
{
	struct heard *heard = arg;

	assert_true(alarm->due <= heard->now);
	heard->kinds[heard->count++ % 64] = alarm->kind;
	if (heard->cancels != NULL)
		alarm_cancel(heard->cancels);
	if (heard->repeats == alarm)
		wheel_set(&heard->wheel, alarm, heard->now);
}

static void
run_to(struct heard *heard, int64_t now)
{
	heard->now = now;
	wheel_run(&heard->wheel, now, fire, heard);
}

static void
start(struct heard *heard)
{
	*heard = (struct heard){ .now = START };
	wheel_init(&heard->wheel, START);
}

static void
fires_once_and_not_before_it_is_due(void **state)
{
	struct heard heard;
	struct alarm alarm;

	(void)state;
	start(&heard);
	alarm_init(&alarm, 7);
	wheel_set(&heard.wheel, &alarm, START + 250);
	run_to(&heard, START + 249);
	assert_int_equal(heard.count, 0);
	run_to(&heard, START + 250 + WHEEL_TICK_MS);
	assert_int_equal(heard.count, 1);
	assert_int_equal(heard.kinds[0], 7);
	run_to(&heard, START + 3 * TURN);
	assert_int_equal(heard.count, 1);
}

static void
waits_for_more_than_a_turn(void **state)
{
	struct heard heard;
	struct alarm alarm;

	(void)state;
	start(&heard);
	alarm_init(&alarm, 1);
	wheel_set(&heard.wheel, &alarm, START + 3 * TURN + 50);
	for (int64_t now = START; now < START + 3 * TURN; now += 90)
		run_to(&heard, now);
	assert_int_equal(heard.count, 0);
	run_to(&heard, START + 3 * TURN + 50 + WHEEL_TICK_MS);
	assert_int_equal(heard.count, 1);
}

static void
fires_what_became_due_in_a_long_pause(void **state)
{
	struct heard heard;
	struct alarm alarms[3];

	(void)state;
	start(&heard);
	for (uint32_t i = 0; i < 3; i++) {
		alarm_init(&alarms[i], i);
		wheel_set(&heard.wheel, &alarms[i], START + (int64_t)i * TURN + 300);
	}
	run_to(&heard, START + 10 * TURN);
	assert_int_equal(heard.count, 3);
}

static void
an_alarm_of_the_past_fires_with_the_next_tick(void **state)
{
	struct heard heard;
	struct alarm alarm;

	(void)state;
	start(&heard);
	alarm_init(&alarm, 1);
	wheel_set(&heard.wheel, &alarm, START - 5000);
	run_to(&heard, START + WHEEL_TICK_MS);
	assert_int_equal(heard.count, 1);
}

static void
setting_anew_moves_it(void **state)
{
	struct heard heard;
	struct alarm alarm;

	(void)state;
	start(&heard);
	alarm_init(&alarm, 1);
	wheel_set(&heard.wheel, &alarm, START + 200);
	wheel_set(&heard.wheel, &alarm, START + 1000);
	run_to(&heard, START + 900);
	assert_int_equal(heard.count, 0);
	run_to(&heard, START + 1100);
	assert_int_equal(heard.count, 1);
}

static void
a_cancelled_one_is_silent_even_in_the_same_tick(void **state)
{
	struct heard heard;
	struct alarm first, second, third;

	(void)state;
	start(&heard);
	alarm_init(&first, 1);
	alarm_init(&second, 2);
	alarm_init(&third, 3);
	wheel_set(&heard.wheel, &first, START + 200);
	wheel_set(&heard.wheel, &second, START + 200);
	wheel_set(&heard.wheel, &third, START + 200);
	alarm_cancel(&third);
	alarm_cancel(&third);
	heard.cancels = &second;
	run_to(&heard, START + 1000);
	assert_int_equal(heard.count, 1);
	assert_int_equal(heard.kinds[0], 1);
}

static void
one_that_sets_itself_comes_once_a_tick(void **state)
{
	struct heard heard;
	struct alarm alarm;

	(void)state;
	start(&heard);
	alarm_init(&alarm, 1);
	heard.repeats = &alarm;
	wheel_set(&heard.wheel, &alarm, START);
	for (int i = 1; i <= 10; i++)
		run_to(&heard, START + (int64_t)i * WHEEL_TICK_MS);
	assert_int_equal(heard.count, 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fires_once_and_not_before_it_is_due),
		cmocka_unit_test(waits_for_more_than_a_turn),
		cmocka_unit_test(fires_what_became_due_in_a_long_pause),
		cmocka_unit_test(an_alarm_of_the_past_fires_with_the_next_tick),
		cmocka_unit_test(setting_anew_moves_it),
		cmocka_unit_test(a_cancelled_one_is_silent_even_in_the_same_tick),
		cmocka_unit_test(one_that_sets_itself_comes_once_a_tick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
