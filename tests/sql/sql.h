/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SQL test, shared declarations.  Arguments and rows travel as text:
 * cells are parted by '|', rows by ';', NULL is "-", an array is "{a,b}".
 * Blobs are written as they are and hold no NUL.  Read test_sql.c next.
 */
#ifndef SQL_H
#define SQL_H

#include <convro/db.h>

#include <libpq-fe.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

enum { MAX_ITEMS = 32, MAX_ROWS = 64, CELL_SIZE = 512, TEXT_SIZE = 16384 };

struct engine {
	const char *name;
	PGconn *conn; /* one of the two is NULL */
	sqlite3 *db;
};

/* header.c: "name:type name:type" taken apart. */
struct item {
	char type; /* i j s b t */
	bool is_nullable;
	bool is_array;
};

struct header {
	size_t count;
	struct item items[MAX_ITEMS];
};

void header_parse(const char *list, struct header *out);

/* Arguments: rows of cells. */
struct cells {
	size_t nrows, ncols;
	char cell[MAX_ROWS][MAX_ITEMS][CELL_SIZE];
};

/* Fails the test when a row has not ncols cells. */
void cells_parse(const char *text, size_t ncols, struct cells *out);
/* The elements of "{a,b}"; false when the cell is no array. */
bool array_parse(const char *cell, struct cells *out);

/* Rows as text, appended to with a check of the bound. */
struct output {
	size_t len;
	char text[TEXT_SIZE];
};

void output_add(struct output *out, const char *data, size_t len);

/* Every engine offers: open (aborts the test with a sentence when it cannot),
 * close, a script of several statements, a plain query, one of our statements,
 * the comparison of a statement with its header, and the check of its plan. */
void sqlite_open(struct engine *engine);
void sqlite_close_db(struct engine *engine);
void sqlite_script(struct engine *engine, const char *sql);
void sqlite_query(struct engine *engine, const char *sql, struct output *out);
void sqlite_run(struct engine *engine, const struct convro_statement *statement, const char *args,
    struct output *out);
void sqlite_compare(struct engine *engine, const struct convro_statement *statement);
void sqlite_plan(struct engine *engine, const struct convro_statement *statement);

void pg_open(struct engine *engine, const char *conninfo);
void pg_close(struct engine *engine);
void pg_script(struct engine *engine, const char *sql);
void pg_query(struct engine *engine, const char *sql, struct output *out);
void pg_run(struct engine *engine, const struct convro_statement *statement, const char *args,
    struct output *out);
/* Prepares it as well, under its name: comes before pg_run and pg_plan. */
void pg_compare(struct engine *engine, const struct convro_statement *statement);
void pg_plan(struct engine *engine, const struct convro_statement *statement);

/* test_sql.c */
void for_each_statement(
    struct engine *engine, void (*check)(struct engine *, const struct convro_statement *));

/* concurrency.c: tests with several connections; the database is migrated. */
void concurrency_open(const char *conninfo);
void concurrency_close(void);
void no_one_time_key_reaches_two_callers(void **state);
void one_of_many_refreshes_of_a_token_succeeds(void **state);
void one_of_many_registrations_gets_the_device(void **state);
void one_cursor_misses_nothing_over_all_sessions(void **state);

/* cases.c: what the statements must answer, the same on both engines. */
struct step {
	/* A statement, BEGIN, COMMIT, ROLLBACK, or "sql" with a plain query. */
	const char *statement;
	const char *args; /* "none": zero rows of arguments, nothing is run */
	/* Expected rows; NULL anything, a cell "*" anything but NULL, a leading
	 * "~" any order. */
	const char *rows;
};

extern const struct step steps[];
extern const size_t step_count;

#endif
