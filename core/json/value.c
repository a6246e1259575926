/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions to a parsed value; see json/reader.h.
 */
#include "json/index.h"
#include "json/reader.h"

#include <string.h>

const struct json_value *
json_member_n(const struct json_value *object, const char *name, size_t len)
{
	const struct json_member *member;

	if (object == NULL || object->type != JSON_OBJECT)
		return NULL;
	member = json_index_find(object->u.members, object->count, name, len);
	return member == NULL ? NULL : &member->value;
}

const struct json_value *
json_member(const struct json_value *object, const char *name)
{
	return json_member_n(object, name, strlen(name));
}

const struct json_value *
json_item(const struct json_value *value, uint32_t index)
{
	if (value == NULL)
		return NULL;
	if (value->type == JSON_ARRAY && index < value->count)
		return &value->u.items[index];
	if (value->type == JSON_OBJECT && index < value->count)
		return &value->u.members[index].value;
	return NULL;
}

bool
json_text_is(const struct json_value *value, const char *text)
{
	size_t len = strlen(text);

	return value != NULL && value->type == JSON_TEXT && value->count == len &&
	       (len == 0 || memcmp(value->u.text, text, len) == 0);
}

/* 2^63 is the first double beyond int64, -2^63 the last one within: inside, the cast is exact for
 * whole numbers. */
static bool
same_int_and_double(int64_t integer, double real)
{
	if (!(real >= -0x1p63 && real < 0x1p63))
		return false;
	/* Compared both ways, so that a fraction and a rounded integer are told apart. */
	return (int64_t)real == integer && (double)(int64_t)real >= real &&
	       (double)(int64_t)real <= real;
}

static bool
same_double(double a, double b)
{
	return a >= b && a <= b;
}

static bool
same_items(const struct json_value *a, const struct json_value *b)
{
	if (a->count != b->count)
		return false;
	for (uint32_t i = 0; i < a->count; i++)
		if (!json_equal(&a->u.items[i], &b->u.items[i]))
			return false;
	return true;
}

/* Names are unique in both, so it is enough that each of the one is in the other. */
static bool
same_members(const struct json_value *a, const struct json_value *b)
{
	if (a->count != b->count)
		return false;
	for (uint32_t i = 0; i < a->count; i++) {
		const struct json_member *member = &a->u.members[i];
		const struct json_value *other = json_member_n(b, member->name, member->name_len);

		if (other == NULL || !json_equal(&member->value, other))
			return false;
	}
	return true;
}

bool
json_equal(const struct json_value *a, const struct json_value *b)
{
	if (a->type == JSON_INT && b->type == JSON_DOUBLE)
		return same_int_and_double(a->u.integer, b->u.real);
	if (a->type == JSON_DOUBLE && b->type == JSON_INT)
		return same_int_and_double(b->u.integer, a->u.real);
	if (a->type != b->type)
		return false;

	switch ((enum json_type)a->type) {
	case JSON_NULL:
		return true;
	case JSON_BOOL:
		return a->u.boolean == b->u.boolean;
	case JSON_INT:
		return a->u.integer == b->u.integer;
	case JSON_DOUBLE:
		return same_double(a->u.real, b->u.real);
	case JSON_TEXT:
		return a->count == b->count &&
		       (a->count == 0 || memcmp(a->u.text, b->u.text, a->count) == 0);
	case JSON_ARRAY:
		return same_items(a, b);
	case JSON_OBJECT:
		return same_members(a, b);
	}
	return false;
}
