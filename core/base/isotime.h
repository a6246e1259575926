/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ISO 8601 date-times and microseconds since 1970-01-01T00:00:00Z, the only
 * form of time inside the server.  Own arithmetic: the time zone functions of
 * libc read files and take locks.  Wire contract, section 1 "time".  Thread: any.
 */
#ifndef BASE_ISOTIME_H
#define BASE_ISOTIME_H

#include <stddef.h>
#include <stdint.h>

#define ISOTIME_LEN   24 /* 2026-01-31T12:34:56.000Z */
#define ISOTIME_S_LEN 20 /* 2026-01-31T12:34:56Z */

/* The times a four-digit year can say, 0000-01-01T00:00:00Z .. 9999-12-31T23:59:59.999999Z. */
#define ISOTIME_MIN INT64_C(-62167219200000000)
#define ISOTIME_MAX INT64_C(253402300799999999)

/* Writes ISOTIME_LEN characters, no NUL, cut to the millisecond below; a time out of the range
 * above becomes its nearer end. */
void isotime_format(int64_t us, char out[ISOTIME_LEN]);

/* The same without a fraction: ISOTIME_S_LEN characters, no NUL, cut to the second below. */
void isotime_format_s(int64_t us, char out[ISOTIME_S_LEN]);

/* Reads YYYY-MM-DDThh:mm:ss, perhaps a point and 1..9 digits (cut to microseconds), then Z or an
 * offset +hh:mm or -hh:mm; upper case only.  0, or -1 when the text is malformed, names a day that
 * does not exist, a second 60, the hour 24, or a time outside the range above. */
int isotime_parse(const char *text, size_t len, int64_t *out);

#endif
