/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that runs out when told.  A test includes this, then the .c file under
 * test: every allocation of that file goes through here.
 */
#ifndef FAILING_ALLOC_H
#define FAILING_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

/* Allocations that still succeed; negative = all. */
static long allocations_left = -1;

static bool
allocation_fails(void)
{
	if (allocations_left == 0)
		return true;
	if (allocations_left > 0)
		allocations_left--;
	return false;
}

static inline void *
failing_malloc(size_t size)
{
	return allocation_fails() ? NULL : malloc(size);
}

static inline void *
failing_calloc(size_t count, size_t size)
{
	return allocation_fails() ? NULL : calloc(count, size);
}

static inline void *
failing_realloc(void *data, size_t size)
{
	return allocation_fails() ? NULL : realloc(data, size);
}

#define malloc  failing_malloc
#define calloc  failing_calloc
#define realloc failing_realloc

#endif
