/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Front guard: the header fields, and what they say about the length of the
 * body and the life of the connection (RFC 9112, 5, 6 and 9; RFC 9110, 7.6 and
 * 10.1).  Wherever two readers could come to different lengths the message is
 * refused.
 */
#include "net/guard_parts.h"

#include <stdlib.h>
#include <string.h>

/* The fields that concern the guard, and what their values amount to. */
struct head_facts {
	struct guard_header *host;
	struct guard_header *length;
	struct guard_header *type;
	size_t codings; /* transfer codings, all fields together */
	size_t chunked; /* how many of them are "chunked" */
	bool chunked_last;
	bool other_expectation;
	bool close;
	bool persist;    /* Connection: keep-alive */
	bool switching;  /* Connection: upgrade */
	bool web_socket; /* Upgrade: websocket */
};

static const char *
name_error(const char *line, const char *at)
{
	if (at == line && (*at == ' ' || *at == '\t'))
		return "a header line begins with a blank (folding is not allowed)";
	if (at == line && *at == ':')
		return "a header has no name";
	if (*at == ' ' || *at == '\t')
		return "a header name is followed by a blank";
	if (*at == '\r')
		return "a header line has no colon";
	return "a header name holds a character that is not allowed there";
}

char *
guard_read_field(char *line, struct guard_header *out, const char **why)
{
	char *at = line;
	char lower;

	while ((lower = token_lower(*at)) != 0)
		*at++ = lower;
	if (at == line || *at != ':') {
		*why = name_error(line, at);
		return NULL;
	}
	out->name = (struct slice){ line, (size_t)(at - line) };

	do
		at++;
	while (*at == ' ' || *at == '\t');

	char *start = at;
	while (char_is(*at, CHAR_VALUE))
		at++;
	if (at[0] != '\r' || at[1] != '\n') {
		*why = "a header value holds a control character";
		return NULL;
	}
	char *end = at;
	while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	out->value = (struct slice){ start, (size_t)(end - start) };
	return at + 2;
}

/* Takes the next element, trimmed, off a list of tokens; false once the list is used up. */
static bool
next_element(struct slice *list, struct slice *element)
{
	if (list->data == NULL)
		return false;

	const char *comma = list->len > 0 ? memchr(list->data, ',', list->len) : NULL;
	size_t len = comma != NULL ? (size_t)(comma - list->data) : list->len;

	*element = slice_trim((struct slice){ list->data, len });
	list->data = comma != NULL ? comma + 1 : NULL;
	list->len = comma != NULL ? list->len - len - 1 : 0;
	return true;
}

static const char *
read_connection(struct head_facts *facts, struct slice list)
{
	struct slice option;

	while (next_element(&list, &option)) {
		if (option.len == 0)
			continue;
		if (!guard_is_token(option))
			return "Connection is no list of tokens";
		facts->close |= slice_is_nocase(option, "close");
		facts->persist |= slice_is_nocase(option, "keep-alive");
		facts->switching |= slice_is_nocase(option, "upgrade");
	}
	return NULL;
}

static const char *
read_codings(struct head_facts *facts, struct slice list)
{
	struct slice coding;

	while (next_element(&list, &coding)) {
		const char *mark = coding.len > 0 ? memchr(coding.data, ';', coding.len) : NULL;
		struct slice name = coding;

		if (mark != NULL)
			name =
			    slice_trim((struct slice){ coding.data, (size_t)(mark - coding.data) });
		if (!guard_is_token(name))
			return "Transfer-Encoding is malformed";
		facts->chunked_last = slice_is_nocase(name, "chunked");
		if (facts->chunked_last && mark != NULL)
			return "the transfer coding \"chunked\" has no parameters";
		facts->chunked += facts->chunked_last;
		facts->codings++;
	}
	return NULL;
}

static void
read_upgrade(struct head_facts *facts, struct slice list)
{
	struct slice protocol;

	while (next_element(&list, &protocol))
		facts->web_socket |= slice_is_nocase(protocol, "websocket");
}

static const char *
note_single(struct guard_header **place, struct guard_header *field, const char *why)
{
	if (*place != NULL)
		return why;
	*place = field;
	return NULL;
}

/* Notes what a field means to the guard.  NULL, or why the message is malformed. */
static const char *
note_field(struct guard *guard, struct head_facts *facts, struct guard_header *field)
{
	switch (field->name.len) { /* few fields get as far as a comparison */
	case 4:
		if (slice_is(field->name, "host"))
			return note_single(&facts->host, field, "there is more than one Host");
		break;
	case 6:
		if (slice_is(field->name, "expect") && guard->request.minor >= 1) {
			guard->expects = true;
			facts->other_expectation |= !slice_is_nocase(field->value, "100-continue");
		}
		break;
	case 7:
		if (slice_is(field->name, "upgrade"))
			read_upgrade(facts, field->value);
		break;
	case 10:
		if (slice_is(field->name, "connection"))
			return read_connection(facts, field->value);
		break;
	case 12:
		if (slice_is(field->name, "content-type"))
			return note_single(
			    &facts->type, field, "there is more than one Content-Type");
		break;
	case 14:
		if (slice_is(field->name, "content-length"))
			return note_single(
			    &facts->length, field, "there is more than one Content-Length");
		break;
	case 17:
		if (slice_is(field->name, "transfer-encoding"))
			return read_codings(facts, field->value);
		break;
	default:
		break;
	}
	return NULL;
}

/* 1*DIGIT below 2^63; leading zeros are in the grammar. */
static bool
read_length(struct slice text, uint64_t *out)
{
	uint64_t value = 0;

	for (size_t i = 0; i < text.len; i++) {
		unsigned digit = (unsigned)(unsigned char)text.data[i] - '0';

		if (digit > 9 || value > ((uint64_t)INT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*out = value;
	return text.len > 0;
}

/* How long is the body (RFC 9112, 6.3)? */
static enum guard_event
judge_length(struct guard *guard, const struct head_facts *facts)
{
	if (facts->codings == 0) {
		if (facts->length != NULL && !read_length(facts->length->value, &guard->body_left))
			return guard_fail(
			    guard, 400, "Content-Length is no decimal number below 2^63");
		return GUARD_MORE;
	}
	if (facts->length != NULL)
		return guard_fail(
		    guard, 400, "there is a Content-Length beside a Transfer-Encoding");
	if (guard->request.minor == 0)
		return guard_fail(guard, 400, "HTTP/1.0 has no Transfer-Encoding");
	if (facts->chunked != 1 || !facts->chunked_last)
		return guard_fail(
		    guard, 400, "the transfer coding does not end in one \"chunked\"");
	if (facts->codings > 1)
		return guard_fail(guard, 501, "no transfer coding but \"chunked\" is known here");
	guard->chunked = true;
	return GUARD_MORE;
}

static enum guard_event
judge_host(struct guard *guard, const struct head_facts *facts)
{
	struct guard_request *request = &guard->request;

	if (facts->host == NULL) {
		if (request->minor >= 1)
			return guard_fail(guard, 400, "there is no Host");
	} else if (!guard_is_host(facts->host->value)) {
		return guard_fail(guard, 400, "Host is malformed");
	}
	if (guard->authority.len > 0) {
		request->host.data = guard->head.data + guard->authority.at;
		request->host.len = guard->authority.len;
		if (facts->host != NULL) /* the target outranks it (RFC 9112, 3.2.2) */
			facts->host->value = request->host;
	} else if (facts->host != NULL) {
		request->host = facts->host->value;
	} else {
		request->host = slice_of("");
	}
	return GUARD_MORE;
}

static enum guard_event
judge_head(struct guard *guard, const struct head_facts *facts)
{
	struct guard_request *request = &guard->request;
	bool has_body;

	if (judge_host(guard, facts) == GUARD_ERROR || judge_length(guard, facts) == GUARD_ERROR)
		return GUARD_ERROR;
	if (facts->other_expectation)
		return guard_fail(guard, 417, "no expectation but 100-continue can be met");

	if (facts->type != NULL)
		request->content_type = facts->type->value;
	has_body = guard->chunked || guard->body_left > 0;
	request->keep_alive = !facts->close && (request->minor >= 1 || facts->persist);
	request->upgrade = request->minor >= 1 && facts->switching && facts->web_socket &&
			   !has_body && slice_is(request->method, "GET");
	return GUARD_MORE;
}

/* Turns the spans into slices; from here on the head must not move. */
static bool
settle(struct guard *guard)
{
	struct guard_request *request = &guard->request;
	char *spare = buf_room(&guard->head, guard->path.len);

	if (spare == NULL)
		return false;

	const char *head = guard->head.data;
	request->method = (struct slice){ head + guard->method.at, guard->method.len };
	request->path = (struct slice){ head + guard->path.at, guard->path.len };
	request->path_decoded = request->path;
	if (guard->has_query)
		request->query = (struct slice){ head + guard->query.at, guard->query.len };
	if (memchr(request->path.data, '%', request->path.len) != NULL) {
		request->path_decoded.data = spare;
		request->path_decoded.len = guard_decode_path(request->path, spare);
		buf_wrote(&guard->head, request->path_decoded.len);
	}
	return true;
}

/* Room for one element per line, and for one at least. */
static bool
make_fields(struct guard *guard)
{
	if (guard->fields != NULL && guard->field_room >= guard->line_count)
		return true;

	size_t room = guard->line_count < 16 ? 16 : guard->line_count;
	struct guard_header *fields = realloc(guard->fields, room * sizeof(*fields));

	if (fields == NULL)
		return false;
	guard->fields = fields;
	guard->field_room = room;
	return true;
}

enum guard_event
guard_read_head(struct guard *guard)
{
	struct head_facts facts = { 0 };

	if (!settle(guard) || !make_fields(guard))
		return guard_fail(guard, 503, "out of memory");

	char *line = guard->head.data + guard->block_start;
	for (size_t i = 0; i < guard->line_count; i++) {
		const char *why = NULL;

		line = guard_read_field(line, &guard->fields[i], &why);
		if (line != NULL)
			why = note_field(guard, &facts, &guard->fields[i]);
		if (why != NULL)
			return guard_fail(guard, 400, why);
	}
	guard->request.headers = guard->fields;
	guard->request.header_count = guard->line_count;
	return judge_head(guard, &facts);
}
