/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sqlpack <module> <dir> <out.h> <out.c>: turns sql/<module>/ into C tables,
 * so that a module names its statements by constants and a typo does not
 * compile.  The directory holds NNNN_<what>.sql, the migrations from 0001 on
 * without a gap, and statements.sql (see sqlpack_statements.c); either may be
 * missing.  Every mistake is one line "file:line: sentence" and nothing is
 * written.  Outputs are replaced only when they change.
 */
#include "sqlpack.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct chunk {
	struct chunk *next;
	_Alignas(max_align_t) unsigned char data[];
};

static struct chunk *chunks;
static int complaints;

void *
keep(size_t size)
{
	struct chunk *chunk = calloc(1, sizeof(*chunk) + size);

	if (chunk == NULL) {
		(void)fprintf(stderr, "sqlpack: out of memory\n");
		exit(1);
	}
	chunk->next = chunks;
	chunks = chunk;
	return chunk->data;
}

char *
keep_copy(const char *data, size_t len)
{
	char *copy = keep(len + 1);

	memcpy(copy, data, len);
	return copy;
}

void
text_add(struct text *text, const char *data, size_t len)
{
	if (text->len + len + 1 > text->cap) {
		size_t cap = 2 * (text->len + len + 64);
		char *grown = keep(cap);

		if (text->len > 0)
			memcpy(grown, text->data, text->len);
		text->data = grown;
		text->cap = cap;
	}
	memcpy(text->data + text->len, data, len);
	text->len += len;
	text->data[text->len] = '\0';
}

void
complain(const char *file, int line, const char *format, ...)
{
	va_list args;

	(void)fprintf(stderr, "%s:%d: ", file, line);
	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	(void)fputc('\n', stderr);
	complaints++;
}

bool
next_line(const char **rest, struct line *line)
{
	if (**rest == '\0')
		return false;
	line->data = *rest;
	line->len = strcspn(*rest, "\n");
	line->number++;
	*rest += line->len + ((*rest)[line->len] == '\n');
	return true;
}

/* The whole file, NUL terminated, or NULL; len counts its bytes. */
static char *
read_file(const char *path, size_t *len)
{
	FILE *file = fopen(path, "rb");
	struct text text = { 0 };
	char piece[4096];
	size_t got;

	if (file == NULL)
		return NULL;
	text_add(&text, "", 0);
	while ((got = fread(piece, 1, sizeof(piece), file)) > 0)
		text_add(&text, piece, got);
	if (ferror(file) != 0)
		complain(path, 0, "could not read: %s", strerror(errno));
	(void)fclose(file);
	*len = text.len;
	return text.data;
}

static void
replace_file(const char *path, const struct text *text)
{
	size_t len = 0, path_len = strlen(path);
	const char *old = read_file(path, &len);
	char *beside = keep(path_len + 5);
	FILE *file;

	if (old != NULL && len == text->len && memcmp(old, text->data, len) == 0)
		return;
	memcpy(beside, path, path_len);
	memcpy(beside + path_len, ".new", 4);
	file = fopen(beside, "wb");
	if (file == NULL) {
		complain(beside, 0, "could not create: %s", strerror(errno));
		return;
	}
	if (fwrite(text->data, 1, text->len, file) != text->len)
		complain(beside, 0, "could not write: %s", strerror(errno));
	if (fclose(file) != 0 || rename(beside, path) != 0)
		complain(path, 0, "could not replace: %s", strerror(errno));
}

static char *
join(const char *dir, const char *name)
{
	struct text path = { 0 };

	text_add(&path, dir, strlen(dir));
	text_add(&path, "/", 1);
	text_add(&path, name, strlen(name));
	return path.data;
}

/* True for NNNN_<what>.sql with <what> of [a-z0-9_]. */
static bool
is_migration_name(const char *name)
{
	size_t len = strlen(name);

	if (len < 10 || strspn(name, "0123456789") != 4 || name[4] != '_')
		return false;
	return 5 + strspn(name + 5, "abcdefghijklmnopqrstuvwxyz0123456789_") == len - 4;
}

static void
read_migration(struct pack *pack, const char *dir, const char *name)
{
	static const char no_tx[] = "-- flags: no_tx"; /* for CREATE INDEX CONCURRENTLY */
	struct migration *migration = &pack->migrations[pack->migration_count++];
	struct line line = { .file = join(dir, name) };
	size_t len = 0;
	const char *rest;

	migration->file = line.file;
	migration->name = keep_copy(name + 5, strlen(name) - 9);
	migration->version = (unsigned)strtoul(name, NULL, 10);
	if (migration->version != pack->migration_count)
		complain(line.file, 1, "migrations are numbered without a gap: expected %04zu",
		    pack->migration_count);
	rest = read_file(line.file, &len);
	if (rest == NULL) {
		complain(line.file, 0, "could not open: %s", strerror(errno));
		return;
	}
	if (strlen(rest) != len)
		complain(line.file, 1, "there is a NUL byte in the file");
	sha256_hex(rest, len, migration->checksum);
	while (next_line(&rest, &line)) {
		if (line.len >= sizeof(no_tx) - 1 && memcmp(line.data, "-- flags:", 9) == 0) {
			if (line.len != sizeof(no_tx) - 1 ||
			    memcmp(line.data, no_tx, line.len) != 0)
				complain(line.file, line.number,
				    "the only flag of a migration is no_tx");
			migration->flags |= FLAG_NO_TX;
			continue;
		}
		expand_line(&line, PG, &migration->sql[PG]);
		expand_line(&line, SQLITE, &migration->sql[SQLITE]);
	}
	if (migration->sql[PG].len == 0 && migration->sql[SQLITE].len == 0)
		complain(line.file, 1, "the migration is empty");
}

static void
read_directory(struct pack *pack, const char *dir)
{
	struct dirent **entries;
	int count = scandir(dir, &entries, NULL, alphasort);

	if (count < 0) {
		complain(dir, 0, "could not open: %s", strerror(errno));
		return;
	}
	pack->migrations = keep((size_t)count * sizeof(*pack->migrations));
	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;
		size_t name_len = strlen(name), len = 0;

		if (is_migration_name(name)) {
			read_migration(pack, dir, name);
		} else if (strcmp(name, "statements.sql") == 0) {
			char *path = join(dir, name), *data = read_file(path, &len);

			if (data == NULL)
				complain(path, 0, "could not open: %s", strerror(errno));
			else if (strlen(data) != len)
				complain(path, 1, "there is a NUL byte in the file");
			else
				read_statements(pack, path, data);
		} else if (name_len > 4 && strcmp(name + name_len - 4, ".sql") == 0) {
			complain(join(dir, name), 1,
			    "a file is called statements.sql or NNNN_<what>.sql");
		}
		free(entries[i]);
	}
	free(entries);
}

int
main(int argc, char **argv)
{
	struct pack pack = { 0 };
	struct text header = { 0 }, source = { 0 };

	if (argc != 5) {
		(void)fprintf(stderr, "usage: sqlpack <module> <dir> <out.h> <out.c>\n");
		return 2;
	}
	pack.module = argv[1];
	read_directory(&pack, argv[2]);
	write_header(&pack, &header);
	write_source(&pack, &source);
	if (complaints == 0) {
		replace_file(argv[3], &header);
		replace_file(argv[4], &source);
	}
	while (chunks != NULL) {
		struct chunk *next = chunks->next;

		free(chunks);
		chunks = next;
	}
	return complaints == 0 ? 0 : 1;
}
