/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Query strings: one copy of the text is decoded in place, the pairs are slices
 * of it.  Names are compared by hand: there are few of them, and at most
 * QUERY_PAIRS_MAX.
 */
#include "http/query.h"

#include "base/utf8.h"

#include <string.h>

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = text_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
percent_decode(const char *text, size_t len, bool plus, char *out, size_t *out_len)
{
	size_t wrote = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '%') {
			int high = len - i > 2 ? hex_value(text[i + 1]) : -1;
			int low = len - i > 2 ? hex_value(text[i + 2]) : -1;

			if (high < 0 || low < 0)
				return false;
			c = (char)(high * 16 + low);
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		if (c == '\0')
			return false;
		out[wrote++] = c;
	}
	*out_len = wrote;
	return true;
}

/* Decodes text[0..len) to `at` and puts a NUL behind it. */
static bool
decode(const char *text, size_t len, char *at, struct slice *out)
{
	size_t wrote;

	if (!percent_decode(text, len, true, at, &wrote) || !utf8_is_valid(at, wrote))
		return false;
	at[wrote] = '\0';
	*out = (struct slice){ at, wrote };
	return true;
}

static bool
is_twice(const struct query_pair *pairs, uint32_t count, const struct slice *name)
{
	for (uint32_t i = 0; i < count; i++)
		if (slice_equal(pairs[i].name, *name))
			return true;
	return false;
}

static uint32_t
count_pieces(const char *text, size_t len)
{
	uint32_t pieces = len > 0 ? 1 : 0;

	for (size_t i = 0; i < len; i++)
		pieces += text[i] == '&';
	return pieces;
}

enum query_status
query_parse(struct arena *arena, const char *text, size_t len, struct query *out)
{
	enum query_status status = QUERY_OK;
	uint32_t room = count_pieces(text, len);
	struct query_pair *pairs;
	char *at;

	*out = (struct query){ NULL, 0 };
	if (room == 0)
		return QUERY_OK;
	if (room > QUERY_PAIRS_MAX) {
		room = QUERY_PAIRS_MAX;
		status = QUERY_INVALID;
	}
	pairs = arena_alloc(arena, room * sizeof(*pairs));
	at = arena_alloc(arena, len + 2 * (size_t)room); /* a NUL behind each name and value */
	if (pairs == NULL || at == NULL)
		return QUERY_NO_MEMORY;

	for (size_t start = 0, end; start < len && room > 0; start = end + 1) {
		const char *piece = text + start;
		const char *stop = memchr(piece, '&', len - start);
		struct query_pair *pair = &pairs[out->count];
		const char *equals;
		size_t name_len;

		end = stop != NULL ? (size_t)(stop - text) : len;
		if (end == start)
			continue;
		room--;
		equals = memchr(piece, '=', end - start);
		name_len = equals != NULL ? (size_t)(equals - piece) : end - start;
		pair->value = (struct slice){ "", 0 };
		if (!decode(piece, name_len, at, &pair->name)) {
			status = QUERY_INVALID;
			continue;
		}
		at += name_len + 1;
		if (equals != NULL) {
			size_t value_len = end - start - name_len - 1;

			if (!decode(equals + 1, value_len, at, &pair->value)) {
				status = QUERY_INVALID;
				memcpy(at, equals + 1, value_len);
				at[value_len] = '\0';
				pair->value = (struct slice){ at, value_len };
			}
			at += value_len + 1;
		}
		if (is_twice(pairs, out->count, &pair->name))
			status = QUERY_INVALID;
		out->count++;
	}
	out->pairs = pairs;
	return status;
}

const struct slice *
query_get(const struct query *query, const char *name, size_t len)
{
	for (uint32_t i = 0; i < query->count; i++)
		if (slice_equal(query->pairs[i].name, (struct slice){ name, len }))
			return &query->pairs[i].value;
	return NULL;
}
