/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two outputs: <module>_sql.h with the numbers of the statements, and
 * <module>_sql.c with the tables.  The same input gives the same bytes.
 */
#include "sqlpack.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void put(struct text *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void
put(struct text *out, const char *format, ...)
{
	char line[1024]; /* longer than any name: SQL goes through put_string */
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(line))
		complain("sqlpack", 0, "a name is too long: %.60s", line);
	else
		text_add(out, line, (size_t)len);
}

/* Upper case with '.' as '_': "auth.token_add" is AUTH_TOKEN_ADD. */
static const char *
constant(const char *name)
{
	char *copy = keep_copy(name, strlen(name));

	for (char *c = copy; *c != '\0'; c++)
		*c = *c == '.' ? '_' : (char)toupper((unsigned char)*c);
	return copy;
}

/* A C string literal, a source line for each line of the text; NULL for none. */
static void
put_string(struct text *out, const char *data)
{
	if (data == NULL) {
		put(out, "NULL");
		return;
	}
	put(out, "\"");
	for (const char *c = data; *c != '\0'; c++) {
		if (*c == '\n')
			put(out, "\\n\"\n\t    \"");
		else if (*c == '"' || *c == '\\' || *c == '?') /* ?: trigraphs */
			put(out, "\\%c", *c);
		else if (!isprint((unsigned char)*c))
			put(out, "\\%03o", (unsigned)(unsigned char)*c);
		else
			put(out, "%c", *c);
	}
	put(out, "\"");
}

static void
put_member(struct text *out, const char *member, const char *data)
{
	if (data == NULL)
		return; /* what is not named is NULL */
	put(out, "\t    .%s = ", member);
	put_string(out, data);
	put(out, ",\n");
}

static void
put_flags(struct text *out, unsigned flags)
{
	static const char *const names[] = { "WRITE", "IDEMPOTENT", "COALESCE", "LOCKS" };
	const char *between = "";

	if (flags == 0)
		put(out, "0");
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if ((flags & 1u << i) == 0)
			continue;
		put(out, "%sCONVRO_DB_%s", between, names[i]);
		between = " | ";
	}
}

/* The array's size is part of the declaration, so that sizeof works on it;
 * C has no arrays of zero, so an empty one has a single zeroed element. */
static void
put_table(struct text *out, const char *type, const struct pack *pack, const char *what,
    const char *count_of, size_t count)
{
	put(out, "const struct convro_%s %s_%s[", type, pack->module, what);
	if (count == 0)
		put(out, "1]");
	else
		put(out, "%s_%s_COUNT]", constant(pack->module), count_of);
}

void
write_header(const struct pack *pack, struct text *out)
{
	const char *upper = constant(pack->module);

	put(out, "/* SPDX-License-Identifier: Apache-2.0 */\n");
	put(out, "/* Made by sqlpack from sql/%s/; change it there. */\n", pack->module);
	put(out, "#ifndef %s_SQL_H\n#define %s_SQL_H\n\n#include <convro/db.h>\n\n", upper, upper);
	put(out,
	    "/* Set by the core: a statement's number is its own in the whole server, so that it may be\n"
	    " * run in any context, another module's included. */\n"
	    "extern uint32_t %s_statement_base;\n\n",
	    pack->module);
	for (size_t i = 0; i < pack->statement_count; i++)
		put(out, "#define %s (%s_statement_base + %zuu)\n",
		    constant(pack->statements[i].name), pack->module, i);
	put(out, "enum { %s_STATEMENT_COUNT = %zu };\n", upper, pack->statement_count);
	put(out, "enum { %s_MIGRATION_COUNT = %zu };\n\n", upper, pack->migration_count);
	put(out, "extern ");
	put_table(out, "statement", pack, "statements", "STATEMENT", pack->statement_count);
	put(out, ";\nextern ");
	put_table(out, "migration", pack, "migrations", "MIGRATION", pack->migration_count);
	put(out, ";\n\n#endif\n");
}

static void
put_statement(struct text *out, const struct statement *statement)
{
	const struct variant *pg = &statement->on[PG], *sqlite = &statement->on[SQLITE];

	put(out, "\t{\n\t    .size = sizeof(struct convro_statement),\n\t    .flags = ");
	put_flags(out, statement->flags);
	put(out, ",\n");
	put_member(out, "name", statement->name);
	put_member(out, "args_pg", pg->args);
	put_member(out, "columns_pg", pg->columns);
	put_member(out, "sql_pg", pg->args != NULL ? pg->sql.data : NULL);
	put_member(out, "args_sqlite", sqlite->args);
	put_member(out, "columns_sqlite", sqlite->columns);
	put_member(out, "sql_sqlite", sqlite->args != NULL ? sqlite->sql.data : NULL);
	put_member(out, "key", statement->key);
	put(out, "\t},\n");
}

void
write_source(const struct pack *pack, struct text *out)
{
	put(out, "/* SPDX-License-Identifier: Apache-2.0 */\n");
	put(out, "/* Made by sqlpack from sql/%s/; change it there. */\n", pack->module);
	put(out, "#include \"%s_sql.h\"\n\n#include <stddef.h>\n\n", pack->module);
	/* C17 promises 4095 bytes a literal; gcc and clang have no such limit. */
	put(out, "#pragma GCC diagnostic ignored \"-Woverlength-strings\"\n\n");
	put(out, "uint32_t %s_statement_base;\n\n", pack->module);
	put_table(out, "statement", pack, "statements", "STATEMENT", pack->statement_count);
	put(out, " = {\n");
	for (size_t i = 0; i < pack->statement_count; i++)
		put_statement(out, &pack->statements[i]);
	if (pack->statement_count == 0)
		put(out, "\t{ .size = 0 }\n");
	put(out, "};\n\n");
	put_table(out, "migration", pack, "migrations", "MIGRATION", pack->migration_count);
	put(out, " = {\n");
	for (size_t i = 0; i < pack->migration_count; i++) {
		const struct migration *migration = &pack->migrations[i];

		put(out, "\t{\n\t    .size = sizeof(struct convro_migration),\n");
		put(out, "\t    .version = %u,\n\t    .flags = %u,\n", migration->version,
		    migration->flags);
		put_member(out, "name", migration->name);
		put_member(out, "sql_pg", migration->sql[PG].data);
		put_member(out, "sql_sqlite", migration->sql[SQLITE].data);
		put_member(out, "checksum", migration->checksum);
		put(out, "\t},\n");
	}
	if (pack->migration_count == 0)
		put(out, "\t{ .size = 0 }\n");
	put(out, "};\n");
}
