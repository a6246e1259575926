/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the kit share.  Read kit.h, then kit.c.
 */
#ifndef KIT_PRIVATE_H
#define KIT_PRIVATE_H

#include "kit.h"

#include "base/arena.h"
#include "base/buf.h"
#include "http/fields.h"
#include "http/query.h"
#include "http/router.h"
#include "loop/ctx.h"
#include "loop/module.h"
#include "json/table.h"

/* Ends the program with a sentence. */
_Noreturn void kit_broken(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Singly linked in the order of arrival. */
struct kit_job {
	struct kit_job *next;
	void (*run)(struct kit_job *job); /* takes the job */
};

struct kit_set {
	struct kit_set *next;
	const char *name;
	const void *data;
	size_t len;
};

/* An answer of a statement. */
struct kit_answer {
	struct kit_answer *next;
	uint32_t statement; /* from 0 */
	const char *when;   /* or NULL */
	enum convro_status status;
	uint64_t changed;
	const struct convro_db_val *vals;
	uint32_t nrows, ncols;
	bool used;
};

struct kit_run {
	struct kit_run *next;
	uint32_t statement;
	const char *args;
};

struct kit_meeting { /* kit_meanwhile */
	struct kit_meeting *next;
	uint32_t statement;
	void (*function)(struct kit *kit, void *arg);
	void *arg;
};

struct kit_listener {
	struct kit_listener *next;
	const char *name;
	convro_fact_function *function;
	void *self;
};

struct kit_fact {
	struct kit_fact *next;
	const char *event;
	const void *copy;
};

struct kit_denial {
	struct kit_denial *next;
	const char *point, *code;
	int status;
	uint32_t retry;
};

struct convro_timer {
	struct convro_timer *next;
	struct kit *kit;
	int64_t due, every; /* every 0 = once */
	convro_task *task;
	void *arg;
	bool dead;
};

struct convro_catch_up {
	struct kit *kit;
	int64_t device, last;
	bool done, more;
	enum convro_status status;
};

enum { KIT_SOURCES = 8, KIT_ACKS = 8 };

struct kit {
	struct worker worker;
	struct module module;
	struct convro_api api;
	struct arena *arena; /* what lives as long as the kit */
	const struct convro_module *descriptor;
	bool started, worker_started;

	struct kit_set *options, *services, *secrets;

	struct router router;
	struct convro_principal caller;
	const char *address;

	/* the last answer */
	int status;
	const char *body, *error, *field;
	uint32_t retry_after;

	struct kit_job *jobs, **jobs_end;

	struct kit_answer *answers;
	struct kit_run *runs, **runs_end;
	struct kit_meeting *meetings;
	struct buf trace;

	struct kit_denial *denials;
	struct kit_listener *listeners;
	struct kit_fact *facts, **facts_end;
	struct convro_verdict denied; /* of deny() in a hook of the module's */

	struct kit_push_entry *pushes, **pushes_end;
	const struct convro_realtime_source *sources[KIT_SOURCES];
	uint32_t source_count;
	struct {
		const char *event;
		convro_pushed_ack *function;
		void *self;
	} acks[KIT_ACKS];
	uint32_t ack_count;

	convro_verify *verify;
	void *verify_self;

	int64_t wall_us, mono_ms;
	struct convro_timer *timers;

	uint32_t refusals;
	long memory;
	struct buf log;
	uint8_t permutation_key[32];
};

/* A request under way; behind convro_ctx.request. */
struct http_request {
	struct kit *kit;
	const struct convro_route *route;
	const char *body;
	struct query query;
	struct convro_value *values;
	struct convro_json *json;
	const char *failing;
	bool answered;
};

static inline struct kit *
kit_of(struct convro_ctx *ctx)
{
	return LIST_OF(ctx->worker, struct kit, worker);
}

/* Memory that lives as long as the kit; never NULL. */
void *kit_alloc(struct kit *kit, size_t len);
const char *kit_copy(struct kit *kit, const char *text);

/* A context with one reference; the caller gives it up with ctx_unref. */
struct convro_ctx *kit_ctx(struct kit *kit);
void kit_queue(struct kit *kit, struct kit_job *job);
/* Runs what is queued until nothing is. */
void kit_settle(struct kit *kit);
/* False once the memory that the test left is used up. */
bool kit_has_memory(struct kit *kit);
const struct kit_set *kit_find(const struct kit_set *sets, const char *name);
void
kit_put(struct kit *kit, struct kit_set **sets, const char *name, const void *data, size_t len);

/* ---- rows.c ---- */

/* Rows in the text form by declared columns "name:type ..."; false with the reason in `why`. */
bool rows_read(struct kit *kit, const char *columns, const char *text, struct kit_answer *out,
    const char **why);
/* Arguments in the text form. */
const char *rows_write(struct kit *kit, const struct convro_db_val *vals, uint32_t count);
/* NULL when the arguments are of the declared types; else a sentence. */
const char *rows_check_args(const char *declared, bool coalesce, struct convro_db_args args);

/* ---- the group tables ---- */

extern const struct convro_http_table kit_http;
const struct convro_json_table *kit_json(void);
extern const struct convro_db_table kit_db;
extern const struct convro_bus_table kit_bus;
extern const struct convro_auth_table kit_auth;
extern const struct convro_conf_table kit_conf;
extern const struct convro_log_table kit_log;
extern const struct convro_timer_table kit_timer;
extern const struct convro_work_table kit_work;
extern const struct convro_mem_table kit_mem;
extern const struct convro_realtime kit_realtime;

#endif
