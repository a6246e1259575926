/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SipHash-2-4: a keyed hash whose collisions cannot be made without the key,
 * for tables that hold what clients choose.  Here because base depends on
 * nothing; signatures and passwords use libsodium.  Thread: any.
 */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
	uint64_t k0, k1; /* the 16 key bytes read as two little-endian numbers */
};

uint64_t siphash(const struct siphash_key *key, const void *data, size_t len);

/* siphash() of the 8 little-endian bytes of `value`. */
uint64_t siphash_u64(const struct siphash_key *key, uint64_t value);

#endif
