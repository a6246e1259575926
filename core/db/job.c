/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jobs: made on a worker, carried out elsewhere, finished on that worker, and
 * kept for reuse with their arenas, so that a query allocates nothing in the
 * long run.
 *
 * A callback is promised even when memory is out.  Therefore each worker has a
 * few jobs in reserve that have no arena: they can only bring bad news.
 */
#include "base/clock.h"
#include "base/must.h"
#include "db/store.h"
#include "loop/commit_order.h"

#include <stdlib.h>

enum {
	ARENA_FIRST = 2048, /* bytes: a message's arguments and its row */
	SPARE_MOST = 128,
	RESERVE = 128, /* outstanding bad news of one worker, which the next round of its loop ends
			*/
};

static void
free_spare(struct list *link)
{
	struct db_job *job = LIST_OF(link, struct db_job, link);

	arena_free(job->request.arena);
	free(job);
}

static bool
trim_spare(struct trimmer *trimmer)
{
	struct db_worker *jobs = LIST_OF(trimmer, struct db_worker, trimmer);
	struct list *link;

	while ((link = spare_trim(&jobs->spare_jobs)) != NULL)
		free_spare(link);
	return false;
}

void
jobs_flush(struct db_worker *jobs)
{
	struct db_request *reads = jobs->reads;

	jobs->reads = NULL;
	jobs->reads_end = &jobs->reads;
	if (reads != NULL)
		jobs->db->driver->read(jobs->db->state, jobs->index, reads);
}

static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	jobs_flush(arg);
}

int
jobs_init(struct db_worker *jobs, struct db *db, struct worker *worker)
{
	jobs->db = db;
	jobs->index = worker->index;
	jobs->reads_end = &jobs->reads;
	spare_init(&jobs->spare_jobs);
	jobs->trimmer.trim = trim_spare;
	trimmer_add(worker, &jobs->trimmer);
	list_init(&jobs->reserve_jobs);
	jobs->turn_event = event_new(worker->base, -1, 0, on_turn, jobs);
	if (jobs->turn_event == NULL)
		return -1;
	for (uint32_t i = 0; i < RESERVE; i++) {
		struct db_job *job = calloc(1, sizeof(*job));

		if (job == NULL) {
			jobs_fini(jobs);
			return -1;
		}
		job->is_reserve = true;
		list_push_back(&jobs->reserve_jobs, &job->link);
	}
	return 0;
}

void
jobs_fini(struct db_worker *jobs)
{
	struct list *link;

	if (jobs->turn_event != NULL)
		event_free(jobs->turn_event);
	jobs->turn_event = NULL;
	trimmer_remove(&jobs->trimmer);
	while ((link = spare_take(&jobs->spare_jobs)) != NULL)
		free_spare(link);
	while ((link = list_take_first(&jobs->reserve_jobs)) != NULL)
		free_spare(link);
}

static struct db_job *
job_from_reserve(struct db_worker *jobs)
{
	struct list *link = jobs != NULL ? list_take_first(&jobs->reserve_jobs) : NULL;

	/* Without one the promise cannot be kept, and a request that is never answered would hold
	 * its context for ever. */
	MUST(link != NULL);
	return LIST_OF(link, struct db_job, link);
}

struct db_job *
job_new(struct worker *worker)
{
	struct db_worker *jobs = worker->db;
	struct list *link = jobs != NULL ? spare_take(&jobs->spare_jobs) : NULL;
	struct arena *arena = NULL;
	struct db_job *job;
	bool is_reserve = false;

	if (link != NULL) {
		job = LIST_OF(link, struct db_job, link);
		arena = job->request.arena;
	} else {
		job = malloc(sizeof(*job));
		if (job == NULL) {
			job = job_from_reserve(jobs);
			is_reserve = true;
		} else {
			arena = arena_new(ARENA_FIRST);
		}
	}
	*job = (struct db_job){
		.request = { .arena = arena, .worker = worker->index },
		.is_reserve = is_reserve,
	};
	list_init(&job->link);
	return job;
}

void
job_free(struct worker *worker, struct db_job *job)
{
	struct db_worker *jobs = worker->db;

	if (jobs != NULL && job->is_reserve) {
		list_push_back(&jobs->reserve_jobs, &job->link);
		return;
	}
	if (jobs != NULL && job->request.arena != NULL &&
	    spare_give(&jobs->spare_jobs, &job->link, SPARE_MOST)) {
		arena_reset(job->request.arena);
		return;
	}
	arena_free(job->request.arena);
	free(job);
}

static void
finish(struct worker *worker, struct task *task)
{
	struct db_job *job = LIST_OF(task, struct db_job, task);

	job->finish(worker, job);
}

void
job_post(struct db_job *job)
{
	job->task.run = finish;
	worker_post(job->ctx->worker, &job->task);
}

void
job_fail(struct db_job *job, enum convro_status status)
{
	job->request.status = status;
	job_post(job);
}

/* To the end of the turn, where all its reads leave together. */
static void
queue_read(struct db_worker *jobs, struct db_request *request)
{
	if (jobs->reads == NULL)
		event_active(jobs->turn_event, EV_TIMEOUT, 0);
	request->next = NULL;
	*jobs->reads_end = request;
	jobs->reads_end = &request->next;
}

void
job_submit(struct db *db, struct db_job *job)
{
	struct db_worker *jobs = job->ctx->worker->db;
	struct db_request *request = &job->request;

	if (jobs == NULL)
		job_fail(job, CONVRO_NOT_SENT); /* the worker is ending */
	else if (db_request_is_late(request, clock_mono_ms()))
		job_fail(job, CONVRO_TIMEOUT);
	else if (request->write)
		writer_submit(db->writer, job);
	else
		queue_read(jobs, request);
}

void
job_call_done(struct worker *worker, struct db_job *job)
{
	struct db_request *request = &job->request;
	struct convro_ctx *ctx = job->ctx;
	enum convro_status status = request->status;
	uint64_t group = job->ends_group ? job->commit_group : 0;

	ctx->module = job->module;
	if (status == CONVRO_OK) {
		ctx->commit_group = job->commit_group;
		ctx->commit_index = job->commit_index;
		job->done(ctx, job->arg, status, request->results, request->call_count);
		ctx->commit_group = 0;
		ctx->commit_index = 0;
	} else {
		job->done(ctx, job->arg, status, NULL, 0);
	}
	if (request->held != NULL)
		worker->server->db->driver->release(request);
	job_free(worker, job);
	ctx_unref(ctx);
	if (group != 0)
		commit_order_advanced(worker, group);
}
