/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ABI's group table json: writer and reader in a context.
 */
#ifndef JSON_TABLE_H
#define JSON_TABLE_H

#include "loop/ctx.h"
#include "json/writer.h"

#include <convro/json.h>

struct convro_json {
	struct buf buf; /* freed when the context ends */
	struct json_writer writer;
};

/* A node is a parsed value under its public name. */
static inline const struct convro_node *
json_node(const struct json_value *value)
{
	return (const struct convro_node *)(const void *)value;
}

static inline const struct json_value *
json_of_node(const struct convro_node *node)
{
	return (const struct json_value *)(const void *)node;
}

/* An empty writer that lives as long as the context; NULL when memory is out. */
struct convro_json *json_make(struct convro_ctx *ctx);

extern const struct convro_json_table json_table;

#endif
