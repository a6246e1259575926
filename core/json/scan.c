/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tokens of the JSON reader.  A text without escapes stays where it is; one
 * with escapes is measured first, because it never grows by decoding, and then
 * decoded into the arena.
 */
#include "json/scan.h"

#include "base/hex.h"
#include "base/text.h"
#include "base/utf8.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

bool
json_scan_fail(struct json_scan *scan, enum json_status status, const char *at, const char *message)
{
	scan->status = status;
	scan->error.offset = (size_t)(at - scan->start);
	scan->error.message = message;
	return false;
}

static bool
syntax(struct json_scan *scan, const char *at, const char *message)
{
	return json_scan_fail(scan, JSON_SYNTAX, at, message);
}

/* From `at` to the next quote or backslash; NULL when it failed. */
static const char *
skip_unescaped(struct json_scan *scan, const char *at)
{
	for (;;) {
		size_t step;

		at += json_plain_run(at, scan->end);
		if (at == scan->end) {
			syntax(scan, at, "string without its closing quote");
			return NULL;
		}
		if (*at == '"' || *at == '\\')
			return at;
		if ((unsigned char)*at < 0x20) {
			syntax(scan, at, "control character in a string");
			return NULL;
		}
		step = utf8_step(at, (size_t)(scan->end - at));
		if (step == 0) {
			syntax(scan, at, "invalid utf-8");
			return NULL;
		}
		at += step;
	}
}

/* The four digits at `at`. */
static bool
get_code_unit(struct json_scan *scan, const char *at, uint32_t *out)
{
	uint8_t bytes[2];

	if (scan->end - at < 4 || hex_decode(at, 4, bytes) != 0)
		return syntax(scan, at, "\\u without four hexadecimal digits");
	*out = (uint32_t)bytes[0] << 8 | bytes[1];
	return true;
}

/* `*at` is behind "\u"; both pointers move on. */
static bool
decode_code_point(struct json_scan *scan, const char **at, char **out)
{
	const char *first = *at - 2;
	uint32_t code, low;

	if (!get_code_unit(scan, *at, &code))
		return false;
	*at += 4;
	if (code == 0 && scan->nul == NULL)
		scan->nul = first;
	if (code >= 0xd800 && code < 0xdc00) {
		if (scan->end - *at < 2 || (*at)[0] != '\\' || (*at)[1] != 'u')
			return syntax(scan, first, "lone surrogate");
		if (!get_code_unit(scan, *at + 2, &low))
			return false;
		if (low < 0xdc00 || low >= 0xe000)
			return syntax(scan, first, "lone surrogate");
		*at += 6;
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	} else if (code >= 0xdc00 && code < 0xe000) {
		return syntax(scan, first, "lone surrogate");
	}
	*out += utf8_encode(code, *out);
	return true;
}

/* `*at` is at the backslash; both pointers move on. */
static bool
decode_escape(struct json_scan *scan, const char **at, char **out)
{
	static const char names[] = "\"\\/bfnrt";
	static const char meanings[] = "\"\\/\b\f\n\r\t";
	const char *name;

	if (scan->end - *at < 2)
		return syntax(scan, *at, "string without its closing quote");
	if ((*at)[1] == 'u') {
		*at += 2;
		return decode_code_point(scan, at, out);
	}
	name = memchr(names, (*at)[1], sizeof names - 1);
	if (name == NULL)
		return syntax(scan, *at, "unknown escape");
	*(*out)++ = meanings[name - names];
	*at += 2;
	return true;
}

/* Bytes from `at`, which is inside a string, to its closing quote or the end of everything. */
static size_t
raw_length(const struct json_scan *scan, const char *at)
{
	const char *from = at;

	while (at < scan->end && *at != '"')
		at += *at == '\\' && scan->end - at > 1 ? 2 : 1;
	return (size_t)(at - from);
}

/* A string whose first escape is at `at`. */
static bool
decode_text(
    struct json_scan *scan, const char *start, const char *at, const char **text, uint32_t *len)
{
	char *decoded = arena_alloc(scan->arena, raw_length(scan, start));
	char *out = decoded;

	if (decoded == NULL)
		return json_scan_fail(scan, JSON_NO_MEMORY, start, "out of memory");
	for (;;) {
		memcpy(out, start, (size_t)(at - start));
		out += at - start;
		if (*at == '"')
			break;
		if (!decode_escape(scan, &at, &out))
			return false;
		start = at;
		at = skip_unescaped(scan, start);
		if (at == NULL)
			return false;
	}
	*text = decoded;
	*len = (uint32_t)(out - decoded);
	scan->at = at + 1;
	return true;
}

bool
json_scan_text(struct json_scan *scan, const char **text, uint32_t *len)
{
	const char *start = scan->at + 1;
	const char *at = skip_unescaped(scan, start);

	if (at == NULL)
		return false;
	if (*at == '\\')
		return decode_text(scan, start, at, text, len);
	*text = start;
	*len = (uint32_t)(at - start);
	scan->at = at + 1;
	return true;
}

static const char *
skip_digits(const struct json_scan *scan, const char *at)
{
	while (at < scan->end && *at >= '0' && *at <= '9')
		at++;
	return at;
}

/* libc does the rounding.  The locale is "C" because nothing here ever calls setlocale. */
static bool
convert(struct json_scan *scan, const char *token, size_t len, double *out)
{
	char small[64];
	char *copy = small;

	if (len >= sizeof small)
		copy = arena_alloc(scan->arena, len + 1);
	if (copy == NULL)
		return json_scan_fail(scan, JSON_NO_MEMORY, token, "out of memory");
	memcpy(copy, token, len);
	copy[len] = '\0';
	*out = strtod(copy, NULL);
	if (isinf(*out))
		return syntax(scan, token, "number too large for a double");
	return true;
}

/* A fraction without exponent and of at most 15 digits: both parts of the quotient are exact, so
 * the one rounding of the division gives the right double. */
static bool
convert_short(const char *token, const char *end, double *out)
{
	static const double powers[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10,
		1e11, 1e12, 1e13, 1e14, 1e15 };
	bool negative = *token == '-';
	const char *point = NULL;
	int64_t digits = 0;

	if (FLT_EVAL_METHOD != 0 || end - token > 16)
		return false;
	for (const char *at = token + negative; at < end; at++) {
		if (*at == '.')
			point = at;
		else if (*at >= '0' && *at <= '9')
			digits = digits * 10 + (*at - '0');
		else
			return false;
	}
	if (point == NULL)
		return false;
	*out = (double)digits / powers[end - point - 1];
	if (negative)
		*out = -*out;
	return true;
}

bool
json_scan_number(struct json_scan *scan, struct json_value *value)
{
	const char *token = scan->at;
	const char *at = token + (*token == '-');
	const char *digits = at;
	bool integer = true;

	at = skip_digits(scan, at);
	if (at == digits)
		return syntax(scan, token, "'-' without a digit");
	if (*digits == '0' && at - digits > 1)
		return syntax(scan, token, "number with a leading zero");
	if (at < scan->end && *at == '.') {
		integer = false;
		digits = ++at;
		at = skip_digits(scan, at);
		if (at == digits)
			return syntax(scan, token, "no digit behind the point");
	}
	if (at < scan->end && (*at == 'e' || *at == 'E')) {
		integer = false;
		at++;
		if (at < scan->end && (*at == '+' || *at == '-'))
			at++;
		digits = at;
		at = skip_digits(scan, at);
		if (at == digits)
			return syntax(scan, token, "exponent without a digit");
	}

	scan->at = at;
	value->type = JSON_INT;
	if (integer && text_int64(token, (size_t)(at - token), &value->u.integer) == 0)
		return true;
	value->type = JSON_DOUBLE; /* "-0" too: an integer has no negative zero */
	return convert_short(token, at, &value->u.real) ||
	       convert(scan, token, (size_t)(at - token), &value->u.real);
}
