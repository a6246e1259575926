/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writer: one thread per process that gives the driver whatever queued
 * while the previous commit ran, as one group (design: storage, section 0).
 * There is no timer: alone, a write commits at once; under load a commit
 * carries as many as arrived meanwhile.
 *
 * Order matters beyond the store.  Groups have ascending numbers, and before
 * the first completion of a group is posted every worker concerned has been
 * told that it is coming (loop/commit_order.c builds on that).
 */
#include "base/clock.h"
#include "base/must.h"
#include "db/store.h"
#include "log/log.h"

#include <stdlib.h>
#include <string.h>

struct writer {
	struct db *db;
	pthread_t thread;
	uint32_t queue_max, group_max;

	pthread_mutex_t lock;
	pthread_cond_t ready;
	struct db_request *first, **end; /* queued; under the lock, as the next three */
	uint32_t queued;
	bool asleep;
	bool stopping;

	/* The thread's own. */
	struct db_request **group; /* group_max of them */
	uint32_t deferred;         /* of those at the front: left over from the last group */
	uint64_t group_number;
	uint64_t *ended; /* per worker: the last group whose last completion was found */
};

/* Adds queued jobs to the group until it is full.  False when there is nothing to do and there
 * never will be. */
static bool
take(struct writer *writer, uint32_t *out_count)
{
	uint32_t count = writer->deferred;

	pthread_mutex_lock(&writer->lock);
	while (count == 0 && writer->first == NULL && !writer->stopping) {
		writer->asleep = true;
		pthread_cond_wait(&writer->ready, &writer->lock);
	}
	writer->asleep = false;
	while (count < writer->group_max && writer->first != NULL) {
		struct db_request *request = writer->first;

		writer->first = request->next;
		if (writer->first == NULL)
			writer->end = &writer->first;
		writer->queued--;
		writer->group[count++] = request;
	}
	pthread_mutex_unlock(&writer->lock);
	*out_count = count;
	return count > 0;
}

/* Those whose deadline passed in the queue are not begun; how many are left. */
static uint32_t
drop_late(struct writer *writer, uint32_t count)
{
	int64_t now_ms = clock_mono_ms();
	uint32_t left = 0;

	for (uint32_t i = 0; i < count; i++) {
		struct db_request *request = writer->group[i];

		if (db_request_is_late(request, now_ms))
			job_fail(job_of(request), CONVRO_TIMEOUT);
		else
			writer->group[left++] = request;
	}
	return left;
}

/* Numbers what was carried out and keeps the rest; how many were. */
static uint32_t
part_from_deferred(struct writer *writer, uint32_t count, struct db_request **done)
{
	uint32_t done_count = 0;

	writer->deferred = 0;
	for (uint32_t i = 0; i < count; i++) {
		struct db_request *request = writer->group[i];

		if (request->deferred) {
			MUST(i > 0);
			request->deferred = false;
			request->driver = NULL;
			request->driver_mark = request->driver_index = 0;
			writer->group[writer->deferred++] = request;
			continue;
		}
		job_of(request)->commit_index = done_count;
		job_of(request)->commit_group = writer->group_number;
		done[done_count++] = request;
	}
	return done_count;
}

static void
post(struct writer *writer, struct db_request **done, uint32_t count)
{
	uint64_t group = writer->group_number;

	for (uint32_t i = count; i-- > 0;) {
		struct db_job *job = job_of(done[i]);
		struct worker *worker = job->ctx->worker;

		if (writer->ended[worker->index] == group)
			continue;
		writer->ended[worker->index] = group;
		job->ends_group = true;
		atomic_store(&worker->commits_posted, group);
	}
	for (uint32_t i = 0; i < count; i++)
		job_post(job_of(done[i]));
}

static void *
run(void *arg)
{
	struct writer *writer = arg;
	struct db *db = writer->db;
	struct db_request **done = writer->group + writer->group_max;
	uint32_t count;

	while (take(writer, &count)) {
		count = drop_late(writer, count);
		if (count == 0) {
			writer->deferred = 0;
			continue;
		}
		db->driver->group(db->state, writer->group, count);
		writer->group_number++;
		count = part_from_deferred(writer, count, done);
		post(writer, done, count);
	}
	return NULL;
}

void
writer_submit(struct writer *writer, struct db_job *job)
{
	struct db_request *request = &job->request;
	enum convro_status refused = CONVRO_OK;
	bool wake = false;

	request->next = NULL;
	pthread_mutex_lock(&writer->lock);
	if (writer->stopping) {
		refused = CONVRO_NOT_SENT;
	} else if (writer->queued >= writer->queue_max) {
		refused = CONVRO_OVERLOAD;
	} else {
		*writer->end = request;
		writer->end = &request->next;
		writer->queued++;
		wake = writer->asleep;
		writer->asleep = false;
	}
	pthread_mutex_unlock(&writer->lock);
	if (refused != CONVRO_OK)
		job_fail(job, refused);
	else if (wake)
		pthread_cond_signal(&writer->ready);
}

struct writer *
writer_new(struct db *db, uint32_t queue_max, uint32_t group_max)
{
	struct writer *writer = calloc(1, sizeof(*writer));

	if (writer != NULL) {
		writer->group = calloc(2 * (size_t)group_max, sizeof(*writer->group));
		writer->ended = calloc(db->server->worker_count + 1u, sizeof(*writer->ended));
	}
	if (writer == NULL || writer->group == NULL || writer->ended == NULL) {
		log_error("out of memory for the writer of the database");
		if (writer != NULL) {
			free(writer->group);
			free(writer->ended);
			free(writer);
		}
		return NULL;
	}
	writer->db = db;
	writer->queue_max = queue_max;
	writer->group_max = group_max;
	writer->end = &writer->first;
	pthread_mutex_init(&writer->lock, NULL);
	pthread_cond_init(&writer->ready, NULL);
	if (pthread_create(&writer->thread, NULL, run, writer) != 0) {
		log_error("could not start the writer thread of the database");
		writer->stopping = true;
		writer_free(writer);
		return NULL;
	}
	(void)pthread_setname_np(writer->thread, "db-writer");
	return writer;
}

void
writer_stop(struct writer *writer)
{
	pthread_mutex_lock(&writer->lock);
	writer->stopping = true;
	pthread_mutex_unlock(&writer->lock);
	pthread_cond_signal(&writer->ready);
	(void)pthread_join(writer->thread, NULL);
}

void
writer_free(struct writer *writer)
{
	if (writer == NULL)
		return;
	pthread_cond_destroy(&writer->ready);
	pthread_mutex_destroy(&writer->lock);
	free(writer->group);
	free(writer->ended);
	free(writer);
}
