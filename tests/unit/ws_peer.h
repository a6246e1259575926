/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A WebSocket client for tests: writes masked frames, good and bad ones, and
 * notes what the reader makes of them as a line of text.
 */
#ifndef WS_PEER_H
#define WS_PEER_H

#include "ws/frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIN  0x80
#define RSV1 0x40

enum { TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };

struct wire { /* the bytes a client sends */
	uint8_t data[400000];
	size_t len;
};

static inline void
put_byte(struct wire *wire, unsigned byte)
{
	wire->data[wire->len++] = (uint8_t)byte;
}

/* Length in `size` bytes more than the first: 0, 2 or 8. */
static inline void
put_length(struct wire *wire, unsigned mask_bit, uint64_t len, unsigned size)
{
	put_byte(wire, mask_bit | (size == 0 ? (unsigned)len : size == 2 ? 126u : 127u));
	for (unsigned i = size; i > 0; i--)
		put_byte(wire, (unsigned)(len >> (8 * (i - 1))) & 0xff);
}

static inline void
put_payload(struct wire *wire, const void *payload, size_t len)
{
	const uint8_t mask[4] = { 0x37, 0xfa, (uint8_t)wire->len, 0x3d };

	for (size_t i = 0; i < 4; i++)
		put_byte(wire, mask[i]);
	for (size_t i = 0; i < len; i++)
		put_byte(wire, ((const uint8_t *)payload)[i] ^ (unsigned)mask[i % 4]);
}

static inline void
put_frame(struct wire *wire, unsigned first, const void *payload, size_t len)
{
	put_byte(wire, first);
	put_length(wire, 0x80, len, len < 126 ? 0 : len < 65536 ? 2 : 8);
	put_payload(wire, payload, len);
}

static inline void
put_text(struct wire *wire, unsigned first, const char *payload)
{
	put_frame(wire, first, payload, strlen(payload));
}

static inline void
note(FILE *out, const struct ws_event *event)
{
	static const char *const names[] = { "none", "text", "binary", "ping", "pong", "close",
		"error" };

	fprintf(out, "%s%s(", event->compressed ? "compressed " : "", names[event->type]);
	if (event->code != 0)
		fprintf(out, "%u", event->code);
	if (event->type != WS_ERROR && event->len > 0) {
		fprintf(out, event->code != 0 ? " " : "");
		if (event->len <= 64)
			fwrite(event->data, 1, event->len, out);
		else
			fprintf(out, "%zu bytes, last %02x", event->len,
			    (uint8_t)event->data[event->len - 1]);
	}
	fprintf(out, ")");
}

/* What the reader says to these bytes when they come in pieces of `first`, then of `step` bytes.
 * Each piece has memory of its own, so that a sanitizer sees a step outside.  Caller frees. */
static inline char *
heard_in(struct ws_reader *reader, const struct wire *wire, size_t first, size_t step)
{
	char *text = NULL;
	size_t size = 0, at = 0;
	FILE *out = open_memstream(&text, &size);

	for (size_t piece = first; at < wire->len; piece = step) {
		size_t len = piece < wire->len - at ? piece : wire->len - at;
		char *data = malloc(len), *next = data;
		struct ws_event event;

		memcpy(data, wire->data + at, len);
		at += len;
		while (ws_read(reader, &next, &len, &event) != WS_NONE)
			note(out, &event);
		free(data);
	}
	fclose(out);
	return text;
}

#endif
