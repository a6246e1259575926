/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Front guard, the pure part: bytes in, exactly one clean request at a time out
 * (RFC 9112, 9110; wire contract, section 1; design: http, section 1).  It does
 * no I/O and knows no clock.  guard.c is the state machine, guard_target.c and
 * guard_head.c judge the header block, guard_chunk.c the chunked body.
 *
 *	guard_feed ─ GUARD_MORE ──── feed it again when bytes arrive
 *	           ─ GUARD_CONTINUE  send guard_continue, feed the rest
 *	           ─ GUARD_REQUEST ─ use guard->request, then guard_next
 *	           ─ GUARD_ERROR ─── answer guard->error, linger, close
 *
 * Where the bytes are split never changes what comes out, but for
 * GUARD_CONTINUE, which is left out when the body is there already.
 *
 * Thread: any, one at a time per guard.
 */
#ifndef NET_GUARD_H
#define NET_GUARD_H

#include "base/buf.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Each below 1 GiB but for body_max. */
struct guard_limits {
	size_t request_line_max; /* bytes without CRLF; above it 414 */
	size_t header_block_max; /* bytes of fields, trailers and their CRLFs; above it 431 */
	size_t header_count_max; /* fields and trailers; above it 431 */
	size_t body_max;         /* decoded bytes; above it body_too_large */
};

/* The wire contract's figures. */
#define GUARD_LIMITS                                                                               \
	{                                                                                          \
		.request_line_max = 8192, .header_block_max = 16384, .header_count_max = 64,       \
		.body_max = 1048576                                                                \
	}

struct guard_header {
	struct slice name;  /* a token, lower case */
	struct slice value; /* without blanks around it; no control character but HTAB */
};

/*
 * Everything in it is borrowed until guard_next, guard_expire or guard_fini.
 * A slice's data is NULL only where a comment says so; nothing ends in a NUL.
 */
struct guard_request {
	/* A token, as sent, case included; never CONNECT. */
	struct slice method;

	/* As sent: begins with '/' and its escapes are whole, or is "*" (OPTIONS only). */
	struct slice path;

	/* With the escapes replaced; no NUL.  Split `path` first where an escaped '/' matters. */
	struct slice path_decoded;

	/* What follows the '?', as sent, its escapes not judged; data NULL without a '?'. */
	struct slice query;

	/* Authority of an absolute target, else Host; len 0 when there is none. */
	struct slice host;

	/* data NULL without one. */
	struct slice content_type;

	/* Chunks joined; empty when body_too_large. */
	struct slice body;

	/* In the order sent, repeated names apart, trailers dropped. */
	const struct guard_header *headers;
	size_t header_count;

	int minor;           /* HTTP/1.minor: 0 or 1 */
	bool keep_alive;     /* the connection may serve another request after this one */
	bool upgrade;        /* GET, HTTP/1.1, Upgrade: websocket, Connection: upgrade, no body */
	bool body_too_large; /* 413 once the checks before it passed; keep_alive is false */
};

struct guard_error {
	int status;          /* 400, 408, 414, 417, 431, 501, 503 (no memory) or 505 */
	const char *code;    /* "BAD_REQUEST", ...; static */
	const char *message; /* what was wrong, lower case, without a full stop; static */
};

enum guard_event {
	GUARD_MORE,
	GUARD_CONTINUE,
	GUARD_REQUEST,
	GUARD_ERROR,
};

/* The interim answer to GUARD_CONTINUE. */
#define GUARD_CONTINUE_LINE "HTTP/1.1 100 Continue\r\n\r\n"

/* A place in `head`, which moves while it grows. */
struct guard_span {
	uint32_t at;
	uint32_t len;
};

struct guard {
	struct guard_request request; /* valid from GUARD_REQUEST to guard_next */
	struct guard_error error;     /* valid from GUARD_ERROR or guard_expire on */

	/* Private from here. */
	const struct guard_limits *limits;
	struct buf head;             /* request line, fields, decoded path */
	struct buf body;             /* decoded */
	struct buf line;             /* chunk-size or trailer line being collected */
	struct guard_header *fields; /* owned; request.headers points to it */
	size_t field_room;           /* elements allocated */
	struct guard_span method;
	struct guard_span path;
	struct guard_span query;
	struct guard_span authority; /* of an absolute target */
	uint64_t body_left;          /* bytes the length or the chunk still promises */
	size_t line_start;           /* in head: the line being collected */
	size_t block_start;          /* in head: behind the request line */
	size_t line_count;           /* fields and trailers so far */
	size_t trailer_bytes;        /* of the whole trailer lines so far */
	size_t extension_bytes;      /* of the chunks so far */
	uint8_t state;
	uint8_t empty_lines; /* before the request line */
	bool has_query;
	bool chunked;
	bool expects; /* Expect: 100-continue */
};

/* NULL when a request may ask for `path` and `query` (its data NULL = none), else why not (static):
 * the rules of origin-form, for what did not come in a request line. */
const char *guard_check_target(struct slice path, struct slice query);

/* In place; allocates nothing.  `limits` is borrowed until guard_fini (one per server is meant). */
void guard_init(struct guard *guard, const struct guard_limits *limits);

/* Frees what the guard holds. */
void guard_fini(struct guard *guard);

/*
 * Takes in bytes of the request at hand, up to its end and not one further:
 * `*consumed` (0..len) says how many, the others stay with the caller and go
 * to the next request, or to whoever takes an upgraded connection over.  What
 * was consumed is copied; `data` is not kept.
 *
 * Not to be called between GUARD_REQUEST and guard_next.  After GUARD_ERROR it
 * consumes everything and says GUARD_ERROR again; after guard_next of a request
 * without keep_alive it consumes everything and says GUARD_MORE: what follows
 * there is never read as a request, so a lingering close can go on feeding it.
 */
enum guard_event guard_feed(struct guard *guard, const char *data, size_t len, size_t *consumed);

/*
 * Ends the request at hand and makes the guard ready for the next.  Keeps a few
 * kB of memory for it: call guard_trim when no further bytes are waiting.
 */
void guard_next(struct guard *guard);

/* Frees all memory of a guard that is idle; does nothing to one that is not. */
void guard_trim(struct guard *guard);

/*
 * No byte of a request has arrived since guard_init or guard_next (an empty
 * line before it does not count): a silent peer is an idle connection, not a
 * slow request.
 */
bool guard_idle(const struct guard *guard);

/* The caller's deadline passed: fails with 408 as if guard_feed had said GUARD_ERROR. */
void guard_expire(struct guard *guard);

/* The first header of that name (lower case), NULL without one.  Borrowed like the request. */
const struct guard_header *guard_header(const struct guard_request *request, const char *name);

/*
 * Appends the request in the one form that libevhtp's parser is given: request
 * line with `path` and `query`, HTTP/1.0 or 1.1, Host, the headers that concern
 * an application, one Connection (close or keep-alive) and one Content-Length,
 * empty line.  Transfer-Encoding, Expect, Upgrade, Trailer, TE, Keep-Alive and
 * the like are left out.  The body is not written: append request->body.
 * Failures stay in `out` (sticky).
 */
void guard_write_clean(const struct guard_request *request, struct buf *out);

#endif
