/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds each declared field under its canonical name or an alias, and reads it.
 * Every spelling that is there is read: two that mean the same are one value,
 * two that differ are an error of that field.
 */
#include "http/fields.h"

#include "json/table.h"

#include <string.h>

/* One pass over a table; items of an array are read by a pass of their own. */
struct pass {
	const struct fields_input *input;
	const struct json_value *object; /* where BODY fields are looked for; NULL = none */
	struct fields_error *error;
	const char *array; /* canonical name of the array whose element this is, or NULL */
	const struct convro_field *array_field;
};

static enum fields_status read_table(struct pass *pass, const struct convro_field *fields,
    uint32_t count, struct convro_value *values);

/* ---- absence ---- */

static bool
is_absent(const struct convro_field *field, const struct json_value *json)
{
	if (json == NULL || json->type == JSON_NULL)
		return true;
	if (json->type == JSON_BOOL && !json->u.boolean)
		return field->type == CONVRO_BOOL || (field->flags & CONVRO_FALSE_ABSENT) != 0;
	return json->type == JSON_TEXT && json->count == 0 &&
	       (field->flags & CONVRO_EMPTY_ABSENT) != 0;
}

/* Follows "a.b.c".  *wrong is set when the path leads through something that is no object. */
static const struct json_value *
follow(const struct json_value *object, const char *path, size_t len, bool *wrong)
{
	const struct json_value *at = object;

	for (size_t start = 0; start <= len;) {
		const char *dot = memchr(path + start, '.', len - start);
		size_t step = dot != NULL ? (size_t)(dot - path) - start : len - start;

		if (at == NULL || at->type == JSON_NULL)
			return NULL;
		if (at->type != JSON_OBJECT) {
			*wrong = true;
			return NULL;
		}
		at = json_member_n(at, path + start, step);
		start += step + 1;
	}
	return at;
}

/* ---- one spelling ---- */

static enum value_status read_array(struct pass *pass, const struct convro_field *field,
    const struct json_value *json, struct convro_value *out);

static enum value_status
read_spelling(struct pass *pass, const struct convro_field *field, const char *name, size_t len,
    struct convro_value *out)
{
	struct arena *arena = pass->input->arena;
	const struct json_value *json;
	const struct slice *text = NULL;
	bool wrong = false;

	*out = (struct convro_value){ 0 };
	if (field->in == CONVRO_QUERY) {
		text = query_get(pass->input->query, name, len);
	} else if (field->in == CONVRO_PATH) {
		for (uint32_t i = 0; i < pass->input->path_count; i++) {
			const struct path_value *at = &pass->input->path[i];

			if (at->name_len == len && memcmp(at->name, name, len) == 0)
				text = &at->value;
		}
	} else {
		json = len == 0 ? pass->object : follow(pass->object, name, len, &wrong);
		if (wrong)
			return VALUE_WRONG;
		if (is_absent(field, json))
			return VALUE_OK;
		return field->type == CONVRO_ARRAY ? read_array(pass, field, json, out)
						   : value_from_json(arena, field, json, out);
	}
	if (text == NULL || (text->len == 0 && (field->flags & CONVRO_EMPTY_ABSENT) != 0))
		return VALUE_OK;
	if (field->type == CONVRO_BOOL && slice_is(*text, "false"))
		return VALUE_OK;
	return value_from_text(arena, field, *text, out);
}

/* ---- arrays ---- */

/* An array whose elements are scalars has one item field without a name. */
static bool
is_scalar_item(const struct convro_field *items)
{
	return items->name == NULL || items->name[0] == '\0';
}

static enum value_status
read_array(struct pass *pass, const struct convro_field *field, const struct json_value *json,
    struct convro_value *out)
{
	const struct convro_field *items = field->items.items;
	uint32_t width = field->items.count;
	struct pass inner = *pass;
	struct convro_value *values;

	if (json->type != JSON_ARRAY || json->count < field->min)
		return VALUE_WRONG;
	if (field->max != 0 && json->count > field->max)
		return VALUE_LARGE;
	values = arena_zero(pass->input->arena, (size_t)json->count * width, sizeof(*values));
	if (values == NULL)
		return VALUE_NO_MEMORY;
	inner.array = pass->array != NULL ? pass->array : field->name;
	inner.array_field = field;
	for (uint32_t e = 0; e < json->count; e++) {
		enum fields_status status;

		inner.object = json_item(json, e);
		if (!is_scalar_item(items) && inner.object->type != JSON_OBJECT)
			return VALUE_WRONG;
		if (is_scalar_item(items) && inner.object->type == JSON_NULL)
			return VALUE_WRONG;
		status = read_table(&inner, items, width, values + (size_t)e * width);
		if (status == FIELDS_NO_MEMORY)
			return VALUE_NO_MEMORY;
		if (status == FIELDS_WRONG)
			return VALUE_WRONG; /* pass->error is more exact than the caller's */
	}
	*out = (struct convro_value){ .type = CONVRO_ARRAY, .len = json->count };
	out->u.items = values;
	return VALUE_OK;
}

/* ---- one field, all spellings ---- */

static bool
is_same(const struct convro_field *field, const struct convro_value *a,
    const struct convro_value *b, uint32_t width)
{
	if (field->type != CONVRO_ARRAY)
		return value_equal(a, b);
	if (a->len != b->len)
		return false;
	for (size_t i = 0; i < (size_t)a->len * width; i++)
		if (!value_equal(&a->u.items[i], &b->u.items[i]))
			return false;
	return true;
}

static enum value_status
read_field(struct pass *pass, const struct convro_field *field, struct convro_value *out)
{
	const char *name = field->name != NULL ? field->name : "";
	const char *aliases = field->aliases != NULL ? field->aliases : "";
	enum value_status status = read_spelling(pass, field, name, strlen(name), out);

	while (status == VALUE_OK && *aliases != '\0') {
		size_t len = strcspn(aliases, " ");
		struct convro_value other;

		status = read_spelling(pass, field, aliases, len, &other);
		if (status == VALUE_OK && other.type != 0) {
			if (out->type == 0)
				*out = other;
			else if (!is_same(field, out, &other, field->items.count))
				status = VALUE_WRONG;
		}
		aliases += len;
		aliases += strspn(aliases, " ");
	}
	return status;
}

static enum fields_status
refuse(struct pass *pass, const struct convro_field *field, bool large)
{
	const struct convro_field *outer = pass->array_field;
	const char *code = large && field->large != NULL ? field->large : field->error;

	if (code == NULL && outer != NULL)
		code = outer->error;
	if (code == NULL)
		code = field->in == CONVRO_QUERY ? "INVALID_QUERY" : "INVALID_BODY";
	*pass->error = (struct fields_error){
		.status = large && field->large_status != 0 ? (int)field->large_status : 400,
		.code = code,
		.field = pass->array != NULL ? pass->array : field->name,
	};
	return FIELDS_WRONG;
}

static enum fields_status
read_table(struct pass *pass, const struct convro_field *fields, uint32_t count,
    struct convro_value *values)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct convro_field *field = &fields[i];
		enum value_status status;

		pass->error->code = NULL;
		status = read_field(pass, field, &values[i]);
		if (status == VALUE_NO_MEMORY)
			return FIELDS_NO_MEMORY;
		if (status != VALUE_OK && (field->flags & CONVRO_LAX) != 0) {
			values[i] = (struct convro_value){ .wrong = 1 };
			continue;
		}
		if (status == VALUE_WRONG && pass->error->code != NULL)
			return FIELDS_WRONG; /* an element of the array has said why */
		if (status != VALUE_OK)
			return refuse(pass, field, status == VALUE_LARGE);
		if (values[i].type == 0 && (field->flags & CONVRO_REQUIRED) != 0)
			return refuse(pass, field, false);
	}
	return FIELDS_OK;
}

enum fields_status
fields_read(
    const struct fields_input *input, struct convro_value *values, struct fields_error *error)
{
	struct pass pass = { .input = input, .object = input->body, .error = error };

	return read_table(&pass, input->fields, input->count, values);
}
