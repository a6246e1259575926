/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interface between core/db and a driver.  A driver is a shared object
 * that exports db_driver_v1, links against the base library alone, and sees of
 * the rest of the server only struct db_env.  It knows nothing of contexts,
 * workers or modules: it is handed requests and hands them back.
 *
 * Life: open; run, migrate (start-up, blocking, main thread); start;
 * worker_init per worker; read, group; interrupt; stop and worker_fini; close.
 */
#ifndef DB_DRIVER_H
#define DB_DRIVER_H

#include "base/arena.h"

#include <convro/db.h>
#include <convro/log.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Raised whenever a struct of this file changes: core and drivers are released together. */
#define DB_DRIVER_VERSION 3

struct event_base;
struct db_state; /* the driver's own */
struct db_request;

/* One argument or column as a statement's header declares it. */
struct db_field {
	uint8_t type; /* 'i' int64, 'j' int32, 's' int16, 'b' blob, 't' text */
	bool nullable;
	bool array; /* arguments only */
};

/* A statement for the chosen engine.  Its address is the same for the life of the process. */
struct db_statement {
	uint32_t number; /* in the table given to start */
	uint32_t flags;  /* CONVRO_DB_WRITE ... */
	const char *name;
	/* NULL: does not exist on this engine; carried out as nothing with an empty result.  May
	 * be several statements (SQLite): they run in order, the rows are the last one's. */
	const char *sql;
	const struct db_field *args;    /* $1 is args[0]; an argument may be missing in the text */
	const struct db_field *columns; /* as the text gives them, with `hidden` */
	uint32_t arg_count, column_count;
	/* 1 when COALESCE and the first column is named ord: it says to which call of the merged
	 * ones (from 1) a row belongs and is no part of the result, whose columns are columns[1]
	 * on.  A COALESCE statement without ord gives each call an empty result. */
	uint32_t hidden;
	/* COALESCE: the arguments (from 0) that together must not occur twice in a group. */
	const uint8_t *key;
	uint32_t key_count;
};

/* A statement and its arguments: statement->arg_count of them, checked against its fields.  I64 for
 * i; I32 for j and s; BLOB and TEXT; NULL only where the field is nullable.  A field that is an
 * array gets an ARRAY of such values (elements may be NULL), but with COALESCE one value (may be
 * NULL): a row of the arrays that the driver makes of all calls it merges.  A statement without
 * text has no arguments. */
struct db_call {
	const struct db_statement *statement;
	const struct convro_db_val *args;
};

/*
 * A read (one or more statements that change nothing, seen at one point in time where there are
 * several), or a write (one or more statements, all or none).  Whoever holds it has it alone, with
 * its arena; holding passes to the driver with read and group and back with complete and with the
 * return of group.
 *
 * The driver sets `status` and, with CONVRO_OK, fills each results[i] for calls[i]: nrows, vals,
 * changed; size and ncols (column_count - hidden) are filled already, nrows is 0.  vals and all
 * they point to are allocated in `arena`, or kept by `held` (texts with a NUL behind them; I64 for
 * i, I32 for j and s, else BLOB, TEXT, NULL).
 */
struct db_request {
	struct db_request *next; /* free for the holder's use */
	struct arena *arena;
	const struct db_call *calls;
	struct convro_db_result *results; /* call_count of them */
	uint32_t call_count;
	bool write;
	bool idempotent;     /* each WRITE call of it is flagged so: may be repeated blindly */
	int64_t deadline_ms; /* of the monotonic clock (base/clock.h); 0 = none */
	uint32_t worker;     /* index of the worker that it belongs to */

	enum convro_status status;
	/* group only: not carried out, must come first in the next group (the same key is in this
	 * one).  Never set on the first request of a group. */
	bool deferred;

	/* What the rows point to, where that is not in the arena; NULL when there is no such thing.
	 * Whoever got the request back gives it to `release` once the rows were read. */
	void *held;
	/* The driver's, while it holds the request; zero when it is handed over. */
	void *driver;
	uint32_t driver_mark, driver_index;
};

/* Whether the deadline passed before the driver began: then it sets CONVRO_TIMEOUT and does not
 * send.  (Requests that are given to group were just checked.) */
static inline bool
db_request_is_late(const struct db_request *request, int64_t now_ms)
{
	return request->deadline_ms != 0 && now_ms >= request->deadline_ms;
}

/* What the core lends to a driver; valid until close returned. */
struct db_env {
	uint32_t version; /* DB_DRIVER_VERSION */

	/* One line of the log, house wording.  Never arguments of statements, never the URL's
	 * password.  Thread: any. */
	void (*log)(enum convro_log_level level, const char *format, ...)
	    __attribute__((format(printf, 2, 3)));
	/* Hands a read back; its callback runs later, on its worker, never within this call.
	 * Thread: any. */
	void (*complete)(struct db_request *request);

	/* Options of section [storage]. */
	const char *path;     /* sqlite: file */
	const char *url;      /* postgresql: connection string, secret */
	bool durable;         /* synchronous = full */
	uint32_t readers;     /* sqlite: reader threads; postgresql: connections of each worker */
	uint32_t queue_max;   /* most reads waiting (per worker or in all); beyond: OVERLOAD */
	uint32_t group_max;   /* most requests per group; 0 = the driver's own */
	uint64_t cache_bytes; /* sqlite: most page cache in all */
	uint32_t worker_count;
};

/* A migration, or what else runs whole or not at all before the server serves. */
struct db_script {
	const char *name;    /* "auth 2 tokens", for messages */
	const char *sql;     /* any number of statements without arguments; NULL = none */
	bool no_transaction; /* flag NO_TX: sql outside, only `record` in a transaction */
	/* Before sql and behind it in the same transaction; either may be NULL. */
	const struct db_call *lock, *record;
};

struct db_driver {
	uint32_t version;   /* DB_DRIVER_VERSION; anything else is refused */
	const char *engine; /* "sqlite", "postgresql" */
	uint32_t group_max; /* most requests the driver wants in a group */

	/* --- main thread, blocking; failures are logged by the driver with the reason --- */

	/* Connects, and takes the lock that keeps a second server process away (held until close).
	 * NULL when refused.  `env` is borrowed until close. */
	struct db_state *(*open)(const struct db_env *env);
	/* Frees all.  After stop, or after open when start was never called or failed. */
	void (*close)(struct db_state *state);

	/* Keeps other processes from migrating (an advisory lock, where that means anything) until
	 * migrate_end.  0, or -1. */
	int (*migrate_begin)(struct db_state *state);
	void (*migrate_end)(struct db_state *state);
	/* Carries one script out.  0, or -1 with nothing changed (no_transaction: anything). */
	int (*migrate)(struct db_state *state, const struct db_script *script);
	/* One statement on its own (a write commits); *out as in db_request, memory from `arena`.
	 * The statement may be one that is not yet known to start. */
	int (*run)(struct db_state *state, const struct db_call *call, struct arena *arena,
	    struct convro_db_result *out);

	/* Takes the table of all statements (borrowed until close), prepares each once to see that
	 * text, arguments and columns agree (logs the name of each that does not), starts threads
	 * and the writer's connection.  0, or -1. */
	int (*start)(struct db_state *state, const struct db_statement *statements, uint32_t count);

	/* --- worker thread --- */

	/* The worker's connection or whatever it needs, on its event base.  0, or -1.  May be NULL,
	 * both. */
	int (*worker_init)(struct db_state *state, uint32_t worker, struct event_base *base);
	/* Completes what reads the worker still has (NOT_SENT); none comes after.  Before or after
	 * stop. */
	void (*worker_fini)(struct db_state *state, uint32_t worker);
	/* Takes the reads of one loop turn, linked by `next` (at least one), in their order; never
	 * blocks, always completes each, OVERLOAD when the queue is full.  Several at once, so that
	 * a turn full of requests wakes a thread or writes to a connection once. */
	void (*read)(struct db_state *state, uint32_t worker, struct db_request *requests);
	/* Frees what a completed read's rows point to, on its worker; they are gone then.  NULL
	 * when a driver's reads never hold anything. */
	void (*release)(struct db_request *request);

	/* --- writer thread (core/db/writer.c), one at a time --- */

	/* Carries `count` (>= 1) writes out in the order given, in one commit where that works.  It
	 * blocks until that commit is durable or known to have failed; each has its status then.
	 * A request that fails does not disturb the others.  A lost store: NOT_SENT or, after
	 * repeating the idempotent ones, UNKNOWN_OUTCOME (design: storage, section 6). */
	void (*group)(struct db_state *state, struct db_request *const *requests, uint32_t count);

	/* --- main thread --- */

	/* The server is about to stop: group and reads no longer wait for a lost store to come
	 * back; what is queued and cannot be sent now is completed with NOT_SENT.  Workers still
	 * run.  Must be safe while read and group run.  May be NULL. */
	void (*interrupt)(struct db_state *state);
	/* Ends the driver's threads; every read of theirs was completed when it returns (reads on a
	 * worker's event base: by worker_fini at the latest).  No group comes after it began; a
	 * read may, and is completed with NOT_SENT. */
	void (*stop)(struct db_state *state);
};

/* The one symbol a driver exports; constant. */
__attribute__((visibility("default"))) const struct db_driver *db_driver_v1(void);

#endif
