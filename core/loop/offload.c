/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A few threads and one bounded queue.
 */
#include "loop/offload.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define NICE 10 /* a tenth of a worker's share of a processor that both want */

struct offload {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct offload_job *first, **last;
	uint32_t queued, most;
	bool stopping;
	uint32_t count;
	pthread_t threads[];
};

static void *
run(void *arg)
{
	struct offload *offload = arg;

	/* Of this thread alone, on Linux.  Requests go before what burns. */
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
	pthread_mutex_lock(&offload->lock);
	for (;;) {
		struct offload_job *job = offload->first;

		if (job == NULL) {
			if (offload->stopping)
				break;
			pthread_cond_wait(&offload->more, &offload->lock);
			continue;
		}
		offload->first = job->next;
		if (offload->first == NULL)
			offload->last = &offload->first;
		offload->queued--;
		pthread_mutex_unlock(&offload->lock);

		job->burn(job);
		worker_post(job->worker, &job->task);

		pthread_mutex_lock(&offload->lock);
	}
	pthread_mutex_unlock(&offload->lock);
	return NULL;
}

struct offload *
offload_new(uint32_t threads, uint32_t queue)
{
	struct offload *offload = calloc(1, sizeof(*offload) + threads * sizeof(pthread_t));

	if (offload == NULL)
		return NULL;
	offload->last = &offload->first;
	offload->most = queue;
	pthread_mutex_init(&offload->lock, NULL);
	pthread_cond_init(&offload->more, NULL);
	for (uint32_t i = 0; i < threads; i++) {
		if (pthread_create(&offload->threads[i], NULL, run, offload) != 0) {
			offload_free(offload);
			return NULL;
		}
		(void)pthread_setname_np(offload->threads[i], "offload");
		offload->count++;
	}
	return offload;
}

void
offload_free(struct offload *offload)
{
	if (offload == NULL)
		return;
	pthread_mutex_lock(&offload->lock);
	offload->stopping = true;
	pthread_cond_broadcast(&offload->more);
	pthread_mutex_unlock(&offload->lock);
	for (uint32_t i = 0; i < offload->count; i++)
		(void)pthread_join(offload->threads[i], NULL);
	pthread_cond_destroy(&offload->more);
	pthread_mutex_destroy(&offload->lock);
	free(offload);
}

bool
offload_submit(struct offload *offload, struct offload_job *job)
{
	bool taken = false;

	pthread_mutex_lock(&offload->lock);
	if (offload->queued < offload->most && !offload->stopping) {
		job->next = NULL;
		*offload->last = job;
		offload->last = &job->next;
		offload->queued++;
		taken = true;
		pthread_cond_signal(&offload->more);
	}
	pthread_mutex_unlock(&offload->lock);
	return taken;
}
