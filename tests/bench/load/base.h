/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every file of the load generator needs: the clock, memory that is there
 * or ends the program, and last words.  The generator is one thread in one
 * process; nothing in this folder is thread-safe.  Read main.c first.
 */
#ifndef LOAD_BASE_H
#define LOAD_BASE_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define NS_PER_S  1000000000u
#define NS_PER_MS 1000000u
#define NS_PER_US 1000u

/* CLOCK_MONOTONIC in nanoseconds. */
static inline uint64_t
now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* Prints the sentence on stderr and ends the program with 2. */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A line on stderr: what goes on meanwhile. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Zeroed memory for `count` things; ends the program where there is none.  Caller frees. */
void *allocate(size_t count, size_t size);

/* realloc that ends the program where there is no memory. */
void *reallocate(void *old, size_t count, size_t size);

/* The next of a sequence that is the same in every run (xorshift64*); not for secrets. */
uint64_t random_next(void);

#endif
