/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writer's connection and the lock that goes with it: lost together with
 * the store, taken up again together.  As long as the lock is not ours nothing
 * is written.
 */
#include "base/arena.h"
#include "base/clock.h"
#include "base/must.h"
#include "db/postgresql/postgresql.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

enum { SCRATCH_FIRST = 256 * 1024 }; /* arguments of a full group of short messages */

int
guard_take(struct db_state *state)
{
	char sql[64];
	PGresult *result;
	int outcome = -1;

	state->guard = connect_now(state, ROLE_GUARD);
	if (state->guard == NULL)
		return -1;
	(void)snprintf(sql, sizeof(sql), "SELECT pg_try_advisory_lock(%d, 0)", LOCK_SERVER);
	result = exec_wait(state->guard, sql);
	if (result == NULL)
		complain_conn(state, "could not lock the database", state->guard);
	else if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1)
		complain_result(state, "could not lock the database", result);
	else
		outcome = strcmp(PQgetvalue(result, 0, 0), "t") == 0 ? 1 : 0;
	PQclear(result);
	if (outcome != 1) {
		PQfinish(state->guard);
		state->guard = NULL;
	}
	return outcome;
}

/* Whether something came on a connection that asks nothing: mostly the server's good-bye.  Found
 * out before a group is sent, that leaves no outcome unknown. */
static bool
was_addressed(const PGconn *conn)
{
	struct pollfd fd = { .fd = PQsocket(conn), .events = POLLIN };

	return poll(&fd, 1, 0) != 0;
}

static bool
guard_stands(struct db_state *state)
{
	PGresult *result;
	bool good;

	if (state->guard == NULL)
		return false;
	if (!was_addressed(state->guard))
		return true;
	result = exec_wait(state->guard, "SELECT 1");
	good = PQresultStatus(result) == PGRES_TUPLES_OK;
	PQclear(result);
	if (good)
		return true;
	state->env->log(CONVRO_LOG_WARNING, "lost the connection that locks the database");
	PQfinish(state->guard);
	state->guard = NULL;
	return false;
}

/* Closes the writer's connection if it no longer stands. */
static void
check_writer(struct db_state *state)
{
	struct run_error error;

	if (state->writer.conn != NULL && was_addressed(state->writer.conn))
		(void)transaction_run(state, NULL, NULL, NULL, &error);
}

static bool
guard_retake(struct db_state *state)
{
	struct writer *writer = &state->writer;
	int outcome = guard_stands(state) ? 1 : guard_take(state);

	if (outcome == 0 && !writer->refused)
		state->env->log(CONVRO_LOG_ERROR,
		    "another server has taken the database: nothing is written here until it "
		    "gives it back; stop one of the two");
	writer->refused = outcome == 0;
	return outcome == 1;
}

void
writer_down(struct db_state *state)
{
	PQfinish(state->writer.conn);
	state->writer.conn = NULL;
}

/* Reads the answers to session_send; false when the connection is lost or of no use. */
static bool
hear_session(struct db_state *state, uint32_t syncs)
{
	PGconn *conn = state->writer.conn;

	for (uint32_t n = 0; n < syncs;) {
		PGresult *result;
		ExecStatusType status;

		if (result_wait(conn, &result) != 0)
			return false;
		status = result != NULL ? PQresultStatus(result) : PGRES_EMPTY_QUERY;
		if (status == PGRES_PIPELINE_SYNC)
			n++;
		else if (status == PGRES_FATAL_ERROR)
			session_complain(state, ROLE_WRITER, n, result);
		PQclear(result);
		if (PQstatus(conn) == CONNECTION_BAD)
			return false;
	}
	return true;
}

static bool
connect_writer(struct db_state *state)
{
	struct writer *writer = &state->writer;
	uint32_t syncs;

	writer->conn = connect_now(state, ROLE_WRITER);
	if (writer->conn == NULL)
		return false;
	arena_reset(writer->scratch);
	if (PQenterPipelineMode(writer->conn) != 0 &&
	    session_send(state, writer->conn, ROLE_WRITER, writer->scratch, &syncs) == 0 &&
	    hear_session(state, syncs))
		return true;
	complain_conn(state, "could not set up the writer's connection", writer->conn);
	writer_down(state);
	return false;
}

/* Sleeps; false when interrupted. */
static bool
pause_until(const struct db_state *state, int64_t until_ms)
{
	struct pollfd fd = { state->wake_fd, POLLIN, 0 };
	int64_t left_ms = until_ms - clock_mono_ms();

	if (left_ms > 0)
		(void)poll(&fd, 1, (int)left_ms);
	return !atomic_load(&state->interrupted);
}

bool
writer_up(struct db_state *state)
{
	struct writer *writer = &state->writer;
	struct backoff *backoff = &writer->backoff;
	bool was_away = false;

	check_writer(state);
	while (!guard_stands(state) || writer->conn == NULL) {
		int64_t now_ms = clock_mono_ms();

		was_away = true;
		if (atomic_load(&state->interrupted))
			return false;
		if (now_ms < backoff->next_ms) {
			int64_t end_ms = backoff->away_since_ms + WAIT_MS;

			if (now_ms >= end_ms ||
			    !pause_until(
				state, backoff->next_ms < end_ms ? backoff->next_ms : end_ms))
				return false;
			continue;
		}
		if (guard_retake(state) && (writer->conn != NULL || connect_writer(state)))
			break;
		backoff_failed(backoff, now_ms);
		if (writer->refused || backoff_is_hopeless(backoff, clock_mono_ms()))
			return false;
	}
	if (was_away && backoff->away_since_ms != 0)
		state->env->log(CONVRO_LOG_INFO, "the database is back");
	backoff_succeeded(backoff);
	return true;
}

int
writer_start(struct db_state *state)
{
	struct writer *writer = &state->writer;

	writer->scratch = arena_new(SCRATCH_FIRST);
	if (writer->scratch == NULL) {
		state->env->log(CONVRO_LOG_ERROR, "out of memory for the writer of the database");
		return -1;
	}
	return connect_writer(state) ? 0 : -1;
}

void
writer_fini(struct db_state *state)
{
	writer_down(state);
	arena_free(state->writer.scratch);
}
