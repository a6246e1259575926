/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One value of one type.  Whether it comes from a body or a query, a text is
 * read by the same functions; fields.h says who calls them.
 */
#include "base/base64.h"
#include "base/hex.h"
#include "base/isotime.h"
#include "base/utf8.h"
#include "http/fields.h"
#include "json/table.h"

#include <string.h>

#define ID_MAX INT64_C(9007199254740991) /* 2^53 - 1 */

/* True when `c` is one of `chars`, where "a-z" is a range. */
static bool
is_one_of(char c, const char *chars)
{
	for (size_t i = 0; chars[i] != '\0'; i++) {
		if (chars[i + 1] == '-' && chars[i + 2] != '\0') {
			if (c >= chars[i] && c <= chars[i + 2])
				return true;
			i += 2;
		} else if (c == chars[i]) {
			return true;
		}
	}
	return false;
}

static enum value_status
within(const struct convro_field *field, int64_t size)
{
	if (field->max != 0 && size > field->max)
		return VALUE_LARGE;
	return size < field->min ? VALUE_WRONG : VALUE_OK;
}

static enum value_status
read_text(struct arena *arena, const struct convro_field *field, struct slice text,
    struct convro_value *out)
{
	enum value_status status;
	size_t characters;

	if (utf8_count(text.data, text.len, &characters) != 0)
		return VALUE_WRONG;
	status = within(field, (int64_t)characters);
	if (status == VALUE_OK && field->max_bytes != 0 && (int64_t)text.len > field->max_bytes)
		status = VALUE_LARGE;
	for (size_t i = 0; status == VALUE_OK && field->chars != NULL && i < text.len; i++)
		if (!is_one_of(text.data[i], field->chars))
			status = VALUE_WRONG;
	if (status != VALUE_OK)
		return status;
	out->u.text = arena_copy(arena, text.data, text.len);
	out->len = (uint32_t)text.len;
	return out->u.text != NULL ? VALUE_OK : VALUE_NO_MEMORY;
}

static enum value_status
read_binary(struct arena *arena, const struct convro_field *field, struct slice text,
    struct convro_value *out)
{
	size_t most = base64_decoded_max(text.len);
	uint8_t *bytes = arena_alloc(arena, most);
	size_t len;

	if (bytes == NULL)
		return VALUE_NO_MEMORY;
	if (base64_decode(text.data, text.len, bytes, most, &len) != 0)
		return VALUE_WRONG;
	out->u.bytes = bytes;
	out->len = (uint32_t)len;
	return within(field, (int64_t)len);
}

static enum value_status
read_choice(const struct convro_field *field, struct slice text, struct convro_value *out)
{
	const char *at = field->values;

	for (int64_t index = 0; *at != '\0'; index++) {
		size_t len = strcspn(at, " ");

		if (slice_equal(text, (struct slice){ at, len })) {
			out->u.i = index;
			return VALUE_OK;
		}
		at += len;
		at += strspn(at, " ");
	}
	return VALUE_WRONG;
}

/* "+99 241 772": a plus at most in front, blanks anywhere, 99 and 6 to 12 more digits.  A raw plus
 * of a query arrives as a blank. */
static enum value_status
read_number(struct arena *arena, struct slice text, struct convro_value *out)
{
	char digits[14];
	size_t count = 0, i = 0;

	while (i < text.len && text.data[i] == ' ')
		i++;
	if (i < text.len && text.data[i] == '+')
		i++;
	for (; i < text.len; i++) {
		char c = text.data[i];

		if (c == ' ')
			continue;
		if (c < '0' || c > '9' || count == sizeof(digits))
			return VALUE_WRONG;
		digits[count++] = c;
	}
	if (count < 8 || digits[0] != '9' || digits[1] != '9')
		return VALUE_WRONG;
	out->u.text = arena_copy(arena, digits + 2, count - 2);
	out->len = (uint32_t)(count - 2);
	return out->u.text != NULL ? VALUE_OK : VALUE_NO_MEMORY;
}

static enum value_status
check_int(const struct convro_field *field, int64_t number, struct convro_value *out)
{
	out->u.i = number;
	if (field->type == CONVRO_ID && (number < 1 || number > ID_MAX))
		return VALUE_WRONG;
	return field->min == 0 && field->max == 0 ? VALUE_OK : within(field, number);
}

/* The types that are a text both in JSON and in a query. */
static enum value_status
read_texts(struct arena *arena, const struct convro_field *field, struct slice text,
    struct convro_value *out)
{
	int32_t half;
	int result;

	switch (field->type) {
	case CONVRO_TEXT:
		return read_text(arena, field, text, out);
	case CONVRO_BINARY:
		return read_binary(arena, field, text, out);
	case CONVRO_CHOICE:
		return read_choice(field, text, out);
	case CONVRO_NUMBER:
		return read_number(arena, text, out);
	case CONVRO_HEX16:
		return hex16_decode(text.data, text.len, &out->u.i) == 0 ? VALUE_OK : VALUE_WRONG;
	case CONVRO_HEX8:
		result = hex8_decode(text.data, text.len, &half);
		out->u.i = result == 0 ? half : 0;
		return result == 0 ? VALUE_OK : VALUE_WRONG;
	case CONVRO_TIME:
		return isotime_parse(text.data, text.len, &out->u.i) == 0 ? VALUE_OK : VALUE_WRONG;
	default:
		return VALUE_WRONG;
	}
}

enum value_status
value_from_json(struct arena *arena, const struct convro_field *field,
    const struct json_value *json, struct convro_value *out)
{
	struct slice text = { json->u.text, json->count };
	int64_t number;

	*out = (struct convro_value){ .type = field->type };
	switch (field->type) {
	case CONVRO_INT:
		return json->type == JSON_INT ? check_int(field, json->u.integer, out)
					      : VALUE_WRONG;
	case CONVRO_ID:
		if (json->type == JSON_INT)
			return check_int(field, json->u.integer, out);
		if (json->type != JSON_TEXT || text_int64(text.data, text.len, &number) != 0)
			return VALUE_WRONG;
		return check_int(field, number, out);
	case CONVRO_BOOL:
		out->u.i = 1;
		return json->type == JSON_BOOL && json->u.boolean ? VALUE_OK : VALUE_WRONG;
	case CONVRO_OBJECT:
		out->u.node = json_node(json);
		out->len = json->raw_len;
		return json->type == JSON_OBJECT ? within(field, json->raw_len) : VALUE_WRONG;
	default:
		return json->type == JSON_TEXT ? read_texts(arena, field, text, out) : VALUE_WRONG;
	}
}

static bool
is_digits(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
	return text.len > 0 && text.data[0] != '0';
}

enum value_status
value_from_text(struct arena *arena, const struct convro_field *field, struct slice text,
    struct convro_value *out)
{
	enum value_status status;
	int64_t number;

	*out = (struct convro_value){ .type = field->type };
	switch (field->type) {
	case CONVRO_INT:
		if (text_int64(text.data, text.len, &number) != 0) {
			if (!is_digits(text))
				return VALUE_WRONG;
			number = INT64_MAX; /* more digits than 64 bits hold */
		}
		status = check_int(field, number, out);
		if (status != VALUE_LARGE || field->in != CONVRO_QUERY ||
		    strcmp(field->name, "limit") != 0)
			return status;
		out->u.i = field->max; /* wire contract, section 1: a limit alone, no cursor */
		return VALUE_OK;
	case CONVRO_ID:
		return text_int64(text.data, text.len, &number) == 0 ? check_int(field, number, out)
								     : VALUE_WRONG;
	case CONVRO_BOOL:
		out->u.i = 1;
		return slice_is(text, "true") ? VALUE_OK : VALUE_WRONG;
	default:
		return read_texts(arena, field, text, out);
	}
}

bool
value_equal(const struct convro_value *a, const struct convro_value *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case 0:
		return true;
	case CONVRO_TEXT:
	case CONVRO_NUMBER:
		return a->len == b->len && memcmp(a->u.text, b->u.text, a->len) == 0;
	case CONVRO_BINARY:
		return a->len == b->len && memcmp(a->u.bytes, b->u.bytes, a->len) == 0;
	case CONVRO_OBJECT:
		return json_equal(json_of_node(a->u.node), json_of_node(b->u.node));
	default:
		return a->u.i == b->u.i;
	}
}
