/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop: timers in their order, and nothing for a watch that is gone.
 */
#include "loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above it. */
#include <cmocka.h>

#include <sys/eventfd.h>
#include <unistd.h>

enum { TIMERS = 200 };

static struct loop loop;
static unsigned fired;
static uint64_t last;

static void
in_order(struct timer *timer)
{
	assert_true(timer->at >= last);
	assert_int_equal(timer->place, 0);
	last = timer->at;
	fired++;
}

static void
fires_timers_in_their_order(void **state)
{
	static struct timer timers[TIMERS];

	(void)state;
	loop_init(&loop);
	fired = 0;
	last = 0;
	for (unsigned i = 0; i < TIMERS; i++) {
		timers[i].fire = in_order;
		loop_at(&loop, &timers[i], 1 + random_next() % 1000);
	}
	for (unsigned i = 0; i < TIMERS; i += 4) /* some move, some go */
		loop_at(&loop, &timers[i], 1 + random_next() % 1000);
	for (unsigned i = 1; i < TIMERS; i += 4)
		loop_cancel(&loop, &timers[i]);
	assert_false(loop_run(&loop, now_ns() + NS_PER_MS));
	assert_int_equal(fired, TIMERS - TIMERS / 4);
	assert_int_equal(loop.count, 0);
	loop_fini(&loop);
}

static struct watch watches[2];

static void
unwatch_the_other(struct watch *watch, uint32_t events)
{
	struct watch *other = watch == &watches[0] ? &watches[1] : &watches[0];

	(void)events;
	fired++;
	loop_unwatch(&loop, other);
	loop_stop(&loop);
}

static void
forgets_a_watch_that_is_in_the_same_batch(void **state)
{
	(void)state;
	loop_init(&loop);
	fired = 0;
	for (unsigned i = 0; i < 2; i++) {
		watches[i] =
		    (struct watch){ .fd = eventfd(1, EFD_CLOEXEC), .ready = unwatch_the_other };
		assert_true(watches[i].fd >= 0);
		loop_watch(&loop, &watches[i], EPOLLIN);
	}
	assert_true(loop_run(&loop, now_ns() + NS_PER_S));
	assert_int_equal(fired, 1);
	loop_fini(&loop);
	for (unsigned i = 0; i < 2; i++)
		(void)close(watches[i].fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fires_timers_in_their_order),
		cmocka_unit_test(forgets_a_watch_that_is_in_the_same_batch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
