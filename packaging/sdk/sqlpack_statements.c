/* SPDX-License-Identifier: Apache-2.0 */
/*
 * statements.sql -> statements.  A statement begins with header lines
 *
 *     -- name: auth.ordinals [pg|sqlite]
 *     -- args: count:i limit:i
 *     -- columns: next:i
 *     -- flags: write idempotent coalesce locks      (optional)
 *     -- key: 1 2 4                                  (optional)
 *
 * and goes on until the next name.  Without a suffix the text is for both
 * engines; with one the same name may come once more for the other engine.
 */
#include "sqlpack.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* The statement being read: which of its engines, and which headers came. */
struct reader {
	struct pack *pack;
	struct statement *statement; /* NULL before the first name */
	struct line head;
	bool engines[ENGINES];
	const char *args, *columns;
	bool in_text;
};

static const struct flag_word {
	const char *word;
	unsigned bit;
} flag_words[] = {
	{ "write", FLAG_WRITE },
	{ "idempotent", FLAG_IDEMPOTENT },
	{ "coalesce", FLAG_COALESCE },
	{ "locks", FLAG_LOCKS },
};

/* The rest of "-- <what>: rest" with blanks trimmed, or NULL. */
static const char *
header_value(const struct line *line, const char *what)
{
	size_t len = strlen(what), end = line->len;

	if (line->len < 4 + len || memcmp(line->data, "-- ", 3) != 0 ||
	    memcmp(line->data + 3, what, len) != 0 || line->data[3 + len] != ':')
		return NULL;
	len += 4;
	while (len < end && isspace((unsigned char)line->data[len]))
		len++;
	while (end > len && isspace((unsigned char)line->data[end - 1]))
		end--;
	return keep_copy(line->data + len, end - len);
}

unsigned
parse_flags(const struct line *line, const char *words)
{
	unsigned flags = 0;

	for (size_t len; *words != '\0'; words += len + strspn(words + len, " ")) {
		size_t i, count = sizeof(flag_words) / sizeof(flag_words[0]);

		len = strcspn(words, " ");
		for (i = 0; i < count; i++)
			if (strlen(flag_words[i].word) == len &&
			    memcmp(flag_words[i].word, words, len) == 0)
				break;
		if (i == count)
			complain(line->file, line->number,
			    "unknown flag \"%.*s\": write, idempotent, coalesce or locks", (int)len,
			    words);
		else
			flags |= flag_words[i].bit;
	}
	return flags;
}

static bool
name_is_good(const char *name, const char *module)
{
	size_t len = strlen(module);

	if (strncmp(name, module, len) != 0 || name[len] != '.' ||
	    !islower((unsigned char)name[len + 1]))
		return false;
	for (const char *c = name + len + 1; *c != '\0'; c++)
		if (!islower((unsigned char)*c) && !isdigit((unsigned char)*c) && *c != '_')
			return false;
	return true;
}

static struct statement *
find_or_add(struct pack *pack, const char *name)
{
	for (size_t i = 0; i < pack->statement_count; i++)
		if (strcmp(pack->statements[i].name, name) == 0)
			return &pack->statements[i];
	pack->statements[pack->statement_count].name = name;
	return &pack->statements[pack->statement_count++];
}

/* The statement before the next name is complete: hand it to its engines. */
static void
finish(struct reader *reader)
{
	struct statement *statement = reader->statement;
	const struct line *head = &reader->head;

	if (statement == NULL)
		return;
	if (reader->args == NULL || reader->columns == NULL)
		complain(head->file, head->number, "%s has no \"-- %s:\" line", statement->name,
		    reader->args == NULL ? "args" : "columns");
	for (int engine = 0; engine < ENGINES; engine++) {
		struct variant *variant = &statement->on[engine];

		if (!reader->engines[engine])
			continue;
		variant->args = reader->args != NULL ? reader->args : "";
		variant->columns = reader->columns != NULL ? reader->columns : "";
		while (variant->sql.len > 0 &&
		       strchr("; \n", variant->sql.data[variant->sql.len - 1]) != NULL)
			variant->sql.data[--variant->sql.len] = '\0';
		if (variant->sql.len == 0)
			complain(head->file, head->number, "%s has no text", statement->name);
	}
	reader->statement = NULL;
}

static void
begin(struct reader *reader, const struct line *line, const char *value)
{
	const char *blank = strchr(value, ' '), *suffix = "";
	const char *name = value;

	finish(reader);
	if (blank != NULL) {
		name = keep_copy(value, (size_t)(blank - value));
		suffix = blank + strspn(blank, " ");
	}
	if (!name_is_good(name, reader->pack->module))
		complain(line->file, line->number, "\"%s\" is not of the form %s.what_by_what",
		    name, reader->pack->module);
	if (*suffix != '\0' && strcmp(suffix, "pg") != 0 && strcmp(suffix, "sqlite") != 0)
		complain(line->file, line->number, "\"%s\" is no engine: pg or sqlite", suffix);
	reader->head = *line;
	reader->statement = find_or_add(reader->pack, name);
	reader->args = reader->columns = NULL;
	reader->in_text = false;
	reader->engines[PG] = strcmp(suffix, "sqlite") != 0;
	reader->engines[SQLITE] = strcmp(suffix, "pg") != 0;
	for (int engine = 0; engine < ENGINES; engine++) {
		struct variant *variant = &reader->statement->on[engine];

		if (!reader->engines[engine])
			continue;
		if (variant->head.data != NULL)
			complain(line->file, line->number, "%s is there already, in line %d", name,
			    variant->head.number);
		variant->head = *line;
	}
}

/* A header line other than the name; false when the line is none. */
static bool
header(struct reader *reader, const struct line *line)
{
	struct statement *statement = reader->statement;
	const char *value, *what = "args";
	bool twice = false;

	if ((value = header_value(line, "args")) != NULL) {
		twice = reader->args != NULL;
		reader->args = value;
	} else if ((value = header_value(line, what = "columns")) != NULL) {
		twice = reader->columns != NULL;
		reader->columns = value;
	} else if ((value = header_value(line, what = "flags")) != NULL) {
		if (statement != NULL)
			statement->flags |= parse_flags(line, value);
	} else if ((value = header_value(line, what = "key")) != NULL) {
		if (statement != NULL) {
			twice = statement->key != NULL;
			statement->key = value;
		}
	} else {
		return false;
	}
	if (statement == NULL)
		complain(line->file, line->number, "\"-- %s:\" before any \"-- name:\"", what);
	else if (reader->in_text)
		complain(line->file, line->number, "\"-- %s:\" comes after the text of %s", what,
		    statement->name);
	else if (twice)
		complain(
		    line->file, line->number, "a second \"-- %s:\" for %s", what, statement->name);
	return true;
}

static void
text_line(struct reader *reader, const struct line *line)
{
	struct text both = { 0 };

	if (reader->statement == NULL) {
		expand_line(line, PG, &both);
		expand_line(line, SQLITE, &both);
		if (both.len > 0)
			complain(line->file, line->number, "text before any \"-- name:\"");
		return;
	}
	for (int engine = 0; engine < ENGINES; engine++) {
		struct variant *variant = &reader->statement->on[engine];

		if (!reader->engines[engine])
			continue;
		expand_line(line, (enum engine)engine, &variant->sql);
		if (variant->sql.len > 0)
			reader->in_text = true;
	}
}

void
read_statements(struct pack *pack, const char *file, const char *data)
{
	struct reader reader = { .pack = pack };
	struct line line = { .file = file };
	size_t lines = 1;

	for (const char *c = data; *c != '\0'; c++)
		lines += *c == '\n';
	pack->statements = keep(lines * sizeof(*pack->statements)); /* at most one a line */
	while (next_line(&data, &line)) {
		const char *name = header_value(&line, "name");

		if (name != NULL)
			begin(&reader, &line, name);
		else if (!header(&reader, &line))
			text_line(&reader, &line);
	}
	finish(&reader);
	for (size_t i = 0; i < pack->statement_count; i++)
		check_statement(&pack->statements[i]);
}
