/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UTF-8 by RFC 3629: no overlong form, no surrogate, nothing above U+10FFFF.
 * Lengths in the wire contract are counted in code points.  Thread: any.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Most bytes of one code point. */
#define UTF8_MAX 4

/* Bytes (1..4) of the code point `text` starts with; 0 when it is malformed, cut short or `len` is
 * 0. */
size_t utf8_step(const char *text, size_t len);

bool utf8_is_valid(const char *text, size_t len);

/* Counts code points.  0, or -1 when the text is malformed (*out is then untouched). */
int utf8_count(const char *text, size_t len, size_t *out);

/* Writes `code` and says how many bytes that took (1..4); 0 for a surrogate or a number above
 * 0x10ffff. */
size_t utf8_encode(uint32_t code, char out[UTF8_MAX]);

#endif
