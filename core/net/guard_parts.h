/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the front guard share among themselves; guard.h is the way
 * in.  Nothing outside core/net/guard*.c includes this.
 */
#ifndef NET_GUARD_PARTS_H
#define NET_GUARD_PARTS_H

#include "net/guard.h"

/* Bits of guard_chars. */
enum {
	CHAR_VALUE = 1, /* field value: HTAB, SP, VCHAR, obs-text (RFC 9110, 5.5) */
	CHAR_PATH = 2,  /* pchar or '/', but for '%' (RFC 3986, 3.3) */
	CHAR_QUERY = 4, /* visible ASCII that browsers leave bare in a query; '%' too */
	CHAR_HOST = 8,  /* reg-name, but for '%' (RFC 3986, 3.2.2) */
};

extern const uint8_t guard_chars[256];

/* The byte in lower case when it may stand in a token (RFC 9110, 5.6.2), else 0. */
extern const char guard_token[256];

static inline bool
char_is(char c, unsigned bits)
{
	return (guard_chars[(unsigned char)c] & bits) != 0;
}

static inline char
token_lower(char c)
{
	return guard_token[(unsigned char)c];
}

/* A chunk-size line, CRLF included, and the extensions of one request together. */
#define CHUNK_LINE_MAX      1024
#define CHUNK_EXTENSION_MAX 8192

/* Fails the guard: sets its error, frees its memory, returns GUARD_ERROR.  `message` is static. */
enum guard_event guard_fail(struct guard *guard, int status, const char *message);

/* 0..15, or -1. */
int guard_hex(char c);

/* Non-empty and token characters only. */
bool guard_is_token(struct slice text);

/* uri-host [ ":" port ] (RFC 9112, 3.2); may be empty. */
bool guard_is_host(struct slice text);

/*
 * The request line, without its CRLF, at the start of guard->head: sets the
 * spans and request.minor.  GUARD_MORE when it is valid.
 */
enum guard_event guard_read_request_line(struct guard *guard, size_t len);

/* The target within the head; sets path, query and authority.  NULL when valid, else why not. */
const char *guard_read_target(struct guard *guard, struct guard_span target);

/* `path` with its escapes, which are whole, replaced; `out` has room for path.len.  The length. */
size_t guard_decode_path(struct slice path, char *out);

/*
 * One field line, which ends in CRLF: lowers the name in place and sets `out`.
 * Where the next line begins; NULL with `*why` set when the line is malformed.
 */
char *guard_read_field(char *line, struct guard_header *out, const char **why);

/*
 * The whole header block is in guard->head and its lines are counted: completes
 * the request but for its body, and sets chunked, expects and body_left.
 * GUARD_MORE when it is valid.
 */
enum guard_event guard_read_head(struct guard *guard);

/*
 * chunk-size [ chunk-ext ] without the CRLF (RFC 9112, 7.1).  NULL when valid,
 * with the size (below 2^63) and the bytes behind it; else why not.
 */
const char *guard_read_chunk_line(struct slice line, uint64_t *size, size_t *extension);

#endif
