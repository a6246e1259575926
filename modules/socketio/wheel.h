/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timer wheel: one per worker, driven by one timer, for the heartbeats, time
 * limits and token expiries of all sessions.  Setting and cancelling are O(1).
 */
#ifndef SOCKETIO_WHEEL_H
#define SOCKETIO_WHEEL_H

#include "ring.h"

#include <stdint.h>

#define WHEEL_SLOTS 512
#define WHEEL_TICK_MS                                                                              \
	100 /* unless said otherwise; an alarm fires up to this much after it is due, never before \
	     */

struct alarm {
	struct ring link;
	int64_t due;   /* milliseconds of the clock that wheel_run is given */
	uint32_t kind; /* the owner's; tells whoever is called what it is embedded in */
};

struct wheel {
	struct ring slots[WHEEL_SLOTS];
	int64_t tick;    /* number of the last one that ran */
	int64_t tick_ms; /* length of one */
};

void wheel_init(struct wheel *wheel, int64_t now);

/* The same with ticks of another length, for short time limits. */
void wheel_init_ticks(struct wheel *wheel, int64_t now, int64_t tick_ms);

/* An alarm that is not set. */
void alarm_init(struct alarm *alarm, uint32_t kind);

/* Sets it, or sets it anew. */
void wheel_set(struct wheel *wheel, struct alarm *alarm, int64_t due);

void alarm_cancel(struct alarm *alarm);

/* Calls `fire` for every alarm that is due.  It is not set any more then; the function may set and
 * cancel any alarm, and free what they are embedded in. */
void wheel_run(
    struct wheel *wheel, int64_t now, void (*fire)(void *arg, struct alarm *alarm), void *arg);

#endif
