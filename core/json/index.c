/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Look-up by name: open addressing, linear probing, at most half full, never
 * changed once it is built.
 */
#include "json/index.h"

#include <string.h>

struct index {
	struct siphash_key key;
	uint32_t mask;
	uint32_t slots[]; /* number of the member plus 1; 0 = empty */
};

static size_t
slot_count(size_t count)
{
	size_t slots = 2 * JSON_LINEAR_MAX;

	while (slots < 2 * count)
		slots *= 2;
	return slots;
}

size_t
json_index_size(size_t count)
{
	if (count <= JSON_LINEAR_MAX)
		return 0;
	return sizeof(struct index) + slot_count(count) * sizeof(uint32_t);
}

static bool
is_named(const struct json_member *member, const char *name, size_t len)
{
	return member->name_len == len && (len == 0 || memcmp(member->name, name, len) == 0);
}

/* The slot that holds the name, or the empty one where it belongs. */
static size_t
probe(const struct index *index, const struct json_member *members, const char *name, size_t len)
{
	size_t at = (size_t)siphash(&index->key, name, len) & index->mask;

	while (index->slots[at] != 0 && !is_named(&members[index->slots[at] - 1], name, len))
		at = (at + 1) & index->mask;
	return at;
}

static const struct json_member *
find_linear(const struct json_member *members, uint32_t count, const char *name, size_t len)
{
	for (uint32_t i = 0; i < count; i++)
		if (is_named(&members[i], name, len))
			return &members[i];
	return NULL;
}

const struct json_member *
json_index_build(struct json_member *members, uint32_t count, const struct siphash_key *key)
{
	struct index *index;

	if (count <= JSON_LINEAR_MAX) {
		for (uint32_t i = 1; i < count; i++)
			if (find_linear(members, i, members[i].name, members[i].name_len) != NULL)
				return &members[i];
		return NULL;
	}

	index = (struct index *)(void *)(members + count);
	memset(index, 0, json_index_size(count));
	index->key = *key;
	index->mask = (uint32_t)(slot_count(count) - 1);
	for (uint32_t i = 0; i < count; i++) {
		size_t at = probe(index, members, members[i].name, members[i].name_len);

		if (index->slots[at] != 0)
			return &members[i];
		index->slots[at] = i + 1;
	}
	return NULL;
}

const struct json_member *
json_index_find(const struct json_member *members, uint32_t count, const char *name, size_t len)
{
	const struct index *index;
	uint32_t slot;

	if (count <= JSON_LINEAR_MAX)
		return find_linear(members, count, name, len);
	index = (const struct index *)(const void *)(members + count);
	slot = index->slots[probe(index, members, name, len)];
	return slot == 0 ? NULL : &members[slot - 1];
}
