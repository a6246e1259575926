/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SQL of all modules on both engines: migrations from nothing, every
 * statement against its header lines, the outcomes of cases.c, the plans, and
 * what happens between several connections (concurrency.c).
 */
#include "cluster.h"
#include "sql.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth_sql.h"
#include "core_sql.h"
#include "dm_messages_sql.h"
#include "dm_sessions_sql.h"
#include "dm_typing_sql.h"
#include "prekeys_sql.h"
#include "users_sql.h"

static const struct pack {
	const char *name;
	const struct convro_statement *statements;
	size_t statement_count;
	const struct convro_migration *migrations;
	size_t migration_count;
} packs[] = {
	{ "core", core_statements, CORE_STATEMENT_COUNT, core_migrations, CORE_MIGRATION_COUNT },
	{ "auth", auth_statements, AUTH_STATEMENT_COUNT, auth_migrations, AUTH_MIGRATION_COUNT },
	{ "users", users_statements, USERS_STATEMENT_COUNT, users_migrations,
	    USERS_MIGRATION_COUNT },
	{ "prekeys", prekeys_statements, PREKEYS_STATEMENT_COUNT, prekeys_migrations,
	    PREKEYS_MIGRATION_COUNT },
	{ "dm_sessions", dm_sessions_statements, DM_SESSIONS_STATEMENT_COUNT,
	    dm_sessions_migrations, DM_SESSIONS_MIGRATION_COUNT },
	{ "dm_messages", dm_messages_statements, DM_MESSAGES_STATEMENT_COUNT,
	    dm_messages_migrations, DM_MESSAGES_MIGRATION_COUNT },
	{ "dm_typing", dm_typing_statements, DM_TYPING_STATEMENT_COUNT, dm_typing_migrations,
	    DM_TYPING_MIGRATION_COUNT },
};

enum { PACKS = sizeof(packs) / sizeof(packs[0]) };

static struct engine sqlite, pg;
static const char *conninfo;

static const struct convro_statement *
find(const char *name)
{
	for (size_t i = 0; i < PACKS; i++)
		for (size_t j = 0; j < packs[i].statement_count; j++)
			if (strcmp(packs[i].statements[j].name, name) == 0)
				return &packs[i].statements[j];
	fail_msg("there is no statement %s", name);
	return NULL;
}

static void
add_text(struct output *out, const char *text)
{
	output_add(out, text, strlen(text));
}

static void
query(struct engine *engine, const char *sql, struct output *out)
{
	if (engine->conn != NULL)
		pg_query(engine, sql, out);
	else
		sqlite_query(engine, sql, out);
}

static void
script(struct engine *engine, const char *sql)
{
	if (engine->conn != NULL)
		pg_script(engine, sql);
	else
		sqlite_script(engine, sql);
}

void
for_each_statement(
    struct engine *engine, void (*check)(struct engine *, const struct convro_statement *))
{
	for (size_t i = 0; i < PACKS; i++)
		for (size_t j = 0; j < packs[i].statement_count; j++)
			check(engine, &packs[i].statements[j]);
}

/* Two statements of the start read a whole small table, and are meant to. */
static void
check_plan(struct engine *engine, const struct convro_statement *statement)
{
	if (strcmp(statement->name, "core.migrations") == 0 ||
	    strcmp(statement->name, "core.is_installed") == 0)
		return;
	if (engine->conn != NULL)
		pg_plan(engine, statement);
	else
		sqlite_plan(engine, statement);
}

static void
migrate(struct engine *engine)
{
	for (size_t i = 0; i < PACKS; i++) {
		for (size_t j = 0; j < packs[i].migration_count; j++) {
			const struct convro_migration *migration = &packs[i].migrations[j];

			assert_int_equal(migration->version, j + 1);
			assert_int_equal(strlen(migration->checksum), 64);
			script(engine, "BEGIN");
			script(engine,
			    engine->conn != NULL ? migration->sql_pg : migration->sql_sqlite);
			script(engine, "COMMIT");
		}
	}
}

/* One expected row against one given row; "*" is anything but NULL. */
static bool
rows_match(const char *expected, const char *given)
{
	while (*expected != '\0') {
		size_t len = strcspn(expected, "|;"), given_len = strcspn(given, "|;");

		if (len == 1 && *expected == '*') {
			if (given_len == 0 || (given_len == 1 && *given == '-'))
				return false;
		} else if (len != given_len || memcmp(expected, given, len) != 0) {
			return false;
		}
		expected += len;
		given += given_len;
		if (*expected != *given)
			return false;
		expected += *expected != '\0';
		given += *given != '\0';
	}
	return *given == '\0';
}

static int
compare_rows(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Rows in the order of their text: the engines may return a set in any order. */
static void
sort_rows(struct output *out)
{
	static struct output sorted;
	char *rows[MAX_ROWS], *rest = out->text, *row;
	size_t count = 0;

	while ((row = strsep(&rest, ";")) != NULL && count < MAX_ROWS)
		rows[count++] = row;
	qsort(rows, count, sizeof(rows[0]), compare_rows);
	sorted.len = 0;
	sorted.text[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			output_add(&sorted, ";", 1);
		output_add(&sorted, rows[i], strlen(rows[i]));
	}
	*out = sorted;
}

static void
play(struct engine *engine)
{
	static struct output out;

	for (size_t i = 0; i < step_count; i++) {
		const struct step *step = &steps[i];
		const char *expected = step->rows;

		out.len = 0;
		out.text[0] = '\0';
		if (strchr(step->statement, '.') != NULL) {
			const struct convro_statement *statement = find(step->statement);

			if (engine->conn != NULL)
				pg_run(engine, statement, step->args, &out);
			else
				sqlite_run(engine, statement, step->args, &out);
		} else if (strcmp(step->statement, "sql") == 0) {
			query(engine, step->args, &out);
		} else {
			script(engine, step->statement);
		}
		if (expected == NULL)
			continue;
		if (*expected == '~')
			sort_rows(&out);
		expected += *expected == '~';
		if (!rows_match(expected, out.text))
			fail_msg("%s: step %zu, %s(%s):\nexpected %s\ngot      %s", engine->name,
			    i + 1, step->statement, step->args, expected, out.text);
	}
}

/* Enough rows that a plan by index differs from one by table.  A ? is a blob
 * made of n, which the engines spell differently. */
static void
fill(struct engine *engine)
{
	static const char *const rows[][2] = {
		{ "users(id, created_at, number, username_key)",
		    "100000 + n, n, 'f' || n, 'u' || n" },
		{ "devices(device_id, user_id, created_at, platform)",
		    "100000 + n, 100000 + n, n, 0" },
		{ "refresh_tokens(jti, user_id, device_id, family, secret_hash, created_at, expires_at)",
		    "?, 100000 + n, 100000 + n, ?, ?, n, 1000000 + n" },
		{ "device_keys(device_id, updated_at, spk_id, ticket, alg, identity_pub)",
		    "100000 + n, n, n, n, 1, ?" },
		{ "signed_prekeys(device_id, key_id, created_at, alg, pub, sig)",
		    "100000 + n, n, n, 1, ?, ?" },
		{ "one_time_prekeys(device_id, key_id, alg, pub)", "100000 + n % 20, n, 1, ?" },
		{ "dm_sessions(initiator_device, responder_device, initiator_user, responder_user,"
		  " created_at, last_at, session_id, last_id)",
		    "100000, 100000 + n, 100000, 100000 + n, n, n, n, n" },
		{ "dm_participants(device_id, session_id, session, role)",
		    "100000, n, 1000 + n, 0" },
		{ "dm_offers(session, offer)", "1000 + n, 'x'" },
		{ "messages(session, server_ts, ver, dir, cmid, auth_tag, ciphertext)",
		    "1000 + n % 50, n, 1, 0, ?, ?, ?" },
		{ "message_receipts(message_id, device_id, delivered_at, status)",
		    "1000 + n, 100000, n, 1" },
	};
	const char *blob = engine->conn != NULL ? "decode(md5(CAST(n AS text)), 'hex')"
						: "CAST(printf('%016d', n) AS BLOB)";

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		static struct output sql;

		sql.len = 0;
		add_text(&sql, "INSERT INTO ");
		add_text(&sql, rows[i][0]);
		add_text(&sql,
		    " WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 2000)"
		    " SELECT ");
		for (const char *at = rows[i][1]; *at != '\0';) {
			size_t len = strcspn(at, "?");

			output_add(&sql, at, len);
			if (at[len] == '?')
				add_text(&sql, blob);
			at += len + (at[len] == '?');
		}
		add_text(&sql, " FROM c");
		script(engine, sql.text);
	}
	script(engine, "ANALYZE");
}

static void
migrates_sqlite_from_nothing(void **state)
{
	(void)state;
	migrate(&sqlite);
}

static void
migrates_postgresql_from_nothing(void **state)
{
	(void)state;
	if (conninfo == NULL)
		skip();
	migrate(&pg);
}

static void
each_statement_agrees_with_its_header_on_sqlite(void **state)
{
	(void)state;
	for_each_statement(&sqlite, sqlite_compare);
}

static void
each_statement_agrees_with_its_header_on_postgresql(void **state)
{
	(void)state;
	if (conninfo == NULL)
		skip();
	for_each_statement(&pg, pg_compare);
}

static void
no_plan_scans_an_empty_table(void **state)
{
	(void)state;
	for_each_statement(&sqlite, check_plan);
	if (conninfo != NULL)
		for_each_statement(&pg, check_plan);
}

static void
gives_the_expected_rows_on_sqlite(void **state)
{
	(void)state;
	play(&sqlite);
}

static void
gives_the_expected_rows_on_postgresql(void **state)
{
	(void)state;
	if (conninfo == NULL)
		skip();
	play(&pg);
}

static void
no_plan_scans_a_filled_table(void **state)
{
	(void)state;
	fill(&sqlite);
	for_each_statement(&sqlite, check_plan);
	if (conninfo != NULL) {
		fill(&pg);
		for_each_statement(&pg, check_plan);
	}
}

/* The server knows then that it costs nothing to read the whole of it for each row. */
static void
no_plan_scans_a_table_that_was_known_to_be_empty(void **state)
{
	(void)state;
	if (conninfo == NULL)
		skip();
	pg_script(&pg, "DELETE FROM message_receipts");
	pg_script(&pg, "VACUUM (ANALYZE) message_receipts");
	for_each_statement(&pg, check_plan);
}

static int
open_both(void)
{
	sqlite_open(&sqlite);
	conninfo = cluster_start(false);
	if (conninfo != NULL)
		pg_open(&pg, conninfo);
#ifdef POSTGRES_BINDIR
	return conninfo != NULL ? 0 : -1; /* it is installed, so it has to work */
#else
	return 0;
#endif
}

static void
close_both(void)
{
	sqlite_close_db(&sqlite);
	if (conninfo != NULL)
		pg_close(&pg);
	cluster_stop();
}

static int
open_clients(void **state)
{
	(void)state;
	if (conninfo != NULL)
		concurrency_open(conninfo);
	return 0;
}

static int
close_clients(void **state)
{
	(void)state;
	if (conninfo != NULL)
		concurrency_close();
	return 0;
}

int
main(void)
{
	static const struct CMUnitTest between[] = {
		cmocka_unit_test(no_one_time_key_reaches_two_callers),
		cmocka_unit_test(one_of_many_refreshes_of_a_token_succeeds),
		cmocka_unit_test(one_of_many_registrations_gets_the_device),
		cmocka_unit_test(one_cursor_misses_nothing_over_all_sessions),
	};
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(migrates_sqlite_from_nothing),
		cmocka_unit_test(migrates_postgresql_from_nothing),
		cmocka_unit_test(each_statement_agrees_with_its_header_on_sqlite),
		cmocka_unit_test(each_statement_agrees_with_its_header_on_postgresql),
		cmocka_unit_test(no_plan_scans_an_empty_table),
		cmocka_unit_test(gives_the_expected_rows_on_sqlite),
		cmocka_unit_test(gives_the_expected_rows_on_postgresql),
		cmocka_unit_test(no_plan_scans_a_filled_table),
		cmocka_unit_test(no_plan_scans_a_table_that_was_known_to_be_empty),
	};

	int failed;

	if (open_both() != 0)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	if (failed == 0 && conninfo != NULL)
		failed = cmocka_run_group_tests(between, open_clients, close_clients);
	close_both();
	return failed != 0;
}
