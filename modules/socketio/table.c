/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hash table with chains.
 */
#include "table.h"

#include <stdlib.h>
#include <sys/random.h>

#define FIRST_BUCKETS 64u

bool
table_init(struct table *table)
{
	*table = (struct table){ 0 };
	return getrandom(table->key, sizeof(table->key), 0) == (ssize_t)sizeof(table->key);
}

void
table_fini(struct table *table)
{
	free(table->buckets);
	*table = (struct table){ 0 };
}

/* ---- hash ---- */

static uint64_t
rotate(uint64_t x, unsigned by)
{
	return x << by | x >> (64 - by);
}

static void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

static void
sip_word(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_round(v);
	sip_round(v);
	v[0] ^= word;
}

uint64_t
table_hash(const struct table *table, struct slice key)
{
	uint64_t v[4] = { table->key[0] ^ UINT64_C(0x736f6d6570736575),
		table->key[1] ^ UINT64_C(0x646f72616e646f6d),
		table->key[0] ^ UINT64_C(0x6c7967656e657261),
		table->key[1] ^ UINT64_C(0x7465646279746573) };
	uint64_t word;
	size_t at;

	for (at = 0; key.len - at >= sizeof(word); at += sizeof(word)) {
		memcpy(&word, key.data + at, sizeof(word));
		sip_word(v, word);
	}
	word = 0;
	if (key.len > at)
		memcpy(&word, key.data + at, key.len - at);
	sip_word(v, word | (uint64_t)key.len << 56);
	v[2] ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* ---- nodes ---- */

static struct table_node **
bucket_of(const struct table *table, uint64_t hash)
{
	return &table->buckets[hash & (table->bucket_count - 1)];
}

static struct table_node *
skip_others(struct table_node *node, uint64_t hash)
{
	while (node != NULL && node->hash != hash)
		node = node->next;
	return node;
}

struct table_node *
table_find(const struct table *table, uint64_t hash)
{
	return table->count > 0 ? skip_others(*bucket_of(table, hash), hash) : NULL;
}

struct table_node *
table_find_next(const struct table_node *node)
{
	return skip_others(node->next, node->hash);
}

/* False when memory is out; the table is as before then. */
static bool
resize(struct table *table, uint32_t bucket_count)
{
	struct table_node **buckets = calloc(bucket_count, sizeof(struct table_node *));
	struct table_node **old = table->buckets;
	uint32_t old_count = table->bucket_count;

	if (buckets == NULL)
		return false;
	table->buckets = buckets;
	table->bucket_count = bucket_count;
	for (uint32_t i = 0; i < old_count; i++) {
		struct table_node *node, *next;

		for (node = old[i]; node != NULL; node = next) {
			struct table_node **bucket = bucket_of(table, node->hash);

			next = node->next;
			node->next = *bucket;
			*bucket = node;
		}
	}
	free(old);
	return true;
}

bool
table_add(struct table *table, struct table_node *node, uint64_t hash)
{
	struct table_node **bucket;

	if (table->buckets == NULL && !resize(table, FIRST_BUCKETS))
		return false;
	/* Longer chains will do when memory is out. */
	if (table->count >= table->bucket_count && table->bucket_count < UINT32_MAX / 2)
		(void)resize(table, table->bucket_count * 2);
	bucket = bucket_of(table, hash);
	node->hash = hash;
	node->next = *bucket;
	*bucket = node;
	table->count++;
	return true;
}

void
table_remove(struct table *table, struct table_node *node)
{
	struct table_node **at = bucket_of(table, node->hash);

	while (*at != node)
		at = &(*at)->next;
	*at = node->next;
	table->count--;
	/* What a burst of sessions took goes back. */
	if (table->bucket_count > FIRST_BUCKETS && table->count < table->bucket_count / 8)
		(void)resize(table, table->bucket_count / 2);
}
