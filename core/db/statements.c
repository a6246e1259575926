/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of all statements: the packed texts of core and modules, reduced
 * to the engine in use, their headers parsed once.
 */
#include "base/must.h"
#include "base/text.h"
#include "db/store.h"
#include "log/log.h"

#include <stdlib.h>
#include <string.h>

static uint32_t
count_words(const char *words)
{
	uint32_t count = 0;

	for (; *words != '\0'; words += strcspn(words, " ")) {
		words += strspn(words, " ");
		if (*words != '\0')
			count++;
	}
	return count;
}

/* "name:t?" and the like; what sqlpack wrote is right, what a module of another packer holds may
 * not be. */
static bool
parse_field(const char *word, size_t len, struct db_field *out)
{
	const char *colon = memchr(word, ':', len);
	const char *end = word + len;

	if (colon == NULL || end - colon < 2 || strchr("ijsbt", colon[1]) == NULL)
		return false;
	out->type = (uint8_t)colon[1];
	out->nullable = end - colon == 3 && colon[2] == '?';
	out->array = end - colon == 4 && colon[2] == '[' && colon[3] == ']';
	return end - colon == 2 || out->nullable || out->array;
}

/* 0, or -1 when the list is malformed or memory is out. */
static int
parse_fields(
    struct arena *arena, const char *words, const struct db_field **out, uint32_t *out_count)
{
	uint32_t count = count_words(words);
	struct db_field *fields = arena_zero(arena, count + 1u, sizeof(*fields));

	if (fields == NULL)
		return -1;
	for (uint32_t i = 0; i < count; i++) {
		size_t len;

		words += strspn(words, " ");
		len = strcspn(words, " ");
		if (!parse_field(words, len, &fields[i]))
			return -1;
		words += len;
	}
	*out = fields;
	*out_count = count;
	return 0;
}

/* "1 2 4": argument positions. */
static int
parse_key(struct arena *arena, const char *words, struct db_statement *statement)
{
	uint32_t count = count_words(words);
	uint8_t *key = arena_alloc(arena, count + 1u);

	if (key == NULL)
		return -1;
	for (uint32_t i = 0; i < count; i++) {
		int64_t position;
		size_t len;

		words += strspn(words, " ");
		len = strcspn(words, " ");
		if (text_int64(words, len, &position) != 0 || position < 1 ||
		    position > statement->arg_count)
			return -1;
		key[i] = (uint8_t)(position - 1);
		words += len;
	}
	statement->key = key;
	statement->key_count = count;
	return 0;
}

static int
build_one(struct db *db, const struct convro_statement *from, struct db_statement *to)
{
	const char *args = db->is_postgresql ? from->args_pg : from->args_sqlite;
	const char *columns = db->is_postgresql ? from->columns_pg : from->columns_sqlite;

	to->name = from->name;
	to->flags = from->flags;
	to->sql = db->is_postgresql ? from->sql_pg : from->sql_sqlite;
	if (to->sql == NULL)
		return 0;
	if (args == NULL || columns == NULL ||
	    parse_fields(db->statement_arena, args, &to->args, &to->arg_count) != 0 ||
	    parse_fields(db->statement_arena, columns, &to->columns, &to->column_count) != 0)
		return -1;
	if ((to->flags & CONVRO_DB_COALESCE) != 0 && db->is_postgresql) {
		to->hidden = strncmp(columns, "ord:", 4) == 0;
		if (from->key != NULL)
			return parse_key(db->statement_arena, from->key, to);
	} else {
		to->flags &= ~(uint32_t)CONVRO_DB_COALESCE; /* an engine that merges nothing */
	}
	return 0;
}

static int
build_module(struct db *db, struct module *module, uint32_t base)
{
	module->statement_base = base; /* 0 of the core, which has no descriptor */
	if (module->descriptor != NULL && module->descriptor->statement_base != NULL)
		*module->descriptor->statement_base = base;
	for (uint32_t i = 0; i < module->statement_count; i++) {
		struct db_statement *statement = &db->statements[base + i];

		statement->number = base + i;
		if (build_one(db, &module->statements[i], statement) != 0) {
			log_error("module %s: statement %s: header is malformed, or out of memory",
			    module->name, module->statements[i].name);
			return -1;
		}
	}
	return 0;
}

int
statements_build(struct db *db)
{
	struct server *server = db->server;
	uint32_t count = server->core.statement_count;

	if (db->statements != NULL)
		return 0;
	for (uint32_t i = 0; i < server->module_count; i++)
		count += server->modules[i].statement_count;
	db->statement_arena = arena_new(8192);
	db->statements = calloc(count + 1u, sizeof(*db->statements));
	if (db->statement_arena == NULL || db->statements == NULL) {
		log_error("out of memory for %u statements", count);
		return -1;
	}
	db->statement_count = count;
	if (build_module(db, &server->core, 0) != 0)
		return -1;
	count = server->core.statement_count;
	for (uint32_t i = 0; i < server->module_count; i++) {
		if (build_module(db, &server->modules[i], count) != 0)
			return -1;
		count += server->modules[i].statement_count;
	}
	return 0;
}

void
statements_free(struct db *db)
{
	free(db->statements);
	arena_free(db->statement_arena);
	db->statements = NULL;
	db->statement_arena = NULL;
}
