/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only happens between connections, on PostgreSQL: SQLite has one writer.
 * Scripts are sent to all connections before any answer is read; one thread is
 * enough, since the server runs them at the same time.
 */
#include "sql.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CLIENTS = 8, ROUNDS = 40, KEYS = 200, SCRIPT_SIZE = 2048 };

static struct engine clients[CLIENTS], reader;
static char scripts[CLIENTS][SCRIPT_SIZE];

void
concurrency_open(const char *conninfo)
{
	pg_open(&reader, conninfo);
	for_each_statement(&reader, pg_compare);
	for (size_t i = 0; i < CLIENTS; i++) {
		pg_open(&clients[i], conninfo);
		for_each_statement(&clients[i], pg_compare);
	}
}

void
concurrency_close(void)
{
	pg_close(&reader);
	for (size_t i = 0; i < CLIENTS; i++)
		pg_close(&clients[i]);
}

/* The client's script: @1 to @4 of the pattern are the numbers. */
static void
write_script(size_t client, const char *pattern, const long numbers[4])
{
	char *out = scripts[client];
	size_t len = 0;

	while (*pattern != '\0' && len + 24 < SCRIPT_SIZE) {
		if (pattern[0] == '@') {
			len += (size_t)snprintf(
			    out + len, SCRIPT_SIZE - len, "%ld", numbers[pattern[1] - '1']);
			pattern += 2;
		} else {
			out[len++] = *pattern++;
		}
	}
	assert_true(*pattern == '\0');
	out[len] = '\0';
}

static void
send_all(void)
{
	for (size_t i = 0; i < CLIENTS; i++)
		if (PQsendQuery(clients[i].conn, scripts[i]) == 0)
			fail_msg("pg: %s", PQerrorMessage(clients[i].conn));
}

/* Column col of the first row of a client's last result with rows; NULL is -1. */
static long
last_value(size_t client, int col)
{
	PGresult *result;
	long value = -2; /* no row at all */

	while ((result = PQgetResult(clients[client].conn)) != NULL) {
		if (PQresultStatus(result) == PGRES_FATAL_ERROR)
			fail_msg("pg: %s", PQresultErrorMessage(result));
		if (PQntuples(result) > 0 && PQnfields(result) > col)
			value = PQgetisnull(result, 0, col) != 0
				    ? -1
				    : strtol(PQgetvalue(result, 0, col), NULL, 10);
		PQclear(result);
	}
	return value;
}

static bool
all_idle(void)
{
	bool idle = true;

	for (size_t i = 0; i < CLIENTS; i++) {
		if (PQconsumeInput(clients[i].conn) == 0)
			fail_msg("pg: %s", PQerrorMessage(clients[i].conn));
		idle &= PQisBusy(clients[i].conn) == 0;
	}
	return idle;
}

void
no_one_time_key_reaches_two_callers(void **state)
{
	static bool seen[KEYS + 1];
	long given = 0;

	(void)state;
	pg_script(&reader,
	    "INSERT INTO devices(device_id, user_id, created_at, platform) VALUES (500000, 5, 1, 0);"
	    "INSERT INTO device_keys VALUES (500000, 1, 1, 1, 1, 'i', NULL);"
	    "INSERT INTO signed_prekeys VALUES (500000, 1, 1, NULL, 1, 'p', 's');"
	    "INSERT INTO one_time_prekeys(device_id, key_id, alg, pub)"
	    " SELECT 500000, n, 1, 'k' FROM generate_series(1, 200) n");
	for (size_t i = 0; i < CLIENTS; i++)
		write_script(
		    i, "EXECUTE \"prekeys.bundle\"(500000, NULL, 77, 1)", (const long[4]){ 0 });
	for (int round = 0; round < ROUNDS; round++) {
		send_all();
		for (size_t i = 0; i < CLIENTS; i++) {
			long key = last_value(i, 5);

			if (key == -1)
				continue;
			assert_in_range(key, 1, KEYS);
			assert_false(seen[key]);
			seen[key] = true;
			given++;
		}
	}
	assert_int_equal(given, KEYS); /* 320 were asked for */
}

void
one_of_many_refreshes_of_a_token_succeeds(void **state)
{
	(void)state;
	pg_script(&reader, "INSERT INTO users(id, created_at, number) VALUES (500001, 1, 'r1');"
			   "INSERT INTO devices(device_id, user_id, created_at, platform)"
			   " VALUES (500001, 500001, 1, 0)");
	for (int round = 0; round < ROUNDS; round++) {
		int rotated = 0;
		char add[200];

		(void)snprintf(add, sizeof(add),
		    "EXECUTE \"auth.token_add\"('r%d', 500001, 500001, 'h', 10, 9000)", round);
		pg_script(&reader, add);
		for (size_t i = 0; i < CLIENTS; i++)
			write_script(i,
			    "BEGIN;"
			    "EXECUTE \"auth.refresh_lock\"('r@1');"
			    "EXECUTE \"auth.rotate\"('r@1', 'h', 'n@1.@2', @3);"
			    "EXECUTE \"auth.successor\"('r@1', 'n@1.@2', 'x', @3, 9000);"
			    "EXECUTE \"auth.kill\"('r@1', 'h', 'n@1.@2', @3, 10);"
			    "EXECUTE \"auth.kill_epoch\"('r@1', 'h', @3);"
			    "EXECUTE \"auth.refresh_state\"('r@1', 'h', 'n@1.@2', @3);"
			    "COMMIT",
			    (const long[4]){ round, (long)i, 20 + (long)i });
		send_all();
		for (size_t i = 0; i < CLIENTS; i++) {
			long outcome = last_value(i, 0);

			assert_true(outcome == 0 || outcome == 2);
			rotated += outcome == 0;
		}
		assert_int_equal(rotated, 1);
	}
}

void
one_of_many_registrations_gets_the_device(void **state)
{
	static struct output out;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		int made = 0;

		for (size_t i = 0; i < CLIENTS; i++)
			write_script(i,
			    "BEGIN;"
			    "EXECUTE \"auth.device_lock\"(@1, @2);"
			    "EXECUTE \"auth.user_add\"(@2, 5, 'g@2', NULL, NULL, NULL, 'p', @1);"
			    "EXECUTE \"auth.device_first\"(@1, @2, 5, 0, NULL);"
			    "SELECT count(*) FROM users WHERE id = @2;"
			    "COMMIT",
			    (const long[4]){ 510000 + round, 520000 + CLIENTS * round + (long)i });
		send_all();
		for (size_t i = 0; i < CLIENTS; i++)
			made += last_value(i, 0) == 1;
		assert_int_equal(made, 1);
	}
	out.len = 0;
	pg_query(&reader,
	    "SELECT count(*) FROM users u WHERE id >= 520000 AND NOT EXISTS"
	    " (SELECT 1 FROM devices d WHERE d.user_id = u.id)",
	    &out);
	assert_string_equal(out.text, "0");
}

/* The reader's cursor moves to the last row; every row counts. */
static void
catch_up(long *cursor, long *count)
{
	char script[128];
	PGresult *result;

	(void)snprintf(
	    script, sizeof(script), "EXECUTE \"dm_messages.catch_up\"(530000, %ld, 200)", *cursor);
	result = PQexec(reader.conn, script);
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		fail_msg("pg: %s", PQerrorMessage(reader.conn));
	for (int row = 0; row < PQntuples(result); row++) {
		long id = strtol(PQgetvalue(result, row, 0), NULL, 10);

		assert_true(id > *cursor);
		*cursor = id;
		++*count;
	}
	PQclear(result);
}

/* Eight senders in eight sessions of one device: what becomes visible later
 * must not lie below what the reader has seen. */
void
one_cursor_misses_nothing_over_all_sessions(void **state)
{
	long cursor = 0, count = 0;

	(void)state;
	pg_script(&reader,
	    "INSERT INTO devices(device_id, user_id, created_at, platform)"
	    " SELECT 530000 + n, 5, 1, 0 FROM generate_series(0, 8) n;"
	    "INSERT INTO dm_sessions(id, initiator_device, responder_device, initiator_user,"
	    " responder_user, created_at, last_at, session_id, state)"
	    " SELECT 530000 + n, 530000 + n, 530000, 5, 5, 1, 1, n, 1 FROM generate_series(1, 8) n;"
	    "INSERT INTO dm_participants SELECT 530000 + n, n, 530000 + n, 0 FROM generate_series(1, 8) n;"
	    "INSERT INTO dm_participants SELECT 530000, n, 530000 + n, 1 FROM generate_series(1, 8) n");
	for (int round = 0; round < ROUNDS * 4; round++) {
		for (size_t i = 0; i < CLIENTS; i++)
			write_script(i,
			    "BEGIN;"
			    "EXECUTE \"dm_messages.send_lock\"('{@1}', '{@2}');"
			    "EXECUTE \"dm_messages.send\"('{@1}', '{@2}', '{NULL}', '{c@3}',"
			    " '{NULL}', '{1}', '{t}', '{x}', 10);"
			    "SELECT pg_sleep(0.00@4);"
			    "COMMIT",
			    (const long[4]){
				530001 + (long)i, (long)i + 1, round, ((long)i * 3 + round) % 4 });
		send_all();
		do
			catch_up(&cursor, &count);
		while (!all_idle());
		for (size_t i = 0; i < CLIENTS; i++)
			(void)last_value(i, 0);
		catch_up(&cursor, &count);
	}
	assert_int_equal(count, CLIENTS * ROUNDS * 4);
}
