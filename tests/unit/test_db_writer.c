/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The core's half of the database on a driver that does what it is told: the
 * queue and its bound, deadlines, groups, deferred requests, a store that
 * hangs, memory that is out, the end.
 */
#include "db_store.h"

#include <time.h>

enum { GROUP_MAX = 4 };

/* The driver under orders. */
struct db_state {
	struct db_env env;
	sem_t entered; /* posted when a group begins */
	sem_t go;      /* waited for before it ends */
	bool hold;
	uint32_t sizes[64]; /* of the groups, under test one at a time */
	_Atomic uint32_t groups;
	uint32_t defer_from; /* in the next group, from this place on; 0 = none */
	enum convro_status status;
	bool keep_reads;
	struct db_request *kept;
	_Atomic bool stopped;
};

static void
fake_group(struct db_state *state, struct db_request *const *requests, uint32_t count)
{
	uint32_t number = atomic_load(&state->groups);

	sem_post(&state->entered);
	if (state->hold)
		while (sem_wait(&state->go) != 0)
			continue;
	state->sizes[number] = count;
	for (uint32_t i = 0; i < count; i++) {
		requests[i]->status = state->status;
		requests[i]->deferred = state->defer_from != 0 && i >= state->defer_from;
	}
	state->defer_from = 0;
	atomic_store(&state->groups, number + 1);
}

static void
fake_read(struct db_state *state, uint32_t worker, struct db_request *requests)
{
	(void)worker;
	if (state->keep_reads) {
		state->kept = requests;
		return;
	}
	while (requests != NULL) {
		struct db_request *request = requests;

		requests = request->next;
		request->status = state->status;
		state->env.complete(request);
	}
}

static void
fake_stop(struct db_state *state)
{
	atomic_store(&state->stopped, true);
}

static void
fake_close(struct db_state *state)
{
	(void)state;
}

static const struct db_driver fake = {
	.version = DB_DRIVER_VERSION,
	.engine = "fake",
	.group_max = GROUP_MAX,
	.close = fake_close,
	.read = fake_read,
	.group = fake_group,
	.stop = fake_stop,
};

static void
complete(struct db_request *request)
{
	job_post(job_of(request));
}

struct site {
	struct store store; /* first: what the tests get */
	struct db_state driver;
};

static int
set_up(void **state)
{
	struct site *site = calloc(1, sizeof(*site));
	struct db *db = calloc(1, sizeof(*db));

	assert_non_null(site);
	assert_non_null(db);
	store_init(&site->store, "unused");
	sem_init(&site->driver.entered, 0, 0);
	sem_init(&site->driver.go, 0, 0);
	site->driver.env.complete = complete;
	db->server = &site->store.server;
	db->driver = &fake;
	db->state = &site->driver;
	db->env.queue_max = 16;
	assert_int_equal(statements_build(db), 0);
	db->started = true;
	db->writer = writer_new(db, 16, GROUP_MAX);
	assert_non_null(db->writer);
	site->store.server.db = db;
	store_run_workers(&site->store);
	*state = site;
	return 0;
}

static int
tear_down(void **state)
{
	struct site *site = *state;

	if (site->store.server.db != NULL)
		store_stop(&site->store);
	assert_true(atomic_load(&site->driver.stopped));
	store_fini(&site->store);
	free(site);
	return 0;
}

static struct db_state *
driver_of(struct store *store)
{
	return &((struct site *)store)->driver;
}

static void
entered(struct db_state *driver)
{
	while (sem_wait(&driver->entered) != 0)
		continue;
}

static void
ask_add(struct store *store, uint32_t worker, struct answer *answer)
{
	ask(store, worker, NOTE_ADD, CONVRO_ARGS(text_val("x"), convro_null()), answer);
}

/* The first write is in the driver's hands and stays there until `go`. */
static void
hold_first(struct store *store, struct answer *answer)
{
	driver_of(store)->hold = true;
	ask_add(store, 0, answer);
	entered(driver_of(store));
}

static void
let_go(struct db_state *driver, uint32_t groups)
{
	for (uint32_t i = 0; i < groups; i++)
		sem_post(&driver->go);
}

static void
puts_what_queued_meanwhile_into_the_next_group(void **state)
{
	struct db_state *driver = driver_of(*state);
	struct answer first, queued[3];

	hold_first(*state, &first);
	for (int i = 0; i < 3; i++)
		ask_add(*state, (uint32_t)i % 2, &queued[i]);
	let_go(driver, 2);
	answer_wait(&first);
	for (uint32_t i = 0; i < 3; i++) {
		answer_wait(&queued[i]);
		assert_int_equal(queued[i].group, 2);
		assert_int_equal(queued[i].index, i);
		assert_int_equal(queued[i].worker, i % 2);
	}
	assert_int_equal(first.group, 1);
	assert_int_equal(driver->sizes[0], 1);
	assert_int_equal(driver->sizes[1], 3);
}

static void
never_gives_more_than_the_driver_wants(void **state)
{
	struct db_state *driver = driver_of(*state);
	struct answer first, queued[6];

	hold_first(*state, &first);
	for (int i = 0; i < 6; i++)
		ask_add(*state, 0, &queued[i]);
	let_go(driver, 3);
	for (int i = 0; i < 6; i++)
		answer_wait(&queued[i]);
	answer_wait(&first);
	assert_int_equal(driver->sizes[1], GROUP_MAX);
	assert_int_equal(driver->sizes[2], 2);
	assert_int_equal(queued[4].group, 3);
	assert_int_equal(queued[4].index, 0);
}

static void
says_overload_when_the_queue_is_full(void **state)
{
	struct db_state *driver = driver_of(*state);
	struct answer first, queued[16], over;

	hold_first(*state, &first);
	for (int i = 0; i < 16; i++)
		ask_add(*state, 0, &queued[i]);
	ask_add(*state, 0, &over);
	answer_wait(&over);
	assert_int_equal(over.status, CONVRO_OVERLOAD);
	assert_false(over.during_call);
	assert_int_equal(over.group, 0);
	let_go(driver, 1 + 16 / GROUP_MAX);
	answer_wait(&first);
	for (int i = 0; i < 16; i++) {
		answer_wait(&queued[i]);
		assert_int_equal(queued[i].status, CONVRO_OK);
	}
}

static void
says_timeout_for_what_waited_too_long(void **state)
{
	struct db_state *driver = driver_of(*state);
	struct answer first, late, later;
	const struct timespec wait = { 0, 30000000 };
	struct call call = { .store = *state,
		.answer = &late,
		.statement = NOTE_ADD,
		.args = CONVRO_ARGS(text_val("x"), convro_null()) };

	hold_first(*state, &first);
	answer_init(&late);
	call.deadline_ms = clock_mono_ms() + 10;
	(void)workers_each(call.store->server.workers, 1, call_on_worker, &call);
	ask_add(*state, 0, &later);
	(void)nanosleep(&wait, NULL);
	let_go(driver, 2);
	answer_wait(&late);
	answer_wait(&later);
	answer_wait(&first);
	assert_int_equal(late.status, CONVRO_TIMEOUT);
	assert_int_equal(later.status, CONVRO_OK);
	assert_int_equal(later.index, 0); /* the late one was not begun */
}

static void
does_not_begin_what_is_late_already(void **state)
{
	struct answer answer;
	struct call call = { .store = *state,
		.answer = &answer,
		.statement = NOTE_ADD,
		.args = CONVRO_ARGS(text_val("x"), convro_null()),
		.deadline_ms = 1 };

	answer_init(&answer);
	(void)workers_each(call.store->server.workers, 1, call_on_worker, &call);
	answer_wait(&answer);
	assert_int_equal(answer.status, CONVRO_TIMEOUT);
	assert_false(answer.during_call);
	assert_int_equal(atomic_load(&driver_of(*state)->groups), 0);
}

static void
carries_out_first_what_was_deferred(void **state)
{
	struct db_state *driver = driver_of(*state);
	struct answer first, queued[4];

	hold_first(*state, &first);
	for (int i = 0; i < 4; i++)
		ask_add(*state, (uint32_t)i % 2, &queued[i]);
	let_go(driver, 1);
	entered(driver); /* the second group holds all four */
	driver->defer_from = 2;
	let_go(driver, 2);
	answer_wait(&first);
	for (uint32_t i = 0; i < 4; i++) {
		answer_wait(&queued[i]);
		assert_int_equal(queued[i].group, i < 2 ? 2 : 3);
		assert_int_equal(queued[i].index, i % 2);
	}
}

static void
tells_each_worker_that_a_group_has_ended(void **state)
{
	struct store *store = *state;
	struct answer answers[2];

	for (uint32_t i = 0; i < 2; i++) {
		ask_add(store, i, &answers[i]);
		answer_wait(&answers[i]);
	}
	store_stop(store);
	assert_int_equal(atomic_load(&store->server.workers[0].commits_done), 1);
	assert_int_equal(atomic_load(&store->server.workers[1].commits_posted), 2);
	assert_int_equal(atomic_load(&store->server.workers[1].commits_done), 2);
}

static void
passes_a_failure_on_without_results(void **state)
{
	struct answer answer;

	driver_of(*state)->status = CONVRO_UNKNOWN_OUTCOME;
	ask_add(*state, 0, &answer);
	answer_wait(&answer);
	assert_int_equal(answer.status, CONVRO_UNKNOWN_OUTCOME);
	assert_int_equal(answer.result_count, 0);
	assert_int_equal(answer.group, 0);
}

static int
ping_on_worker(struct worker *worker, void *arg)
{
	struct call *call = arg;
	struct convro_ctx *ctx = ctx_new(worker, &call->store->notes);

	MUST(ctx != NULL);
	db_table.ping(ctx, answered, call->answer);
	ctx_unref(ctx);
	return 0;
}

static void
answers_a_ping_for_a_store_that_hangs(void **state)
{
	struct store *store = *state;
	struct db_state *driver = driver_of(store);
	struct answer answer;
	struct call call = { .store = store, .answer = &answer };

	driver->keep_reads = true;
	answer_init(&answer);
	(void)workers_each(store->server.workers, 1, ping_on_worker, &call);
	answer_wait(&answer);
	assert_int_equal(answer.status, CONVRO_TIMEOUT);
	assert_non_null(driver->kept);
	driver->kept->status = CONVRO_OK;
	complete(driver->kept); /* comes to nobody */
	store_stop(store);
	assert_int_equal(atomic_load(&answer.calls), 1);
}

static void
carries_out_what_is_queued_before_it_ends(void **state)
{
	struct store *store = *state;
	struct db_state *driver = driver_of(store);
	struct answer first, queued[5];

	hold_first(store, &first);
	for (int i = 0; i < 5; i++)
		ask_add(store, 0, &queued[i]);
	let_go(driver, 3);
	store_stop(store);
	assert_int_equal(atomic_load(&first.calls), 1);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(atomic_load(&queued[i].calls), 1);
		assert_int_equal(queued[i].status, CONVRO_OK);
	}
}

static void
says_not_sent_after_the_end(void **state)
{
	struct store *store = *state;
	struct answer after_stop, after_fini;

	db_stop(store->server.db);
	ask_add(store, 0, &after_stop);
	answer_wait(&after_stop);
	assert_int_equal(after_stop.status, CONVRO_NOT_SENT);
	(void)workers_each(store->server.workers, WORKERS, store_fini_worker, store);
	ask(store, 0, NOTE_COUNT, CONVRO_NO_ARGS, &after_fini);
	answer_wait(&after_fini);
	assert_int_equal(after_fini.status, CONVRO_NOT_SENT);
}

#define on_a_fake(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		on_a_fake(puts_what_queued_meanwhile_into_the_next_group),
		on_a_fake(never_gives_more_than_the_driver_wants),
		on_a_fake(says_overload_when_the_queue_is_full),
		on_a_fake(says_timeout_for_what_waited_too_long),
		on_a_fake(does_not_begin_what_is_late_already),
		on_a_fake(carries_out_first_what_was_deferred),
		on_a_fake(tells_each_worker_that_a_group_has_ended),
		on_a_fake(passes_a_failure_on_without_results),
		on_a_fake(answers_a_ping_for_a_store_that_hangs),
		on_a_fake(carries_out_what_is_queued_before_it_ends),
		on_a_fake(says_not_sent_after_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
