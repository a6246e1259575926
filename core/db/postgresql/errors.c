/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What PostgreSQL's error codes mean to the rest of the server, and how a
 * failure is put into the log without anything that a client sent.
 */
#include "base/clock.h"
#include "db/postgresql/postgresql.h"

#include <stdio.h>
#include <string.h>

enum { COMPLAINT_MS = 1000 };

static const struct meaning {
	const char *code; /* or the first characters of it */
	enum error_kind kind;
	enum convro_status status;
} meanings[] = {
	{ "23505", ERROR_RERUN, CONVRO_CONFLICT },     /* unique_violation */
	{ "40001", ERROR_RERUN, CONVRO_RETRY },        /* serialization_failure */
	{ "40P01", ERROR_RERUN, CONVRO_RETRY },        /* deadlock_detected */
	{ "55P03", ERROR_RERUN, CONVRO_RETRY },        /* lock_not_available: lock_timeout */
	{ "57014", ERROR_REQUEST, CONVRO_TIMEOUT },    /* query_canceled: statement_timeout */
	{ "53", ERROR_STORE, CONVRO_RETRY },           /* no room on disk, no memory */
	{ "58", ERROR_STORE, CONVRO_RETRY },           /* I/O of the server */
	{ "25006", ERROR_RECONNECT, CONVRO_RETRY },    /* read-only: no longer the primary */
	{ "25P02", ERROR_RECONNECT, CONVRO_RETRY },    /* in a failed transaction */
	{ "26000", ERROR_RECONNECT, CONVRO_RETRY },    /* our prepared statement is gone */
	{ "0A000", ERROR_RECONNECT, CONVRO_RETRY },    /* a migration changed what it gives back */
	{ "57P", ERROR_LOST, CONVRO_UNKNOWN_OUTCOME }, /* shutdown, crash */
	{ "08", ERROR_LOST, CONVRO_UNKNOWN_OUTCOME },
};

enum error_kind
error_of(const PGconn *conn, const PGresult *result, enum convro_status *status)
{
	const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);

	*status = CONVRO_UNKNOWN_OUTCOME;
	if (code == NULL || PQstatus(conn) == CONNECTION_BAD)
		return ERROR_LOST;
	if (severity != NULL && strcmp(severity, "ERROR") != 0)
		return ERROR_LOST; /* FATAL, PANIC: the last word of this connection */
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		if (strncmp(code, meanings[i].code, strlen(meanings[i].code)) == 0) {
			*status = meanings[i].status;
			return meanings[i].kind;
		}
	}
	*status = CONVRO_FAILED;
	return ERROR_REQUEST;
}

/* The first line of libpq's or the server's text. */
static void
first_line(const char *text, char *out, size_t size)
{
	size_t len = text != NULL ? strcspn(text, "\n") : 0;

	(void)snprintf(out, size, "%.*s", (int)(len < size ? len : size - 1),
	    len > 0 ? text : "no reason given");
}

void
complain(struct db_state *state, const char *what, const char *why)
{
	int64_t now_ms = clock_mono_ms();
	int64_t last_ms = atomic_load(&state->complained_ms);

	if (last_ms != 0 && now_ms - last_ms < COMPLAINT_MS)
		return;
	atomic_store(&state->complained_ms, now_ms);
	state->env->log(CONVRO_LOG_ERROR, "%s: %s", what, why);
}

void
complain_conn(struct db_state *state, const char *what, const PGconn *conn)
{
	char why[REASON_LEN];

	first_line(PQerrorMessage(conn), why, sizeof(why));
	complain(state, what, why);
}

/* The server's primary message names tables and constraints; the values that broke a rule are in
 * its detail, which is left out, and in those of class 22 (data), which are left out too. */
void
reason_of(const PGresult *result, char *out, size_t size)
{
	const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	char line[256];

	first_line(code != NULL ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY)
				: PQresultErrorMessage(result),
	    line, sizeof(line));
	if (code != NULL && strncmp(code, "22", 2) == 0)
		(void)snprintf(out, size, "the data does not fit (%s)", code);
	else
		(void)snprintf(out, size, "%s (%s)", line, code != NULL ? code : "no code");
}

void
complain_result(struct db_state *state, const char *what, const PGresult *result)
{
	char why[REASON_LEN];

	reason_of(result, why, sizeof(why));
	complain(state, what, why);
}
