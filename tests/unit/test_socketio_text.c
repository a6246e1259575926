/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sticky text of the module: growth, limit, failure, JSON strings.
 */
#include <stdbool.h>
#include <stdlib.h>

static bool no_memory;

static void *
rationed_realloc(void *data, size_t size)
{
	return no_memory ? NULL : realloc(data, size);
}

#define realloc rationed_realloc
/* The module links against nothing of ours, so its code is compiled in. */
#include "../../modules/socketio/base64.c"
#include "../../modules/socketio/text.c"
#undef realloc

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka needs the three above it. */
#include <cmocka.h>

static void
is_written(const struct text *text, const char *expected)
{
	assert_false(text->failed);
	assert_int_equal(text->len, strlen(expected));
	assert_memory_equal(text->data, expected, text->len);
}

static void
grows_as_it_is_written(void **state)
{
	struct text text;

	(void)state;
	text_init(&text, 0);
	for (unsigned i = 0; i < 10000; i++)
		text_putc(&text, (char)('a' + i % 26));
	assert_int_equal(text.len, 10000);
	for (unsigned i = 0; i < 10000; i++)
		assert_int_equal(text.data[i], 'a' + i % 26);
	text_fini(&text);
	assert_null(text.data);
}

static void
gives_room_even_for_nothing(void **state)
{
	struct text text;

	(void)state;
	text_init(&text, 0);
	assert_non_null(text_room(&text, 0));
	text_put(&text, NULL, 0);
	assert_false(text.failed);
	text_fini(&text);
}

static void
keeps_its_limit_and_its_failure(void **state)
{
	struct text text;

	(void)state;
	text_init(&text, 5);
	text_puts(&text, "12345");
	is_written(&text, "12345");
	text_putc(&text, '6');
	assert_true(text.failed);
	assert_int_equal(text.len, 0);
	text_puts(&text, "1"); /* what comes is ignored */
	assert_int_equal(text.len, 0);
	assert_null(text_room(&text, 0));
	text_clear(&text);
	text_puts(&text, "1");
	is_written(&text, "1");
	text_put_base64(&text, "abcd", 4);
	assert_true(text.failed);
	text_fini(&text);
	assert_int_equal(text.limit, 5);
}

static void
says_so_when_memory_is_out(void **state)
{
	struct text text;

	(void)state;
	text_init(&text, 0);
	text_puts(&text, "before");
	no_memory = true;
	for (unsigned i = 0; i < 1000; i++)
		text_putc(&text, 'x');
	assert_true(text.failed);
	text_put_base64(&text, "abcd", 4);
	text_put_uint(&text, 1);
	assert_int_equal(text.len, 0);
	no_memory = false;
	text_fini(&text);
}

static void
writes_numbers(void **state)
{
	struct text text;

	(void)state;
	text_init(&text, 0);
	text_put_uint(&text, 0);
	text_putc(&text, ' ');
	text_put_uint(&text, 1000);
	text_putc(&text, ' ');
	text_put_uint(&text, UINT64_MAX);
	is_written(&text, "0 1000 18446744073709551615");
	text_fini(&text);
}

static void
escapes_json_strings(void **state)
{
	struct text text;

	(void)state;
	text_init(&text, 0);
	text_put_json_string(&text, slice_of(""));
	text_put_json_string(&text, slice_of("plain \xe2\x82\xac / \x7f"));
	is_written(&text, "\"\"\"plain \xe2\x82\xac / \x7f\"");
	text_clear(&text);
	text_put_json_string(&text, (struct slice){ "\"a\\b\n\x1e\0", 7 });
	is_written(&text, "\"\\\"a\\\\b\\u000a\\u001e\\u0000\"");
	text_fini(&text);
}

static void
compares_slices(void **state)
{
	(void)state;
	assert_true(slice_equal(slice_of("ab"), slice_of("ab")));
	assert_true(slice_equal(slice_of(""), (struct slice){ 0 }));
	assert_false(slice_equal(slice_of("ab"), slice_of("ac")));
	assert_false(slice_equal(slice_of("ab"), slice_of("abc")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_as_it_is_written),
		cmocka_unit_test(gives_room_even_for_nothing),
		cmocka_unit_test(keeps_its_limit_and_its_failure),
		cmocka_unit_test(says_so_when_memory_is_out),
		cmocka_unit_test(writes_numbers),
		cmocka_unit_test(escapes_json_strings),
		cmocka_unit_test(compares_slices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
