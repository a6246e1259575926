/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Look-up by name in objects of many members: a table behind the members, in
 * the same piece of the arena.  Keyed, because clients choose the names.
 * Private to core/json.
 */
#ifndef JSON_INDEX_H
#define JSON_INDEX_H

#include "base/siphash.h"
#include "json/reader.h"

/* Objects of at most this many members are searched from first to last. */
#define JSON_LINEAR_MAX 16

/* Bytes needed behind `count` members; 0 when they are few. */
size_t json_index_size(size_t count);

/* Fills the table, if any; a member whose name an earlier one has, or NULL when all are unique. */
const struct json_member *
json_index_build(struct json_member *members, uint32_t count, const struct siphash_key *key);

/* The member of that name; NULL when there is none. */
const struct json_member *
json_index_find(const struct json_member *members, uint32_t count, const char *name, size_t len);

#endif
