/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/buf: the sticky buffer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "failing_alloc.h"

#include "base/buf.c"

static void
collects_what_is_written(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 0);
	assert_string_equal(buf_text(&buf), "");
	buf_puts(&buf, "a");
	buf_put(&buf, "bcd", 2);
	buf_put(&buf, NULL, 0);
	buf_putc(&buf, '-');
	buf_put_int(&buf, INT64_MIN);
	buf_printf(&buf, "|%s|%d", "x", 7);
	assert_string_equal(buf_text(&buf), "abc--9223372036854775808|x|7");
	assert_int_equal(buf.len, strlen(buf_text(&buf)));
	assert_false(buf.failed);
	buf_fini(&buf);
}

static void
prints_texts_of_any_length(void **state)
{
	char text[2000];
	struct buf buf;

	(void)state;
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	for (int len = 250; len < 262; len++) {
		buf_init(&buf, 0);
		buf_printf(&buf, "%.*s", len, text);
		assert_int_equal(buf.len, len);
		buf_printf(&buf, "%s", text);
		assert_int_equal(buf.len, (size_t)len + 1999);
		assert_int_equal(strlen(buf_text(&buf)), buf.len);
		buf_fini(&buf);
	}
}

static void
grows_by_single_bytes(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 0);
	for (int i = 0; i < 100000; i++)
		buf_putc(&buf, (char)('a' + i % 26));
	assert_int_equal(buf.len, 100000);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(buf.data[i], 'a' + i % 26);
	assert_int_equal(strlen(buf_text(&buf)), 100000);
	buf_fini(&buf);
}

static void
lets_the_caller_fill_the_room(void **state)
{
	struct buf buf;
	char *room;

	(void)state;
	buf_init(&buf, 0);
	room = buf_room(&buf, 1000);
	assert_non_null(room);
	memset(room, 'r', 1000);
	buf_wrote(&buf, 1000);
	assert_int_equal(buf.len, 1000);
	assert_non_null(buf_room(&buf, 0));
	buf_wrote(&buf, 0);
	assert_int_equal(strlen(buf_text(&buf)), 1000);
	buf_fini(&buf);
}

static void
holds_exactly_its_limit_and_not_one_byte_more(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 10);
	buf_puts(&buf, "0123456789");
	assert_false(buf.failed);
	assert_string_equal(buf_text(&buf), "0123456789");
	buf_put(&buf, "", 0);
	assert_false(buf.failed);
	buf_putc(&buf, 'x');
	assert_true(buf.failed);
	assert_int_equal(buf.len, 0);
	assert_string_equal(buf_text(&buf), "");
	buf_fini(&buf);
}

static void
never_allocates_far_beyond_its_limit(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 1000);
	for (int i = 0; i < 1000; i++)
		buf_putc(&buf, 'x');
	assert_false(buf.failed);
	assert_in_range(buf.size, 1001, 1001);
	buf_fini(&buf);
}

static void
ignores_what_comes_after_a_failure_until_cleared(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 4);
	buf_puts(&buf, "12345");
	buf_puts(&buf, "1");
	buf_printf(&buf, "%d", 1);
	buf_put_int(&buf, 1);
	assert_null(buf_room(&buf, 1));
	buf_wrote(&buf, 1);
	assert_true(buf.failed);
	assert_int_equal(buf.len, 0);

	buf_clear(&buf);
	buf_puts(&buf, "1234");
	assert_string_equal(buf_text(&buf), "1234");
	buf_fini(&buf);
}

static void
keeps_its_memory_when_cleared(void **state)
{
	struct buf buf;
	const char *data;

	(void)state;
	buf_init(&buf, 0);
	buf_puts(&buf, "first");
	data = buf.data;
	buf_clear(&buf);
	assert_int_equal(buf.len, 0);
	buf_puts(&buf, "2nd");
	assert_ptr_equal(buf.data, data);
	assert_string_equal(buf_text(&buf), "2nd");
	buf_fini(&buf);
}

static void
fails_when_memory_is_out(void **state)
{
	struct buf buf;

	(void)state;
	for (long n = 0; n < 3; n++) {
		buf_init(&buf, 0);
		allocations_left = n;
		for (int i = 0; i < 5000; i++)
			buf_putc(&buf, 'x');
		allocations_left = -1;
		assert_true(buf.failed);
		assert_null(buf.data);
		buf_fini(&buf);
	}
	buf_init(&buf, 0);
	assert_null(buf_room(&buf, SIZE_MAX));
	assert_true(buf.failed);
	buf_fini(&buf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(collects_what_is_written),
		cmocka_unit_test(prints_texts_of_any_length),
		cmocka_unit_test(grows_by_single_bytes),
		cmocka_unit_test(lets_the_caller_fill_the_room),
		cmocka_unit_test(holds_exactly_its_limit_and_not_one_byte_more),
		cmocka_unit_test(never_allocates_far_beyond_its_limit),
		cmocka_unit_test(ignores_what_comes_after_a_failure_until_cleared),
		cmocka_unit_test(keeps_its_memory_when_cleared),
		cmocka_unit_test(fails_when_memory_is_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
