/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run of statements on the writer's connection: all of it is sent before the
 * first answer is waited for.  What it did counts only when the Sync behind the
 * commit came back: rows were seen of transactions that then did not commit.
 */
#include "base/arena.h"
#include "db/postgresql/postgresql.h"

#include <string.h>

/* --- sending --- */

static bool
send_own(PGconn *conn, const char *name)
{
	return name == NULL || PQsendQueryPrepared(conn, name, 0, NULL, NULL, NULL, 1) != 0;
}

static bool
send_step(struct writer *writer, const struct plan *plan, const struct plan_step *step)
{
	uint32_t count = step->merged ? step->count : 1;
	const struct db_call **calls = arena_alloc(writer->scratch, count * sizeof(*calls));
	struct params params;
	char key[16];

	if (calls == NULL)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		const struct plan_call *at = &plan->calls[step->first + i];

		calls[i] = &at->request->calls[at->index];
	}
	if (params_build(writer->scratch, step->statement, calls, count, &params) != 0)
		return false;
	statement_key(step->statement, key);
	return PQsendQueryPrepared(writer->conn, key, params.count, params.values, params.lengths,
		   params.formats, 1) != 0;
}

static bool
send_all(struct writer *writer, const char *before, const struct plan *plan, const char *after)
{
	if (!send_own(writer->conn, before))
		return false;
	for (uint32_t i = 0; plan != NULL && i < plan->step_count; i++)
		if (!send_step(writer, plan, &plan->steps[i]))
			return false;
	return send_own(writer->conn, after);
}

/* --- results --- */

static void
fail_rows(struct db_request *request)
{
	/* Too late to keep it from being stored. */
	request->status = CONVRO_UNKNOWN_OUTCOME;
}

/* Deals the rows of a merged step out to its calls by their first column. */
static void
deal_rows(
    struct arena *scratch, const struct plan *plan, const struct plan_step *step, PGresult *from)
{
	const struct plan_call *calls = &plan->calls[step->first];
	struct convro_db_val **next = arena_zero(scratch, step->count, sizeof(*next));
	int rows = PQntuples(from);

	for (int row = 0; row < rows; row++) {
		int64_t ord = row_ord(from, row);

		if (ord >= 1 && ord <= step->count)
			calls[ord - 1].request->results[calls[ord - 1].index].nrows++;
	}
	for (uint32_t i = 0; i < step->count; i++) {
		struct db_request *request = calls[i].request;
		struct convro_db_result *result = &request->results[calls[i].index];
		struct convro_db_val *vals;

		if (result->nrows == 0)
			continue;
		vals = arena_zero(
		    request->arena, (size_t)result->nrows * result->ncols + 1, sizeof(*vals));
		result->vals = vals;
		result->changed = result->nrows;
		if (next == NULL || vals == NULL)
			fail_rows(request);
		else
			next[i] = vals;
	}
	for (int row = 0; next != NULL && row < rows; row++) {
		int64_t ord = row_ord(from, row);
		struct db_request *request;

		if (ord < 1 || ord > step->count || next[ord - 1] == NULL)
			continue;
		request = calls[ord - 1].request;
		if (!row_copy(from, row, step->statement, request->arena, next[ord - 1]))
			fail_rows(request);
		next[ord - 1] += request->results[calls[ord - 1].index].ncols;
	}
}

static void
take_rows(
    struct arena *scratch, const struct plan *plan, const struct plan_step *step, PGresult *from)
{
	const struct db_statement *statement = step->statement;

	if (step->merged) {
		if (statement->hidden > 0 && PQnfields(from) == (int)statement->column_count)
			deal_rows(scratch, plan, step, from);
		return;
	}
	for (uint32_t i = 0; i < step->count; i++) {
		struct db_request *request = plan->calls[step->first + i].request;
		uint32_t index = plan->calls[step->first + i].index;

		if (!rows_copy(from, statement, request->arena, &request->results[index]))
			fail_rows(request);
	}
}

/* Whatever an earlier run left. */
static void
forget_rows(const struct plan *plan)
{
	for (uint32_t i = 0; plan != NULL && i < plan->call_count; i++) {
		struct db_request *request = plan->calls[i].request;
		struct convro_db_result *result = &request->results[plan->calls[i].index];

		request->status = CONVRO_OK;
		result->nrows = 0;
		result->changed = 0;
		result->vals = NULL;
	}
}

/* --- hearing --- */

struct hearing {
	struct db_state *state;
	const struct plan *plan; /* or NULL */
	bool failed;
	bool committed;
	struct run_error *error;
};

static void
hear_error(struct hearing *hearing, const struct plan_step *step, const PGresult *result)
{
	struct db_state *state = hearing->state;
	struct run_error *error = hearing->error;

	error->kind = error_of(state->writer.conn, result, &error->status);
	hearing->failed = true;
	/* Conflicts and deadlocks are everyday; the module answers them. */
	if (error->kind != ERROR_RERUN)
		complain_result(state,
		    step != NULL ? step->statement->name : "the database refused a transaction",
		    result);
}

/* One command's result and the NULL behind it; -1 when the connection is lost. */
static int
hear_one(struct hearing *hearing, const struct plan_step *step, bool commit)
{
	struct writer *writer = &hearing->state->writer;
	PGresult *result, *end;

	if (result_wait(writer->conn, &result) != 0 || result == NULL)
		return -1;
	switch (PQresultStatus(result)) {
	case PGRES_COMMAND_OK:
		hearing->committed = commit && strcmp(PQcmdStatus(result), "COMMIT") == 0;
		break;
	case PGRES_TUPLES_OK:
		if (step != NULL)
			take_rows(writer->scratch, hearing->plan, step, result);
		break;
	case PGRES_PIPELINE_ABORTED:
		break;
	default:
		hear_error(hearing, step, result);
		break;
	}
	PQclear(result);
	if (hearing->failed && hearing->error->kind == ERROR_LOST)
		return -1;
	if (result_wait(writer->conn, &end) != 0)
		return -1;
	PQclear(end); /* NULL, or the news that the connection is gone */
	return end == NULL ? 0 : -1;
}

static int
hear_sync(struct hearing *hearing)
{
	PGresult *result;
	bool good;

	if (result_wait(hearing->state->writer.conn, &result) != 0 || result == NULL)
		return -1;
	good = PQresultStatus(result) == PGRES_PIPELINE_SYNC;
	PQclear(result);
	return good ? 0 : -1;
}

static int
hear_all(struct hearing *hearing, bool before, bool after, bool commit)
{
	const struct plan *plan = hearing->plan;

	if (before && hear_one(hearing, NULL, false) != 0)
		return -1;
	for (uint32_t i = 0; plan != NULL && i < plan->step_count; i++)
		if (hear_one(hearing, &plan->steps[i], false) != 0)
			return -1;
	if (after && hear_one(hearing, NULL, commit) != 0)
		return -1;
	return hear_sync(hearing);
}

enum run
transaction_run(struct db_state *state, const char *before, const struct plan *plan,
    const char *after, struct run_error *error)
{
	struct writer *writer = &state->writer;
	struct hearing hearing = { .state = state, .plan = plan, .error = error };
	bool commit = after != NULL && strcmp(after, "commit") == 0;

	*error = (struct run_error){ ERROR_LOST, CONVRO_UNKNOWN_OUTCOME };
	forget_rows(plan);
	if (!send_all(writer, before, plan, after)) {
		complain_conn(state, "could not send to the database", writer->conn);
		writer_down(state);
		return RUN_LOST; /* the commit never left */
	}
	if (PQpipelineSync(writer->conn) == 0 ||
	    hear_all(&hearing, before != NULL, after != NULL, commit) != 0) {
		bool rolled_back = hearing.failed && error->kind != ERROR_LOST;

		complain_conn(state, "lost the connection to the database", writer->conn);
		writer_down(state);
		return commit && !rolled_back ? RUN_UNKNOWN : RUN_LOST;
	}
	if (hearing.failed && error->kind == ERROR_RECONNECT) {
		writer_down(state);
		return RUN_LOST;
	}
	if (hearing.failed)
		return error->kind == ERROR_STORE ? RUN_STORE : RUN_FAILED;
	if (commit && !hearing.committed) {
		/* COMMIT of a transaction that had failed unnoticed: the server rolled back. */
		complain(state, "the database refused a transaction", "it rolled back");
		writer_down(state);
		return RUN_LOST;
	}
	return RUN_DONE;
}
