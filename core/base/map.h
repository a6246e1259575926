/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hash map from bytes, or from a 64-bit number, to a pointer: rooms, caches,
 * session ids.  Keyed with SipHash and a random key of its own, so that clients
 * who choose the keys cannot make them collide.  Open addressing (Robin Hood,
 * linear probing, no tombstones): get and remove never allocate.
 * One thread at a time.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/siphash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_slot;

struct map {
	struct map_slot *slots; /* owned; NULL while empty */
	size_t size;            /* slots, a power of two, or 0 */
	size_t count;           /* entries */
	struct siphash_key key;
};

/* In place; allocates nothing yet. */
void map_init(struct map *map);

/* Frees the table; keys and values belong to the caller. */
void map_fini(struct map *map);

/* Stores `value` (not NULL).  The key's bytes are not copied: they are borrowed until the entry is
 * removed or replaced, so they usually live inside the value.  An entry of an equal key is
 * replaced, key and value; *old, when `old` is not NULL, becomes its value or NULL.
 * 0, or -1 when memory is out (nothing has changed then). */
int map_put(struct map *map, const void *key, size_t len, void *value, void **old);
int map_put_u64(struct map *map, uint64_t key, void *value, void **old);

/* The value, or NULL when there is none. */
void *map_get(const struct map *map, const void *key, size_t len);
void *map_get_u64(const struct map *map, uint64_t key);

/* Removes the entry and gives its value back; NULL when there is none.  A number never equals
 * bytes. */
void *map_remove(struct map *map, const void *key, size_t len);
void *map_remove_u64(struct map *map, uint64_t key);

/* Walks the values in no particular order: start with *cursor = 0, NULL is the end.  The map must
 * not be changed meanwhile; map_remove_if is for that. */
void *map_next(const struct map *map, size_t *cursor);

/* Removes each entry for which `is_over` says true; returns how many.  `is_over` may be asked twice
 * about an entry it keeps, never again about one it gave up, which it may therefore free together
 * with the key; it must not touch the map. */
size_t map_remove_if(struct map *map, bool (*is_over)(void *value, void *arg), void *arg);

#endif
