/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON writer.  Each value asks the buffer once for all the room it needs.
 */
#include "json/writer.h"

#include "base/base64.h"
#include "base/hex.h"
#include "base/isotime.h"
#include "base/must.h"
#include "base/text.h"
#include "json/scan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
json_writer_init(struct json_writer *writer, struct buf *out)
{
	writer->out = out;
	writer->depth = 0;
	writer->comma = false;
	writer->keyed = false;
}

bool
json_done(const struct json_writer *writer)
{
	MUST(writer->depth == 0 && writer->comma);
	return !writer->out->failed;
}

/* Whether a value may stand here.  Says whether it has a name to write. */
static inline bool
takes_name(struct json_writer *writer, const char *key)
{
	bool in_object = writer->depth > 0 && writer->objects[writer->depth - 1];

	MUST(writer->depth > 0 || !writer->comma); /* one value at the top */
	MUST((key != NULL) == (in_object && !writer->keyed));
	return key != NULL;
}

/* What stands before a value, a comma and the name, and room behind it for `most` bytes of the
 * value, which `finish` counts.  NULL when memory is out. */
static inline char *
begin(struct json_writer *writer, const char *key, size_t most)
{
	size_t len = takes_name(writer, key) ? strlen(key) : 0;
	char *at = buf_room(writer->out, len + 4 + most);
	bool comma = writer->comma && !writer->keyed;

	writer->comma = true;
	writer->keyed = false;
	if (at == NULL)
		return NULL;
	if (comma)
		*at++ = ',';
	if (key != NULL) {
		*at++ = '"';
		memcpy(at, key, len);
		at += len;
		*at++ = '"';
		*at++ = ':';
	}
	return at;
}

/* `end` is behind the value. */
static inline void
finish(struct json_writer *writer, const char *end)
{
	struct buf *out = writer->out;

	buf_wrote(out, (size_t)(end - (out->data + out->len)));
}

static void
open_container(struct json_writer *writer, const char *key, bool object)
{
	char *at = begin(writer, key, 1);

	MUST(writer->depth < JSON_WRITER_DEPTH_MAX);
	writer->objects[writer->depth++] = object;
	writer->comma = false;
	if (at == NULL)
		return;
	*at++ = object ? '{' : '[';
	finish(writer, at);
}

static void
close_container(struct json_writer *writer, bool object)
{
	MUST(writer->depth > 0 && writer->objects[writer->depth - 1] == object && !writer->keyed);
	writer->depth--;
	writer->comma = true;
	buf_putc(writer->out, object ? '}' : ']');
}

void
json_open_object(struct json_writer *writer, const char *key)
{
	open_container(writer, key, true);
}

void
json_close_object(struct json_writer *writer)
{
	close_container(writer, true);
}

void
json_open_array(struct json_writer *writer, const char *key)
{
	open_container(writer, key, false);
}

void
json_close_array(struct json_writer *writer)
{
	close_container(writer, false);
}

void
json_key(struct json_writer *writer, const char *name, size_t len)
{
	MUST(writer->depth > 0 && writer->objects[writer->depth - 1] && !writer->keyed);
	if (writer->comma)
		buf_putc(writer->out, ',');
	json_write_text(writer->out, name, len);
	buf_putc(writer->out, ':');
	writer->comma = true;
	writer->keyed = true;
}

void
json_put_raw(struct json_writer *writer, const char *key, const char *text, size_t len)
{
	char *at = begin(writer, key, len);

	MUST(len > 0);
	if (at == NULL)
		return;
	memcpy(at, text, len);
	finish(writer, at + len);
}

void
json_put_null(struct json_writer *writer, const char *key)
{
	json_put_raw(writer, key, "null", 4);
}

void
json_put_bool(struct json_writer *writer, const char *key, bool value)
{
	json_put_raw(writer, key, value ? "true" : "false", value ? 4 : 5);
}

void
json_put_int(struct json_writer *writer, const char *key, int64_t value)
{
	char *at = begin(writer, key, TEXT_INT64_MAX);

	if (at != NULL)
		finish(writer, at + text_from_int64(value, at));
}

/* A value in quotes, of at most `most` characters that need no escape: between these two it is
 * written. */
static inline char *
begin_quoted(struct json_writer *writer, const char *key, size_t most)
{
	char *at = begin(writer, key, most + 2);

	if (at != NULL)
		*at++ = '"';
	return at;
}

static inline void
finish_quoted(struct json_writer *writer, char *end)
{
	*end++ = '"';
	finish(writer, end);
}

void
json_put_int_text(struct json_writer *writer, const char *key, int64_t value)
{
	char *at = begin_quoted(writer, key, TEXT_INT64_MAX);

	if (at != NULL)
		finish_quoted(writer, at + text_from_int64(value, at));
}

void
json_put_double(struct json_writer *writer, const char *key, double value)
{
	char text[40]; /* sign, 17 digits, point, e-308, ".0" */
	int len = 0;

	if (!isfinite(value)) {
		json_put_null(writer, key);
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		double back;

		len = snprintf(text, sizeof text - 2, "%.*g", digits, value);
		back = strtod(text, NULL);
		if (back >= value && back <= value)
			break;
	}
	if (strpbrk(text, ".e") == NULL) { /* it would read back as an integer */
		text[len++] = '.';
		text[len++] = '0';
	}
	json_put_raw(writer, key, text, (size_t)len);
}

void
json_put_text(struct json_writer *writer, const char *key, const char *text)
{
	json_put_text_n(writer, key, text, text == NULL ? 0 : strlen(text));
}

void
json_put_text_n(struct json_writer *writer, const char *key, const char *text, size_t len)
{
	if (text == NULL && len == 0) {
		json_put_null(writer, key);
		return;
	}
	if (json_plain_run(text, text + len) == len) {
		char *at = begin_quoted(writer, key, len);

		if (at == NULL)
			return;
		memcpy(at, text, len);
		finish_quoted(writer, at + len);
	} else {
		char *at = begin(writer, key, 0);

		if (at == NULL)
			return;
		finish(writer, at);
		json_write_text(writer->out, text, len);
	}
}

void
json_put_bytes(struct json_writer *writer, const char *key, const void *data, size_t len)
{
	size_t encoded = base64_encoded_len(len);
	char *at;

	if (data == NULL) {
		json_put_null(writer, key);
		return;
	}
	at = begin_quoted(writer, key, encoded);
	if (at == NULL)
		return;
	base64_encode(data, len, at);
	finish_quoted(writer, at + encoded);
}

void
json_put_hex16(struct json_writer *writer, const char *key, int64_t value)
{
	char *at = begin_quoted(writer, key, HEX16_LEN);

	if (at == NULL)
		return;
	hex16_encode(value, at);
	finish_quoted(writer, at + HEX16_LEN);
}

void
json_put_hex8(struct json_writer *writer, const char *key, int32_t value)
{
	char *at = begin_quoted(writer, key, HEX8_LEN);

	if (at == NULL)
		return;
	hex8_encode(value, at);
	finish_quoted(writer, at + HEX8_LEN);
}

void
json_put_time(struct json_writer *writer, const char *key, int64_t us)
{
	char *at = begin_quoted(writer, key, ISOTIME_LEN);

	if (at == NULL)
		return;
	isotime_format(us, at);
	finish_quoted(writer, at + ISOTIME_LEN);
}

void
json_put_time_s(struct json_writer *writer, const char *key, int64_t us)
{
	char *at = begin_quoted(writer, key, ISOTIME_S_LEN);

	if (at == NULL)
		return;
	isotime_format_s(us, at);
	finish_quoted(writer, at + ISOTIME_S_LEN);
}

static void
put_items(struct json_writer *writer, const char *key, const struct json_value *value)
{
	json_open_array(writer, key);
	for (uint32_t i = 0; i < value->count; i++)
		json_put_value(writer, NULL, &value->u.items[i]);
	json_close_array(writer);
}

static void
put_members(struct json_writer *writer, const char *key, const struct json_value *value)
{
	json_open_object(writer, key);
	for (uint32_t i = 0; i < value->count; i++) {
		const struct json_member *member = &value->u.members[i];

		json_key(writer, member->name, member->name_len);
		json_put_value(writer, NULL, &member->value);
	}
	json_close_object(writer);
}

void
json_put_value(struct json_writer *writer, const char *key, const struct json_value *value)
{
	switch ((enum json_type)value->type) {
	case JSON_NULL:
		json_put_null(writer, key);
		break;
	case JSON_BOOL:
		json_put_bool(writer, key, value->u.boolean);
		break;
	case JSON_INT:
		json_put_int(writer, key, value->u.integer);
		break;
	case JSON_DOUBLE:
		json_put_double(writer, key, value->u.real);
		break;
	case JSON_TEXT:
		json_put_text_n(writer, key, value->u.text, value->count);
		break;
	case JSON_ARRAY:
		put_items(writer, key, value);
		break;
	case JSON_OBJECT:
		put_members(writer, key, value);
		break;
	}
}

/* The escape of the character at `at`, which has `left` bytes; *taken of them are replaced.  0 when
 * it needs none.  Line and paragraph separator are escaped because they end a line in JavaScript
 * before ES2019. */
static size_t
escape(const unsigned char *at, size_t left, char out[6], size_t *taken)
{
	static const char names[] = "btn?fr"; /* of 8 .. 13; 11 has none */

	*taken = 1;
	out[0] = '\\';
	if (*at == '"' || *at == '\\') {
		out[1] = (char)*at;
		return 2;
	}
	if (*at >= 8 && *at <= 13 && *at != 11) {
		out[1] = names[*at - 8];
		return 2;
	}
	if (*at < 0x20) {
		memcpy(out + 1, "u00", 3);
		hex_encode(at, 1, out + 4);
		return 6;
	}
	if (left >= 3 && at[0] == 0xe2 && at[1] == 0x80 && (at[2] == 0xa8 || at[2] == 0xa9)) {
		memcpy(out + 1, at[2] == 0xa8 ? "u2028" : "u2029", 5);
		*taken = 3;
		return 6;
	}
	return 0;
}

void
json_write_text(struct buf *out, const char *text, size_t len)
{
	const char *end, *run; /* `run` is not written yet */

	if (len == 0) {
		buf_put(out, "\"\"", 2);
		return;
	}
	end = text + len;
	run = text;
	buf_putc(out, '"');
	for (const char *at = text; at < end;) {
		char escaped[6];
		size_t count, taken;

		at += json_plain_run(at, end);
		if (at == end)
			break;
		count = escape((const unsigned char *)at, (size_t)(end - at), escaped, &taken);
		if (count > 0) {
			buf_put(out, run, (size_t)(at - run));
			buf_put(out, escaped, count);
			run = at + taken;
		}
		at += taken;
	}
	buf_put(out, run, (size_t)(end - run));
	buf_putc(out, '"');
}
