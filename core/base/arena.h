/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arena: memory that lives as long as one unit of work and is freed in one go.
 * Nothing taken from it is ever freed on its own.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena;

/* A new arena whose first block holds `first` bytes.  NULL when memory is out; caller frees with
 * arena_free.  One thread at a time. */
struct arena *arena_new(size_t first);

/* Frees every block.  NULL is allowed. */
void arena_free(struct arena *arena);

/* Keeps the first block and frees the others, so that the arena serves the next unit of work. */
void arena_reset(struct arena *arena);

/* `len` bytes aligned to 16, not cleared; NULL when memory is out.  Borrowed until arena_free or
 * arena_reset. */
void *arena_alloc(struct arena *arena, size_t len);

/* The same, cleared, for `count` elements; NULL on overflow too. */
void *arena_zero(struct arena *arena, size_t count, size_t size);

/* A copy of `len` bytes with a NUL behind them; NULL when memory is out. */
char *arena_copy(struct arena *arena, const void *data, size_t len);

/* Bytes handed out since the last reset. */
size_t arena_used(const struct arena *arena);

#endif
