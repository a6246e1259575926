/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/list: links inside the members.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/list.h"

#include <stdlib.h>

struct thing {
	int number;
	struct list link;
};

/* The numbers of the list, read as decimal digits. */
static int
digits(const struct list *head)
{
	int value = 0;

	LIST_EACH(at, head)
	value = value * 10 + LIST_OF(at, struct thing, link)->number;
	return value;
}

static void
keeps_the_order_of_insertion(void **state)
{
	struct thing things[] = { { .number = 1 }, { .number = 2 }, { .number = 3 },
		{ .number = 4 } };
	struct list head;

	(void)state;
	list_init(&head);
	assert_true(list_is_empty(&head));
	assert_null(list_first(&head));
	assert_null(list_last(&head));
	list_push_back(&head, &things[1].link);
	list_push_back(&head, &things[2].link);
	list_push_front(&head, &things[0].link);
	assert_int_equal(digits(&head), 123);
	list_push_back(&things[1].link, &things[3].link); /* before the second */
	assert_int_equal(digits(&head), 1423);
	assert_false(list_is_empty(&head));
	assert_ptr_equal(list_first(&head), &things[0].link);
	assert_ptr_equal(list_last(&head), &things[2].link);
}

static void
removes_members_wherever_they_are_and_twice_without_harm(void **state)
{
	struct thing things[] = { { .number = 1 }, { .number = 2 }, { .number = 3 } };
	struct list head;

	(void)state;
	list_init(&head);
	for (int i = 0; i < 3; i++)
		list_push_back(&head, &things[i].link);
	list_remove(&things[1].link);
	list_remove(&things[1].link);
	assert_true(list_is_empty(&things[1].link));
	assert_int_equal(digits(&head), 13);
	assert_ptr_equal(list_take_first(&head), &things[0].link);
	assert_ptr_equal(list_take_first(&head), &things[2].link);
	assert_null(list_take_first(&head));
	assert_true(list_is_empty(&head));
}

static void
lets_the_member_at_hand_be_freed(void **state)
{
	struct list head;

	(void)state;
	list_init(&head);
	for (int i = 1; i <= 9; i++) {
		struct thing *thing = malloc(sizeof *thing);

		assert_non_null(thing);
		thing->number = i;
		list_push_back(&head, &thing->link);
	}
	LIST_EACH_SAFE(at, &head)
	{
		struct thing *thing = LIST_OF(at, struct thing, link);

		if (thing->number % 2 == 0) {
			list_remove(at);
			free(thing);
		}
	}
	assert_int_equal(digits(&head), 13579);
	LIST_EACH_SAFE(at, &head)
	free(LIST_OF(at, struct thing, link));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_the_order_of_insertion),
		cmocka_unit_test(removes_members_wherever_they_are_and_twice_without_harm),
		cmocka_unit_test(lets_the_member_at_hand_be_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
