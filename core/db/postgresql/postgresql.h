/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PostgreSQL driver (design: storage, sections 4 and 6): one writer
 * connection in pipeline mode, one reading connection on the event base of each
 * worker, one that holds the lock against a second server.  Reading order:
 * postgresql.c (open, the table of the driver), connect.c, errors.c, wire.c
 * (arguments and rows), writer.c (the writer's connection), plan.c and group.c
 * (commits, with transaction.c), reader.c and reader_connect.c (reads), startup.c (migrations,
 * checks).
 */
#ifndef DB_POSTGRESQL_POSTGRESQL_H
#define DB_POSTGRESQL_POSTGRESQL_H

#include "db/driver.h"

#include <libpq-fe.h>
#include <stdatomic.h>

enum {
	GROUP_MAX = 128,
	WAIT_MS = 2000, /* how long a request waits for a store that is away */
	/* For one attempt, all hosts together: of a thread that requests wait for, and of a worker.
	 * A host that swallows packets costs tcp_user_timeout (3 s unless the URL says otherwise):
	 * who lists several hosts should give tcp_user_timeout=1000 there. */
	CONNECT_MS = 2000,
	CONNECT_WORKER_MS = 8000,
	/* Without a word from the server while it owes one, after which the connection counts as
	 * lost: its own statement_timeout is 5 s. */
	SILENCE_MS = 7000,
};

/* The first half of our advisory locks; the statements have 17229 (mailbox) and 17230 (device or
 * user). */
enum { LOCK_MIGRATION = 17231, LOCK_SERVER = 17232 };

enum role { ROLE_SETUP, ROLE_GUARD, ROLE_WRITER, ROLE_READER };

/* When to try again to reach a store that is away. */
struct backoff {
	int64_t away_since_ms; /* 0 = it is there */
	int64_t next_ms;       /* no attempt before */
	uint32_t delay_ms;
};

/* Touched by the writer's thread, by main before and after it. */
struct writer {
	PGconn *conn; /* NULL while the store is away */
	struct backoff backoff;
	struct arena *scratch;
	bool refused; /* another server has the lock; said once */
	struct db_request *pending[GROUP_MAX];
};

struct reader;
struct event_base;

struct db_state {
	const struct db_env *env;
	int wake_fd; /* an eventfd, readable from interrupt on */
	_Atomic bool interrupted, stopping;
	_Atomic int64_t complained_ms;
	_Atomic bool warned; /* that deadlock_timeout may not be set */
	const struct db_statement *statements;
	uint32_t statement_count;
	PGconn *setup;     /* of the start, NULL when not needed */
	PGconn *migration; /* holds the lock of migrations */
	PGconn *guard;     /* holds the lock of the server; the writer's as soon as that runs */
	struct writer writer;
	struct reader **readers; /* env->readers for each worker, NULL where it has none */
};

/* --- connect.c --- */

/* Begins to connect; NULL when memory is out.  Blocks only where a host's name must be looked up:
 * give addresses or sockets where that takes long. */
PGconn *connect_begin(const struct db_state *state);
/* Connects and makes the settings of the role; blocks for CONNECT_MS at most (unless `interrupted`
 * before).  NULL after the reason was logged; caller frees with PQfinish. */
PGconn *connect_now(struct db_state *state, enum role role);
/* What keeps us from using this server, for the log, or NULL. */
const char *connect_fault(const PGconn *conn);
/* One statement that makes the settings of a role. */
const char *settings_of(const struct db_state *state, enum role role);
/* Waits for the next result of a connection that does not block and gives it (*out may be NULL:
 * the end of a command).  -1 when the connection is lost, or silent for SILENCE_MS. */
int result_wait(PGconn *conn, PGresult **out);
/* Runs a text without arguments and without pipeline; NULL when the connection is lost.  Caller
 * frees with PQclear. */
PGresult *exec_wait(PGconn *conn, const char *sql);

void backoff_failed(struct backoff *backoff, int64_t now_ms);
void backoff_succeeded(struct backoff *backoff);
/* Whether requests should no longer wait for the store. */
bool backoff_is_hopeless(const struct backoff *backoff, int64_t now_ms);

/* --- errors.c --- */

enum error_kind {
	ERROR_REQUEST,   /* of one request; the others may do better without it */
	ERROR_RERUN,     /* the same, but the whole may succeed when it runs again */
	ERROR_STORE,     /* of the server: no room, no memory; nothing was stored */
	ERROR_RECONNECT, /* this connection is no longer good for us; nothing was stored */
	ERROR_LOST       /* the connection is gone, what it was doing is unknown */
};

/* What a result that is an error means; *status for the request. */
enum error_kind error_of(const PGconn *conn, const PGresult *result, enum convro_status *status);
/* The server's reason in one line, without data. */
enum { REASON_LEN = 320 };
void reason_of(const PGresult *result, char *out, size_t size);
/* Logs `what` with the reason, never with arguments, at most once a second. */
void complain_result(struct db_state *state, const char *what, const PGresult *result);
void complain_conn(struct db_state *state, const char *what, const PGconn *conn);
void complain(struct db_state *state, const char *what, const char *why);

/* --- wire.c --- */

struct params {
	const char **values;
	int *lengths, *formats;
	int count;
};

/* The types of a statement's arguments, from the arena; NULL when memory is out. */
const Oid *param_types(struct arena *arena, const struct db_statement *statement);
/* The arguments of `count` calls of one statement, merged when it is COALESCE (else count is 1), in
 * the binary form of the protocol.  Borrows the calls' values; -1 when memory is out. */
int params_build(struct arena *arena, const struct db_statement *statement,
    const struct db_call *const *calls, uint32_t count, struct params *out);
/* Whether a column of this type can be read as the field. */
bool column_fits(const struct db_field *field, Oid type);
/* Copies the rows of one call; false when memory is out. */
bool rows_copy(PGresult *from, const struct db_statement *statement, struct arena *arena,
    struct convro_db_result *out);
/* Reads the rows of one call without copying bytes: the result is kept for them by `held` then, and
 * *from is NULL.  False when memory is out. */
bool rows_take(PGresult **from, const struct db_statement *statement, struct db_request *request,
    struct convro_db_result *out);
/* Frees what rows_take kept. */
void rows_release(struct db_request *request);
/* One row of those of merged calls, behind its hidden column; false when memory is out. */
bool row_copy(const PGresult *from, int row, const struct db_statement *statement,
    struct arena *arena, struct convro_db_val *out);
/* The hidden column of a row: to which call it belongs, from 1. */
int64_t row_ord(const PGresult *from, int row);
uint64_t rows_changed(PGresult *from, const struct db_statement *statement);

/* --- session.c: what a connection in pipeline mode is told first --- */

/* Names a statement is prepared under; `out` of 16. */
void statement_key(const struct db_statement *statement, char out[16]);
/* Sends settings and all statements that the role needs, each behind a Sync of its own.  -1 when it
 * cannot be sent. */
int session_send(struct db_state *state, PGconn *conn, enum role role, struct arena *scratch,
    uint32_t *out_syncs);
/* Says what it means that the part before the n-th Sync (from 0) failed. */
void session_complain(struct db_state *state, enum role role, uint32_t n, const PGresult *result);

/* --- writer.c --- */

/* 0, or -1 after the reason was logged. */
int writer_start(struct db_state *state);
void writer_fini(struct db_state *state);
/* Waits for the store while that makes sense; false when requests should fail now. */
bool writer_up(struct db_state *state);
void writer_down(struct db_state *state);
/* Takes the lock against a second server, if this process does not have it: 1; 0 when another one
 * has it; -1 when the store is away. */
int guard_take(struct db_state *state);

/* --- plan.c --- */

/* Marks of a request while a group has it (driver_mark). */
enum {
	MARK_SENT = 1,  /* a commit of it may have happened */
	MARK_ALONE = 2, /* has two calls with one key: its calls are not merged */
};

struct plan_call {
	struct db_request *request;
	uint32_t index;
};

struct plan_step {
	const struct db_statement *statement;
	uint32_t first, count; /* in plan->calls: whom it is carried out for */
	bool merged;           /* one row of arguments each; else all have the same ones */
};

struct plan {
	struct plan_step *steps;
	uint32_t step_count;
	struct plan_call *calls;
	uint32_t call_count;
};

/* Sets `deferred` where a key occurs a second time; 0, or -1 when memory is out. */
int plan_defer(struct arena *scratch, struct db_request *const *requests, uint32_t count);
/* The order in which the statements of all requests run.  0, or -1 when memory is out. */
int plan_build(
    struct arena *scratch, struct db_request *const *requests, uint32_t count, struct plan *out);

/* --- group.c --- */

void postgresql_group(struct db_state *state, struct db_request *const *requests, uint32_t count);

/* --- transaction.c --- */

enum run {
	RUN_DONE,    /* every statement succeeded, and the commit where there was one */
	RUN_FAILED,  /* a statement failed; the transaction is to be rolled back */
	RUN_STORE,   /* the same, for a reason that no request can help */
	RUN_LOST,    /* connection lost (and closed), nothing was committed */
	RUN_UNKNOWN, /* connection lost (and closed) when the commit was under way */
};

struct run_error {
	enum error_kind kind;
	enum convro_status status;
};

/* Sends `before`, the steps of the plan and `after` (names of our own statements; NULL = nothing)
 * in one go and fills the results.  `plan` may be NULL. */
enum run transaction_run(struct db_state *state, const char *before, const struct plan *plan,
    const char *after, struct run_error *error);

/* --- reader.c, reader_connect.c --- */

int reader_init(struct db_state *state, uint32_t worker, struct event_base *base);
void reader_fini(struct db_state *state, uint32_t worker);
void reader_read(struct db_state *state, uint32_t worker, struct db_request *requests);

/* --- startup.c; thread: main --- */

int postgresql_migrate_begin(struct db_state *state);
void postgresql_migrate_end(struct db_state *state);
int postgresql_migrate(struct db_state *state, const struct db_script *script);
int postgresql_run(struct db_state *state, const struct db_call *call, struct arena *arena,
    struct convro_db_result *out);
/* Prepares each statement once and compares it with its header.  0, or -1 after all that do not
 * agree were logged. */
int check_statements(struct db_state *state);

#endif
