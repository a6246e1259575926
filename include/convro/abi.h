/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every other header stands on: version numbers, lists that may grow,
 * statuses, and the context that is the first argument of everything.
 *
 * Rules of the ABI (design: architecture, section 4): a struct that crosses it
 * begins with its own size or travels in a list that carries its stride; new
 * members are appended and marked "since"; nothing is ever removed or moved.
 */
#ifndef CONVRO_ABI_H
#define CONVRO_ABI_H

#include <stddef.h>
#include <stdint.h>

/* A module built with these headers carries these numbers in its descriptor.  Other major: refused.
 * Newer minor than the core's: refused.  The interface is frozen with 1.0 of the product. */
#define CONVRO_ABI_MAJOR 1
#define CONVRO_ABI_MINOR 0

/* A unit of work: a request, a socket's message, a timer that fired, a task posted to a worker.
 * It lives and dies on one worker, carries an arena, and outlives the client that caused it.
 * It ends when its function has returned, nothing asked for is outstanding, and, where it is a
 * request, the answer was given.  Opaque. */
struct convro_ctx;

/* A constant array; the stride lets its element grow in later versions. */
struct convro_list {
	const void *items;
	uint32_t count;
	uint32_t stride; /* bytes from one element to the next, as the module was compiled */
};
/* clang-format off */
#define CONVRO_LIST(array) { (array), (uint32_t)(sizeof(array) / sizeof((array)[0])), (uint32_t)sizeof((array)[0]) }
/* clang-format on */

/* Outcome of whatever can fail by circumstance. */
enum convro_status {
	CONVRO_OK = 0,
	CONVRO_CONFLICT, /* database: unique violation that no ON CONFLICT took */
	CONVRO_RETRY, /* database: deadlock, serialisation, busy, after the driver's own retries */
	CONVRO_NOT_SENT,        /* database: never left this process, safe to repeat */
	CONVRO_UNKNOWN_OUTCOME, /* database: sent, no commit seen, and not flagged idempotent */
	CONVRO_TIMEOUT,         /* the deadline passed in a queue */
	CONVRO_OVERLOAD,        /* a bounded queue is full: answer 503 at once */
	CONVRO_NO_MEMORY,
	CONVRO_INVALID, /* the text, token or packet that was given is malformed */
	CONVRO_FAILED   /* anything else; the reason is in the log */
};

/* True when the group table `table` of this core has `member` (it may be older than the headers).
 */
#define CONVRO_HAS(table, member)                                                                  \
	((table) != NULL &&                                                                        \
	    (size_t)((const char *)&(table)->member - (const char *)(table)) < (table)->size)

#endif
