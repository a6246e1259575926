/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader: text to entries.  "[section]", "option = value", "# comment",
 * and before the first section "include = PATTERN"; convro.conf(5) describes it.
 *
 * Our own because libconfuse stops at the first mistake, and libinih gives no
 * line numbers and cuts values in silence.  It is small and fuzzed.
 */
#include "base/text.h"
#include "base/utf8.h"
#include "conf/private.h"

#include <string.h>

#define NAME_MAX_LEN 64

struct reader {
	struct conf *conf;
	struct conf_place place;
	const char *section; /* NULL before the first, and behind a malformed header */
	bool began;          /* a header was seen */
	struct buf *includes;
	struct buf value; /* the value at hand, escapes replaced */
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool
conf_is_name(const char *text, size_t len)
{
	if (len == 0 || len > NAME_MAX_LEN || text[0] < 'a' || text[0] > 'z')
		return false;
	for (size_t i = 1; i < len; i++) {
		char c = text[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_')
			return false;
	}
	return true;
}

const char *
conf_bad_bytes(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return "a control character is not allowed here";
	}
	return utf8_is_valid(text, len) ? NULL : "this is not UTF-8";
}

/* `part` with a NUL behind it, cut for a sentence. */
static struct conf_shown
show_slice(struct slice part)
{
	char copy[sizeof(struct conf_shown)];
	size_t len = part.len < sizeof(copy) - 1 ? part.len : sizeof(copy) - 1;

	if (len > 0)
		memcpy(copy, part.data, len);
	copy[len] = '\0';
	return conf_show(copy);
}

/* The line's first word: what stands behind it may be a secret that lacks its '='. */
static struct conf_shown
show_word(struct slice line)
{
	size_t len = 0;

	while (len < line.len && !is_blank(line.data[len]) && line.data[len] != ':')
		len++;
	return show_slice((struct slice){ line.data, len });
}

/* What may follow a header or a quoted value: nothing, or blanks and a comment. */
static bool
is_tail(const char *at, const char *end)
{
	if (at == end)
		return true;
	if (!is_blank(*at))
		return false;
	while (at < end && is_blank(*at))
		at++;
	return at == end || *at == '#';
}

static void
read_header(struct reader *reader, struct slice line)
{
	const char *end = line.data + line.len;
	const char *close = memchr(line.data, ']', line.len);
	struct slice name;

	reader->section = NULL;
	reader->began = true;
	if (close == NULL) {
		conf_complain(reader->conf, &reader->place, "\"%s\": the section's ] is missing",
		    show_slice(line).text);
		return;
	}
	name = slice_trim((struct slice){ line.data + 1, (size_t)(close - line.data) - 1 });
	if (!conf_is_name(name.data, name.len)) {
		conf_complain(reader->conf, &reader->place,
		    "[%s] is no section name: small letters, digits and _", show_slice(name).text);
		return;
	}
	if (!is_tail(close + 1, end)) {
		conf_complain(reader->conf, &reader->place, "nothing but a comment may follow [%s]",
		    show_slice(name).text);
		return;
	}
	reader->section = arena_copy(reader->conf->arena, name.data, name.len);
	if (reader->section == NULL) {
		reader->conf->failed = true;
		return;
	}
	conf_add_entry(reader->conf, reader->section, NULL, NULL, &reader->place);
}

/* A quoted value; `at` is behind the opening quote. */
static bool
read_quoted(struct reader *reader, const char *at, const char *end)
{
	for (; at < end && *at != '"'; at++) {
		if (*at != '\\') {
			buf_putc(&reader->value, *at);
			continue;
		}
		at++;
		if (at < end && (*at == '"' || *at == '\\')) {
			buf_putc(&reader->value, *at);
		} else if (at < end && *at == 'n') {
			buf_putc(&reader->value, '\n');
		} else {
			conf_complain(reader->conf, &reader->place,
			    "a backslash in quotes stands before \", \\ or n only");
			return false;
		}
	}
	if (at == end) {
		conf_complain(reader->conf, &reader->place, "the closing quote is missing");
		return false;
	}
	if (!is_tail(at + 1, end)) {
		conf_complain(reader->conf, &reader->place,
		    "nothing but a comment may follow the closing quote");
		return false;
	}
	return true;
}

/* The value behind the '=', into reader->value. */
static bool
read_value(struct reader *reader, const char *at, const char *end)
{
	const char *stop;

	buf_clear(&reader->value);
	while (at < end && is_blank(*at))
		at++;
	if (at < end && *at == '"')
		return read_quoted(reader, at + 1, end);
	/* The byte before `at` exists: it is the '=' or a blank. */
	for (stop = at; stop < end; stop++) {
		if (*stop == '#' && is_blank(stop[-1]))
			break;
	}
	while (stop > at && is_blank(stop[-1]))
		stop--;
	buf_put(&reader->value, at, (size_t)(stop - at));
	return true;
}

static void
add_include(struct reader *reader)
{
	const char *pattern = buf_text(&reader->value);

	if (reader->includes == NULL || reader->began) {
		conf_complain(reader->conf, &reader->place,
		    "include belongs into the main file, before its first section");
		return;
	}
	if (*pattern == '\0') {
		conf_complain(reader->conf, &reader->place, "include names no file");
		return;
	}
	buf_printf(reader->includes, "%u", reader->place.line);
	buf_putc(reader->includes, '\0');
	buf_put(reader->includes, pattern, strlen(pattern) + 1);
}

static void
read_assignment(struct reader *reader, struct slice line)
{
	const char *end = line.data + line.len;
	const char *equals = memchr(line.data, '=', line.len);
	char name[NAME_MAX_LEN + 1];
	struct slice left;

	if (equals == NULL) {
		conf_complain(reader->conf, &reader->place,
		    line.data[0] == ';' ? "\"%s\": a comment starts with #"
					: "\"%s\" is neither [section] nor option = value",
		    show_word(line).text);
		return;
	}
	left = slice_trim((struct slice){ line.data, (size_t)(equals - line.data) });
	if (!conf_is_name(left.data, left.len)) {
		conf_complain(reader->conf, &reader->place,
		    "\"%s\" is no option name: small letters, digits and _", show_slice(left).text);
		return;
	}
	memcpy(name, left.data, left.len);
	name[left.len] = '\0';
	if (!read_value(reader, equals + 1, end))
		return;
	if (reader->value.failed) {
		reader->conf->failed = true;
	} else if (strcmp(name, "include") == 0 && reader->section == NULL) {
		add_include(reader);
	} else if (reader->section != NULL) {
		conf_add_entry(
		    reader->conf, reader->section, name, buf_text(&reader->value), &reader->place);
	} else if (!reader->began) {
		conf_complain(reader->conf, &reader->place,
		    "\"%s\" stands before the first [section]", show_slice(left).text);
	}
}

static void
read_line(struct reader *reader, struct slice line)
{
	const char *why;

	if (line.len > 0 && line.data[line.len - 1] == '\r')
		line.len--;
	why = conf_bad_bytes(line.data, line.len);
	if (why != NULL) {
		conf_complain(reader->conf, &reader->place, "%s", why);
		return;
	}
	line = slice_trim(line);
	if (line.len == 0 || line.data[0] == '#')
		return;
	if (line.data[0] == '[')
		read_header(reader, line);
	else
		read_assignment(reader, line);
}

void
conf_read_lines(struct conf *conf, const struct conf_place *file, const char *text, size_t len,
    struct buf *includes)
{
	struct reader reader = { .conf = conf, .place = *file, .includes = includes };
	const char *at = text, *end = text + len;

	buf_init(&reader.value, CONF_FILE_MAX + 1);
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		at += 3; /* a byte order mark, as some editors leave it */
	while (at < end && !conf->failed) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline != NULL ? newline : end;

		reader.place.line++;
		read_line(&reader, (struct slice){ at, (size_t)(stop - at) });
		at = newline != NULL ? newline + 1 : end;
	}
	buf_fini(&reader.value);
}
