/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Migrations: per module, forward only, each in one transaction with its row
 * in convro_migration (design: storage, section 5).  What the database says
 * has run must be what this server's modules would have run; else it refuses
 * to start rather than guess.
 */
#include "base/clock.h"
#include "base/hex.h"
#include "core_sql.h"
#include "db/db.h"
#include "db/store.h"
#include "log/log.h"

#include <stdio.h>
#include <string.h>

enum {
	CHECKSUM_LEN = 32, /* SHA-256 */
	NO_TX = 1,         /* convro_migration.flags */
};

/* Columns of core.migrations. */
enum { COLUMN_MODULE, COLUMN_VERSION, COLUMN_NAME, COLUMN_CHECKSUM };

/* 1 when core/0001 ran, 0 when the database is empty, -1 on failure. */
static int
is_installed(struct db *db, struct arena *arena)
{
	struct convro_db_result rows;

	if (db_run(db, CORE_IS_INSTALLED, CONVRO_NO_ARGS, arena, &rows) != 0)
		return -1;
	return rows.nrows == 1 && convro_at(&rows, 0, 0)->u.i > 0;
}

/* The row of a module's version, or NULL. */
static const struct convro_db_val *
find_row(const struct convro_db_result *rows, const char *module, uint32_t version)
{
	for (uint32_t i = 0; i < rows->nrows; i++) {
		const struct convro_db_val *row = convro_at(rows, i, 0);

		if (row[COLUMN_VERSION].u.i == (int64_t)version &&
		    strcmp(row[COLUMN_MODULE].u.text, module) == 0)
			return row;
	}
	return NULL;
}

static int64_t
newest_version(const struct convro_db_result *rows, const char *module)
{
	int64_t newest = 0;

	for (uint32_t i = 0; i < rows->nrows; i++) {
		const struct convro_db_val *row = convro_at(rows, i, 0);

		if (row[COLUMN_VERSION].u.i > newest &&
		    strcmp(row[COLUMN_MODULE].u.text, module) == 0)
			newest = row[COLUMN_VERSION].u.i;
	}
	return newest;
}

static int
read_checksum(const struct module *module, const struct convro_migration *migration,
    uint8_t out[CHECKSUM_LEN])
{
	if (migration->checksum != NULL &&
	    strlen(migration->checksum) == 2 * (size_t)CHECKSUM_LEN &&
	    hex_decode(migration->checksum, 2 * (size_t)CHECKSUM_LEN, out) == 0)
		return 0;
	log_error(
	    "module %s: migration %u has no valid checksum", module->name, migration->version);
	return -1;
}

/* What ran must be what is here. */
static int
check_row(const struct module *module, const struct convro_migration *migration,
    const struct convro_db_val *row)
{
	uint8_t checksum[CHECKSUM_LEN];

	if (read_checksum(module, migration, checksum) != 0)
		return -1;
	if (row[COLUMN_CHECKSUM].len == CHECKSUM_LEN &&
	    memcmp(row[COLUMN_CHECKSUM].u.p, checksum, CHECKSUM_LEN) == 0)
		return 0;
	log_error("migration %u (%s) of module %s was changed after it ran on this database: "
		  "install the release that the database was made with, or a newer one",
	    migration->version, migration->name, module->name);
	return -1;
}

static const struct db_statement *
core_statement(struct db *db, uint32_t number)
{
	return &db->statements[number];
}

static int
apply(struct db *db, const struct module *module, const struct convro_migration *migration,
    bool locked, struct arena *arena)
{
	const struct db_statement *add = core_statement(db, CORE_MIGRATION_ADD);
	struct db_call lock = { .statement = core_statement(db, CORE_MIGRATION_LOCK) };
	struct db_call record = { .statement = add };
	uint8_t checksum[CHECKSUM_LEN];
	char name[128];
	struct db_script script = {
		.name = name,
		.sql = db->is_postgresql ? migration->sql_pg : migration->sql_sqlite,
		.no_transaction = (migration->flags & NO_TX) != 0,
		.lock = locked ? &lock : NULL,
		.record = &record,
	};

	if (read_checksum(module, migration, checksum) != 0)
		return -1;
	(void)snprintf(
	    name, sizeof(name), "%s %u (%s)", module->name, migration->version, migration->name);
	lock.args = args_copy(arena, lock.statement, CONVRO_NO_ARGS);
	record.args = args_copy(arena, add,
	    CONVRO_ARGS(convro_text_n(module->name, strlen(module->name)),
		convro_i32((int32_t)migration->version),
		convro_text_n(migration->name, strlen(migration->name)),
		convro_blob(checksum, sizeof(checksum)), convro_i64(clock_wall_us())));
	if (lock.args == NULL || record.args == NULL) {
		log_error("out of memory for migration %s", name);
		return -1;
	}
	log_info("migration %s", name);
	return db->driver->migrate(db->state, &script);
}

static int
migrate_module(struct db *db, const struct module *module, const struct convro_db_result *rows,
    bool installed, struct arena *arena)
{
	uint32_t count = module->migration_count;
	int64_t known = count > 0 ? module->migrations[count - 1].version : 0;
	int64_t newest = newest_version(rows, module->name);
	bool is_core = module == &db->server->core;

	if (newest > known) {
		log_error("the database is newer than this server: module %s is at version %lld "
			  "there and %lld here; install the newer release",
		    module->name, (long long)newest, (long long)known);
		return -1;
	}
	for (uint32_t i = 0; i < count; i++) {
		const struct convro_migration *migration = &module->migrations[i];
		const struct convro_db_val *row = find_row(rows, module->name, migration->version);

		if (row != NULL) {
			if (check_row(module, migration, row) != 0)
				return -1;
			continue;
		}
		if ((int64_t)migration->version < newest) {
			log_error("the database has version %lld of module %s but lacks %u: "
				  "restore it from a backup",
			    (long long)newest, module->name, migration->version);
			return -1;
		}
		/* The row to lock comes with the core's first. */
		if (apply(db, module, migration, installed || !is_core || i > 0, arena) != 0)
			return -1;
	}
	return 0;
}

static int
migrate_all(struct db *db, struct arena *arena)
{
	struct server *server = db->server;
	struct convro_db_result rows = { .size = sizeof(rows) };
	int installed = is_installed(db, arena);

	if (installed < 0)
		return -1;
	if (installed > 0 && db_run(db, CORE_MIGRATIONS, CONVRO_NO_ARGS, arena, &rows) != 0)
		return -1;
	if (migrate_module(db, &server->core, &rows, installed > 0, arena) != 0)
		return -1;
	for (uint32_t i = 0; i < server->module_count; i++)
		if (migrate_module(db, &server->modules[i], &rows, installed > 0, arena) != 0)
			return -1;
	return 0;
}

int
db_migrate(struct db *db)
{
	struct arena *arena;
	int result;

	if (statements_build(db) != 0)
		return -1;
	arena = arena_new(8192);
	if (arena == NULL) {
		log_error("out of memory for migrations");
		return -1;
	}
	result = db->driver->migrate_begin(db->state);
	if (result == 0) {
		result = migrate_all(db, arena);
		db->driver->migrate_end(db->state);
	}
	arena_free(arena);
	return result;
}
