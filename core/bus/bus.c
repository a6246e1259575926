/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hooks, facts and services.  The tables are built once at start and never
 * change, so every worker reads them without a lock.
 */
#include "bus/bus.h"

#include "base/arena.h"
#include "base/must.h"
#include "log/log.h"
#include "server.h"

#include <stdlib.h>
#include <string.h>

struct bus {
	struct server *server;
	struct bus_hook {
		const struct convro_hook *hook;
		struct module *module;
	} * hooks; /* by order, then by module */
	uint32_t hook_count;
	struct bus_subscription {
		const struct convro_subscription *subscription;
		struct module *module;
	} * subscriptions;
	uint32_t subscription_count;
};

static int
by_order(const void *left, const void *right)
{
	const struct bus_hook *a = left, *b = right;

	if (a->hook->order != b->hook->order)
		return a->hook->order < b->hook->order ? -1 : 1;
	if (a->module->index != b->module->index)
		return a->module->index < b->module->index ? -1 : 1;
	return a->hook < b->hook ? -1 : a->hook > b->hook;
}

struct bus *
bus_new(struct server *server)
{
	struct bus *bus = calloc(1, sizeof(*bus));
	uint32_t hooks = 0, subscriptions = 0;

	if (bus == NULL)
		return NULL;
	bus->server = server;
	for (uint32_t m = 0; m < server->module_count; m++) {
		hooks += server->modules[m].hook_count;
		subscriptions += server->modules[m].subscription_count;
	}
	bus->hooks = calloc(hooks + 1, sizeof(*bus->hooks));
	bus->subscriptions = calloc(subscriptions + 1, sizeof(*bus->subscriptions));
	if (bus->hooks == NULL || bus->subscriptions == NULL) {
		bus_free(bus);
		return NULL;
	}
	for (uint32_t m = 0; m < server->module_count; m++) {
		struct module *module = &server->modules[m];

		for (uint32_t i = 0; i < module->hook_count; i++)
			bus->hooks[bus->hook_count++] =
			    (struct bus_hook){ &module->hooks[i], module };
		for (uint32_t i = 0; i < module->subscription_count; i++)
			bus->subscriptions[bus->subscription_count++] =
			    (struct bus_subscription){ &module->subscriptions[i], module };
	}
	qsort(bus->hooks, bus->hook_count, sizeof(*bus->hooks), by_order);
	return bus;
}

void
bus_free(struct bus *bus)
{
	if (bus == NULL)
		return;
	free(bus->hooks);
	free(bus->subscriptions);
	free(bus);
}

bool
bus_has_hooks(const struct bus *bus, const char *point)
{
	for (uint32_t i = 0; i < bus->hook_count; i++)
		if (strcmp(bus->hooks[i].hook->point, point) == 0)
			return true;
	return false;
}

/* ---- hooks ---- */

/* One round of hooks; in the context's arena. */
struct bus_round {
	struct bus_round *outer; /* a hook may ask hooks itself */
	struct module *asker;
	const char *point;
	const void *subject;
	convro_decided *decided;
	void *arg;
	uint32_t next; /* in bus->hooks */
	bool later;    /* a hook said LATER and has not decided */
	bool running;  /* a hook is on the stack: decide() only notes */
	int noted;     /* kind that decide() brought meanwhile, or -1 */
	struct convro_verdict verdict;
};

static void
finish(struct convro_ctx *ctx, struct bus_round *round, uint32_t kind)
{
	round->verdict.kind = kind;
	ctx->round = round->outer;
	ctx->module = round->asker;
	round->decided(ctx, round->arg, &round->verdict);
}

static void
proceed(struct convro_ctx *ctx, struct bus_round *round)
{
	const struct bus *bus = ctx->worker->server->bus;

	while (round->next < bus->hook_count) {
		const struct bus_hook *at = &bus->hooks[round->next++];
		int kind;

		if (strcmp(at->hook->point, round->point) != 0)
			continue;
		ctx->round = round;
		ctx->module = at->module;
		round->running = true;
		round->noted = -1;
		kind = at->hook->function(ctx, at->module->self, round->subject);
		round->running = false;
		if (kind == CONVRO_LATER) {
			if (round->noted < 0) {
				round->later = true;
				ctx_ref(ctx); /* until decide() */
				return;
			}
			kind = round->noted;
		}
		if (kind == CONVRO_ALLOW || kind == CONVRO_DENY) {
			finish(ctx, round, (uint32_t)kind);
			return;
		}
	}
	finish(ctx, round, CONVRO_ALLOW);
}

static void
bus_ask(struct convro_ctx *ctx, const char *point, const void *subject, convro_decided *decided,
    void *arg)
{
	struct bus_round *round = arena_zero(ctx->arena, 1, sizeof(*round));
	static const struct convro_verdict no_memory = {
		.size = sizeof(struct convro_verdict),
		.kind = CONVRO_DENY,
		.status = 503,
		.retry_after = 1,
		.code = "OVERLOADED",
	};

	if (round == NULL) { /* nobody could be asked: refuse rather than let pass */
		decided(ctx, arg, &no_memory);
		return;
	}
	*round = (struct bus_round){ .outer = ctx->round,
		.asker = ctx->module,
		.point = point,
		.subject = subject,
		.decided = decided,
		.arg = arg,
		.verdict = { .size = sizeof(struct convro_verdict) } };
	proceed(ctx, round);
}

static int
bus_deny(struct convro_ctx *ctx, int status, const char *code, uint32_t retry_after)
{
	MUST(ctx->round != NULL);
	ctx->round->verdict.status = status;
	ctx->round->verdict.code = code;
	ctx->round->verdict.retry_after = retry_after;
	return CONVRO_DENY;
}

static void
bus_decide(struct convro_ctx *ctx, int kind)
{
	struct bus_round *round = ctx->round;

	MUST(round != NULL);
	if (round->running) {
		round->noted = kind;
		return;
	}
	MUST(round->later);
	round->later = false;
	if (kind == CONVRO_ALLOW || kind == CONVRO_DENY)
		finish(ctx, round, (uint32_t)kind);
	else
		proceed(ctx, round);
	ctx_unref(ctx);
}

/* ---- facts ---- */

/* A fact on its way to another worker. */
struct travelling {
	struct task task;
	const struct bus_subscription *subscription;
	max_align_t fact[]; /* the copy, aligned for any member */
};

static void
tell(struct convro_ctx *ctx, const struct bus_subscription *at, const void *fact)
{
	struct module *before = ctx->module;

	ctx->module = at->module;
	at->subscription->function(ctx, at->module->self, fact);
	ctx->module = before;
}

struct telling {
	const struct bus_subscription *subscription;
	const void *fact;
};

static void
tell_in_context(struct convro_ctx *ctx, void *arg)
{
	const struct telling *telling = arg;

	tell(ctx, telling->subscription, telling->fact);
}

static void
arrived(struct worker *worker, struct task *task)
{
	struct travelling *travelling = LIST_OF(task, struct travelling, task);
	struct telling telling = { travelling->subscription, travelling->fact };
	bool told = ctx_run(worker, travelling->subscription->module, tell_in_context, &telling);

	MUST(told); /* a lost revocation would leave a dead token alive */
	free(travelling);
}

static void
tell_others(struct convro_ctx *ctx, const struct bus_subscription *at, const void *fact)
{
	uint32_t size;

	memcpy(&size, fact, sizeof(size)); /* every fact begins with its size */
	for (uint32_t i = 0; i < ctx->worker->worker_count; i++) {
		struct travelling *travelling;

		if (i == ctx->worker->index)
			continue;
		travelling = malloc(sizeof(*travelling) + size);
		MUST(travelling != NULL);
		travelling->subscription = at;
		travelling->task.run = arrived;
		memcpy(travelling->fact, fact, size);
		worker_post(&ctx->worker->workers[i], &travelling->task);
	}
}

static void
bus_emit(struct convro_ctx *ctx, const char *event, const void *fact)
{
	const struct bus *bus = ctx->worker->server->bus;

	for (uint32_t i = 0; i < bus->subscription_count; i++) {
		const struct bus_subscription *at = &bus->subscriptions[i];

		if (strcmp(at->subscription->event, event) != 0)
			continue;
		if ((at->subscription->flags & CONVRO_EVERY_WORKER) != 0)
			tell_others(ctx, at, fact);
		tell(ctx, at, fact);
	}
}

/* ---- services ---- */

static const void *
bus_service(struct convro_ctx *ctx, const char *name)
{
	const struct server *server = ctx->worker->server;

	for (uint32_t m = 0; m < server->module_count; m++) {
		const struct module *module = &server->modules[m];

		for (uint32_t i = 0; i < module->service_count; i++)
			if (strcmp(module->services[i].name, name) == 0)
				return module->services[i].table;
	}
	return NULL;
}

/* ---- in whose name ---- */

static const void *
bus_module(struct convro_ctx *ctx)
{
	return ctx->module;
}

static void
bus_set_module(struct convro_ctx *ctx, const void *module)
{
	struct server *server = ctx->worker->server;

	/* Found, not cast: what a caller made up ends here. */
	for (uint32_t m = 0; m < server->module_count; m++) {
		if (&server->modules[m] == module) {
			ctx->module = &server->modules[m];
			return;
		}
	}
	MUST(module == &server->core);
	ctx->module = &server->core;
}

const struct convro_bus_table bus_table = {
	.size = sizeof(struct convro_bus_table),
	.ask = bus_ask,
	.deny = bus_deny,
	.decide = bus_decide,
	.emit = bus_emit,
	.service = bus_service,
	.module = bus_module,
	.set_module = bus_set_module,
};
