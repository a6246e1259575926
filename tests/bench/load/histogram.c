/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The histogram of latencies: see histogram.h.  Values below 128 have a slot
 * each; above, the leading eight bits of a value choose it.
 */
#include "histogram.h"

#define PARTS (1u << HISTOGRAM_BITS)

static unsigned
slot_of(uint64_t value)
{
	unsigned shift;

	if (value < PARTS)
		return (unsigned)value;
	shift = 63u - HISTOGRAM_BITS - (unsigned)__builtin_clzll(value);
	return (shift << HISTOGRAM_BITS) + (unsigned)(value >> shift);
}

/* The largest value that belongs to the slot. */
static uint64_t
highest_of(unsigned slot)
{
	unsigned shift;

	if (slot < 2 * PARTS)
		return slot;
	shift = (slot >> HISTOGRAM_BITS) - 1;
	return (((uint64_t)slot - ((uint64_t)shift << HISTOGRAM_BITS) + 1) << shift) - 1;
}

void
histogram_record(struct histogram *histogram, uint64_t value)
{
	const uint64_t top = ((uint64_t)1 << HISTOGRAM_TOP) - 1;

	if (value > histogram->max)
		histogram->max = value;
	histogram->slots[slot_of(value < top ? value : top)]++;
	histogram->count++;
}

uint64_t
histogram_quantile(const struct histogram *histogram, double q)
{
	double exact = q * (double)histogram->count;
	uint64_t rank = (uint64_t)exact;
	uint64_t seen = 0;

	if ((double)rank < exact || rank == 0)
		rank++;
	for (unsigned slot = 0; slot < HISTOGRAM_SLOTS; slot++) {
		uint64_t value = highest_of(slot);

		seen += histogram->slots[slot];
		if (seen >= rank)
			return value < histogram->max ? value : histogram->max;
	}
	return histogram->max;
}
