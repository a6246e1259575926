/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In which order the statements of a group run.
 *
 * Locks come first, so that no statement waits while ids are drawn: those of
 * devices and users (they are taken for one call each) by statement and
 * arguments, then those of sessions and mailboxes (merged: their statements
 * sort within).  Every process keeps this order.
 *
 * Then what cannot be merged, request by request; then what can: one execution
 * for all calls of a COALESCE statement, in the order of the requests, so that
 * ids rise with the place in the group.
 */
#include "base/arena.h"
#include "db/postgresql/postgresql.h"

#include <stdlib.h>
#include <string.h>

/* --- keys --- */

struct seen {
	const struct db_statement *statement;
	uint64_t hash; /* two keys that merely share it wait for one another, which is no harm */
	const struct db_request *request;
};

static uint64_t
hash_bytes(uint64_t hash, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3u; /* FNV-1a */
	return hash;
}

static uint64_t
hash_key(const struct db_call *call)
{
	const struct db_statement *statement = call->statement;
	uint64_t hash = 0xcbf29ce484222325u;

	for (uint32_t i = 0; i < statement->key_count; i++) {
		const struct convro_db_val *val = &call->args[statement->key[i]];

		hash = hash_bytes(hash, &val->type, sizeof(val->type));
		if (val->type == CONVRO_DB_BLOB || val->type == CONVRO_DB_TEXT) {
			hash = hash_bytes(hash, &val->len, sizeof(val->len));
			hash = hash_bytes(hash, val->u.p, val->len);
		} else {
			hash = hash_bytes(hash, &val->u.i, sizeof(val->u.i));
		}
	}
	return hash;
}

static bool
has_key(const struct db_call *call)
{
	return call->statement->sql != NULL && call->statement->key_count > 0;
}

static uint32_t
count_calls(struct db_request *const *requests, uint32_t count)
{
	uint32_t calls = 0;

	for (uint32_t i = 0; i < count; i++)
		calls += requests[i]->call_count;
	return calls;
}

/* Whose the key is already, or NULL. */
static const struct db_request *
find_seen(const struct seen *seen, uint32_t count, const struct seen *key)
{
	for (uint32_t i = 0; i < count; i++)
		if (seen[i].hash == key->hash && seen[i].statement == key->statement)
			return seen[i].request;
	return NULL;
}

int
plan_defer(struct arena *scratch, struct db_request *const *requests, uint32_t count)
{
	struct seen *seen =
	    arena_alloc(scratch, (count_calls(requests, count) + 1u) * sizeof(*seen));
	uint32_t seen_count = 0;

	if (seen == NULL)
		return -1;
	for (uint32_t i = 0; i < count; i++) {
		struct db_request *request = requests[i];

		/* The keys of one that waits count too: nobody overtakes it. */
		for (uint32_t c = 0; c < request->call_count; c++) {
			const struct db_call *call = &request->calls[c];
			const struct db_request *other;
			struct seen key;

			if (!has_key(call))
				continue;
			key = (struct seen){ call->statement, hash_key(call), request };
			other = find_seen(seen, seen_count, &key);
			if (other == NULL)
				seen[seen_count++] = key;
			else if (other == request)
				request->driver_mark |= MARK_ALONE;
			else
				request->deferred = true;
		}
	}
	return 0;
}

/* --- locks --- */

static bool
is_lock(const struct db_call *call)
{
	return call->statement->sql != NULL && (call->statement->flags & CONVRO_DB_LOCKS) != 0;
}

static bool
is_coalesce(const struct db_call *call)
{
	return (call->statement->flags & CONVRO_DB_COALESCE) != 0;
}

static const struct db_call *
call_of(const struct plan_call *at)
{
	return &at->request->calls[at->index];
}

static int
compare_vals(const struct convro_db_val *a, const struct convro_db_val *b)
{
	if (a->type != b->type)
		return a->type < b->type ? -1 : 1;
	if (a->type == CONVRO_DB_I64 || a->type == CONVRO_DB_I32)
		return (a->u.i > b->u.i) - (a->u.i < b->u.i);
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	if (a->type == CONVRO_DB_ARRAY) {
		for (uint32_t i = 0; i < a->len; i++) {
			int order = compare_vals(&a->u.array[i], &b->u.array[i]);

			if (order != 0)
				return order;
		}
		return 0;
	}
	return a->type == CONVRO_DB_NULL || a->len == 0 ? 0 : memcmp(a->u.p, b->u.p, a->len);
}

static int
compare_locks(const void *left, const void *right)
{
	const struct db_call *a = call_of(left), *b = call_of(right);

	if (a->statement->number != b->statement->number)
		return a->statement->number < b->statement->number ? -1 : 1;
	for (uint32_t i = 0; i < a->statement->arg_count; i++) {
		int order = compare_vals(&a->args[i], &b->args[i]);

		if (order != 0)
			return order;
	}
	return 0;
}

/* --- the plan --- */

static void
add_call(struct plan *plan, struct db_request *request, uint32_t index)
{
	plan->calls[plan->call_count++] = (struct plan_call){ request, index };
	plan->steps[plan->step_count - 1].count++;
}

static void
add_step(struct plan *plan, const struct db_statement *statement, bool merged)
{
	plan->steps[plan->step_count++] =
	    (struct plan_step){ statement, plan->call_count, 0, merged };
}

/* The same lock for several requests is taken once. */
static void
add_single_locks(struct plan *plan, struct db_request *const *requests, uint32_t count)
{
	struct plan_call *locks = plan->calls;
	uint32_t lock_count = 0;

	for (uint32_t i = 0; i < count; i++)
		for (uint32_t c = 0; c < requests[i]->call_count; c++)
			if (is_lock(&requests[i]->calls[c]) && !is_coalesce(&requests[i]->calls[c]))
				locks[lock_count++] = (struct plan_call){ requests[i], c };
	if (lock_count > 1)
		qsort(locks, lock_count, sizeof(*locks), compare_locks);
	for (uint32_t i = 0; i < lock_count; i++) {
		if (i == 0 || compare_locks(&locks[i - 1], &locks[i]) != 0)
			add_step(plan, call_of(&locks[i])->statement, false);
		plan->call_count++;
		plan->steps[plan->step_count - 1].count++;
	}
}

/* One that only has calls of one COALESCE statement besides locks. */
static const struct db_statement *
mergeable(const struct db_request *request)
{
	const struct db_statement *found = NULL;

	if ((request->driver_mark & MARK_ALONE) != 0)
		return NULL;
	for (uint32_t i = 0; i < request->call_count; i++) {
		const struct db_call *call = &request->calls[i];

		if (call->statement->sql == NULL || is_lock(call))
			continue;
		if (!is_coalesce(call) || (found != NULL && found != call->statement))
			return NULL;
		found = call->statement;
	}
	return found;
}

static void
add_merged(struct plan *plan, const struct db_statement *statement, bool lock,
    struct db_request *const *requests, uint32_t count)
{
	add_step(plan, statement, true);
	for (uint32_t i = 0; i < count; i++) {
		if (!lock && mergeable(requests[i]) != statement)
			continue;
		for (uint32_t c = 0; c < requests[i]->call_count; c++)
			if (requests[i]->calls[c].statement == statement)
				add_call(plan, requests[i], c);
	}
}

static bool
has_step(const struct plan *plan, uint32_t from, const struct db_statement *statement)
{
	for (uint32_t i = from; i < plan->step_count; i++)
		if (plan->steps[i].statement == statement)
			return true;
	return false;
}

/* By statement number, which is the order of the modules and of their texts. */
static void
add_merged_locks(struct plan *plan, struct db_request *const *requests, uint32_t count)
{
	for (;;) {
		const struct db_statement *next = NULL;

		for (uint32_t i = 0; i < count; i++) {
			for (uint32_t c = 0; c < requests[i]->call_count; c++) {
				const struct db_call *call = &requests[i]->calls[c];

				if (is_lock(call) && is_coalesce(call) &&
				    (next == NULL || call->statement->number < next->number) &&
				    !has_step(plan, 0, call->statement))
					next = call->statement;
			}
		}
		if (next == NULL)
			return;
		add_merged(plan, next, true, requests, count);
	}
}

static void
add_singles(struct plan *plan, struct db_request *const *requests, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (mergeable(requests[i]) != NULL)
			continue;
		for (uint32_t c = 0; c < requests[i]->call_count; c++) {
			const struct db_call *call = &requests[i]->calls[c];

			if (call->statement->sql == NULL || is_lock(call))
				continue;
			add_step(plan, call->statement, is_coalesce(call));
			add_call(plan, requests[i], c);
		}
	}
}

int
plan_build(
    struct arena *scratch, struct db_request *const *requests, uint32_t count, struct plan *out)
{
	uint32_t calls = count_calls(requests, count), from;

	*out = (struct plan){
		.steps = arena_zero(scratch, calls + 1u, sizeof(*out->steps)),
		.calls = arena_zero(scratch, calls + 1u, sizeof(*out->calls)),
	};
	if (out->steps == NULL || out->calls == NULL)
		return -1;
	add_single_locks(out, requests, count);
	add_merged_locks(out, requests, count);
	add_singles(out, requests, count);
	from = out->step_count;
	for (uint32_t i = 0; i < count; i++) {
		const struct db_statement *statement = mergeable(requests[i]);

		if (statement != NULL && !has_step(out, from, statement))
			add_merged(out, statement, false, requests, count);
	}
	return 0;
}
