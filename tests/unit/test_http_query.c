/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Query strings: decoding, and what is refused.
 */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include "http/query.h"

#include <stdio.h>
#include <string.h>

static int
start(void **state)
{
	*state = arena_new(1024);
	return *state == NULL;
}

static int
end(void **state)
{
	arena_free(*state);
	return 0;
}

static void
expect(void **state, const char *text, enum query_status status, uint32_t count)
{
	struct query query;
	enum query_status got = query_parse(*state, text, strlen(text), &query);

	if (got != status || query.count != count)
		fail_msg("%s: %d with %u pairs", text, got, query.count);
}

static void
splits_and_decodes(void **state)
{
	static const char text[] = "a=1&&b=x%20y+z&c&d=&%C3%A9=%2B";
	struct query query;

	assert_int_equal(query_parse(*state, text, strlen(text), &query), QUERY_OK);
	assert_int_equal(query.count, 5);
	assert_string_equal(query_get(&query, "a", 1)->data, "1");
	assert_string_equal(query_get(&query, "b", 1)->data, "x y z");
	assert_int_equal(query_get(&query, "c", 1)->len, 0);
	assert_int_equal(query_get(&query, "d", 1)->len, 0);
	assert_string_equal(query_get(&query, "\xc3\xa9", 2)->data, "+");
	assert_null(query_get(&query, "A", 1));
	assert_null(query_get(&query, "", 0));
}

static void
takes_nothing_for_nothing(void **state)
{
	struct query query;

	expect(state, "", QUERY_OK, 0);
	expect(state, "&", QUERY_OK, 0);
	assert_int_equal(query_parse(*state, NULL, 0, &query), QUERY_OK);
}

static void
refuses_bad_escapes_but_keeps_the_rest(void **state)
{
	expect(state, "a=%", QUERY_INVALID, 1);
	expect(state, "a=%4", QUERY_INVALID, 1);
	expect(state, "a=%zz&b=1", QUERY_INVALID, 2);
	expect(state, "%g0=1", QUERY_INVALID, 0);
	expect(state, "a=%00", QUERY_INVALID, 1);
	expect(state, "a=%ff", QUERY_INVALID, 1);
	expect(state, "a=%41", QUERY_OK, 1);
}

static void
keeps_a_malformed_value_as_it_was_sent(void **state)
{
	static const char text[] = "a=%41%00x&b=%42&c=%zz";
	struct query query;

	assert_int_equal(query_parse(*state, text, strlen(text), &query), QUERY_INVALID);
	assert_string_equal(query_get(&query, "a", 1)->data, "%41%00x");
	assert_int_equal(query_get(&query, "a", 1)->len, 7);
	assert_string_equal(query_get(&query, "b", 1)->data, "B");
	assert_string_equal(query_get(&query, "c", 1)->data, "%zz");
}

static void
refuses_a_name_given_twice(void **state)
{
	expect(state, "a=1&b=2&a=1", QUERY_INVALID, 3);
	expect(state, "a=1&%61=1", QUERY_INVALID, 2);
	expect(state, "a=1&A=1", QUERY_OK, 2);
}

static void
refuses_more_pairs_than_anybody_needs(void **state)
{
	char text[4 * QUERY_PAIRS_MAX + 64] = "";
	size_t at = 0;

	for (int i = 0; i < QUERY_PAIRS_MAX; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%c%x%s", 'a' + i % 26, i / 26,
		    i + 1 < QUERY_PAIRS_MAX ? "&" : "");
	expect(state, text, QUERY_OK, QUERY_PAIRS_MAX);
	memcpy(text + at, "&zz", 4);
	expect(state, text, QUERY_INVALID, QUERY_PAIRS_MAX);
}

static void
decodes_in_place(void **state)
{
	char text[] = "%41+%42";
	size_t len;

	(void)state;
	assert_true(percent_decode(text, 7, false, text, &len));
	assert_int_equal(len, 3);
	assert_memory_equal(text, "A+B", 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(splits_and_decodes),
		cmocka_unit_test(takes_nothing_for_nothing),
		cmocka_unit_test(refuses_bad_escapes_but_keeps_the_rest),
		cmocka_unit_test(keeps_a_malformed_value_as_it_was_sent),
		cmocka_unit_test(refuses_a_name_given_twice),
		cmocka_unit_test(refuses_more_pairs_than_anybody_needs),
		cmocka_unit_test(decodes_in_place),
	};

	return cmocka_run_group_tests(tests, start, end);
}
