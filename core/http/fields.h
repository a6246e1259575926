/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Declared fields: from a route's table and a request's body, query and path to
 * checked values, or to the one error that answers (wire contract, section 1
 * "fields", "query", "binary fields", "hex ids").  Pure: no request, no socket.
 * fields.c finds the values, field_value.c reads one of them, fields_check.c
 * judges a table at start.
 */
#ifndef HTTP_FIELDS_H
#define HTTP_FIELDS_H

#include "base/arena.h"
#include "base/text.h"
#include "http/query.h"
#include "json/reader.h"

#include <convro/http.h>
#include <stdbool.h>

/* A named segment of the path: "{deviceId}". */
struct path_value {
	const char *name; /* as in the route's path, `name_len` bytes */
	size_t name_len;
	struct slice value; /* decoded */
};

struct fields_input {
	struct arena *arena;
	const struct convro_field *fields;
	uint32_t count;
	const struct json_value *body; /* an object; NULL = none was sent */
	const struct query *query;
	const struct path_value *path;
	uint32_t path_count;
};

struct fields_error {
	int status;
	const char *code;
	const char *field; /* canonical name; of an element's field: the array's */
};

enum fields_status {
	FIELDS_OK,
	FIELDS_WRONG, /* *error says what to answer */
	FIELDS_NO_MEMORY
};

/* Fills values[count].  Texts, bytes and elements are borrowed from the arena, nodes from the body.
 * The first field at fault answers.  Thread: any. */
enum fields_status fields_read(
    const struct fields_input *input, struct convro_value *values, struct fields_error *error);

/* Judges a table: NULL when it is sound, else a sentence (static) and *field is set. */
const char *fields_check(
    const struct convro_field *fields, uint32_t count, const char *path, const char **field);

/* ---- one value (field_value.c) ---- */

enum value_status {
	VALUE_OK,
	VALUE_WRONG, /* of the wrong type, malformed, or below the minimum */
	VALUE_LARGE, /* above the maximum */
	VALUE_NO_MEMORY
};

/* A JSON value, of any type but ARRAY. */
enum value_status value_from_json(struct arena *arena, const struct convro_field *field,
    const struct json_value *json, struct convro_value *out);

/* The decoded text of a query or path, of any type but ARRAY and OBJECT. */
enum value_status value_from_text(struct arena *arena, const struct convro_field *field,
    struct slice text, struct convro_value *out);

/* Same meaning, whatever the spelling ("AB" and "ab" of a hex id). */
bool value_equal(const struct convro_value *a, const struct convro_value *b);

#endif
