/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ABI's group table db: what modules call.  A query becomes a job at once;
 * a batch collects its calls in the context's arena until exec makes it one.
 * Where a job goes from here: job.c; life of the store: life.c.
 */
#include "db/db.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/must.h"
#include "db/store.h"

#include <string.h>

struct batch_call {
	struct batch_call *next;
	struct db_call call;
};

/* All in the context's arena, which outlives the job: the context is referenced until then. */
struct convro_db_batch {
	struct convro_ctx *ctx;
	struct batch_call *first, **end;
	uint32_t count;
	bool write, idempotent;
	enum convro_status status;
};

/* A batch that found no memory must still know its context until exec, and the caller gets no NULL:
 * it is the context's address with the lowest bit set.  Nothing is allocated, nothing can leak. */
static struct convro_db_batch *
batch_without_memory(struct convro_ctx *ctx)
{
	return (struct convro_db_batch *)((uintptr_t)ctx | 1u);
}

/* The context of such a batch; NULL for any other. */
static struct convro_ctx *
ctx_without_batch(const struct convro_db_batch *batch)
{
	uintptr_t address = (uintptr_t)batch;

	return (address & 1u) != 0 ? (struct convro_ctx *)(address & ~(uintptr_t)1u) : NULL;
}

static struct db *
db_of(struct convro_ctx *ctx)
{
	return ctx->worker->server->db;
}

static const struct db_statement *
statement_of(struct convro_ctx *ctx, uint32_t number)
{
	struct db *db = db_of(ctx);

	MUST(number < db->statement_count);
	return &db->statements[number];
}

/* Locks belong to a transaction, so a statement that takes them is no read. */
static bool
needs_writer(const struct db_statement *statement)
{
	return statement->sql != NULL &&
	       (statement->flags & (CONVRO_DB_WRITE | CONVRO_DB_LOCKS)) != 0;
}

static bool
may_repeat(const struct db_statement *statement)
{
	return (statement->flags & CONVRO_DB_WRITE) == 0 ||
	       (statement->flags & CONVRO_DB_IDEMPOTENT) != 0;
}

static struct db_job *
job_for(struct convro_ctx *ctx, convro_db_done *done, void *arg)
{
	struct db_job *job = job_new(ctx->worker);

	job->ctx = ctx;
	job->module = ctx->module;
	job->done = done;
	job->arg = arg;
	job->finish = job_call_done;
	job->request.deadline_ms = ctx->deadline_ms;
	ctx_ref(ctx);
	return job;
}

/* Room for `count` calls and their results; NULL when memory is out. */
static struct db_call *
job_calls(struct db_job *job, uint32_t count)
{
	struct arena *arena = job->request.arena;
	struct db_call *calls;

	if (arena == NULL)
		return NULL;
	calls = arena_zero(arena, count + 1u, sizeof(*calls));
	job->request.results = arena_zero(arena, count + 1u, sizeof(*job->request.results));
	if (calls == NULL || job->request.results == NULL)
		return NULL;
	job->request.calls = calls;
	job->request.call_count = count;
	return calls;
}

static void
prepare_results(struct db_request *request)
{
	for (uint32_t i = 0; i < request->call_count; i++) {
		const struct db_statement *statement = request->calls[i].statement;

		request->results[i].size = sizeof(request->results[i]);
		request->results[i].ncols = statement->column_count - statement->hidden;
	}
}

static void
query(struct convro_ctx *ctx, uint32_t number, struct convro_db_args args, convro_db_done *done,
    void *arg)
{
	const struct db_statement *statement = statement_of(ctx, number);
	struct db_job *job = job_for(ctx, done, arg);
	struct db_call *calls = job_calls(job, 1);

	if (calls != NULL) {
		calls->statement = statement;
		calls->args = args_copy(job->request.arena, statement, args);
	}
	if (calls == NULL || calls->args == NULL) {
		job_fail(job, CONVRO_NO_MEMORY);
		return;
	}
	prepare_results(&job->request);
	job->request.write = needs_writer(statement);
	job->request.idempotent = may_repeat(statement);
	job_submit(db_of(ctx), job);
}

static struct convro_db_batch *
batch_new(struct convro_ctx *ctx)
{
	struct convro_db_batch *batch = arena_zero(ctx->arena, 1, sizeof(*batch));

	if (batch == NULL)
		return batch_without_memory(ctx);
	batch->ctx = ctx;
	batch->end = &batch->first;
	batch->idempotent = true;
	return batch;
}

static void
batch_add(struct convro_db_batch *batch, uint32_t number, struct convro_db_args args)
{
	const struct db_statement *statement;
	struct batch_call *added;
	struct convro_ctx *ctx;

	if (ctx_without_batch(batch) != NULL || batch->status != CONVRO_OK)
		return;
	ctx = batch->ctx;
	statement = statement_of(ctx, number);
	added = arena_zero(ctx->arena, 1, sizeof(*added));
	if (added != NULL) {
		added->call.statement = statement;
		added->call.args = args_copy(ctx->arena, statement, args);
	}
	if (added == NULL || added->call.args == NULL) {
		batch->status = CONVRO_NO_MEMORY;
		return;
	}
	*batch->end = added;
	batch->end = &added->next;
	batch->count++;
	batch->write |= needs_writer(statement);
	batch->idempotent &= may_repeat(statement);
}

static void
batch_exec(struct convro_db_batch *batch, convro_db_done *done, void *arg)
{
	struct convro_ctx *ctx = ctx_without_batch(batch);
	bool failed = ctx != NULL || batch->status != CONVRO_OK;
	struct db_call *calls = NULL;
	struct db_job *job;

	if (ctx == NULL)
		ctx = batch->ctx;
	job = job_for(ctx, done, arg);
	if (!failed)
		calls = job_calls(job, batch->count);
	if (calls == NULL) {
		job_fail(job, CONVRO_NO_MEMORY);
		return;
	}
	for (struct batch_call *at = batch->first; at != NULL; at = at->next)
		*calls++ = at->call;
	prepare_results(&job->request);
	job->request.write = batch->write;
	job->request.idempotent = batch->idempotent;
	if (batch->count == 0)
		job_fail(job, CONVRO_OK); /* nothing to do, which is done */
	else
		job_submit(db_of(ctx), job);
}

static int64_t
now(struct convro_ctx *ctx)
{
	(void)ctx;
	return clock_wall_us();
}

static const uint8_t *
permutation_key(struct convro_ctx *ctx)
{
	struct db *db = db_of(ctx);

	return db->has_key ? db->key : NULL;
}

const struct convro_db_table db_table = {
	.size = sizeof(struct convro_db_table),
	.query = query,
	.batch = batch_new,
	.add = batch_add,
	.exec = batch_exec,
	.ping = db_ping,
	.now = now,
	.permutation_key = permutation_key,
};
