/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many writes at once from several workers: fewer commits than writes, and an
 * order of completions that is the order of the ids.
 */
#include "db_store.h"

enum { MANY = 400, OUTSTANDING = 8 };

struct stream {
	struct store *store;
	uint32_t asked, answered, conflicts, mistakes;
	uint64_t last_group;
	uint32_t last_index;
	uint64_t groups; /* distinct ones seen */
	int64_t ids[MANY];
	uint64_t group_of[MANY];
	uint32_t index_of[MANY];
	sem_t *done;
};

static void stream_next(struct convro_ctx *ctx, struct stream *stream);

static void
stream_answered(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t count)
{
	struct stream *stream = arg;

	if (status == CONVRO_OK) {
		bool later = ctx->commit_group > stream->last_group ||
			     (ctx->commit_group == stream->last_group &&
				 ctx->commit_index > stream->last_index);

		if (!later || count != 1)
			stream->mistakes++;
		if (ctx->commit_group != stream->last_group)
			stream->groups++;
		stream->last_group = ctx->commit_group;
		stream->last_index = ctx->commit_index;
		stream->group_of[stream->answered] = ctx->commit_group;
		stream->index_of[stream->answered] = ctx->commit_index;
		stream->ids[stream->answered] = convro_at(&results[0], 0, 0)->u.i;
	} else if (status == CONVRO_CONFLICT) {
		stream->conflicts++;
		stream->ids[stream->answered] = 0;
	} else {
		stream->mistakes++;
	}
	stream->answered++;
	if (stream->asked < MANY)
		stream_next(ctx, stream);
	if (stream->answered == MANY)
		sem_post(stream->done);
}

static void
stream_next(struct convro_ctx *ctx, struct stream *stream)
{
	uint32_t number = stream->asked++;
	char name[32];

	/* Every tenth is one that is there already. */
	(void)snprintf(name, sizeof(name), "%u of %u", number % 10 == 9 ? number - 1 : number,
	    ctx->worker->index);
	db_table.query(
	    ctx, NOTE_ADD, CONVRO_ARGS(text_val(name), convro_null()), stream_answered, stream);
}

static int
stream_begin(struct worker *worker, void *arg)
{
	struct stream *stream = (struct stream *)arg + worker->index;
	struct convro_ctx *ctx = ctx_new(worker, &stream->store->notes);

	MUST(ctx != NULL);
	for (uint32_t i = 0; i < OUTSTANDING; i++)
		stream_next(ctx, stream);
	ctx_unref(ctx);
	return 0;
}

static void
commits_in_groups_whose_order_is_that_of_the_ids(void **state)
{
	struct store *store = *state;
	struct stream *streams = calloc(WORKERS, sizeof(*streams));
	sem_t done;

	assert_non_null(streams);
	sem_init(&done, 0, 0);
	for (uint32_t i = 0; i < WORKERS; i++)
		streams[i] = (struct stream){ .store = store, .done = &done };
	(void)workers_each(store->server.workers, WORKERS, stream_begin, streams);
	for (uint32_t i = 0; i < WORKERS; i++)
		while (sem_wait(&done) != 0)
			continue;
	assert_int_equal(count_notes(store), (int64_t)WORKERS * MANY * 9 / 10);
	for (uint32_t w = 0; w < WORKERS; w++) {
		const struct stream *stream = &streams[w];
		int64_t last = 0;

		assert_int_equal(stream->mistakes, 0);
		assert_int_equal(stream->conflicts, MANY / 10);
		assert_true(stream->groups < MANY * 9 / 10); /* fewer commits than writes */
		for (uint32_t i = 0; i < MANY; i++) {
			if (stream->ids[i] == 0)
				continue;
			assert_true(stream->ids[i] > last);
			last = stream->ids[i];
		}
	}
	/* Across workers too: a greater (group, index) has a greater id. */
	for (uint32_t i = 0; i < MANY; i++) {
		for (uint32_t j = 0; j < MANY; j++) {
			const struct stream *a = &streams[0], *b = &streams[1];

			if (a->ids[i] == 0 || b->ids[j] == 0)
				continue;
			assert_true(
			    (a->ids[i] < b->ids[j]) == (a->group_of[i] < b->group_of[j] ||
							   (a->group_of[i] == b->group_of[j] &&
							       a->index_of[i] < b->index_of[j])));
		}
	}
	free(streams);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		on_a_store(commits_in_groups_whose_order_is_that_of_the_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
