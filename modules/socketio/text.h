/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text of the socketio module: borrowed slices, and a sticky buffer that the
 * codecs write to.  It lives on malloc, as what it holds may outlast a unit of
 * work (a queue of a connection).
 */
#ifndef SOCKETIO_TEXT_H
#define SOCKETIO_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice { /* borrowed; not NUL-terminated; data may be NULL when len is 0 */
	const char *data;
	size_t len;
};

/* A slice of a NUL-terminated text. */
static inline struct slice
slice_of(const char *text)
{
	return (struct slice){ text, strlen(text) };
}

/* Same bytes.  Not for secrets: takes longer the more they agree. */
static inline bool
slice_equal(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* The decimal digits of a number, written to the end of `out`. */
#define SLICE_UINT_SIZE 20
struct slice slice_of_uint(uint64_t value, char out[SLICE_UINT_SIZE]);

struct text {
	char *data;   /* owned; NULL while nothing was written */
	size_t len;   /* bytes written */
	size_t size;  /* bytes allocated */
	size_t limit; /* most bytes it may hold, 0 = no limit */
	bool failed;  /* out of memory or over the limit; len is 0 then and writes are ignored */
};

/* In place; allocates nothing yet. */
void text_init(struct text *text, size_t limit);

/* Frees the bytes; the text is as after text_init. */
void text_fini(struct text *text);

/* Forgets the bytes and the failure, keeps the memory. */
void text_clear(struct text *text);

/* Room for `len` more bytes, which the caller fills and counts by adding to text->len; NULL once
 * failed. */
char *text_room(struct text *text, size_t len);

void text_put(struct text *text, const void *data, size_t len);
void text_puts(struct text *text, const char *string);
void text_putc(struct text *text, char c);
void text_put_slice(struct text *text, struct slice slice);
void text_put_uint(struct text *text, uint64_t value);

/* A JSON string with its quotes; `slice` is UTF-8. */
void text_put_json_string(struct text *text, struct slice slice);

/* Whether the bytes are UTF-8 (RFC 3629). */
bool text_is_utf8(const char *data, size_t len);

#endif
