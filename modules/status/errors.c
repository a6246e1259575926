/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every error a route can answer: its own table, its fields, and what the core
 * answers before and around the handler (wire contract, section 1).  The page,
 * OpenAPI and through it the man page all read this one list.
 */
#include "status.h"

#include <stdlib.h>
#include <string.h>

/* Keeps the order by status; within one, the order of coming. */
static void
add(struct known_errors *errors, uint32_t status, const char *code, const char *summary)
{
	uint32_t at = errors->count;

	for (uint32_t i = 0; i < errors->count; i++)
		if (errors->items[i].status == status && strcmp(errors->items[i].code, code) == 0)
			return;
	if (errors->count == errors->capacity) {
		uint32_t capacity = errors->capacity != 0 ? errors->capacity * 2 : 32;
		struct known_error *items =
		    reallocarray(errors->items, capacity, sizeof(*errors->items));

		if (items == NULL) {
			errors->failed = true;
			return;
		}
		errors->items = items;
		errors->capacity = capacity;
	}
	for (; at > 0 && errors->items[at - 1].status > status; at--)
		errors->items[at] = errors->items[at - 1];
	errors->items[at] = (struct known_error){ status, code, summary };
	errors->count++;
}

static void
add_fields(
    struct known_errors *errors, const struct convro_list *fields, const struct convro_field *outer)
{
	for (uint32_t i = 0; i < fields->count; i++) {
		const struct convro_field *field = list_at(fields, i);
		const char *code = field_code(field, outer);

		if ((field->flags & CONVRO_LAX) != 0)
			continue; /* the handler judges it, so its table tells */
		add(errors, 400, code,
		    strcmp(code, "INVALID_BODY") == 0 ? "a field is missing or malformed" : NULL);
		if (field->large != NULL || field->large_status != 0)
			add(errors, field->large_status != 0 ? field->large_status : 400,
			    field->large != NULL ? field->large : code, NULL);
		add_fields(errors, &field->items, field);
	}
}

static bool
is_answer(const struct convro_route *route, uint32_t status)
{
	for (uint32_t i = 0; i < route->answers.count; i++)
		if (((const struct convro_answer *)list_at(&route->answers, i))->status == status)
			return true;
	return false;
}

static void
add_common(struct known_errors *errors, const struct convro_route *route)
{
	bool raw = (route->flags & CONVRO_ROUTE_RAW) != 0;

	if (route->access == CONVRO_BEARER) {
		add(errors, 401, "UNAUTHORIZED", "no access token");
		add(errors, 401, "TOKEN_INVALID", "not ours, malformed or revoked");
		add(errors, 401, "TOKEN_EXPIRED", "refresh it and try again");
	}
	if (has_field_in(route, CONVRO_QUERY))
		add(errors, 400, "INVALID_QUERY", "a bad escape, or a key twice");
	if (takes_body(route)) {
		add(errors, 400, "INVALID_JSON", "no JSON, a duplicate key or invalid UTF-8");
		add(errors, 400, "INVALID_BODY", "no object, or a NUL in a string");
		add(errors, 413, "BODY_TOO_LARGE", NULL);
		add(errors, 415, "UNSUPPORTED_MEDIA_TYPE", "not application/json in UTF-8");
	}
	if (route->rate != NULL)
		add(errors, 429, "RATE_LIMITED", "try again after Retry-After seconds");
	add(errors, 500, "INTERNAL_ERROR", "the log has the reason");
	if (is_answer(route, 503))
		return; /* then 503 has a meaning, and a body, of its own */
	add(errors, 503, "OVERLOADED", "try again after Retry-After seconds");
	if (!raw)
		add(errors, 503, "DB_UNAVAILABLE", "the store does not answer");
}

void
errors_read(const struct convro_route *route, struct known_errors *errors)
{
	*errors = (struct known_errors){ 0 };
	for (uint32_t i = 0; i < route->errors.count; i++) {
		const struct convro_error *error = list_at(&route->errors, i);

		add(errors, error->status, error->code, error->summary);
	}
	add_fields(errors, &route->fields, NULL);
	add_common(errors, route);
}

void
errors_free(struct known_errors *errors)
{
	free(errors->items);
	*errors = (struct known_errors){ 0 };
}
