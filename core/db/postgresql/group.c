/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A group: many requests, one transaction, one flush to the disk.
 *
 * A statement that fails takes the transaction with it.  Where another process
 * may have been the cause the group runs again once; then each request runs in
 * a savepoint of its own, so that only the one at fault fails.
 *
 * A connection that is lost is taken up again.  Nothing of a transaction whose
 * commit had not been sent is stored, so it just runs again; where the commit
 * was under way, only requests that may be repeated blindly do (design:
 * storage, section 6).
 */
#include "base/arena.h"
#include "base/clock.h"
#include "base/must.h"
#include "db/postgresql/postgresql.h"

enum {
	LOSSES_MOST = 4, /* of the connection during one group */
	APART_MS = 4000, /* for requests one by one: each may wait for a lock */
};

struct group {
	struct db_state *state;
	struct db_request **pending; /* not decided yet, in their order */
	uint32_t count;
};

static void
fail_pending(struct group *group, enum convro_status status)
{
	for (uint32_t i = 0; i < group->count; i++)
		group->pending[i]->status = (group->pending[i]->driver_mark & MARK_SENT) != 0
						? CONVRO_UNKNOWN_OUTCOME
						: status;
	group->count = 0;
}

/* Whose deadline passed while the store was away.  What may have been stored is no longer late. */
static void
drop_late(struct group *group)
{
	int64_t now_ms = clock_mono_ms();
	uint32_t left = 0;

	for (uint32_t i = 0; i < group->count; i++) {
		struct db_request *request = group->pending[i];

		if ((request->driver_mark & MARK_SENT) == 0 && db_request_is_late(request, now_ms))
			request->status = CONVRO_TIMEOUT;
		else
			group->pending[left++] = request;
	}
	group->count = left;
}

/* After a commit that was under way when the connection was lost. */
static void
drop_unrepeatable(struct group *group)
{
	uint32_t left = 0;

	for (uint32_t i = 0; i < group->count; i++) {
		struct db_request *request = group->pending[i];

		request->driver_mark |= MARK_SENT;
		if (request->idempotent)
			group->pending[left++] = request;
		else
			request->status = CONVRO_UNKNOWN_OUTCOME;
	}
	group->count = left;
}

/* Ends a transaction or savepoint that failed; RUN_DONE, or RUN_LOST. */
static enum run
roll_back(struct db_state *state, const char *how)
{
	struct run_error error;

	if (transaction_run(state, how, NULL, NULL, &error) == RUN_DONE)
		return RUN_DONE;
	if (state->writer.conn != NULL)
		writer_down(state);
	return RUN_LOST;
}

static enum run
run_together(struct group *group, struct run_error *error)
{
	struct db_state *state = group->state;
	struct plan plan;
	enum run outcome;

	arena_reset(state->writer.scratch);
	if (plan_build(state->writer.scratch, group->pending, group->count, &plan) != 0) {
		*error = (struct run_error){ ERROR_STORE, CONVRO_NO_MEMORY };
		return RUN_STORE;
	}
	outcome = transaction_run(state, "begin", &plan, "commit", error);
	if (outcome == RUN_FAILED || outcome == RUN_STORE)
		if (PQtransactionStatus(state->writer.conn) != PQTRANS_IDLE &&
		    roll_back(state, "rollback") != RUN_DONE)
			return outcome == RUN_STORE ? RUN_STORE : RUN_LOST;
	return outcome;
}

/* One of them within the transaction that is open; its failure is its own. */
static enum run
run_one(struct db_state *state, struct db_request *request)
{
	struct run_error error;
	struct plan plan;
	enum run outcome;

	arena_reset(state->writer.scratch);
	if (plan_build(state->writer.scratch, &request, 1, &plan) != 0) {
		request->status = CONVRO_NO_MEMORY;
		return RUN_DONE;
	}
	outcome = transaction_run(state, "savepoint", &plan, "release", &error);
	if (outcome != RUN_FAILED && outcome != RUN_STORE)
		return outcome;
	request->status = error.status;
	return roll_back(state, "rollback_to");
}

/* All of them in one transaction, each in a savepoint.  Those that fail are decided for good only
 * with the commit: a lost connection brings all back. */
static enum run
run_apart(struct group *group)
{
	struct db_state *state = group->state;
	int64_t until_ms = clock_mono_ms() + APART_MS;
	struct run_error error;
	enum run outcome = transaction_run(state, "begin", NULL, NULL, &error);

	for (uint32_t i = 0; outcome == RUN_DONE && i < group->count; i++) {
		if (clock_mono_ms() < until_ms)
			outcome = run_one(state, group->pending[i]);
		else
			group->pending[i]->status = CONVRO_RETRY;
	}
	if (outcome == RUN_DONE)
		outcome = transaction_run(state, NULL, NULL, "commit", &error);
	if ((outcome == RUN_FAILED || outcome == RUN_STORE) &&
	    PQtransactionStatus(state->writer.conn) != PQTRANS_IDLE)
		(void)roll_back(state, "rollback");
	return outcome;
}

/* One try at the whole; false when there is nothing left to try. */
static bool
run_once(struct group *group, uint32_t *reruns, uint32_t *losses)
{
	struct run_error error = { ERROR_REQUEST, CONVRO_RETRY };
	enum run outcome = run_together(group, &error);

	if (outcome == RUN_FAILED) {
		if (error.kind == ERROR_RERUN && (*reruns)++ == 0)
			return true;
		if (group->count > 1) {
			outcome = run_apart(group);
			error.status = CONVRO_RETRY;
		}
	}
	switch (outcome) {
	case RUN_DONE:
		group->count = 0; /* their statuses are set */
		return false;
	case RUN_FAILED:
	case RUN_STORE:
		fail_pending(group, error.status);
		return false;
	case RUN_UNKNOWN:
		drop_unrepeatable(group);
		break;
	case RUN_LOST:
		break;
	}
	if (++*losses < LOSSES_MOST)
		return true;
	fail_pending(group, CONVRO_NOT_SENT);
	return false;
}

void
postgresql_group(struct db_state *state, struct db_request *const *requests, uint32_t count)
{
	struct group group = { .state = state, .pending = state->writer.pending };
	uint32_t reruns = 0, losses = 0;

	MUST(count <= GROUP_MAX);
	for (uint32_t i = 0; i < count; i++) {
		requests[i]->driver_mark = 0;
		requests[i]->status = CONVRO_OK;
	}
	arena_reset(state->writer.scratch);
	if (plan_defer(state->writer.scratch, requests, count) != 0) {
		for (uint32_t i = 0; i < count; i++)
			requests[i]->status = CONVRO_NO_MEMORY;
		return;
	}
	for (uint32_t i = 0; i < count; i++)
		if (!requests[i]->deferred)
			group.pending[group.count++] = requests[i];
	while (group.count > 0) {
		if (!writer_up(state)) {
			fail_pending(&group, CONVRO_NOT_SENT);
			return;
		}
		drop_late(&group);
		if (group.count > 0 && !run_once(&group, &reruns, &losses))
			return;
	}
}
