/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slab: many objects of one size, in chunks that go back to the system as soon
 * as they are empty, so that a burst of sockets leaves nothing behind.
 * One thread at a time.
 */
#ifndef WS_SLAB_H
#define WS_SLAB_H

#include "base/list.h"

#include <stddef.h>

#define SLAB_CHUNK 65536 /* bytes, and the alignment of a chunk */

struct slab {
	struct list partial; /* chunks with room */
	size_t size;         /* of an object */
};

/* In place; `size` is at most a quarter of SLAB_CHUNK. */
void slab_init(struct slab *slab, size_t size);

/* An object, 16-aligned, cleared; NULL when memory is out. */
void *slab_take(struct slab *slab);

/* Every object is given back before the slab itself ends, which needs no call. */
void slab_give(struct slab *slab, void *object);

#endif
