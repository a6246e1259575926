/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CORS (fetch standard) and OPTIONS.  An origin of the list is echoed and may
 * send credentials; with "*" any origin may call, without them (wire contract,
 * section 1).  The headers are on errors too, or a browser would hide them.
 */
#include "http/internal.h"

#include <string.h>

static bool
is_word(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = words + strspn(words, " \t"); *at != '\0';) {
		size_t at_len = strcspn(at, " \t");

		if (at_len == len && memcmp(at, word, len) == 0)
			return true;
		at += at_len;
		at += strspn(at, " \t");
	}
	return false;
}

const char *
cors_origin(const struct http_request *request)
{
	const char *allowed = request->http->http->settings.cors_origins;
	const char *origin;

	if (*allowed == '\0')
		return NULL;
	origin = message_header(&request->message, "origin");
	if (origin == NULL || *origin == '\0' || strcmp(origin, "*") == 0)
		return NULL;
	if (is_word(allowed, origin))
		return origin;
	return is_word(allowed, "*") ? "*" : NULL;
}

void
cors_write(const struct http_request *request, struct buf *head)
{
	const char *origin = cors_origin(request);

	if (origin == NULL)
		return;
	buf_puts(head, "Access-Control-Allow-Origin: ");
	buf_puts(head, origin);
	buf_put(head, "\r\n", 2);
	if (strcmp(origin, "*") != 0)
		buf_puts(head, "Access-Control-Allow-Credentials: true\r\nVary: Origin\r\n");
	buf_puts(
	    head, "Access-Control-Expose-Headers: X-Request-Id, Retry-After, WWW-Authenticate\r\n");
}

void
answer_options(struct http_request *request)
{
	const char *method = message_header(&request->message, "access-control-request-method");

	answer_header(request, "Allow", request->path->allow);
	if (method != NULL && cors_origin(request) != NULL) {
		answer_header(request, "Access-Control-Allow-Methods", request->path->allow);
		answer_header(request, "Access-Control-Allow-Headers",
		    "Authorization, Content-Type, X-Request-Id");
		answer_header(request, "Access-Control-Max-Age", "600");
	}
	answer_empty(request, 204);
}
