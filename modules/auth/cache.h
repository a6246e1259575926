/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a worker remembers of tokens and devices, so that the check of a token
 * costs one hash and two look-ups.  Each worker has its own; no locks.
 */
#ifndef AUTH_CACHE_H
#define AUTH_CACHE_H

#include "auth.h"

enum {
	TOKEN_DIGEST_BYTES = 16,
	DEVICE_FRESH_MS = 2000,
	TOKEN_IDLE_MS = 60000,
};

/* A device as the store had it not long ago. */
struct device {
	int64_t device_id, user_id, db_epoch;
	int64_t loaded_ms; /* of the timer's clock; entries are used for DEVICE_FRESH_MS */
	uint32_t epoch;
	char number[NUMBER_DIGITS_MAX + 1];
	bool has_username;
	char username[65];
};

struct caches *caches_new(uint32_t workers);
void caches_free(struct caches *caches);

/* The keyed digest that a token is remembered by. */
void cache_digest(
    const struct caches *caches, const char *token, size_t len, uint8_t out[TOKEN_DIGEST_BYTES]);
/* A verified token's claims; false when it is not remembered. */
bool cache_get_token(struct caches *caches, uint32_t worker,
    const uint8_t digest[TOKEN_DIGEST_BYTES], int64_t now_ms, struct claims *out);
void cache_put_token(struct caches *caches, uint32_t worker,
    const uint8_t digest[TOKEN_DIGEST_BYTES], int64_t now_ms, const struct claims *claims);
/* Frees tokens that nobody came with for TOKEN_IDLE_MS, and devices that are not fresh. */
void cache_sweep(struct caches *caches, uint32_t worker, int64_t now_ms);

/* The device, however old the entry is; NULL when there is none.  Borrowed until the next call. */
struct device *cache_get_device(struct caches *caches, uint32_t worker, int64_t device_id);
/* A copy is kept; `generation` is what cache_generation gave before the store was asked: when a
 * device was forgotten since, the row may be older than its revocation and is not kept.  The kept
 * one, or NULL. */
struct device *cache_put_device(
    struct caches *caches, uint32_t worker, const struct device *device, uint64_t generation);
uint64_t cache_generation(const struct caches *caches, uint32_t worker);
void cache_forget_device(struct caches *caches, uint32_t worker, int64_t device_id);

#endif
