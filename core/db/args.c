/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arguments on their way into a request: compared with what the statement
 * declares, and copied, since the caller's memory is the caller's again when
 * its call returns.
 */
#include "base/must.h"
#include "db/store.h"
#include "log/log.h"

#include <string.h>

/* The module's author sees which statement and which argument, then the process ends. */
static void
require(bool fits, const struct db_statement *statement, uint32_t index)
{
	if (fits)
		return;
	log_error("statement %s: argument $%u does not fit its declaration in statements.sql",
	    statement->name, index + 1);
	MUST(fits);
}

static bool
scalar_fits(const struct db_field *field, const struct convro_db_val *val, bool may_be_null)
{
	if (val->type == CONVRO_DB_NULL)
		return may_be_null;
	switch (field->type) {
	case 'i':
		return val->type == CONVRO_DB_I64 || val->type == CONVRO_DB_I32;
	case 'j':
		return val->type == CONVRO_DB_I32;
	case 's':
		return val->type == CONVRO_DB_I32 && val->u.i >= INT16_MIN && val->u.i <= INT16_MAX;
	case 'b':
		return val->type == CONVRO_DB_BLOB;
	default:
		return val->type == CONVRO_DB_TEXT;
	}
}

/* False when memory is out. */
static bool
copy_scalar(struct arena *arena, const struct db_field *field, const struct convro_db_val *from,
    struct convro_db_val *to)
{
	*to = *from;
	if (from->type == CONVRO_DB_I32 && field->type == 'i')
		to->type = CONVRO_DB_I64;
	if (from->type != CONVRO_DB_BLOB && from->type != CONVRO_DB_TEXT)
		return true;
	to->u.p = arena_copy(arena, from->u.p, from->len);
	return to->u.p != NULL;
}

static bool
copy_array(struct arena *arena, const struct db_statement *statement, uint32_t index,
    const struct convro_db_val *from, struct convro_db_val *to)
{
	const struct db_field *field = &statement->args[index];
	struct convro_db_val *items = arena_zero(arena, from->len + 1u, sizeof(*items));

	if (items == NULL)
		return false;
	for (uint32_t i = 0; i < from->len; i++) {
		require(scalar_fits(field, &from->u.array[i], true), statement, index);
		if (!copy_scalar(arena, field, &from->u.array[i], &items[i]))
			return false;
	}
	*to = *from;
	to->u.array = items;
	return true;
}

const struct convro_db_val *
args_copy(struct arena *arena, const struct db_statement *statement, struct convro_db_args args)
{
	bool merged = (statement->flags & CONVRO_DB_COALESCE) != 0;
	static const struct convro_db_val unused; /* nobody looks at it */
	struct convro_db_val *copy;

	if (statement->sql == NULL)
		return &unused;
	if (args.count != statement->arg_count) {
		log_error("statement %s takes %u arguments and got %u", statement->name,
		    statement->arg_count, args.count);
		MUST(args.count == statement->arg_count);
	}
	copy = arena_zero(arena, args.count + 1u, sizeof(*copy));
	if (copy == NULL)
		return NULL;
	for (uint32_t i = 0; i < args.count; i++) {
		const struct db_field *field = &statement->args[i];
		const struct convro_db_val *val = &args.vals[i];
		bool whole = field->array && !merged;

		if (whole) {
			require(val->type == CONVRO_DB_ARRAY, statement, i);
			if (!copy_array(arena, statement, i, val, &copy[i]))
				return NULL;
			continue;
		}
		require(scalar_fits(field, val, field->nullable || field->array), statement, i);
		if (!copy_scalar(arena, field, val, &copy[i]))
			return NULL;
	}
	return copy;
}
