/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of a unit of work: taken from the context's arena, freed with it.
 */
#ifndef CONVRO_MEM_H
#define CONVRO_MEM_H

#include <convro/abi.h>

struct convro_mem_table { /* thread: the context's worker */
	uint32_t size;

	/* `len` bytes, 16-aligned, not cleared; NULL when memory is out.  Borrowed until the
	 * context ends. */
	void *(*alloc)(struct convro_ctx *ctx, size_t len);
	/* The same, cleared. */
	void *(*zero)(struct convro_ctx *ctx, size_t len);
	/* A copy of `len` bytes with a NUL behind them. */
	char *(*copy)(struct convro_ctx *ctx, const void *data, size_t len);
};

#endif
