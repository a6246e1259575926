/* SPDX-License-Identifier: Apache-2.0 */
/*
 * permessage-deflate: the bytes as a header's value, as a compressed message,
 * and as a message to compress, which must come back.  First byte: which
 * window, whether text.
 */
#include "base/must.h"
#include "ws/deflate.h"
#include "ws/extension.h"
#include "ws/utf8.h"

#include <stdlib.h>
#include <string.h>

#define LIMIT 40000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
negotiate(const uint8_t *data, size_t len)
{
	char *value = malloc(len + 1), answer[WS_EXTENSION_SIZE];
	struct ws_agreed agreed = { 0 }, again = { 0 };

	MUST(value != NULL);
	memcpy(value, data, len);
	value[len] = '\0';
	if (ws_extension_negotiate(value, &agreed) && agreed.window_bits != 0) {
		/* The answer is an offer that means the same. */
		MUST(agreed.window_bits >= 9 && agreed.window_bits <= 15);
		ws_extension_answer(&agreed, answer);
		MUST(ws_extension_negotiate(answer, &again));
		MUST(again.window_bits == agreed.window_bits &&
		     again.window_asked == agreed.window_asked);
	}
	free(value);
}

static void
check(const struct ws_event *event, bool is_text)
{
	uint8_t utf8 = WS_UTF8_START;

	MUST(event->data != NULL && !event->compressed);
	if (event->type == WS_ERROR) {
		MUST(event->code == WS_CLOSE_INVALID_DATA || event->code == WS_CLOSE_TOO_BIG);
		return;
	}
	MUST(event->type == (is_text ? WS_TEXT : WS_BINARY) && event->len <= LIMIT);
	if (is_text)
		MUST(ws_utf8_check(&utf8, event->data, event->len) && utf8 == WS_UTF8_START);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct ws_deflate *streams;
	unsigned bits;
	bool is_text;
	struct ws_event event;
	char *packed;

	if (len < 1)
		return 0;
	if (streams == NULL)
		streams = ws_deflate_new();
	MUST(streams != NULL);
	bits = 9 + (data[0] >> 1) % 7u;
	is_text = (data[0] & 1) != 0;
	data++;
	len--;
	negotiate(data, len);

	event = (struct ws_event){ .type = is_text ? WS_TEXT : WS_BINARY,
		.compressed = true,
		.data = (const char *)data,
		.len = len };
	ws_inflate_message(streams, LIMIT, &event);
	check(&event, is_text);
	ws_inflate_done(streams);

	packed = malloc(len + 100);
	MUST(packed != NULL);
	event = (struct ws_event){ .type = WS_BINARY, .compressed = true, .data = packed };
	event.len = ws_deflate_message(streams, bits, data, len, packed, len + 100);
	if (event.len > 0) {
		ws_inflate_message(streams, (uint32_t)len, &event);
		MUST(event.type == WS_BINARY && event.len == len);
		MUST(memcmp(event.data, data, len) == 0);
		ws_inflate_done(streams);
	}
	free(packed);
	return 0;
}
