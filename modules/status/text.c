/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text that grows; text.h says how it is used.
 */
#include "text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 1024, LINE_MAX_BYTES = 512 };

static bool
reserve(struct text *text, size_t more)
{
	size_t capacity = text->capacity != 0 ? text->capacity : FIRST_CAPACITY;
	char *data;

	if (text->failed)
		return false;
	if (more <= text->capacity - text->len)
		return true;
	while (capacity - text->len < more && capacity < SIZE_MAX / 2)
		capacity *= 2;
	data = realloc(text->data, capacity);
	if (data == NULL || capacity - text->len < more) {
		text->data = data != NULL ? data : text->data;
		text->failed = true;
		return false;
	}
	text->data = data;
	text->capacity = capacity;
	return true;
}

void
text_put(struct text *text, const char *data, size_t len)
{
	if (len == 0 || !reserve(text, len))
		return;
	memcpy(text->data + text->len, data, len);
	text->len += len;
}

void
text_puts(struct text *text, const char *data)
{
	text_put(text, data, strlen(data));
}

void
text_printf(struct text *text, const char *format, ...)
{
	char line[LINE_MAX_BYTES];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(line))
		text->failed = true; /* only short, bounded pieces are formatted */
	else
		text_put(text, line, (size_t)len);
}

void
text_escape(struct text *text, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		switch (data[i]) {
		case '&':
			text_puts(text, "&amp;");
			break;
		case '<':
			text_puts(text, "&lt;");
			break;
		case '>':
			text_puts(text, "&gt;");
			break;
		case '"':
			text_puts(text, "&quot;");
			break;
		default:
			text_put(text, &data[i], 1);
		}
	}
}

void
text_escapes(struct text *text, const char *data)
{
	text_escape(text, data, strlen(data));
}

void
text_free(struct text *text)
{
	free(text->data);
	*text = (struct text){ 0 };
}
