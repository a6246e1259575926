/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Before the server serves: migrations, the few statements that the core runs
 * by itself, and a look at every statement, so that one which does not fit its
 * header is found now and by name.
 */
#include "db/sqlite/sqlite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
sqlite_run(struct db_state *state, const struct db_call *call, struct arena *arena,
    struct convro_db_result *out)
{
	struct connection *connection = &state->writer;
	const struct db_statement *statement = call->statement;
	enum convro_status status = CONVRO_OK;
	struct prepared prepared;
	int rc;

	if (statement->sql == NULL)
		return 0;
	rc = connection_prepare(connection, statement, &prepared);
	if (rc == SQLITE_OK) {
		status = execute(connection, &prepared, call, arena, out, &rc);
		if (status != CONVRO_OK)
			connection_complain(connection, statement->name, rc);
		prepared_fini(&prepared);
		return status == CONVRO_OK ? 0 : -1;
	}
	connection_complain(connection, statement->name, rc);
	return -1;
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
	outcome = sqlite_run(state, call, arena, &result);
	arena_free(arena);
	return outcome;
}

static int
run_text(struct db_state *state, const char *what, const char *sql)
{
	int rc = sql != NULL ? connection_exec(&state->writer, sql) : SQLITE_OK;

	if (rc == SQLITE_OK)
		return 0;
	state->env->log(CONVRO_LOG_ERROR, "migration %s failed: %s", what,
	    sqlite3_errmsg(state->writer.sqlite));
	return -1;
}

int
sqlite_migrate(struct db_state *state, const struct db_script *script)
{
	const char *name = script->name;

	if (script->no_transaction && run_text(state, name, script->sql) != 0)
		return -1;
	if (run_text(state, name, "BEGIN IMMEDIATE") != 0)
		return -1;
	if (run_call(state, script->lock) == 0 &&
	    (script->no_transaction || run_text(state, name, script->sql) == 0) &&
	    run_call(state, script->record) == 0 && run_text(state, name, "COMMIT") == 0)
		return 0;
	if (sqlite3_get_autocommit(state->writer.sqlite) == 0)
		(void)connection_exec(&state->writer, "ROLLBACK");
	return -1;
}

static bool
parameters_are_declared(const struct part *part, uint32_t arg_count)
{
	int count = sqlite3_bind_parameter_count(part->stmt);

	for (int i = 1; i <= count; i++) {
		const char *name = sqlite3_bind_parameter_name(part->stmt, i);
		char *end = NULL;
		unsigned long number;

		if (name == NULL || name[0] != '$')
			return false;
		number = strtoul(name + 1, &end, 10);
		if (*end != '\0' || number == 0 || number > arg_count)
			return false;
	}
	return true;
}

/* What is wrong with the statement, or NULL. */
static const char *
find_fault(const struct db_statement *statement, const struct prepared *prepared)
{
	const struct part *last = &prepared->parts[prepared->part_count - 1];
	bool writes = false;

	for (uint32_t i = 0; i < prepared->part_count; i++) {
		if (!parameters_are_declared(&prepared->parts[i], statement->arg_count))
			return "its text has an argument that its header lacks";
		writes |= !sqlite3_stmt_readonly(prepared->parts[i].stmt);
	}
	if ((uint32_t)sqlite3_column_count(last->stmt) != statement->column_count)
		return "its text and its header differ in the number of columns";
	if (writes && (statement->flags & CONVRO_DB_WRITE) == 0)
		return "it writes and is not flagged so";
	return NULL;
}

int
check_statements(struct db_state *state)
{
	struct connection *connection = &state->writer;
	int outcome = 0;

	for (uint32_t i = 0; i < state->statement_count; i++) {
		const struct db_statement *statement = &state->statements[i];
		struct prepared prepared;
		const char *fault;
		int rc;

		if (statement->sql == NULL)
			continue;
		rc = connection_prepare(connection, statement, &prepared);
		if (rc != SQLITE_OK) {
			fault = rc == SQLITE_MISUSE ? "its text is empty"
						    : sqlite3_errmsg(connection->sqlite);
		} else {
			fault = find_fault(statement, &prepared);
			prepared_fini(&prepared);
		}
		if (fault == NULL)
			continue;
		state->env->log(
		    CONVRO_LOG_ERROR, "statement %s cannot be used: %s", statement->name, fault);
		outcome = -1;
	}
	return outcome;
}
