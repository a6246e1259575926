/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes back on a worker's connection: results in the order of sending, and
 * a Sync behind those that were sent together (reader.c).
 */
#include "db/postgresql/reader.h"

#include "base/clock.h"

/* The call that the next result belongs to, or NULL. */
static const struct db_call *
next_call(struct slot *slot, uint32_t *index)
{
	struct db_request *request = slot->request;

	while (request != NULL && slot->at < request->call_count) {
		*index = slot->at++;
		if (request->calls[*index].statement->sql != NULL)
			return &request->calls[*index];
	}
	return NULL;
}

/* False when the connection is of no more use. */
static bool
take_error(struct reader *reader, struct slot *slot, const char *what, const PGresult *result)
{
	enum convro_status status;
	enum error_kind kind = error_of(reader->conn, result, &status);

	if (slot->is_session && kind != ERROR_LOST) {
		session_complain(reader->state, ROLE_READER, slot->session_part, result);
		return true;
	}
	complain_result(reader->state, what, result);
	if (kind == ERROR_LOST || kind == ERROR_RECONNECT)
		return false;
	if (slot->status == CONVRO_OK)
		slot->status = status;
	return true;
}

static bool
take_result(struct reader *reader, struct slot *slot, PGresult **result)
{
	uint32_t index = 0;
	const struct db_call *call = next_call(slot, &index);

	slot->left -= slot->left > 0;
	switch (PQresultStatus(*result)) {
	case PGRES_TUPLES_OK:
	case PGRES_COMMAND_OK:
		if (call != NULL && slot->status == CONVRO_OK &&
		    !rows_take(
			result, call->statement, slot->request, &slot->request->results[index]))
			slot->status = CONVRO_NO_MEMORY;
		return true;
	case PGRES_PIPELINE_ABORTED:
		slot->was_aborted = slot->status == CONVRO_OK;
		return true;
	default:
		return take_error(reader, slot,
		    call != NULL ? call->statement->name : "a read of the database", *result);
	}
}

/* Nobody knows how far the results came, so they are read anew. */
static void
keep_for_again(struct reader *reader, struct db_request *request)
{
	for (uint32_t i = 0; i < request->call_count; i++)
		request->results[i].nrows = 0;
	request->driver_mark--; /* its turn had not come */
	request->next = NULL;
	*reader->again_end = request;
	reader->again_end = &request->next;
	reader->again_count++;
}

static void
end_slot(struct reader *reader)
{
	struct slot slot = *reader_slot_at(reader, 0);

	reader->slot_first = (reader->slot_first + 1) % reader->slot_size;
	reader->slot_count--;
	if (slot.is_sync)
		reader_send_again(reader);
	else if (!slot.is_session)
		reader->sent--;
	if (slot.request != NULL && slot.was_aborted)
		keep_for_again(reader, slot.request);
	else if (slot.request != NULL)
		reader_complete(reader, slot.request, slot.status);
	if (!reader->heard && reader->backoff.away_since_ms != 0)
		reader->state->env->log(CONVRO_LOG_INFO, "the database is back for a worker");
	reader->heard = true;
	backoff_succeeded(&reader->backoff);
}

/* One result, which is NULL behind it when its rows were kept; false when the connection is of no
 * more use. */
static bool
take(struct reader *reader, PGresult **result)
{
	struct slot *slot = reader_slot_at(reader, 0);
	bool is_sync = PQresultStatus(*result) == PGRES_PIPELINE_SYNC;

	slot->sent_ms = clock_mono_ms(); /* the server is at it */
	if (slot->is_session || slot->is_sync) {
		if (is_sync)
			end_slot(reader);
		else
			return take_result(reader, slot, result);
		return true;
	}
	if (is_sync || !take_result(reader, slot, result))
		return false;
	if (slot->left == 0)
		end_slot(reader);
	return true;
}

void
reader_drain(struct reader *reader)
{
	uint32_t ends = 0; /* NULL stands behind each command, never two of them */

	while (reader->slot_count > 0 && PQisBusy(reader->conn) == 0) {
		PGresult *result = PQgetResult(reader->conn);
		bool good;

		if (result == NULL) {
			good = ++ends < 3;
		} else {
			ends = 0;
			good = take(reader, &result);
			PQclear(result);
		}
		if (!good) {
			reader_lose(reader);
			return;
		}
	}
	reader_pump(reader);
}
