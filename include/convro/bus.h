/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How modules meet without knowing each other: hooks may refuse, facts tell
 * what has happened, services are tables that one module gives to others.
 */
#ifndef CONVRO_BUS_H
#define CONVRO_BUS_H

#include <convro/abi.h>

enum convro_verdict_kind { CONVRO_NO_OPINION, CONVRO_ALLOW, CONVRO_DENY, CONVRO_LATER };

struct convro_verdict {
	uint32_t size;
	uint32_t kind;        /* ALLOW or DENY once decided */
	int32_t status;       /* DENY: HTTP status, */
	uint32_t retry_after; /* seconds; 0 = none */
	const char *code;     /* and wire code */
};

/* Called in the order of `order`, then of the modules.  The first ALLOW or DENY ends the round; all
 * NO_OPINION is ALLOW.  DENY is said with deny() and returned; LATER is completed with decide().
 * `subject` is the point's const struct (facts.h), borrowed until the round ends. */
typedef int convro_hook_function(struct convro_ctx *ctx, void *self, const void *subject);

/* Elements of a descriptor's lists. */
struct convro_hook {
	const char *point; /* "http.request", "auth.login", ... */
	convro_hook_function *function;
	int32_t order; /* lower runs first */
};

enum {
	CONVRO_EVERY_WORKER =
	    1 /* runs once on each worker, also when the fact was emitted on another one */
};

typedef void convro_fact_function(struct convro_ctx *ctx, void *self, const void *fact);

struct convro_subscription {
	const char *event; /* "auth.revoked", ... */
	convro_fact_function *function;
	uint32_t flags;
};

struct convro_service {
	const char *name;  /* "realtime.v1" */
	const void *table; /* begins with its size; may be NULL: a name that others can need */
};

typedef void
convro_decided(struct convro_ctx *ctx, void *arg, const struct convro_verdict *verdict);

struct convro_bus_table { /* thread: worker */
	uint32_t size;

	/* Runs the hooks of `point`; `decided` runs exactly once, perhaps before the call returns.
	 */
	void (*ask)(struct convro_ctx *ctx, const char *point, const void *subject,
	    convro_decided *decided, void *arg);
	/* In a hook: what the DENY says.  Returns CONVRO_DENY. */
	int (*deny)(struct convro_ctx *ctx, int status, const char *code, uint32_t retry_after);
	/* After LATER: kind ALLOW, DENY (after deny()) or NO_OPINION, once. */
	void (*decide)(struct convro_ctx *ctx, int kind);

	/* Tells a fact to its subscribers: those of this worker at once, those of every worker by
	 * copy, so a fact with such subscribers is flat (begins with its size and holds no
	 * pointer). */
	void (*emit)(struct convro_ctx *ctx, const char *event, const void *fact);

	/* The table of a service that is named in needs or wants; NULL when no loaded module
	 * provides it. Thread: main (init) or worker. */
	const void *(*service)(struct convro_ctx *ctx, const char *name);

	/* For services that call back: the module in whose name a context works (its statements,
	 * its options, its log lines), a value that stays good until the process ends, and working
	 * in the name of another one.  Whoever calls a function of a module sets that module
	 * before, and its own again after.  Thread: main (init) or worker. */
	const void *(*module)(struct convro_ctx *ctx);
	void (*set_module)(struct convro_ctx *ctx, const void *module);
};

#endif
