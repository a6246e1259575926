/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two tables per worker, each entry with a choice of a few places: where all are
 * taken, a newer one gets that of the oldest, so memory is bounded.  A sweep gives
 * it back after a burst.
 */
#include "cache.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum {
	PLACES = 16384, /* a power of two; the pointers of one table take 128 KiB */
	WAYS = 4,       /* places that an entry may have */
};

struct remembered {
	uint8_t digest[TOKEN_DIGEST_BYTES];
	int64_t used_ms;
	struct claims claims;
};

struct cache {
	struct remembered *tokens[PLACES];
	struct device *devices[PLACES];
	uint64_t generation;
};

struct caches {
	uint8_t key[crypto_generichash_KEYBYTES]; /* nobody can aim at a place, or at another's
						     digest */
	uint32_t count;
	struct cache *of[];
};

struct caches *
caches_new(uint32_t workers)
{
	struct caches *caches = calloc(1, sizeof(*caches) + workers * sizeof(struct cache *));

	if (caches == NULL)
		return NULL;
	caches->count = workers;
	randombytes_buf(caches->key, sizeof(caches->key));
	for (uint32_t i = 0; i < workers; i++) {
		caches->of[i] = calloc(1, sizeof(struct cache));
		if (caches->of[i] == NULL) {
			caches_free(caches);
			return NULL;
		}
	}
	return caches;
}

void
caches_free(struct caches *caches)
{
	if (caches == NULL)
		return;
	for (uint32_t i = 0; i < caches->count; i++) {
		if (caches->of[i] == NULL)
			continue;
		for (uint32_t place = 0; place < PLACES; place++) {
			free(caches->of[i]->tokens[place]);
			free(caches->of[i]->devices[place]);
		}
		free(caches->of[i]);
	}
	free(caches);
}

void
cache_digest(
    const struct caches *caches, const char *token, size_t len, uint8_t out[TOKEN_DIGEST_BYTES])
{
	(void)crypto_generichash(
	    out, TOKEN_DIGEST_BYTES, (const uint8_t *)token, len, caches->key, sizeof(caches->key));
}

/* The first place of the set that a hash leads to. */
static uint32_t
set_of(const uint8_t hash[4])
{
	uint32_t value;

	memcpy(&value, hash, sizeof(value));
	return value % PLACES & ~(uint32_t)(WAYS - 1);
}

/* Where the token is; NULL there = it is not remembered, and may be put there. */
static struct remembered **
token_place(struct cache *cache, const uint8_t digest[TOKEN_DIGEST_BYTES])
{
	struct remembered **set = &cache->tokens[set_of(digest)], **oldest = set;

	for (uint32_t i = 0; i < WAYS; i++) {
		if (set[i] != NULL &&
		    sodium_memcmp(set[i]->digest, digest, TOKEN_DIGEST_BYTES) == 0)
			return &set[i];
		if (*oldest != NULL && (set[i] == NULL || set[i]->used_ms < (*oldest)->used_ms))
			oldest = &set[i];
	}
	return oldest;
}

bool
cache_get_token(struct caches *caches, uint32_t worker, const uint8_t digest[TOKEN_DIGEST_BYTES],
    int64_t now_ms, struct claims *out)
{
	struct remembered *found = *token_place(caches->of[worker], digest);

	if (found == NULL || sodium_memcmp(found->digest, digest, TOKEN_DIGEST_BYTES) != 0)
		return false;
	found->used_ms = now_ms;
	*out = found->claims;
	return true;
}

void
cache_put_token(struct caches *caches, uint32_t worker, const uint8_t digest[TOKEN_DIGEST_BYTES],
    int64_t now_ms, const struct claims *claims)
{
	struct remembered **place = token_place(caches->of[worker], digest);

	if (*place == NULL)
		*place = malloc(sizeof(**place));
	if (*place == NULL)
		return;
	memcpy((*place)->digest, digest, TOKEN_DIGEST_BYTES);
	(*place)->used_ms = now_ms;
	(*place)->claims = *claims;
}

/* Where the device is, or may be put.  Device ids may be chosen by clients, so the set is hashed
 * with the key. */
static struct device **
device_place(struct caches *caches, uint32_t worker, int64_t device_id)
{
	uint8_t in[8], out[crypto_shorthash_BYTES];
	struct device **set, **oldest;

	memcpy(in, &device_id, sizeof(in));
	(void)crypto_shorthash(out, in, sizeof(in), caches->key);
	set = oldest = &caches->of[worker]->devices[set_of(out)];
	for (uint32_t i = 0; i < WAYS; i++) {
		if (set[i] != NULL && set[i]->device_id == device_id)
			return &set[i];
		if (*oldest != NULL && (set[i] == NULL || set[i]->loaded_ms < (*oldest)->loaded_ms))
			oldest = &set[i];
	}
	return oldest;
}

struct device *
cache_get_device(struct caches *caches, uint32_t worker, int64_t device_id)
{
	struct device *found = *device_place(caches, worker, device_id);

	return found != NULL && found->device_id == device_id ? found : NULL;
}

struct device *
cache_put_device(
    struct caches *caches, uint32_t worker, const struct device *device, uint64_t generation)
{
	struct device **place = device_place(caches, worker, device->device_id);

	if (caches->of[worker]->generation != generation)
		return NULL;
	if (*place == NULL)
		*place = malloc(sizeof(**place));
	if (*place == NULL)
		return NULL;
	**place = *device;
	return *place;
}

uint64_t
cache_generation(const struct caches *caches, uint32_t worker)
{
	return caches->of[worker]->generation;
}

void
cache_forget_device(struct caches *caches, uint32_t worker, int64_t device_id)
{
	struct device **place = device_place(caches, worker, device_id);

	caches->of[worker]->generation++;
	if (*place != NULL && (*place)->device_id == device_id) {
		free(*place);
		*place = NULL;
	}
}

void
cache_sweep(struct caches *caches, uint32_t worker, int64_t now_ms)
{
	struct cache *cache = caches->of[worker];

	for (uint32_t place = 0; place < PLACES; place++) {
		struct remembered *token = cache->tokens[place];
		struct device *device = cache->devices[place];

		if (token != NULL && now_ms - token->used_ms >= TOKEN_IDLE_MS) {
			free(token);
			cache->tokens[place] = NULL;
		}
		if (device != NULL && now_ms - device->loaded_ms >= DEVICE_FRESH_MS) {
			free(device);
			cache->devices[place] = NULL;
		}
	}
}
