/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Before the server serves: migrations, the few statements that the core runs
 * by itself, and a look at every statement, so that one which does not fit its
 * header is found now and by name.
 */
#include "base/arena.h"
#include "base/clock.h"
#include "db/postgresql/postgresql.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
	MIGRATION_WAIT_MS = 60000, /* for another process that migrates */
	MIGRATION_POLL_MS = 200,
};

static bool
setup_connect(struct db_state *state)
{
	if (state->setup != NULL && PQstatus(state->setup) == CONNECTION_OK)
		return true;
	PQfinish(state->setup);
	state->setup = connect_now(state, ROLE_SETUP);
	return state->setup != NULL;
}

/* --- migrations --- */

/* 1, 0 when another process has it, -1 on failure. */
static int
try_lock(struct db_state *state)
{
	char sql[64];
	PGresult *result;
	int outcome = -1;

	(void)snprintf(sql, sizeof(sql), "SELECT pg_try_advisory_lock(%d, 0)", LOCK_MIGRATION);
	result = PQexec(state->migration, sql);
	if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1)
		outcome = strcmp(PQgetvalue(result, 0, 0), "t") == 0;
	else
		complain_result(state, "could not lock the migrations", result);
	PQclear(result);
	return outcome;
}

int
postgresql_migrate_begin(struct db_state *state)
{
	static const struct timespec pause = { 0, MIGRATION_POLL_MS * 1000000L };
	int64_t until_ms = clock_mono_ms() + MIGRATION_WAIT_MS;
	bool said = false;
	int outcome;

	state->migration = connect_now(state, ROLE_SETUP);
	if (state->migration == NULL || !setup_connect(state))
		return -1;
	while ((outcome = try_lock(state)) == 0 && clock_mono_ms() < until_ms) {
		if (!said)
			state->env->log(CONVRO_LOG_INFO,
			    "another process is migrating the database, waiting for it");
		said = true;
		(void)nanosleep(&pause, NULL);
	}
	if (outcome == 0)
		state->env->log(CONVRO_LOG_ERROR,
		    "another process has been migrating the database for %d s: try again when it "
		    "is done",
		    MIGRATION_WAIT_MS / 1000);
	return outcome == 1 ? 0 : -1;
}

void
postgresql_migrate_end(struct db_state *state)
{
	PQfinish(state->migration); /* the lock goes with it */
	state->migration = NULL;
}

static int
run_text(struct db_state *state, const char *name, const char *sql)
{
	PGresult *result = PQexec(state->setup, sql);
	ExecStatusType status = PQresultStatus(result);
	bool good =
	    status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;

	if (!good) {
		char why[REASON_LEN];

		reason_of(result, why, sizeof(why));
		state->env->log(CONVRO_LOG_ERROR, "migration %s failed: %s", name, why);
	}
	PQclear(result);
	return good ? 0 : -1;
}

/* Behind a quoted piece or a comment that begins at `at`; `at` where none does.  What never ends,
 * ends with the text. */
static const char *
skip_quoted(const char *at)
{
	const char *end = NULL;
	char tag[66];
	size_t len;

	if (*at == '\'' || *at == '"') {
		end = strchr(at + 1, *at);
		len = 1;
	} else if (strncmp(at, "--", 2) == 0) {
		end = strchr(at, '\n');
		len = 1;
	} else if (strncmp(at, "/*", 2) == 0) {
		end = strstr(at + 2, "*/");
		len = 2;
	} else if (*at == '$') {
		len = strcspn(at + 1, "$ \n;") + 2;
		if (at[len - 1] != '$' || len >= sizeof(tag))
			return at;
		memcpy(tag, at, len);
		tag[len] = '\0';
		end = strstr(at + len, tag);
	} else {
		return at;
	}
	return end != NULL ? end + len : at + strlen(at);
}

/* Statement by statement: CREATE INDEX CONCURRENTLY refuses company. */
static int
run_each(struct db_state *state, const struct db_script *script)
{
	struct arena *arena = arena_new(4096);
	const char *start = script->sql;
	int outcome = arena != NULL ? 0 : -1;

	for (const char *at = start; outcome == 0 && at != NULL;) {
		const char *after = skip_quoted(at);
		bool ends = *at == ';' || *at == '\0', last = *at == '\0';
		char *text;

		if (after != at) {
			at = after;
			continue;
		}
		at++;
		if (!ends)
			continue;
		text = arena_copy(arena, start, (size_t)(at - 1 - start));
		if (text == NULL || run_text(state, script->name, text) != 0)
			outcome = -1;
		start = at;
		if (last)
			break;
	}
	arena_free(arena);
	return outcome;
}

static int
run_call(struct db_state *state, const struct db_call *call)
{
	struct convro_db_result result = { .size = sizeof(result) };
	struct arena *arena;
	int outcome;

	if (call == NULL)
		return 0;
	arena = arena_new(256);
	if (arena == NULL) {
		state->env->log(CONVRO_LOG_ERROR, "out of memory for migrations");
		return -1;
	}
	outcome = postgresql_run(state, call, arena, &result);
	arena_free(arena);
	return outcome;
}

int
postgresql_migrate(struct db_state *state, const struct db_script *script)
{
	const char *name = script->name;
	bool outside = script->no_transaction;

	if (outside && script->sql != NULL && run_each(state, script) != 0)
		return -1;
	if (run_text(state, name, "BEGIN") != 0)
		return -1;
	if (run_call(state, script->lock) == 0 &&
	    (outside || script->sql == NULL || run_text(state, name, script->sql) == 0) &&
	    run_call(state, script->record) == 0 && run_text(state, name, "COMMIT") == 0)
		return 0;
	PQclear(PQexec(state->setup, "ROLLBACK"));
	return -1;
}

/* --- one statement --- */

int
postgresql_run(struct db_state *state, const struct db_call *call, struct arena *arena,
    struct convro_db_result *out)
{
	const struct db_statement *statement = call->statement;
	struct params params;
	const Oid *types;
	PGresult *result;
	ExecStatusType status;
	int outcome = -1;

	if (statement->sql == NULL)
		return 0;
	if (!setup_connect(state))
		return -1;
	types = param_types(arena, statement);
	if (types == NULL || params_build(arena, statement, &call, 1, &params) != 0) {
		complain(state, statement->name, "out of memory");
		return -1;
	}
	result = PQexecParams(state->setup, statement->sql, params.count, types, params.values,
	    params.lengths, params.formats, 1);
	status = PQresultStatus(result);
	if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
		complain_result(state, statement->name, result);
	else if (PQnfields(result) != (int)statement->column_count)
		complain(state, statement->name, "its text and its header differ in columns");
	else if (!rows_copy(result, statement, arena, out))
		complain(state, statement->name, "out of memory");
	else
		outcome = 0;
	PQclear(result);
	return outcome;
}

/* --- checks --- */

static const char *
find_fault(const struct db_statement *statement, const PGresult *described, const Oid *types)
{
	if (PQnparams(described) != (int)statement->arg_count)
		return "its text has an argument that its header lacks";
	for (uint32_t i = 0; i < statement->arg_count; i++)
		if (PQparamtype(described, (int)i) != types[i])
			return "its text and its header differ in the type of an argument";
	if (PQnfields(described) != (int)statement->column_count)
		return "its text and its header differ in the number of columns";
	for (uint32_t i = 0; i < statement->column_count; i++)
		if (!column_fits(&statement->columns[i], PQftype(described, (int)i)))
			return "its text and its header differ in the type of a column";
	if ((statement->flags & CONVRO_DB_COALESCE) == 0)
		return NULL;
	for (uint32_t i = 0; i < statement->arg_count; i++)
		if (!statement->args[i].array && statement->args[i].type != 'i')
			return "it is merged, so what is no array must be an int64";
	return NULL;
}

/* 0, or -1 after what is wrong with the statement was logged. */
static int
check_one(struct db_state *state, const struct db_statement *statement, struct arena *arena)
{
	const Oid *types = param_types(arena, statement);
	const char *fault = "out of memory";
	PGresult *result = NULL;
	char why[REASON_LEN];

	if (types != NULL)
		result =
		    PQprepare(state->setup, "", statement->sql, (int)statement->arg_count, types);
	if (PQresultStatus(result) == PGRES_COMMAND_OK) {
		PQclear(result);
		result = PQdescribePrepared(state->setup, "");
	}
	if (PQresultStatus(result) == PGRES_COMMAND_OK) {
		fault = find_fault(statement, result, types);
	} else if (types != NULL) {
		reason_of(result, why, sizeof(why));
		fault = why;
	}
	PQclear(result);
	if (fault == NULL)
		return 0;
	state->env->log(
	    CONVRO_LOG_ERROR, "statement %s cannot be used: %s", statement->name, fault);
	return -1;
}

int
check_statements(struct db_state *state)
{
	struct arena *arena = arena_new(1024);
	int outcome = arena != NULL && setup_connect(state) ? 0 : -1;
	bool reachable = outcome == 0;

	for (uint32_t i = 0; reachable && i < state->statement_count; i++) {
		const struct db_statement *statement = &state->statements[i];

		if (statement->sql == NULL)
			continue;
		arena_reset(arena);
		if (check_one(state, statement, arena) != 0)
			outcome = -1;
		reachable = PQstatus(state->setup) == CONNECTION_OK;
	}
	arena_free(arena);
	return reachable ? outcome : -1;
}
