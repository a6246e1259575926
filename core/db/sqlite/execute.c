/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One statement: bind, step to the end, copy the rows.  The end matters: the
 * rows of RETURNING come before the statement has ended.
 */
#include "base/must.h"
#include "db/sqlite/sqlite.h"

#include <stdlib.h>
#include <string.h>

static int
bind_one(sqlite3_stmt *stmt, int index, const struct convro_db_val *val)
{
	switch (val->type) {
	case CONVRO_DB_I64:
	case CONVRO_DB_I32:
		return sqlite3_bind_int64(stmt, index, val->u.i);
	case CONVRO_DB_BLOB:
		/* An empty blob is not NULL, whatever its address. */
		return sqlite3_bind_blob64(
		    stmt, index, val->len > 0 ? val->u.p : "", val->len, SQLITE_STATIC);
	case CONVRO_DB_TEXT:
		return sqlite3_bind_text64(stmt, index, val->len > 0 ? val->u.text : "", val->len,
		    SQLITE_STATIC, SQLITE_UTF8);
	default:
		/* Arrays occur in no text (sqlpack sees to it). */
		MUST(val->type == CONVRO_DB_NULL);
		return sqlite3_bind_null(stmt, index);
	}
}

static int
bind_all(const struct part *part, const struct convro_db_val *args)
{
	for (uint32_t i = 0; i < part->binding_count; i++) {
		const struct binding *binding = &part->bindings[i];
		int rc = bind_one(part->stmt, binding->index, &args[binding->arg]);

		if (rc != SQLITE_OK)
			return rc;
	}
	return SQLITE_OK;
}

/* False when memory is out. */
static bool
copy_bytes(struct arena *arena, const void *data, int len, struct convro_db_val *out)
{
	out->len = (uint32_t)len;
	out->u.p = arena_copy(arena, len > 0 ? data : "", (size_t)len);
	return out->u.p != NULL;
}

static bool
read_column(sqlite3_stmt *stmt, int column, const struct db_field *field, struct arena *arena,
    struct convro_db_val *out)
{
	const void *data;

	*out = (struct convro_db_val){ .type = CONVRO_DB_NULL };
	if (sqlite3_column_type(stmt, column) == SQLITE_NULL)
		return true;
	switch (field->type) {
	case 'i':
		out->type = CONVRO_DB_I64;
		out->u.i = sqlite3_column_int64(stmt, column);
		return true;
	case 'j':
	case 's':
		out->type = CONVRO_DB_I32;
		out->u.i = (int32_t)sqlite3_column_int64(stmt, column);
		return true;
	case 'b':
		out->type = CONVRO_DB_BLOB;
		data = sqlite3_column_blob(stmt, column);
		break;
	default:
		out->type = CONVRO_DB_TEXT;
		data = sqlite3_column_text(stmt, column);
		break;
	}
	/* NULL is how an empty blob looks too. */
	if (data == NULL && sqlite3_errcode(sqlite3_db_handle(stmt)) == SQLITE_NOMEM)
		return false;
	return copy_bytes(arena, data, sqlite3_column_bytes(stmt, column), out);
}

/* Room in the scratch for one more row behind `used` values. */
static bool
grow_rows(struct connection *connection, size_t used, uint32_t columns)
{
	size_t size = connection->rows_size;
	struct convro_db_val *grown;

	if (used + columns <= size)
		return true;
	size = 2 * (used + columns) + 64;
	grown = realloc(connection->rows, size * sizeof(*grown));
	if (grown == NULL)
		return false;
	connection->rows = grown;
	connection->rows_size = size;
	return true;
}

/* Steps the last part to its end and leaves its rows in *out. */
static enum convro_status
collect(struct connection *connection, sqlite3_stmt *stmt, const struct db_statement *statement,
    struct arena *arena, struct convro_db_result *out, int *rc)
{
	uint32_t columns = statement->column_count;
	struct convro_db_val *vals;
	size_t used = 0;

	while ((*rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		if (columns == 0)
			continue;
		if (!grow_rows(connection, used, columns))
			return CONVRO_NO_MEMORY;
		for (uint32_t i = 0; i < columns; i++)
			if (!read_column(stmt, (int)i, &statement->columns[i], arena,
				&connection->rows[used + i]))
				return CONVRO_NO_MEMORY;
		used += columns;
		out->nrows++;
	}
	if (*rc != SQLITE_DONE)
		return status_of(*rc);
	if (used == 0)
		return CONVRO_OK;
	vals = arena_alloc(arena, used * sizeof(*vals));
	if (vals == NULL)
		return CONVRO_NO_MEMORY;
	memcpy(vals, connection->rows, used * sizeof(*vals));
	out->vals = vals;
	return CONVRO_OK;
}

enum convro_status
execute(struct connection *connection, const struct prepared *prepared, const struct db_call *call,
    struct arena *arena, struct convro_db_result *out, int *rc)
{
	int64_t changed = sqlite3_total_changes64(connection->sqlite);
	enum convro_status status = CONVRO_OK;

	out->nrows = 0;
	out->vals = NULL;
	for (uint32_t i = 0; i < prepared->part_count && status == CONVRO_OK; i++) {
		const struct part *part = &prepared->parts[i];

		*rc = bind_all(part, call->args);
		if (*rc != SQLITE_OK)
			return status_of(*rc);
		if (i + 1 == prepared->part_count) {
			status = collect(connection, part->stmt, call->statement, arena, out, rc);
		} else {
			do
				*rc = sqlite3_step(part->stmt);
			while (*rc == SQLITE_ROW);
			status = *rc == SQLITE_DONE ? CONVRO_OK : status_of(*rc);
		}
		(void)sqlite3_reset(part->stmt); /* says again what step said */
	}
	if (status == CONVRO_OK)
		*rc = SQLITE_OK;
	else
		out->nrows = 0;
	out->changed = (uint64_t)(sqlite3_total_changes64(connection->sqlite) - changed);
	return status;
}

int
execute_plain(const struct prepared *prepared)
{
	sqlite3_stmt *stmt = prepared->parts[0].stmt;
	int rc;

	do
		rc = sqlite3_step(stmt);
	while (rc == SQLITE_ROW);
	(void)sqlite3_reset(stmt);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}
