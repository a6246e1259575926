/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The waiting room of one worker.  See the header for the rule.
 *
 * Why it is right: the writer raises commits_posted of every worker concerned
 * before it posts any completion of a group, so whoever holds a task of group g
 * sees all completions up to g announced.  A worker posts its tasks to us before
 * it raises commits_done.  So after commits_done was read, everything earlier is
 * at least in our inbox, and a release that we post to ourselves comes behind it.
 */
#include "loop/commit_order.h"

#include "base/must.h"

#include <stdlib.h>

struct commit_inbox {
	struct worker *worker;
	struct list held; /* struct commit_task, ascending (group, index) */

	struct task release; /* to ourselves */
	bool release_posted;
	uint64_t release_limit;

	struct task wake; /* from a worker whose completions ended */
	_Atomic bool waiting;
	_Atomic bool wake_posted; /* the task is in our inbox: it must not be put there again */
};

/* The highest group all of whose completions, and those of all groups before, have run everywhere.
 */
static uint64_t
settled(const struct worker *worker)
{
	uint64_t lowest = UINT64_MAX;

	for (uint32_t i = 0; i < worker->worker_count; i++) {
		const struct worker *other = &worker->workers[i];
		uint64_t posted = atomic_load(&other->commits_posted);
		uint64_t done = atomic_load(&other->commits_done);

		if (done < posted && done < lowest)
			lowest = done;
	}
	return lowest;
}

static uint64_t
first_group(const struct commit_inbox *inbox)
{
	return LIST_OF(inbox->held.next, struct commit_task, link)->group;
}

/* Posts a release for what may run, or asks to be woken. */
static void
consider(struct commit_inbox *inbox)
{
	uint64_t limit;

	if (inbox->release_posted || list_is_empty(&inbox->held))
		return;
	limit = settled(inbox->worker);
	if (first_group(inbox) > limit) {
		atomic_store(&inbox->waiting, true);
		/* Whoever advanced before it saw the flag does not wake us: look again. */
		limit = settled(inbox->worker);
		if (first_group(inbox) > limit || !atomic_exchange(&inbox->waiting, false))
			return; /* in the second case a wake is on its way */
	}
	inbox->release_limit = limit;
	inbox->release_posted = true;
	worker_post(inbox->worker, &inbox->release);
}

static void
release(struct worker *worker, struct task *task)
{
	struct commit_inbox *inbox = worker->commit_inbox;
	uint64_t limit = inbox->release_limit;

	(void)task;
	inbox->release_posted = false;
	while (!list_is_empty(&inbox->held) && first_group(inbox) <= limit) {
		struct commit_task *first =
		    LIST_OF(list_take_first(&inbox->held), struct commit_task, link);

		first->run(worker, first);
	}
	consider(inbox);
}

static void
woken(struct worker *worker, struct task *task)
{
	(void)task;
	/* Before looking: who advances after this posts again. */
	atomic_store(&worker->commit_inbox->wake_posted, false);
	consider(worker->commit_inbox);
}

struct commit_inbox *
commit_inbox_new(struct worker *worker)
{
	struct commit_inbox *inbox = calloc(1, sizeof(*inbox));

	if (inbox == NULL)
		return NULL;
	inbox->worker = worker;
	list_init(&inbox->held);
	inbox->release.run = release;
	inbox->wake.run = woken;
	return inbox;
}

void
commit_inbox_free(struct commit_inbox *inbox)
{
	free(inbox);
}

void
commit_order_advanced(struct worker *worker, uint64_t group)
{
	atomic_store(&worker->commits_done, group);
	for (uint32_t i = 0; i < worker->worker_count; i++) {
		struct commit_inbox *inbox = worker->workers[i].commit_inbox;

		if (atomic_exchange(&inbox->waiting, false) &&
		    !atomic_exchange(&inbox->wake_posted, true))
			worker_post(&worker->workers[i], &inbox->wake);
	}
}

static void
arrived(struct worker *worker, struct task *arriving)
{
	struct commit_task *task = LIST_OF(arriving, struct commit_task, task);
	struct commit_inbox *inbox = worker->commit_inbox;
	struct list *at;

	if (task->group == 0) {
		task->run(worker, task);
		return;
	}
	/* Tasks arrive nearly in order, so the place is near the end. */
	for (at = inbox->held.prev; at != &inbox->held; at = at->prev) {
		struct commit_task *other = LIST_OF(at, struct commit_task, link);

		if (other->group < task->group ||
		    (other->group == task->group && other->index <= task->index))
			break;
	}
	list_push_front(at, &task->link);
	consider(inbox);
}

void
commit_order_post(struct worker *target, struct commit_task *task)
{
	list_init(&task->link);
	task->task.run = arrived;
	worker_post(target, &task->task);
}
