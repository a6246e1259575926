/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The unit of work behind struct convro_ctx: reference-counted, on one worker,
 * with an arena that is freed in one go.  Each outstanding operation (query,
 * hook, offload, unanswered request) holds a reference.
 */
#ifndef LOOP_CTX_H
#define LOOP_CTX_H

#include "base/list.h"
#include "loop/worker.h"

#include <convro/abi.h>
#include <convro/auth.h>
#include <convro/mem.h>
#include <convro/work.h>
#include <stdbool.h>

struct module; /* mod/module.h */
struct http_request;
struct bus_round;
struct ctx_ending;

struct convro_ctx {
	struct list link; /* in the worker's contexts */
	struct worker *worker;
	struct module *module; /* whose code runs: statements, options and log lines are its own */
	struct arena *arena;
	uint32_t refs;
	int64_t deadline_ms; /* of the monotonic clock; 0 = none */

	struct http_request *request; /* NULL outside a request */
	/* When set and the last reference but one is given up: the request has no answer and
	 * nothing is outstanding that could bring one.  Called on the worker. */
	void (*stranded)(struct convro_ctx *ctx);

	const struct convro_principal *principal; /* in the arena, or NULL */
	struct bus_round *round;                  /* hooks that are being asked, or NULL */

	struct ctx_ending *endings; /* run when the context ends, last one first */

	/* While a completion of a committed batch runs: which commit, and which request of it. */
	uint64_t commit_group;
	uint32_t commit_index;
};

/* A context with one reference, which the caller gives up with ctx_unref.  NULL when memory is out.
 */
struct convro_ctx *ctx_new(struct worker *worker, struct module *module);
void ctx_ref(struct convro_ctx *ctx);
/* Runs `function(arg)` when the context ends, before its arena goes; false when memory is out. */
bool ctx_at_end(struct convro_ctx *ctx, void (*function)(void *arg), void *arg);
/* Frees or recycles the context when it was the last. */
void ctx_unref(struct convro_ctx *ctx);

/* The worker's spare contexts. */
void ctx_init(struct worker *worker);
void ctx_fini(struct worker *worker);

/* At a worker's end: the timers that are still set. */
void timers_free(struct worker *worker);

/* Runs `function` in a context of its own on the current worker; false when memory is out. */
bool ctx_run(struct worker *worker, struct module *module, convro_task *function, void *arg);

/* The group tables work, timer and mem of the ABI. */
extern const struct convro_work_table work_table;
extern const struct convro_timer_table timer_table;
extern const struct convro_mem_table mem_table;

#endif
