/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tasks in the order of commits.
 *
 * Completions of one commit group run on several workers at once, so what they
 * tell a device could arrive out of order.  Each such task carries its commit
 * (group, index).  The target holds it until no worker has a completion of that
 * group or an earlier one left to run, and then runs what it holds in order.
 */
#ifndef LOOP_COMMIT_ORDER_H
#define LOOP_COMMIT_ORDER_H

#include "loop/worker.h"

struct commit_inbox;

struct commit_inbox *commit_inbox_new(struct worker *worker);
void commit_inbox_free(struct commit_inbox *inbox);

/* The last completion of `group` for this worker has run.  Thread: that worker. */
void commit_order_advanced(struct worker *worker, uint64_t group);

/* A task that waits for its turn; `run` takes it. */
struct commit_task {
	struct list link;
	struct task task;
	uint64_t group;
	uint32_t index;
	void (*run)(struct worker *worker, struct commit_task *task);
};

/* Posts to `target`; a group of 0 (no commit) runs as soon as it arrives.  Thread: any worker. */
void commit_order_post(struct worker *target, struct commit_task *task);

#endif
