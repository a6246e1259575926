/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arguments and rows in the binary form of the protocol: numbers in network
 * order, bytes as they are, arrays with a NULL as length -1.  Nothing is
 * printed or parsed on the way.
 */
#include "base/arena.h"
#include "base/must.h"
#include "db/postgresql/postgresql.h"

#include <endian.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Of pg_type; fixed for ever. */
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
	OID_INT8_ARRAY = 1016,
};

static Oid
type_of(uint8_t type, bool array)
{
	switch (type) {
	case 'i':
		return array ? OID_INT8_ARRAY : OID_INT8;
	case 'j':
		return array ? OID_INT4_ARRAY : OID_INT4;
	case 's':
		return array ? OID_INT2_ARRAY : OID_INT2;
	case 'b':
		return array ? OID_BYTEA_ARRAY : OID_BYTEA;
	default:
		MUST(type == 't');
		return array ? OID_TEXT_ARRAY : OID_TEXT;
	}
}

const Oid *
param_types(struct arena *arena, const struct db_statement *statement)
{
	Oid *types = arena_zero(arena, statement->arg_count + 1u, sizeof(*types));

	for (uint32_t i = 0; types != NULL && i < statement->arg_count; i++)
		types[i] = type_of(statement->args[i].type, statement->args[i].array);
	return types;
}

/* Bytes of a value that is not NULL. */
static size_t
value_size(uint8_t type, const struct convro_db_val *val)
{
	switch (type) {
	case 'i':
		return 8;
	case 'j':
		return 4;
	case 's':
		return 2;
	default:
		return val->len;
	}
}

static void
put_value(uint8_t *to, uint8_t type, const struct convro_db_val *val)
{
	uint64_t wide = htobe64((uint64_t)val->u.i);
	uint32_t middle = htobe32((uint32_t)val->u.i);
	uint16_t narrow = htobe16((uint16_t)val->u.i);

	if (type == 'i')
		memcpy(to, &wide, sizeof(wide));
	else if (type == 'j')
		memcpy(to, &middle, sizeof(middle));
	else if (type == 's')
		memcpy(to, &narrow, sizeof(narrow));
	else if (val->len > 0)
		memcpy(to, val->u.p, val->len);
}

static uint8_t *
put_int32(uint8_t *to, uint32_t value)
{
	value = htobe32(value);
	memcpy(to, &value, sizeof(value));
	return to + sizeof(value);
}

/* Where the elements of an array argument are. */
struct elements {
	const struct db_call *const *calls; /* one of each call, or NULL */
	const struct convro_db_val *array;
	uint32_t field, count;
};

static const struct convro_db_val *
element(const struct elements *from, uint32_t i)
{
	return from->calls != NULL ? &from->calls[i]->args[from->field] : &from->array[i];
}

/* 0, or -1 when memory is out or the whole is longer than the protocol allows. */
static int
put_array(
    struct arena *arena, uint8_t type, const struct elements *from, const char **out, int *out_len)
{
	size_t size = 20;
	uint32_t nulls = 0;
	uint8_t *start, *to;

	for (uint32_t i = 0; i < from->count; i++) {
		const struct convro_db_val *val = element(from, i);

		size += 4;
		if (val->type == CONVRO_DB_NULL)
			nulls = 1;
		else
			size += value_size(type, val);
	}
	start = size <= INT_MAX ? arena_alloc(arena, size) : NULL;
	if (start == NULL)
		return -1;
	to = put_int32(start, from->count > 0 ? 1 : 0); /* dimensions: an empty array has none */
	to = put_int32(to, nulls);
	to = put_int32(to, type_of(type, false));
	if (from->count > 0) {
		to = put_int32(to, from->count);
		to = put_int32(to, 1); /* the first subscript */
	}
	for (uint32_t i = 0; i < from->count; i++) {
		const struct convro_db_val *val = element(from, i);
		size_t len = value_size(type, val);

		if (val->type == CONVRO_DB_NULL) {
			to = put_int32(to, UINT32_MAX);
			continue;
		}
		to = put_int32(to, (uint32_t)len);
		put_value(to, type, val);
		to += len;
	}
	*out = (const char *)start;
	*out_len = (int)(to - start);
	return 0;
}

static int
put_scalar(struct arena *arena, uint8_t type, const struct convro_db_val *val, const char **out,
    int *out_len)
{
	size_t len = value_size(type, val);
	uint8_t *bytes;

	*out_len = 0;
	*out = NULL;
	if (val->type == CONVRO_DB_NULL)
		return 0;
	if (len > INT_MAX)
		return -1;
	*out_len = (int)len;
	if (type == 'b' || type == 't') {
		*out = len > 0 ? val->u.p : ""; /* NULL would be SQL's */
		return 0;
	}
	bytes = arena_alloc(arena, 8);
	if (bytes == NULL)
		return -1;
	put_value(bytes, type, val);
	*out = (const char *)bytes;
	return 0;
}

/* What is no array must be one value for all merged calls.  It is the time (check_statements sees
 * that it is a number), and the last of the times is one at which all had been asked. */
static const struct convro_db_val *
latest(const struct db_call *const *calls, uint32_t count, uint32_t field)
{
	const struct convro_db_val *found = &calls[0]->args[field];

	for (uint32_t i = 1; i < count; i++)
		if (calls[i]->args[field].u.i > found->u.i)
			found = &calls[i]->args[field];
	return found;
}

int
params_build(struct arena *arena, const struct db_statement *statement,
    const struct db_call *const *calls, uint32_t count, struct params *out)
{
	bool merged = (statement->flags & CONVRO_DB_COALESCE) != 0;
	uint32_t arg_count = statement->arg_count;

	out->count = (int)arg_count;
	out->values = arena_zero(arena, arg_count + 1u, sizeof(*out->values));
	out->lengths = arena_zero(arena, arg_count + 1u, sizeof(*out->lengths));
	out->formats = arena_zero(arena, arg_count + 1u, sizeof(*out->formats));
	if (out->values == NULL || out->lengths == NULL || out->formats == NULL)
		return -1;
	MUST(count == 1 || (merged && count > 0));
	for (uint32_t i = 0; i < arg_count; i++) {
		const struct db_field *field = &statement->args[i];
		const struct convro_db_val *own = &calls[0]->args[i];
		struct elements from = { merged ? calls : NULL, own->u.array, i,
			merged ? count : own->len };
		int outcome;

		out->formats[i] = 1;
		if (field->array)
			outcome =
			    put_array(arena, field->type, &from, &out->values[i], &out->lengths[i]);
		else
			outcome =
			    put_scalar(arena, field->type, merged ? latest(calls, count, i) : own,
				&out->values[i], &out->lengths[i]);
		if (outcome != 0)
			return -1;
	}
	return 0;
}

bool
column_fits(const struct db_field *field, Oid type)
{
	switch (field->type) {
	case 'i':
		return type == OID_INT8 || type == OID_INT4 || type == OID_INT2;
	case 'j':
		return type == OID_INT4 || type == OID_INT2;
	case 's':
		return type == OID_INT2;
	case 'b':
		return type == OID_BYTEA;
	default:
		return type == OID_TEXT;
	}
}

/* Sign and all, whatever its width. */
static int64_t
get_int(const char *data, int len)
{
	uint64_t wide;
	uint32_t middle;
	uint16_t narrow;

	switch (len) {
	case 8:
		memcpy(&wide, data, sizeof(wide));
		return (int64_t)be64toh(wide);
	case 4:
		memcpy(&middle, data, sizeof(middle));
		return (int32_t)be32toh(middle);
	case 2:
		memcpy(&narrow, data, sizeof(narrow));
		return (int16_t)be16toh(narrow);
	default:
		return 0;
	}
}

/* Without an arena the bytes stay where they are. */
static bool
get_value(const PGresult *from, int row, int column, uint8_t type, struct arena *arena,
    struct convro_db_val *out)
{
	int len = PQgetlength(from, row, column);
	const char *data;

	*out = (struct convro_db_val){ .type = CONVRO_DB_NULL };
	if (len == 0 && PQgetisnull(from, row, column))
		return true;
	data = PQgetvalue(from, row, column);
	if (type == 'b' || type == 't') {
		out->type = type == 'b' ? CONVRO_DB_BLOB : CONVRO_DB_TEXT;
		out->len = (uint32_t)len;
		out->u.p = arena != NULL ? arena_copy(arena, data, (size_t)len) : data;
		return out->u.p != NULL;
	}
	out->type = type == 'i' ? CONVRO_DB_I64 : CONVRO_DB_I32;
	out->u.i = get_int(data, len);
	return true;
}

bool
row_copy(const PGresult *from, int row, const struct db_statement *statement, struct arena *arena,
    struct convro_db_val *out)
{
	for (uint32_t i = statement->hidden; i < statement->column_count; i++)
		if (!get_value(from, row, (int)i, statement->columns[i].type, arena, out++))
			return false;
	return true;
}

/* Bytes go to `bytes`, or stay where they are when that is NULL. */
static bool
rows_read(PGresult *from, const struct db_statement *statement, struct arena *arena,
    struct arena *bytes, struct convro_db_result *out)
{
	uint32_t columns = statement->column_count - statement->hidden;
	int rows = columns > 0 ? PQntuples(from) : 0;
	struct convro_db_val *vals;

	out->changed = rows_changed(from, statement);
	out->vals = NULL;
	out->nrows = 0;
	/* A plan may have changed under us only together with the connection (errors.c). */
	if (rows == 0 || PQnfields(from) != (int)statement->column_count)
		return true;
	vals = arena_zero(arena, (size_t)rows * columns, sizeof(*vals));
	if (vals == NULL)
		return false;
	for (int row = 0; row < rows; row++)
		if (!row_copy(from, row, statement, bytes, vals + (size_t)row * columns))
			return false;
	out->vals = vals;
	out->nrows = (uint32_t)rows;
	return true;
}

bool
rows_copy(PGresult *from, const struct db_statement *statement, struct arena *arena,
    struct convro_db_result *out)
{
	return rows_read(from, statement, arena, arena, out);
}

struct held {
	PGresult *result;
	struct held *next;
};

static bool
has_bytes(const struct db_statement *statement)
{
	for (uint32_t i = statement->hidden; i < statement->column_count; i++)
		if (statement->columns[i].type == 'b' || statement->columns[i].type == 't')
			return true;
	return false;
}

bool
rows_take(PGresult **from, const struct db_statement *statement, struct db_request *request,
    struct convro_db_result *out)
{
	struct held *held;

	if (!rows_read(*from, statement, request->arena, NULL, out))
		return false;
	if (out->nrows == 0 || !has_bytes(statement))
		return true;
	held = arena_alloc(request->arena, sizeof(*held));
	if (held == NULL)
		return false;
	*held = (struct held){ *from, request->held };
	request->held = held;
	*from = NULL;
	return true;
}

void
rows_release(struct db_request *request)
{
	for (struct held *at = request->held; at != NULL; at = at->next)
		PQclear(at->result);
	request->held = NULL;
}

int64_t
row_ord(const PGresult *from, int row)
{
	return PQgetisnull(from, row, 0)
		   ? 0
		   : get_int(PQgetvalue(from, row, 0), PQgetlength(from, row, 0));
}

/* A statement whose writing is in its WITH is a SELECT to the server: its rows are what it
 * changed. */
uint64_t
rows_changed(PGresult *from, const struct db_statement *statement)
{
	if ((statement->flags & CONVRO_DB_WRITE) == 0)
		return 0;
	return strtoull(PQcmdTuples(from), NULL, 10);
}
