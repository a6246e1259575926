/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SQLite driver (design: storage, sections 1 and 4): one writer
 * connection, one connection for each reader thread, one for the checkpoint
 * thread.  Reading order: sqlite.c (open, the table of the driver),
 * connection.c, execute.c (one statement), group.c (commits), reader.c,
 * checkpoint.c, startup.c (migrations, checks).
 */
#ifndef DB_SQLITE_SQLITE_H
#define DB_SQLITE_SQLITE_H

#include "db/driver.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

/* One of the statements of a text, with the places of those arguments that occur in it. */
struct part {
	sqlite3_stmt *stmt;
	struct binding {
		uint8_t arg;    /* from 0 */
		uint16_t index; /* SQLite's own number */
	} * bindings;
	uint32_t binding_count;
};

struct prepared {
	struct part *parts;
	uint32_t part_count; /* 0 = not prepared yet */
};

/* Used by one thread at a time. */
struct connection {
	const struct db_env *env;
	sqlite3 *sqlite;
	struct prepared *cache; /* by statement number; NULL until connection_cache */
	uint32_t cache_count;
	struct convro_db_val *rows; /* scratch for the rows of the statement that runs */
	size_t rows_size;
	int64_t limit_ms;          /* a statement that runs longer is ended; 0 = none */
	int64_t last_complaint_ms; /* of the log, so that a full disk does not fill it too */
};

enum role { ROLE_WRITER, ROLE_READER, ROLE_CHECKPOINT };

struct reader_pool;
struct checkpointer;

struct db_state {
	const struct db_env *env;
	int lock_fd; /* of <path>.lock, -1 */
	struct connection writer;
	struct prepared begin, commit, rollback, savepoint, release, rollback_to;
	struct reader_pool *readers;
	struct checkpointer *checkpointer;
	const struct db_statement *statements;
	uint32_t statement_count;
	uint32_t wal_pages;   /* of the write-ahead log after the last commit; writer's thread */
	uint32_t wal_attempt; /* at which the writer itself last tried to shorten it */
};

/* --- connection.c --- */

/* 0, or -1 after the reason was logged; then there is nothing to close. */
int connection_open(struct connection *connection, const struct db_env *env, enum role role);
void connection_close(struct connection *connection);
/* Room for the prepared statements of a table of `count`.  0, or -1 when memory is out. */
int connection_cache(struct connection *connection, uint32_t count);
/* Prepares a text; SQLite's result code.  Caller releases with prepared_fini. */
int connection_prepare(
    struct connection *connection, const struct db_statement *statement, struct prepared *out);
void prepared_fini(struct prepared *prepared);
/* The cached form of a statement, prepared at its first use; NULL with SQLite's result code in *rc.
 * Borrowed until connection_close. */
const struct prepared *
connection_get(struct connection *connection, const struct db_statement *statement, int *rc);
/* Runs texts without arguments, rows dropped; SQLite's result code. */
int connection_exec(struct connection *connection, const char *sql);
/* Logs `what` with SQLite's reason, at most once a second. */
void connection_complain(struct connection *connection, const char *what, int rc);
/* The status that a result code means while nothing was committed. */
enum convro_status status_of(int rc);

/* --- execute.c --- */

/* Runs a prepared statement with its arguments to its end and fills *out (see db_request).
 * CONVRO_OK, or the status with SQLite's code in *rc (SQLITE_OK where the reason is ours). */
enum convro_status execute(struct connection *connection, const struct prepared *prepared,
    const struct db_call *call, struct arena *arena, struct convro_db_result *out, int *rc);
/* Runs a statement that has no arguments and no rows; SQLite's result code. */
int execute_plain(const struct prepared *prepared);

/* --- group.c --- */

/* Prepares BEGIN and its relatives.  0, or -1 after the reason was logged. */
int group_init(struct db_state *state);
void group_fini(struct db_state *state);
void sqlite_group(struct db_state *state, struct db_request *const *requests, uint32_t count);

/* --- reader.c --- */

/* 0, or -1 after the reason was logged. */
int readers_start(struct db_state *state);
/* Takes requests that are linked by `next`.  Thread: any. */
void readers_submit(struct reader_pool *pool, struct db_request *first);
/* Completes what is queued, ends the threads; later requests get NOT_SENT. */
void readers_stop(struct reader_pool *pool);
void readers_free(struct reader_pool *pool);

/* --- checkpoint.c --- */

struct checkpointer *checkpointer_start(const struct db_env *env);
void checkpointer_free(struct checkpointer *checkpointer);
/* After a commit that left `wal_pages` in the write-ahead log.  Thread: writer. */
void checkpointer_wrote(struct checkpointer *checkpointer, uint32_t wal_pages);
/* Pages of the log from which a checkpoint is due, and from which the writer itself helps. */
enum { WAL_PAGES_DUE = 1000, WAL_PAGES_MANY = 8000 };

/* --- startup.c; thread: main --- */

int sqlite_migrate(struct db_state *state, const struct db_script *script);
int sqlite_run(struct db_state *state, const struct db_call *call, struct arena *arena,
    struct convro_db_result *out);
/* Prepares each statement once and compares it with its header.  0, or -1 after all that do not
 * agree were logged. */
int check_statements(struct db_state *state);

#endif
