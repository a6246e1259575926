/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checkpoint thread moves pages from the write-ahead log into the database
 * while the writer goes on, and empties the log when nothing was written for a
 * while.  It sleeps without a timer while there is nothing to move.
 */
#include "base/clock.h"
#include "db/sqlite/sqlite.h"

#include <stdlib.h>
#include <time.h>

enum { IDLE_MS = 2000 }; /* without a write, after which the log is emptied */

struct checkpointer {
	struct connection connection;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed; /* of the monotonic clock */
	/* Under the lock. */
	uint32_t wal_pages; /* in the log after the last commit */
	uint32_t moved_at;  /* wal_pages when we last began to move */
	int64_t wrote_ms;
	bool dirty; /* something was written since the log was emptied */
	bool stopping;
};

static bool
is_due(const struct checkpointer *checkpointer)
{
	/* Fewer than before: the log began anew. */
	uint32_t from =
	    checkpointer->moved_at <= checkpointer->wal_pages ? checkpointer->moved_at : 0;

	return checkpointer->wal_pages - from >= WAL_PAGES_DUE;
}

/* Until there is something to do; the lock is held. */
static void
wait_for_work(struct checkpointer *checkpointer)
{
	while (!checkpointer->stopping && !is_due(checkpointer)) {
		int64_t idle_ms = checkpointer->wrote_ms + IDLE_MS;
		struct timespec until = { (time_t)(idle_ms / 1000),
			(long)(idle_ms % 1000) * 1000000 };

		if (!checkpointer->dirty)
			pthread_cond_wait(&checkpointer->changed, &checkpointer->lock);
		else if (clock_mono_ms() >= idle_ms)
			return;
		else
			(void)pthread_cond_timedwait(
			    &checkpointer->changed, &checkpointer->lock, &until);
	}
}

/* SQLITE_BUSY is usual: a reader is in the way, or the writer. */
static int
checkpoint(struct checkpointer *checkpointer, int mode)
{
	int rc =
	    sqlite3_wal_checkpoint_v2(checkpointer->connection.sqlite, "main", mode, NULL, NULL);

	if (rc != SQLITE_OK && (rc & 0xff) != SQLITE_BUSY)
		connection_complain(&checkpointer->connection, "could not checkpoint", rc);
	return rc;
}

static void *
run(void *arg)
{
	struct checkpointer *checkpointer = arg;

	pthread_mutex_lock(&checkpointer->lock);
	for (;;) {
		bool due;
		int rc;

		wait_for_work(checkpointer);
		if (checkpointer->stopping)
			break;
		due = is_due(checkpointer);
		if (due)
			checkpointer->moved_at = checkpointer->wal_pages;
		else
			checkpointer->dirty = false; /* a write meanwhile sets it again */
		pthread_mutex_unlock(&checkpointer->lock);
		rc = checkpoint(
		    checkpointer, due ? SQLITE_CHECKPOINT_PASSIVE : SQLITE_CHECKPOINT_TRUNCATE);
		pthread_mutex_lock(&checkpointer->lock);
		if (!due && rc != SQLITE_OK) {
			checkpointer->dirty = true;
			checkpointer->wrote_ms = clock_mono_ms(); /* later again */
		}
	}
	pthread_mutex_unlock(&checkpointer->lock);
	return NULL;
}

struct checkpointer *
checkpointer_start(const struct db_env *env)
{
	struct checkpointer *checkpointer = calloc(1, sizeof(*checkpointer));
	pthread_condattr_t attributes;

	if (checkpointer == NULL) {
		env->log(CONVRO_LOG_ERROR, "out of memory for the checkpoint thread");
		return NULL;
	}
	if (connection_open(&checkpointer->connection, env, ROLE_CHECKPOINT) != 0) {
		free(checkpointer);
		return NULL;
	}
	pthread_mutex_init(&checkpointer->lock, NULL);
	pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&checkpointer->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	if (pthread_create(&checkpointer->thread, NULL, run, checkpointer) != 0) {
		env->log(CONVRO_LOG_ERROR, "could not start the checkpoint thread");
		pthread_cond_destroy(&checkpointer->changed);
		pthread_mutex_destroy(&checkpointer->lock);
		connection_close(&checkpointer->connection);
		free(checkpointer);
		return NULL;
	}
	(void)pthread_setname_np(checkpointer->thread, "db-checkpoint");
	return checkpointer;
}

void
checkpointer_free(struct checkpointer *checkpointer)
{
	if (checkpointer == NULL)
		return;
	pthread_mutex_lock(&checkpointer->lock);
	checkpointer->stopping = true;
	pthread_mutex_unlock(&checkpointer->lock);
	pthread_cond_signal(&checkpointer->changed);
	(void)pthread_join(checkpointer->thread, NULL);
	pthread_cond_destroy(&checkpointer->changed);
	pthread_mutex_destroy(&checkpointer->lock);
	connection_close(&checkpointer->connection);
	free(checkpointer);
}

void
checkpointer_wrote(struct checkpointer *checkpointer, uint32_t wal_pages)
{
	bool wake;

	pthread_mutex_lock(&checkpointer->lock);
	if (wal_pages < checkpointer->wal_pages)
		checkpointer->moved_at = 0; /* the log began anew */
	checkpointer->wal_pages = wal_pages;
	checkpointer->wrote_ms = clock_mono_ms();
	wake = !checkpointer->dirty || is_due(checkpointer);
	checkpointer->dirty = true;
	pthread_mutex_unlock(&checkpointer->lock);
	if (wake)
		pthread_cond_signal(&checkpointer->changed);
}
