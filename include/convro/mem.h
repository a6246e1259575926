/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of a unit of work: taken from the context's arena, freed with it.
 * And pools, for what lives longer and comes in numbers, such as one object for
 * each connected client.
 */
#ifndef CONVRO_MEM_H
#define CONVRO_MEM_H

#include <convro/abi.h>

struct convro_pool; /* objects of one size */

struct convro_mem_table { /* thread: the context's worker */
	uint32_t size;

	/* `len` bytes, 16-aligned, not cleared; NULL when memory is out.  Borrowed until the
	 * context ends. */
	void *(*alloc)(struct convro_ctx *ctx, size_t len);
	/* The same, cleared. */
	void *(*zero)(struct convro_ctx *ctx, size_t len);
	/* A copy of `len` bytes with a NUL behind them. */
	char *(*copy)(struct convro_ctx *ctx, const void *data, size_t len);

	/* A pool for objects of `size` bytes, 1 to 16000, for this worker.  Its memory goes back to
	 * the system when a burst is over, which that of malloc hardly does: there, what came
	 * between the objects and stays keeps their pages.  NULL when memory is out.  Outlives the
	 * context; freed with pool_free, after all its objects were given back. */
	struct convro_pool *(*pool_new)(struct convro_ctx *ctx, size_t size);
	void (*pool_free)(struct convro_pool *pool); /* NULL is allowed */
	/* An object, 16-aligned, cleared; NULL when memory is out.  Caller gives it back. */
	void *(*pool_take)(struct convro_pool *pool);
	void (*pool_give)(struct convro_pool *pool, void *object);
};

#endif
