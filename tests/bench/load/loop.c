/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event loop: see loop.h.
 */
#include "loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
loop_init(struct loop *loop)
{
	*loop = (struct loop){ .epoll = epoll_create1(EPOLL_CLOEXEC) };
	if (loop->epoll < 0)
		die("could not create an epoll instance: %s", strerror(errno));
}

void
loop_fini(struct loop *loop)
{
	(void)close(loop->epoll);
	free(loop->timers);
}

static void
control(const struct loop *loop, int what, struct watch *watch, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };

	if (epoll_ctl(loop->epoll, what, watch->fd, &event) != 0)
		die("could not watch descriptor %d: %s", watch->fd, strerror(errno));
}

void
loop_watch(struct loop *loop, struct watch *watch, uint32_t events)
{
	control(loop, EPOLL_CTL_ADD, watch, events);
}

void
loop_rewatch(struct loop *loop, struct watch *watch, uint32_t events)
{
	control(loop, EPOLL_CTL_MOD, watch, events);
}

void
loop_unwatch(struct loop *loop, struct watch *watch)
{
	control(loop, EPOLL_CTL_DEL, watch, 0);
	for (int i = loop->current + 1; i < loop->nready; i++)
		if (loop->ready[i].data.ptr == watch)
			loop->ready[i].data.ptr = NULL;
}

/* ---- timers ---- */

static void
put(struct loop *loop, size_t place, struct timer *timer)
{
	loop->timers[place] = timer;
	timer->place = place;
}

static void
sift_up(struct loop *loop, size_t place, struct timer *timer)
{
	while (place > 1 && loop->timers[place / 2]->at > timer->at) {
		put(loop, place, loop->timers[place / 2]);
		place /= 2;
	}
	put(loop, place, timer);
}

static void
sift_down(struct loop *loop, size_t place, struct timer *timer)
{
	for (;;) {
		size_t child = 2 * place;

		if (child > loop->count)
			break;
		if (child < loop->count && loop->timers[child + 1]->at < loop->timers[child]->at)
			child++;
		if (loop->timers[child]->at >= timer->at)
			break;
		put(loop, place, loop->timers[child]);
		place = child;
	}
	put(loop, place, timer);
}

void
loop_at(struct loop *loop, struct timer *timer, uint64_t at)
{
	loop_cancel(loop, timer);
	timer->at = at;
	if (loop->count + 2 > loop->room) {
		loop->room = loop->room > 0 ? 2 * loop->room : 64;
		loop->timers = reallocate(loop->timers, loop->room, sizeof(struct timer *));
	}
	sift_up(loop, ++loop->count, timer);
}

void
loop_cancel(struct loop *loop, struct timer *timer)
{
	size_t place = timer->place;
	struct timer *last;

	if (place == 0)
		return;
	timer->place = 0;
	last = loop->timers[loop->count--];
	if (last == timer)
		return;
	if (place > 1 && loop->timers[place / 2]->at > last->at)
		sift_up(loop, place, last);
	else
		sift_down(loop, place, last);
}

static void
fire_due(struct loop *loop)
{
	uint64_t now = now_ns();

	while (loop->count > 0 && loop->timers[1]->at <= now && !loop->stopped) {
		struct timer *timer = loop->timers[1];

		loop_cancel(loop, timer);
		timer->fire(timer);
	}
}

/* ---- running ---- */

static void
wait_ready(struct loop *loop, uint64_t until)
{
	uint64_t now = now_ns();
	uint64_t next =
	    loop->count > 0 && loop->timers[1]->at < until ? loop->timers[1]->at : until;
	uint64_t left = next > now ? next - now : 0;
	struct timespec timeout = { .tv_sec = (time_t)(left / NS_PER_S),
		.tv_nsec = (long)(left % NS_PER_S) };

	loop->nready = epoll_pwait2(loop->epoll, loop->ready, LOOP_BATCH, &timeout, NULL);
	if (loop->nready < 0 && errno != EINTR)
		die("could not wait for events: %s", strerror(errno));
}

bool
loop_run(struct loop *loop, uint64_t until)
{
	loop->stopped = false;
	while (!loop->stopped && now_ns() < until) {
		wait_ready(loop, until);
		for (loop->current = 0; loop->current < loop->nready; loop->current++) {
			struct watch *watch = loop->ready[loop->current].data.ptr;

			if (watch != NULL)
				watch->ready(watch, loop->ready[loop->current].events);
		}
		loop->nready = 0;
		fire_due(loop);
	}
	return loop->stopped;
}

void
loop_stop(struct loop *loop)
{
	loop->stopped = true;
}
