/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Judges a table of fields once, at start, so that fields.c can rely on it.
 */
#include "http/fields.h"

#include <string.h>

/* True when `name` is one of the "{named}" segments of `path`. */
static bool
is_in_path(const char *path, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = strchr(path, '{'); at != NULL; at = strchr(at + 1, '{'))
		if (strncmp(at + 1, name, len) == 0 && at[1 + len] == '}')
			return true;
	return false;
}

static const char *
check_type(const struct convro_field *field)
{
	if (field->type < CONVRO_TEXT || field->type > CONVRO_ARRAY)
		return "unknown type";
	if (field->type == CONVRO_CHOICE && (field->values == NULL || *field->values == '\0'))
		return "a choice without values";
	if (field->type != CONVRO_CHOICE && field->values != NULL)
		return "values are for a choice";
	if (field->chars != NULL && field->type != CONVRO_TEXT)
		return "chars are for a text";
	if (field->max != 0 && field->max < field->min)
		return "its maximum is below its minimum";
	if (field->min < 0 && field->type != CONVRO_INT)
		return "a negative minimum";
	if ((field->type == CONVRO_ARRAY) != (field->items.count > 0))
		return "an array needs items, and nothing else has them";
	return NULL;
}

static const char *
check_place(const struct convro_field *field, const char *path, bool element)
{
	bool flat = field->type != CONVRO_OBJECT && field->type != CONVRO_ARRAY;

	if (field->in != CONVRO_BODY && field->in != CONVRO_QUERY && field->in != CONVRO_PATH)
		return "it is in no body, query or path";
	if (field->in != CONVRO_BODY && (element || !flat))
		return "objects and arrays are in a body";
	if (field->in != CONVRO_BODY && (field->flags & CONVRO_LAX) != 0)
		return "lax fields are in a body";
	if (field->in == CONVRO_PATH && (field->name == NULL || !is_in_path(path, field->name)))
		return "the path has no segment of that name";
	if (field->large_status != 0 && (field->large_status < 400 || field->large_status > 499))
		return "large_status is no client error";
	return NULL;
}

static const char *
check(const struct convro_field *fields, uint32_t count, const char *path, bool element,
    const char **at)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct convro_field *field = &fields[i];
		bool nameless = field->name == NULL || field->name[0] == '\0';
		const char *why = check_type(field);

		*at = nameless ? "" : field->name;
		if (why == NULL)
			why = check_place(field, path, element);
		if (why == NULL && nameless && (!element || count != 1))
			why = "it has no name";
		for (uint32_t before = 0; why == NULL && before < i; before++)
			if (strcmp(fields[before].name, field->name) == 0 &&
			    fields[before].in == field->in)
				why = "it is there twice";
		if (why == NULL && field->items.count > 0)
			why = check(field->items.items, field->items.count, path, true, at);
		if (why != NULL)
			return why;
	}
	return NULL;
}

const char *
fields_check(
    const struct convro_field *fields, uint32_t count, const char *path, const char **field)
{
	*field = "";
	return check(fields, count, path, false, field);
}
