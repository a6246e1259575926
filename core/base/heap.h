/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the C library's heap does not do by itself.
 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

/* Gives the pages that are empty after a burst back to the system; takes up to some milliseconds
 * for a large heap.  Thread: any. */
void heap_trim(void);

#endif
