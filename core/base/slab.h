/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slab: many objects of one size, in chunks that go back to the system when
 * they are empty (all but one, which is kept for the next object), so that a
 * burst of clients leaves nothing behind.  Objects of a heap would share their
 * pages with what stays.  One thread at a time.
 */
#ifndef BASE_SLAB_H
#define BASE_SLAB_H

#include "base/list.h"

#include <stddef.h>

#define SLAB_CHUNK 65536 /* bytes, and the alignment of a chunk */

struct slab {
	struct list partial; /* chunks with room */
	void *spare;         /* one that is empty, or NULL; in no list */
	size_t size;         /* of an object */
	size_t taken;        /* objects that were not given back */
};

/* In place; `size` is 1 to a quarter of SLAB_CHUNK. */
void slab_init(struct slab *slab, size_t size);

/* An object, 16-aligned, cleared; NULL when memory is out. */
void *slab_take(struct slab *slab);

void slab_give(struct slab *slab, void *object);

/* Every object was given back. */
void slab_fini(struct slab *slab);

#endif
