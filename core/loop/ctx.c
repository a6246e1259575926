/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contexts and the ABI's group tables work, timer and mem.
 */
#include "loop/ctx.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/must.h"
#include "base/slab.h"
#include "log/log.h"
#include "loop/commit_order.h"
#include "loop/offload.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

enum {
	ARENA_FIRST = 4096, /* bytes: a request with a short body and its answer */
	SPARE_MOST = 128,   /* contexts a worker keeps for reuse */
};

struct convro_ctx *
ctx_new(struct worker *worker, struct module *module)
{
	struct convro_ctx *ctx = NULL;
	struct list *link = spare_take(&worker->spare_contexts);
	struct arena *arena;

	if (link != NULL) {
		ctx = LIST_OF(link, struct convro_ctx, link);
		arena = ctx->arena;
	} else {
		ctx = malloc(sizeof(*ctx));
		arena = arena_new(ARENA_FIRST);
		if (ctx == NULL || arena == NULL) {
			free(ctx);
			arena_free(arena);
			return NULL;
		}
	}
	*ctx = (struct convro_ctx){ .worker = worker, .module = module, .arena = arena, .refs = 1 };
	list_init(&ctx->link);
	list_push_back(&worker->contexts, &ctx->link);
	worker->context_count++;
	return ctx;
}

void
ctx_ref(struct convro_ctx *ctx)
{
	MUST(ctx->refs > 0);
	ctx->refs++;
}

struct ctx_ending {
	struct ctx_ending *next;
	void (*function)(void *arg);
	void *arg;
};

bool
ctx_at_end(struct convro_ctx *ctx, void (*function)(void *arg), void *arg)
{
	struct ctx_ending *ending = arena_alloc(ctx->arena, sizeof(*ending));

	if (ending == NULL)
		return false;
	*ending = (struct ctx_ending){ ctx->endings, function, arg };
	ctx->endings = ending;
	return true;
}

void
ctx_unref(struct convro_ctx *ctx)
{
	struct worker *worker = ctx->worker;

	MUST(ctx->refs > 0);
	if (--ctx->refs == 1 && ctx->stranded != NULL) {
		ctx->stranded(ctx); /* may end the context */
		return;
	}
	if (ctx->refs > 0)
		return;

	for (struct ctx_ending *ending = ctx->endings; ending != NULL; ending = ending->next)
		ending->function(ending->arg);
	list_remove(&ctx->link);
	worker->context_count--;
	if (spare_give(&worker->spare_contexts, &ctx->link, SPARE_MOST)) {
		arena_reset(ctx->arena);
		return;
	}
	arena_free(ctx->arena);
	free(ctx);
}

static void
free_spare(struct list *link)
{
	struct convro_ctx *ctx = LIST_OF(link, struct convro_ctx, link);

	arena_free(ctx->arena);
	free(ctx);
}

static bool
trim_spare(struct trimmer *trimmer)
{
	struct worker *worker = LIST_OF(trimmer, struct worker, context_trimmer);
	struct list *link;

	while ((link = spare_trim(&worker->spare_contexts)) != NULL)
		free_spare(link);
	return false;
}

void
ctx_init(struct worker *worker)
{
	spare_init(&worker->spare_contexts);
	worker->context_trimmer.trim = trim_spare;
	trimmer_add(worker, &worker->context_trimmer);
}

void
ctx_fini(struct worker *worker)
{
	struct list *link;

	while ((link = spare_take(&worker->spare_contexts)) != NULL)
		free_spare(link);
}

bool
ctx_run(struct worker *worker, struct module *module, convro_task *function, void *arg)
{
	struct convro_ctx *ctx = ctx_new(worker, module);

	if (ctx == NULL)
		return false;
	function(ctx, arg);
	ctx_unref(ctx);
	return true;
}

/* ---- mem ---- */

static void *
mem_alloc(struct convro_ctx *ctx, size_t len)
{
	return arena_alloc(ctx->arena, len);
}

static void *
mem_zero(struct convro_ctx *ctx, size_t len)
{
	return arena_zero(ctx->arena, 1, len);
}

static char *
mem_copy(struct convro_ctx *ctx, const void *data, size_t len)
{
	return arena_copy(ctx->arena, data, len);
}

struct convro_pool {
	struct slab slab;
};

static struct convro_pool *
mem_pool_new(struct convro_ctx *ctx, size_t size)
{
	struct convro_pool *pool = malloc(sizeof(*pool));

	(void)ctx;
	if (pool != NULL)
		slab_init(&pool->slab, size);
	return pool;
}

static void
mem_pool_free(struct convro_pool *pool)
{
	if (pool == NULL)
		return;
	/* A module's mistake is no reason to end the process: the memory stays. */
	if (pool->slab.taken == 0)
		slab_fini(&pool->slab);
	else
		log_warning(
		    "a module frees a pool while %zu of its objects are in use", pool->slab.taken);
	free(pool);
}

static void *
mem_pool_take(struct convro_pool *pool)
{
	return slab_take(&pool->slab);
}

static void
mem_pool_give(struct convro_pool *pool, void *object)
{
	slab_give(&pool->slab, object);
}

const struct convro_mem_table mem_table = {
	.size = sizeof(struct convro_mem_table),
	.alloc = mem_alloc,
	.zero = mem_zero,
	.copy = mem_copy,
	.pool_new = mem_pool_new,
	.pool_free = mem_pool_free,
	.pool_take = mem_pool_take,
	.pool_give = mem_pool_give,
};

/* ---- work ---- */

static uint32_t
work_worker(struct convro_ctx *ctx)
{
	return ctx->worker->index;
}

static uint32_t
work_workers(struct convro_ctx *ctx)
{
	return ctx->worker->worker_count;
}

/* A task of a module on its way; both kinds of post use it. */
struct posted {
	struct commit_task commit;
	struct module *module;
	convro_task *function;
	void *arg;
};

static void
run_posted(struct worker *worker, struct posted *posted)
{
	struct module *module = posted->module;
	convro_task *function = posted->function;
	void *arg = posted->arg;
	/* Without a context the task cannot run, and its sender was promised that it does: wait is
	 * no option on a loop, so memory that is out here ends the process rather than losing a
	 * task. */
	bool ran;

	free(posted);
	ran = ctx_run(worker, module, function, arg);
	MUST(ran);
}

static void
run_task(struct worker *worker, struct task *task)
{
	run_posted(worker, LIST_OF(task, struct posted, commit.task));
}

static void
run_in_commit_order(struct worker *worker, struct commit_task *task)
{
	run_posted(worker, LIST_OF(task, struct posted, commit));
}

static struct posted *
posted_new(struct convro_ctx *ctx, convro_task *function, void *arg)
{
	struct posted *posted = malloc(sizeof(*posted));

	if (posted != NULL)
		*posted =
		    (struct posted){ .module = ctx->module, .function = function, .arg = arg };
	return posted;
}

static enum convro_status
work_post(struct convro_ctx *ctx, uint32_t worker, convro_task *function, void *arg)
{
	struct posted *posted = posted_new(ctx, function, arg);

	MUST(worker < ctx->worker->worker_count);
	if (posted == NULL)
		return CONVRO_NO_MEMORY;
	posted->commit.task.run = run_task;
	worker_post(&ctx->worker->workers[worker], &posted->commit.task);
	return CONVRO_OK;
}

static enum convro_status
work_post_in_commit_order(struct convro_ctx *ctx, uint32_t worker, convro_task *function, void *arg)
{
	struct posted *posted = posted_new(ctx, function, arg);

	MUST(worker < ctx->worker->worker_count);
	if (posted == NULL)
		return CONVRO_NO_MEMORY;
	posted->commit.run = run_in_commit_order;
	/* One worker runs its completions in the order of commits anyway. */
	posted->commit.group = ctx->worker->worker_count > 1 ? ctx->commit_group : 0;
	posted->commit.index = ctx->commit_index;
	commit_order_post(&ctx->worker->workers[worker], &posted->commit);
	return CONVRO_OK;
}

struct offloaded {
	struct offload_job job;
	struct convro_ctx *ctx; /* one reference */
	struct module *module;
	void (*burn)(void *arg);
	convro_task *done;
	void *arg;
};

static void
burn_offloaded(struct offload_job *job)
{
	struct offloaded *offloaded = LIST_OF(job, struct offloaded, job);

	offloaded->burn(offloaded->arg);
}

static void
offloaded_done(struct worker *worker, struct task *task)
{
	struct offloaded *offloaded = LIST_OF(task, struct offloaded, job.task);
	struct convro_ctx *ctx = offloaded->ctx;

	(void)worker;
	ctx->module = offloaded->module;
	offloaded->done(ctx, offloaded->arg);
	free(offloaded);
	ctx_unref(ctx);
}

static enum convro_status
work_offload(struct convro_ctx *ctx, void (*burn)(void *arg), convro_task *done, void *arg)
{
	struct offloaded *offloaded = malloc(sizeof(*offloaded));

	if (offloaded == NULL)
		return CONVRO_NO_MEMORY;
	*offloaded = (struct offloaded){
		.job = { .burn = burn_offloaded, .worker = ctx->worker },
		.ctx = ctx,
		.module = ctx->module,
		.burn = burn,
		.done = done,
		.arg = arg,
	};
	offloaded->job.task.run = offloaded_done;
	ctx_ref(ctx);
	if (!offload_submit(ctx->worker->offload, &offloaded->job)) {
		free(offloaded);
		ctx->refs--; /* not ctx_unref: the caller still runs and will answer */
		return CONVRO_OVERLOAD;
	}
	return CONVRO_OK;
}

const struct convro_work_table work_table = {
	.size = sizeof(struct convro_work_table),
	.worker = work_worker,
	.workers = work_workers,
	.post = work_post,
	.post_in_commit_order = work_post_in_commit_order,
	.offload = work_offload,
};
