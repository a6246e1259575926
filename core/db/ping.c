/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ping: does the store answer within a second?  The one call that does not
 * wait for its read: a timer on the worker answers for a store that hangs, and
 * the read that comes back later finds that it is no longer asked for.
 */
#include "base/clock.h"
#include "base/must.h"
#include "core_sql.h"
#include "db/store.h"

#include <event2/event.h>
#include <stdlib.h>

enum { PATIENCE_MS = 1000 };

struct ping {
	struct convro_ctx *ctx; /* one reference, until answered */
	struct module *module;
	convro_db_done *done;
	void *arg;
	struct event *timer;
	struct db_job *job; /* NULL once it came back */
	bool answered;
};

/* Freed when it was answered and the job is back, whichever comes last. */
static void
settle(struct ping *ping)
{
	if (!ping->answered || ping->job != NULL)
		return;
	event_free(ping->timer);
	free(ping);
}

static void
answer(struct ping *ping, enum convro_status status, const struct db_request *request)
{
	struct convro_ctx *ctx = ping->ctx;

	if (ping->answered)
		return;
	ping->answered = true;
	(void)event_del(ping->timer);
	ctx->module = ping->module;
	if (status == CONVRO_OK)
		ping->done(ctx, ping->arg, status, request->results, request->call_count);
	else
		ping->done(ctx, ping->arg, status, NULL, 0);
	ctx_unref(ctx);
}

static void
patience_ended(evutil_socket_t fd, short what, void *arg)
{
	struct ping *ping = arg;

	(void)fd;
	(void)what;
	answer(ping, CONVRO_TIMEOUT, NULL);
	settle(ping);
}

static void
came_back(struct worker *worker, struct db_job *job)
{
	struct ping *ping = job->arg;

	answer(ping, job->request.status, &job->request);
	ping->job = NULL;
	job_free(worker, job);
	settle(ping);
}

static struct ping *
ping_new(struct convro_ctx *ctx, struct db_job *job)
{
	const struct timeval patience = { PATIENCE_MS / 1000, PATIENCE_MS % 1000 * 1000 };
	struct ping *ping = calloc(1, sizeof(*ping));

	if (ping == NULL)
		return NULL;
	ping->timer = evtimer_new(ctx->worker->base, patience_ended, ping);
	if (ping->timer == NULL || evtimer_add(ping->timer, &patience) != 0) {
		if (ping->timer != NULL)
			event_free(ping->timer);
		free(ping);
		return NULL;
	}
	ping->ctx = ctx;
	ping->job = job;
	return ping;
}

/* One call without arguments; false when memory is out. */
static bool
fill(struct db_request *request, const struct db_statement *statement)
{
	struct db_call *call;

	if (request->arena == NULL)
		return false;
	call = arena_zero(request->arena, 1, sizeof(*call));
	request->results = arena_zero(request->arena, 1, sizeof(*request->results));
	if (call == NULL || request->results == NULL)
		return false;
	call->statement = statement;
	call->args = args_copy(request->arena, statement, CONVRO_NO_ARGS);
	request->results->size = sizeof(*request->results);
	request->results->ncols = statement->column_count;
	request->calls = call;
	request->call_count = 1;
	return call->args != NULL;
}

void
db_ping(struct convro_ctx *ctx, convro_db_done *done, void *arg)
{
	struct db *db = ctx->worker->server->db;
	struct db_job *job = job_new(ctx->worker);
	struct ping *ping = NULL;

	job->ctx = ctx;
	job->module = ctx->module;
	ctx_ref(ctx);
	if (fill(&job->request, &db->statements[CORE_PING]))
		ping = ping_new(ctx, job);
	if (ping == NULL) {
		job->done = done;
		job->arg = arg;
		job->finish = job_call_done;
		job_fail(job, CONVRO_NO_MEMORY);
		return;
	}
	ping->module = ctx->module;
	ping->done = done;
	ping->arg = arg;
	job->finish = came_back;
	job->arg = ping;
	job->request.deadline_ms = clock_mono_ms() + PATIENCE_MS;
	job_submit(db, job);
}
