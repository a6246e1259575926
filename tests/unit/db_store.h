/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server of nothing but workers and a database, for the tests of core/db: a
 * module "notes" with one table, calls made on a worker, answers waited for.
 */
#ifndef DB_STORE_TEST_H
#define DB_STORE_TEST_H

#include "base/clock.h"
#include "base/must.h"
#include "conf/conf.h"
#include "conf/core_options.h"
#include "core_sql.h"
#include "db/db.h"
#include "db/store.h"
#include "log/log.h"
#include "loop/ctx.h"
#include "server.h"

#include <libgen.h>
#include <limits.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define WORKERS 2

/* clang-format off */
/* Statement numbers are the server's: the core's come first. */
enum {
	NOTE_FIRST = CORE_STATEMENT_COUNT,
	NOTE_ADD = NOTE_FIRST, NOTE_GET, NOTE_PAIR, NOTE_ELSEWHERE, NOTE_TYPES, NOTE_COUNT,
	NOTE_MANY, NOTE_BAD_CHECK, NOTE_FOREVER, NOTE_END
};

#define AT(number) ((number) - NOTE_FIRST)

#define SAME(flag_bits, what, args, columns, text) \
	{ .size = sizeof(struct convro_statement), .flags = (flag_bits), .name = (what), \
	  .args_sqlite = (args), .columns_sqlite = (columns), .sql_sqlite = (text) }

static const struct convro_statement note_statements[AT(NOTE_END)] = {
	[AT(NOTE_ADD)] = SAME(CONVRO_DB_WRITE, "notes.add", "name:t body:b?", "id:i name:t",
	    "INSERT INTO notes(name, body) VALUES ($1, $2) RETURNING id, name"),
	[AT(NOTE_GET)] = SAME(0, "notes.get", "name:t", "id:i body:b?",
	    "SELECT id, body FROM notes WHERE name = $1"),
	[AT(NOTE_PAIR)] = SAME(CONVRO_DB_WRITE, "notes.pair", "one:t two:t", "name:t",
	    "INSERT INTO notes(name) VALUES ($2); INSERT INTO notes(name) VALUES ($1);\n"
	    "SELECT name FROM notes WHERE changes() = 1 AND id = last_insert_rowid()"),
	[AT(NOTE_ELSEWHERE)] = { .size = sizeof(struct convro_statement), .flags = CONVRO_DB_LOCKS,
	    .name = "notes.elsewhere", .args_pg = "id:i[]", .columns_pg = "n:i",
	    .sql_pg = "SELECT 1" },
	[AT(NOTE_TYPES)] = SAME(0, "notes.types", "i:i j:j s:s b:b t:t n:t? list:i[]",
	    "i:i j:j s:s b:b t:t n:t? again:i", "SELECT $1, $2, $3, $4, $5, $6, $1"),
	[AT(NOTE_COUNT)] = SAME(0, "notes.count", "", "n:i", "SELECT count(*) FROM notes"),
	[AT(NOTE_MANY)] = SAME(0, "notes.many", "n:i", "i:i t:t",
	    "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < $1) "
	    "SELECT i, 'row ' || i FROM c"),
	[AT(NOTE_BAD_CHECK)] = SAME(CONVRO_DB_WRITE, "notes.bad_check", "", "",
	    "INSERT INTO notes(name) VALUES ('')"),
	[AT(NOTE_FOREVER)] = SAME(0, "notes.forever", "", "n:i",
	    "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c) "
	    "SELECT count(*) FROM c"),
};

static const struct convro_migration note_migrations[] = {
	{ .size = sizeof(struct convro_migration), .version = 1, .name = "notes",
	  .sql_sqlite = "CREATE TABLE notes(id INTEGER PRIMARY KEY AUTOINCREMENT, "
	    "name TEXT NOT NULL UNIQUE CHECK (name <> ''), body BLOB) STRICT;",
	  .checksum = "0101010101010101010101010101010101010101010101010101010101010101" },
	{ .size = sizeof(struct convro_migration), .version = 2, .name = "colour",
	  .sql_sqlite = "ALTER TABLE notes ADD COLUMN colour TEXT;",
	  .checksum = "0202020202020202020202020202020202020202020202020202020202020202" },
};
/* clang-format on */

/* What came back; filled by answered() on a worker, read by the test after answer_wait. */
struct answer {
	sem_t came;
	_Atomic int calls; /* of the callback */
	enum convro_status status;
	uint32_t result_count, rows, columns;
	uint64_t changed; /* of the last result */
	struct convro_db_val first[8];
	char text[8][64]; /* copies of what first[] points to */
	uint64_t group;
	uint32_t index;
	uint32_t worker;
	bool during_call; /* came before the call had returned */
	bool calling;
};

struct store {
	struct server server;
	struct module notes;
	char dir[64];
	char path[128];
};

static inline void
answer_init(struct answer *answer)
{
	memset(answer, 0, sizeof(*answer));
	assert_int_equal(sem_init(&answer->came, 0, 0), 0);
}

static inline void
answer_keep(struct answer *answer, const struct convro_db_result *result)
{
	answer->rows = result->nrows;
	answer->columns = result->ncols;
	answer->changed = result->changed;
	for (uint32_t i = 0; result->nrows > 0 && i < result->ncols && i < 8; i++) {
		const struct convro_db_val *val = convro_at(result, 0, i);

		answer->first[i] = *val;
		if (val->type == CONVRO_DB_TEXT || val->type == CONVRO_DB_BLOB)
			memcpy(answer->text[i], val->u.p,
			    val->len + 1u < sizeof(answer->text[i]) ? val->len + 1u
								    : sizeof(answer->text[i]));
	}
}

static inline void
answered(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t count)
{
	struct answer *answer = arg;

	answer->status = status;
	answer->result_count = count;
	if (count > 0)
		answer_keep(answer, &results[count - 1]);
	answer->group = ctx->commit_group;
	answer->index = ctx->commit_index;
	answer->worker = ctx->worker->index;
	answer->during_call = answer->calling;
	atomic_fetch_add(&answer->calls, 1);
	sem_post(&answer->came);
}

static inline void
answer_wait(struct answer *answer)
{
	while (sem_wait(&answer->came) != 0)
		continue;
}

/* --- the store --- */

static inline void
store_setting(struct store *store, const char *format, const char *value)
{
	char assignment[PATH_MAX + 64];

	(void)snprintf(assignment, sizeof(assignment), "%s%s", format, value);
	assert_int_equal(conf_set(store->server.conf, assignment), 0);
}

/* A server that is configured and has workers, and no database yet. */
static inline void
store_init(struct store *store, const char *path)
{
	struct buf mistakes;
	char program[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", program, sizeof(program) - 16);

	memset(store, 0, sizeof(*store));
	assert_true(len > 0);
	program[len] = '\0';
	(void)dirname(program);
	strncat(program, "/../drivers", 12);
	store->server.conf = conf_new();
	store->server.log = log_get();
	assert_int_equal(core_options_declare(store->server.conf), 0);
	store_setting(store, "server.driver_dir=", program);
	store_setting(store, "storage.path=", path);
	store_setting(store, "storage.queue_max=", "16");
	buf_init(&mistakes, 0);
	if (conf_finish(store->server.conf, &mistakes) != 0)
		fail_msg("%s", buf_text(&mistakes));
	buf_fini(&mistakes);

	store->server.core = (struct module){
		.server = &store->server,
		.name = "core",
		.statements = core_statements,
		.statement_count = CORE_STATEMENT_COUNT,
		.migrations = core_migrations,
		.migration_count = CORE_MIGRATION_COUNT,
	};
	store->notes = (struct module){
		.server = &store->server,
		.name = "notes",
		.statements = note_statements,
		.statement_count = AT(NOTE_END),
		.migrations = note_migrations,
		.migration_count = 1,
	};
	store->server.modules = &store->notes;
	store->server.module_count = 1;
	store->server.worker_count = WORKERS;
	store->server.workers = workers_new(&store->server, WORKERS);
	assert_non_null(store->server.workers);
}

static inline int
store_init_worker(struct worker *worker, void *arg)
{
	struct store *store = arg;

	return db_worker_init(store->server.db, worker);
}

static inline int
store_fini_worker(struct worker *worker, void *arg)
{
	struct store *store = arg;

	db_worker_fini(store->server.db, worker);
	return 0;
}

static inline void
store_run_workers(struct store *store)
{
	assert_int_equal(workers_start(store->server.workers, WORKERS), 0);
	assert_int_equal(workers_each(store->server.workers, WORKERS, store_init_worker, store), 0);
}

/* Opens, migrates, starts; everything runs when it returns. */
static inline void
store_start(struct store *store)
{
	store->server.db = db_open(&store->server);
	assert_non_null(store->server.db);
	assert_int_equal(db_migrate(store->server.db), 0);
	assert_int_equal(db_start(store->server.db), 0);
	store_run_workers(store);
}

static inline void
store_stop(struct store *store)
{
	if (store->server.workers[0].started) {
		db_stop(store->server.db);
		(void)workers_each(store->server.workers, WORKERS, store_fini_worker, store);
		workers_stop(store->server.workers, WORKERS);
	}
	db_close(store->server.db);
	store->server.db = NULL;
}

static inline void
store_fini(struct store *store)
{
	workers_free(store->server.workers, WORKERS);
	conf_free(store->server.conf);
}

/* --- calls, made on a worker --- */

struct call {
	struct store *store;
	struct answer *answer;
	struct convro_db_args args;
	const uint32_t *statements; /* of a batch, all with the same arguments */
	uint32_t statement, count;
	int64_t deadline_ms;
};

static inline int
call_on_worker(struct worker *worker, void *arg)
{
	const struct call *call = arg;
	struct convro_ctx *ctx = ctx_new(worker, &call->store->notes);
	struct convro_db_batch *batch;

	MUST(ctx != NULL);
	ctx->deadline_ms = call->deadline_ms;
	call->answer->calling = true;
	if (call->statements == NULL) {
		db_table.query(ctx, call->statement, call->args, answered, call->answer);
	} else {
		batch = db_table.batch(ctx);
		for (uint32_t i = 0; i < call->count; i++)
			db_table.add(batch, call->statements[i], call->args);
		db_table.exec(batch, answered, call->answer);
	}
	call->answer->calling = false;
	ctx_unref(ctx);
	return 0;
}

static inline void
ask(struct store *store, uint32_t worker, uint32_t statement, struct convro_db_args args,
    struct answer *answer)
{
	struct call call = {
		.store = store, .answer = answer, .statement = statement, .args = args
	};

	answer_init(answer);
	(void)workers_each(&store->server.workers[worker], 1, call_on_worker, &call);
}

/* Asks and waits; the status. */
static inline enum convro_status
run(struct store *store, uint32_t statement, struct convro_db_args args, struct answer *answer)
{
	ask(store, 0, statement, args, answer);
	answer_wait(answer);
	return answer->status;
}

static inline struct convro_db_val
text_val(const char *text)
{
	return convro_text_n(text, strlen(text));
}

/* --- a store on a file of its own: set-up and tear-down of a test --- */

/* The files of a database at `path`, and the directory they are in. */
static inline void
store_remove(const char *path, const char *dir)
{
	static const char *const endings[] = { "", "-wal", "-shm", ".lock" };
	char name[160];

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", path, endings[i]);
		(void)unlink(name);
	}
	assert_int_equal(rmdir(dir), 0);
}

static inline int
store_set_up(void **state)
{
	struct store *store = calloc(1, sizeof(*store));
	char dir[] = "/tmp/convro-db-XXXXXX", path[64];

	assert_non_null(store);
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/store.db", dir);
	store_init(store, path);
	memcpy(store->dir, dir, sizeof(dir));
	memcpy(store->path, path, sizeof(path));
	store_start(store);
	*state = store;
	return 0;
}

static inline int
store_tear_down(void **state)
{
	struct store *store = *state;

	if (store->server.db != NULL)
		store_stop(store);
	store_fini(store);
	store_remove(store->path, store->dir);
	free(store);
	return 0;
}

static inline void
add(struct store *store, const char *name)
{
	struct answer answer;

	assert_int_equal(
	    run(store, NOTE_ADD, CONVRO_ARGS(text_val(name), convro_null()), &answer), CONVRO_OK);
}

static inline int64_t
count_notes(struct store *store)
{
	struct answer answer;

	assert_int_equal(run(store, NOTE_COUNT, CONVRO_NO_ARGS, &answer), CONVRO_OK);
	return answer.first[0].u.i;
}

#define on_a_store(test) cmocka_unit_test_setup_teardown(test, store_set_up, store_tear_down)

#endif
