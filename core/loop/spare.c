/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spare things and when they go, see spare.h.
 */
#include "loop/spare.h"

#include "loop/worker.h"

#define TIDE_LEAST 256 /* fewer are no burst */

void
spare_init(struct spare *spare)
{
	list_init(&spare->list);
	spare->count = spare->lowest = 0;
}

struct list *
spare_take(struct spare *spare)
{
	struct list *link = list_take_first(&spare->list);

	if (link == NULL)
		return NULL;
	spare->count--;
	if (spare->count < spare->lowest)
		spare->lowest = spare->count;
	return link;
}

bool
spare_give(struct spare *spare, struct list *link, uint32_t most)
{
	if (spare->count >= most)
		return false;
	list_push_front(&spare->list, link);
	spare->count++;
	return true;
}

struct list *
spare_trim(struct spare *spare)
{
	struct list *link;

	if (spare->lowest == 0) {
		spare->lowest = spare->count;
		return NULL;
	}
	spare->lowest--;
	spare->count--;
	link = spare->list.prev; /* the one that waits longest */
	list_remove(link);
	return link;
}

void
trimmer_add(struct worker *worker, struct trimmer *trimmer)
{
	list_init(&trimmer->link);
	list_push_back(&worker->trimmers, &trimmer->link);
}

void
trimmer_remove(struct trimmer *trimmer)
{
	list_remove(&trimmer->link);
}

bool
tide_is_out(struct tide *tide, uint32_t count)
{
	if (tide->highest < TIDE_LEAST || count >= tide->highest / 2)
		return false;
	tide->highest = count;
	return true;
}
