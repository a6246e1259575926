/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rooms and the hash table under them.
 */
#include <stdbool.h>
#include <stdlib.h>

static unsigned left = 1000000; /* allocations that still succeed */

static bool
is_refused(void)
{
	if (left == 0)
		return true;
	left--;
	return false;
}

static void *
rationed_malloc(size_t size)
{
	return is_refused() ? NULL : malloc(size);
}

static void *
rationed_calloc(size_t count, size_t size)
{
	return is_refused() ? NULL : calloc(count, size);
}

#define malloc rationed_malloc
#define calloc rationed_calloc
/* The module links against nothing of ours, so its code is compiled in. */
#include "../../modules/socketio/room.c"
#include "../../modules/socketio/table.c"
#undef malloc
#undef calloc

#include <stdio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka needs the three above it. */
#include <cmocka.h>

const struct convro_api *convro; /* not asked: no pools */

#define PEOPLE 3000

struct person {
	struct room_member *stays;
	unsigned visits;
};

static struct rooms rooms;
static _Atomic uint32_t presence[PRESENCE_SLOTS];
static struct person people[PEOPLE];

static int
setup(void **state)
{
	(void)state;
	left = 1000000;
	for (size_t i = 0; i < PEOPLE; i++) {
		people[i].stays = NULL;
		people[i].visits = 0;
	}
	return rooms_init(&rooms, presence, NULL) ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < PEOPLE; i++)
		rooms_leave_all(&rooms, &people[i].stays);
	rooms_fini(&rooms);
	return 0;
}

static bool
join(size_t person, const char *room)
{
	return rooms_join(&rooms, slice_of(room), &people[person].stays, &people[person]);
}

static void
count(void *who, void *arg)
{
	unsigned *total = arg;

	((struct person *)who)->visits++;
	(*total)++;
}

static unsigned
visit(const char *room)
{
	unsigned total = 0;

	rooms_each(&rooms, slice_of(room), count, &total);
	return total;
}

static void
visits_the_members_of_one_room_only(void **state)
{
	(void)state;
	assert_int_equal(visit("a"), 0);
	assert_true(join(0, "a"));
	assert_true(join(1, "a"));
	assert_true(join(1, "b"));
	assert_int_equal(visit("a"), 2);
	assert_int_equal(visit("b"), 1);
	assert_int_equal(visit(""), 0);
	assert_int_equal(people[0].visits, 1);
	assert_int_equal(people[1].visits, 2);
}

static void
a_second_join_changes_nothing(void **state)
{
	(void)state;
	assert_true(join(0, "a"));
	assert_true(join(0, "a"));
	assert_int_equal(visit("a"), 1);
	rooms_leave(&rooms, slice_of("a"), &people[0].stays);
	assert_int_equal(visit("a"), 0);
}

static void
leaves_one_room_or_all(void **state)
{
	(void)state;
	assert_true(join(0, "a"));
	assert_true(join(0, "b"));
	assert_true(join(0, "c"));
	rooms_leave(&rooms, slice_of("b"), &people[0].stays);
	rooms_leave(&rooms, slice_of("never"), &people[0].stays);
	assert_int_equal(visit("a") + visit("c"), 2);
	assert_int_equal(visit("b"), 0);
	rooms_leave_all(&rooms, &people[0].stays);
	assert_int_equal(visit("a") + visit("c"), 0);
	assert_null(people[0].stays);
}

static void
a_room_ends_with_its_last_member(void **state)
{
	(void)state;
	assert_true(join(0, "a"));
	assert_true(join(1, "a"));
	assert_int_equal(rooms.table.count, 1);
	rooms_leave_all(&rooms, &people[0].stays);
	assert_int_equal(rooms.table.count, 1);
	rooms_leave_all(&rooms, &people[1].stays);
	assert_int_equal(rooms.table.count, 0);
}

static void
leave(void *who, void *arg)
{
	unsigned *total = arg;

	rooms_leave_all(&rooms, &((struct person *)who)->stays);
	(*total)++;
}

static void
a_member_may_leave_while_it_is_visited(void **state)
{
	unsigned total = 0;

	(void)state;
	for (size_t i = 0; i < 5; i++)
		assert_true(join(i, "a"));
	rooms_each(&rooms, slice_of("a"), leave, &total);
	assert_int_equal(total, 5);
	assert_int_equal(rooms.table.count, 0);
}

static void
leave_both(void *who, void *arg)
{
	(void)who;
	(*(unsigned *)arg)++;
	rooms_leave_all(&rooms, &people[0].stays);
	rooms_leave_all(&rooms, &people[1].stays);
}

static void
another_member_may_leave_while_one_is_visited(void **state)
{
	unsigned total = 0;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_true(join(i, "a"));
	rooms_each(&rooms, slice_of("a"), leave_both, &total);
	assert_int_equal(total, 2); /* the first and the third */
	assert_int_equal(visit("a"), 1);
}

static void
counts_a_room_once_however_many_are_in(void **state)
{
	_Atomic uint32_t *count = rooms_presence(&rooms, slice_of("a"));

	(void)state;
	assert_int_equal(*count, 0);
	assert_true(join(0, "a"));
	assert_true(join(1, "a"));
	assert_int_equal(*count, 1);
	rooms_leave_all(&rooms, &people[0].stays);
	assert_int_equal(*count, 1);
	rooms_leave(&rooms, slice_of("a"), &people[1].stays);
	assert_int_equal(*count, 0);
}

static void
holds_many_rooms_and_gives_their_memory_back(void **state)
{
	char name[32];

	(void)state;
	for (size_t i = 0; i < PEOPLE; i++) {
		snprintf(name, sizeof(name), "device:%016zx", i);
		assert_true(join(i, name));
	}
	assert_int_equal(rooms.table.count, PEOPLE);
	assert_true(rooms.table.bucket_count >= PEOPLE / 2);
	for (size_t i = 0; i < PEOPLE; i++) {
		snprintf(name, sizeof(name), "device:%016zx", i);
		assert_int_equal(visit(name), 1);
		assert_int_equal(people[i].visits, 1);
	}
	for (size_t i = 0; i < PEOPLE; i++)
		rooms_leave_all(&rooms, &people[i].stays);
	assert_int_equal(rooms.table.bucket_count, FIRST_BUCKETS);
}

static void
says_so_when_memory_is_out(void **state)
{
	unsigned needed = 0;

	(void)state;
	for (;; needed++) {
		left = needed;
		if (join(0, "a"))
			break;
		assert_null(people[0].stays);
		assert_int_equal(rooms.table.count, 0);
	}
	assert_int_equal(needed, 3); /* the third try found buckets but no member */
	left = 0;
	assert_false(join(1, "a"));
	assert_false(join(1, "b"));
	assert_int_equal(visit("a"), 1);
}

static void
hashes_as_the_reference_does(void **state)
{
	struct table table = { .key = {
				   UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908) } };
	const char bytes[] = "\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16";

	(void)state;
	/* SipHash-2-4 of the paper's appendix A, and of no bytes. */
	assert_true(
	    table_hash(&table, (struct slice){ bytes, 15 }) == UINT64_C(0xa129ca6149be45e5));
	assert_true(table_hash(&table, (struct slice){ bytes, 0 }) == UINT64_C(0x726fdb47dd0e0e31));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    visits_the_members_of_one_room_only, setup, teardown),
		cmocka_unit_test_setup_teardown(a_second_join_changes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(leaves_one_room_or_all, setup, teardown),
		cmocka_unit_test_setup_teardown(a_room_ends_with_its_last_member, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_member_may_leave_while_it_is_visited, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    another_member_may_leave_while_one_is_visited, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    counts_a_room_once_however_many_are_in, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    holds_many_rooms_and_gives_their_memory_back, setup, teardown),
		cmocka_unit_test_setup_teardown(says_so_when_memory_is_out, setup, teardown),
		cmocka_unit_test(hashes_as_the_reference_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
