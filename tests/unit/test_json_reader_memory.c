/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json/reader when memory runs out: each allocation fails in turn.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "failing_alloc.h"

#include "base/arena.c"
#include "json/reader.c"

#include <stdio.h>

static char text[4000];

/* Escapes, a large object, long numbers, more children than the first stack holds. */
static void
make_text(void)
{
	int len = snprintf(text, sizeof text, "[\"a\\n\",0.%070d1,{\"\\u0061\":[1]}", 0);

	for (int i = 0; i < 40; i++)
		len += snprintf(text + len, sizeof text - (size_t)len, ",%s\"%d\":[%d,{}]",
		    i == 0 ? "{" : "", i, i);
	(void)snprintf(text + len, sizeof text - (size_t)len, "}]");
}

static void
says_no_memory_wherever_it_runs_out(void **state)
{
	enum json_status status = JSON_NO_MEMORY;
	long failures = 0;

	(void)state;
	make_text();
	for (long n = 0; status != JSON_OK; n++) {
		const struct json_value *value;
		struct json_error error = { 0, NULL };
		struct arena *arena = arena_new(16);
		size_t size = 0;

		assert_non_null(arena);
		/* Tiny blocks, so that nearly every piece is an allocation of its own. */
		while (size < 272)
			size += arena_alloc(arena, 16) == NULL ? 0 : 16;
		allocations_left = n;
		status = json_parse(arena, text, strlen(text), NULL, &value, &error);
		allocations_left = -1;
		if (status != JSON_OK) {
			assert_int_equal(status, JSON_NO_MEMORY);
			assert_null(value);
			assert_string_equal(error.message, "out of memory");
			failures++;
		} else {
			assert_int_equal(value->count, 4);
		}
		arena_free(arena);
	}
	assert_true(failures >= 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_no_memory_wherever_it_runs_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
