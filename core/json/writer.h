/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON writer: straight into a sticky buffer, compact, without a tree.  Check
 * once, at the end (json_done).  Nesting that does not match, a missing key or
 * a second value at the top is a bug of ours and ends the process.
 *
 * In every put_ and open_ function `key` is the member's name inside an object
 * and NULL inside an array or at the top; it is UTF-8 that needs no escape
 * (json_key takes any other).  Texts must be valid UTF-8; they are not checked.
 */
#ifndef JSON_WRITER_H
#define JSON_WRITER_H

#include "base/buf.h"
#include "json/reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Containers inside each other; room for a parsed value inside as many of ours. */
#define JSON_WRITER_DEPTH_MAX (2 * JSON_DEPTH_MAX)

struct json_writer {
	struct buf *out; /* borrowed until json_done */
	unsigned depth;  /* open containers */
	bool comma;      /* a value precedes in this container */
	bool keyed;      /* json_key wrote a name whose value is still to come */
	bool objects[JSON_WRITER_DEPTH_MAX]; /* per open container: is it an object? */
};

/* Appends to `out`, which may hold something already. */
void json_writer_init(struct json_writer *writer, struct buf *out);

/* True when the value is whole, false when the buffer failed (memory or limit).  MUST: everything
 * opened is closed. */
bool json_done(const struct json_writer *writer);

void json_open_object(struct json_writer *writer, const char *key);
void json_close_object(struct json_writer *writer);
void json_open_array(struct json_writer *writer, const char *key);
void json_close_array(struct json_writer *writer);

/* A member's name of any text; the next put_ or open_ has key NULL. */
void json_key(struct json_writer *writer, const char *name, size_t len);

void json_put_null(struct json_writer *writer, const char *key);
void json_put_bool(struct json_writer *writer, const char *key, bool value);
void json_put_int(struct json_writer *writer, const char *key, int64_t value);
/* As a string: "123". */
void json_put_int_text(struct json_writer *writer, const char *key, int64_t value);
/* The shortest text that reads back as the same double: 5 becomes 5.0; null when not finite. */
void json_put_double(struct json_writer *writer, const char *key, double value);
/* NULL writes null. */
void json_put_text(struct json_writer *writer, const char *key, const char *text);
void json_put_text_n(struct json_writer *writer, const char *key, const char *text, size_t len);
/* Padded standard base64; NULL writes null. */
void json_put_bytes(struct json_writer *writer, const char *key, const void *data, size_t len);
/* deviceId and keyId; sessionId. */
void json_put_hex16(struct json_writer *writer, const char *key, int64_t value);
void json_put_hex8(struct json_writer *writer, const char *key, int32_t value);
/* ISO 8601 with milliseconds and Z; the same without a fraction. */
void json_put_time(struct json_writer *writer, const char *key, int64_t us);
void json_put_time_s(struct json_writer *writer, const char *key, int64_t us);
/* JSON text made earlier by a writer; not checked again. */
void json_put_raw(struct json_writer *writer, const char *key, const char *text, size_t len);
/* A parsed value: members in their order with equal values, compact. */
void json_put_value(struct json_writer *writer, const char *key, const struct json_value *value);

/* Appends `text` as a JSON string with its quotes, without a writer. */
void json_write_text(struct buf *out, const char *text, size_t len);

#endif
