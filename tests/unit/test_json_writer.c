/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json/writer: compact text, right commas, right escapes, equal values.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "json/writer.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static struct buf out;
static struct json_writer writer;

static int
init(void **state)
{
	(void)state;
	buf_init(&out, 0);
	json_writer_init(&writer, &out);
	return 0;
}

static int
fini(void **state)
{
	(void)state;
	buf_fini(&out);
	return 0;
}

static void
wrote(const char *expected)
{
	assert_true(json_done(&writer));
	assert_string_equal(buf_text(&out), expected);
	buf_clear(&out);
	json_writer_init(&writer, &out);
}

static void
writes_every_kind_of_member(void **state)
{
	(void)state;
	json_open_object(&writer, NULL);
	json_put_null(&writer, "null");
	json_put_bool(&writer, "yes", true);
	json_put_bool(&writer, "no", false);
	json_put_int(&writer, "int", INT64_MIN);
	json_put_int_text(&writer, "intText", 123);
	json_put_double(&writer, "double", 1.5);
	json_put_text(&writer, "text", "a");
	json_put_text(&writer, "none", NULL);
	json_put_text_n(&writer, "cut", "abc", 2);
	json_put_bytes(&writer, "bytes", "\xff\xe0", 2);
	json_put_bytes(&writer, "noBytes", NULL, 0);
	json_put_bytes(&writer, "zeroBytes", "", 0);
	json_put_hex16(&writer, "deviceId", 0xab);
	json_put_hex8(&writer, "sessionId", -1);
	json_put_time(&writer, "at", 1000);
	json_put_time_s(&writer, "atS", 1000);
	json_put_raw(&writer, "raw", "[1]", 3);
	json_close_object(&writer);
	wrote("{\"null\":null,\"yes\":true,\"no\":false,\"int\":-9223372036854775808,"
	      "\"intText\":\"123\",\"double\":1.5,\"text\":\"a\",\"none\":null,\"cut\":\"ab\","
	      "\"bytes\":\"/+A=\",\"noBytes\":null,\"zeroBytes\":\"\","
	      "\"deviceId\":\"00000000000000ab\",\"sessionId\":\"ffffffff\","
	      "\"at\":\"1970-01-01T00:00:00.001Z\",\"atS\":\"1970-01-01T00:00:00Z\",\"raw\":[1]}");
}

static void
nests_and_separates(void **state)
{
	(void)state;
	buf_puts(&out, "42");
	json_open_array(&writer, NULL);
	json_put_text(&writer, NULL, "event");
	json_open_object(&writer, NULL);
	json_open_array(&writer, "empty");
	json_close_array(&writer);
	json_open_object(&writer, "inner");
	json_key(&writer, "a\"\n", 3);
	json_put_int(&writer, NULL, 1);
	json_key(&writer, "", 0);
	json_open_array(&writer, NULL);
	json_put_int(&writer, NULL, 1);
	json_put_int(&writer, NULL, 2);
	json_close_array(&writer);
	json_put_int(&writer, "c", 3);
	json_close_object(&writer);
	json_close_object(&writer);
	json_put_null(&writer, NULL);
	json_close_array(&writer);
	wrote("42[\"event\",{\"empty\":[],\"inner\":{\"a\\\"\\n\":1,\"\":[1,2],\"c\":3}},null]");
}

static void
escapes_what_must_be_escaped_and_nothing_else(void **state)
{
	(void)state;
	json_put_text(&writer, NULL, "\"\\/ \b\f\n\r\t\x01\x0b\x1f\x7f");
	wrote("\"\\\"\\\\/ \\b\\f\\n\\r\\t\\u0001\\u000b\\u001f\x7f\"");
	json_put_text_n(&writer, NULL, "a\0b", 3);
	wrote("\"a\\u0000b\"");
	json_put_text(
	    &writer, NULL, "za\xc5\xbc\xc3\xb3\xc5\x82\xc4\x87 \xe2\x82\xac \xf0\x9f\x98\x80");
	wrote("\"za\xc5\xbc\xc3\xb3\xc5\x82\xc4\x87 \xe2\x82\xac \xf0\x9f\x98\x80\"");
	json_put_text(&writer, NULL,
	    "1\xe2\x80\xa8"
	    "2\xe2\x80\xa9"
	    "3\xe2\x80\xa7\xe2\x80\xaa");
	wrote("\"1\\u2028"
	      "2\\u2029"
	      "3\xe2\x80\xa7\xe2\x80\xaa\"");
	json_put_text(&writer, NULL, "");
	wrote("\"\"");
}

/* Every byte at every offset of a word, where the fast path could go wrong. */
static void
escapes_wherever_the_character_is(void **state)
{
	struct arena *arena = arena_new(4096);

	(void)state;
	for (size_t at = 0; at < 24; at++)
		for (int c = 0; c < 128; c++) {
			const struct json_value *value;
			char text[24];
			enum json_status status;

			memset(text, 'x', sizeof text);
			text[at] = (char)c;
			buf_clear(&out);
			json_write_text(&out, text, sizeof text);
			status = json_parse(arena, out.data, out.len, NULL, &value, NULL);
			assert_int_equal(status, c == 0 ? JSON_NUL : JSON_OK);
			assert_int_equal(value->count, sizeof text);
			assert_memory_equal(value->u.text, text, sizeof text);
			arena_reset(arena);
		}
	arena_free(arena);
	buf_clear(&out);
}

static void
writes_the_shortest_double_that_reads_back(void **state)
{
	static const struct {
		double value;
		const char *text;
	} cases[] = { { 0, "0.0" }, { -0.0, "-0.0" }, { 5, "5.0" }, { 0.1, "0.1" },
		{ 1e22, "1e+22" }, { 0x1p63, "9.223372036854776e+18" },
		{ 1.0 / 3, "0.3333333333333333" }, { 123456789012345, "123456789012345.0" },
		{ 1e-7, "1e-07" }, { 0x1.fffffffffffffp1023, "1.797693134862316e+308" } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases - 1; i++) {
		json_put_double(&writer, NULL, cases[i].value);
		wrote(cases[i].text);
	}
	json_put_double(&writer, NULL, 0x1.fffffffffffffp1023);
	wrote("1.7976931348623157e+308");
	json_put_double(&writer, NULL, NAN);
	wrote("null");
	json_put_double(&writer, NULL, -INFINITY);
	wrote("null");
}

static void
gives_back_every_double(void **state)
{
	struct arena *arena = arena_new(4096);
	uint64_t bits = 1;

	(void)state;
	for (int i = 0; i < 50000; i++) {
		const struct json_value *value;
		double real;

		bits = bits * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		memcpy(&real, &bits, sizeof real);
		if (i % 2 == 0)
			real = (double)(int64_t)(bits >> 33) / (double)(1 + i % 1000);
		if (!isfinite(real))
			continue;
		json_put_double(&writer, NULL, real);
		assert_int_equal(json_parse(arena, out.data, out.len, NULL, &value, NULL), JSON_OK);
		assert_int_equal(value->type, JSON_DOUBLE);
		if (memcmp(&value->u.real, &real, sizeof real) != 0)
			fail_msg("%.17g was written as %s", real, buf_text(&out));
		buf_clear(&out);
		json_writer_init(&writer, &out);
		arena_reset(arena);
	}
	arena_free(arena);
}

static void
reproduces_a_parsed_value_in_its_order(void **state)
{
	static const char text[] =
	    " { \"z\" : [ 1 , -0 , 18446744073709551616, 1.50, \"\\u20ac\\/\\u0007\" ], "
	    "\"a\\u0022\" : { } , \"n\" : null, \"t\":true,\"f\":false, \"big\":9223372036854775807 } ";
	struct arena *arena = arena_new(4096);
	const struct json_value *value;

	(void)state;
	assert_int_equal(json_parse(arena, text, sizeof text - 1, NULL, &value, NULL), JSON_OK);
	json_open_object(&writer, NULL);
	json_put_value(&writer, "offer", value);
	json_close_object(&writer);
	wrote("{\"offer\":{\"z\":[1,-0.0,1.8446744073709552e+19,1.5,\"\xe2\x82\xac/\\u0007\"],"
	      "\"a\\\"\":{},\"n\":null,\"t\":true,\"f\":false,\"big\":9223372036854775807}}");
	arena_free(arena);
}

static void
reports_a_failed_buffer_once_at_the_end(void **state)
{
	struct buf small;
	struct json_writer limited;

	(void)state;
	buf_init(&small, 10);
	json_writer_init(&limited, &small);
	json_open_object(&limited, NULL);
	for (int i = 0; i < 10; i++) {
		json_put_text(&limited, "text", "a\nb");
		json_put_bytes(&limited, "bytes", "abc", 3);
		json_put_hex16(&limited, "id", i);
	}
	json_close_object(&limited);
	assert_false(json_done(&limited));
	assert_int_equal(small.len, 0);
	buf_fini(&small);
}

static void
value_without_key(void)
{
	json_open_object(&writer, NULL);
	json_put_int(&writer, NULL, 1);
}

static void
key_in_an_array(void)
{
	json_open_array(&writer, NULL);
	json_put_int(&writer, "a", 1);
}

static void
two_values_at_the_top(void)
{
	json_put_int(&writer, NULL, 1);
	json_put_int(&writer, NULL, 2);
}

static void
wrong_bracket(void)
{
	json_open_array(&writer, NULL);
	json_close_object(&writer);
}

static void
one_bracket_too_many(void)
{
	json_open_array(&writer, NULL);
	json_close_array(&writer);
	json_close_array(&writer);
}

static void
left_open(void)
{
	json_open_array(&writer, NULL);
	(void)json_done(&writer);
}

static void
key_without_value(void)
{
	json_open_object(&writer, NULL);
	json_key(&writer, "a", 1);
	json_close_object(&writer);
}

static void
too_deep(void)
{
	for (int i = 0; i <= JSON_WRITER_DEPTH_MAX; i++)
		json_open_array(&writer, NULL);
}

static void
ends_the_process_when_it_is_misused(void **state)
{
	static void (*const misuses[])(void) = { value_without_key, key_in_an_array,
		two_values_at_the_top, wrong_bracket, one_bracket_too_many, left_open,
		key_without_value, too_deep };

	(void)state;
	for (size_t i = 0; i < sizeof misuses / sizeof *misuses; i++) {
		pid_t child = fork();
		int status;

		assert_true(child >= 0);
		if (child == 0) {
			const struct rlimit none = { 0, 0 };

			(void)setrlimit(RLIMIT_CORE, &none);
			(void)close(STDERR_FILENO);
			misuses[i]();
			_exit(0);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT)
			fail_msg("misuse %zu went unseen", i);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, init, fini)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(writes_every_kind_of_member),
		TEST(nests_and_separates),
		TEST(escapes_what_must_be_escaped_and_nothing_else),
		TEST(escapes_wherever_the_character_is),
		TEST(writes_the_shortest_double_that_reads_back),
		TEST(gives_back_every_double),
		TEST(reproduces_a_parsed_value_in_its_order),
		TEST(reports_a_failed_buffer_once_at_the_end),
		TEST(ends_the_process_when_it_is_misused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
