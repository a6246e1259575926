/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Percent-decoding and query strings (application/x-www-form-urlencoded, WHATWG
 * URL; wire contract, section 1 "query").  Pure: no request, no socket.
 */
#ifndef HTTP_QUERY_H
#define HTTP_QUERY_H

#include "base/arena.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

struct query_pair {
	struct slice name;  /* decoded, a NUL behind it */
	struct slice value; /* the same, or as it was sent when it is malformed; empty without a
			       '=' */
};

struct query {
	const struct query_pair *pairs; /* in the order sent; those whose name is well-formed */
	uint32_t count;
};

enum query_status {
	QUERY_OK,
	QUERY_INVALID, /* a bad escape, a NUL, invalid UTF-8, or a name given twice */
	QUERY_NO_MEMORY
};

/* Most pairs that are read; more are QUERY_INVALID. */
#define QUERY_PAIRS_MAX 256

/* Splits and decodes; '+' is a blank.  *out holds every pair of a well-formed name whatever the
 * status, but nothing after QUERY_NO_MEMORY; it is borrowed from the arena.  Thread: any. */
enum query_status query_parse(struct arena *arena, const char *text, size_t len, struct query *out);

/* The first value of that name; NULL without one. */
const struct slice *query_get(const struct query *query, const char *name, size_t len);

/* Replaces the escapes of `text`, writing at most `len` bytes to `out`; *out_len is their number.
 * False for an escape that is not whole or a NUL.  `out` may be `text`. */
bool percent_decode(const char *text, size_t len, bool plus, char *out, size_t *out_len);

#endif
