/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Front guard: the line before each chunk (RFC 9112, 7.1).  Extensions mean
 * nothing to us, but one that is read differently elsewhere is a way to smuggle
 * a request, so their grammar is held to.
 */
#include "net/guard_parts.h"

#define SIZE_DIGITS_MAX 16

static size_t
skip_blanks(struct slice line, size_t at)
{
	while (at < line.len && (line.data[at] == ' ' || line.data[at] == '\t'))
		at++;
	return at;
}

/* Behind the token at `at`; `at` itself when there is none. */
static size_t
skip_token(struct slice line, size_t at)
{
	while (at < line.len && token_lower(line.data[at]) != 0)
		at++;
	return at;
}

/* Behind the quoted-string at `at`; `at` itself when it does not end or holds a control character.
 */
static size_t
skip_quoted(struct slice line, size_t at)
{
	for (size_t i = at + 1; i < line.len; i++) {
		if (line.data[i] == '"')
			return i + 1;
		if (line.data[i] == '\\')
			i++;
		if (i == line.len || !char_is(line.data[i], CHAR_VALUE))
			break;
	}
	return at;
}

/* *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] ) up to the end of the line. */
static bool
is_extension(struct slice line, size_t at)
{
	while (at < line.len) {
		size_t start;

		at = skip_blanks(line, at);
		if (at == line.len || line.data[at] != ';')
			return false;
		start = skip_blanks(line, at + 1);
		at = skip_token(line, start);
		if (at == start)
			return false;

		size_t equals = skip_blanks(line, at);
		if (equals == line.len || line.data[equals] != '=')
			continue;
		start = skip_blanks(line, equals + 1);
		if (start < line.len && line.data[start] == '"')
			at = skip_quoted(line, start);
		else
			at = skip_token(line, start);
		if (at == start)
			return false;
	}
	return true;
}

const char *
guard_read_chunk_line(struct slice line, uint64_t *size, size_t *extension)
{
	uint64_t value = 0;
	size_t at = 0;

	while (at < line.len && guard_hex(line.data[at]) >= 0) {
		if (at == SIZE_DIGITS_MAX)
			return "a chunk size has more than 16 digits";
		value = value << 4 | (uint64_t)guard_hex(line.data[at++]);
	}
	if (at == 0)
		return "a chunk size is no hexadecimal number";
	if (value > INT64_MAX)
		return "a chunk size is beyond 2^63";
	if (!is_extension(line, at))
		return "a chunk size is followed by a malformed extension";
	*size = value;
	*extension = line.len - at;
	return NULL;
}
