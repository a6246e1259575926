/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arena: a chain of blocks, each filled from its front.  The newest block that
 * small requests are served from is `current`; a request too large for a block
 * of usual size gets one of its own, behind `current`, which stays in use.
 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ALIGN     16
#define BLOCK_MIN 256
#define BLOCK_MAX 65536 /* later blocks double up to this */

struct block {
	alignas(ALIGN) struct block *next; /* older */
	size_t size;
	size_t used;
	alignas(ALIGN) unsigned char data[];
};

struct arena {
	struct block *first;   /* kept by arena_reset */
	struct block *current; /* head of the chain that ends with `first` */
	size_t taken;          /* bytes handed out */
};

static struct block *
block_new(size_t size)
{
	struct block *block;

	if (size > PTRDIFF_MAX - sizeof *block)
		return NULL;
	block = malloc(sizeof *block + size);
	if (block == NULL)
		return NULL;
	block->next = NULL;
	block->size = size;
	block->used = 0;
	return block;
}

struct arena *
arena_new(size_t first)
{
	struct arena *arena = malloc(sizeof *arena);

	if (arena == NULL)
		return NULL;
	arena->first = block_new(first);
	if (arena->first == NULL) {
		free(arena);
		return NULL;
	}
	arena->current = arena->first;
	arena->taken = 0;
	return arena;
}

static void
free_later_blocks(struct arena *arena)
{
	while (arena->current != arena->first) {
		struct block *block = arena->current;

		arena->current = block->next;
		free(block);
	}
}

void
arena_free(struct arena *arena)
{
	if (arena == NULL)
		return;
	free_later_blocks(arena);
	free(arena->first);
	free(arena);
}

void
arena_reset(struct arena *arena)
{
	free_later_blocks(arena);
	arena->first->used = 0;
	arena->taken = 0;
}

/* A block for `len` bytes, linked into the chain. */
static struct block *
add_block(struct arena *arena, size_t len)
{
	size_t usual = arena->current->size * 2;
	struct block *block;

	if (usual < BLOCK_MIN)
		usual = BLOCK_MIN;
	if (usual > BLOCK_MAX)
		usual = BLOCK_MAX;
	block = block_new(len > usual ? len : usual);
	if (block == NULL)
		return NULL;

	/* `first` ends the chain, so nothing is put behind it. */
	if (len > usual && arena->current != arena->first) {
		block->next = arena->current->next;
		arena->current->next = block;
	} else {
		block->next = arena->current;
		arena->current = block;
	}
	return block;
}

void *
arena_alloc(struct arena *arena, size_t len)
{
	struct block *block = arena->current;
	void *data;

	if (len > PTRDIFF_MAX - ALIGN)
		return NULL;
	/* Even nothing has an address of its own. */
	len = len == 0 ? ALIGN : (len + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (len > block->size - block->used) {
		block = add_block(arena, len);
		if (block == NULL)
			return NULL;
	}
	data = block->data + block->used;
	block->used += len;
	arena->taken += len;
	return data;
}

void *
arena_zero(struct arena *arena, size_t count, size_t size)
{
	size_t len;
	void *data;

	if (__builtin_mul_overflow(count, size, &len))
		return NULL;
	data = arena_alloc(arena, len);
	if (data != NULL)
		memset(data, 0, len);
	return data;
}

char *
arena_copy(struct arena *arena, const void *data, size_t len)
{
	char *copy = len == SIZE_MAX ? NULL : arena_alloc(arena, len + 1);

	if (copy == NULL)
		return NULL;
	if (len > 0)
		memcpy(copy, data, len);
	copy[len] = '\0';
	return copy;
}

size_t
arena_used(const struct arena *arena)
{
	return arena->taken;
}
