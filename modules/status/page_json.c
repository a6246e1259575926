/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An example in JSON as people like to read it: indented, small objects on one
 * line, names and values marked up for the style sheet.  The text is valid: it
 * was parsed before.
 */
#include "status.h"

#include <string.h>

enum { ONE_LINE_MAX = 60 };

struct printer {
	struct text *out;
	const char *at, *end;
	unsigned depth;
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void
skip_blanks(struct printer *printer)
{
	while (printer->at < printer->end && is_blank(*printer->at))
		printer->at++;
}

/* Bytes of the string that begins at `at`, quotes included. */
static size_t
string_len(const char *at, const char *end)
{
	const char *from = at++;

	while (at < end && *at != '"')
		at += *at == '\\' && at + 1 < end ? 2 : 1;
	return (size_t)((at < end ? at + 1 : end) - from);
}

/* True when the object or array at `at` is short and holds no other. */
static bool
fits_one_line(const char *at, const char *end)
{
	const char *from = at++;

	for (; at < end && at - from <= ONE_LINE_MAX; at++) {
		if (*at == '"')
			at += string_len(at, end) - 1;
		else if (*at == '{' || *at == '[')
			return false;
		else if (*at == '}' || *at == ']')
			return at - from <= ONE_LINE_MAX;
	}
	return false;
}

static void
put_marked(struct printer *printer, const char *class, size_t len)
{
	text_printf(printer->out, "<span class=\"%s\">", class);
	text_escape(printer->out, printer->at, len);
	text_puts(printer->out, "</span>");
	printer->at += len;
}

static void
break_line(struct printer *printer, bool one_line)
{
	if (one_line) {
		text_puts(printer->out, " ");
		return;
	}
	text_puts(printer->out, "\n");
	for (unsigned i = 0; i < printer->depth; i++)
		text_puts(printer->out, "  ");
}

static void put_value(struct printer *printer);

/* An object or an array, from its opening bracket to its closing one. */
static void
put_members(struct printer *printer, char close)
{
	bool one_line = fits_one_line(printer->at, printer->end);

	text_put(printer->out, printer->at++, 1);
	skip_blanks(printer);
	if (printer->at < printer->end && *printer->at == close) {
		text_put(printer->out, printer->at++, 1);
		return;
	}
	printer->depth++;
	while (printer->at < printer->end && *printer->at != close) {
		break_line(printer, one_line);
		if (close == '}') {
			put_marked(printer, "k", string_len(printer->at, printer->end));
			skip_blanks(printer);
			printer->at++; /* the colon */
			text_puts(printer->out, ": ");
			skip_blanks(printer);
		}
		put_value(printer);
		skip_blanks(printer);
		if (printer->at < printer->end && *printer->at == ',') {
			text_put(printer->out, printer->at++, 1);
			skip_blanks(printer);
		}
	}
	printer->depth--;
	break_line(printer, one_line);
	if (printer->at < printer->end)
		text_put(printer->out, printer->at++, 1);
}

static void
put_value(struct printer *printer)
{
	size_t len = 0;

	switch (*printer->at) {
	case '{':
		put_members(printer, '}');
		return;
	case '[':
		put_members(printer, ']');
		return;
	case '"':
		put_marked(printer, "s", string_len(printer->at, printer->end));
		return;
	default:
		while (printer->at + len < printer->end &&
		       strchr(",]} \t\r\n", printer->at[len]) == NULL)
			len++;
		put_marked(printer, "n", len);
	}
}

void
page_write_json(struct text *out, const char *json, size_t len)
{
	struct printer printer = { .out = out, .at = json, .end = json + len };

	skip_blanks(&printer);
	if (printer.at < printer.end)
		put_value(&printer);
}
