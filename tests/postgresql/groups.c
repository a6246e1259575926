/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups composed by hand: requests that fail alone, locks of others, and a
 * commit in which each has its own rows.
 */
#include "kit.h"

static struct direct *
note_of(struct kit *kit, const char *name)
{
	struct direct *direct = direct_new();

	direct_add(kit, direct, note(kit, NOTE_ADD), CONVRO_ARGS(text_val(name), convro_null()));
	return direct;
}

static void
free_all(struct direct **directs, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		direct_free(directs[i]);
}

static void
commits_a_group_in_one_transaction_in_its_order(void **state)
{
	struct kit *kit = *state;
	enum { COUNT = 100 };
	struct direct *directs[COUNT];

	for (uint32_t i = 0; i < COUNT; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "%u", i);
		directs[i] = note_of(kit, name);
	}
	direct_group(kit, directs, COUNT);
	for (uint32_t i = 0; i < COUNT; i++) {
		assert_int_equal(directs[i]->request.status, CONVRO_OK);
		assert_int_equal(directs[i]->results[0].nrows, 1);
		assert_int_equal(convro_at(&directs[i]->results[0], 0, 0)->u.i, i + 1);
		assert_int_equal(directs[i]->results[0].changed, 1);
	}
	assert_int_equal(look_number(kit, "SELECT count(DISTINCT xmin::text) FROM notes"), 1);
	free_all(directs, COUNT);
}

static void
fails_only_the_request_at_fault(void **state)
{
	struct kit *kit = *state;
	struct direct *directs[6];

	add_note(kit, "taken");
	directs[0] = note_of(kit, "a");
	directs[1] = note_of(kit, "taken");
	directs[2] = note_of(kit, "b");
	directs[3] = note_of(kit, "\xff");
	/* The whole request is undone, not the second half. */
	directs[4] = note_of(kit, "c");
	direct_add(kit, directs[4], note(kit, NOTE_BAD_CHECK), CONVRO_NO_ARGS);
	directs[5] = note_of(kit, "d");
	direct_group(kit, directs, 6);
	assert_int_equal(directs[0]->request.status, CONVRO_OK);
	assert_int_equal(directs[1]->request.status, CONVRO_CONFLICT);
	assert_int_equal(directs[2]->request.status, CONVRO_OK);
	assert_int_equal(directs[3]->request.status, CONVRO_FAILED);
	assert_int_equal(directs[4]->request.status, CONVRO_FAILED);
	assert_int_equal(directs[5]->request.status, CONVRO_OK);
	assert_true(convro_at(&directs[2]->results[0], 0, 0)->u.i >
		    convro_at(&directs[0]->results[0], 0, 0)->u.i);
	assert_int_equal(
	    look_number(kit, "SELECT count(*) FROM notes WHERE name IN ('a', 'b', 'd')"), 3);
	assert_int_equal(count_notes(kit), 4);
	free_all(directs, 6);
}

static void
conflicts_with_an_earlier_request_of_the_same_group(void **state)
{
	struct kit *kit = *state;
	struct direct *directs[] = { note_of(kit, "twin"), note_of(kit, "twin") };

	direct_group(kit, directs, 2);
	assert_int_equal(directs[0]->request.status, CONVRO_OK);
	assert_int_equal(directs[1]->request.status, CONVRO_CONFLICT);
	assert_int_equal(count_notes(kit), 1);
	free_all(directs, 2);
}

static void
has_nothing_left_over_from_a_run_that_was_undone(void **state)
{
	struct kit *kit = *state;
	struct direct *directs[] = { note_of(kit, "first"), note_of(kit, "\xff"),
		note_of(kit, "last") };

	direct_group(kit, directs, 3);
	assert_int_equal(directs[0]->results[0].nrows, 1);
	assert_int_equal(directs[1]->results[0].nrows, 0);
	assert_int_equal(directs[2]->results[0].nrows, 1);
	assert_int_equal(convro_at(&directs[0]->results[0], 0, 0)->u.i,
	    look_number(kit, "SELECT id FROM notes WHERE name = 'first'"));
	assert_int_equal(convro_at(&directs[2]->results[0], 0, 0)->u.i,
	    look_number(kit, "SELECT id FROM notes WHERE name = 'last'"));
	free_all(directs, 3);
}

static void
says_retry_while_others_hold_a_lock_for_long(void **state)
{
	struct kit *kit = *state;
	struct direct *directs[] = { note_of(kit, "kept out") };

	look_do(kit, "BEGIN; LOCK TABLE notes IN EXCLUSIVE MODE");
	direct_group(kit, directs, 1);
	assert_int_equal(directs[0]->request.status, CONVRO_RETRY);
	look_do(kit, "COMMIT");
	add_note(kit, "let in");
	assert_int_equal(count_notes(kit), 1);
	free_all(directs, 1);
}

static void
carries_a_message_of_a_megabyte(void **state)
{
	struct kit *kit = *state;
	enum { SIZE = 1 << 20, COUNT = 8 };
	struct direct *directs[COUNT];
	char *bytes = malloc(SIZE);

	assert_non_null(bytes);
	memset(bytes, 'x', SIZE);
	for (uint32_t i = 0; i < COUNT; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "%u", i);
		directs[i] = direct_new();
		direct_add(kit, directs[i], note(kit, NOTE_ADD),
		    CONVRO_ARGS(text_val(name), convro_blob(bytes, SIZE)));
	}
	direct_group(kit, directs, COUNT);
	for (uint32_t i = 0; i < COUNT; i++)
		assert_int_equal(directs[i]->request.status, CONVRO_OK);
	assert_int_equal(look_number(kit, "SELECT sum(length(body)) FROM notes"), SIZE * COUNT);
	free_all(directs, COUNT);
	free(bytes);
}

static void
drops_a_request_whose_deadline_passed(void **state)
{
	struct kit *kit = *state;
	struct direct *directs[] = { note_of(kit, "late"), note_of(kit, "in time") };

	directs[0]->request.deadline_ms = 1;
	direct_group(kit, directs, 2);
	assert_int_equal(directs[0]->request.status, CONVRO_TIMEOUT);
	assert_int_equal(directs[1]->request.status, CONVRO_OK);
	assert_int_equal(count_notes(kit), 1);
	free_all(directs, 2);
}

const struct CMUnitTest groups_tests[] = {
	on_a_server(commits_a_group_in_one_transaction_in_its_order),
	on_a_server(fails_only_the_request_at_fault),
	on_a_server(conflicts_with_an_earlier_request_of_the_same_group),
	on_a_server(has_nothing_left_over_from_a_run_that_was_undone),
	on_a_server(says_retry_while_others_hold_a_lock_for_long),
	on_a_server(carries_a_message_of_a_megabyte),
	on_a_server(drops_a_request_whose_deadline_passed),
};
const size_t groups_count = sizeof(groups_tests) / sizeof(groups_tests[0]);
