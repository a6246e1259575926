/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PostgreSQL under test: one connection with the settings of every connection
 * of the driver, statements prepared with their declared types.
 */
#include "sql.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* pg_type.h; libpq does not publish them. */
enum {
	OID_BYTEA = 17,
	OID_INT8 = 20,
	OID_INT2 = 21,
	OID_INT4 = 23,
	OID_TEXT = 25,
	OID_BYTEA_ARRAY = 1001,
	OID_INT2_ARRAY = 1005,
	OID_INT4_ARRAY = 1007,
	OID_TEXT_ARRAY = 1009,
	OID_INT8_ARRAY = 1016
};

static Oid
oid_of(const struct item *item)
{
	switch (item->type) {
	case 'i':
		return item->is_array ? OID_INT8_ARRAY : OID_INT8;
	case 'j':
		return item->is_array ? OID_INT4_ARRAY : OID_INT4;
	case 's':
		return item->is_array ? OID_INT2_ARRAY : OID_INT2;
	case 'b':
		return item->is_array ? OID_BYTEA_ARRAY : OID_BYTEA;
	default:
		return item->is_array ? OID_TEXT_ARRAY : OID_TEXT;
	}
}

static void
expect(struct engine *engine, PGresult *result, ExecStatusType wanted, const char *what)
{
	ExecStatusType status = PQresultStatus(result);

	if (status != wanted && !(wanted == PGRES_COMMAND_OK && status == PGRES_TUPLES_OK) &&
	    !(wanted == PGRES_TUPLES_OK && status == PGRES_COMMAND_OK))
		fail_msg("pg: %s: %s", what, PQerrorMessage(engine->conn));
}

static void
be_silent(void *arg, const PGresult *result)
{
	(void)arg;
	(void)result;
}

void
pg_open(struct engine *engine, const char *conninfo)
{
	*engine = (struct engine){ .name = "pg", .conn = PQconnectdb(conninfo) };
	if (PQstatus(engine->conn) != CONNECTION_OK)
		fail_msg("pg: %s", PQerrorMessage(engine->conn));
	(void)PQsetNoticeReceiver(engine->conn, be_silent, NULL);
	pg_script(engine,
	    "SET search_path = convro; SET plan_cache_mode = force_generic_plan;"
	    "SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off; SET enable_bitmapscan = off;"
	    "SET lock_timeout = '2s'; SET statement_timeout = '5s'");
}

void
pg_close(struct engine *engine)
{
	PQfinish(engine->conn);
	engine->conn = NULL;
}

void
pg_script(struct engine *engine, const char *sql)
{
	PGresult *result = PQexec(engine->conn, sql);

	expect(engine, result, PGRES_COMMAND_OK, sql);
	PQclear(result);
}

static void
add_value(PGresult *result, int row, int col, struct output *out)
{
	const char *value = PQgetvalue(result, row, col);

	if (PQgetisnull(result, row, col) != 0) {
		output_add(out, "-", 1);
	} else if (PQftype(result, col) == OID_BYTEA) {
		size_t len = 0;
		unsigned char *bytes = PQunescapeBytea((const unsigned char *)value, &len);

		assert_non_null(bytes);
		output_add(out, (const char *)bytes, len);
		PQfreemem(bytes);
	} else {
		output_add(out, value, strlen(value));
	}
}

static void
add_rows(PGresult *result, const char *name, const struct header *columns, struct output *out)
{
	for (int row = 0; row < PQntuples(result); row++) {
		if (out->len > 0)
			output_add(out, ";", 1);
		for (int col = 0; col < PQnfields(result); col++) {
			if (columns != NULL && PQgetisnull(result, row, col) != 0 &&
			    !columns->items[col].is_nullable)
				fail_msg("pg: %s: column %d is NULL", name, col + 1);
			if (col > 0)
				output_add(out, "|", 1);
			add_value(result, row, col, out);
		}
	}
}

void
pg_query(struct engine *engine, const char *sql, struct output *out)
{
	PGresult *result = PQexec(engine->conn, sql);

	expect(engine, result, PGRES_TUPLES_OK, sql);
	add_rows(result, sql, NULL, out);
	PQclear(result);
}

static void
add_hex(const char *cell, struct output *out)
{
	for (; *cell != '\0'; cell++) {
		char hex[3];

		(void)snprintf(hex, sizeof(hex), "%02x", (unsigned)(unsigned char)*cell);
		output_add(out, hex, 2);
	}
}

/* One element of an array literal: NULL, a number, or "\\x6162". */
static void
add_element(char type, const char *cell, struct output *out)
{
	if (out->text[out->len - 1] != '{')
		output_add(out, ",", 1);
	if (strcmp(cell, "-") == 0) {
		output_add(out, "NULL", 4);
	} else if (type == 'b') {
		output_add(out, "\"\\\\x", 4);
		add_hex(cell, out);
		output_add(out, "\"", 1);
	} else {
		output_add(out, cell, strlen(cell));
	}
}

/* An array argument: the elements of every row in turn. */
static void
add_array(const struct cells *cells, size_t col, char type, struct output *out)
{
	static struct cells elements;

	output_add(out, "{", 1);
	for (size_t row = 0; row < cells->nrows; row++) {
		if (!array_parse(cells->cell[row][col], &elements))
			add_element(type, cells->cell[row][col], out);
		else
			for (size_t i = 0; i < elements.nrows; i++)
				add_element(type, elements.cell[i][0], out);
	}
	output_add(out, "}", 1);
}

void
pg_run(struct engine *engine, const struct convro_statement *statement, const char *text,
    struct output *out)
{
	static struct cells cells;
	static struct output values[MAX_ITEMS];
	const char *params[MAX_ITEMS] = { NULL };
	struct header args, columns;
	PGresult *result;

	if (statement->sql_pg == NULL)
		return;
	header_parse(statement->args_pg, &args);
	header_parse(statement->columns_pg, &columns);
	cells_parse(text, args.count, &cells);
	if (cells.nrows == 0)
		return;
	for (size_t i = 0; i < args.count; i++) {
		const char *cell = cells.cell[0][i];

		values[i].len = 0;
		values[i].text[0] = '\0';
		if (args.items[i].is_array) {
			add_array(&cells, i, args.items[i].type, &values[i]);
		} else if (strcmp(cell, "-") == 0) {
			continue;
		} else if (args.items[i].type == 'b') {
			output_add(&values[i], "\\x", 2);
			add_hex(cell, &values[i]);
		} else {
			output_add(&values[i], cell, strlen(cell));
		}
		params[i] = values[i].text;
	}
	result =
	    PQexecPrepared(engine->conn, statement->name, (int)args.count, params, NULL, NULL, 0);
	expect(engine, result, PGRES_TUPLES_OK, statement->name);
	add_rows(result, statement->name, &columns, out);
	PQclear(result);
}

void
pg_compare(struct engine *engine, const struct convro_statement *statement)
{
	struct header args, columns;
	Oid types[MAX_ITEMS] = { 0 };
	PGresult *result;

	if (statement->sql_pg == NULL)
		return;
	header_parse(statement->args_pg, &args);
	header_parse(statement->columns_pg, &columns);
	for (size_t i = 0; i < args.count; i++)
		types[i] = oid_of(&args.items[i]);
	result =
	    PQprepare(engine->conn, statement->name, statement->sql_pg, (int)args.count, types);
	expect(engine, result, PGRES_COMMAND_OK, statement->name);
	PQclear(result);
	result = PQdescribePrepared(engine->conn, statement->name);
	expect(engine, result, PGRES_COMMAND_OK, statement->name);
	if ((size_t)PQnparams(result) != args.count || (size_t)PQnfields(result) != columns.count)
		fail_msg("pg: %s: %d arguments and %d columns, the header has %zu and %zu",
		    statement->name, PQnparams(result), PQnfields(result), args.count,
		    columns.count);
	for (size_t i = 0; i < columns.count; i++) {
		Oid type = PQftype(result, (int)i);

		/* Small ints travel as j. */
		if (type != oid_of(&columns.items[i]) &&
		    !(type == OID_INT2 && columns.items[i].type == 'j'))
			fail_msg("pg: %s: column %zu has type %u", statement->name, i + 1, type);
	}
	PQclear(result);
}

/* An index read from end to end is a scan too: such a node has no condition.
 * The lines of a node go on until the next "->". */
static bool
walks_an_index(const char *plan)
{
	const char *node = plan;

	while ((node = strstr(node, "Index ")) != NULL) {
		const char *end = strstr(node, "->"), *cond = strstr(node, "Index Cond");
		bool is_scan =
		    strncmp(node, "Index Scan", 10) == 0 || strncmp(node, "Index Only", 10) == 0;

		if (is_scan && (cond == NULL || (end != NULL && cond > end)))
			return true;
		node++;
	}
	return false;
}

/* A page of one session: in the index it stands in order. */
static bool
reads_a_page(const struct convro_statement *statement)
{
	return strcmp(statement->name, "dm_messages.before") == 0 ||
	       strcmp(statement->name, "dm_messages.after") == 0;
}

void
pg_plan(struct engine *engine, const struct convro_statement *statement)
{
	static struct output command, plan;
	struct header args;

	if (statement->sql_pg == NULL)
		return;
	header_parse(statement->args_pg, &args);
	command.len = plan.len = 0;
	plan.text[0] = '\0';
	output_add(&command, "EXPLAIN (COSTS OFF) EXECUTE \"", 29);
	output_add(&command, statement->name, strlen(statement->name));
	output_add(&command, "\"", 1);
	for (size_t i = 0; i < args.count; i++)
		output_add(&command, i == 0 ? "(NULL" : ", NULL", i == 0 ? 5 : 6);
	if (args.count > 0)
		output_add(&command, ")", 1);
	pg_query(engine, command.text, &plan);
	if (strstr(plan.text, "Seq Scan on ") != NULL || walks_an_index(plan.text))
		fail_msg("pg: %s scans a table:\n%s", statement->name, plan.text);
	if (strstr(plan.text, "Bitmap ") != NULL ||
	    (strstr(plan.text, "Sort") != NULL && reads_a_page(statement)))
		fail_msg("pg: %s reads more than it gives:\n%s", statement->name, plan.text);
}
