/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slab, see slab.h.  A chunk is mapped at a multiple of its size, so that an
 * object's address gives its chunk.
 */
#include "base/slab.h"

#include "base/must.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

struct chunk {
	struct list link; /* in slab->partial; in none while full */
	void *free;       /* first free object; each holds a pointer to the next */
	uint32_t used;    /* objects taken */
	uint32_t fresh;   /* objects that were never taken yet: the rest of the chunk */
};

#define FIRST ((sizeof(struct chunk) + 15) & ~(size_t)15)

void
slab_init(struct slab *slab, size_t size)
{
	list_init(&slab->partial);
	slab->spare = NULL;
	slab->taken = 0;
	slab->size = (size + 15) & ~(size_t)15;
	MUST(size > 0 && slab->size <= SLAB_CHUNK / 4);
}

/* SLAB_CHUNK bytes at a multiple of SLAB_CHUNK: twice as many are mapped and the rest given back.
 */
static void *
map_chunk(void)
{
	char *area = mmap(NULL, (size_t)2 * SLAB_CHUNK, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t before;

	if (area == MAP_FAILED)
		return NULL;
	before = (size_t)(-(uintptr_t)area & (SLAB_CHUNK - 1));
	if (before > 0)
		(void)munmap(area, before);
	(void)munmap(area + before + SLAB_CHUNK, SLAB_CHUNK - before);
	return area + before;
}

/* One with room, in the list; NULL when memory is out. */
static struct chunk *
add_chunk(struct slab *slab)
{
	struct chunk *chunk = slab->spare;

	slab->spare = NULL;
	if (chunk == NULL) {
		chunk = map_chunk();
		if (chunk == NULL)
			return NULL;
		chunk->fresh = (uint32_t)((SLAB_CHUNK - FIRST) / slab->size);
	}
	list_init(&chunk->link);
	list_push_back(&slab->partial, &chunk->link);
	return chunk;
}

void *
slab_take(struct slab *slab)
{
	struct list *link = list_first(&slab->partial);
	struct chunk *chunk;
	void *object;

	chunk = link != NULL ? LIST_OF(link, struct chunk, link) : add_chunk(slab);
	if (chunk == NULL)
		return NULL;
	if (chunk->free != NULL) {
		object = chunk->free;
		memcpy(&chunk->free, object, sizeof(chunk->free));
	} else {
		chunk->fresh--;
		object = (char *)chunk + FIRST + chunk->fresh * slab->size;
	}
	chunk->used++;
	slab->taken++;
	if (chunk->free == NULL && chunk->fresh == 0)
		list_remove(&chunk->link);
	memset(object, 0, slab->size);
	return object;
}

void
slab_give(struct slab *slab, void *object)
{
	struct chunk *chunk = (void *)((uintptr_t)object & ~(uintptr_t)(SLAB_CHUNK - 1));

	MUST(chunk->used > 0);
	if (chunk->free == NULL && chunk->fresh == 0)
		list_push_back(&slab->partial, &chunk->link); /* it was full */
	memcpy(object, &chunk->free, sizeof(chunk->free));
	chunk->free = object;
	chunk->used--;
	slab->taken--;
	if (chunk->used == 0) {
		list_remove(&chunk->link);
		if (slab->spare == NULL)
			slab->spare = chunk;
		else
			(void)munmap(chunk, SLAB_CHUNK);
	}
}

void
slab_fini(struct slab *slab)
{
	MUST(slab->taken == 0);
	if (slab->spare != NULL)
		(void)munmap(slab->spare, SLAB_CHUNK);
	slab->spare = NULL;
}
