/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The group table db: statements answer what the test said, after the call has
 * returned, from rows that are gone once the callback has.
 */
#include "private.h"

#include <stdlib.h>
#include <string.h>

struct convro_db_batch {
	struct kit_job job;
	struct convro_ctx *ctx;
	convro_db_done *done;
	void *arg;
	uint32_t *statements; /* malloc'ed */
	const char **args;
	uint32_t count;
	bool brackets;
};

/* ---- what the test says ---- */

static const struct convro_statement *
statement_at(struct kit *kit, uint32_t number)
{
	const struct convro_list *list = &kit->descriptor->statements;
	uint32_t index = number - kit->module.statement_base;

	if (number < kit->module.statement_base || index >= list->count)
		kit_broken("there is no statement %u", number);
	return (const struct convro_statement *)(const void *)((const char *)list->items +
							       (size_t)index * list->stride);
}

static struct kit_answer *
add_answer(struct kit *kit, uint32_t statement)
{
	struct kit_answer *answer = kit_alloc(kit, sizeof(*answer)), **end = &kit->answers;

	if (statement_at(kit, statement)->sql_sqlite == NULL)
		kit_broken("%s does not exist on SQLite", statement_at(kit, statement)->name);
	answer->statement = statement;
	while (*end != NULL)
		end = &(*end)->next;
	*end = answer;
	return answer;
}

void
kit_rows(struct kit *kit, uint32_t statement, const char *when, const char *rows)
{
	const struct convro_statement *of = statement_at(kit, statement);
	struct kit_answer *answer = add_answer(kit, statement);
	const char *why;

	answer->when = kit_copy(kit, when);
	if (!rows_read(kit, of->columns_sqlite, rows, answer, &why))
		kit_broken(
		    "%s: %s in \"%s\", columns are %s", of->name, why, rows, of->columns_sqlite);
}

void
kit_changed(struct kit *kit, uint32_t statement, uint64_t changed)
{
	add_answer(kit, statement)->changed = changed;
}

void
kit_fails(struct kit *kit, uint32_t statement, enum convro_status status)
{
	add_answer(kit, statement)->status = status;
}

void
kit_meanwhile(
    struct kit *kit, uint32_t statement, void (*function)(struct kit *kit, void *arg), void *arg)
{
	struct kit_meeting *meeting = kit_alloc(kit, sizeof(*meeting));

	*meeting = (struct kit_meeting){ kit->meetings, statement, function, arg };
	kit->meetings = meeting;
}

uint32_t
kit_ran(struct kit *kit, uint32_t statement)
{
	uint32_t count = 0;

	for (const struct kit_run *at = kit->runs; at != NULL; at = at->next)
		count += at->statement == statement;
	return count;
}

const char *
kit_args(struct kit *kit, uint32_t statement, uint32_t nth)
{
	for (const struct kit_run *at = kit->runs; at != NULL; at = at->next)
		if (at->statement == statement && nth-- == 0)
			return at->args;
	kit_broken("%s did not run that often", statement_at(kit, statement)->name);
}

const char *
kit_trace(struct kit *kit)
{
	return kit_copy(kit, buf_text(&kit->trace));
}

void
kit_forget_trace(struct kit *kit)
{
	buf_clear(&kit->trace);
}

/* ---- running ---- */

/* The first that was not given yet, else the last. */
static const struct kit_answer *
answer_of(struct kit *kit, uint32_t statement, const char *args)
{
	static const struct kit_answer none = { 0 };
	const struct kit_answer *last = &none;

	for (struct kit_answer *at = kit->answers; at != NULL; at = at->next) {
		if (at->statement != statement || (at->when != NULL && strcmp(at->when, args) != 0))
			continue;
		last = at;
		if (!at->used) {
			at->used = true;
			break;
		}
	}
	return last;
}

/* A copy that ends with the callback, text by text. */
static struct convro_db_val *
copy_rows(struct arena *arena, const struct kit_answer *answer)
{
	size_t count = (size_t)answer->nrows * answer->ncols;
	struct convro_db_val *vals = arena_zero(arena, count + 1, sizeof(*vals));

	for (size_t i = 0; vals != NULL && i < count; i++) {
		vals[i] = answer->vals[i];
		if (vals[i].type == CONVRO_DB_TEXT || vals[i].type == CONVRO_DB_BLOB)
			vals[i].u.p = arena_copy(arena, vals[i].u.p, vals[i].len);
	}
	return vals;
}

static void
meet(struct kit *kit, uint32_t statement)
{
	struct kit_meeting **at = &kit->meetings;

	while (*at != NULL) {
		struct kit_meeting *meeting = *at;

		if (meeting->statement == statement) {
			*at = meeting->next;
			meeting->function(kit, meeting->arg);
			return;
		}
		at = &meeting->next;
	}
}

static void
note(struct kit *kit, const struct convro_db_batch *batch)
{
	for (uint32_t i = 0; i < batch->count; i++) {
		struct kit_run *run = kit_alloc(kit, sizeof(*run));

		*run = (struct kit_run){ NULL, batch->statements[i], batch->args[i] };
		*kit->runs_end = run;
		kit->runs_end = &run->next;
		if (i > 0 || kit->trace.len > 0)
			buf_putc(&kit->trace, ' ');
		if (i == 0 && batch->brackets)
			buf_putc(&kit->trace, '[');
		buf_puts(&kit->trace, statement_at(kit, batch->statements[i])->name);
	}
	if (batch->brackets)
		buf_putc(&kit->trace, ']');
}

static void
run_batch(struct kit_job *job)
{
	struct convro_db_batch *batch = (struct convro_db_batch *)(void *)job;
	struct convro_ctx *ctx = batch->ctx;
	struct kit *kit = kit_of(ctx);
	struct arena *arena = arena_new(256);
	struct convro_db_result *results =
	    arena != NULL ? arena_zero(arena, (size_t)batch->count + 1, sizeof(*results)) : NULL;
	enum convro_status status = CONVRO_OK;

	if (results == NULL)
		kit_broken("out of memory");
	note(kit, batch);
	for (uint32_t i = 0; i < batch->count; i++) {
		const struct kit_answer *answer =
		    answer_of(kit, batch->statements[i], batch->args[i]);

		if (status == CONVRO_OK)
			status = answer->status;
		results[i] = (struct convro_db_result){ .size = sizeof(*results),
			.nrows = answer->nrows,
			.ncols = answer->ncols,
			.changed = answer->changed,
			.vals = copy_rows(arena, answer) };
	}
	for (uint32_t i = 0; i < batch->count; i++)
		meet(kit, batch->statements[i]);
	batch->done(ctx, batch->arg, status, status == CONVRO_OK ? results : NULL,
	    status == CONVRO_OK ? batch->count : 0);
	arena_free(arena);
	free(batch->statements);
	free(batch->args);
	free(batch);
	ctx_unref(ctx);
}

/* ---- the table ---- */

static struct convro_db_batch *
make_batch(struct convro_ctx *ctx)
{
	struct convro_db_batch *batch = calloc(1, sizeof(*batch));

	if (batch == NULL)
		kit_broken("out of memory");
	batch->job.run = run_batch;
	batch->ctx = ctx;
	batch->brackets = true;
	ctx_ref(ctx);
	return batch;
}

static void
add(struct convro_db_batch *batch, uint32_t statement, struct convro_db_args args)
{
	struct kit *kit = kit_of(batch->ctx);
	const struct convro_statement *of = statement_at(kit, statement);
	bool lite = of->sql_sqlite != NULL;
	const char *why = rows_check_args(lite ? of->args_sqlite : of->args_pg,
	    !lite && (of->flags & CONVRO_DB_COALESCE) != 0, args);
	size_t size = (size_t)batch->count + 1;

	if (why != NULL)
		kit_broken("%s %s: %s", of->name, why, rows_write(kit, args.vals, args.count));
	batch->statements = realloc(batch->statements, size * sizeof(*batch->statements));
	batch->args = realloc(batch->args, size * sizeof(*batch->args));
	if (batch->statements == NULL || batch->args == NULL)
		kit_broken("out of memory");
	batch->statements[batch->count] = statement;
	batch->args[batch->count++] = rows_write(kit, args.vals, args.count);
}

static void
exec(struct convro_db_batch *batch, convro_db_done *done, void *arg)
{
	batch->done = done;
	batch->arg = arg;
	kit_queue(kit_of(batch->ctx), &batch->job);
}

static void
query(struct convro_ctx *ctx, uint32_t statement, struct convro_db_args args, convro_db_done *done,
    void *arg)
{
	struct convro_db_batch *batch = make_batch(ctx);

	batch->brackets = false;
	add(batch, statement, args);
	exec(batch, done, arg);
}

static void
ping(struct convro_ctx *ctx, convro_db_done *done, void *arg)
{
	struct convro_db_batch *batch = make_batch(ctx);

	batch->brackets = false;
	exec(batch, done, arg);
}

static int64_t
now(struct convro_ctx *ctx)
{
	return kit_of(ctx)->wall_us;
}

static const uint8_t *
permutation_key(struct convro_ctx *ctx)
{
	return kit_of(ctx)->permutation_key;
}

const struct convro_db_table kit_db = {
	.size = sizeof(struct convro_db_table),
	.query = query,
	.batch = make_batch,
	.add = add,
	.exec = exec,
	.ping = ping,
	.now = now,
	.permutation_key = permutation_key,
};
