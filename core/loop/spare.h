/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Things that a worker keeps for reuse instead of freeing them (contexts, jobs
 * of the store), so that steady work allocates nothing, and what makes them go
 * again when a burst is over: every few seconds those that were not needed once
 * meanwhile are freed, and after a burst the heap's empty pages go back to the
 * system.  Thread: worker.
 */
#ifndef LOOP_SPARE_H
#define LOOP_SPARE_H

#include "base/list.h"

#include <stdbool.h>
#include <stdint.h>

struct worker;

struct spare {
	struct list list;
	uint32_t count;
	uint32_t lowest; /* count since the last spare_trim */
};

void spare_init(struct spare *spare);
/* One of them, taken out; NULL = none. */
struct list *spare_take(struct spare *spare);
/* Keeps one more, unless there are `most` already: then false. */
bool spare_give(struct spare *spare, struct list *link, uint32_t most);
/* One that was not needed since the last call, taken out to be freed; NULL = no more, and a new
 * period begins. */
struct list *spare_trim(struct spare *spare);

/* Something that lets go of memory, embedded in its owner. */
struct trimmer {
	struct list link;
	/* True when the heap may have become much smaller: a burst is over. */
	bool (*trim)(struct trimmer *trimmer);
};

/* From now on called every few seconds, until trimmer_remove.  Threads: main before the worker
 * runs, else worker. */
void trimmer_add(struct worker *worker, struct trimmer *trimmer);
void trimmer_remove(struct trimmer *trimmer);

/* How many there were at the most since the last burst, to see when one is over. */
struct tide {
	uint32_t highest;
};

static inline void
tide_rise(struct tide *tide, uint32_t count)
{
	if (count > tide->highest)
		tide->highest = count;
}

/* True when fewer than half are left of what were many. */
bool tide_is_out(struct tide *tide, uint32_t count);

#endif
