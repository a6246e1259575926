/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Workers, timers and work that blocks or burns.
 */
#ifndef CONVRO_WORK_H
#define CONVRO_WORK_H

#include <convro/abi.h>

struct convro_timer;

/* A task with a context of its own. */
typedef void convro_task(struct convro_ctx *ctx, void *arg);

struct convro_timer_table { /* thread: worker; a timer stays on the worker that made it */
	uint32_t size;

	/* Runs `task` once after `ms`, or every `ms`.  NULL when memory is out.  The handle of a
	 * one-shot timer is dead once its task began. */
	struct convro_timer *(*after)(
	    struct convro_ctx *ctx, uint64_t ms, convro_task *task, void *arg);
	struct convro_timer *(*every)(
	    struct convro_ctx *ctx, uint64_t ms, convro_task *task, void *arg);
	void (*cancel)(struct convro_timer *timer); /* NULL is allowed */
	/* Milliseconds of a clock that never jumps. */
	int64_t (*now)(struct convro_ctx *ctx);
};

struct convro_work_table {
	uint32_t size;

	/* This context's worker, 0..workers()-1.  Thread: worker. */
	uint32_t (*worker)(struct convro_ctx *ctx);
	uint32_t (*workers)(struct convro_ctx *ctx);

	/* Runs `task` on a worker, in the order of the posts from one thread.  OVERLOAD or
	 * NO_MEMORY when it will not run.  Thread: worker, or an offloaded function through the
	 * context it was given. */
	enum convro_status (*post)(
	    struct convro_ctx *ctx, uint32_t worker, convro_task *task, void *arg);
	/* The same; but tasks that stem from completions of committed batches run on each worker in
	 * the order of their commits, whichever worker the completion ran on.  What a device is
	 * told about its messages goes this way, so that ids ascend on the socket as they do in the
	 * store. */
	enum convro_status (*post_in_commit_order)(
	    struct convro_ctx *ctx, uint32_t worker, convro_task *task, void *arg);

	/* Runs `burn` in the pool (no context, no table calls), then `done` in this context on this
	 * worker. OVERLOAD at once when the queue is full: neither runs, answer 503. */
	enum convro_status (*offload)(
	    struct convro_ctx *ctx, void (*burn)(void *arg), convro_task *done, void *arg);
};

#endif
