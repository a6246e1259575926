/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json/reader: what is accepted, what is refused and why, what comes out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "json/reader.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct arena *arena;
static struct json_error error;

/* Parses a copy without a byte behind it, so that reading too far is seen.  Freed by fini. */
static char *copies[64];
static size_t copied;

static enum json_status
parse_n(
    const char *text, size_t len, const struct json_limits *limits, const struct json_value **out)
{
	char *copy = malloc(len > 0 ? len : 1);

	assert_non_null(copy);
	assert_true(copied < sizeof copies / sizeof *copies);
	memcpy(copy, text, len);
	copies[copied++] = copy;
	error = (struct json_error){ SIZE_MAX, NULL };
	return json_parse(arena, copy, len, limits, out, &error);
}

static void
forget(void)
{
	while (copied > 0)
		free(copies[--copied]);
	arena_reset(arena);
}

static int
init(void **state)
{
	(void)state;
	arena = arena_new(1024);
	return arena == NULL ? -1 : 0;
}

static int
fini(void **state)
{
	(void)state;
	forget();
	arena_free(arena);
	return 0;
}

static const struct json_value *
parsed(const char *text)
{
	const struct json_value *value;

	if (parse_n(text, strlen(text), NULL, &value) != JSON_OK)
		fail_msg("%s: %s at %zu", text, error.message, error.offset);
	return value;
}

static void
refused(const char *text, size_t len, enum json_status status)
{
	const struct json_value *value;
	enum json_status got = parse_n(text, len, NULL, &value);

	if (got != status)
		fail_msg("%s: status %d", text, (int)got);
	assert_non_null(error.message);
	assert_true(error.offset <= len);
	if (status != JSON_NUL)
		assert_null(value);
	forget();
}

static void
reads_every_kind_of_value(void **state)
{
	const struct json_value *value =
	    parsed(" { \"a\" : [ null , true , false , -12 , 1.5 , \"x\" ] , \"b\" : {} }\r\n\t");
	const struct json_value *items = json_member(value, "a");

	(void)state;
	assert_int_equal(value->type, JSON_OBJECT);
	assert_int_equal(value->count, 2);
	assert_int_equal(items->type, JSON_ARRAY);
	assert_int_equal(items->count, 6);
	assert_int_equal(json_item(items, 0)->type, JSON_NULL);
	assert_int_equal(json_item(items, 1)->type, JSON_BOOL);
	assert_true(json_item(items, 1)->u.boolean);
	assert_false(json_item(items, 2)->u.boolean);
	assert_int_equal(json_item(items, 3)->type, JSON_INT);
	assert_int_equal(json_item(items, 3)->u.integer, -12);
	assert_int_equal(json_item(items, 4)->type, JSON_DOUBLE);
	assert_true(json_item(items, 4)->u.real >= 1.5 && json_item(items, 4)->u.real <= 1.5);
	assert_true(json_text_is(json_item(items, 5), "x"));
	assert_null(json_item(items, 6));
	assert_int_equal(json_member(value, "b")->count, 0);
	assert_ptr_equal(json_item(value, 1), json_member(value, "b"));
	assert_string_equal(value->u.members[1].name_len == 1 ? "b" : "", "b");
}

static void
gives_each_value_as_it_was_sent(void **state)
{
	const struct json_value *value = parsed(" {\"offer\": { \"x\" : [1,\t2] } , \"n\":1e2}");
	const struct json_value *offer = json_member(value, "offer");

	(void)state;
	assert_int_equal(offer->raw_len, strlen("{ \"x\" : [1,\t2] }"));
	assert_memory_equal(offer->raw, "{ \"x\" : [1,\t2] }", offer->raw_len);
	assert_int_equal(json_member(value, "n")->raw_len, 3);
	assert_int_equal(value->raw_len, strlen("{\"offer\": { \"x\" : [1,\t2] } , \"n\":1e2}"));
}

static void
leaves_a_text_without_escape_in_the_source(void **state)
{
	const struct json_value *value = parsed("[\"plain\", \"esc\\n\", \"\"]");

	(void)state;
	assert_ptr_equal(value->u.items[0].u.text, value->u.items[0].raw + 1);
	assert_ptr_not_equal(value->u.items[1].u.text, value->u.items[1].raw + 1);
	assert_true(json_text_is(&value->u.items[1], "esc\n"));
	assert_int_equal(value->u.items[2].count, 0);
}

static void
decodes_escapes(void **state)
{
	static const struct {
		const char *text, *meaning;
	} cases[] = {
		{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t" },
		{ "\"\\u0041\\u00e9\\u20AC\"", "A\xc3\xa9\xe2\x82\xac" },
		{ "\"\\ud83d\\uDE00\"", "\xf0\x9f\x98\x80" },
		{ "\"\\udbff\\udfff\"", "\xf4\x8f\xbf\xbf" },
		{ "\"\\ud7ff\\ue000\\uffff\"", "\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf" },
		{ "\"a long run of plain text \xc5\xbc, \\u017C, and more of it\"",
		    "a long run of plain text \xc5\xbc, \xc5\xbc, and more of it" },
		{ "\"\x7f\"", "\x7f" },
		{ "\"\\\\u0000\"", "\\u0000" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (!json_text_is(parsed(cases[i].text), cases[i].meaning))
			fail_msg("%s was misread", cases[i].text);
	assert_non_null(json_member(parsed("{\"\\u0061\\tb\":1}"), "a\tb"));
}

static void
tells_integers_from_other_numbers(void **state)
{
	static const struct {
		const char *text;
		int64_t value;
	} integers[] = { { "0", 0 }, { "-1", -1 }, { "9223372036854775807", INT64_MAX },
		{ "-9223372036854775808", INT64_MIN } };
	static const struct {
		const char *text;
		double value;
	} doubles[] = { { "-0", -0.0 }, { "0.0", 0 }, { "1.0", 1 }, { "1e2", 100 }, { "1E+2", 100 },
		{ "25e-1", 2.5 }, { "9223372036854775808", 0x1p63 },
		{ "-9223372036854775809", -0x1p63 }, { "1e-400", 0 }, { "0.1", 0.1 },
		{ "-0.001", -0.001 }, { "123456.789012345", 123456.789012345 },
		{ "1.7976931348623157e308", 0x1.fffffffffffffp1023 }, { "5e-324", 0x1p-1074 },
		{ "2.2250738585072011e-308", 2.2250738585072011e-308 },
		{ "9007199254740993.0", 9007199254740992.0 } };

	(void)state;
	for (size_t i = 0; i < sizeof integers / sizeof *integers; i++) {
		const struct json_value *value = parsed(integers[i].text);

		assert_int_equal(value->type, JSON_INT);
		assert_true(value->u.integer == integers[i].value);
	}
	for (size_t i = 0; i < sizeof doubles / sizeof *doubles; i++) {
		const struct json_value *value = parsed(doubles[i].text);

		assert_int_equal(value->type, JSON_DOUBLE);
		if (memcmp(&value->u.real, &doubles[i].value, sizeof(double)) != 0)
			fail_msg("%s became %.17g", doubles[i].text, value->u.real);
	}
}

static void
reads_numbers_with_very_many_digits(void **state)
{
	static char text[5000];

	(void)state;
	memset(text, '0', sizeof text);
	text[1] = '.';
	text[4000] = '7';
	memcpy(text + 4001, "e4000", 6);
	assert_true(fabs(parsed(text)->u.real - 70) < 1); /* 7 * 10^(4000 - 3999) */
	memset(text, '9', 400);
	text[400] = '\0';
	refused(text, 400, JSON_SYNTAX);
}

static void
refuses_numbers_beyond_double(void **state)
{
	(void)state;
	refused("1e999", 5, JSON_SYNTAX);
	refused("[-1e309]", 8, JSON_SYNTAX);
	assert_string_equal(error.message, "number too large for a double");
	assert_int_equal(error.offset, 1);
}

static void
refuses_what_rfc_8259_does_not_allow(void **state)
{
	static const char *const texts[] = { "", " ", "\xef\xbb\xbf{}", "{", "}", "[", "]", "[1",
		"[1,", "[1,]", "[,1]", "[1 2]", "[1}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}",
		"{\"a\":1]", "{a:1}", "{'a':1}", "{1:1}", "{\"a\":1 \"b\":2}", "{\"a\" 1}",
		"{\"a\":1", "{\"a\"", "{\"a\":", "nul", "nulL", "True", "tru", "truee", "NaN",
		"Infinity", "-Infinity", "-", "-a", "+1", "01", "-01", "00", "1.", ".5", "1.e1",
		"1e", "1e+", "1E-", "0x10", "1a", "1 1", "{} {}", "[]]", "{}x", "//", "/**/1", "\"",
		"\"a", "\"\\", "\"\\\"", "\"\\a\"", "\"\\x41\"", "\"\\u\"", "\"\\u12\"",
		"\"\\u123g\"", "\"\\u 123\"", "\"\\U0041\"", "\"\t\"", "\"\n\"", "\"\x1f\"",
		"\"\\\n\"", "\x0b{}", "\x0c{}", "\xc2\xa0{}", "[1]\xc2\x85", "'a'", "\"a\\" };

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		refused(texts[i], strlen(texts[i]), JSON_SYNTAX);
	refused("1\0", 2, JSON_SYNTAX);
	refused("\"\0\"", 3, JSON_SYNTAX);
	refused("[\0]", 3, JSON_SYNTAX);
}

static void
refuses_invalid_utf8_and_lone_surrogates(void **state)
{
	static const char *const texts[] = { "\"\x80\"", "\"\xc3\"", "\"\xc0\x80\"",
		"\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xe2\x82\"", "\"\xff\"",
		"\"12345678\xfe\"", "\"\\n\xfe\"", "{\"\xfe\":1}", "\"\\ud800\"", "\"\\udc00\"",
		"\"\\ud800x\"", "\"\\ud800\\n\"", "\"\\ud800\\u0041\"", "\"\\ud800\\ud800\"",
		"\"\\udfff\\ud800\"", "{\"\\udbff\":1}", "\"\\ud800\\u\"", "\"\\ud800\\",
		"\"\\ud800" };

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		refused(texts[i], strlen(texts[i]), JSON_SYNTAX);
}

static void
tells_a_nul_from_malformed_text(void **state)
{
	const struct json_value *value;

	(void)state;
	refused("\"\\u0000\"", 8, JSON_NUL);
	refused("{\"a\\u0000\":1}", 13, JSON_NUL);
	refused("[[\"\\u0000\"],1", 13, JSON_SYNTAX);
	refused("{\"a\":\"\\u0000\",\"a\":1}", 20, JSON_SYNTAX);

	assert_int_equal(parse_n("[1,\"a\\u0000b\"]", 14, NULL, &value), JSON_NUL);
	assert_int_equal(error.offset, 5);
	assert_int_equal(value->u.items[1].count, 3);
	assert_memory_equal(value->u.items[1].u.text, "a\0b", 3);
}

static void
refuses_a_duplicate_key_however_it_is_spelt(void **state)
{
	(void)state;
	refused("{\"a\":1,\"a\":2}", 13, JSON_SYNTAX);
	assert_string_equal(error.message, "duplicate key");
	refused("{\"a\":1,\"b\":2,\"\\u0061\":2}", 25, JSON_SYNTAX);
	refused("{\"\":1,\"\":2}", 11, JSON_SYNTAX);
	refused("[{\"x\":{\"k\":1,\"k\":1}}]", 21, JSON_SYNTAX);
	assert_int_equal(parsed("{\"a\":{\"a\":1},\"A\":2,\"aa\":3}")->count, 3);
}

/* Around the sizes where objects get a table. */
static void
finds_members_and_duplicates_in_objects_of_any_size(void **state)
{
	static char text[40000];

	(void)state;
	for (int count = 1; count <= 1200; count += count < 70 ? 1 : 371) {
		const struct json_value *value;
		int len = 0;

		for (int i = 0; i < count; i++)
			len += snprintf(text + len, sizeof text - (size_t)len, "%s\"key %d\":%d",
			    i == 0 ? "{" : ",", i, i);
		(void)snprintf(text + len, sizeof text - (size_t)len, "}");
		value = parsed(text);
		assert_int_equal(value->count, count);
		for (int i = 0; i < count; i++) {
			char name[16];

			(void)snprintf(name, sizeof name, "key %d", i);
			assert_int_equal(json_member(value, name)->u.integer, i);
			assert_memory_equal(value->u.members[i].name, name, strlen(name));
		}
		assert_null(json_member(value, "key"));
		assert_null(json_member(value, ""));
		(void)snprintf(text + len, sizeof text - (size_t)len, ",\"key %d\":0}", count / 2);
		refused(text, strlen(text), JSON_SYNTAX);
	}
}

static void
allows_nesting_up_to_its_limit(void **state)
{
	char text[2 * JSON_DEPTH_MAX + 2];
	const struct json_limits three = { .depth = 3 };
	const struct json_value *value;

	(void)state;
	memset(text, '[', JSON_DEPTH_MAX);
	memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
	assert_int_equal(parse_n(text, 2 * JSON_DEPTH_MAX, NULL, &value), JSON_OK);
	memset(text, '[', JSON_DEPTH_MAX + 1);
	memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
	assert_int_equal(parse_n(text, sizeof text, NULL, &value), JSON_DEPTH);
	assert_int_equal(error.offset, JSON_DEPTH_MAX);

	assert_int_equal(parse_n("[{\"a\":[]},[[]]]", 15, &three, &value), JSON_OK);
	assert_int_equal(parse_n("[[],[{\"a\":[]}]]", 15, &three, &value), JSON_DEPTH);
}

static void
allows_values_up_to_its_limit(void **state)
{
	const struct json_limits four = { .values = 4 };
	const struct json_value *value;

	(void)state;
	assert_int_equal(parse_n("[1,{\"a\":2}]", 11, &four, &value), JSON_OK);
	assert_int_equal(parse_n("[1,{\"a\":2},3]", 13, &four, &value), JSON_TOO_MANY);
	assert_null(value);
	assert_int_equal(error.offset, 11);
}

static void
copes_with_more_children_than_fit_its_first_stack(void **state)
{
	static char text[30000];
	int len = 0;
	const struct json_value *value;

	(void)state;
	for (int i = 0; i < 1000; i++)
		len += snprintf(text + len, sizeof text - (size_t)len, "%s[%d,\"%d\"]",
		    i == 0 ? "[" : ",", i, i);
	(void)snprintf(text + len, sizeof text - (size_t)len, "]");
	value = parsed(text);
	assert_int_equal(value->count, 1000);
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(json_item(json_item(value, i), 0)->u.integer, i);
	text[len] = ',';
	text[len + 1] = '\0';
	refused(text, strlen(text), JSON_SYNTAX);
}

static void
answers_questions_about_nothing(void **state)
{
	const struct json_value *text = parsed("\"a\"");

	(void)state;
	assert_null(json_member(NULL, "a"));
	assert_null(json_member(text, "a"));
	assert_null(json_item(NULL, 0));
	assert_null(json_item(text, 0));
	assert_false(json_text_is(NULL, ""));
	assert_false(json_text_is(parsed("1"), "1"));
	assert_int_equal(json_parse(arena, NULL, 0, NULL, &text, NULL), JSON_SYNTAX);
}

static void
compares_by_value(void **state)
{
	static const struct {
		const char *a, *b;
		int equal;
	} cases[] = {
		{ "null", "null", 1 },
		{ "null", "false", 0 },
		{ "true", "true", 1 },
		{ "true", "false", 0 },
		{ "1", "1", 1 },
		{ "1", "2", 0 },
		{ "1", "1.0", 1 },
		{ "1", "1.5", 0 },
		{ "100", "1e2", 1 },
		{ "1", "\"1\"", 0 },
		{ "0", "-0", 1 },
		{ "0.0", "-0", 1 },
		{ "0.5", "5e-1", 1 },
		{ "9007199254740993", "9007199254740992.0", 0 },
		{ "9223372036854775807", "9223372036854775808", 0 },
		{ "-9223372036854775808", "-9223372036854775808.0", 1 },
		{ "1", "1e300", 0 },
		{ "\"a\\u0062\"", "\"ab\"", 1 },
		{ "\"a\"", "\"b\"", 0 },
		{ "\"\"", "\"\"", 1 },
		{ "[1,2]", "[1,2]", 1 },
		{ "[1,2]", "[2,1]", 0 },
		{ "[1]", "[1,2]", 0 },
		{ "[]", "{}", 0 },
		{ "{\"a\":1,\"b\":[2]}", "{\"b\":[2],\"a\":1}", 1 },
		{ "{\"a\":1}", "{\"b\":1}", 0 },
		{ "{\"a\":1}", "{\"a\":1,\"b\":2}", 0 },
		{ "{\"a\":1}", "{\"a\":2}", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct json_value *a = parsed(cases[i].a), *b = parsed(cases[i].b);

		if (json_equal(a, b) != cases[i].equal || json_equal(b, a) != cases[i].equal)
			fail_msg("%s and %s", cases[i].a, cases[i].b);
		forget();
	}
}

static int
forget_all(void **state)
{
	(void)state;
	forget();
	return 0;
}

#define TEST(f) cmocka_unit_test_teardown(f, forget_all)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_every_kind_of_value),
		TEST(gives_each_value_as_it_was_sent),
		TEST(leaves_a_text_without_escape_in_the_source),
		TEST(decodes_escapes),
		TEST(tells_integers_from_other_numbers),
		TEST(reads_numbers_with_very_many_digits),
		TEST(refuses_numbers_beyond_double),
		TEST(refuses_what_rfc_8259_does_not_allow),
		TEST(refuses_invalid_utf8_and_lone_surrogates),
		TEST(tells_a_nul_from_malformed_text),
		TEST(refuses_a_duplicate_key_however_it_is_spelt),
		TEST(finds_members_and_duplicates_in_objects_of_any_size),
		TEST(allows_nesting_up_to_its_limit),
		TEST(allows_values_up_to_its_limit),
		TEST(copes_with_more_children_than_fit_its_first_stack),
		TEST(answers_questions_about_nothing),
		TEST(compares_by_value),
	};

	return cmocka_run_group_tests(tests, init, fini);
}
