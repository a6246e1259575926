/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The request as it was sent, copied out of the guard into the context's
 * arena: a context outlives its connection, and the guard is at once ready for
 * the next request.
 */
#include "http/internal.h"

#include <string.h>

/* Copies to *at, with a NUL behind, and moves *at on. */
static struct slice
put(char **at, struct slice from)
{
	struct slice copy = { *at, from.len };

	if (from.len > 0)
		memcpy(*at, from.data, from.len);
	(*at)[from.len] = '\0';
	*at += from.len + 1;
	return copy;
}

int
message_copy(struct message *message, struct arena *arena, const struct guard_request *from)
{
	size_t text = from->method.len + from->path.len + from->query.len + from->body.len + 4;
	struct http_header *headers = arena_alloc(arena, from->header_count * sizeof(*headers));
	char *at;

	for (size_t i = 0; i < from->header_count; i++)
		text += from->headers[i].name.len + from->headers[i].value.len + 2;
	at = arena_alloc(arena, text);
	if (headers == NULL || at == NULL)
		return -1;
	message->method = put(&at, from->method);
	message->path = put(&at, from->path);
	message->query = put(&at, from->query);
	if (from->query.data == NULL)
		message->query.data = NULL;
	message->body = put(&at, from->body);
	for (size_t i = 0; i < from->header_count; i++) {
		headers[i].name = put(&at, from->headers[i].name).data;
		headers[i].value = put(&at, from->headers[i].value).data;
	}
	message->headers = headers;
	message->header_count = (uint32_t)from->header_count;
	message->minor = from->minor;
	message->keep_alive = from->keep_alive;
	message->upgrade = from->upgrade;
	message->body_too_large = from->body_too_large;
	return 0;
}

const char *
message_header(const struct message *message, const char *name)
{
	for (uint32_t i = 0; i < message->header_count; i++)
		if (strcmp(message->headers[i].name, name) == 0)
			return message->headers[i].value;
	return NULL;
}
