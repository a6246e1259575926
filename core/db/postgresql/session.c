/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a connection in pipeline mode is told before anything else, without
 * waiting for an answer: the settings, then every statement that it may run.
 * Each part has a Sync of its own, so that one which fails takes no other with
 * it.
 */
#include "base/arena.h"
#include "db/postgresql/postgresql.h"

#include <stdio.h>

/* Prepared under their names; each may also be what ends a failed transaction. */
static const struct own_statement {
	const char *name, *sql;
} own_statements[] = {
	{ "begin", "BEGIN" },
	{ "commit", "COMMIT" },
	{ "rollback", "ROLLBACK" },
	{ "savepoint", "SAVEPOINT request" },
	{ "release", "RELEASE request" },
	{ "rollback_to", "ROLLBACK TO request" },
};

enum {
	OWN_COUNT = sizeof(own_statements) / sizeof(own_statements[0]),
	/* Parts before the statements.  The writer's settings were made by connect_now. */
	WRITER_PARTS = 1 + OWN_COUNT,
	READER_PARTS = 1,
	PART_DEADLOCK = 0, /* of the writer */
};

void
statement_key(const struct db_statement *statement, char out[16])
{
	(void)snprintf(out, 16, "s%u", statement->number);
}

static bool
is_needed(const struct db_statement *statement, enum role role)
{
	return statement->sql != NULL &&
	       (role == ROLE_WRITER ||
		   (statement->flags & (CONVRO_DB_WRITE | CONVRO_DB_LOCKS)) == 0);
}

static int
send_text(PGconn *conn, const char *sql)
{
	return PQsendQueryParams(conn, sql, 0, NULL, NULL, NULL, NULL, 0) != 0 &&
		       PQpipelineSync(conn) != 0
		   ? 0
		   : -1;
}

static int
send_prepare(PGconn *conn, const char *name, const char *sql, int count, const Oid *types)
{
	return PQsendPrepare(conn, name, sql, count, types) != 0 && PQpipelineSync(conn) != 0 ? 0
											      : -1;
}

static int
send_own(PGconn *conn)
{
	/* A deadlock with another process costs this long. */
	if (send_text(conn, "SET deadlock_timeout = '50ms'") != 0)
		return -1;
	for (uint32_t i = 0; i < OWN_COUNT; i++)
		if (send_prepare(conn, own_statements[i].name, own_statements[i].sql, 0, NULL) != 0)
			return -1;
	return 0;
}

int
session_send(struct db_state *state, PGconn *conn, enum role role, struct arena *scratch,
    uint32_t *out_syncs)
{
	uint32_t syncs = role == ROLE_WRITER ? WRITER_PARTS : READER_PARTS;

	if (role == ROLE_WRITER ? send_own(conn) != 0
				: send_text(conn, settings_of(state, role)) != 0)
		return -1;
	for (uint32_t i = 0; i < state->statement_count; i++) {
		const struct db_statement *statement = &state->statements[i];
		const Oid *types;
		char key[16];

		if (!is_needed(statement, role))
			continue;
		types = param_types(scratch, statement);
		statement_key(statement, key);
		if (types == NULL ||
		    send_prepare(conn, key, statement->sql, (int)statement->arg_count, types) != 0)
			return -1;
		syncs++;
	}
	*out_syncs = syncs;
	return 0;
}

/* The n-th of the statements that the role needs. */
static const struct db_statement *
needed(const struct db_state *state, enum role role, uint32_t n)
{
	for (uint32_t i = 0; i < state->statement_count; i++)
		if (is_needed(&state->statements[i], role) && n-- == 0)
			return &state->statements[i];
	return NULL;
}

void
session_complain(struct db_state *state, enum role role, uint32_t n, const PGresult *result)
{
	const struct db_statement *statement;
	uint32_t before = role == ROLE_WRITER ? WRITER_PARTS : READER_PARTS;

	if (role == ROLE_WRITER && n == PART_DEADLOCK) {
		if (!atomic_exchange(&state->warned, true))
			state->env->log(CONVRO_LOG_WARNING,
			    "the database's role may not set deadlock_timeout: a deadlock with "
			    "another process will take a second; GRANT SET ON PARAMETER "
			    "deadlock_timeout to it");
		return;
	}
	statement = n >= before ? needed(state, role, n - before) : NULL;
	complain_result(state,
	    statement != NULL ? statement->name : "could not set up a connection to the database",
	    result);
}
