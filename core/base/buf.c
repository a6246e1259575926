/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sticky buffer.  While it owns memory there is always one byte to spare behind
 * the data, so that buf_text needs no allocation and cannot fail.
 */
#include "base/buf.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 256

void
buf_init(struct buf *buf, size_t limit)
{
	*buf = (struct buf){ .limit = limit };
}

void
buf_fini(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf){ 0 };
}

void
buf_clear(struct buf *buf)
{
	buf->len = 0;
	buf->failed = false;
}

static void
give_up(struct buf *buf)
{
	free(buf->data);
	buf->data = NULL;
	buf->len = 0;
	buf->size = 0;
	buf->failed = true;
}

/* Makes the memory hold `len` more bytes and the spare one. */
static bool
enlarge(struct buf *buf, size_t len)
{
	size_t size = buf->size == 0 ? FIRST_SIZE : buf->size;
	size_t needed;
	char *data;

	if (len > PTRDIFF_MAX - 1 - buf->len) {
		give_up(buf);
		return false;
	}
	needed = buf->len + len + 1;
	while (size < needed)
		size = size > PTRDIFF_MAX / 2 ? needed : size * 2;
	if (buf->limit != 0 && size > buf->limit && buf->limit < PTRDIFF_MAX)
		size = buf->limit + 1; /* never more than it may use; `needed` is within */
	data = realloc(buf->data, size);
	if (data == NULL) {
		give_up(buf);
		return false;
	}
	buf->data = data;
	buf->size = size;
	return true;
}

/* A failed buffer has no memory, so every write to it comes here. */
char *
buf_grow(struct buf *buf, size_t len)
{
	if (buf->failed)
		return NULL;
	if (buf->limit != 0 && len > buf->limit - buf->len) {
		give_up(buf);
		return NULL;
	}
	if (len >= buf->size - buf->len && !enlarge(buf, len))
		return NULL;
	return buf->data + buf->len;
}

void
buf_puts(struct buf *buf, const char *text)
{
	buf_put(buf, text, strlen(text));
}

void
buf_put_int(struct buf *buf, int64_t value)
{
	char text[TEXT_INT64_MAX];

	buf_put(buf, text, text_from_int64(value, text));
}

void
buf_printf(struct buf *buf, const char *format, ...)
{
	char small[256];
	va_list args;
	char *room;
	int len;

	va_start(args, format);
	len = vsnprintf(small, sizeof small, format, args);
	va_end(args);
	if (len < 0) {
		give_up(buf);
		return;
	}
	if ((size_t)len < sizeof small) {
		buf_put(buf, small, (size_t)len);
		return;
	}

	room = buf_room(buf, (size_t)len);
	if (room == NULL)
		return;
	va_start(args, format);
	(void)vsnprintf(room, (size_t)len + 1, format, args); /* its NUL takes the spare byte */
	va_end(args);
	buf->len += (size_t)len;
}

const char *
buf_text(struct buf *buf)
{
	if (buf->failed || buf->data == NULL)
		return "";
	buf->data[buf->len] = '\0';
	return buf->data;
}
