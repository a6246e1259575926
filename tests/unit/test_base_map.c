/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/map: bytes or numbers to pointers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "failing_alloc.h"

#include "base/map.c"

#include <stdio.h>

struct thing {
	char name[16];
	unsigned number;
};

static struct thing *
thing_new(unsigned number)
{
	struct thing *thing = (malloc)(sizeof *thing);

	if (thing == NULL)
		abort();
	(void)snprintf(thing->name, sizeof thing->name, "thing %u", number);
	thing->number = number;
	return thing;
}

static void
finds_what_was_put_and_nothing_else(void **state)
{
	struct map map;
	int a, b;

	(void)state;
	map_init(&map);
	assert_null(map_get(&map, "a", 1));
	assert_null(map_remove(&map, "a", 1));
	assert_int_equal(map_put(&map, "a", 1, &a, NULL), 0);
	assert_int_equal(map_put(&map, "ab", 2, &b, NULL), 0);
	assert_int_equal(map.count, 2);
	assert_ptr_equal(map_get(&map, "a", 1), &a);
	assert_ptr_equal(map_get(&map, "ab", 2), &b);
	assert_null(map_get(&map, "b", 1));
	assert_null(map_get(&map, NULL, 0));
	assert_ptr_equal(map_remove(&map, "a", 1), &a);
	assert_null(map_get(&map, "a", 1));
	assert_ptr_equal(map_get(&map, "ab", 2), &b);
	assert_int_equal(map.count, 1);
	map_fini(&map);
}

static void
replaces_the_value_of_an_equal_key(void **state)
{
	struct map map;
	void *old = &map;
	int a, b;

	(void)state;
	map_init(&map);
	assert_int_equal(map_put(&map, "key", 3, &a, &old), 0);
	assert_null(old);
	assert_int_equal(map_put(&map, "key", 3, &b, &old), 0);
	assert_ptr_equal(old, &a);
	assert_int_equal(map.count, 1);
	assert_ptr_equal(map_get(&map, "key", 3), &b);
	map_fini(&map);
}

static void
tells_numbers_from_the_same_bytes(void **state)
{
	const uint64_t number = UINT64_C(0x4141414141414141);
	struct map map;
	int a, b;

	(void)state;
	map_init(&map);
	assert_int_equal(map_put_u64(&map, number, &a, NULL), 0);
	assert_null(map_get(&map, "AAAAAAAA", 8));
	assert_int_equal(map_put(&map, "AAAAAAAA", 8, &b, NULL), 0);
	assert_ptr_equal(map_get_u64(&map, number), &a);
	assert_ptr_equal(map_get(&map, "AAAAAAAA", 8), &b);
	assert_ptr_equal(map_remove_u64(&map, number), &a);
	assert_null(map_get_u64(&map, number));
	assert_ptr_equal(map_get(&map, "AAAAAAAA", 8), &b);
	map_fini(&map);
}

/* Random puts and removals beside a plain array. */
static void
agrees_with_an_array_through_a_long_life(void **state)
{
	static int marks[512];
	void *expected[512] = { NULL };
	size_t count = 0;
	uint32_t seed = 1;
	struct map map;

	(void)state;
	map_init(&map);
	for (int step = 0; step < 60000; step++) {
		unsigned range = step / 10000 % 2 == 0 ? 512 : 24;
		uint32_t number, dice;

		seed = seed * 1664525 + 1013904223;
		number = (seed >> 8) % range;
		dice = seed >> 28;
		if (dice < 7) {
			void *old;

			assert_int_equal(map_put_u64(&map, number, &marks[dice], &old), 0);
			assert_ptr_equal(old, expected[number]);
			count += old == NULL;
			expected[number] = &marks[dice];
		} else if (dice < 14) {
			assert_ptr_equal(map_remove_u64(&map, number), expected[number]);
			count -= expected[number] != NULL;
			expected[number] = NULL;
		} else {
			assert_ptr_equal(map_get_u64(&map, number), expected[number]);
		}
		assert_int_equal(map.count, count);
	}
	for (unsigned i = 0; i < 512; i++)
		assert_ptr_equal(map_get_u64(&map, i), expected[i]);
	map_fini(&map);
}

static void
walks_every_value_once(void **state)
{
	struct map map;
	unsigned char seen[1000] = { 0 };
	const struct thing *thing;
	size_t cursor = 0, count = 0;

	(void)state;
	map_init(&map);
	assert_null(map_next(&map, &cursor));
	for (unsigned i = 0; i < 1000; i++) {
		struct thing *added = thing_new(i);

		assert_int_equal(map_put(&map, added->name, strlen(added->name), added, NULL), 0);
	}
	cursor = 0;
	while ((thing = map_next(&map, &cursor)) != NULL) {
		assert_int_equal(seen[thing->number]++, 0);
		count++;
	}
	assert_int_equal(count, 1000);
	for (unsigned i = 0; i < 1000; i++) {
		char name[16];
		int len = snprintf(name, sizeof name, "thing %u", i);

		free(map_remove(&map, name, (size_t)len));
	}
	assert_int_equal(map.count, 0);
	map_fini(&map);
}

static bool
free_if_odd(void *value, void *arg)
{
	struct thing *thing = value;
	size_t *asked = arg;

	(*asked)++;
	if (thing->number % 2 == 0)
		return false;
	free(thing);
	return true;
}

static bool
free_all(void *value, void *arg)
{
	(void)arg;
	free(value);
	return true;
}

static void
removes_what_a_predicate_names_and_keeps_the_rest(void **state)
{
	(void)state;
	/* Many tables, so that chains cross the end of the table too. */
	for (unsigned size = 1; size < 200; size++) {
		struct map map;
		size_t asked = 0;

		map_init(&map);
		for (unsigned i = 0; i < size; i++) {
			struct thing *added = thing_new(i);

			assert_int_equal(
			    map_put(&map, added->name, strlen(added->name), added, NULL), 0);
		}
		assert_int_equal(map_remove_if(&map, free_if_odd, &asked), size / 2);
		assert_true(asked >= size);
		assert_int_equal(map.count, size - size / 2);
		for (unsigned i = 0; i < size; i++) {
			char name[16];
			int len = snprintf(name, sizeof name, "thing %u", i);

			assert_int_equal(map_get(&map, name, (size_t)len) != NULL, i % 2 == 0);
		}
		assert_int_equal(map_remove_if(&map, free_all, NULL), size - size / 2);
		assert_int_equal(map.count, 0);
		map_fini(&map);
	}
}

static void
gives_memory_back_when_the_crowd_has_left(void **state)
{
	struct map map;
	int value;
	size_t largest;

	(void)state;
	map_init(&map);
	for (uint64_t i = 0; i < 10000; i++)
		assert_int_equal(map_put_u64(&map, i, &value, NULL), 0);
	largest = map.size;
	for (uint64_t i = 0; i < 9990; i++)
		assert_ptr_equal(map_remove_u64(&map, i), &value);
	assert_true(map.size < largest / 50);
	for (uint64_t i = 9990; i < 10000; i++)
		assert_ptr_equal(map_get_u64(&map, i), &value);
	map_fini(&map);
}

static void
stays_as_it_is_when_memory_is_out(void **state)
{
	struct map map;
	int value;
	uint64_t stored = 0;

	(void)state;
	map_init(&map);
	allocations_left = 0;
	assert_int_equal(map_put_u64(&map, 1, &value, NULL), -1);
	assert_int_equal(map.count, 0);
	allocations_left = 1;
	while (map_put_u64(&map, stored, &value, NULL) == 0)
		stored++;
	assert_int_equal(stored, 12);
	for (uint64_t i = 0; i < stored; i++)
		assert_ptr_equal(map_get_u64(&map, i), &value);
	allocations_left = -1;
	for (; stored < 500; stored++)
		assert_int_equal(map_put_u64(&map, stored, &value, NULL), 0);

	/* Shrinking may fail without anybody noticing. */
	allocations_left = 0;
	for (uint64_t i = 0; i < stored; i++)
		assert_ptr_equal(map_remove_u64(&map, i), &value);
	allocations_left = -1;
	map_fini(&map);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_was_put_and_nothing_else),
		cmocka_unit_test(replaces_the_value_of_an_equal_key),
		cmocka_unit_test(tells_numbers_from_the_same_bytes),
		cmocka_unit_test(agrees_with_an_array_through_a_long_life),
		cmocka_unit_test(walks_every_value_once),
		cmocka_unit_test(removes_what_a_predicate_names_and_keeps_the_rest),
		cmocka_unit_test(gives_memory_back_when_the_crowd_has_left),
		cmocka_unit_test(stays_as_it_is_when_memory_is_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
