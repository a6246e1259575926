/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a statement's header says against what its text does, as far as that
 * can be seen without a database: the rest is for the test that prepares and
 * explains every statement on both engines.
 */
#include "sqlpack.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ITEMS = 64 };

struct item {
	const char *name;
	size_t len;
	bool is_array;
	bool is_used;
};

/* Takes "name:type" apart; false after a complaint. */
static bool
parse_item(
    const struct line *head, const char *what, const char *data, size_t len, struct item *item)
{
	size_t at = 0;
	const char *tail;

	while (at < len && (islower((unsigned char)data[at]) || data[at] == '_' ||
			       (at > 0 && isdigit((unsigned char)data[at]))))
		at++;
	*item = (struct item){ .name = data, .len = at };
	if (at == 0 || at + 1 >= len || data[at] != ':' || strchr("ijsbt", data[at + 1]) == NULL) {
		complain(head->file, head->number,
		    "%s: \"%.*s\" is not name:type with a type of i j s b t", what, (int)len, data);
		return false;
	}
	tail = data + at + 2;
	item->is_array = len == at + 4 && memcmp(tail, "[]", 2) == 0;
	if (len == at + 2 || item->is_array || (len == at + 3 && *tail == '?'))
		return true;
	complain(head->file, head->number, "%s: \"%.*s\": after the type comes nothing, ? or []",
	    what, (int)len, data);
	return false;
}

static size_t
parse_items(
    const struct line *head, const char *what, const char *list, struct item items[MAX_ITEMS])
{
	size_t count = 0;

	for (size_t len; *list != '\0'; list += len + (list[len] == ' ')) {
		struct item item;

		len = strcspn(list, " ");
		if (len == 0) {
			complain(
			    head->file, head->number, "%s: one blank between two entries", what);
			return count;
		}
		if (count == MAX_ITEMS) {
			complain(head->file, head->number, "%s: more than %d", what, MAX_ITEMS);
			return count;
		}
		if (!parse_item(head, what, list, len, &item))
			continue;
		for (size_t i = 0; i < count; i++)
			if (items[i].len == item.len &&
			    memcmp(items[i].name, item.name, item.len) == 0)
				complain(head->file, head->number, "%s: two are named %.*s", what,
				    (int)item.len, item.name);
		items[count++] = item;
	}
	return count;
}

/* Marks the arguments that the text uses; complains of $0 and $n beyond them. */
static void
mark_used(const struct variant *variant, struct item *args, size_t count)
{
	const char *sql = variant->sql.data;
	size_t len = variant->sql.len, at = 0;

	while ((at = skip_quotes(sql, len, at)) < len) {
		if (sql[at] == '$' && at + 1 < len && isdigit((unsigned char)sql[at + 1])) {
			unsigned long n = strtoul(sql + at + 1, NULL, 10);

			if (n == 0 || n > count)
				complain(variant->head.file, variant->head.number,
				    "the text uses $%lu, the header has %zu arguments", n, count);
			else
				args[n - 1].is_used = true;
		}
		at++;
	}
}

static void
check_one_statement(const struct statement *statement, const struct variant *variant)
{
	size_t at = 0;

	while ((at = skip_quotes(variant->sql.data, variant->sql.len, at)) < variant->sql.len)
		if (variant->sql.data[at++] == ';')
			break;
	if (at < variant->sql.len)
		complain(variant->head.file, variant->head.number,
		    "%s: the extended protocol of PostgreSQL takes one statement, not several",
		    statement->name);
}

/* True when the text changes rows; FOR UPDATE alone does not. */
static bool
changes_rows(const char *sql)
{
	return strstr(sql, "INSERT INTO") != NULL || strstr(sql, "DELETE FROM") != NULL ||
	       strstr(sql, "SET ") != NULL;
}

static void
check_variant(const struct statement *statement, enum engine engine)
{
	const struct variant *variant = &statement->on[engine];
	const struct line *head = &variant->head;
	struct item args[MAX_ITEMS], columns[MAX_ITEMS];
	size_t arg_count, column_count;
	bool has_array = false;

	if (variant->args == NULL || variant->sql.len == 0)
		return;
	arg_count = parse_items(head, "args", variant->args, args);
	column_count = parse_items(head, "columns", variant->columns, columns);
	for (size_t i = 0; i < column_count; i++)
		if (columns[i].is_array)
			complain(head->file, head->number, "columns: %.*s cannot be an array",
			    (int)columns[i].len, columns[i].name);
	mark_used(variant, args, arg_count);
	for (size_t i = 0; i < arg_count; i++) {
		has_array |= args[i].is_array;
		/* SQLite has no arrays: there the rows come by another way and the argument
		 * is declared only so that both engines are called alike. */
		if (!args[i].is_used && !(engine == SQLITE && args[i].is_array))
			complain(head->file, head->number,
			    "%s does not use its argument %.*s ($%zu)", statement->name,
			    (int)args[i].len, args[i].name, i + 1);
		if (args[i].is_used && engine == SQLITE && args[i].is_array)
			complain(head->file, head->number,
			    "%s uses the array %.*s, which SQLite cannot bind", statement->name,
			    (int)args[i].len, args[i].name);
	}
	if (engine == PG)
		check_one_statement(statement, variant);
	if (engine == PG && (statement->flags & FLAG_COALESCE) != 0 && !has_array)
		complain(head->file, head->number, "%s is to coalesce but has no array argument",
		    statement->name);
	if (changes_rows(variant->sql.data) && (statement->flags & FLAG_WRITE) == 0)
		complain(head->file, head->number, "%s changes rows: it needs \"-- flags: write\"",
		    statement->name);
}

static void
check_key(const struct statement *statement)
{
	const struct variant *variant = &statement->on[PG];
	struct item args[MAX_ITEMS];
	size_t count;
	char *end;

	if (statement->key == NULL)
		return;
	if (variant->args == NULL || (statement->flags & FLAG_COALESCE) == 0) {
		const struct line *head =
		    variant->args != NULL ? &variant->head : &statement->on[SQLITE].head;
		complain(head->file, head->number, "%s has a key but nothing to coalesce",
		    statement->name);
		return;
	}
	count = parse_items(&variant->head, "args", variant->args, args);
	for (const char *at = statement->key; *at != '\0'; at = end + strspn(end, " ")) {
		unsigned long n = strtoul(at, &end, 10);

		if (end == at || n == 0 || n > count || !args[n - 1].is_array) {
			complain(variant->head.file, variant->head.number,
			    "%s: key \"%s\" must be numbers of array arguments", statement->name,
			    statement->key);
			return;
		}
	}
}

/* A module calls a statement and reads its rows without knowing the engine, so
 * both texts have the same names and types.  PostgreSQL may take an array where
 * SQLite runs the text once for each element, and a coalesced text begins its
 * rows with the element's number, `ord`, which the driver takes away. */
static void
check_alike(const struct statement *statement, const char *what, const char *pg, const char *sqlite)
{
	const struct line *head = &statement->on[SQLITE].head;
	struct item a[MAX_ITEMS], b[MAX_ITEMS];
	size_t a_count, b_count, i;

	if ((statement->flags & FLAG_COALESCE) != 0 && strncmp(pg, "ord:i ", 6) == 0)
		pg += 6;
	a_count = parse_items(&statement->on[PG].head, what, pg, a);
	b_count = parse_items(head, what, sqlite, b);
	for (i = 0; i < a_count && i < b_count; i++)
		if (a[i].len != b[i].len || memcmp(a[i].name, b[i].name, a[i].len + 2) != 0)
			break; /* the name, the colon and the type */
	if (i < a_count || i < b_count)
		complain(head->file, head->number, "%s of %s differ between pg and sqlite at %zu",
		    what, statement->name, i + 1);
}

void
check_statement(const struct statement *statement)
{
	const struct line *head =
	    statement->on[PG].args != NULL ? &statement->on[PG].head : &statement->on[SQLITE].head;

	if ((statement->flags & FLAG_IDEMPOTENT) != 0 && (statement->flags & FLAG_WRITE) == 0)
		complain(head->file, head->number,
		    "%s is flagged idempotent but not write: only writes are replayed",
		    statement->name);
	check_variant(statement, PG);
	check_variant(statement, SQLITE);
	if (statement->on[PG].args != NULL && statement->on[SQLITE].args != NULL &&
	    statement->on[PG].args != statement->on[SQLITE].args) {
		check_alike(statement, "args", statement->on[PG].args, statement->on[SQLITE].args);
		check_alike(
		    statement, "columns", statement->on[PG].columns, statement->on[SQLITE].columns);
	}
	check_key(statement);
}
