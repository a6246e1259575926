/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a front guard makes of a stream, written down as text, so that two ways
 * of feeding it can be compared.  Used by test_net_guard.c and fuzz_guard.c.
 */
#ifndef TESTS_GUARD_TRANSCRIPT_H
#define TESTS_GUARD_TRANSCRIPT_H

#include "base/must.h"
#include "net/guard.h"

#include <stdlib.h>
#include <string.h>

/* How the stream is cut into pieces; `*random` is state that the cutter may use. */
typedef size_t (*piece_fn)(size_t left, uint64_t *random);

static inline size_t
piece_whole(size_t left, uint64_t *random)
{
	(void)random;
	return left;
}

static inline size_t
piece_byte(size_t left, uint64_t *random)
{
	(void)left;
	(void)random;
	return 1;
}

static inline size_t
piece_random(size_t left, uint64_t *random)
{
	size_t most = left < 40 ? left : 40;

	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return 1 + (size_t)(*random % most);
}

static inline void
put_slice(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];

		if (c >= 0x20 && c < 0x7f)
			buf_putc(out, (char)c);
		else
			buf_printf(out, "\\x%02x", c);
	}
}

static inline void
put_request(struct buf *out, const struct guard_request *request, bool details)
{
	put_slice(out, request->method);
	buf_putc(out, ' ');
	put_slice(out, request->path);
	if (request->query.data != NULL)
		buf_putc(out, '?');
	put_slice(out, request->query);
	buf_printf(out, " 1.%d %s", request->minor, request->keep_alive ? "keep" : "close");
	if (request->upgrade)
		buf_puts(out, " upgrade");
	if (request->body_too_large)
		buf_puts(out, " large");
	if (request->body.len > 0) {
		buf_puts(out, " [");
		put_slice(out, request->body);
		buf_putc(out, ']');
	}
	buf_putc(out, '\n');
	if (!details)
		return;
	buf_puts(out, "\tpath ");
	put_slice(out, request->path_decoded);
	buf_puts(out, "\n\thost ");
	put_slice(out, request->host);
	buf_puts(out, "\n\ttype ");
	put_slice(out, request->content_type);
	for (size_t i = 0; i < request->header_count; i++) {
		buf_puts(out, "\n\t");
		put_slice(out, request->headers[i].name);
		buf_puts(out, ": ");
		put_slice(out, request->headers[i].value);
	}
	buf_putc(out, '\n');
}

static inline void
check_text(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		MUST(text.data[i] != '\0' && text.data[i] != '\r' && text.data[i] != '\n');
}

/* The next header from `*at` on that guard_write_clean does not settle; NULL at the end. */
static inline const struct guard_header *
next_header(const struct guard_request *request, size_t *at)
{
	static const char *const settled[] = { "connection", "content-length", "expect", "host",
		"http2-settings", "keep-alive", "proxy-connection", "te", "trailer",
		"transfer-encoding", "upgrade" };

	while (*at < request->header_count) {
		const struct guard_header *header = &request->headers[(*at)++];
		bool skip = false;

		for (size_t i = 0; i < sizeof(settled) / sizeof(settled[0]); i++)
			skip |= slice_is(header->name, settled[i]);
		if (!skip)
			return header;
	}
	return NULL;
}

static inline void
check_same(const struct guard_request *a, const struct guard_request *b)
{
	const struct guard_header *one;
	size_t at_a = 0;
	size_t at_b = 0;

	MUST(slice_equal(a->method, b->method) && slice_equal(a->path, b->path));
	MUST(slice_equal(a->path_decoded, b->path_decoded) && slice_equal(a->query, b->query));
	MUST((a->query.data == NULL) == (b->query.data == NULL));
	MUST(slice_equal(a->host, b->host) && slice_equal(a->content_type, b->content_type));
	MUST(slice_equal(a->body, b->body));
	MUST(a->minor == b->minor && a->keep_alive == b->keep_alive);
	while ((one = next_header(a, &at_a)) != NULL) {
		const struct guard_header *other = next_header(b, &at_b);

		MUST(other != NULL && slice_equal(one->name, other->name));
		MUST(slice_equal(one->value, other->value));
	}
	MUST(next_header(b, &at_b) == NULL);
}

/* Written clean and read again it is the same request, and nothing but that. */
static inline void
check_clean(const struct guard_request *request)
{
	static const struct guard_limits wide = { 1 << 20, 1 << 20, 1 << 10, 1 << 24 };
	struct guard guard;
	struct buf text;
	size_t head;
	size_t consumed;

	check_text(request->method);
	check_text(request->path);
	check_text(request->query);
	check_text(request->host);
	for (size_t i = 0; i < request->header_count; i++) {
		MUST(request->headers[i].name.len > 0);
		check_text(request->headers[i].name);
		check_text(request->headers[i].value);
	}

	buf_init(&text, 0);
	guard_write_clean(request, &text);
	head = text.len;
	MUST(memchr(text.data, '\0', head) == NULL);
	buf_put(&text, request->body.data, request->body.len);
	MUST(!text.failed);
	guard_init(&guard, &wide);
	MUST(guard_feed(&guard, text.data, text.len, &consumed) == GUARD_REQUEST);
	MUST(consumed == text.len);
	MUST(!guard.request.upgrade && !guard.request.body_too_large);
	check_same(request, &guard.request);
	guard_fini(&guard);
	buf_fini(&text);
}

/*
 * Feeds the stream and writes a line for each request, then how it ends:
 * "idle", "waits" (a request is not complete), "closed" (the rest was
 * discarded) or status and message of an error.
 */
static inline void
transcribe(struct buf *out, const struct guard_limits *limits, const char *data, size_t len,
    piece_fn piece, uint64_t random, bool details)
{
	struct guard guard;
	enum guard_event event = GUARD_MORE;
	size_t at = 0;
	bool closed = false;

	guard_init(&guard, limits);
	while (at < len && event != GUARD_ERROR) {
		size_t count = piece(len - at, &random);
		/* An own copy, so that a read beyond the piece is seen. */
		char *copy = malloc(count);
		size_t consumed;

		MUST(copy != NULL);
		memcpy(copy, data + at, count);
		event = guard_feed(&guard, copy, count, &consumed);
		free(copy);
		MUST(consumed <= count);
		MUST(event != GUARD_MORE || consumed == count);
		MUST(event != GUARD_CONTINUE || consumed == count);
		at += consumed;
		if (event == GUARD_REQUEST) {
			MUST(!closed);
			put_request(out, &guard.request, details);
			check_clean(&guard.request);
			closed = !guard.request.keep_alive;
			guard_next(&guard);
			if (guard_idle(&guard))
				guard_trim(&guard);
		}
	}
	if (event == GUARD_ERROR)
		buf_printf(out, "%d %s", guard.error.status, guard.error.message);
	else
		buf_puts(out, closed ? "closed" : guard_idle(&guard) ? "idle" : "waits");
	guard_fini(&guard);
}

#endif
