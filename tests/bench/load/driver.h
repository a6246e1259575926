/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the next operation begins.  Closed loop: as soon as a slot (a connection,
 * a place among what is outstanding) is free.  Open loop: at moments fixed in
 * advance, begin + i / rate; one that finds no free slot waits, and its latency
 * counts from the moment it was intended for, so that a server that stalls
 * cannot make the generator ask less (coordinated omission).
 */
#ifndef LOAD_DRIVER_H
#define LOAD_DRIVER_H

#include "loop.h"
#include "measure.h"

struct driver {
	struct loop *loop;       /* borrowed */
	struct measure *measure; /* borrowed */
	/* Begins operation `number` on a free slot; its end is told by driver_completed (any number
	 * of times) and driver_release. */
	void (*issue)(struct driver *driver, uint32_t slot, uint64_t number, uint64_t intended);
	void *arg;
	double interval; /* ns between two operations; 0 = closed loop */
	uint64_t start;  /* of the warm-up */
	uint64_t window; /* where the warm-up ends, as planned */
	uint64_t issued;
	uint64_t wanted; /* open loop: how many there are, warm-up included */
	bool ended;      /* the window is over */
	bool issuing;    /* guards against recursion */
	uint32_t slots, nidle;
	uint32_t *idle;     /* a ring, so that all slots take turns */
	uint64_t first;     /* in it; counts up */
	uint64_t *intended; /* of each slot; 0 = idle */
	struct timer next, begin, end;
};

/* `rate` operations a second, 0 = closed loop. */
void driver_init(
    struct driver *driver, struct loop *loop, struct measure *measure, uint32_t slots, double rate);
void driver_fini(struct driver *driver);

/* Warm-up, window, and what is outstanding then, for at most options.timeout; operations that are
 * still not done are errors, in an open loop with the time that they have waited. */
void driver_run(struct driver *driver);

/* A result came at `now`. */
void driver_completed(struct driver *driver, uint64_t intended, uint64_t now);

/* The slot can take the next operation, which may begin before this returns. */
void driver_release(struct driver *driver, uint32_t slot);

#endif
