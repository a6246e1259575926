/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ABI's group table timer.  A timer belongs to its worker and is in the
 * worker's list, so that what is still set at the end is freed with it.
 */
#include "base/clock.h"
#include "base/must.h"
#include "loop/ctx.h"

#include <event2/event.h>
#include <stdlib.h>

struct convro_timer {
	struct list link;
	struct worker *worker;
	struct module *module;
	struct event *event;
	convro_task *task;
	void *arg;
	bool repeats;
};

static void
timer_free(struct convro_timer *timer)
{
	list_remove(&timer->link);
	event_free(timer->event);
	free(timer);
}

static void
fired(evutil_socket_t fd, short what, void *arg)
{
	struct convro_timer *timer = arg;
	struct worker *worker = timer->worker;
	struct module *module = timer->module;
	convro_task *task = timer->task;
	void *task_arg = timer->arg;

	(void)fd;
	(void)what;
	if (!timer->repeats)
		timer_free(timer);
	/* Out of memory: a repeating timer comes again; a single one is all its owner has. */
	if (!ctx_run(worker, module, task, task_arg))
		MUST(timer->repeats);
}

static struct convro_timer *
timer_new(struct convro_ctx *ctx, uint64_t ms, convro_task *task, void *arg, bool repeats)
{
	struct convro_timer *timer = calloc(1, sizeof(*timer));
	struct timeval in = { (time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000) };

	if (timer == NULL)
		return NULL;
	*timer = (struct convro_timer){ .worker = ctx->worker,
		.module = ctx->module,
		.task = task,
		.arg = arg,
		.repeats = repeats };
	list_init(&timer->link);
	timer->event =
	    event_new(ctx->worker->base, -1, repeats ? (short)EV_PERSIST : (short)0, fired, timer);
	if (timer->event == NULL || event_add(timer->event, &in) != 0) {
		if (timer->event != NULL)
			event_free(timer->event);
		free(timer);
		return NULL;
	}
	list_push_back(&ctx->worker->timers, &timer->link);
	return timer;
}

static struct convro_timer *
timer_after(struct convro_ctx *ctx, uint64_t ms, convro_task *task, void *arg)
{
	return timer_new(ctx, ms, task, arg, false);
}

static struct convro_timer *
timer_every(struct convro_ctx *ctx, uint64_t ms, convro_task *task, void *arg)
{
	return timer_new(ctx, ms, task, arg, true);
}

static void
timer_cancel(struct convro_timer *timer)
{
	if (timer != NULL)
		timer_free(timer);
}

static int64_t
timer_now(struct convro_ctx *ctx)
{
	(void)ctx;
	return clock_mono_ms();
}

void
timers_free(struct worker *worker)
{
	struct list *link;

	while ((link = list_first(&worker->timers)) != NULL)
		timer_free(LIST_OF(link, struct convro_timer, link));
}

const struct convro_timer_table timer_table = {
	.size = sizeof(struct convro_timer_table),
	.after = timer_after,
	.every = timer_every,
	.cancel = timer_cancel,
	.now = timer_now,
};
