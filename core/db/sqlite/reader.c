/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readers: one or two threads with connections of their own and one bounded
 * queue.  Never on an event loop: a page that is not in memory would stall it.
 */
#include "base/clock.h"
#include "base/heap.h"
#include "db/sqlite/sqlite.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

enum {
	LIMIT_MS = 5000, /* of one request, queue not counted */
	SHARE_MOST = 16, /* requests that a reader takes at once */
	IDLE_S = 2,      /* without a request, then its pages are given back */
};

struct reader {
	struct reader_pool *pool;
	struct connection connection;
	pthread_t thread;
	bool open, started;
	bool used; /* since its pages were given back; its own thread's */
};

struct reader_pool {
	struct db_state *state;
	pthread_mutex_t lock;
	pthread_cond_t ready;
	struct db_request *first, **end; /* under the lock, as the next three */
	uint32_t queued;
	uint32_t asleep;
	bool stopping;
	uint32_t count;
	struct reader readers[];
};

/* Waits for a request; when none comes for a while, it forgets pages that it read: the system still
 * has them, and memory that a burst took is not kept for ever. */
static void
wait_for_request(struct reader *reader)
{
	struct reader_pool *pool = reader->pool;
	struct timespec until;
	int rc;

	pool->asleep++;
	if (!reader->used) {
		pthread_cond_wait(&pool->ready, &pool->lock);
	} else {
		(void)clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += IDLE_S;
		rc = pthread_cond_timedwait(&pool->ready, &pool->lock, &until);
		if (rc == ETIMEDOUT && pool->first == NULL) {
			reader->used = false;
			pthread_mutex_unlock(&pool->lock);
			(void)sqlite3_db_release_memory(reader->connection.sqlite);
			heap_trim();
			pthread_mutex_lock(&pool->lock);
		}
	}
	pool->asleep--;
}

/* A share of what is queued, linked by `next`; NULL when the pool is stopping.  Half of the queue
 * at most, so that another reader has something to do as well. */
static struct db_request *
take(struct reader *reader)
{
	struct reader_pool *pool = reader->pool;
	struct db_request *first, **end;
	uint32_t share;

	pthread_mutex_lock(&pool->lock);
	while (pool->first == NULL && !pool->stopping)
		wait_for_request(reader);
	reader->used = true;
	first = pool->first;
	end = &pool->first;
	share = (pool->queued + pool->count - 1) / pool->count;
	for (uint32_t i = 0; i < share && i < SHARE_MOST; i++) {
		end = &(*end)->next;
		pool->queued--;
	}
	pool->first = *end;
	*end = NULL;
	if (pool->first == NULL)
		pool->end = &pool->first;
	pthread_mutex_unlock(&pool->lock);
	return first;
}

static enum convro_status
run_call(struct connection *connection, struct db_request *request, uint32_t i)
{
	const struct db_call *call = &request->calls[i];
	const struct prepared *prepared;
	enum convro_status status;
	int rc;

	if (call->statement->sql == NULL)
		return CONVRO_OK;
	prepared = connection_get(connection, call->statement, &rc);
	if (prepared == NULL)
		status = status_of(rc);
	else
		status =
		    execute(connection, prepared, call, request->arena, &request->results[i], &rc);
	if (status != CONVRO_OK && rc != SQLITE_OK)
		connection_complain(connection, call->statement->name, rc);
	return status;
}

/* Several statements see one state of the database. */
static enum convro_status
run_request(struct connection *connection, struct db_request *request, bool in_transaction)
{
	enum convro_status status = CONVRO_OK;
	bool several = request->call_count > 1 && !in_transaction;

	if (several) {
		int rc = connection_exec(connection, "BEGIN");

		if (rc != SQLITE_OK)
			return status_of(rc);
	}
	for (uint32_t i = 0; i < request->call_count && status == CONVRO_OK; i++)
		status = run_call(connection, request, i);
	if (several && sqlite3_get_autocommit(connection->sqlite) == 0)
		(void)connection_exec(connection, "ROLLBACK");
	return status;
}

static void
run_in_time(struct connection *connection, struct db_request *request, bool in_transaction)
{
	int64_t now_ms = clock_mono_ms();

	if (db_request_is_late(request, now_ms)) {
		request->status = CONVRO_TIMEOUT;
		return;
	}
	connection->limit_ms = now_ms + LIMIT_MS;
	if (request->deadline_ms != 0 && request->deadline_ms < connection->limit_ms)
		connection->limit_ms = request->deadline_ms;
	request->status = run_request(connection, request, in_transaction);
}

/* Requests that were taken together share a transaction: each would lock and unlock the file
 * otherwise.  It begins after all of them were asked, so each sees what it has to. */
static void
run_share(struct connection *connection, struct db_request *first)
{
	const struct db_env *env = connection->env;
	bool in_transaction =
	    first->next != NULL && connection_exec(connection, "BEGIN") == SQLITE_OK;

	while (first != NULL) {
		struct db_request *request = first;

		first = request->next;
		run_in_time(connection, request, in_transaction);
		/* A serious failure has rolled back: those that follow are on their own. */
		in_transaction = in_transaction && sqlite3_get_autocommit(connection->sqlite) == 0;
		env->complete(request);
	}
	if (in_transaction)
		(void)connection_exec(connection, "ROLLBACK");
}

static void *
run(void *arg)
{
	struct reader *reader = arg;
	struct db_request *first;

	while ((first = take(reader)) != NULL)
		run_share(&reader->connection, first);
	return NULL;
}

static int
start_one(struct reader_pool *pool, struct reader *reader)
{
	struct db_state *state = pool->state;

	reader->pool = pool;
	if (connection_open(&reader->connection, state->env, ROLE_READER) != 0)
		return -1;
	reader->open = true;
	if (connection_cache(&reader->connection, state->statement_count) != 0 ||
	    pthread_create(&reader->thread, NULL, run, reader) != 0) {
		state->env->log(CONVRO_LOG_ERROR, "could not start a reader of the database");
		return -1;
	}
	reader->started = true;
	(void)pthread_setname_np(reader->thread, "db-reader");
	return 0;
}

int
readers_start(struct db_state *state)
{
	uint32_t count = state->env->readers > 0 ? state->env->readers : 1;
	struct reader_pool *pool = calloc(1, sizeof(*pool) + count * sizeof(pool->readers[0]));
	pthread_condattr_t monotonic;

	if (pool == NULL) {
		state->env->log(CONVRO_LOG_ERROR, "out of memory for the readers of the database");
		return -1;
	}
	pool->state = state;
	pool->count = count;
	pool->end = &pool->first;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&pool->ready, &monotonic);
	pthread_condattr_destroy(&monotonic);
	for (uint32_t i = 0; i < count; i++) {
		if (start_one(pool, &pool->readers[i]) != 0) {
			readers_stop(pool);
			readers_free(pool);
			return -1;
		}
	}
	state->readers = pool;
	return 0;
}

/* Queues what there is room for; what is left is returned.  Under the lock. */
static struct db_request *
enqueue(struct reader_pool *pool, struct db_request *first)
{
	while (first != NULL && pool->queued < pool->state->env->queue_max) {
		struct db_request *request = first;

		first = request->next;
		request->next = NULL;
		*pool->end = request;
		pool->end = &request->next;
		pool->queued++;
	}
	return first;
}

void
readers_submit(struct reader_pool *pool, struct db_request *first)
{
	enum convro_status refused = CONVRO_OVERLOAD;
	uint32_t wake = 0;

	pthread_mutex_lock(&pool->lock);
	if (pool->stopping)
		refused = CONVRO_NOT_SENT;
	else
		first = enqueue(pool, first);
	if (pool->first != NULL)
		wake = pool->asleep < pool->queued ? pool->asleep : pool->queued;
	pthread_mutex_unlock(&pool->lock);
	if (wake > 1)
		pthread_cond_broadcast(&pool->ready);
	else if (wake == 1)
		pthread_cond_signal(&pool->ready);
	while (first != NULL) {
		struct db_request *request = first;

		first = request->next;
		request->status = refused;
		pool->state->env->complete(request);
	}
}

void
readers_stop(struct reader_pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	pool->stopping = true;
	pthread_mutex_unlock(&pool->lock);
	pthread_cond_broadcast(&pool->ready);
	for (uint32_t i = 0; i < pool->count; i++) {
		if (pool->readers[i].started)
			(void)pthread_join(pool->readers[i].thread, NULL);
		pool->readers[i].started = false;
	}
}

void
readers_free(struct reader_pool *pool)
{
	if (pool == NULL)
		return;
	for (uint32_t i = 0; i < pool->count; i++)
		if (pool->readers[i].open)
			connection_close(&pool->readers[i].connection);
	pthread_cond_destroy(&pool->ready);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}
