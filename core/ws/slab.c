/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slab, see slab.h.  A chunk is mapped at a multiple of its size, so that an
 * object's address gives its chunk.
 */
#include "ws/slab.h"

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
	slab->size = (size + 15) & ~(size_t)15;
	MUST(slab->size <= SLAB_CHUNK / 4);
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

void *
slab_take(struct slab *slab)
{
	struct list *link = list_first(&slab->partial);
	struct chunk *chunk;
	void *object;

	if (link != NULL) {
		chunk = LIST_OF(link, struct chunk, link);
	} else {
		chunk = map_chunk();
		if (chunk == NULL)
			return NULL;
		list_init(&chunk->link);
		list_push_back(&slab->partial, &chunk->link);
		chunk->fresh = (uint32_t)((SLAB_CHUNK - FIRST) / slab->size);
	}
	if (chunk->free != NULL) {
		object = chunk->free;
		memcpy(&chunk->free, object, sizeof(chunk->free));
	} else {
		chunk->fresh--;
		object = (char *)chunk + FIRST + chunk->fresh * slab->size;
	}
	chunk->used++;
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
	if (chunk->used == 0) {
		list_remove(&chunk->link);
		(void)munmap(chunk, SLAB_CHUNK);
	}
}
