/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hash map, Robin Hood with linear probing: an entry that is further from its
 * home takes the place of one that is nearer, so that distances stay short and
 * even, a look-up ends at the first entry nearer to its home than the key would
 * be, and a removal moves the followers back by one instead of leaving a mark.
 */
#include "base/map.h"

#include "base/must.h"
#include "base/random.h"

#include <stdlib.h>
#include <string.h>

#define SIZE_MIN 16
#define NUMBER   SIZE_MAX /* in place of a length: the key is the number */

struct map_slot {
	uint64_t hash;
	union {
		const void *bytes;
		uint64_t number;
	} key;
	size_t len;
	void *value; /* NULL = empty slot */
};

void
map_init(struct map *map)
{
	*map = (struct map){ 0 };
	random_bytes(&map->key, sizeof map->key);
}

void
map_fini(struct map *map)
{
	free(map->slots);
	map->slots = NULL;
	map->size = 0;
	map->count = 0;
}

static struct map_slot
bytes_entry(const struct map *map, const void *key, size_t len, void *value)
{
	MUST(len != NUMBER);
	return (struct map_slot){ siphash(&map->key, key, len), { .bytes = key }, len, value };
}

static struct map_slot
number_entry(const struct map *map, uint64_t key, void *value)
{
	return (struct map_slot){ siphash_u64(&map->key, key), { .number = key }, NUMBER, value };
}

static bool
same_key(const struct map_slot *a, const struct map_slot *b)
{
	if (a->hash != b->hash || a->len != b->len)
		return false;
	if (a->len == NUMBER)
		return a->key.number == b->key.number;
	return a->len == 0 || memcmp(a->key.bytes, b->key.bytes, a->len) == 0;
}

/* How far slot `at` is from the home of `hash`. */
static size_t
distance(const struct map *map, uint64_t hash, size_t at)
{
	return (at - (size_t)hash) & (map->size - 1);
}

static struct map_slot *
find(const struct map *map, const struct map_slot *wanted)
{
	size_t at = (size_t)wanted->hash;

	if (map->count == 0)
		return NULL;
	for (size_t far = 0;; far++, at++) {
		struct map_slot *slot = &map->slots[at & (map->size - 1)];

		if (slot->value == NULL || distance(map, slot->hash, at & (map->size - 1)) < far)
			return NULL;
		if (same_key(slot, wanted))
			return slot;
	}
}

/* There is room, and no entry of an equal key. */
static void
insert(struct map *map, struct map_slot moving)
{
	size_t far = 0;

	for (size_t at = (size_t)moving.hash;; far++, at++) {
		struct map_slot *slot = &map->slots[at & (map->size - 1)];
		size_t its;

		if (slot->value == NULL) {
			*slot = moving;
			map->count++;
			return;
		}
		its = distance(map, slot->hash, at & (map->size - 1));
		if (its < far) {
			struct map_slot poorer = moving;

			moving = *slot;
			*slot = poorer;
			far = its;
		}
	}
}

static int
resize(struct map *map, size_t size)
{
	struct map old = *map;
	struct map_slot *slots = calloc(size, sizeof *slots);

	if (slots == NULL)
		return -1;
	map->slots = slots;
	map->size = size;
	map->count = 0;
	for (size_t i = 0; i < old.size; i++)
		if (old.slots[i].value != NULL)
			insert(map, old.slots[i]);
	free(old.slots);
	return 0;
}

/* Gives memory back after a crowd has left; going on with the larger table is fine too. */
static void
shrink(struct map *map)
{
	size_t size = map->size;

	while (size > SIZE_MIN && map->count < size / 8)
		size /= 2;
	if (size != map->size)
		(void)resize(map, size);
}

static int
put(struct map *map, const struct map_slot *added, void **old)
{
	struct map_slot *slot = find(map, added);

	MUST(added->value != NULL);
	if (old != NULL)
		*old = slot == NULL ? NULL : slot->value;
	if (slot != NULL) {
		*slot = *added;
		return 0;
	}
	if (map->count >= map->size / 4 * 3 &&
	    resize(map, map->size == 0 ? SIZE_MIN : map->size * 2) != 0)
		return -1;
	insert(map, *added);
	return 0;
}

/* Empties slot `at`: the followers that are not at home move back by one. */
static void
take_out(struct map *map, size_t at)
{
	size_t mask = map->size - 1;

	for (;;) {
		size_t next = (at + 1) & mask;
		const struct map_slot *follower = &map->slots[next];

		if (follower->value == NULL || distance(map, follower->hash, next) == 0)
			break;
		map->slots[at] = *follower;
		at = next;
	}
	map->slots[at].value = NULL;
	map->count--;
}

static void *
remove_entry(struct map *map, const struct map_slot *wanted)
{
	struct map_slot *slot = find(map, wanted);
	void *value;

	if (slot == NULL)
		return NULL;
	value = slot->value;
	take_out(map, (size_t)(slot - map->slots));
	shrink(map);
	return value;
}

int
map_put(struct map *map, const void *key, size_t len, void *value, void **old)
{
	struct map_slot added = bytes_entry(map, key, len, value);

	return put(map, &added, old);
}

int
map_put_u64(struct map *map, uint64_t key, void *value, void **old)
{
	struct map_slot added = number_entry(map, key, value);

	return put(map, &added, old);
}

void *
map_get(const struct map *map, const void *key, size_t len)
{
	struct map_slot wanted = bytes_entry(map, key, len, NULL);
	const struct map_slot *slot = find(map, &wanted);

	return slot == NULL ? NULL : slot->value;
}

void *
map_get_u64(const struct map *map, uint64_t key)
{
	struct map_slot wanted = number_entry(map, key, NULL);
	const struct map_slot *slot = find(map, &wanted);

	return slot == NULL ? NULL : slot->value;
}

void *
map_remove(struct map *map, const void *key, size_t len)
{
	struct map_slot wanted = bytes_entry(map, key, len, NULL);

	return remove_entry(map, &wanted);
}

void *
map_remove_u64(struct map *map, uint64_t key)
{
	struct map_slot wanted = number_entry(map, key, NULL);

	return remove_entry(map, &wanted);
}

void *
map_next(const struct map *map, size_t *cursor)
{
	while (*cursor < map->size) {
		void *value = map->slots[(*cursor)++].value;

		if (value != NULL)
			return value;
	}
	return NULL;
}

size_t
map_remove_if(struct map *map, bool (*is_over)(void *value, void *arg), void *arg)
{
	size_t before = map->count;

	for (size_t at = 0; at < map->size;) {
		void *value = map->slots[at].value;

		/* A removal may move the next entry here, so the slot is looked at again. */
		if (value != NULL && is_over(value, arg))
			take_out(map, at);
		else
			at++;
	}
	shrink(map);
	return before - map->count;
}
