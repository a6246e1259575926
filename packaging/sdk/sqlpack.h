/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sqlpack, shared declarations.  The tool reads sql/<module>/ and writes C
 * tables; sqlpack.c has the order of work and says what the input looks like.
 * It is a build tool of one thread that lives for milliseconds, so a failed
 * allocation ends it and all memory is released at once at the end.
 */
#ifndef SQLPACK_H
#define SQLPACK_H

#include <stdbool.h>
#include <stddef.h>

enum engine { PG, SQLITE, ENGINES };

/* The same bits as in <convro/db.h>, which this tool does not include: it is
 * built before and without the ABI. */
enum { FLAG_WRITE = 1, FLAG_IDEMPOTENT = 2, FLAG_COALESCE = 4, FLAG_LOCKS = 8 };
enum { FLAG_NO_TX = 1 };

/* A string that grows; always NUL terminated once something was added. */
struct text {
	char *data;
	size_t len;
	size_t cap;
};

/* One line of an input file, without its newline. */
struct line {
	const char *file;
	int number; /* from 1 */
	const char *data;
	size_t len;
};

/* What one engine runs for a statement; absent while args is NULL. */
struct variant {
	struct line head;    /* the "-- name:" line, for messages */
	const char *args;    /* "name:type name:type" */
	const char *columns; /* the same */
	struct text sql;
};

struct statement {
	const char *name; /* "module.statement" */
	const char *key;  /* NULL, or "1 2 4": argument positions, from 1 */
	unsigned flags;
	struct variant on[ENGINES];
};

struct migration {
	const char *file;
	const char *name;
	unsigned version;
	unsigned flags;
	struct text sql[ENGINES];
	char checksum[65];
};

struct pack {
	const char *module;
	struct statement *statements;
	size_t statement_count;
	struct migration *migrations;
	size_t migration_count;
};

/* sqlpack.c: memory that lives until the end, and complaints. */
void *keep(size_t size);
char *keep_copy(const char *data, size_t len);
void text_add(struct text *text, const char *data, size_t len);
/* Prints "file:line: sentence"; nothing is written once anyone complained. */
void
complain(const char *file, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Takes the next line off *rest; false at the end.  line->file stays as it is. */
bool next_line(const char **rest, struct line *line);

/* sqlpack_expand.c: one line as one engine sees it: comment dropped, limited
 * lines left out, macros replaced, blanks trimmed.  Appends to out. */
void expand_line(const struct line *line, enum engine engine, struct text *out);
/* Where the part outside quotes goes on: the offset of the first byte at or
 * after `at` that no quote encloses; len when none is left. */
size_t skip_quotes(const char *data, size_t len, size_t at);

/* sqlpack_statements.c: statements.sql -> pack->statements, checked. */
void read_statements(struct pack *pack, const char *file, const char *data);
/* The bits of a "-- flags:" line. */
unsigned parse_flags(const struct line *line, const char *words);

/* sqlpack_check.c: argument lists, columns, $n, flags and key of a statement. */
void check_statement(const struct statement *statement);

/* sqlpack_write.c: the two outputs. */
void write_header(const struct pack *pack, struct text *out);
void write_source(const struct pack *pack, struct text *out);

/* sqlpack_sha256.c: FIPS 180-4, as 64 hex digits and a NUL. */
void sha256_hex(const void *data, size_t len, char out[65]);

#endif
