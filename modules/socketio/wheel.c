/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timer wheel.  An alarm further away than one turn stays in its slot and is
 * looked at once a turn.
 */
#include "wheel.h"

void
wheel_init(struct wheel *wheel, int64_t now)
{
	wheel_init_ticks(wheel, now, WHEEL_TICK_MS);
}

void
wheel_init_ticks(struct wheel *wheel, int64_t now, int64_t tick_ms)
{
	for (unsigned i = 0; i < WHEEL_SLOTS; i++)
		ring_init(&wheel->slots[i]);
	wheel->tick_ms = tick_ms;
	wheel->tick = now / tick_ms;
}

void
alarm_init(struct alarm *alarm, uint32_t kind)
{
	ring_init(&alarm->link);
	alarm->due = 0;
	alarm->kind = kind;
}

void
wheel_set(struct wheel *wheel, struct alarm *alarm, int64_t due)
{
	int64_t tick = (due + wheel->tick_ms - 1) / wheel->tick_ms;

	if (tick <= wheel->tick)
		tick = wheel->tick + 1;
	alarm->due = due;
	ring_remove(&alarm->link);
	ring_push(&wheel->slots[tick % WHEEL_SLOTS], &alarm->link);
}

void
alarm_cancel(struct alarm *alarm)
{
	ring_remove(&alarm->link);
}

void
wheel_run(struct wheel *wheel, int64_t now, void (*fire)(void *arg, struct alarm *alarm), void *arg)
{
	int64_t last = now / wheel->tick_ms;

	/* After a long pause every slot is looked at once. */
	if (last - wheel->tick > WHEEL_SLOTS)
		wheel->tick = last - WHEEL_SLOTS;
	while (wheel->tick < last) {
		struct ring slot;

		wheel->tick++;
		ring_take_all(&wheel->slots[wheel->tick % WHEEL_SLOTS], &slot);
		while (!ring_is_empty(&slot)) {
			struct alarm *alarm = RING_ENTRY(slot.next, struct alarm, link);

			ring_remove(&alarm->link);
			if (alarm->due > now)
				wheel_set(wheel, alarm, alarm->due);
			else
				fire(arg, alarm);
		}
	}
}
