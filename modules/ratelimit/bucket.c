/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Token buckets in sets of eight: a key can only be in its set, and when the
 * set is full the bucket that is nearest to full gives way, which is the one
 * that forgets least.  So memory is fixed whatever addresses come, and an
 * attacker cannot choose sets, since the hash is keyed.
 */
#include "ratelimit.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { WAYS = 8, LOCKS = 64, KEY_BYTES = 16, TEXT_MAX = 512 };

struct bucket {
	uint8_t key[KEY_BYTES];
	double tokens;
	double burst;      /* of its limit, 0 = unused: to compare buckets of different limits */
	double per_second; /* likewise */
	int64_t seen_ms;   /* when tokens was right */
};

struct buckets {
	uint8_t secret[crypto_shorthash_siphashx24_KEYBYTES];
	uint32_t sets;
	pthread_mutex_t locks[LOCKS];
	struct bucket *of; /* sets * WAYS; pages are touched only when used */
};

struct buckets *
buckets_new(uint32_t count)
{
	struct buckets *buckets = calloc(1, sizeof(*buckets));

	if (buckets == NULL)
		return NULL;
	buckets->sets = (count + WAYS - 1) / WAYS;
	buckets->of = calloc((size_t)buckets->sets * WAYS, sizeof(*buckets->of));
	if (buckets->of == NULL) {
		free(buckets);
		return NULL;
	}
	randombytes_buf(buckets->secret, sizeof(buckets->secret));
	for (uint32_t i = 0; i < LOCKS; i++)
		pthread_mutex_init(&buckets->locks[i], NULL);
	return buckets;
}

void
buckets_free(struct buckets *buckets)
{
	if (buckets == NULL)
		return;
	for (uint32_t i = 0; i < LOCKS; i++)
		pthread_mutex_destroy(&buckets->locks[i]);
	free(buckets->of);
	free(buckets);
}

static void
digest(const struct buckets *buckets, const char *limit, const void *key, size_t len,
    uint8_t out[KEY_BYTES])
{
	uint8_t text[TEXT_MAX];
	size_t name =
	    strlen(limit) + 1; /* with its NUL, so that names and keys cannot run together */

	memcpy(text, limit, name);
	if (len > sizeof(text) -
		      name) /* identifiers are shorter; what is longer shares by its beginning */
		len = sizeof(text) - name;
	memcpy(text + name, key, len);
	(void)crypto_shorthash_siphashx24(out, text, name + len, buckets->secret);
}

static double
tokens_at(const struct bucket *bucket, int64_t now_ms)
{
	double tokens = bucket->tokens;

	if (now_ms > bucket->seen_ms)
		tokens += (double)(now_ms - bucket->seen_ms) / 1000 * bucket->per_second;
	return tokens < bucket->burst ? tokens : bucket->burst;
}

/* The bucket of the key, brought up to date; a new one is full.  With the set's lock held. */
static struct bucket *
find(struct bucket *set, const uint8_t key[KEY_BYTES], const struct convro_rate *rate,
    int64_t now_ms)
{
	struct bucket *victim = set;
	double fullest = -1;

	for (uint32_t i = 0; i < WAYS; i++) {
		struct bucket *at = &set[i];
		double full;

		if (at->burst > 0 && sodium_memcmp(at->key, key, KEY_BYTES) == 0) {
			at->tokens = tokens_at(at, now_ms);
			at->seen_ms = now_ms;
			return at;
		}
		/* An unused one is taken first, then the one that is fullest by now. */
		full = at->burst > 0 ? tokens_at(at, now_ms) / at->burst : 2;
		if (full > fullest) {
			fullest = full;
			victim = at;
		}
	}
	memcpy(victim->key, key, KEY_BYTES);
	victim->tokens = victim->burst = rate->burst;
	victim->per_second = rate->per_second;
	victim->seen_ms = now_ms;
	return victim;
}

struct place {
	pthread_mutex_t *lock;
	struct bucket *set;
	uint8_t key[KEY_BYTES];
};

static struct place
place_of(struct buckets *buckets, const char *limit, const void *key, size_t len)
{
	struct place place;
	uint32_t hash, set;

	digest(buckets, limit, key, len, place.key);
	memcpy(&hash, place.key, sizeof(hash));
	set = hash % buckets->sets;
	place.lock = &buckets->locks[set % LOCKS];
	place.set = &buckets->of[(size_t)set * WAYS];
	return place;
}

bool
buckets_take(struct buckets *buckets, const struct convro_rate *rate, const char *limit,
    const void *key, size_t len, int64_t now_ms, uint32_t *retry_after)
{
	struct place place;
	struct bucket *bucket;
	bool taken;

	*retry_after = 0;
	if (rate->enabled == 0)
		return true;
	place = place_of(buckets, limit, key, len);
	pthread_mutex_lock(place.lock);
	bucket = find(place.set, place.key, rate, now_ms);
	taken = bucket->tokens >= 1;
	if (taken) {
		bucket->tokens -= 1;
	} else {
		double seconds =
		    rate->per_second > 0 ? (1 - bucket->tokens) / rate->per_second : 86400;

		*retry_after = seconds > 86400 ? 86400 : (uint32_t)seconds + 1;
	}
	pthread_mutex_unlock(place.lock);
	return taken;
}

void
buckets_give_back(struct buckets *buckets, const struct convro_rate *rate, const char *limit,
    const void *key, size_t len, int64_t now_ms)
{
	struct place place;
	struct bucket *bucket;

	if (rate->enabled == 0)
		return;
	place = place_of(buckets, limit, key, len);
	pthread_mutex_lock(place.lock);
	bucket = find(place.set, place.key, rate, now_ms);
	bucket->tokens = bucket->tokens + 1 < bucket->burst ? bucket->tokens + 1 : bucket->burst;
	pthread_mutex_unlock(place.lock);
}
