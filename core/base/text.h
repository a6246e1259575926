/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small helpers for text that is not NUL-terminated.  ASCII only; for UTF-8 see
 * base/utf8.h.  Thread: any.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes that belong to somebody else; `data` may be NULL when `len` is 0. */
struct slice {
	const char *data;
	size_t len;
};

/* The slice of a NUL-terminated text, without the NUL. */
static inline struct slice
slice_of(const char *text)
{
	return (struct slice){ text, strlen(text) };
}

/* Same bytes.  Not for secrets: takes longer the more they agree. */
bool slice_equal(struct slice a, struct slice b);

/* The same against a NUL-terminated text. */
bool slice_is(struct slice slice, const char *text);

bool slice_starts_with(struct slice slice, const char *prefix);

/* Without blanks and tabs at both ends. */
struct slice slice_trim(struct slice slice);

/* A-Z becomes a-z, everything else stays; no locale. */
char text_lower(char c);

/* Equal when the case of ASCII letters is ignored. */
bool text_equal_nocase(const char *a, size_t a_len, const char *b, size_t b_len);
bool slice_is_nocase(struct slice slice, const char *text);

/* Decimal digits with perhaps a '-' in front: no '+', no blanks, no leading zero but "0" itself, no
 * "-0", nothing behind.  0, or -1 when the text is anything else or beyond int64. */
int text_int64(const char *text, size_t len, int64_t *out);

/* The decimal text of `value`: writes up to TEXT_INT64_MAX characters, no NUL, and says how many.
 */
#define TEXT_INT64_MAX 20
size_t text_from_int64(int64_t value, char out[TEXT_INT64_MAX]);

#endif
