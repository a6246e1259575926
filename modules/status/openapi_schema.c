/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Field tables as JSON Schema (draft 2020-12, which OpenAPI 3.1 uses): query
 * and path fields become parameters, dotted names of a body nested objects.
 * What a schema cannot say stands in x-convro-... members and in the
 * description.
 */
#include "status.h"

#include <stdio.h>
#include <string.h>

#define ID_MAX        INT64_C(9007199254740991) /* 2^53 - 1 */
#define OUT_OF_MEMORY "out_of_memory"           /* for a name; the writer fails soon, too */

/* ---- one value ---- */

/* `nullable`: an optional member of a body may be null, which means absent. */
static void
put_type(struct convro_json *json, const char *type, const char *other, bool nullable)
{
	if (other == NULL && !nullable) {
		convro->json->put_text(json, "type", type);
		return;
	}
	convro->json->open_array(json, "type");
	convro->json->put_text(json, NULL, type);
	if (other != NULL)
		convro->json->put_text(json, NULL, other);
	if (nullable)
		convro->json->put_text(json, NULL, "null");
	convro->json->close_array(json);
}

static void
put_bound(struct convro_json *json, const char *key, int64_t bound)
{
	if (bound != 0)
		convro->json->put_int(json, key, bound);
}

static void
put_text_schema(struct convro_json *json, const struct convro_field *field, bool nullable)
{
	char pattern[128];

	put_type(json, "string", NULL, nullable);
	put_bound(json, "minLength", field->min);
	put_bound(json, "maxLength", field->max);
	put_bound(json, "x-convro-max-bytes", field->max_bytes);
	if (field->chars != NULL &&
	    snprintf(pattern, sizeof(pattern), "^[%s]*$", field->chars) < (int)sizeof(pattern))
		convro->json->put_text(json, "pattern", pattern);
}

static void
put_choice_schema(struct convro_json *json, const struct convro_field *field, bool nullable)
{
	put_type(json, "string", NULL, nullable);
	convro->json->open_array(json, "enum");
	for (const char *at = field->values; *at != '\0';) {
		size_t len = strcspn(at, " ");

		convro->json->put_text_n(json, NULL, at, len);
		at += len;
		at += strspn(at, " ");
	}
	if (nullable)
		convro->json->put_null(json, NULL);
	convro->json->close_array(json);
}

/* Lengths of the text that carries min..max bytes: unpadded at least, padded at most. */
static void
put_binary_schema(struct convro_json *json, const struct convro_field *field, bool nullable)
{
	put_type(json, "string", NULL, nullable);
	convro->json->put_text(json, "contentEncoding", "base64");
	put_bound(json, "minLength", (field->min * 4 + 2) / 3);
	put_bound(json, "maxLength", (field->max + 2) / 3 * 4);
}

static void
put_int_schema(struct convro_json *json, const struct convro_field *field, bool nullable)
{
	put_type(json, "integer", NULL, nullable);
	if (field->min == 0 && field->max == 0)
		return;
	convro->json->put_int(json, "minimum", field->min);
	/* A larger one in a query is taken as the maximum, not refused. */
	if (field->max != 0 && field->in == CONVRO_BODY)
		convro->json->put_int(json, "maximum", field->max);
}

static void
put_pattern_schema(struct convro_json *json, const char *pattern, bool nullable)
{
	put_type(json, "string", NULL, nullable);
	convro->json->put_text(json, "pattern", pattern);
}

static void put_array_schema(struct convro_ctx *ctx, struct convro_json *json,
    const struct convro_field *field, bool nullable);

static void
put_value_schema(struct convro_ctx *ctx, struct convro_json *json, const struct convro_field *field,
    bool nullable)
{
	switch (field->type) {
	case CONVRO_TEXT:
		put_text_schema(json, field, nullable);
		break;
	case CONVRO_INT:
		put_int_schema(json, field, nullable);
		break;
	case CONVRO_ID:
		put_type(json, "integer", field->in == CONVRO_BODY ? "string" : NULL, nullable);
		convro->json->put_int(json, "minimum", 1);
		convro->json->put_int(json, "maximum", ID_MAX);
		if (field->in == CONVRO_BODY)
			convro->json->put_text(json, "pattern", "^[0-9]+$");
		break;
	case CONVRO_BOOL:
		put_type(json, "boolean", NULL, nullable);
		break;
	case CONVRO_HEX16:
		put_pattern_schema(json, "^[0-9a-fA-F]{16}$", nullable);
		break;
	case CONVRO_HEX8:
		put_pattern_schema(json, "^[0-9a-fA-F]{8}$", nullable);
		break;
	case CONVRO_BINARY:
		put_binary_schema(json, field, nullable);
		break;
	case CONVRO_CHOICE:
		put_choice_schema(json, field, nullable);
		break;
	case CONVRO_TIME:
		put_type(json, "string", NULL, nullable);
		convro->json->put_text(json, "format", "date-time");
		break;
	case CONVRO_NUMBER:
		put_pattern_schema(json, "^ *\\+?[0-9 ]+$", nullable);
		break;
	case CONVRO_ARRAY:
		put_array_schema(ctx, json, field, nullable);
		break;
	default:
		put_type(json, "object", NULL, nullable);
	}
}

static void
put_words(
    struct convro_json *json, const struct convro_field *field, const struct convro_field *outer)
{
	struct text words = { 0 };

	if (field->summary != NULL)
		convro->json->put_text(json, "description", field->summary);
	field_words(&words, field);
	convro->json->put_text_n(
	    json, "x-convro-value", words.failed ? "" : words.data, words.failed ? 0 : words.len);
	text_free(&words);
	if ((field->flags & CONVRO_LAX) == 0)
		convro->json->put_text(json, "x-convro-error", field_code(field, outer));
	if (field->large != NULL)
		convro->json->put_text(json, "x-convro-error-large", field->large);
	if (field->aliases != NULL)
		convro->json->put_text(json, "x-convro-aliases", field->aliases);
}

static void
put_default(struct convro_ctx *ctx, struct convro_json *json, const struct convro_field *field)
{
	const struct convro_node *node;

	if (field->preset != NULL &&
	    convro->json->parse(ctx, field->preset, strlen(field->preset), &node) == CONVRO_OK)
		convro->json->put_node(json, "default", node);
}

/* ---- objects ---- */

/* The fields of one object: those whose dotted name begins with `prefix` of `len` bytes. */
struct level {
	const struct convro_list *fields;
	const struct convro_field *outer; /* the array these are an element of, or NULL */
	const char *prefix;               /* "" or "identity." */
	size_t len;
};

/* The part of the name below the level, or NULL when the field is elsewhere. */
static const char *
below(const struct level *level, const struct convro_field *field)
{
	if (field->in != CONVRO_BODY || field->name == NULL ||
	    strncmp(field->name, level->prefix, level->len) != 0)
		return NULL;
	return field->name + level->len;
}

static bool
is_step(const char *name, const char *step, size_t len)
{
	return name != NULL && strncmp(name, step, len) == 0 &&
	       (name[len] == '.' || name[len] == '\0');
}

/* The member `step`: its own field if the table has one, whether others are below, whether one is
 * required. */
struct member {
	const struct convro_field *field;
	bool nested, required, seen;
};

static struct member
look_at(const struct level *level, uint32_t index, const char *step, size_t len)
{
	struct member member = { 0 };

	for (uint32_t i = 0; i < level->fields->count; i++) {
		const struct convro_field *field = list_at(level->fields, i);
		const char *name = below(level, field);

		if (!is_step(name, step, len))
			continue;
		member.seen = member.seen || i < index;
		member.required = member.required || (field->flags & CONVRO_REQUIRED) != 0;
		if (name[len] == '.')
			member.nested = true;
		else
			member.field = field;
	}
	return member;
}

static void
put_object_members(struct convro_ctx *ctx, struct convro_json *json, const struct level *level);

static void
put_member(struct convro_ctx *ctx, struct convro_json *json, const struct level *level,
    const char *step, size_t len, const struct member *member)
{
	/* `step` stands in a field's name, behind what is the prefix of this level. */
	char *prefix = convro->mem->copy(ctx, step - level->len, level->len + len + 1);
	const char *key = convro->mem->copy(ctx, step, len);
	const struct level inner = { level->fields, level->outer, prefix, level->len + len + 1 };

	convro->json->open_object(json, key != NULL ? key : OUT_OF_MEMORY);
	if (member->nested && prefix != NULL) {
		prefix[level->len + len] = '.';
		put_type(json, "object", NULL, !member->required);
		put_object_members(ctx, json, &inner);
	} else if (member->field != NULL) {
		put_value_schema(ctx, json, member->field, !member->required);
	}
	if (member->field != NULL) {
		put_words(json, member->field, level->outer);
		put_default(ctx, json, member->field);
	}
	convro->json->close_object(json);
}

/* `required` and `properties`; further members are always allowed. */
static void
put_object_members(struct convro_ctx *ctx, struct convro_json *json, const struct level *level)
{
	for (int pass = 0; pass < 2; pass++) {
		bool opened = pass == 1;

		if (pass == 1)
			convro->json->open_object(json, "properties");
		for (uint32_t i = 0; i < level->fields->count; i++) {
			const char *step = below(level, list_at(level->fields, i));
			size_t len = step != NULL ? strcspn(step, ".") : 0;
			struct member member;

			if (len == 0)
				continue;
			member = look_at(level, i, step, len);
			if (member.seen || (pass == 0 && !member.required))
				continue;
			if (!opened)
				convro->json->open_array(json, "required");
			opened = true;
			if (pass == 0)
				convro->json->put_text_n(json, NULL, step, len);
			else
				put_member(ctx, json, level, step, len, &member);
		}
		if (pass == 1)
			convro->json->close_object(json);
		else if (opened)
			convro->json->close_array(json);
	}
}

static void
put_array_schema(struct convro_ctx *ctx, struct convro_json *json, const struct convro_field *field,
    bool nullable)
{
	const struct convro_field *first = list_at(&field->items, 0);

	put_type(json, "array", NULL, nullable);
	put_bound(json, "minItems", field->min);
	put_bound(json, "maxItems", field->max);
	convro->json->open_object(json, "items");
	if (first->name == NULL || first->name[0] == '\0') {
		put_value_schema(ctx, json, first, false);
	} else {
		const struct level level = { &field->items, field, "", 0 };

		put_type(json, "object", NULL, false);
		put_object_members(ctx, json, &level);
	}
	convro->json->close_object(json);
}

/* ---- requests ---- */

void
openapi_write_parameters(
    struct convro_ctx *ctx, struct convro_json *json, const struct convro_route *route)
{
	if (!has_field_in(route, CONVRO_QUERY) && !has_field_in(route, CONVRO_PATH))
		return;
	convro->json->open_array(json, "parameters");
	for (uint32_t i = 0; i < route->fields.count; i++) {
		const struct convro_field *field = list_at(&route->fields, i);

		if (field->in == CONVRO_BODY)
			continue;
		convro->json->open_object(json, NULL);
		convro->json->put_text(json, "name", field->name);
		convro->json->put_text(json, "in", field->in == CONVRO_PATH ? "path" : "query");
		convro->json->put_bool(json, "required",
		    field->in == CONVRO_PATH || (field->flags & CONVRO_REQUIRED) != 0);
		put_words(json, field, NULL);
		convro->json->open_object(json, "schema");
		put_value_schema(ctx, json, field, false);
		put_default(ctx, json, field);
		convro->json->close_object(json);
		convro->json->close_object(json);
	}
	convro->json->close_array(json);
}

void
openapi_write_body(
    struct convro_ctx *ctx, struct convro_json *json, const struct convro_route *route)
{
	const struct level level = { &route->fields, NULL, "", 0 };

	if (!takes_body(route))
		return;
	convro->json->open_object(json, "requestBody");
	convro->json->put_bool(json, "required", (route->flags & CONVRO_ROUTE_EMPTY_BODY) == 0);
	convro->json->open_object(json, "content");
	convro->json->open_object(json, "application/json");
	convro->json->open_object(json, "schema");
	put_type(json, "object", NULL, false);
	put_object_members(ctx, json, &level);
	convro->json->close_object(json);
	convro->json->close_object(json);
	convro->json->close_object(json);
	convro->json->close_object(json);
}
