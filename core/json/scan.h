/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tokens of the JSON reader: texts and numbers.  Private to core/json; the
 * tree is made in reader.c.
 */
#ifndef JSON_SCAN_H
#define JSON_SCAN_H

#include "json/reader.h"

#include <endian.h>
#include <string.h>

/* A text being read.  The first failure is kept. */
struct json_scan {
	struct arena *arena;
	const char *start, *end;
	const char *at;          /* next byte */
	const char *nul;         /* the first \u0000, NULL while there is none */
	enum json_status status; /* JSON_OK until something fails */
	struct json_error error;
};

/* Records a failure at `at`; always false. */
bool json_scan_fail(
    struct json_scan *scan, enum json_status status, const char *at, const char *message);

/* `at` is at the opening quote and ends behind the closing one.  False when it failed. */
bool json_scan_text(struct json_scan *scan, const char **text, uint32_t *len);

/* `at` is at the '-' or the first digit and ends behind the number; sets type and number. */
bool json_scan_number(struct json_scan *scan, struct json_value *value);

/* How many bytes from `at` on are ASCII and neither control, quote nor backslash.  Eight at a time:
 * subtracting makes the high bit of each byte that is below 0x20, or equal to what it was XORed
 * with; a borrow reaches only bytes behind such a one, so the lowest is exact. */
static inline size_t
json_plain_run(const char *at, const char *end)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	const char *start = at;

	while (end - at >= 8) {
		uint64_t word, quote, backslash, special;

		memcpy(&word, at, sizeof word);
		word = le64toh(word);
		quote = word ^ ones * '"';
		backslash = word ^ ones * '\\';
		special = word | (word - ones * 0x20) | (quote - ones) | (backslash - ones);
		special &= ones * 0x80;
		if (special != 0)
			return (size_t)(at - start) + (size_t)__builtin_ctzll(special) / 8;
		at += 8;
	}
	while (at < end && (unsigned char)*at >= 0x20 && (unsigned char)*at < 0x80 && *at != '"' &&
	       *at != '\\')
		at++;
	return (size_t)(at - start);
}

#endif
