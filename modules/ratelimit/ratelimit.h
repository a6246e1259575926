/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the module ratelimit share.  Read ratelimit.c first.
 */
#ifndef RATELIMIT_H
#define RATELIMIT_H

#include <convro/module.h>
#include <stdbool.h>

extern const struct convro_api *convro;

/* ---- bucket.c: token buckets in a table of fixed size, for all workers ---- */

struct buckets;

struct buckets *buckets_new(uint32_t count);
void buckets_free(struct buckets *buckets);

/* Takes one token from the bucket of (`limit`, `key`), which begins full.  False when it is empty;
 * *retry_after is then the seconds (at least 1) until it holds one.  Thread: any. */
bool buckets_take(struct buckets *buckets, const struct convro_rate *rate, const char *limit,
    const void *key, size_t len, int64_t now_ms, uint32_t *retry_after);
/* Gives one back. */
void buckets_give_back(struct buckets *buckets, const struct convro_rate *rate, const char *limit,
    const void *key, size_t len, int64_t now_ms);

#endif
