/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls while memory is out: each still gets its one answer, later and with
 * the reason, and nothing is lost.
 */
#include "failing_alloc.h"

#include "db_store.h"

/* The files under test, with every allocation going through failing_alloc.h. */
#define arena_zero(arena, count, size)                                                             \
	(allocation_fails() ? NULL : (arena_zero)((arena), (count), (size)))
#include "../../core/db/db.c"
#include "../../core/db/job.c"
#include "../../core/db/ping.c"

static void
no_read(struct db_state *state, uint32_t worker, struct db_request *requests)
{
	(void)state;
	(void)worker;
	while (requests != NULL) {
		struct db_request *request = requests;

		requests = request->next;
		request->status = CONVRO_OK;
		job_post(job_of(request));
	}
}

static void
nothing(struct db_state *state)
{
	(void)state;
}

static const struct db_driver fake = {
	.version = DB_DRIVER_VERSION,
	.engine = "fake",
	.group_max = 1,
	.close = nothing,
	.read = no_read,
	.stop = nothing,
};

static int
set_up(void **state)
{
	struct store *store = calloc(1, sizeof(*store));
	struct db *db = calloc(1, sizeof(*db));

	MUST(store != NULL);
	MUST(db != NULL);
	store_init(store, "unused");
	db->server = &store->server;
	db->driver = &fake;
	assert_int_equal(statements_build(db), 0);
	db->started = true;
	store->server.db = db;
	store_run_workers(store);
	*state = store;
	return 0;
}

static int
tear_down(void **state)
{
	struct store *store = *state;

	allocations_left = -1;
	store_stop(store);
	store_fini(store);
	free(store);
	return 0;
}

enum { CALLS = 20 };

struct calls {
	struct store *store;
	struct answer answers[CALLS];
	enum kind { QUERY, PING, BATCH, BATCH_LATER } kind;
};

/* A batch that has no memory from the start, or (later) none for what is added. */
static void
call_batch(struct convro_ctx *ctx, struct calls *calls, int i)
{
	struct convro_db_batch *batch;

	allocations_left = calls->kind == BATCH_LATER ? 1 : 0;
	batch = db_table.batch(ctx);
	assert_non_null(batch);
	db_table.add(batch, NOTE_COUNT, CONVRO_NO_ARGS);
	db_table.add(batch, NOTE_COUNT, CONVRO_NO_ARGS);
	allocations_left = 0;
	db_table.exec(batch, answered, &calls->answers[i]);
}

static int
make_calls(struct worker *worker, void *arg)
{
	struct calls *calls = arg;
	struct convro_ctx *ctx = ctx_new(worker, &calls->store->notes);

	MUST(ctx != NULL);
	allocations_left = 0;
	for (int i = 0; i < CALLS; i++) {
		calls->answers[i].calling = true;
		if (calls->kind == PING)
			db_table.ping(ctx, answered, &calls->answers[i]);
		else if (calls->kind != QUERY)
			call_batch(ctx, calls, i);
		else
			db_table.query(
			    ctx, NOTE_COUNT, CONVRO_NO_ARGS, answered, &calls->answers[i]);
		calls->answers[i].calling = false;
	}
	allocations_left = -1;
	ctx_unref(ctx);
	return 0;
}

static void
expect_bad_news(struct store *store, enum kind kind)
{
	struct calls *calls = calloc(1, sizeof(*calls));

	MUST(calls != NULL);
	calls->store = store;
	calls->kind = kind;
	for (int i = 0; i < CALLS; i++)
		answer_init(&calls->answers[i]);
	(void)workers_each(store->server.workers, 1, make_calls, calls);
	for (int i = 0; i < CALLS; i++) {
		answer_wait(&calls->answers[i]);
		assert_int_equal(calls->answers[i].status, CONVRO_NO_MEMORY);
		assert_false(calls->answers[i].during_call);
	}
	free(calls);
}

static void
answers_each_query_for_which_there_is_no_memory(void **state)
{
	/* More rounds than there are jobs in reserve: they come back. */
	for (int round = 0; round < 20; round++)
		expect_bad_news(*state, QUERY);
}

static void
answers_each_ping_for_which_there_is_no_memory(void **state)
{
	expect_bad_news(*state, PING);
}

static void
answers_each_batch_for_which_there_is_no_memory(void **state)
{
	expect_bad_news(*state, BATCH);
	expect_bad_news(*state, BATCH_LATER);
}

static void
goes_on_when_there_is_memory_again(void **state)
{
	struct answer answer;

	expect_bad_news(*state, QUERY);
	assert_int_equal(run(*state, NOTE_COUNT, CONVRO_NO_ARGS, &answer), CONVRO_OK);
}

#define on_a_fake(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		on_a_fake(answers_each_query_for_which_there_is_no_memory),
		on_a_fake(answers_each_ping_for_which_there_is_no_memory),
		on_a_fake(answers_each_batch_for_which_there_is_no_memory),
		on_a_fake(goes_on_when_there_is_memory_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
