/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two clocks: the wall clock for what people and tokens see (it may jump),
 * the monotonic one for every deadline.  Thread: any.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Microseconds since 1970-01-01T00:00:00Z; see isotime.h. */
int64_t clock_wall_us(void);

/* Microseconds and milliseconds since some point in the past; never goes back. */
int64_t clock_mono_us(void);
int64_t clock_mono_ms(void);

#endif
