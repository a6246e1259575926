/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The group tables timer, work, mem, log, conf and json: a clock that moves when
 * told, a pool that burns at once, memory that runs out when told.
 */
#include "private.h"

#include "conf/private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- clock and timers ---- */

static struct convro_timer *
set_timer(struct convro_ctx *ctx, uint64_t ms, int64_t every, convro_task *task, void *arg)
{
	struct kit *kit = kit_of(ctx);
	struct convro_timer *timer;

	if (!kit_has_memory(kit))
		return NULL;
	timer = kit_alloc(kit, sizeof(*timer));
	*timer = (struct convro_timer){ kit->timers, kit, kit->mono_ms + (int64_t)ms, every, task,
		arg, false };
	kit->timers = timer;
	return timer;
}

static struct convro_timer *
after(struct convro_ctx *ctx, uint64_t ms, convro_task *task, void *arg)
{
	return set_timer(ctx, ms, 0, task, arg);
}

static struct convro_timer *
every(struct convro_ctx *ctx, uint64_t ms, convro_task *task, void *arg)
{
	return set_timer(ctx, ms, (int64_t)ms, task, arg);
}

static void
cancel(struct convro_timer *timer)
{
	if (timer != NULL)
		timer->dead = true;
}

static int64_t
mono_now(struct convro_ctx *ctx)
{
	return kit_of(ctx)->mono_ms;
}

const struct convro_timer_table kit_timer = {
	.size = sizeof(struct convro_timer_table),
	.after = after,
	.every = every,
	.cancel = cancel,
	.now = mono_now,
};

static struct convro_timer *
first_due(const struct kit *kit, int64_t until)
{
	struct convro_timer *first = NULL;

	for (struct convro_timer *at = kit->timers; at != NULL; at = at->next)
		if (!at->dead && at->due <= until && (first == NULL || at->due < first->due))
			first = at;
	return first;
}

void
kit_advance(struct kit *kit, int64_t ms)
{
	int64_t until = kit->mono_ms + ms;
	struct convro_timer *timer;

	while ((timer = first_due(kit, until)) != NULL) {
		kit->wall_us += (timer->due - kit->mono_ms) * 1000;
		kit->mono_ms = timer->due;
		timer->due += timer->every;
		timer->dead = timer->every == 0;
		kit_run(kit, timer->task, timer->arg);
	}
	kit->wall_us += (until - kit->mono_ms) * 1000;
	kit->mono_ms = until;
}

int64_t
kit_now(struct kit *kit)
{
	return kit->wall_us;
}

/* ---- work ---- */

struct posted {
	struct kit_job job;
	struct convro_ctx *ctx; /* of an offload: one reference; of a post: a new one */
	convro_task *task;
	void *arg;
};

static void
run_posted(struct kit_job *job)
{
	struct posted *posted = (struct posted *)(void *)job;

	posted->task(posted->ctx, posted->arg);
	ctx_unref(posted->ctx);
	free(posted);
}

static void
queue_task(struct kit *kit, struct convro_ctx *ctx, convro_task *task, void *arg)
{
	struct posted *posted = malloc(sizeof(*posted));

	if (posted == NULL)
		kit_broken("out of memory");
	*posted = (struct posted){ { NULL, run_posted }, ctx, task, arg };
	kit_queue(kit, &posted->job);
}

static uint32_t
worker(struct convro_ctx *ctx)
{
	return kit_of(ctx)->worker.index;
}

static uint32_t
workers(struct convro_ctx *ctx)
{
	return kit_of(ctx)->worker.worker_count;
}

static enum convro_status
post(struct convro_ctx *ctx, uint32_t number, convro_task *task, void *arg)
{
	struct kit *kit = kit_of(ctx);

	if (number >= kit->worker.worker_count)
		kit_broken("a post to worker %u", number);
	queue_task(kit, kit_ctx(kit), task, arg);
	return CONVRO_OK;
}

static enum convro_status
offload(struct convro_ctx *ctx, void (*burn)(void *arg), convro_task *done, void *arg)
{
	struct kit *kit = kit_of(ctx);

	if (kit->refusals > 0) {
		kit->refusals--;
		return CONVRO_OVERLOAD;
	}
	burn(arg);
	ctx_ref(ctx);
	queue_task(kit, ctx, done, arg);
	return CONVRO_OK;
}

const struct convro_work_table kit_work = {
	.size = sizeof(struct convro_work_table),
	.worker = worker,
	.workers = workers,
	.post = post,
	.post_in_commit_order = post,
	.offload = offload,
};

void
kit_refuse_offload(struct kit *kit, uint32_t count)
{
	kit->refusals = count;
}

/* ---- memory ---- */

bool
kit_has_memory(struct kit *kit)
{
	if (kit->memory == 0)
		return false;
	kit->memory -= kit->memory > 0;
	return true;
}

void
kit_memory(struct kit *kit, long left)
{
	kit->memory = left;
}

static void *
mem_alloc(struct convro_ctx *ctx, size_t len)
{
	return kit_has_memory(kit_of(ctx)) ? mem_table.alloc(ctx, len) : NULL;
}

static void *
mem_zero(struct convro_ctx *ctx, size_t len)
{
	return kit_has_memory(kit_of(ctx)) ? mem_table.zero(ctx, len) : NULL;
}

static char *
mem_copy(struct convro_ctx *ctx, const void *data, size_t len)
{
	return kit_has_memory(kit_of(ctx)) ? mem_table.copy(ctx, data, len) : NULL;
}

/* Each object is one of malloc, so that a sanitizer sees who uses it after, or forgets it. */
struct convro_pool {
	struct kit *kit;
	size_t size;
};

static struct convro_pool *
mem_pool_new(struct convro_ctx *ctx, size_t size)
{
	struct convro_pool *pool = kit_has_memory(kit_of(ctx)) ? malloc(sizeof(*pool)) : NULL;

	if (pool != NULL)
		*pool = (struct convro_pool){ kit_of(ctx), size };
	return pool;
}

static void
mem_pool_free(struct convro_pool *pool)
{
	free(pool);
}

static void *
mem_pool_take(struct convro_pool *pool)
{
	return kit_has_memory(pool->kit) ? calloc(1, pool->size) : NULL;
}

static void
mem_pool_give(struct convro_pool *pool, void *object)
{
	(void)pool;
	free(object);
}

const struct convro_mem_table kit_mem = {
	.size = sizeof(struct convro_mem_table),
	.alloc = mem_alloc,
	.zero = mem_zero,
	.copy = mem_copy,
	.pool_new = mem_pool_new,
	.pool_free = mem_pool_free,
	.pool_take = mem_pool_take,
	.pool_give = mem_pool_give,
};

static struct convro_json *
make(struct convro_ctx *ctx)
{
	return kit_has_memory(kit_of(ctx)) ? json_table.make(ctx) : NULL;
}

const struct convro_json_table *
kit_json(void)
{
	static struct convro_json_table table;

	table = json_table;
	table.make = make;
	return &table;
}

/* ---- log ---- */

static void log_write(struct convro_ctx *ctx, enum convro_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void
log_write(struct convro_ctx *ctx, enum convro_log_level level, const char *format, ...)
{
	char line[2048];
	va_list args;

	(void)level;
	va_start(args, format);
	(void)vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	buf_puts(&kit_of(ctx)->log, line);
	buf_putc(&kit_of(ctx)->log, '\n');
}

static int
enabled(struct convro_ctx *ctx, enum convro_log_level level)
{
	(void)ctx;
	(void)level;
	return 1;
}

const struct convro_log_table kit_log = {
	.size = sizeof(struct convro_log_table),
	.write = log_write,
	.enabled = enabled,
};

bool
kit_logged(struct kit *kit, const char *text)
{
	return strstr(buf_text(&kit->log), text) != NULL;
}

/* ---- options ---- */

static struct conf_value
value_of(struct convro_ctx *ctx, const char *name)
{
	struct kit *kit = kit_of(ctx);
	const struct convro_option *options = kit->descriptor->options.items;
	const struct kit_set *set = kit_find(kit->options, name);

	for (uint32_t i = 0; i < kit->descriptor->options.count; i++) {
		const struct convro_option *option = &options[i];
		struct conf_value value;
		struct buf why;

		if (strcmp(option->name, name) != 0)
			continue;
		buf_init(&why, 0);
		if (!conf_parse_value(
			option, set != NULL ? set->data : option->initial, &value, &why))
			kit_broken("%s: %s", name, buf_text(&why));
		buf_fini(&why);
		return value;
	}
	kit_broken("the module declares no option %s", name);
}

static const char *
get_text(struct convro_ctx *ctx, const char *name)
{
	return value_of(ctx, name).text;
}

static int64_t
get_int(struct convro_ctx *ctx, const char *name)
{
	return value_of(ctx, name).number;
}

static const uint8_t *
get_secret(struct convro_ctx *ctx, const char *name, size_t *len)
{
	const struct kit_set *set = kit_find(kit_of(ctx)->secrets, name);

	*len = set != NULL ? set->len : 0;
	return set != NULL ? set->data : NULL;
}

static void
get_rate(struct convro_ctx *ctx, const char *name, struct convro_rate *out)
{
	*out = value_of(ctx, name).rate;
}

const struct convro_conf_table kit_conf = {
	.size = sizeof(struct convro_conf_table),
	.get_text = get_text,
	.get_int = get_int,
	.get_secret = get_secret,
	.get_rate = get_rate,
};
