/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of core/db share: the open store, a worker's share of it, and
 * the job, which is a driver's request with the callback that waits for it.
 */
#ifndef DB_STORE_H
#define DB_STORE_H

#include "base/list.h"
#include "db/db.h"
#include "db/driver.h"
#include "loop/ctx.h"
#include "loop/module.h"
#include "server.h"

struct writer;

#define DB_KEY_LEN 32

struct db {
	struct server *server; /* borrowed */
	const struct db_driver *driver;
	struct db_state *state;
	struct db_env env;
	bool is_postgresql; /* which texts of a statement count */

	/* Of core and all modules, each at its module's statement_base (statements.c). */
	struct db_statement *statements;
	uint32_t statement_count;
	struct arena *statement_arena; /* their fields */

	struct writer *writer; /* NULL before db_start */
	bool started;          /* driver->start succeeded, driver->stop is due */
	bool has_key;
	uint8_t key[DB_KEY_LEN];
};

/* A worker's jobs: reads of this loop turn, and those that wait for reuse.  Touched by that worker
 * alone. */
struct db_worker {
	struct db *db;
	uint32_t index;
	struct event *turn_event;
	struct db_request *reads, **reads_end; /* handed to the driver at the end of the turn */
	struct spare spare_jobs;
	struct trimmer trimmer;
	/* For when memory is out: a call must still be answered, and not within itself. */
	struct list reserve_jobs;
};

struct db_job {
	struct db_request request;
	struct list link; /* in spare_jobs or reserve_jobs */
	struct task task;
	/* Runs on the worker when the request came back; gives the job back with job_free. */
	void (*finish)(struct worker *worker, struct db_job *job);
	bool is_reserve;

	struct convro_ctx *ctx; /* one reference */
	struct module *module;
	convro_db_done *done;
	void *arg;

	/* Of a group: which commit, which place in it, and whether it is the last completion of
	 * that group for its worker. */
	uint64_t commit_group;
	uint32_t commit_index;
	bool ends_group;
};

static inline struct db_job *
job_of(struct db_request *own)
{
	return LIST_OF(own, struct db_job, request);
}

/* --- job.c; thread: the worker's unless said otherwise --- */

/* 0, or -1 when memory is out. */
int jobs_init(struct db_worker *jobs, struct db *db, struct worker *worker);
void jobs_fini(struct db_worker *jobs);
/* Hands the reads of this turn to the driver, without waiting for its end. */
void jobs_flush(struct db_worker *jobs);
/* An empty job with an arena of its own; the arena is NULL (and nothing can be asked for) when
 * memory is out.  Never NULL. */
struct db_job *job_new(struct worker *worker);
/* Takes the job, after it came back or when it was never handed over. */
void job_free(struct worker *worker, struct db_job *job);
/* Posts the job to its worker, where `finish` runs.  Thread: any. */
void job_post(struct db_job *job);
/* The same for a job that failed before a driver saw it. */
void job_fail(struct db_job *job, enum convro_status status);
/* Hands the job to the driver or the writer. */
void job_submit(struct db *db, struct db_job *job);
/* `finish` of all jobs with a callback. */
void job_call_done(struct worker *worker, struct db_job *job);

/* --- args.c --- */

/* Copies `args` for `statement` into the arena and checks them against its declaration: what does
 * not fit is a bug of the module and ends the process with the statement's name.  NULL when memory
 * is out.  Thread: worker. */
const struct convro_db_val *
args_copy(struct arena *arena, const struct db_statement *statement, struct convro_db_args args);

/* --- statements.c --- */

/* Builds db->statements for the engine and numbers the modules' statements.  0, or -1 after the
 * reason was logged.  Thread: main. */
int statements_build(struct db *db);
void statements_free(struct db *db);

/* --- ping.c --- */

void db_ping(struct convro_ctx *ctx, convro_db_done *done, void *arg);

/* --- writer.c --- */

/* The writer thread; NULL after the reason was logged.  Thread: main. */
struct writer *writer_new(struct db *db, uint32_t queue_max, uint32_t group_max);
/* Carries out what is queued, ends the thread.  Later jobs fail with NOT_SENT.  Thread: main. */
void writer_stop(struct writer *writer);
void writer_free(struct writer *writer);
/* Takes the job.  Thread: worker. */
void writer_submit(struct writer *writer, struct db_job *job);

/* --- start-up: blocking, main thread (life.c) --- */

/* Runs one statement of the core by its number.  0, or -1 after the driver logged the reason. */
int db_run(struct db *db, uint32_t core_statement, struct convro_db_args args, struct arena *arena,
    struct convro_db_result *out);

#endif
