/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The offload pool: threads for work that blocks or burns (Argon2id,
 * signature checks).  Its queue is bounded; full means 503 at once.
 */
#ifndef LOOP_OFFLOAD_H
#define LOOP_OFFLOAD_H

#include "loop/worker.h"

struct offload;

struct offload_job {
	struct offload_job *next;
	void (*burn)(struct offload_job *job); /* in the pool */
	struct task task;                      /* posted to `worker` afterwards */
	struct worker *worker;
};

/* A pool of `threads` threads and a queue of at most `queue` jobs; NULL when it could not be made.
 */
struct offload *offload_new(uint32_t threads, uint32_t queue);
/* Finishes the jobs in the queue, then joins.  NULL is allowed. */
void offload_free(struct offload *offload);

/* Takes the job until its task runs; false (and not taken) when the queue is full.  Thread: any. */
bool offload_submit(struct offload *offload, struct offload_job *job);

#endif
