/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sticky buffer: grows as it is written and keeps the first failure, so that a
 * writer checks once at the end.  After a failure it holds nothing and ignores
 * what comes.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/must.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buf {
	char *data;   /* owned; NULL while empty; not NUL-terminated (see buf_text) */
	size_t len;   /* bytes written */
	size_t size;  /* bytes allocated */
	size_t limit; /* most bytes it may hold, 0 = no limit */
	bool failed;  /* out of memory or over the limit */
};

/* In place; allocates nothing yet. */
void buf_init(struct buf *buf, size_t limit);

/* Frees the bytes; the buffer may be used again after buf_init. */
void buf_fini(struct buf *buf);

/* Forgets the bytes and the failure, keeps the memory. */
void buf_clear(struct buf *buf);

/* buf_room where the memory is not enough yet; not for callers. */
char *buf_grow(struct buf *buf, size_t len);

/* Room for `len` more bytes at the end, which the caller fills and then counts with buf_wrote; NULL
 * once failed. */
static inline char *
buf_room(struct buf *buf, size_t len)
{
	if (__builtin_expect(len >= buf->size - buf->len, 0))
		return buf_grow(buf, len);
	return buf->data + buf->len;
}

static inline void
buf_wrote(struct buf *buf, size_t len)
{
	if (buf->failed)
		return;
	MUST(len == 0 || len < buf->size - buf->len);
	buf->len += len;
}

static inline void
buf_put(struct buf *buf, const void *data, size_t len)
{
	char *room;

	if (len == 0)
		return; /* either pointer may be NULL */
	room = buf_room(buf, len);
	if (room == NULL)
		return;
	memcpy(room, data, len);
	buf->len += len;
}

static inline void
buf_putc(struct buf *buf, char c)
{
	char *room = buf_room(buf, 1);

	if (room == NULL)
		return;
	*room = c;
	buf->len++;
}

void buf_puts(struct buf *buf, const char *text);
void buf_put_int(struct buf *buf, int64_t value);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The bytes with a NUL behind them, borrowed until the next write; "" once failed or empty. */
const char *buf_text(struct buf *buf);

#endif
