/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hash table whose nodes are embedded in their elements: sessions by sid, rooms
 * by name.  The hash is keyed, since clients choose what is looked up.
 */
#ifndef SOCKETIO_TABLE_H
#define SOCKETIO_TABLE_H

#include "text.h"

struct table_node {
	struct table_node *next;
	uint64_t hash;
};

struct table {
	struct table_node **buckets; /* owned; NULL while nothing was added */
	uint32_t bucket_count;       /* a power of two */
	uint32_t count;
	uint64_t key[2];
};

/* In place; draws a key.  False when the system has no randomness to give. */
bool table_init(struct table *table);

/* Frees the buckets; the elements are the caller's. */
void table_fini(struct table *table);

/* SipHash-2-4 of the bytes under the table's key. */
uint64_t table_hash(const struct table *table, struct slice key);

/* The first node with that hash, and the next one after `node`; NULL = no more.  The caller
 * compares keys. */
struct table_node *table_find(const struct table *table, uint64_t hash);
struct table_node *table_find_next(const struct table_node *node);

/* False when memory is out, and then nothing was added. */
bool table_add(struct table *table, struct table_node *node, uint64_t hash);

/* The node has to be in the table. */
void table_remove(struct table *table, struct table_node *node);

#endif
