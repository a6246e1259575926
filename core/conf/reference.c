/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Option tables as text: the annotated convro.conf and the option sections of
 * convro.conf(5), so that neither can differ from what the server does.
 */
#include "conf/private.h"

#include <string.h>

#define COLUMNS 78

/* Words of `text` behind "# ", broken at COLUMNS. */
static void
put_wrapped(const char *text, struct buf *out)
{
	size_t column = 0;

	while (*text != '\0') {
		size_t len = strcspn(text, " \n");

		if (column > 0 && column + 1 + len > COLUMNS) {
			buf_putc(out, '\n');
			column = 0;
		}
		buf_puts(out, column == 0 ? "# " : " ");
		column += len + (column == 0 ? 2 : 1);
		buf_put(out, text, len);
		text += len + strspn(text + len, " \n");
	}
	if (column > 0)
		buf_putc(out, '\n');
}

static const char *
or_none(const char *text)
{
	return text != NULL ? text : "";
}

static bool
is_secret(const struct convro_option *option)
{
	return option->type == CONVRO_OPTION_SECRET;
}

/* "CONVRO_AUTH_SECRET" */
static void
put_environment(const char *section, const char *name, struct buf *out)
{
	buf_puts(out, "CONVRO_");
	for (const char *at = section; *at != '\0'; at++)
		buf_putc(out, *at >= 'a' && *at <= 'z' ? (char)(*at - 'a' + 'A') : *at);
	buf_putc(out, '_');
	for (const char *at = name; *at != '\0'; at++)
		buf_putc(out, *at >= 'a' && *at <= 'z' ? (char)(*at - 'a' + 'A') : *at);
}

/* The value as it is written in a file: in quotes where it would be read otherwise. */
static void
put_value(const char *value, struct buf *out)
{
	size_t len = strlen(value);

	if (value[0] != '"' && value[0] != '#' && strchr(value, '\n') == NULL &&
	    strstr(value, " #") == NULL && strstr(value, "\t#") == NULL &&
	    (len == 0 || (value[0] != ' ' && value[len - 1] != ' '))) {
		buf_puts(out, value);
		return;
	}
	buf_putc(out, '"');
	for (; *value != '\0'; value++) {
		if (*value == '\n') {
			buf_puts(out, "\\n");
			continue;
		}
		if (*value == '"' || *value == '\\')
			buf_putc(out, '\\');
		buf_putc(out, *value);
	}
	buf_putc(out, '"');
}

/* "name =", with the suffix of a secret, and the value when there is one. */
static void
put_assignment(const struct convro_option *option, const char *value, struct buf *out)
{
	buf_printf(out, "%s%s =", option->name, is_secret(option) ? "_file" : "");
	if (*value != '\0') {
		buf_putc(out, ' ');
		put_value(value, out);
	}
}

static void
put_option(const char *section, const struct convro_option *option, struct buf *out)
{
	struct buf line;

	buf_putc(out, '\n');
	put_wrapped(or_none(option->summary), out);
	buf_puts(out, "# Value: ");
	conf_put_type(option, out);
	buf_putc(out, '\n');
	if (is_secret(option)) {
		buf_init(&line, 0);
		buf_puts(&line, "Or: ");
		put_environment(section, option->name, &line);
		buf_printf(&line, " in the environment, or the systemd credential %s.%s", section,
		    option->name);
		put_wrapped(buf_text(&line), out);
		buf_fini(&line);
	}
	if (*or_none(option->example) != '\0') {
		buf_puts(out, "# Example: ");
		put_assignment(option, option->example, out);
		buf_putc(out, '\n');
	}
	buf_putc(out, '#');
	put_assignment(option, is_secret(option) ? "" : or_none(option->initial), out);
	buf_putc(out, '\n');
}

static void
put_section(const char *section, const char *summary, const struct convro_option *options,
    uint32_t count, struct buf *out)
{
	buf_putc(out, '\n');
	put_wrapped(or_none(summary), out);
	buf_printf(out, "[%s]\n", section);
	for (uint32_t i = 0; i < count; i++)
		put_option(section, &options[i], out);
}

void
conf_reference_head(struct buf *out)
{
	buf_puts(out,
	    "# Convro's configuration: every option at its default, as convrod\n"
	    "# --print-reference writes it.  Take the # away from a line to change it.\n"
	    "#\n"
	    "# [section], then option = value; a # at the start of a line or behind a\n"
	    "# blank begins a comment; \"quotes\" keep blanks and #.  Durations have ms, s,\n"
	    "# m, h or d behind them, sizes k, m or g.  An option may stand once in a file;\n"
	    "# files that are included are read behind this one and override it, and --set\n"
	    "# overrides both.  convrod --check tells every mistake.  See convro.conf(5).\n"
	    "\n"
	    "#include = conf.d/*.conf\n");
}

/* Text of a man page: what roff would read as its own is escaped. */
static void
put_roff(const char *text, size_t len, bool line_start, struct buf *out)
{
	if (line_start && len > 0 && (text[0] == '.' || text[0] == '\''))
		buf_puts(out, "\\&");
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\\')
			buf_puts(out, "\\e");
		else if (text[i] == '-')
			buf_puts(out, "\\-");
		else
			buf_putc(out, text[i]);
	}
}

/* A paragraph; each sentence begins a line, as mdoc(7) wants it. */
static void
put_roff_paragraph(const char *text, struct buf *out)
{
	size_t column = 0;

	while (*text != '\0') {
		size_t len = strcspn(text, " \n");
		const char *next = text + len + strspn(text + len, " \n");

		if (column > 0) {
			buf_putc(out, column + 1 + len > COLUMNS ? '\n' : ' ');
			column = column + 1 + len > COLUMNS ? 0 : column + 1;
		}
		put_roff(text, len, column == 0, out);
		column += len;
		if (len > 0 && text[len - 1] == '.' && *next >= 'A' && *next <= 'Z') {
			buf_putc(out, '\n');
			column = 0;
		}
		text = next;
	}
	if (column > 0)
		buf_putc(out, '\n');
}

static void
put_roff_literal(const struct convro_option *option, const char *value, struct buf *out)
{
	struct buf line;

	buf_init(&line, 0);
	put_assignment(option, value, &line);
	buf_puts(out, ".Bd -literal -offset indent -compact\n");
	put_roff(buf_text(&line), line.len, true, out);
	buf_puts(out, "\n.Ed\n");
	buf_fini(&line);
}

static void
put_roff_option(const char *section, const struct convro_option *option, struct buf *out)
{
	struct buf line;

	buf_printf(out, ".It Cm %s%s\n", option->name, is_secret(option) ? "_file" : "");
	put_roff_paragraph(or_none(option->summary), out);
	buf_puts(out, ".Pp\n");
	buf_init(&line, 0);
	buf_puts(&line, "Value: ");
	conf_put_type(option, &line);
	if (is_secret(option)) {
		buf_puts(&line, "; or ");
		put_environment(section, option->name, &line);
		buf_printf(&line, " in the environment, or the systemd credential %s.%s.", section,
		    option->name);
	} else if (*or_none(option->initial) == '\0') {
		buf_puts(&line, "; empty by default.");
	} else {
		buf_puts(&line, "; by default ");
		put_value(option->initial, &line);
		buf_putc(&line, '.');
	}
	put_roff_paragraph(buf_text(&line), out);
	buf_fini(&line);
	if (*or_none(option->example) != '\0') {
		buf_puts(out, "Example:\n");
		put_roff_literal(option, option->example, out);
	}
}

static void
put_roff_section(const char *section, const char *summary, const struct convro_option *options,
    uint32_t count, struct buf *out)
{
	buf_printf(out, ".Ss Section %s\n", section);
	put_roff_paragraph(or_none(summary), out);
	buf_puts(out, ".Bl -tag -width Ds\n");
	for (uint32_t i = 0; i < count; i++)
		put_roff_option(section, &options[i], out);
	buf_puts(out, ".El\n");
}

void
conf_reference(const char *form, const char *section, const char *summary,
    const struct convro_option *options, uint32_t count, struct buf *out)
{
	if (count == 0)
		return;
	if (strcmp(form, "man") == 0)
		put_roff_section(section, summary, options, count, out);
	else
		put_section(section, summary, options, count, out);
}
