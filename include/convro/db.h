/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The database as modules see it: statements by number, no dialect, no
 * connection, no transaction to forget (design: storage, section 4).
 *
 * A read is a query.  A write is a batch: its statements run in order in one
 * transaction, together with other requests' batches in one commit, and the
 * callback comes after that commit is durable.
 */
#ifndef CONVRO_DB_H
#define CONVRO_DB_H

#include <convro/abi.h>

enum convro_db_type {
	CONVRO_DB_NULL,
	CONVRO_DB_I64,
	CONVRO_DB_I32,
	CONVRO_DB_BLOB,
	CONVRO_DB_TEXT,
	CONVRO_DB_ARRAY /* arguments only: `len` values behind `u.array`, all of one type */
};

struct convro_db_val {
	uint32_t type; /* enum convro_db_type */
	uint32_t len;  /* bytes of BLOB and TEXT, elements of ARRAY */
	union {
		int64_t i; /* I64 and I32 */
		const void *p;
		const char *text; /* in results NUL-terminated */
		const struct convro_db_val *array;
	} u;
};

struct convro_db_args {
	const struct convro_db_val *vals;
	uint32_t count;
};

static inline struct convro_db_val
convro_null(void)
{
	return (struct convro_db_val){ CONVRO_DB_NULL, 0, { 0 } };
}

static inline struct convro_db_val
convro_i64(int64_t value)
{
	return (struct convro_db_val){ CONVRO_DB_I64, 0, { value } };
}

static inline struct convro_db_val
convro_i32(int32_t value)
{
	return (struct convro_db_val){ CONVRO_DB_I32, 0, { value } };
}

/* NULL data is SQL's NULL. */
static inline struct convro_db_val
convro_blob(const void *data, size_t len)
{
	struct convro_db_val val = { data != NULL ? CONVRO_DB_BLOB : CONVRO_DB_NULL, (uint32_t)len,
		{ 0 } };

	val.u.p = data;
	return val;
}

static inline struct convro_db_val
convro_text_n(const char *text, size_t len)
{
	struct convro_db_val val = { text != NULL ? CONVRO_DB_TEXT : CONVRO_DB_NULL, (uint32_t)len,
		{ 0 } };

	val.u.text = text;
	return val;
}

static inline struct convro_db_val
convro_array(const struct convro_db_val *items, size_t count)
{
	struct convro_db_val val = { CONVRO_DB_ARRAY, (uint32_t)count, { 0 } };

	val.u.array = items;
	return val;
}

/* CONVRO_ARGS(convro_i64(1), convro_null()) is a struct convro_db_args for one call. */
#define CONVRO_ARGS(...)                                                                           \
	((struct convro_db_args){ (const struct convro_db_val[]){ __VA_ARGS__ },                   \
	    (uint32_t)(sizeof((const struct convro_db_val[]){ __VA_ARGS__ }) /                     \
		       sizeof(struct convro_db_val)) })
#define CONVRO_NO_ARGS ((struct convro_db_args){ NULL, 0 })

enum {
	CONVRO_DB_WRITE = 1, /* changes rows: goes through the writer */
	CONVRO_DB_IDEMPOTENT =
	    2, /* running it twice equals once: replayed when a commit's outcome is unknown */
	CONVRO_DB_COALESCE =
	    4, /* PostgreSQL: `[]` arguments of a whole group are merged into one call */
	CONVRO_DB_LOCKS = 8 /* takes locks: moved to the front of the group */
};

/* Packed from sql/<module>/statements.sql.  A NULL text: the statement does not exist on that
 * engine; in a batch it then does nothing and has an empty result. */
struct convro_statement {
	uint32_t size, flags;
	const char *name; /* "module.what_by_what" */
	/* "name:type ..." with i int64, j int32, s int16, b blob, t text, `?` nullable, `[]` array.
	 */
	const char *args_pg, *columns_pg, *sql_pg;
	const char *args_sqlite, *columns_sqlite, *sql_sqlite;
	const char *key; /* COALESCE: 1-based positions of arguments that must not occur twice in a
			    group; or NULL */
};

/* Packed from sql/<module>/NNNN_<what>.sql. */
struct convro_migration {
	uint32_t size, version, flags;
	const char *name;
	const char *sql_pg, *sql_sqlite;
	const char *checksum; /* SHA-256 of the file, 64 hex digits */
};

struct convro_db_result {
	uint32_t size, nrows, ncols, reserved;
	uint64_t changed;                 /* rows the statement changed */
	const struct convro_db_val *vals; /* nrows * ncols, row by row */
};

static inline const struct convro_db_val *
convro_at(const struct convro_db_result *result, uint32_t row, uint32_t col)
{
	return &result->vals[(size_t)row * result->ncols + col];
}

/* Runs exactly once for every query and exec, whatever happens, on the context's worker, never
 * before the call returned.  With CONVRO_OK there is one result for each statement added; else
 * nresults is 0. Rows are borrowed until it returns. */
typedef void convro_db_done(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t nresults);

struct convro_db_batch; /* lives in the context until exec */

struct convro_db_table { /* thread: the context's worker */
	uint32_t size;

	/* One statement; a WRITE statement runs as a batch of one.  `statement` is the number from
	 * a generated header.  Arguments are copied before the call
	 * returns. */
	void (*query)(struct convro_ctx *ctx, uint32_t statement, struct convro_db_args args,
	    convro_db_done *done, void *arg);
	/* An empty batch; never NULL, it keeps its first error until exec. */
	struct convro_db_batch *(*batch)(struct convro_ctx *ctx);
	void (*add)(struct convro_db_batch *batch, uint32_t statement, struct convro_db_args args);
	/* Takes the batch. */
	void (*exec)(struct convro_db_batch *batch, convro_db_done *done, void *arg);
	/* CONVRO_OK when the store answered a ping within a second; for health. */
	void (*ping)(struct convro_ctx *ctx, convro_db_done *done, void *arg);
	/* Wall clock in microseconds since 1970: the one clock that rows are stamped with. */
	int64_t (*now)(struct convro_ctx *ctx);
	/* A key that belongs to this database for ever (32 bytes): made when the database was, or
	 * NULL when it could not be read.  Used where a value must be unguessable yet stable
	 * (design: storage, 3). */
	const uint8_t *(*permutation_key)(struct convro_ctx *ctx);
};

#endif
