/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Worker threads and the way between them.
 *
 * The inbox is a stack that any thread pushes with one compare-and-swap and the
 * owner takes whole, then reverses: the tasks of one pusher stay in their order
 * and nobody waits.  Only the push that finds the stack empty wakes the owner,
 * so a busy worker is woken once for many tasks.
 */
#include "loop/worker.h"

#include "base/heap.h"
#include "base/must.h"
#include "loop/commit_order.h"
#include "loop/ctx.h"

#include <errno.h>
#include <event2/thread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define TRIM_SECONDS 2

static void
drain(struct worker *worker)
{
	struct task *stack = atomic_exchange_explicit(&worker->inbox, NULL, memory_order_acq_rel);
	struct task *first = NULL;

	while (stack != NULL) {
		struct task *next = atomic_load_explicit(&stack->next, memory_order_relaxed);

		atomic_store_explicit(&stack->next, first, memory_order_relaxed);
		first = stack;
		stack = next;
	}
	while (first != NULL) {
		struct task *next = atomic_load_explicit(&first->next, memory_order_relaxed);

		first->run(worker, first);
		first = next;
	}
}

static void
woken(evutil_socket_t fd, short what, void *arg)
{
	struct worker *worker = arg;
	uint64_t count;

	(void)what;
	/* The counter is cleared before the stack is taken: a push after that wakes again. */
	if (read(fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		MUST(errno == EINTR);
	drain(worker);
}

void
worker_post(struct worker *worker, struct task *task)
{
	struct task *top = atomic_load_explicit(&worker->inbox, memory_order_relaxed);
	const uint64_t one = 1;

	do
		atomic_store_explicit(&task->next, top, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(
	    &worker->inbox, &top, task, memory_order_acq_rel, memory_order_relaxed));

	if (top == NULL) {
		/* Fails only when the counter is full, and then the worker is awake. */
		ssize_t written = write(worker->inbox_fd, &one, sizeof(one));

		(void)written;
	}
}

static void
trim(evutil_socket_t fd, short what, void *arg)
{
	struct worker *worker = arg;
	bool is_ebb = false;

	(void)fd;
	(void)what;
	LIST_EACH(at, &worker->trimmers)
	{
		struct trimmer *trimmer = LIST_OF(at, struct trimmer, link);

		is_ebb |= trimmer->trim(trimmer);
	}
	/* Otherwise the C library keeps the pages of a burst for ever. */
	if (is_ebb)
		heap_trim();
}

static int
worker_init(struct worker *worker)
{
	const struct timeval period = { TRIM_SECONDS, 0 };

	worker->inbox_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (worker->inbox_fd < 0)
		return -1;
	worker->base = event_base_new();
	if (worker->base == NULL)
		return -1;
	worker->inbox_event =
	    event_new(worker->base, worker->inbox_fd, EV_READ | EV_PERSIST, woken, worker);
	if (worker->inbox_event == NULL || event_add(worker->inbox_event, NULL) != 0)
		return -1;
	worker->trim_event = event_new(worker->base, -1, EV_PERSIST, trim, worker);
	if (worker->trim_event == NULL || event_add(worker->trim_event, &period) != 0)
		return -1;
	worker->commit_inbox = commit_inbox_new(worker);
	return worker->commit_inbox != NULL ? 0 : -1;
}

static void
worker_fini(struct worker *worker)
{
	timers_free(worker);
	ctx_fini(worker);
	if (worker->trim_event != NULL)
		event_free(worker->trim_event);
	commit_inbox_free(worker->commit_inbox);
	if (worker->inbox_event != NULL)
		event_free(worker->inbox_event);
	if (worker->base != NULL)
		event_base_free(worker->base);
	if (worker->inbox_fd >= 0)
		close(worker->inbox_fd);
}

struct worker *
workers_new(struct server *server, uint32_t count)
{
	struct worker *workers;

	if (evthread_use_pthreads() != 0)
		return NULL;
	workers = calloc(count, sizeof(*workers));
	if (workers == NULL)
		return NULL;
	for (uint32_t i = 0; i < count; i++) {
		workers[i].index = i;
		workers[i].server = server;
		workers[i].workers = workers;
		workers[i].worker_count = count;
		workers[i].inbox_fd = -1;
		list_init(&workers[i].contexts);
		list_init(&workers[i].trimmers);
		ctx_init(&workers[i]);
		list_init(&workers[i].timers);
	}
	for (uint32_t i = 0; i < count; i++) {
		if (worker_init(&workers[i]) != 0) {
			workers_free(workers, count);
			return NULL;
		}
	}
	return workers;
}

void
workers_free(struct worker *workers, uint32_t count)
{
	if (workers == NULL)
		return;
	for (uint32_t i = 0; i < count; i++)
		worker_fini(&workers[i]);
	free(workers);
}

static void *
run(void *arg)
{
	struct worker *worker = arg;

	(void)event_base_loop(worker->base, EVLOOP_NO_EXIT_ON_EMPTY);
	drain(worker); /* what arrived together with the request to stop */
	return NULL;
}

int
workers_start(struct worker *workers, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		char name[16] = "worker-";

		if (pthread_create(&workers[i].thread, NULL, run, &workers[i]) != 0)
			return -1;
		workers[i].started = true;
		name[7] = (char)('0' + i / 10 % 10);
		name[8] = (char)('0' + i % 10);
		(void)pthread_setname_np(workers[i].thread, name);
	}
	return 0;
}

static void
stop(struct worker *worker, struct task *task)
{
	free(task);
	worker->stopping = true;
	(void)event_base_loopbreak(worker->base);
}

void
workers_stop(struct worker *workers, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct task *task;

		if (!workers[i].started)
			continue;
		task = malloc(sizeof(*task));
		MUST(task != NULL); /* nothing is served any more; ending late would be worse */
		task->run = stop;
		worker_post(&workers[i], task);
	}
	for (uint32_t i = 0; i < count; i++) {
		if (workers[i].started)
			(void)pthread_join(workers[i].thread, NULL);
		workers[i].started = false;
	}
}

struct each {
	struct task task;
	struct each_shared *shared;
};

struct each_shared {
	pthread_mutex_t lock;
	pthread_cond_t done;
	uint32_t left;
	int sum;
	int (*function)(struct worker *, void *);
	void *arg;
};

static void
each_run(struct worker *worker, struct task *task)
{
	struct each_shared *shared = ((struct each *)(void *)task)->shared;
	int result = shared->function(worker, shared->arg);

	pthread_mutex_lock(&shared->lock);
	shared->sum += result;
	if (--shared->left == 0)
		pthread_cond_signal(&shared->done);
	pthread_mutex_unlock(&shared->lock);
}

int
workers_each(struct worker *workers, uint32_t count,
    int (*function)(struct worker *worker, void *arg), void *arg)
{
	struct each_shared shared = { .left = count, .function = function, .arg = arg };
	struct each *tasks = calloc(count, sizeof(*tasks));

	MUST(tasks != NULL); /* start and stop only */
	pthread_mutex_init(&shared.lock, NULL);
	pthread_cond_init(&shared.done, NULL);
	for (uint32_t i = 0; i < count; i++) {
		tasks[i].task.run = each_run;
		tasks[i].shared = &shared;
		worker_post(&workers[i], &tasks[i].task);
	}
	pthread_mutex_lock(&shared.lock);
	while (shared.left > 0)
		pthread_cond_wait(&shared.done, &shared.lock);
	pthread_mutex_unlock(&shared.lock);
	pthread_cond_destroy(&shared.done);
	pthread_mutex_destroy(&shared.lock);
	free(tasks);
	return shared.sum;
}
