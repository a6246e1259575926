/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event loop: epoll, and a heap of timers with nanoseconds.  Own and small,
 * because the generator must cost less than what it measures.
 */
#ifndef LOAD_LOOP_H
#define LOAD_LOOP_H

#include "base.h"

#include <stdbool.h>
#include <sys/epoll.h>

struct watch {
	int fd;
	void (*ready)(struct watch *watch, uint32_t events); /* EPOLLIN ... */
	void *arg;
};

struct timer {
	uint64_t at;                       /* now_ns() */
	void (*fire)(struct timer *timer); /* it is no longer set then */
	void *arg;
	size_t place; /* in the heap, from 1; 0 = not set */
};

enum { LOOP_BATCH = 256 };

struct loop {
	int epoll;
	bool stopped;          /* set by loop_stop, cleared by loop_run */
	struct timer **timers; /* a binary heap, [1] is due first */
	size_t count, room;
	int nready, current;
	struct epoll_event ready[LOOP_BATCH];
};

void loop_init(struct loop *loop);
void loop_fini(struct loop *loop);

/* Level-triggered.  Ends the program where the kernel refuses. */
void loop_watch(struct loop *loop, struct watch *watch, uint32_t events);
void loop_rewatch(struct loop *loop, struct watch *watch, uint32_t events);

/* Before the descriptor is closed: what is still in the current batch is forgotten too. */
void loop_unwatch(struct loop *loop, struct watch *watch);

/* Sets the timer, also one that is set already. */
void loop_at(struct loop *loop, struct timer *timer, uint64_t at);
void loop_cancel(struct loop *loop, struct timer *timer);

/* Runs until loop_stop or until the clock shows `until`; true when it was stopped. */
bool loop_run(struct loop *loop, uint64_t until);
void loop_stop(struct loop *loop);

#endif
