/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A group: many requests, one commit, one flush to the disk.
 *
 * A request that fails is undone alone.  One that is a single SQLite statement
 * undoes itself (that is what SQLite's ABORT means); the others run in a
 * savepoint.  Some failures (no memory, no room, I/O) may end the whole
 * transaction; then the group runs again without the request that had it.
 */
#include "db/sqlite/sqlite.h"

#include <stddef.h>

enum { RUNS_MOST = 4 }; /* of a group whose transaction was lost */

static const struct own_statement {
	size_t offset; /* of its prepared form in struct db_state */
	const char *sql;
} own_statements[] = {
	{ offsetof(struct db_state, begin), "BEGIN IMMEDIATE" },
	{ offsetof(struct db_state, commit), "COMMIT" },
	{ offsetof(struct db_state, rollback), "ROLLBACK" },
	{ offsetof(struct db_state, savepoint), "SAVEPOINT request" },
	{ offsetof(struct db_state, release), "RELEASE request" },
	{ offsetof(struct db_state, rollback_to), "ROLLBACK TO request" },
};

enum { OWN_COUNT = sizeof(own_statements) / sizeof(own_statements[0]) };

static struct prepared *
own_prepared(struct db_state *state, uint32_t i)
{
	return (struct prepared *)(void *)((char *)state + own_statements[i].offset);
}

int
group_init(struct db_state *state)
{
	for (uint32_t i = 0; i < OWN_COUNT; i++) {
		const struct db_statement statement = { .sql = own_statements[i].sql };
		int rc = connection_prepare(&state->writer, &statement, own_prepared(state, i));

		if (rc != SQLITE_OK) {
			connection_complain(&state->writer, "could not prepare the writer", rc);
			return -1;
		}
	}
	return 0;
}

void
group_fini(struct db_state *state)
{
	for (uint32_t i = 0; i < OWN_COUNT; i++)
		prepared_fini(own_prepared(state, i));
}

static bool
in_transaction(const struct db_state *state)
{
	return sqlite3_get_autocommit(state->writer.sqlite) == 0;
}

static void
roll_back(struct db_state *state)
{
	if (in_transaction(state))
		(void)execute_plain(&state->rollback);
}

/* What an operator should hear about a request that failed; conflicts are the caller's business. */
static void
complain(struct db_state *state, const struct db_statement *statement, int rc)
{
	if (rc != SQLITE_OK && status_of(rc) != CONVRO_CONFLICT)
		connection_complain(&state->writer, statement->name, rc);
}

static enum convro_status
run_calls(struct db_state *state, struct db_request *request)
{
	for (uint32_t i = 0; i < request->call_count; i++) {
		const struct db_call *call = &request->calls[i];
		const struct prepared *prepared;
		enum convro_status status;
		int rc;

		if (call->statement->sql == NULL)
			continue;
		prepared = connection_get(&state->writer, call->statement, &rc);
		if (prepared == NULL)
			status = status_of(rc);
		else
			status = execute(&state->writer, prepared, call, request->arena,
			    &request->results[i], &rc);
		if (status != CONVRO_OK) {
			complain(state, call->statement, rc);
			return status;
		}
	}
	return CONVRO_OK;
}

/* Whether the request is one statement of SQLite at most. */
static bool
is_single(struct db_state *state, const struct db_request *request)
{
	uint32_t parts = 0;
	int rc;

	for (uint32_t i = 0; i < request->call_count; i++) {
		const struct db_statement *statement = request->calls[i].statement;
		const struct prepared *prepared;

		if (statement->sql == NULL)
			continue;
		prepared = connection_get(&state->writer, statement, &rc);
		parts += prepared != NULL ? prepared->part_count : 2;
		if (parts > 1)
			return false;
	}
	return true;
}

/* Runs one request and undoes it when it fails.  False when that was not possible: then the
 * transaction of all is gone. */
static bool
run_request(struct db_state *state, struct db_request *request)
{
	bool single = is_single(state, request);
	int rc = single ? SQLITE_OK : execute_plain(&state->savepoint);

	if (rc != SQLITE_OK) {
		request->status = status_of(rc);
		connection_complain(&state->writer, "could not begin a request", rc);
		roll_back(state);
		return false;
	}
	request->status = run_calls(state, request);
	/* Memory of our own ran out between two rows: the statement itself knows of no error. */
	if (single && request->status == CONVRO_NO_MEMORY)
		roll_back(state);
	if (single || !in_transaction(state))
		return in_transaction(state);
	if (request->status != CONVRO_OK)
		rc = execute_plain(&state->rollback_to);
	if (rc == SQLITE_OK)
		rc = execute_plain(&state->release);
	if (rc == SQLITE_OK)
		return true;
	if (request->status == CONVRO_OK)
		request->status = status_of(rc);
	connection_complain(&state->writer, "could not end a request", rc);
	roll_back(state);
	return false;
}

/* Runs those that have not failed yet; false when the transaction was lost on the way. */
static bool
run_all(struct db_state *state, struct db_request *const *requests, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (requests[i]->status == CONVRO_OK && !run_request(state, requests[i]))
			return false;
	return true;
}

static void
fail_all(struct db_request *const *requests, uint32_t count, enum convro_status status)
{
	for (uint32_t i = 0; i < count; i++)
		if (requests[i]->status == CONVRO_OK)
			requests[i]->status = status;
}

/* The log of writes is long and the checkpoint thread does not catch up while we write: only
 * between two commits can a checkpoint reach the end, so that the log begins anew. */
static void
help_checkpoint(struct db_state *state)
{
	if (state->wal_pages < WAL_PAGES_MANY ||
	    (state->wal_attempt <= state->wal_pages &&
		state->wal_pages - state->wal_attempt < WAL_PAGES_DUE))
		return;
	state->wal_attempt = state->wal_pages;
	(void)sqlite3_wal_checkpoint_v2(
	    state->writer.sqlite, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

static void
commit(struct db_state *state, struct db_request *const *requests, uint32_t count)
{
	int rc = execute_plain(&state->commit);

	if (rc == SQLITE_OK) {
		checkpointer_wrote(state->checkpointer, state->wal_pages);
		return;
	}
	connection_complain(&state->writer, "could not commit", rc);
	roll_back(state);
	/* After a flush that failed nobody knows what the disk holds; before it nothing counts. */
	fail_all(requests, count,
	    rc == SQLITE_IOERR_FSYNC || rc == SQLITE_IOERR_DIR_FSYNC ? CONVRO_UNKNOWN_OUTCOME
								     : status_of(rc));
}

void
sqlite_group(struct db_state *state, struct db_request *const *requests, uint32_t count)
{
	help_checkpoint(state);
	for (uint32_t i = 0; i < count; i++)
		requests[i]->status = CONVRO_OK;
	for (int run = 0; run < RUNS_MOST; run++) {
		int rc = execute_plain(&state->begin);

		if (rc != SQLITE_OK) {
			connection_complain(&state->writer, "could not begin a transaction", rc);
			fail_all(requests, count, status_of(rc));
			return;
		}
		if (run_all(state, requests, count)) {
			commit(state, requests, count);
			return;
		}
	}
	fail_all(requests, count, CONVRO_RETRY);
}
