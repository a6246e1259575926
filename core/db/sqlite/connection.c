/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection: settings, prepared statements, and what SQLite's result codes
 * mean to the rest of the server.
 */
#include "base/clock.h"
#include "db/sqlite/sqlite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	BUSY_MS = 5000,
	PAGE_SIZE = 8192,
	PROGRESS_STEPS = 20000, /* of SQLite's machine between looks at the clock: below 1 ms */
	COMPLAINT_MS = 1000,
};

int
connection_exec(struct connection *connection, const char *sql)
{
	return sqlite3_exec(connection->sqlite, sql, NULL, NULL, NULL);
}

void
connection_complain(struct connection *connection, const char *what, int rc)
{
	int64_t now_ms = clock_mono_ms();

	if (connection->last_complaint_ms != 0 &&
	    now_ms - connection->last_complaint_ms < COMPLAINT_MS)
		return;
	connection->last_complaint_ms = now_ms;
	connection->env->log(CONVRO_LOG_ERROR, "%s: %s (%s, code %d)", what, sqlite3_errstr(rc),
	    sqlite3_errmsg(connection->sqlite), sqlite3_extended_errcode(connection->sqlite));
}

enum convro_status
status_of(int rc)
{
	switch (rc) {
	case SQLITE_CONSTRAINT_UNIQUE:
	case SQLITE_CONSTRAINT_PRIMARYKEY:
	case SQLITE_CONSTRAINT_ROWID:
		return CONVRO_CONFLICT;
	default:
		break;
	}
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_DONE:
	case SQLITE_ROW:
		return CONVRO_OK;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_FULL: /* nothing was stored; it may be once there is room again */
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
		return CONVRO_RETRY;
	case SQLITE_NOMEM:
		return CONVRO_NO_MEMORY;
	case SQLITE_INTERRUPT:
		return CONVRO_TIMEOUT;
	default:
		return CONVRO_FAILED;
	}
}

/* Not 0 ends the statement that runs. */
static int
progress(void *arg)
{
	const struct connection *connection = arg;

	return connection->limit_ms != 0 && clock_mono_ms() >= connection->limit_ms;
}

/* The answer of a pragma to compare with `wanted`. */
static bool
pragma_is(struct connection *connection, const char *sql, const char *wanted)
{
	sqlite3_stmt *stmt = NULL;
	bool same = false;

	if (sqlite3_prepare_v2(connection->sqlite, sql, -1, &stmt, NULL) == SQLITE_OK &&
	    sqlite3_step(stmt) == SQLITE_ROW) {
		const char *text = (const char *)sqlite3_column_text(stmt, 0);

		same = text != NULL && strcmp(text, wanted) == 0;
	}
	(void)sqlite3_finalize(stmt);
	return same;
}

/* The writer's share of the cache is half of it, the readers have the rest together. */
static uint64_t
cache_share(const struct db_env *env, enum role role)
{
	if (role == ROLE_CHECKPOINT)
		return 0;
	if (role == ROLE_WRITER)
		return env->cache_bytes / 2;
	return env->cache_bytes / 2 / (env->readers > 0 ? env->readers : 1);
}

static int
configure(struct connection *connection, enum role role)
{
	const struct db_env *env = connection->env;
	char sql[256];
	int rc;

	(void)sqlite3_extended_result_codes(connection->sqlite, 1);
	(void)sqlite3_db_config(connection->sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)NULL);
	(void)sqlite3_busy_timeout(connection->sqlite, role == ROLE_CHECKPOINT ? 0 : BUSY_MS);
	(void)snprintf(sql, sizeof(sql),
	    "PRAGMA page_size = %d; PRAGMA cache_size = -%llu; PRAGMA temp_store = MEMORY; "
	    "PRAGMA trusted_schema = OFF; PRAGMA synchronous = %s",
	    PAGE_SIZE, (unsigned long long)(cache_share(env, role) / 1024),
	    env->durable ? "FULL" : "NORMAL");
	rc = connection_exec(connection, sql);
	if (rc != SQLITE_OK)
		return rc;
	if (role == ROLE_WRITER) {
		if (!pragma_is(connection, "PRAGMA journal_mode = WAL", "wal"))
			return SQLITE_CANTOPEN;
		/* The one-time keys of an upload: SQLite has no arrays. */
		rc = connection_exec(connection,
		    "PRAGMA wal_autocheckpoint = 0; "
		    "CREATE TEMP TABLE otp_in(key_id INTEGER, alg INTEGER, pub BLOB)");
	} else if (role == ROLE_READER) {
		rc = connection_exec(connection, "PRAGMA query_only = ON");
		sqlite3_progress_handler(connection->sqlite, PROGRESS_STEPS, progress, connection);
	}
	return rc;
}

int
connection_open(struct connection *connection, const struct db_env *env, enum role role)
{
	int rc;

	*connection = (struct connection){ .env = env };
	rc = sqlite3_open_v2(
	    env->path, &connection->sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc == SQLITE_OK)
		rc = configure(connection, role);
	if (rc == SQLITE_OK)
		return 0;
	env->log(CONVRO_LOG_ERROR, "could not open database \"%s\": %s (%s)", env->path,
	    sqlite3_errstr(rc),
	    connection->sqlite != NULL ? sqlite3_errmsg(connection->sqlite) : "out of memory");
	connection_close(connection);
	return -1;
}

void
prepared_fini(struct prepared *prepared)
{
	for (uint32_t i = 0; i < prepared->part_count; i++) {
		(void)sqlite3_finalize(prepared->parts[i].stmt);
		free(prepared->parts[i].bindings);
	}
	free(prepared->parts);
	*prepared = (struct prepared){ 0 };
}

void
connection_close(struct connection *connection)
{
	for (uint32_t i = 0; i < connection->cache_count; i++)
		prepared_fini(&connection->cache[i]);
	free(connection->cache);
	free(connection->rows);
	(void)sqlite3_close(connection->sqlite);
	*connection = (struct connection){ 0 };
}

int
connection_cache(struct connection *connection, uint32_t count)
{
	connection->cache = calloc(count + 1u, sizeof(*connection->cache));
	if (connection->cache == NULL)
		return -1;
	connection->cache_count = count;
	return 0;
}

/* Where $1, $2 ... occur: SQLite numbers them by first appearance, so they are found by name. */
static int
find_bindings(struct part *part, uint32_t arg_count)
{
	part->bindings = calloc(arg_count + 1u, sizeof(*part->bindings));
	if (part->bindings == NULL)
		return SQLITE_NOMEM;
	for (uint32_t i = 0; i < arg_count; i++) {
		char name[16];
		int index;

		(void)snprintf(name, sizeof(name), "$%u", i + 1);
		index = sqlite3_bind_parameter_index(part->stmt, name);
		if (index <= 0)
			continue;
		part->bindings[part->binding_count++] =
		    (struct binding){ .arg = (uint8_t)i, .index = (uint16_t)index };
	}
	return SQLITE_OK;
}

static int
add_part(struct prepared *prepared, sqlite3_stmt *stmt, uint32_t arg_count)
{
	struct part *grown =
	    realloc(prepared->parts, (prepared->part_count + 1u) * sizeof(*prepared->parts));

	if (grown == NULL) {
		(void)sqlite3_finalize(stmt);
		return SQLITE_NOMEM;
	}
	prepared->parts = grown;
	grown[prepared->part_count] = (struct part){ .stmt = stmt };
	prepared->part_count++;
	return find_bindings(&grown[prepared->part_count - 1], arg_count);
}

int
connection_prepare(
    struct connection *connection, const struct db_statement *statement, struct prepared *out)
{
	const char *rest = statement->sql;
	int rc = SQLITE_OK;

	*out = (struct prepared){ 0 };
	while (rc == SQLITE_OK && *rest != '\0') {
		sqlite3_stmt *stmt = NULL;

		rc = sqlite3_prepare_v3(
		    connection->sqlite, rest, -1, SQLITE_PREPARE_PERSISTENT, &stmt, &rest);
		if (rc == SQLITE_OK && stmt != NULL) /* NULL: blanks behind the last one */
			rc = add_part(out, stmt, statement->arg_count);
	}
	if (rc == SQLITE_OK && out->part_count == 0)
		rc = SQLITE_MISUSE;
	if (rc != SQLITE_OK)
		prepared_fini(out);
	return rc;
}

const struct prepared *
connection_get(struct connection *connection, const struct db_statement *statement, int *rc)
{
	struct prepared *prepared = &connection->cache[statement->number];

	*rc = SQLITE_OK;
	if (prepared->part_count == 0)
		*rc = connection_prepare(connection, statement, prepared);
	return *rc == SQLITE_OK ? prepared : NULL;
}
