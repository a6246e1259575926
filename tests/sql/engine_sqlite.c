/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite under test: a fresh database in memory with the pragmas that matter
 * to the texts, and the temporary table of the writer connection.
 */
#include "sql.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void
sqlite_open(struct engine *engine)
{
	*engine = (struct engine){ .name = "sqlite" };
	assert_int_equal(sqlite3_open(":memory:", &engine->db), SQLITE_OK);
	sqlite_script(engine, "CREATE TEMP TABLE otp_in(key_id INTEGER, alg INTEGER, pub BLOB)");
}

void
sqlite_close_db(struct engine *engine)
{
	assert_int_equal(sqlite3_close(engine->db), SQLITE_OK);
	engine->db = NULL;
}

void
sqlite_script(struct engine *engine, const char *sql)
{
	char *message = NULL;

	if (sqlite3_exec(engine->db, sql, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("sqlite: %s in: %s", message, sql);
}

static sqlite3_stmt *
prepare(struct engine *engine, const char *what, const char *sql, const char **rest)
{
	sqlite3_stmt *stmt = NULL;

	if (sqlite3_prepare_v2(engine->db, sql, -1, &stmt, rest) != SQLITE_OK)
		fail_msg("sqlite: %s: %s", what, sqlite3_errmsg(engine->db));
	assert_non_null(stmt);
	return stmt;
}

static void
add_value(sqlite3_stmt *stmt, int col, struct output *out)
{
	if (sqlite3_column_type(stmt, col) == SQLITE_NULL)
		output_add(out, "-", 1);
	else
		output_add(
		    out, sqlite3_column_blob(stmt, col), (size_t)sqlite3_column_bytes(stmt, col));
}

/* A row must be of the types its header says. */
static void
check_types(sqlite3_stmt *stmt, const char *name, const struct header *columns)
{
	for (size_t i = 0; i < columns->count; i++) {
		int type = sqlite3_column_type(stmt, (int)i);
		int wanted = columns->items[i].type == 'b'   ? SQLITE_BLOB
			     : columns->items[i].type == 't' ? SQLITE_TEXT
							     : SQLITE_INTEGER;

		if (type == SQLITE_NULL ? !columns->items[i].is_nullable : type != wanted)
			fail_msg("sqlite: %s: column %zu has type %d", name, i + 1, type);
	}
}

static void
step_all(struct engine *engine, sqlite3_stmt *stmt, const char *name, const struct header *columns,
    const char *before, struct output *out)
{
	int rc;

	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		if (columns != NULL)
			check_types(stmt, name, columns);
		if (out->len > 0)
			output_add(out, ";", 1);
		output_add(out, before, strlen(before));
		for (int col = 0; col < sqlite3_column_count(stmt); col++) {
			if (col > 0)
				output_add(out, "|", 1);
			add_value(stmt, col, out);
		}
	}
	if (rc != SQLITE_DONE)
		fail_msg("sqlite: %s: %s", name, sqlite3_errmsg(engine->db));
}

void
sqlite_query(struct engine *engine, const char *sql, struct output *out)
{
	sqlite3_stmt *stmt = prepare(engine, sql, sql, NULL);

	step_all(engine, stmt, sql, NULL, "", out);
	(void)sqlite3_finalize(stmt);
}

static void
bind(sqlite3_stmt *stmt, size_t number, char type, const char *cell)
{
	char name[24];
	int at;

	(void)snprintf(name, sizeof(name), "$%zu", number);
	at = sqlite3_bind_parameter_index(stmt, name);
	if (at == 0 || strcmp(cell, "-") == 0)
		return; /* not in this step's text, or NULL */
	if (type == 'b')
		(void)sqlite3_bind_blob(stmt, at, cell, (int)strlen(cell), SQLITE_STATIC);
	else if (type == 't')
		(void)sqlite3_bind_text(stmt, at, cell, -1, SQLITE_STATIC);
	else
		(void)sqlite3_bind_int64(stmt, at, strtoll(cell, NULL, 10));
}

static void
run_once(struct engine *engine, const struct convro_statement *statement, const struct header *args,
    char cells[MAX_ITEMS][CELL_SIZE], const char *before, struct output *out)
{
	struct header columns;
	const char *sql = statement->sql_sqlite;

	header_parse(statement->columns_sqlite, &columns);
	while (*sql != '\0') {
		sqlite3_stmt *stmt = prepare(engine, statement->name, sql, &sql);
		bool is_last = *sql == '\0';

		for (size_t i = 0; i < args->count; i++)
			if (!args->items[i].is_array)
				bind(stmt, i + 1, args->items[i].type, cells[i]);
		step_all(engine, stmt, statement->name, is_last ? &columns : NULL, before, out);
		(void)sqlite3_finalize(stmt);
		sql += strspn(sql, "\n");
	}
}

void
sqlite_run(struct engine *engine, const struct convro_statement *statement, const char *text,
    struct output *out)
{
	static struct cells cells;
	struct header args;

	if (statement->sql_sqlite == NULL)
		return;
	header_parse(statement->args_sqlite, &args);
	cells_parse(text, args.count, &cells);
	for (size_t row = 0; row < cells.nrows; row++) {
		char before[24] = "";

		/* What PostgreSQL answers for a group, row by row. */
		if (statement->columns_pg != NULL && strncmp(statement->columns_pg, "ord:", 4) == 0)
			(void)snprintf(before, sizeof(before), "%zu|", row + 1);
		run_once(engine, statement, &args, cells.cell[row], before, out);
	}
}

void
sqlite_compare(struct engine *engine, const struct convro_statement *statement)
{
	const char *sql = statement->sql_sqlite;
	struct header args, columns;
	int column_count = 0;

	if (sql == NULL)
		return;
	header_parse(statement->args_sqlite, &args);
	header_parse(statement->columns_sqlite, &columns);
	while (*sql != '\0') {
		sqlite3_stmt *stmt = prepare(engine, statement->name, sql, &sql);

		for (int i = 1; i <= sqlite3_bind_parameter_count(stmt); i++) {
			const char *name = sqlite3_bind_parameter_name(stmt, i);

			if (name == NULL || strtoul(name + 1, NULL, 10) > args.count)
				fail_msg("sqlite: %s: parameter %s", statement->name, name);
		}
		column_count = sqlite3_column_count(stmt);
		(void)sqlite3_finalize(stmt);
		sql += strspn(sql, "\n");
	}
	if ((size_t)column_count != columns.count)
		fail_msg("sqlite: %s: %d columns, the header has %zu", statement->name,
		    column_count, columns.count);
}

/* May "SCAN <what>" be in the plan?  What a plan makes itself (constant rows,
 * subqueries), the short temporary table and an index that covers the query may
 * be scanned; a table, or an index to a table's rows, may not. */
static bool
scan_is_allowed(const char *plan, const char *what)
{
	char made[160];
	size_t len = strcspn(what, " ");

	if (strcmp(what, "CONSTANT ROW") == 0 || strstr(what, "USING COVERING") != NULL ||
	    (len == 1 && *what == 'q') || strcmp(what, "otp_in") == 0)
		return true;
	(void)snprintf(made, sizeof(made), "CO-ROUTINE %.*s\n", (int)len, what);
	if (strstr(plan, made) != NULL)
		return true;
	(void)snprintf(made, sizeof(made), "MATERIALIZE %.*s\n", (int)len, what);
	return strstr(plan, made) != NULL;
}

static void
plan_one(struct engine *engine, const char *name, const char *sql)
{
	static struct output plan;
	sqlite3_stmt *stmt;
	char *explain = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sql);

	assert_non_null(explain);
	plan.len = 0;
	plan.text[0] = '\0';
	stmt = prepare(engine, name, explain, NULL);
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		const char *detail = (const char *)sqlite3_column_text(stmt, 3);

		output_add(&plan, detail, strlen(detail));
		output_add(&plan, "\n", 1);
	}
	(void)sqlite3_finalize(stmt);
	for (const char *line = plan.text; *line != '\0'; line += strcspn(line, "\n") + 1) {
		char what[128];

		if (sscanf(line, "SCAN %127[^\n]", what) == 1 && !scan_is_allowed(plan.text, what))
			fail_msg("sqlite: %s scans a table:\n%s", name, plan.text);
	}
	sqlite3_free(explain);
}

void
sqlite_plan(struct engine *engine, const struct convro_statement *statement)
{
	const char *sql = statement->sql_sqlite, *rest;

	for (; sql != NULL && *sql != '\0'; sql = rest + strspn(rest, "\n")) {
		char *one;

		(void)sqlite3_finalize(prepare(engine, statement->name, sql, &rest));
		one = sqlite3_mprintf("%.*s", (int)(rest - sql), sql);
		assert_non_null(one);
		plan_one(engine, statement->name, one);
		sqlite3_free(one);
	}
}
