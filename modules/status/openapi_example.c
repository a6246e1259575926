/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The schema of an answer, read off its example.  An example cannot tell which
 * members may be null, so all scalars may; a null tells nothing but the name.
 */
#include "status.h"

#include <string.h>

struct reading {
	struct convro_ctx *ctx;
	struct convro_json *json;
	const char *at; /* in a text that was parsed before, so it is well-formed */
};

static void put_shape(struct reading *reading, const char *key);

static void
skip(struct reading *reading, const char *chars)
{
	reading->at += strspn(reading->at, chars);
}

/* Past the string that begins here; its inside, escapes and all, is *text. */
static size_t
skip_string(struct reading *reading, const char **text)
{
	*text = ++reading->at;
	while (*reading->at != '"')
		reading->at += *reading->at == '\\' ? 2 : 1;
	return (size_t)(reading->at++ - *text);
}

static void
put_members(struct reading *reading)
{
	convro->json->put_text(reading->json, "type", "object");
	convro->json->open_object(reading->json, "properties");
	for (skip(reading, "{ \t\r\n"); *reading->at != '}'; skip(reading, ", \t\r\n")) {
		const char *name;
		size_t len = skip_string(reading, &name);
		const char *key = convro->mem->copy(reading->ctx, name, len);

		skip(reading, ": \t\r\n");
		put_shape(reading, key != NULL ? key : "out_of_memory");
	}
	reading->at++;
	convro->json->close_object(reading->json);
}

/* Passes over one value without telling of it. */
static void
skip_value(struct reading *reading)
{
	int depth = 0;
	const char *text;

	do {
		if (*reading->at == '"') {
			(void)skip_string(reading, &text);
			continue;
		}
		if (*reading->at == '{' || *reading->at == '[')
			depth++;
		else if (*reading->at == '}' || *reading->at == ']')
			depth--;
		reading->at++;
	} while (depth > 0);
}

/* The first element speaks for all. */
static void
put_elements(struct reading *reading)
{
	convro->json->put_text(reading->json, "type", "array");
	reading->at++;
	skip(reading, " \t\r\n");
	if (*reading->at != ']')
		put_shape(reading, "items");
	for (skip(reading, ", \t\r\n"); *reading->at != ']'; skip(reading, ", \t\r\n"))
		skip_value(reading);
	reading->at++;
}

static void
put_scalar(struct reading *reading, const char *type)
{
	convro->json->open_array(reading->json, "type");
	convro->json->put_text(reading->json, NULL, type);
	convro->json->put_text(reading->json, NULL, "null");
	convro->json->close_array(reading->json);
}

static void
put_shape(struct reading *reading, const char *key)
{
	const char *text;
	size_t len;

	convro->json->open_object(reading->json, key);
	switch (*reading->at) {
	case '{':
		put_members(reading);
		break;
	case '[':
		put_elements(reading);
		break;
	case '"':
		(void)skip_string(reading, &text);
		put_scalar(reading, "string");
		break;
	default:
		text = reading->at;
		len = strcspn(text, ",]} \t\r\n");
		reading->at += len;
		if (*text == 't' || *text == 'f')
			put_scalar(reading, "boolean");
		else if (*text != 'n')
			put_scalar(reading, memchr(text, '.', len) != NULL ? "number" : "integer");
	}
	convro->json->close_object(reading->json);
}

void
openapi_write_shape(
    struct convro_ctx *ctx, struct convro_json *json, const char *key, const char *example)
{
	struct reading reading = { ctx, json, example };

	skip(&reading, " \t\r\n");
	put_shape(&reading, key);
}
