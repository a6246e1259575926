/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Latencies: a log-linear histogram in the manner of HdrHistogram.  Each power
 * of two is cut into 128 equal parts, so that a value is known to within 0.8 %,
 * from one nanosecond to 73 minutes (longer ones count as that).
 */
#ifndef LOAD_HISTOGRAM_H
#define LOAD_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_BITS  7  /* 128 parts per power of two */
#define HISTOGRAM_TOP   42 /* values below 2^42 */
#define HISTOGRAM_SLOTS (((HISTOGRAM_TOP - HISTOGRAM_BITS) + 1) << HISTOGRAM_BITS)

struct histogram {
	uint64_t slots[HISTOGRAM_SLOTS];
	uint64_t count;
	uint64_t max; /* exact */
};

void histogram_record(struct histogram *histogram, uint64_t value);

/* The value that a share `q` (0 to 1) of all values does not exceed: the upper end of its part,
 * and never above `max`.  0 when nothing was recorded. */
uint64_t histogram_quantile(const struct histogram *histogram, double q);

#endif
