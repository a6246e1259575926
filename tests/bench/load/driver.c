/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open and closed loop: see driver.h.
 */
#include "driver.h"

#include <inttypes.h>
#include <stdlib.h>

static uint64_t
intended_at(const struct driver *driver, uint64_t number)
{
	return driver->start + (uint64_t)((double)number * driver->interval);
}

/* The moment of the next operation; false when there is none any more. */
static bool
next_moment(const struct driver *driver, uint64_t now, uint64_t *out)
{
	if (driver->interval == 0) {
		*out = now;
		return !driver->ended;
	}
	*out = intended_at(driver, driver->issued);
	return driver->issued < driver->wanted;
}

/* Everything that is due and has a slot.  Operations that fail at once must not keep the loop from
 * its timers, so each slot is used once a turn. */
static void
issue_due(struct driver *driver)
{
	uint32_t turns = driver->slots;
	uint64_t now = now_ns(), intended;

	if (driver->issuing)
		return;
	driver->issuing = true;
	while (driver->nidle > 0 && next_moment(driver, now, &intended)) {
		uint32_t slot;

		if (intended > now || turns-- == 0) {
			loop_at(driver->loop, &driver->next, intended);
			break;
		}
		slot = driver->idle[driver->first++ % driver->slots];
		driver->nidle--;
		driver->intended[slot] = intended;
		driver->issue(driver, slot, driver->issued++, intended);
		now = now_ns();
	}
	driver->issuing = false;
}

static void
next_is_due(struct timer *timer)
{
	issue_due(timer->arg);
}

static void
window_begins(struct timer *timer)
{
	struct driver *driver = timer->arg;

	measure_begin(driver->measure);
}

static void
window_ends(struct timer *timer)
{
	struct driver *driver = timer->arg;

	measure_end(driver->measure);
	driver->ended = true;
	loop_stop(driver->loop);
}

void
driver_init(
    struct driver *driver, struct loop *loop, struct measure *measure, uint32_t slots, double rate)
{
	driver->loop = loop;
	driver->measure = measure;
	driver->interval = rate > 0 ? NS_PER_S / rate : 0;
	driver->slots = driver->nidle = slots;
	driver->idle = allocate(slots, sizeof(*driver->idle));
	driver->intended = allocate(slots, sizeof(*driver->intended));
	for (uint32_t i = 0; i < slots; i++)
		driver->idle[i] = i;
	driver->next = (struct timer){ .fire = next_is_due, .arg = driver };
	driver->begin = (struct timer){ .fire = window_begins, .arg = driver };
	driver->end = (struct timer){ .fire = window_ends, .arg = driver };
}

void
driver_fini(struct driver *driver)
{
	free(driver->idle);
	free(driver->intended);
}

/* In an open loop it is the intended moment that belongs to the window or to the warm-up. */
static void
record(struct driver *driver, uint64_t intended, uint64_t now)
{
	if (driver->interval == 0 || intended >= driver->window)
		histogram_record(&driver->measure->latency, now - intended);
}

static bool
is_done(const struct driver *driver)
{
	return driver->ended && driver->nidle == driver->slots &&
	       (driver->interval == 0 || driver->issued == driver->wanted);
}

/* What had no answer, and what was never begun, has waited until now: the least that its latency
 * can be. */
static void
count_unfinished(struct driver *driver)
{
	struct measure *measure = driver->measure;
	uint64_t now = now_ns();
	uint64_t unanswered = 0, unissued = 0;

	for (uint32_t i = 0; i < driver->slots; i++) {
		if (driver->intended[i] != 0) {
			record(driver, driver->intended[i], now);
			unanswered++;
		}
	}
	for (uint64_t i = driver->issued; i < driver->wanted; i++) {
		record(driver, intended_at(driver, i), now);
		unissued++;
	}
	if (unanswered + unissued > 0)
		measure_error(measure,
		    "%" PRIu64 " operations had no answer and %" PRIu64
		    " were not begun %.1f s after the end",
		    unanswered, unissued, measure->options->timeout);
	measure_more(measure, "unfinished", "%" PRIu64, unanswered + unissued);
}

void
driver_run(struct driver *driver)
{
	const struct options *options = driver->measure->options;
	uint64_t end;

	driver->start = now_ns();
	driver->window = driver->start + (uint64_t)(options->warmup * NS_PER_S);
	end = driver->window + (uint64_t)(options->seconds * NS_PER_S);
	driver->measure->begin = driver->measure->end = UINT64_MAX;
	if (driver->interval > 0)
		driver->wanted = (uint64_t)((double)(end - driver->start) / driver->interval);
	loop_at(driver->loop, &driver->begin, driver->window);
	loop_at(driver->loop, &driver->end, end);
	issue_due(driver);
	while (!driver->ended)
		(void)loop_run(driver->loop, end + NS_PER_S);

	end = now_ns() + (uint64_t)(options->timeout * NS_PER_S);
	while (!is_done(driver) && loop_run(driver->loop, end))
		continue;
	loop_cancel(driver->loop, &driver->next);
	count_unfinished(driver);
}

void
driver_completed(struct driver *driver, uint64_t intended, uint64_t now)
{
	struct measure *measure = driver->measure;
	bool inside = now >= measure->begin && now < measure->end;

	if (inside)
		measure->operations++;
	/* In an open loop all that was intended counts, however late its answer is. */
	if (inside || driver->interval > 0)
		record(driver, intended, now);
}

void
driver_release(struct driver *driver, uint32_t slot)
{
	driver->idle[(driver->first + driver->nidle++) % driver->slots] = slot;
	driver->intended[slot] = 0;
	issue_due(driver);
	if (is_done(driver))
		loop_stop(driver->loop);
}
