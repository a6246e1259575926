/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers of HTTP servers: see response.h.
 */
#include "response.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct head {
	size_t len; /* with the empty line */
	size_t content_length;
	bool has_length, chunked;
};

/* The value of a field when the line is this field, else NULL. */
static const char *
value_of(const char *line, const char *name)
{
	size_t len = strlen(name);

	if (strncasecmp(line, name, len) != 0)
		return NULL;
	return line + len + strspn(line + len, " \t");
}

/* The head is followed by bytes that end every search in it. */
static void
read_fields(const char *at, const char *end, struct head *head, struct response *out)
{
	for (; at < end; at = (const char *)memchr(at, '\n', (size_t)(end - at)) + 1) {
		const char *value;

		if ((value = value_of(at, "content-length:")) != NULL) {
			head->content_length = strtoull(value, NULL, 10);
			head->has_length = true;
		} else if ((value = value_of(at, "transfer-encoding:")) != NULL) {
			head->chunked = strncasecmp(value, "chunked", 7) == 0;
		} else if ((value = value_of(at, "connection:")) != NULL) {
			out->close = strncasecmp(value, "close", 5) == 0;
		}
	}
}

static enum response_read
read_head(const char *bytes, size_t len, struct head *head, struct response *out)
{
	const char *end = memmem(bytes, len, "\r\n\r\n", 4);
	const char *line;

	if (end == NULL)
		return RESPONSE_INCOMPLETE;
	if (strncmp(bytes, "HTTP/1.1 ", 9) != 0)
		return RESPONSE_WRONG;
	head->len = (size_t)(end - bytes) + 4;
	out->status = (int)strtol(bytes + 9, NULL, 10);
	line = (const char *)memchr(bytes, '\n', head->len) + 1;
	read_fields(line, end + 2, head, out);
	return RESPONSE_READ;
}

/* Walks over the chunks, moving them together when `join` is set.  Trailers are not expected. */
static enum response_read
walk_chunks(char *body, size_t len, bool join, size_t *total)
{
	size_t at = 0;

	*total = 0;
	for (;;) {
		const char *line = memmem(body + at, len - at, "\r\n", 2);
		size_t size;
		char *end;

		if (line == NULL)
			return RESPONSE_INCOMPLETE;
		size = strtoull(body + at, &end, 16);
		if (end == body + at)
			return RESPONSE_WRONG;
		at = (size_t)(line - body) + 2;
		if (len - at < 2 || size > len - at - 2)
			return RESPONSE_INCOMPLETE;
		if (size == 0)
			return RESPONSE_READ;
		if (join)
			memmove(body + *total, body + at, size);
		*total += size;
		at += size + 2;
	}
}

enum response_read
response_read(char *bytes, size_t len, struct response *out)
{
	struct head head = { 0 };
	enum response_read status;

	*out = (struct response){ 0 };
	status = read_head(bytes, len, &head, out);
	if (status != RESPONSE_READ)
		return status;
	out->body = bytes + head.len;
	out->body_len = head.content_length;
	if (head.chunked) {
		status = walk_chunks(bytes + head.len, len - head.len, false, &out->body_len);
		if (status == RESPONSE_READ)
			(void)walk_chunks(bytes + head.len, len - head.len, true, &out->body_len);
		return status;
	}
	if (!head.has_length)
		return out->status == 204 || out->status == 304 ? RESPONSE_READ : RESPONSE_WRONG;
	return len - head.len < head.content_length ? RESPONSE_INCOMPLETE : RESPONSE_READ;
}
