/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See heap.h.
 */
#include "base/heap.h"

#include <malloc.h>

#ifndef __has_feature /* gcc, which says it otherwise */
#define __has_feature(name) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||                               \
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define FOREIGN_HEAP 1 /* the C library's own was never set up, and cannot be trimmed */
#else
#define FOREIGN_HEAP 0
#endif

void
heap_trim(void)
{
	if (!FOREIGN_HEAP)
		(void)malloc_trim(0);
}
