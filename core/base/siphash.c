/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SipHash-2-4, J.-P. Aumasson and D. J. Bernstein, "SipHash: a fast short-input
 * PRF": two rounds for each word of eight bytes, four at the end.
 */
#include "base/siphash.h"

#include <endian.h>
#include <string.h>

struct state {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t
rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static inline void
sip_round(struct state *s)
{
	s->v0 += s->v1;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v2 = rotate(s->v2, 32);
}

static inline void
begin(struct state *s, const struct siphash_key *key)
{
	s->v0 = key->k0 ^ UINT64_C(0x736f6d6570736575);
	s->v1 = key->k1 ^ UINT64_C(0x646f72616e646f6d);
	s->v2 = key->k0 ^ UINT64_C(0x6c7967656e657261);
	s->v3 = key->k1 ^ UINT64_C(0x7465646279746573);
}

static inline void
compress(struct state *s, uint64_t word)
{
	s->v3 ^= word;
	sip_round(s);
	sip_round(s);
	s->v0 ^= word;
}

static inline uint64_t
finish(struct state *s)
{
	s->v2 ^= 0xff;
	sip_round(s);
	sip_round(s);
	sip_round(s);
	sip_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

uint64_t
siphash(const struct siphash_key *key, const void *data, size_t len)
{
	const unsigned char *in = data;
	uint64_t last = (uint64_t)len << 56;
	struct state s;

	begin(&s, key);
	for (size_t words = len / 8; words > 0; words--, in += 8) {
		uint64_t word;

		memcpy(&word, in, sizeof word);
		compress(&s, le64toh(word));
	}
	for (size_t i = 0; i < len % 8; i++)
		last |= (uint64_t)in[i] << (8 * i);
	compress(&s, last);
	return finish(&s);
}

uint64_t
siphash_u64(const struct siphash_key *key, uint64_t value)
{
	struct state s;

	begin(&s, key);
	compress(&s, value);
	compress(&s, UINT64_C(8) << 56);
	return finish(&s);
}
