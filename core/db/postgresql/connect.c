/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How every connection is made, what it is set to, and how a thread that may
 * block waits for it.  The workers' own way through the same steps is
 * reader_connect.c.
 *
 * PgBouncer: only with session pooling (settings, prepared statements and
 * advisory locks belong to a session), and only from 1.21 on.
 */
#include "base/clock.h"
#include "base/random.h"
#include "db/postgresql/postgresql.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

enum {
	OLDEST_VERSION = 150000,
	DELAY_FIRST_MS = 20,
	DELAY_MOST_MS = 2000,
};

/* All access is by index and arrays are short: a plan made while a table was empty must not stay.
 * A page comes from the index in its order: a bitmap would read the whole session and sort it.
 * Without jit, because what is switched off here makes plans look dearer than they are.  A server
 * that does not hear from us lets go of our locks soon (tcp_*, client_connection_check_interval).
 */
#define SETTINGS                                                                                   \
	"SELECT set_config('search_path', 'convro', false),"                                       \
	" set_config('plan_cache_mode', 'force_generic_plan', false),"                             \
	" set_config('enable_hashjoin', 'off', false),"                                            \
	" set_config('enable_mergejoin', 'off', false),"                                           \
	" set_config('enable_seqscan', 'off', false),"                                             \
	" set_config('enable_bitmapscan', 'off', false),"                                          \
	" set_config('jit', 'off', false),"                                                        \
	" set_config('TimeZone', 'UTC', false),"                                                   \
	" set_config('idle_in_transaction_session_timeout', '10s', false),"                        \
	" set_config('tcp_keepalives_idle', '10', false),"                                         \
	" set_config('tcp_keepalives_interval', '5', false),"                                      \
	" set_config('tcp_keepalives_count', '3', false),"                                         \
	" set_config('tcp_user_timeout', '10s', false),"                                           \
	" set_config('client_connection_check_interval', '2s', false),"
#define LIMITS                                                                                     \
	" set_config('lock_timeout', '2s', false),"                                                \
	" set_config('statement_timeout', '5s', false),"
/* Never less than the operator chose: remote_apply stays. */
#define DURABLE                                                                                    \
	" set_config('synchronous_commit', CASE"                                                   \
	" WHEN current_setting('synchronous_commit') IN ('off', 'local') THEN 'on'"                \
	" ELSE current_setting('synchronous_commit') END, false),"
#define NOT_DURABLE " set_config('synchronous_commit', 'off', false),"
#define READ_WRITE                                                                                 \
	" set_config('default_transaction_read_only', 'off', false),"                              \
	" set_config('default_transaction_isolation', 'read committed', false)"
/* What is sent up to one Sync is one transaction: so several statements see one state. */
#define READ_ONLY                                                                                  \
	" set_config('default_transaction_read_only', 'on', false),"                               \
	" set_config('default_transaction_isolation', 'repeatable read', false)"

const char *
settings_of(const struct db_state *state, enum role role)
{
	switch (role) {
	case ROLE_SETUP: /* a migration may take its time, but not wait for ever */
		return SETTINGS " set_config('statement_timeout', '0', false),"
				" set_config('lock_timeout', '10s', false)," DURABLE READ_WRITE;
	case ROLE_READER:
		return SETTINGS LIMITS READ_ONLY;
	default:
		return state->env->durable ? SETTINGS LIMITS DURABLE READ_WRITE
					   : SETTINGS LIMITS NOT_DURABLE READ_WRITE;
	}
}

static void
ignore_notice(void *arg, const PGresult *result)
{
	(void)arg;
	(void)result;
}

PGconn *
connect_begin(const struct db_state *state)
{
	/* What stands behind the URL overrides it, what stands before it is overridden. */
	const char *const keywords[] = { "application_name", "target_session_attrs", "keepalives",
		"keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout",
		"dbname", "client_encoding", NULL };
	const char *const values[] = { "convro", "read-write", "1", "10", "5", "3", "3000",
		state->env->url, "UTF8", NULL };
	PGconn *conn = PQconnectStartParams(keywords, values, 1);

	if (conn != NULL)
		(void)PQsetNoticeReceiver(conn, ignore_notice, NULL);
	return conn;
}

const char *
connect_fault(const PGconn *conn)
{
	const char *encoding = PQparameterStatus(conn, "server_encoding");

	if (PQserverVersion(conn) < OLDEST_VERSION)
		return "the server is older than PostgreSQL 15, upgrade it";
	if (encoding == NULL || strcmp(encoding, "UTF8") != 0)
		return "its encoding is not UTF8, create the database with ENCODING 'UTF8'";
	return NULL;
}

/* Waits on the socket of a connection for `events`; false when the time is over, or interrupted. */
static bool
wait_on(const PGconn *conn, int wake_fd, short events, int64_t until_ms)
{
	for (;;) {
		struct pollfd fds[] = { { PQsocket(conn), events, 0 }, { wake_fd, POLLIN, 0 } };
		int64_t left_ms = until_ms - clock_mono_ms();
		int ready;

		if (left_ms <= 0)
			return false;
		ready = poll(fds, wake_fd >= 0 ? 2 : 1, (int)left_ms);
		if (ready < 0 && errno != EINTR)
			return false;
		if (ready > 0)
			return fds[1].revents == 0;
	}
}

static int
result_wait_until(PGconn *conn, PGresult **out, int64_t until_ms)
{
	*out = NULL;
	for (;;) {
		int unsent = PQflush(conn);

		if (unsent < 0)
			return -1;
		if (!PQisBusy(conn)) {
			*out = PQgetResult(conn);
			return 0;
		}
		if (!wait_on(conn, -1, (short)(POLLIN | (unsent > 0 ? POLLOUT : 0)), until_ms) ||
		    PQconsumeInput(conn) == 0)
			return -1;
	}
}

int
result_wait(PGconn *conn, PGresult **out)
{
	return result_wait_until(conn, out, clock_mono_ms() + SILENCE_MS);
}

PGresult *
exec_wait(PGconn *conn, const char *sql)
{
	PGresult *found = NULL, *result;

	if (PQsendQueryParams(conn, sql, 0, NULL, NULL, NULL, NULL, 0) == 0)
		return NULL;
	for (;;) {
		if (result_wait(conn, &result) != 0) {
			PQclear(found);
			return NULL;
		}
		if (result == NULL)
			return found;
		PQclear(found);
		found = result;
	}
}

static bool
settle(struct db_state *state, PGconn *conn, enum role role)
{
	PGresult *result = exec_wait(conn, settings_of(state, role));
	bool good = result != NULL && PQresultStatus(result) == PGRES_TUPLES_OK;

	if (result == NULL)
		complain_conn(state, "could not set up a connection to the database", conn);
	else if (!good)
		complain_result(state, "could not set up a connection to the database", result);
	PQclear(result);
	return good;
}

PGconn *
connect_now(struct db_state *state, enum role role)
{
	PGconn *conn = connect_begin(state);
	PostgresPollingStatusType step = PGRES_POLLING_WRITING;
	int64_t until_ms = clock_mono_ms() + CONNECT_MS;
	const char *fault;

	if (conn == NULL) {
		complain(state, "could not connect to the database", "out of memory");
		return NULL;
	}
	while (PQstatus(conn) != CONNECTION_BAD && step != PGRES_POLLING_OK &&
	       step != PGRES_POLLING_FAILED) {
		short events = step == PGRES_POLLING_READING ? POLLIN : POLLOUT;

		if (!wait_on(conn, state->wake_fd, events, until_ms)) {
			complain(state, "could not connect to the database",
			    atomic_load(&state->interrupted) ? "the server is about to stop"
							     : "it did not answer in time");
			PQfinish(conn);
			return NULL;
		}
		step = PQconnectPoll(conn);
	}
	fault = PQstatus(conn) == CONNECTION_OK ? connect_fault(conn) : NULL;
	if (PQstatus(conn) != CONNECTION_OK)
		complain_conn(state, "could not connect to the database", conn);
	else if (fault != NULL)
		complain(state, "could not use the database", fault);
	else if (PQsetnonblocking(conn, 1) == 0 && settle(state, conn, role))
		return conn;
	PQfinish(conn);
	return NULL;
}

void
backoff_failed(struct backoff *backoff, int64_t now_ms)
{
	uint32_t delay_ms = backoff->delay_ms * 2;

	if (backoff->away_since_ms == 0)
		backoff->away_since_ms = now_ms;
	if (delay_ms < DELAY_FIRST_MS)
		delay_ms = DELAY_FIRST_MS;
	if (delay_ms > DELAY_MOST_MS)
		delay_ms = DELAY_MOST_MS;
	backoff->delay_ms = delay_ms;
	/* Not all processes and workers at once. */
	backoff->next_ms = now_ms + delay_ms / 2 + (int64_t)(random_u64() % (delay_ms / 2 + 1));
}

void
backoff_succeeded(struct backoff *backoff)
{
	*backoff = (struct backoff){ 0 };
}

bool
backoff_is_hopeless(const struct backoff *backoff, int64_t now_ms)
{
	return backoff->away_since_ms != 0 && now_ms - backoff->away_since_ms >= WAIT_MS;
}
