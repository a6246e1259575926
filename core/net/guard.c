/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Front guard: the state machine that takes bytes in.  The header block and the
 * lines of a chunked body are collected line by line, so that no byte is looked
 * at twice for a line end; a line is judged once it is whole, the fields once
 * the block is.  Everything is decided by counts and contents, never by how the
 * bytes came in.
 */
#include "net/guard_parts.h"

#include "base/must.h"

#include <stdlib.h>
#include <string.h>

/* Memory that a guard keeps for the next request, for each of its buffers. */
#define KEEP_MAX 4096

/* Most memory for a header block that is taken on the strength of the bytes that are there. */
#define HEAD_ROOM 2000

/* A robust server skips an empty line or two (RFC 9112, 2.2). */
#define EMPTY_LINES_MAX 2

enum state {
	STATE_START, /* the request line */
	STATE_FIELDS,
	STATE_BODY, /* of known length */
	STATE_CHUNK_SIZE,
	STATE_CHUNK_DATA,
	STATE_CHUNK_CR,
	STATE_CHUNK_LF,
	STATE_TRAILER,
	STATE_DONE,   /* GUARD_REQUEST was said */
	STATE_CLOSED, /* the last request of the connection is over */
	STATE_FAILED,
};

enum line {
	LINE_PART,
	LINE_WHOLE, /* CRLF included */
	LINE_BARE,  /* ends in LF alone */
	LINE_LONG,
	LINE_NO_MEMORY,
};

static const struct {
	int status;
	const char *code;
} codes[] = {
	{ 400, "BAD_REQUEST" },
	{ 408, "REQUEST_TIMEOUT" },
	{ 414, "URI_TOO_LONG" },
	{ 417, "EXPECTATION_FAILED" },
	{ 431, "HEADERS_TOO_LARGE" },
	{ 501, "NOT_IMPLEMENTED" },
	{ 503, "OVERLOADED" },
	{ 505, "HTTP_VERSION_NOT_SUPPORTED" },
};

/* Frees the bytes; the limit stays. */
static void
empty(struct buf *buf)
{
	size_t limit = buf->limit;

	buf_fini(buf);
	buf_init(buf, limit);
}

static void
free_memory(struct guard *guard)
{
	empty(&guard->head);
	empty(&guard->body);
	empty(&guard->line);
	free(guard->fields);
	guard->fields = NULL;
	guard->field_room = 0;
}

void
guard_init(struct guard *guard, const struct guard_limits *limits)
{
	*guard = (struct guard){ .limits = limits, .state = STATE_START };
	buf_init(&guard->head, 0);
	buf_init(&guard->body, limits->body_max); /* the last doubling stops there */
	buf_init(&guard->line, 0);
}

void
guard_fini(struct guard *guard)
{
	free_memory(guard);
}

enum guard_event
guard_fail(struct guard *guard, int status, const char *message)
{
	free_memory(guard);
	guard->request = (struct guard_request){ 0 };
	guard->state = STATE_FAILED;
	guard->error = (struct guard_error){ .status = status, .message = message };
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].status == status)
			guard->error.code = codes[i].code;
	MUST(guard->error.code != NULL);
	return GUARD_ERROR;
}

void
guard_expire(struct guard *guard)
{
	(void)guard_fail(guard, 408, "the request was not complete in time");
}

bool
guard_idle(const struct guard *guard)
{
	return guard->state == STATE_START && guard->head.len == 0;
}

void
guard_trim(struct guard *guard)
{
	if (guard_idle(guard))
		free_memory(guard);
}

/* Empties the buffer, and gives its memory back when it is more than a few kB. */
static void
recycle(struct buf *buf)
{
	if (buf->size > KEEP_MAX)
		empty(buf);
	else
		buf_clear(buf);
}

void
guard_next(struct guard *guard)
{
	MUST(guard->state == STATE_DONE);

	if (!guard->request.keep_alive) {
		free_memory(guard);
		guard->request = (struct guard_request){ 0 };
		guard->state = STATE_CLOSED;
		return;
	}
	recycle(&guard->head);
	recycle(&guard->body);
	recycle(&guard->line);
	*guard = (struct guard){
		.limits = guard->limits,
		.head = guard->head,
		.body = guard->body,
		.line = guard->line,
		.fields = guard->fields,
		.field_room = guard->field_room,
		.state = STATE_START,
	};
}

/* Moves bytes up to the next LF into `line`, `room` of them at most. */
static enum line
collect(struct buf *line, size_t room, const char *data, size_t len, size_t *used)
{
	const char *start = data + *used;
	size_t count = len - *used < room ? len - *used : room;
	const char *end = count > 0 ? memchr(start, '\n', count) : NULL;

	if (end != NULL)
		count = (size_t)(end - start) + 1;
	buf_put(line, start, count);
	*used += count;
	if (line->failed)
		return LINE_NO_MEMORY;
	if (end == NULL)
		return count == room ? LINE_LONG : LINE_PART;
	return line->len >= 2 && line->data[line->len - 2] == '\r' ? LINE_WHOLE : LINE_BARE;
}

/* The answer to a line that is not there: `status` and `message` are for one that is too long. */
static enum guard_event
line_error(struct guard *guard, enum line line, int status, const char *message)
{
	switch (line) {
	case LINE_PART:
		return GUARD_MORE;
	case LINE_BARE:
		return guard_fail(guard, 400, "a line ends in a bare line feed");
	case LINE_LONG:
		return guard_fail(guard, status, message);
	default:
		return guard_fail(guard, 503, "out of memory");
	}
}

static enum guard_event
finish(struct guard *guard)
{
	struct guard_request *request = &guard->request;

	request->body = guard->body.len > 0 ? (struct slice){ guard->body.data, guard->body.len }
					    : (struct slice){ "", 0 };
	guard->state = STATE_DONE;
	return GUARD_REQUEST;
}

/* The checks that come before 413 are not ours to make: hand over the request without its body. */
static enum guard_event
finish_too_large(struct guard *guard)
{
	empty(&guard->body);
	guard->request.body_too_large = true;
	guard->request.keep_alive = false;
	return finish(guard);
}

static enum guard_event
take_request_line(struct guard *guard, const char *data, size_t len, size_t *used)
{
	enum line line;

	if (guard->head.len == 0) {
		size_t rest = len - *used;
		char first = data[*used];

		/* Noise and the hello of TLS have no line end to wait for. */
		if (token_lower(first) == 0 && first != '\r' && first != '\n')
			return guard_fail(
			    guard, 400, "the request line does not begin with a method");

		/* Most often the whole block is here: make room once, not line by line. */
		(void)buf_room(&guard->head, rest < HEAD_ROOM ? rest : HEAD_ROOM);
	}

	line = collect(
	    &guard->head, guard->limits->request_line_max + 2 - guard->head.len, data, len, used);
	if (line != LINE_WHOLE)
		return line_error(guard, line, 414, "the request line is too long");
	if (guard->head.len == 2) {
		buf_clear(&guard->head);
		if (++guard->empty_lines > EMPTY_LINES_MAX)
			return guard_fail(guard, 400, "there are empty lines before the request");
		return GUARD_MORE;
	}
	guard->block_start = guard->head.len;
	guard->line_start = guard->head.len;
	guard->state = STATE_FIELDS;
	return guard_read_request_line(guard, guard->head.len - 2);
}

/* The header block is whole: judge it and see what is to follow. */
static enum guard_event
begin_body(struct guard *guard, bool body_is_here)
{
	if (guard_read_head(guard) == GUARD_ERROR)
		return GUARD_ERROR;
	if (guard->chunked) {
		guard->state = STATE_CHUNK_SIZE;
	} else {
		if (guard->body_left > guard->limits->body_max)
			return finish_too_large(guard);
		if (guard->body_left == 0)
			return finish(guard);
		guard->state = STATE_BODY;
	}
	return guard->expects && !body_is_here ? GUARD_CONTINUE : GUARD_MORE;
}

static enum guard_event
take_field(struct guard *guard, const char *data, size_t len, size_t *used)
{
	size_t block_len = guard->head.len - guard->block_start;
	enum line line =
	    collect(&guard->head, guard->limits->header_block_max - block_len, data, len, used);

	if (line != LINE_WHOLE)
		return line_error(guard, line, 431, "the header block is too long");
	if (guard->head.len - guard->line_start == 2)
		return begin_body(guard, *used < len);
	if (++guard->line_count > guard->limits->header_count_max)
		return guard_fail(guard, 431, "there are too many headers");
	guard->line_start = guard->head.len;
	return GUARD_MORE;
}

static enum guard_event
take_body(struct guard *guard, const char *data, size_t len, size_t *used)
{
	size_t count = len - *used;

	if (count > guard->body_left)
		count = (size_t)guard->body_left;
	buf_put(&guard->body, data + *used, count);
	if (guard->body.failed)
		return guard_fail(guard, 503, "out of memory");
	*used += count;
	guard->body_left -= count;
	if (guard->body_left > 0)
		return GUARD_MORE;
	if (!guard->chunked)
		return finish(guard);
	guard->state = STATE_CHUNK_CR;
	return GUARD_MORE;
}

static enum guard_event
take_chunk_size(struct guard *guard, const char *data, size_t len, size_t *used)
{
	const char *why;
	size_t extension;
	enum line line = collect(&guard->line, CHUNK_LINE_MAX - guard->line.len, data, len, used);

	if (line != LINE_WHOLE)
		return line_error(guard, line, 400, "a chunk size and its extensions are too long");

	why = guard_read_chunk_line(
	    (struct slice){ guard->line.data, guard->line.len - 2 }, &guard->body_left, &extension);
	if (why != NULL)
		return guard_fail(guard, 400, why);
	buf_clear(&guard->line);
	guard->extension_bytes += extension;
	if (guard->extension_bytes > CHUNK_EXTENSION_MAX)
		return guard_fail(guard, 400, "there are too many chunk extensions");
	if (guard->body_left > guard->limits->body_max - guard->body.len)
		return finish_too_large(guard);
	guard->state = guard->body_left > 0 ? STATE_CHUNK_DATA : STATE_TRAILER;
	return GUARD_MORE;
}

static enum guard_event
take_chunk_end(struct guard *guard, char c)
{
	if (c != (guard->state == STATE_CHUNK_CR ? '\r' : '\n'))
		return guard_fail(guard, 400, "a chunk is longer than its size");
	guard->state = guard->state == STATE_CHUNK_CR ? STATE_CHUNK_LF : STATE_CHUNK_SIZE;
	return GUARD_MORE;
}

/* Trailers are validated like headers and dropped: none may change what the request means. */
static enum guard_event
take_trailer(struct guard *guard, const char *data, size_t len, size_t *used)
{
	struct guard_header dropped;
	const char *why = NULL;
	size_t taken = guard->trailer_bytes + guard->line.len;
	enum line line =
	    collect(&guard->line, guard->limits->header_block_max - taken, data, len, used);

	if (line != LINE_WHOLE)
		return line_error(guard, line, 431, "the trailer section is too long");
	if (guard->line.len == 2)
		return finish(guard);
	if (++guard->line_count > guard->limits->header_count_max)
		return guard_fail(guard, 431, "there are too many headers and trailers");
	if (guard_read_field(guard->line.data, &dropped, &why) == NULL)
		return guard_fail(guard, 400, why);
	guard->trailer_bytes += guard->line.len;
	buf_clear(&guard->line);
	return GUARD_MORE;
}

static enum guard_event
step(struct guard *guard, const char *data, size_t len, size_t *used)
{
	switch ((enum state)guard->state) {
	case STATE_START:
		return take_request_line(guard, data, len, used);
	case STATE_FIELDS:
		return take_field(guard, data, len, used);
	case STATE_BODY:
	case STATE_CHUNK_DATA:
		return take_body(guard, data, len, used);
	case STATE_CHUNK_SIZE:
		return take_chunk_size(guard, data, len, used);
	case STATE_CHUNK_CR:
	case STATE_CHUNK_LF:
		return take_chunk_end(guard, data[(*used)++]);
	case STATE_TRAILER:
		return take_trailer(guard, data, len, used);
	case STATE_CLOSED:
		*used = len;
		return GUARD_MORE;
	default:
		return GUARD_ERROR;
	}
}

enum guard_event
guard_feed(struct guard *guard, const char *data, size_t len, size_t *consumed)
{
	enum guard_event event = guard->state == STATE_FAILED ? GUARD_ERROR : GUARD_MORE;
	size_t used = 0;

	MUST(guard->state != STATE_DONE);
	while (event == GUARD_MORE && used < len)
		event = step(guard, data, len, &used);
	*consumed = event == GUARD_ERROR ? len : used;
	return event;
}
