/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON reader: makes the tree.  The children of the open containers wait on one
 * stack; when a container closes, its own are copied to the arena in one piece
 * of the right size.  Tokens are read in scan.c, names are looked up in index.c.
 */
#include "json/reader.h"

#include "base/must.h"
#include "base/random.h"
#include "json/index.h"
#include "json/scan.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CHILDREN 32

struct reader {
	struct json_scan scan;
	unsigned depth;  /* containers that may still be opened */
	uint32_t values; /* values that may still come */

	struct json_member *children; /* stack; items of arrays leave the name unused */
	size_t count, size;
	struct json_member first[FIRST_CHILDREN]; /* the stack of most texts */

	bool has_key;
	struct siphash_key key; /* of all tables of this tree; made for the first large object */
};

static bool parse_value(struct reader *reader, struct json_value *value);

static bool
syntax(struct reader *reader, const char *message)
{
	return json_scan_fail(&reader->scan, JSON_SYNTAX, reader->scan.at, message);
}

static bool
no_memory(struct reader *reader)
{
	return json_scan_fail(&reader->scan, JSON_NO_MEMORY, reader->scan.at, "out of memory");
}

/* The next byte that is no blank; 0 at the end (a NUL in the text starts no token either). */
static char
peek(struct reader *reader)
{
	struct json_scan *scan = &reader->scan;

	while (scan->at < scan->end &&
	       (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\r' || *scan->at == '\t'))
		scan->at++;
	return scan->at < scan->end ? *scan->at : '\0';
}

static bool
push(struct reader *reader, const struct json_member *child)
{
	if (reader->count == reader->size) {
		bool first = reader->children == reader->first;
		size_t bytes = reader->size * 2 * sizeof *reader->children;
		struct json_member *grown = realloc(first ? NULL : reader->children, bytes);

		if (grown == NULL)
			return no_memory(reader);
		if (first)
			memcpy(grown, reader->first, sizeof reader->first);
		reader->children = grown;
		reader->size *= 2;
	}
	reader->children[reader->count++] = *child;
	return true;
}

/* The children above `base` become the items of `value`. */
static bool
close_array(struct reader *reader, size_t base, struct json_value *value)
{
	size_t count = reader->count - base;
	struct json_value *items = NULL;

	if (count > 0) {
		items = arena_alloc(reader->scan.arena, count * sizeof *items);
		if (items == NULL)
			return no_memory(reader);
	}
	for (size_t i = 0; i < count; i++)
		items[i] = reader->children[base + i].value;
	reader->count = base;
	value->type = JSON_ARRAY;
	value->count = (uint32_t)count;
	value->u.items = items;
	return true;
}

/* The children above `base` become the members of `value`. */
static bool
close_object(struct reader *reader, size_t base, struct json_value *value)
{
	size_t count = reader->count - base;
	struct json_member *members = NULL;
	const struct json_member *duplicate;

	if (count > 0) {
		size_t bytes = count * sizeof *members;

		members = arena_alloc(reader->scan.arena, bytes + json_index_size(count));
		if (members == NULL)
			return no_memory(reader);
		memcpy(members, reader->children + base, bytes);
	}
	if (count > JSON_LINEAR_MAX && !reader->has_key) {
		random_bytes(&reader->key, sizeof reader->key);
		reader->has_key = true;
	}
	duplicate = json_index_build(members, (uint32_t)count, &reader->key);
	if (duplicate != NULL)
		return json_scan_fail(
		    &reader->scan, JSON_SYNTAX, duplicate->value.raw, "duplicate key");
	reader->count = base;
	value->type = JSON_OBJECT;
	value->count = (uint32_t)count;
	value->u.members = members;
	return true;
}

static bool
parse_items(struct reader *reader)
{
	if (peek(reader) == ']')
		return true;
	for (;;) {
		struct json_member child = { 0 };

		if (!parse_value(reader, &child.value) || !push(reader, &child))
			return false;
		if (peek(reader) == ']')
			return true;
		if (peek(reader) != ',')
			return syntax(reader, "expected ',' or ']' in an array");
		reader->scan.at++;
	}
}

static bool
parse_members(struct reader *reader)
{
	if (peek(reader) == '}')
		return true;
	for (;;) {
		struct json_member child;

		if (peek(reader) != '"')
			return syntax(reader, "expected a key in quotes");
		if (!json_scan_text(&reader->scan, &child.name, &child.name_len))
			return false;
		if (peek(reader) != ':')
			return syntax(reader, "expected ':' behind a key");
		reader->scan.at++;
		if (!parse_value(reader, &child.value) || !push(reader, &child))
			return false;
		if (peek(reader) == '}')
			return true;
		if (peek(reader) != ',')
			return syntax(reader, "expected ',' or '}' in an object");
		reader->scan.at++;
	}
}

/* `at` is at the opening bracket. */
static bool
parse_container(struct reader *reader, struct json_value *value)
{
	bool object = *reader->scan.at == '{';
	size_t base = reader->count;

	if (reader->depth == 0)
		return json_scan_fail(
		    &reader->scan, JSON_DEPTH, reader->scan.at, "nested too deeply");
	reader->depth--;
	reader->scan.at++;
	if (!(object ? parse_members(reader) : parse_items(reader)))
		return false;
	reader->scan.at++;
	reader->depth++;
	return object ? close_object(reader, base, value) : close_array(reader, base, value);
}

static bool
parse_word(struct reader *reader, const char *word, enum json_type type, struct json_value *value)
{
	size_t len = strlen(word);

	if ((size_t)(reader->scan.end - reader->scan.at) < len ||
	    memcmp(reader->scan.at, word, len) != 0)
		return syntax(reader, "expected a value");
	reader->scan.at += len;
	value->type = (uint8_t)type;
	value->u.boolean = *word == 't';
	return true;
}

static bool
parse_token(struct reader *reader, char first, struct json_value *value)
{
	switch (first) {
	case '{':
	case '[':
		return parse_container(reader, value);
	case '"':
		value->type = JSON_TEXT;
		return json_scan_text(&reader->scan, &value->u.text, &value->count);
	case 't':
		return parse_word(reader, "true", JSON_BOOL, value);
	case 'f':
		return parse_word(reader, "false", JSON_BOOL, value);
	case 'n':
		return parse_word(reader, "null", JSON_NULL, value);
	default:
		if (first == '-' || (first >= '0' && first <= '9'))
			return json_scan_number(&reader->scan, value);
		return syntax(reader, "expected a value");
	}
}

static bool
parse_value(struct reader *reader, struct json_value *value)
{
	char first = peek(reader);

	if (reader->values == 0)
		return json_scan_fail(
		    &reader->scan, JSON_TOO_MANY, reader->scan.at, "too many values");
	reader->values--;
	*value = (struct json_value){ .raw = reader->scan.at };
	if (!parse_token(reader, first, value))
		return false;
	value->raw_len = (uint32_t)(reader->scan.at - value->raw);
	return true;
}

/* The whole text into `root`. */
static bool
parse_text(struct reader *reader, struct json_value *root)
{
	struct json_scan *scan = &reader->scan;

	if ((size_t)(scan->end - scan->start) > UINT32_MAX)
		return json_scan_fail(scan, JSON_TOO_MANY, scan->start, "text of 4 GiB or more");
	if (!parse_value(reader, root))
		return false;
	(void)peek(reader);
	if (scan->at != scan->end)
		return syntax(reader, "something follows the value");
	if (scan->nul != NULL)
		(void)json_scan_fail(scan, JSON_NUL, scan->nul, "\\u0000 in a string");
	return true;
}

enum json_status
json_parse(struct arena *arena, const char *text, size_t len, const struct json_limits *limits,
    const struct json_value **out, struct json_error *error)
{
	struct reader reader;
	struct json_value *root = arena_alloc(arena, sizeof *root);

	if (len == 0)
		text = ""; /* it may be NULL then */
	reader.scan =
	    (struct json_scan){ .arena = arena, .start = text, .end = text + len, .at = text };
	reader.depth = limits == NULL || limits->depth == 0 ? JSON_DEPTH_MAX : limits->depth;
	reader.values =
	    limits == NULL || limits->values == 0 ? JSON_VALUES_DEFAULT : limits->values;
	reader.children = reader.first;
	reader.count = 0;
	reader.size = FIRST_CHILDREN;
	reader.has_key = false;
	MUST(reader.depth <= JSON_DEPTH_MAX);

	*out = NULL;
	if (root == NULL)
		(void)no_memory(&reader);
	else if (parse_text(&reader, root))
		*out = root;
	if (reader.children != reader.first)
		free(reader.children);
	if (error != NULL && reader.scan.status != JSON_OK)
		*error = reader.scan.error;
	return reader.scan.status;
}
