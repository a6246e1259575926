/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of modules: init and fini on main, the worker steps on each worker.
 * What was done is undone in reverse.
 */
#include "log/log.h"
#include "loop/ctx.h"
#include "mod/internal.h"
#include "mod/mod.h"

int
mod_init(struct server *server)
{
	for (uint32_t m = 0; m < server->module_count; m++) {
		struct module *module = &server->modules[m];
		struct convro_ctx *ctx;
		enum convro_status status = CONVRO_OK;

		module->server = server;
		*module->descriptor->api = &mod_api;
		ctx = ctx_new(&server->workers[0], module);
		if (ctx == NULL) {
			log_error("module %s: out of memory", module->name);
			return -1;
		}
		if (module->descriptor->init != NULL)
			status = module->descriptor->init(ctx, &module->self);
		ctx_unref(ctx);
		if (status != CONVRO_OK) {
			log_error("module %s: does not start, for the reason above", module->name);
			return -1;
		}
		module->initialised = true;
	}
	return 0;
}

void
mod_fini(struct server *server)
{
	for (uint32_t m = server->module_count; m-- > 0;) {
		struct module *module = &server->modules[m];
		struct convro_ctx *ctx;

		if (!module->initialised || module->descriptor->fini == NULL)
			continue;
		ctx = ctx_new(&server->workers[0], module);
		if (ctx == NULL)
			continue;
		module->descriptor->fini(ctx, module->self);
		ctx_unref(ctx);
		module->initialised = false;
	}
}

static int
worker_init(struct worker *worker, void *arg)
{
	struct server *server = arg;

	for (uint32_t m = 0; m < server->module_count; m++) {
		struct module *module = &server->modules[m];
		struct convro_ctx *ctx;
		enum convro_status status;

		if (module->descriptor->worker_init == NULL)
			continue;
		ctx = ctx_new(worker, module);
		if (ctx == NULL)
			return -1;
		status = module->descriptor->worker_init(ctx, module->self);
		ctx_unref(ctx);
		if (status != CONVRO_OK) {
			log_error("module %s: does not start on worker %u, for the reason above",
			    module->name, worker->index);
			return -1;
		}
	}
	return 0;
}

int
mod_worker_init(struct server *server)
{
	return workers_each(server->workers, server->worker_count, worker_init, server) == 0 ? 0
											     : -1;
}

static void
worker_step(struct worker *worker, struct server *server,
    void (*get_step)(const struct module *, void (**)(struct convro_ctx *, void *)))
{
	for (uint32_t m = server->module_count; m-- > 0;) {
		struct module *module = &server->modules[m];
		void (*step)(struct convro_ctx *, void *) = NULL;
		struct convro_ctx *ctx;

		get_step(module, &step);
		if (step == NULL)
			continue;
		ctx = ctx_new(worker, module);
		if (ctx == NULL)
			continue;
		step(ctx, module->self);
		ctx_unref(ctx);
	}
}

static void
get_drain(const struct module *module, void (**out)(struct convro_ctx *, void *))
{
	*out = module->descriptor->drain;
}

static void
get_worker_fini(const struct module *module, void (**out)(struct convro_ctx *, void *))
{
	*out = module->descriptor->worker_fini;
}

static int
drain(struct worker *worker, void *arg)
{
	worker_step(worker, arg, get_drain);
	return 0;
}

static int
worker_fini(struct worker *worker, void *arg)
{
	worker_step(worker, arg, get_worker_fini);
	return 0;
}

void
mod_drain(struct server *server)
{
	(void)workers_each(server->workers, server->worker_count, drain, server);
}

void
mod_worker_fini(struct server *server)
{
	(void)workers_each(server->workers, server->worker_count, worker_fini, server);
}
