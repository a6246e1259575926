/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON reader (RFC 8259, strict): one pass over the text into an arena.
 *
 * Ours, because the wire contract tells apart what a general parser does not:
 * duplicate keys, lone surrogates and invalid UTF-8 (INVALID_JSON) from a NUL
 * inside a string or key (INVALID_BODY); integers beyond 64 bits come back as
 * doubles; the length of a member as it was sent is needed; and jansson's parse
 * cost more than a whole request (design: http).  jansson is the oracle of the
 * differential fuzz test.  The other direction is json/writer.h.
 */
#ifndef JSON_READER_H
#define JSON_READER_H

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the order of the public enum convro_node_type. */
enum json_type {
	JSON_NULL,
	JSON_BOOL,
	JSON_INT,    /* written without '.' and 'e' and within int64, except "-0" */
	JSON_DOUBLE, /* any other number, always finite */
	JSON_TEXT,
	JSON_ARRAY,
	JSON_OBJECT
};

struct json_member;

struct json_value {
	const char *raw; /* the value as it was sent, in the source */
	union {
		bool boolean;
		int64_t integer;
		double real;
		const char *text; /* UTF-8, `count` bytes, no NUL behind; in the source when it had
				     no escape */
		const struct json_value *items;
		const struct json_member *members; /* in the order they were sent, names unique */
	} u;
	uint32_t raw_len; /* bytes at `raw` */
	uint32_t count;   /* bytes of a text, items of an array, members of an object */
	uint8_t type;     /* enum json_type */
};

struct json_member {
	const char *name; /* UTF-8, `name_len` bytes, no NUL behind */
	uint32_t name_len;
	struct json_value value;
};

enum json_status {
	JSON_OK,
	JSON_SYNTAX, /* malformed, duplicate key, invalid UTF-8, lone surrogate, 1e999: INVALID_JSON
		      */
	JSON_NUL,    /* well-formed, but a string or key holds \u0000: INVALID_BODY */
	JSON_DEPTH,  /* more containers inside each other than allowed: INVALID_JSON */
	JSON_TOO_MANY, /* more values than allowed, or a text of 4 GiB: INVALID_JSON */
	JSON_NO_MEMORY
};

/* The deepest nesting the reader ever allows; also the default. */
#define JSON_DEPTH_MAX 64
/* Default number of values; a value takes 32 bytes of the arena, 48 as a member. */
#define JSON_VALUES_DEFAULT 65536

struct json_limits {
	unsigned depth; /* containers inside each other, 1..JSON_DEPTH_MAX; 0 = JSON_DEPTH_MAX */
	uint32_t
	    values; /* values of any kind in all, containers included; 0 = JSON_VALUES_DEFAULT */
};

struct json_error {
	size_t offset;       /* byte of the text where it went wrong */
	const char *message; /* a constant, lower case, no full stop */
};

/* Parses all of `text`, which must hold exactly one value (blanks around it are fine, a BOM is
 * not). `limits` NULL = defaults.  JSON_OK and JSON_NUL set *out (otherwise NULL): the tree is
 * borrowed from the arena and from `text`, and lives while both do.  Every other status, and
 * JSON_NUL, fills *error when `error` is not NULL.  After a failure some of the arena is used.
 * Thread: any. */
enum json_status json_parse(struct arena *arena, const char *text, size_t len,
    const struct json_limits *limits, const struct json_value **out, struct json_error *error);

/* The member called `name` of an object; NULL when there is none, or `object` is NULL or no object.
 * A member that is null is returned as such.  O(1) in large objects. */
const struct json_value *json_member(const struct json_value *object, const char *name);
const struct json_value *
json_member_n(const struct json_value *object, const char *name, size_t len);

/* Item `index` of an array, value of member `index` of an object; NULL beyond the end, or when
 * `value` is NULL or no container. */
const struct json_value *json_item(const struct json_value *value, uint32_t index);

/* A text of exactly these bytes.  False for NULL. */
bool json_text_is(const struct json_value *value, const char *text);

/* Equal value: objects whatever their members' order, numbers by the number they mean (1
 * equals 1.0, 0 equals -0.0; no rounding between integers and doubles).  O(size of the smaller
 * tree). */
bool json_equal(const struct json_value *a, const struct json_value *b);

#endif
