/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slices and the sticky buffer of the codecs.
 */
#include "text.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 128

struct slice
slice_of_uint(uint64_t value, char out[SLICE_UINT_SIZE])
{
	size_t at = SLICE_UINT_SIZE;

	do {
		out[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	return (struct slice){ out + at, SLICE_UINT_SIZE - at };
}

void
text_init(struct text *text, size_t limit)
{
	*text = (struct text){ .limit = limit };
}

void
text_fini(struct text *text)
{
	free(text->data);
	text_init(text, text->limit);
}

void
text_clear(struct text *text)
{
	text->len = 0;
	text->failed = false;
}

static char *
give_up(struct text *text)
{
	text->len = 0;
	text->failed = true;
	return NULL;
}

char *
text_room(struct text *text, size_t len)
{
	size_t most = text->limit > 0 ? text->limit : SIZE_MAX / 2;
	size_t size;
	char *data;

	if (text->failed)
		return NULL;
	if (text->len > most || len > most - text->len)
		return give_up(text);
	/* Also for no bytes at all, so that NULL always means failure. */
	if (text->data != NULL && len <= text->size - text->len)
		return text->data + text->len;

	size = text->size > SIZE_MAX / 4 ? SIZE_MAX / 2 : text->size * 2;
	if (size < FIRST_SIZE)
		size = FIRST_SIZE;
	if (size < text->len + len)
		size = text->len + len;
	data = realloc(text->data, size);
	if (data == NULL)
		return give_up(text);
	text->data = data;
	text->size = size;
	return data + text->len;
}

void
text_put(struct text *text, const void *data, size_t len)
{
	char *room = len > 0 ? text_room(text, len) : NULL;

	if (room == NULL)
		return;
	memcpy(room, data, len);
	text->len += len;
}

void
text_puts(struct text *text, const char *string)
{
	text_put(text, string, strlen(string));
}

void
text_putc(struct text *text, char c)
{
	text_put(text, &c, 1);
}

void
text_put_slice(struct text *text, struct slice slice)
{
	text_put(text, slice.data, slice.len);
}

void
text_put_uint(struct text *text, uint64_t value)
{
	char digits[SLICE_UINT_SIZE];

	text_put_slice(text, slice_of_uint(value, digits));
}

/* One character that JSON does not allow as it is. */
static void
put_escaped(struct text *text, char c)
{
	static const char hex[] = "0123456789abcdef";
	char code[] = "\\u0000";

	if (c == '"' || c == '\\') {
		text_putc(text, '\\');
		text_putc(text, c);
		return;
	}
	code[4] = hex[(unsigned char)c >> 4];
	code[5] = hex[(unsigned char)c & 0xf];
	text_puts(text, code);
}

void
text_put_json_string(struct text *text, struct slice slice)
{
	size_t from = 0, i;

	text_putc(text, '"');
	for (i = 0; i < slice.len; i++) {
		unsigned char c = (unsigned char)slice.data[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		text_put(text, slice.data + from, i - from);
		put_escaped(text, slice.data[i]);
		from = i + 1;
	}
	if (slice.len > from)
		text_put(text, slice.data + from, slice.len - from);
	text_putc(text, '"');
}

/* Whether the character that begins at `data` is whole and allowed; its length. */
static size_t
character_len(const unsigned char *data, size_t len)
{
	unsigned char low = 0x80, high = 0xbf; /* of the second byte */
	size_t need, i;

	if (data[0] < 0x80)
		return 1;
	if (data[0] < 0xc2 || data[0] > 0xf4)
		return 0;
	need = data[0] < 0xe0 ? 2 : data[0] < 0xf0 ? 3 : 4;
	if (data[0] == 0xe0)
		low = 0xa0; /* else overlong */
	else if (data[0] == 0xed)
		high = 0x9f; /* else a surrogate */
	else if (data[0] == 0xf0)
		low = 0x90; /* else overlong */
	else if (data[0] == 0xf4)
		high = 0x8f; /* else over U+10FFFF */
	if (len < need || data[1] < low || data[1] > high)
		return 0;
	for (i = 2; i < need; i++)
		if ((data[i] & 0xc0) != 0x80)
			return 0;
	return need;
}

bool
text_is_utf8(const char *data, size_t len)
{
	size_t i = 0;

	while (i < len) {
		size_t step = character_len((const unsigned char *)data + i, len - i);

		if (step == 0)
			return false;
		i += step;
	}
	return true;
}
