/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tasks that stem from commits run in the order of the commits, whichever
 * worker their completions ran on.  A writer thread plays the store: it deals
 * the completions of each group out to random workers, and each completion
 * posts to one target.
 */
#include "loop/commit_order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { WORKERS = 4, GROUPS = 3000, GROUP_MOST = 8 };

static struct worker *workers;
static uint32_t arrived; /* on the target only */
static uint64_t last_group;
static uint32_t last_index;
static uint32_t disorder;

static void
arrive(struct worker *worker, struct commit_task *task)
{
	assert_int_equal(worker->index, 0);
	if (task->group < last_group || (task->group == last_group && task->index <= last_index))
		disorder++;
	last_group = task->group;
	last_index = task->index;
	arrived++;
	free(task);
}

struct completion {
	struct task task;
	uint64_t group;
	uint32_t index;
	bool last; /* of its group for this worker */
};

static void
complete(struct worker *worker, struct task *task)
{
	struct completion *completion = LIST_OF(task, struct completion, task);
	struct commit_task *commit = calloc(1, sizeof(*commit));

	assert_non_null(commit);
	commit->group = completion->group;
	commit->index = completion->index;
	commit->run = arrive;
	commit_order_post(&workers[0], commit);
	if (completion->last)
		commit_order_advanced(worker, completion->group);
	free(completion);
}

/* One group: what the writer of the store does. */
static uint32_t
deal(uint64_t group, unsigned *seed)
{
	uint32_t count = 1 + (uint32_t)rand_r(seed) % GROUP_MOST;
	uint32_t target[GROUP_MOST];

	for (uint32_t i = 0; i < count; i++) {
		target[i] = (uint32_t)rand_r(seed) % WORKERS;
		atomic_store(&workers[target[i]].commits_posted, group);
	}
	for (uint32_t i = 0; i < count; i++) {
		struct completion *completion = calloc(1, sizeof(*completion));

		assert_non_null(completion);
		completion->task.run = complete;
		completion->group = group;
		completion->index = i;
		completion->last = true;
		for (uint32_t later = i + 1; later < count; later++)
			if (target[later] == target[i])
				completion->last = false;
		worker_post(&workers[target[i]], &completion->task);
	}
	return count;
}

static int
read_arrived(struct worker *worker, void *arg)
{
	(void)arg;
	return worker->index == 0 ? (int)arrived : 0;
}

static void
keeps_the_order_of_commits_over_all_workers(void **state)
{
	unsigned seed = 7;
	uint32_t sent = 0;

	(void)state;
	workers = workers_new(NULL, WORKERS);
	assert_non_null(workers);
	assert_int_equal(workers_start(workers, WORKERS), 0);
	for (uint64_t group = 1; group <= GROUPS; group++)
		sent += deal(group, &seed);
	/* Everything was posted; what is held is released without any further event. */
	while ((uint32_t)workers_each(workers, WORKERS, read_arrived, NULL) < sent)
		usleep(1000);
	workers_stop(workers, WORKERS);
	assert_int_equal(arrived, sent);
	assert_int_equal(disorder, 0);
	workers_free(workers, WORKERS);
}

static void
runs_a_task_without_a_commit_at_once(void **state)
{
	struct commit_task *task = calloc(1, sizeof(*task));

	(void)state;
	arrived = 0;
	last_group = 0;
	last_index = 0;
	workers = workers_new(NULL, 1);
	assert_non_null(workers);
	assert_non_null(task);
	task->index = 1;
	task->run = arrive;
	commit_order_post(&workers[0], task);
	assert_int_equal(workers_start(workers, 1), 0);
	workers_stop(workers, 1);
	assert_int_equal(arrived, 1);
	workers_free(workers, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_the_order_of_commits_over_all_workers),
		cmocka_unit_test(runs_a_task_without_a_commit_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
