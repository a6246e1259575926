/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is measured: a window of time, what was done in it and what it cost; and
 * the JSON object that a run ends with.
 */
#ifndef LOAD_MEASURE_H
#define LOAD_MEASURE_H

#include "histogram.h"
#include "options.h"

#include <stdbool.h>

struct measure {
	const struct options *options; /* borrowed */
	uint64_t begin, end;           /* the window, now_ns() */
	uint64_t operations;           /* that were completed in the window */
	uint64_t errors;               /* at any time */
	char first_error[256];
	struct histogram latency;                               /* ns */
	uint64_t server_cpu, database_cpu, load_cpu;            /* ns, in the window */
	uint64_t resident_before, resident_now, resident_after; /* KiB; 0 = not looked at */
	char more[2048];                                        /* further members: ,"name":value */
	size_t more_len;
};

/* Notes what the server is like before anything is done. */
void measure_init(struct measure *measure, const struct options *options);

/* The window begins, and ends, now. */
void measure_begin(struct measure *measure);
void measure_end(struct measure *measure);

void measure_error(struct measure *measure, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* One more member of the object: a JSON value. */
void measure_more(struct measure *measure, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Prints the object; returns the exit code: 1 when there were errors, or nothing was done. */
int measure_print(const struct measure *measure);

#endif
