/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frame reader: the same bytes whole and in pieces must give the same events,
 * within the limits.  First byte: compression and size of the pieces.
 */
#include "base/must.h"
#include "ws/frame.h"
#include "ws/utf8.h"

#include <stdlib.h>
#include <string.h>

#define LIMIT 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What was heard, folded into one number, and how often. */
struct heard {
	uint64_t sum;
	size_t events;
};

static void
fold(struct heard *heard, const void *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		heard->sum = (heard->sum ^ ((const uint8_t *)data)[i]) * UINT64_C(0x100000001b3);
}

static void
check(const struct ws_event *event)
{
	uint8_t utf8 = WS_UTF8_START;
	bool is_message = event->type == WS_TEXT || event->type == WS_BINARY;

	MUST(event->data != NULL);
	MUST(event->len <= (is_message ? LIMIT : WS_CONTROL_MAX));
	MUST(is_message || !event->compressed);
	if (event->type == WS_CLOSE)
		MUST(event->code == WS_CLOSE_NO_STATUS || ws_close_code_valid(event->code));
	if (event->type == WS_ERROR)
		MUST(ws_close_code_valid(event->code));
	if ((event->type == WS_TEXT && !event->compressed) || event->type == WS_CLOSE)
		MUST(ws_utf8_check(&utf8, event->data, event->len) && utf8 == WS_UTF8_START);
}

static struct heard
hear(const uint8_t *data, size_t len, bool rsv1, size_t step)
{
	struct heard heard = { .sum = UINT64_C(0xcbf29ce484222325) };
	struct ws_reader reader;
	bool ended = false;

	ws_reader_init(&reader, LIMIT, rsv1);
	while (len > 0) {
		size_t piece = step < len ? step : len, left = piece;
		char *bytes = malloc(piece), *next = bytes;
		struct ws_event event;

		MUST(bytes != NULL);
		memcpy(bytes, data, piece);
		while (ws_read(&reader, &next, &left, &event) != WS_NONE) {
			MUST(!ended);
			ended = event.type == WS_CLOSE || event.type == WS_ERROR;
			check(&event);
			fold(&heard, &event.type, sizeof(event.type));
			fold(&heard, &event.code, sizeof(event.code));
			fold(&heard, event.data, event.len);
			heard.events++;
		}
		MUST(left == 0 && next == bytes + piece);
		MUST(reader.fragments > 0 || reader.message == NULL || ended || reader.left > 0);
		free(bytes);
		data += piece;
		len -= piece;
	}
	ws_reader_fini(&reader);
	return heard;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct heard whole, cut;

	if (len < 2)
		return 0;
	whole = hear(data + 1, len - 1, (data[0] & 1) != 0, len);
	cut = hear(data + 1, len - 1, (data[0] & 1) != 0, (data[0] >> 1) + 1u);
	MUST(whole.sum == cut.sum && whole.events == cut.events);
	return 0;
}
