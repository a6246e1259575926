/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Workers: N threads, each with an event base of its own.  Nothing is shared
 * on the hot path; worker_post is the only way from one thread to another.
 * Contexts (ctx.h) live and die on one worker.
 */
#ifndef LOOP_WORKER_H
#define LOOP_WORKER_H

#include "base/list.h"
#include "loop/spare.h"

#include <convro/abi.h>
#include <convro/work.h>
#include <event2/event.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct server;
struct worker;
struct offload;
struct commit_inbox;

/* An entry of a worker's inbox, embedded in whatever travels. */
struct task {
	struct task *_Atomic next;
	void (*run)(struct worker *worker, struct task *task); /* takes the task */
};

struct worker {
	uint32_t index;
	struct server *server;  /* borrowed */
	struct worker *workers; /* all of them, this one included */
	uint32_t worker_count;
	struct offload *offload; /* shared pool, borrowed; NULL until the server made it */
	struct event_base *base;
	pthread_t thread;
	bool started;

	/* Inbox: pushed by any thread, drained by this one in the order of each pusher. */
	struct task *_Atomic inbox;
	int inbox_fd; /* eventfd */
	struct event *inbox_event;

	/* What follows the order of commits (commit_order.c). */
	struct commit_inbox *commit_inbox;
	_Atomic uint64_t
	    commits_posted; /* highest commit group that has a completion for this worker */
	_Atomic uint64_t commits_done; /* highest group all of whose completions ran here */

	struct list contexts; /* live ones */
	uint32_t context_count;
	struct spare spare_contexts; /* with their arenas */
	struct trimmer context_trimmer;

	struct list trimmers; /* called by trim_event every few seconds */
	struct event *trim_event;

	struct list timers; /* set ones */
	bool stopping;

	/* Per-worker state of the subsystems above the loop; each owned by its subsystem. */
	void *http;
	void *sockets;
	void *db;
	void *bus;
};

/* `count` workers that are not running yet; NULL when memory or descriptors are out.  Thread: main.
 */
struct worker *workers_new(struct server *server, uint32_t count);
/* Runs each worker's loop in a thread of its own.  0, or -1 when a thread could not be made. */
int workers_start(struct worker *workers, uint32_t count);
/* Ends the loops (after what is in the inboxes) and joins the threads. */
void workers_stop(struct worker *workers, uint32_t count);
void workers_free(struct worker *workers, uint32_t count);

/* Hands `task` over; it runs on the worker's thread, never within this call.  Thread: any.  Cannot
 * fail. */
void worker_post(struct worker *worker, struct task *task);

/* Runs `function(worker, arg)` on every worker and waits for all.  Thread: main, while the workers
 * run. The sum of what the functions returned. */
int workers_each(struct worker *workers, uint32_t count,
    int (*function)(struct worker *worker, void *arg), void *arg);

#endif
