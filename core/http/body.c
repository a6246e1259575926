/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the request brings, judged in the order 413, 415, 400: size, media type,
 * query, JSON, fields (wire contract, section 1 "body", "fields", "query").
 */
#include "http/internal.h"
#include "json/reader.h"

#include <string.h>

static bool
refuse(struct http_request *request, int status, const char *code)
{
	answer_error(request, status, code, NULL);
	return false;
}

static bool
overloaded(struct http_request *request)
{
	answer_later(request, 503, "OVERLOADED", RETRY_AFTER_MIN);
	return false;
}

/* One "name=value" of a media type; false when it is malformed or no charset we take. */
static bool
is_good_parameter(struct slice parameter)
{
	const char *equals = memchr(parameter.data, '=', parameter.len);
	struct slice name, value;

	if (parameter.len == 0)
		return true; /* "application/json;" */
	if (equals == NULL)
		return false;
	name = (struct slice){ parameter.data, (size_t)(equals - parameter.data) };
	value = (struct slice){ equals + 1, parameter.len - name.len - 1 };
	if (value.len >= 2 && value.data[0] == '"' && value.data[value.len - 1] == '"')
		value = (struct slice){ value.data + 1, value.len - 2 };
	return !slice_is_nocase(slice_trim(name), "charset") || slice_is_nocase(value, "utf-8");
}

bool
is_json_type(const char *type)
{
	struct slice rest = slice_of(type);

	for (bool first = true; rest.len > 0 || first; first = false) {
		const char *semicolon = memchr(rest.data, ';', rest.len);
		size_t len = semicolon != NULL ? (size_t)(semicolon - rest.data) : rest.len;
		struct slice part = slice_trim((struct slice){ rest.data, len });

		if (first ? !slice_is_nocase(part, "application/json") : !is_good_parameter(part))
			return false;
		if (semicolon != NULL)
			len++;
		rest.data += len;
		rest.len -= len;
	}
	return true;
}

static bool
takes_body(const struct convro_route *route)
{
	return route->method == CONVRO_POST || route->method == CONVRO_PUT ||
	       route->method == CONVRO_PATCH;
}

/* An empty body where one may be: nothing to judge, all fields absent. */
static bool
is_empty_body(const struct http_request *request)
{
	return (request->entry->route->flags & CONVRO_ROUTE_EMPTY_BODY) != 0 &&
	       request->message.body.len == 0;
}

static bool
check_media_type(struct http_request *request)
{
	const char *type = message_header(&request->message, "content-type");

	if (!takes_body(request->entry->route) || is_empty_body(request) || type == NULL ||
	    is_json_type(type))
		return true;
	return refuse(request, 415, "UNSUPPORTED_MEDIA_TYPE");
}

static bool
parse_query(struct http_request *request)
{
	const struct slice *text = &request->message.query;

	request->query_read = true;
	switch (query_parse(request->ctx->arena, text->data, text->len, &request->query)) {
	case QUERY_OK:
		return true;
	case QUERY_INVALID:
		return refuse(request, 400, "INVALID_QUERY");
	default:
		return overloaded(request);
	}
}

static bool
parse_body(struct http_request *request)
{
	const struct slice *body = &request->message.body;

	if (!takes_body(request->entry->route) || is_empty_body(request))
		return true;
	switch (
	    json_parse(request->ctx->arena, body->data, body->len, NULL, &request->root, NULL)) {
	case JSON_OK:
		break;
	case JSON_NUL:
		return refuse(request, 400, "INVALID_BODY");
	case JSON_NO_MEMORY:
		return overloaded(request);
	default:
		return refuse(request, 400, "INVALID_JSON");
	}
	return request->root->type == JSON_OBJECT || refuse(request, 400, "INVALID_BODY");
}

static bool
read_fields(struct http_request *request)
{
	const struct convro_route *route = request->entry->route;
	struct fields_input input = {
		.arena = request->ctx->arena,
		.fields = route->fields.items,
		.count = route->fields.count,
		.body = request->root,
		.query = &request->query,
		.path = request->path_values,
		.path_count = request->path_count,
	};
	struct fields_error error = { 0 };

	if (input.count == 0)
		return true;
	request->values = arena_zero(input.arena, input.count, sizeof(*request->values));
	if (request->values == NULL)
		return overloaded(request);
	switch (fields_read(&input, request->values, &error)) {
	case FIELDS_OK:
		return true;
	case FIELDS_WRONG:
		answer_error(request, error.status, error.code, error.field);
		return false;
	default:
		return overloaded(request);
	}
}

bool
request_read_input(struct http_request *request)
{
	const struct convro_route *route = request->entry->route;
	const struct message *message = &request->message;

	if (message->body_too_large ||
	    (route->body_max != 0 && message->body.len > route->body_max))
		return refuse(request, 413, "BODY_TOO_LARGE");
	if ((route->flags & CONVRO_ROUTE_RAW) != 0)
		return true;
	return check_media_type(request) && parse_query(request) && parse_body(request) &&
	       read_fields(request);
}
