/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Front guard: the request line and what it asks for (RFC 9112, 3).  Only
 * origin-form, absolute-form and, for OPTIONS, "*" are served: this is no
 * proxy, so CONNECT and its authority-form are malformed here.
 */
#include "net/guard_parts.h"

#include <string.h>

#define VERSION_LEN 8 /* "HTTP/1.1" */

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

int
guard_hex(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool
guard_is_token(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (token_lower(text.data[i]) == 0)
			return false;
	return text.len > 0;
}

/* Whole escape at the start of the text? */
static bool
is_escape(const char *text, size_t len)
{
	return len >= 3 && guard_hex(text[1]) >= 0 && guard_hex(text[2]) >= 0;
}

/* Length of the IP-literal, brackets included, that the text begins with; 0 when it is none. */
static size_t
literal_len(struct slice text)
{
	size_t i = 1;

	while (i < text.len &&
	       (guard_hex(text.data[i]) >= 0 || text.data[i] == ':' || text.data[i] == '.'))
		i++;
	return i > 1 && i < text.len && text.data[i] == ']' ? i + 1 : 0;
}

/* Length of the reg-name or IPv4 address that the text begins with. */
static size_t
name_len(struct slice text)
{
	size_t i = 0;

	while (i < text.len) {
		if (char_is(text.data[i], CHAR_HOST))
			i++;
		else if (text.data[i] == '%' && is_escape(text.data + i, text.len - i))
			i += 3;
		else
			break;
	}
	return i;
}

bool
guard_is_host(struct slice text)
{
	size_t i;
	unsigned port = 0;

	if (text.len > 0 && text.data[0] == '[') {
		i = literal_len(text);
		if (i == 0)
			return false;
	} else {
		i = name_len(text);
	}
	if (i == text.len)
		return true;
	if (i == 0 || text.data[i] != ':')
		return false;
	while (++i < text.len) {
		if (!is_digit(text.data[i]))
			return false;
		port = port * 10 + (unsigned)(text.data[i] - '0');
		if (port > 65535)
			return false;
	}
	return true;
}

/* NULL when the path is valid, else why not. */
static const char *
check_path(struct slice path)
{
	size_t i = 0;

	while (i < path.len) {
		const char *at = path.data + i;

		if (char_is(*at, CHAR_PATH)) {
			i++;
		} else if (*at != '%') {
			return "the path holds a character that has to be escaped";
		} else if (!is_escape(at, path.len - i)) {
			return "the path holds a '%' without two hexadecimal digits behind it";
		} else if (at[1] == '0' && at[2] == '0') {
			return "the path holds an escaped NUL";
		} else {
			i += 3;
		}
	}
	return NULL;
}

static const char *
check_query(struct slice query)
{
	for (size_t i = 0; i < query.len; i++)
		if (!char_is(query.data[i], CHAR_QUERY))
			return "the query holds a character that has to be escaped";
	return NULL;
}

const char *
guard_check_target(struct slice path, struct slice query)
{
	const char *why;

	if (path.len == 0 || path.data[0] != '/')
		return "the path does not begin with a slash";
	why = check_path(path);
	return why != NULL ? why : check_query(query);
}

size_t
guard_decode_path(struct slice path, char *out)
{
	size_t len = 0;

	for (size_t i = 0; i < path.len; i++) {
		char c = path.data[i];

		if (c == '%') {
			c = (char)(guard_hex(path.data[i + 1]) << 4 | guard_hex(path.data[i + 2]));
			i += 2;
		}
		out[len++] = c;
	}
	return len;
}

/* Length of "http://" or "https://" at the start of the target, 0 for anything else. */
static size_t
scheme_len(struct slice target)
{
	if (target.len >= 7 && text_equal_nocase(target.data, 7, "http://", 7))
		return 7;
	if (target.len >= 8 && text_equal_nocase(target.data, 8, "https://", 8))
		return 8;
	return 0;
}

/* Absolute-form: sets the authority and leaves what follows it in `*target`. */
static const char *
read_authority(struct guard *guard, struct guard_span *target)
{
	char *text = guard->head.data + target->at;
	size_t scheme = scheme_len((struct slice){ text, target->len });
	size_t end = scheme;

	if (scheme == 0)
		return "the target is neither a path nor an http address";
	while (end < target->len && text[end] != '/' && text[end] != '?')
		end++;
	if (end == scheme || !guard_is_host((struct slice){ text + scheme, end - scheme }))
		return "the host of the target is malformed";

	guard->authority.at = target->at + (uint32_t)scheme;
	guard->authority.len = (uint32_t)(end - scheme);
	target->at += (uint32_t)end;
	target->len -= (uint32_t)end;
	if (target->len == 0 || text[end] == '?') {
		/* An empty path means "/", and "*" in OPTIONS (RFC 9112, 3.2.4): the last
		 * slash before the authority, needed no more, lends its place. */
		guard->path.at = guard->authority.at - 1;
		guard->path.len = 1;
		if (target->len == 0 && guard->method.len == 7 &&
		    memcmp(guard->head.data + guard->method.at, "OPTIONS", 7) == 0)
			text[scheme - 1] = '*';
	}
	return NULL;
}

const char *
guard_read_target(struct guard *guard, struct guard_span target)
{
	const char *text = guard->head.data + target.at;
	const char *why;

	if (target.len == 1 && text[0] == '*') {
		guard->path = target;
		return guard->method.len == 7 &&
			       memcmp(guard->head.data + guard->method.at, "OPTIONS", 7) == 0
			   ? NULL
			   : "only OPTIONS may have the target \"*\"";
	}
	if (text[0] != '/') {
		why = read_authority(guard, &target);
		if (why != NULL)
			return why;
		text = guard->head.data + target.at;
	}

	const char *mark = target.len > 0 ? memchr(text, '?', target.len) : NULL;
	size_t path_len = mark != NULL ? (size_t)(mark - text) : target.len;

	if (path_len > 0) {
		guard->path.at = target.at;
		guard->path.len = (uint32_t)path_len;
	}
	why = check_path((struct slice){ text, path_len });
	if (why != NULL || mark == NULL)
		return why;

	guard->has_query = true;
	guard->query.at = target.at + (uint32_t)path_len + 1;
	guard->query.len = target.len - (uint32_t)path_len - 1;
	return check_query((struct slice){ mark + 1, guard->query.len });
}

/* 0 with `*minor` set, 400 when it is no version, 505 when it is another one. */
static int
read_version(const char *text, size_t len, int *minor)
{
	if (len != VERSION_LEN || memcmp(text, "HTTP/", 5) != 0 || !is_digit(text[5]) ||
	    text[6] != '.' || !is_digit(text[7]))
		return 400;
	if (text[5] != '1' || text[7] > '1')
		return 505;
	*minor = text[7] - '0';
	return 0;
}

enum guard_event
guard_read_request_line(struct guard *guard, size_t len)
{
	const char *line = guard->head.data;
	struct guard_span target;
	size_t at = 0;

	while (at < len && token_lower(line[at]) != 0)
		at++;
	if (at == 0 || at == len || line[at] != ' ')
		return guard_fail(guard, 400, "the request line does not begin with a method");
	guard->method.at = 0;
	guard->method.len = (uint32_t)at;

	target.at = (uint32_t)at + 1;
	const char *end = memchr(line + target.at, ' ', len - target.at);
	if (end == NULL || end == line + target.at)
		return guard_fail(guard, 400, "the request line lacks a target or a version");
	target.len = (uint32_t)(end - line) - target.at;

	/* The version first: the preface of HTTP/2 has a target that is none. */
	switch (read_version(end + 1, len - (size_t)(end + 1 - line), &guard->request.minor)) {
	case 400:
		return guard_fail(guard, 400, "the request line does not end in a version");
	case 505:
		return guard_fail(guard, 505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
	default:
		break;
	}
	if (at == 7 && memcmp(line, "CONNECT", 7) == 0)
		return guard_fail(guard, 400, "this server is no proxy");

	const char *why = guard_read_target(guard, target);
	return why == NULL ? GUARD_MORE : guard_fail(guard, 400, why);
}
