/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON: a sticky writer (check once, at the end) and a bounded reader.
 */
#ifndef CONVRO_JSON_H
#define CONVRO_JSON_H

#include <convro/abi.h>

struct convro_json; /* writer; belongs to a context */
struct convro_node; /* a parsed value; belongs to a context */

enum convro_node_type {
	CONVRO_NODE_NULL,
	CONVRO_NODE_BOOL,
	CONVRO_NODE_INT,    /* an integer within int64 */
	CONVRO_NODE_DOUBLE, /* any other number */
	CONVRO_NODE_TEXT,
	CONVRO_NODE_ARRAY,
	CONVRO_NODE_OBJECT
};

/* In all put_ and open_ functions: `key` is the member's name inside an object and NULL inside an
 * array; keys are constant UTF-8 that needs no escape.  A NULL text writes null. */
struct convro_json_table { /* thread: the context's worker */
	uint32_t size;

	/* A writer of its own (for a push, a stored document); NULL when memory is out. */
	struct convro_json *(*make)(struct convro_ctx *ctx);
	/* The text, NUL behind it, borrowed until the context ends; NULL when memory ran out on the
	 * way. Everything opened must be closed. */
	const char *(*text)(struct convro_json *json, size_t *len);

	void (*open_object)(struct convro_json *json, const char *key);
	void (*close_object)(struct convro_json *json);
	void (*open_array)(struct convro_json *json, const char *key);
	void (*close_array)(struct convro_json *json);

	void (*put_null)(struct convro_json *json, const char *key);
	void (*put_bool)(struct convro_json *json, const char *key, int value);
	void (*put_int)(struct convro_json *json, const char *key, int64_t value);
	void (*put_int_text)(struct convro_json *json, const char *key, int64_t value); /* "123" */
	void (*put_text)(struct convro_json *json, const char *key, const char *text);
	void (*put_text_n)(struct convro_json *json, const char *key, const char *text, size_t len);
	void (*put_bytes)(struct convro_json *json, const char *key, const void *data,
	    size_t len); /* padded base64 */
	void (*put_hex16)(
	    struct convro_json *json, const char *key, int64_t value); /* deviceId, keyId */
	void (*put_hex8)(struct convro_json *json, const char *key, int32_t value); /* sessionId */
	void (*put_time)(
	    struct convro_json *json, const char *key, int64_t us); /* ISO 8601, milliseconds, Z */
	void (*put_time_s)(struct convro_json *json, const char *key,
	    int64_t us); /* the same without a fraction */
	/* A parsed value: members in their order with equal values, compact. */
	void (*put_node)(struct convro_json *json, const char *key, const struct convro_node *node);
	/* JSON text made earlier by this table; not checked again. */
	void (*put_raw)(struct convro_json *json, const char *key, const char *text, size_t len);

	/* Parses one whole JSON text.  INVALID: malformed, a duplicate key, too deep, a NUL in a
	 * string (in that case alone *out is set, for those who can take it). `data` must live as
	 * long as the context. */
	enum convro_status (*parse)(
	    struct convro_ctx *ctx, const char *data, size_t len, const struct convro_node **out);
	enum convro_node_type (*type)(const struct convro_node *node);
	uint32_t (*count)(const struct convro_node *node); /* elements or members */
	const struct convro_node *(*item)(const struct convro_node *node, uint32_t index);
	const struct convro_node *(*member)(
	    const struct convro_node *node, const char *name); /* NULL = none */
	const char *(*get_text)(
	    const struct convro_node *node, size_t *len); /* NULL unless TEXT; NUL-terminated: no */
	int64_t (*get_int)(const struct convro_node *node); /* 0 unless INT or BOOL */
	int (*equal)(const struct convro_node *a,
	    const struct convro_node *b); /* whatever the members' order */
	/* The name of an object's member; NULL beyond the last.  NUL-terminated: no. */
	const char *(*name)(const struct convro_node *node, uint32_t index, size_t *len);
};

#endif
