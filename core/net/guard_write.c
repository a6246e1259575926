/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Front guard: what is read from a request, and how it is written down for a
 * parser that is not to be trusted with anything surprising.
 */
#include "net/guard.h"

#include "base/must.h"

#include <string.h>

/* Settled by the guard, or written anew. */
static const char *const left_out[] = {
	"connection",
	"content-length",
	"expect",
	"host",
	"http2-settings",
	"keep-alive",
	"proxy-connection",
	"te",
	"trailer",
	"transfer-encoding",
	"upgrade",
};

static bool
is_left_out(struct slice name)
{
	for (size_t i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++)
		if (left_out[i][0] == name.data[0] && slice_is(name, left_out[i]))
			return true;
	return false;
}

const struct guard_header *
guard_header(const struct guard_request *request, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < request->header_count; i++) {
		const struct guard_header *header = &request->headers[i];

		if (header->name.len == len && memcmp(header->name.data, name, len) == 0)
			return header;
	}
	return NULL;
}

/* Most bytes that the clean form can have. */
static size_t
clean_max(const struct guard_request *request)
{
	size_t len =
	    request->method.len + request->path.len + request->query.len + request->host.len;

	for (size_t i = 0; i < request->header_count; i++)
		len += request->headers[i].name.len + request->headers[i].value.len + 4;
	return len +
	       sizeof(
		   " ? HTTP/1.1\r\nhost: \r\nconnection: keep-alive\r\ncontent-length: \r\n\r\n") +
	       TEXT_INT64_MAX;
}

/* Copies and steps on; the room was made by guard_write_clean. */
static char *
put(char *to, struct slice text)
{
	memcpy(to, text.data, text.len);
	return to + text.len;
}

static char *
put_text(char *to, const char *text)
{
	return put(to, slice_of(text));
}

static char *
put_header(char *to, struct slice name, struct slice value)
{
	to = put_text(put(to, name), ": ");
	return put_text(put(to, value), "\r\n");
}

void
guard_write_clean(const struct guard_request *request, struct buf *out)
{
	size_t room = clean_max(request);
	char *start = buf_room(out, room);
	char *to = start;

	if (start == NULL)
		return;
	to = put_text(put(to, request->method), " ");
	to = put(to, request->path);
	if (request->query.data != NULL)
		to = put(put_text(to, "?"), request->query);
	to = put_text(to, request->minor == 0 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");

	/* An empty Host is written too: HTTP/1.1 wants one. */
	if (request->host.len > 0 || request->minor > 0)
		to = put_header(to, slice_of("host"), request->host);
	for (size_t i = 0; i < request->header_count; i++)
		if (!is_left_out(request->headers[i].name))
			to = put_header(to, request->headers[i].name, request->headers[i].value);
	to = put_header(
	    to, slice_of("connection"), slice_of(request->keep_alive ? "keep-alive" : "close"));
	to = put_text(to, "content-length: ");
	to += text_from_int64((int64_t)request->body.len, to);
	to = put_text(to, "\r\n\r\n");

	MUST((size_t)(to - start) <= room);
	buf_wrote(out, (size_t)(to - start));
}
