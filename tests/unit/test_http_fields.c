/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Declared fields: each type at its bounds, both spellings, absence, arrays,
 * and the codes of what is refused.
 */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include "http/fields.h"

#include <string.h>

static struct arena *arena;
static struct fields_error error;

static int
start(void **state)
{
	(void)state;
	arena = arena_new(4096);
	return arena == NULL;
}

static int
end(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

/* Reads one field or more from a body (not with a query) or a query.  0, or -1 when it is refused.
 */
static int
read_all(const struct convro_field *fields, uint32_t count, const char *body, const char *query,
    struct convro_value *values)
{
	struct query parsed = { NULL, 0 };
	struct fields_input input = {
		.arena = arena, .fields = fields, .count = count, .query = &parsed
	};
	enum fields_status status;

	memset(values, 0, count * sizeof(*values));
	if (body != NULL)
		assert_int_equal(
		    json_parse(arena, body, strlen(body), NULL, &input.body, NULL), JSON_OK);
	if (query != NULL)
		assert_int_equal(query_parse(arena, query, strlen(query), &parsed), QUERY_OK);
	error = (struct fields_error){ 0 };
	status = fields_read(&input, values, &error);
	assert_int_not_equal(status, FIELDS_NO_MEMORY);
	return status == FIELDS_OK ? 0 : -1;
}

static struct convro_value
take(const struct convro_field *field, const char *body)
{
	struct convro_value value;

	if (read_all(field, 1, body, NULL, &value) != 0)
		fail_msg("refused %s with %s", body, error.code);
	return value;
}

static void
refuse(const struct convro_field *field, const char *body, int status, const char *code)
{
	struct convro_value value;

	if (read_all(field, 1, body, NULL, &value) == 0)
		fail_msg("took %s", body);
	assert_string_equal(error.code, code);
	assert_int_equal(error.status, status);
	assert_string_equal(error.field, field->name);
}

static void
reads_texts(void **state)
{
	const struct convro_field field = { .name = "a",
		.type = CONVRO_TEXT,
		.min = 2,
		.max = 3,
		.max_bytes = 6,
		.error = "SHORT",
		.large = "LONG",
		.large_status = 413 };
	const struct convro_field name = {
		.name = "a", .type = CONVRO_TEXT, .chars = "a-zA-Z0-9_."
	};

	(void)state;
	assert_string_equal(take(&field, "{\"a\":\"\xc3\xa9\xc3\xa9\xc3\xa9\"}").u.text,
	    "\xc3\xa9\xc3\xa9\xc3\xa9");
	refuse(&field, "{\"a\":\"x\"}", 400, "SHORT");
	refuse(&field, "{\"a\":5}", 400, "SHORT");
	refuse(&field, "{\"a\":\"xxxx\"}", 413, "LONG");
	refuse(
	    &field, "{\"a\":\"\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\"}", 413, "LONG"); /* 9 bytes */
	assert_int_equal(take(&field, "{}").type, 0);
	assert_int_equal(take(&field, "{\"a\":null,\"b\":1}").type, 0);
	assert_int_equal(take(&name, "{\"a\":\"aZ0_.\"}").len, 5);
	refuse(&name, "{\"a\":\"a-b\"}", 400, "INVALID_BODY");
	refuse(&name, "{\"a\":false}", 400, "INVALID_BODY");
}

static void
reads_numbers_and_ids(void **state)
{
	const struct convro_field number = { .name = "a", .type = CONVRO_INT, .min = -1, .max = 9 };
	const struct convro_field any = { .name = "a", .type = CONVRO_INT };
	const struct convro_field id = { .name = "a", .type = CONVRO_ID };

	(void)state;
	assert_int_equal(take(&number, "{\"a\":-1}").u.i, -1);
	refuse(&number, "{\"a\":-2}", 400, "INVALID_BODY");
	refuse(&number, "{\"a\":10}", 400, "INVALID_BODY");
	refuse(&number, "{\"a\":1.0}", 400, "INVALID_BODY");
	refuse(&number, "{\"a\":\"1\"}", 400, "INVALID_BODY");
	assert_int_equal(take(&any, "{\"a\":-9223372036854775808}").u.i, INT64_MIN);
	assert_int_equal(take(&id, "{\"a\":\"9007199254740991\"}").u.i, 9007199254740991);
	assert_int_equal(take(&id, "{\"a\":1}").u.i, 1);
	refuse(&id, "{\"a\":0}", 400, "INVALID_BODY");
	refuse(&id, "{\"a\":9007199254740992}", 400, "INVALID_BODY");
	refuse(&id, "{\"a\":\"01\"}", 400, "INVALID_BODY");
	refuse(&id, "{\"a\":\"\"}", 400, "INVALID_BODY");
}

static void
reads_hex_binary_choice_time(void **state)
{
	const struct convro_field hex16 = { .name = "a", .type = CONVRO_HEX16 };
	const struct convro_field hex8 = { .name = "a", .type = CONVRO_HEX8 };
	const struct convro_field bytes = { .name = "a",
		.type = CONVRO_BINARY,
		.min = 1,
		.max = 3,
		.large = "LARGE",
		.large_status = 413 };
	const struct convro_field choice = {
		.name = "a", .type = CONVRO_CHOICE, .values = "unknown ios android"
	};
	const struct convro_field time = { .name = "a", .type = CONVRO_TIME };

	(void)state;
	assert_int_equal(take(&hex16, "{\"a\":\"FFFFFFFFfffffffe\"}").u.i, -2);
	refuse(&hex16, "{\"a\":\"fffffffffffffff\"}", 400, "INVALID_BODY");
	assert_int_equal(take(&hex8, "{\"a\":\"0000000A\"}").u.i, 10);
	refuse(&hex8, "{\"a\":\"0000000g\"}", 400, "INVALID_BODY");
	assert_memory_equal(take(&bytes, "{\"a\":\"-_-_\"}").u.bytes, "\xfb\xff\xbf", 3);
	assert_int_equal(take(&bytes, "{\"a\":\"+/8=\"}").len, 2);
	refuse(&bytes, "{\"a\":\"\"}", 400, "INVALID_BODY");
	refuse(&bytes, "{\"a\":\"AAAAAAAA\"}", 413, "LARGE");
	refuse(&bytes, "{\"a\":\"A\"}", 400, "INVALID_BODY");
	assert_int_equal(take(&choice, "{\"a\":\"unknown\"}").u.i, 0);
	assert_int_equal(take(&choice, "{\"a\":\"android\"}").u.i, 2);
	refuse(&choice, "{\"a\":\"andro\"}", 400, "INVALID_BODY");
	refuse(&choice, "{\"a\":\"ios android\"}", 400, "INVALID_BODY");
	refuse(&choice, "{\"a\":\"\"}", 400, "INVALID_BODY");
	assert_int_equal(take(&time, "{\"a\":\"1970-01-01T00:00:01.5Z\"}").u.i, 1500000);
	refuse(&time, "{\"a\":\"1970-01-01\"}", 400, "INVALID_BODY");
}

static void
reads_convro_numbers_in_every_spelling(void **state)
{
	static const struct convro_field field = {
		.name = "convroNumber", .type = CONVRO_NUMBER, .in = CONVRO_QUERY
	};
	static const char *const good[] = { "convroNumber=+99241772", "convroNumber=%2B99241772",
		"convroNumber=99241772", "convroNumber=%2B99+241+772",
		"convroNumber=+99%20241%20772" };
	static const char *const bad[] = { "convroNumber=", "convroNumber=9924177",
		"convroNumber=98241772", "convroNumber=99241772x", "convroNumber=99-241-772",
		"convroNumber=9%2B9241772", "convroNumber=991234567890123",
		"convroNumber=%2B%2B99241772" };
	struct convro_value value;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(read_all(&field, 1, NULL, good[i], &value), 0);
		assert_string_equal(value.u.text, "241772");
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (read_all(&field, 1, NULL, bad[i], &value) == 0)
			fail_msg("took %s", bad[i]);
		assert_string_equal(error.code, "INVALID_QUERY");
	}
	assert_int_equal(read_all(&field, 1, NULL, "convroNumber=99123456789012", &value), 0);
	assert_int_equal(value.len, 12);
}

static void
takes_a_limit_above_the_maximum_as_the_maximum(void **state)
{
	static const struct convro_field field = {
		.name = "limit", .type = CONVRO_INT, .in = CONVRO_QUERY, .min = 1, .max = 200
	};
	struct convro_value value;

	(void)state;
	assert_int_equal(read_all(&field, 1, NULL, "limit=201", &value), 0);
	assert_int_equal(value.u.i, 200);
	assert_int_equal(read_all(&field, 1, NULL, "limit=99999999999999999999999", &value), 0);
	assert_int_equal(value.u.i, 200);
	assert_int_equal(read_all(&field, 1, NULL, "limit=7", &value), 0);
	assert_int_equal(value.u.i, 7);
	assert_int_equal(read_all(&field, 1, NULL, "limit=0", &value), -1);
	assert_int_equal(read_all(&field, 1, NULL, "limit=-5", &value), -1);
	assert_int_equal(read_all(&field, 1, NULL, "limit=1.5", &value), -1);
	assert_int_equal(read_all(&field, 1, NULL, "limit=", &value), -1);
}

static void
takes_two_spellings_that_mean_the_same(void **state)
{
	static const struct convro_field query = { .name = "sessionId",
		.type = CONVRO_HEX8,
		.in = CONVRO_QUERY,
		.aliases = "session_id" };
	static const struct convro_field body = { .name = "identity.key",
		.type = CONVRO_BINARY,
		.flags = CONVRO_REQUIRED,
		.error = "INVALID_IDENTITY_KEY",
		.aliases = "identity.keyB64u identityKey" };
	struct convro_value value;

	(void)state;
	assert_int_equal(read_all(&query, 1, NULL, "session_id=0000000a", &value), 0);
	assert_int_equal(value.u.i, 10);
	assert_int_equal(
	    read_all(&query, 1, NULL, "session_id=0000000a&sessionId=0000000A", &value), 0);
	assert_int_equal(
	    read_all(&query, 1, NULL, "session_id=0000000a&sessionId=0000000b", &value), -1);
	assert_string_equal(error.code, "INVALID_QUERY");

	assert_int_equal(take(&body, "{\"identity\":{\"key\":\"AAA=\"}}").len, 2);
	assert_int_equal(take(&body, "{\"identityKey\":\"AAA\"}").len, 2);
	assert_int_equal(take(&body, "{\"identity\":null,\"identityKey\":\"AAA\"}").len, 2);
	assert_int_equal(
	    take(&body, "{\"identity\":{\"key\":\"+/8=\",\"keyB64u\":\"-_8\"}}").len, 2);
	refuse(&body, "{\"identity\":{\"key\":\"AAA=\"},\"identityKey\":\"AQA=\"}", 400,
	    "INVALID_IDENTITY_KEY");
	refuse(&body, "{\"identity\":\"AAA=\"}", 400, "INVALID_IDENTITY_KEY");
	refuse(&body, "{\"identity\":{}}", 400, "INVALID_IDENTITY_KEY");
	refuse(&body, "{}", 400, "INVALID_IDENTITY_KEY");
}

static void
takes_false_and_empty_as_absent_where_the_table_says_so(void **state)
{
	const struct convro_field field = { .name = "a",
		.type = CONVRO_TEXT,
		.min = 1,
		.flags = CONVRO_EMPTY_ABSENT | CONVRO_FALSE_ABSENT };
	const struct convro_field option = { .name = "a", .type = CONVRO_BOOL };
	const struct convro_field lax = {
		.name = "a", .type = CONVRO_TIME, .flags = CONVRO_LAX | CONVRO_REQUIRED
	};

	(void)state;
	assert_int_equal(take(&field, "{\"a\":\"\"}").type, 0);
	assert_int_equal(take(&field, "{\"a\":false}").type, 0);
	refuse(&field, "{\"a\":true}", 400, "INVALID_BODY");
	assert_int_equal(take(&option, "{\"a\":false}").type, 0);
	assert_int_equal(take(&option, "{\"a\":true}").u.i, 1);
	refuse(&option, "{\"a\":1}", 400, "INVALID_BODY");
	assert_int_equal(take(&lax, "{\"a\":\"yesterday\"}").wrong, 1);
	assert_int_equal(take(&lax, "{\"a\":\"yesterday\"}").type, 0);
	refuse(&lax, "{}", 400, "INVALID_BODY");
}

static void
reads_arrays_of_objects_and_of_scalars(void **state)
{
	static const struct convro_field items[] = {
		{ .name = "keyId", .type = CONVRO_ID, .flags = CONVRO_REQUIRED, .aliases = "id" },
		{ .name = "label", .type = CONVRO_TEXT, .error = "BAD_LABEL" },
	};
	static const struct convro_field ids[] = { { .type = CONVRO_ID } };
	const struct convro_field objects = { .name = "a",
		.type = CONVRO_ARRAY,
		.max = 2,
		.error = "BAD_KEYS",
		.large = "TOO_MANY",
		.items = CONVRO_LIST(items) };
	const struct convro_field scalars = {
		.name = "a", .type = CONVRO_ARRAY, .min = 1, .items = CONVRO_LIST(ids)
	};
	struct convro_value value;

	(void)state;
	value = take(&objects, "{\"a\":[{\"keyId\":3},{\"id\":\"4\",\"label\":\"x\"}]}");
	assert_int_equal(value.len, 2);
	assert_int_equal(value.u.items[0].u.i, 3);
	assert_int_equal(value.u.items[1].type, 0);
	assert_int_equal(value.u.items[2].u.i, 4);
	assert_string_equal(value.u.items[3].u.text, "x");
	assert_int_equal(take(&objects, "{\"a\":[]}").type, CONVRO_ARRAY);
	refuse(&objects, "{\"a\":[{\"keyId\":1},{}]}", 400, "BAD_KEYS");
	refuse(&objects, "{\"a\":[{\"keyId\":1,\"label\":2}]}", 400, "BAD_LABEL");
	refuse(&objects, "{\"a\":[1]}", 400, "BAD_KEYS");
	refuse(&objects, "{\"a\":{}}", 400, "BAD_KEYS");
	refuse(&objects, "{\"a\":[{},{},{}]}", 400, "TOO_MANY");
	value = take(&scalars, "{\"a\":[1,\"2\"]}");
	assert_int_equal(value.u.items[1].u.i, 2);
	refuse(&scalars, "{\"a\":[]}", 400, "INVALID_BODY");
	refuse(&scalars, "{\"a\":[1,null]}", 400, "INVALID_BODY");
	refuse(&scalars, "{\"a\":[1,0]}", 400, "INVALID_BODY");
}

static void
bounds_objects_by_their_length_as_sent(void **state)
{
	const struct convro_field field = { .name = "a",
		.type = CONVRO_OBJECT,
		.max = 8,
		.large = "TOO_LARGE",
		.large_status = 413 };

	(void)state;
	assert_int_equal(take(&field, "{\"a\": {\"b\": 1}}").len, 8);
	refuse(&field, "{\"a\":{\"b\":  1}}", 413, "TOO_LARGE");
	refuse(&field, "{\"a\":[]}", 400, "INVALID_BODY");
}

static void
answers_for_the_first_field_at_fault(void **state)
{
	static const struct convro_field fields[] = {
		{ .name = "a", .type = CONVRO_INT, .error = "A" },
		{ .name = "b", .type = CONVRO_INT, .error = "B", .flags = CONVRO_REQUIRED },
	};
	struct convro_value values[2];

	(void)state;
	assert_int_equal(read_all(fields, 2, "{\"b\":\"x\",\"a\":\"x\"}", NULL, values), -1);
	assert_string_equal(error.code, "A");
	assert_int_equal(read_all(fields, 2, NULL, NULL, values), -1);
	assert_string_equal(error.code, "B");
}

static void
refuses_unsound_tables(void **state)
{
	static const struct convro_field item[] = { { .type = CONVRO_ID } };
	const struct convro_field bad[] = {
		{ .name = "a", .type = 99 },
		{ .name = "a", .type = CONVRO_CHOICE },
		{ .name = "a", .type = CONVRO_INT, .min = 5, .max = 4 },
		{ .name = "a", .type = CONVRO_ARRAY },
		{ .name = "a", .type = CONVRO_TEXT, .items = CONVRO_LIST(item) },
		{ .name = "a", .type = CONVRO_OBJECT, .in = CONVRO_QUERY },
		{ .name = "a", .type = CONVRO_TEXT, .in = CONVRO_PATH },
		{ .name = "a", .type = CONVRO_TEXT, .in = 9 },
		{ .name = "a", .type = CONVRO_INT, .chars = "a-z" },
		{ .name = NULL, .type = CONVRO_TEXT },
	};
	const struct convro_field twice[] = { { .name = "a", .type = CONVRO_TEXT },
		{ .name = "a", .type = CONVRO_TEXT } };
	const struct convro_field good[] = { { .name = "a", .type = CONVRO_TEXT },
		{ .name = "id", .type = CONVRO_ID, .in = CONVRO_PATH } };
	const char *field;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (fields_check(&bad[i], 1, "/x/{id}", &field) == NULL)
			fail_msg("took number %zu", i);
	assert_non_null(fields_check(twice, 2, "/x", &field));
	assert_string_equal(field, "a");
	assert_null(fields_check(good, 2, "/x/{id}", &field));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_texts),
		cmocka_unit_test(reads_numbers_and_ids),
		cmocka_unit_test(reads_hex_binary_choice_time),
		cmocka_unit_test(reads_convro_numbers_in_every_spelling),
		cmocka_unit_test(takes_a_limit_above_the_maximum_as_the_maximum),
		cmocka_unit_test(takes_two_spellings_that_mean_the_same),
		cmocka_unit_test(takes_false_and_empty_as_absent_where_the_table_says_so),
		cmocka_unit_test(reads_arrays_of_objects_and_of_scalars),
		cmocka_unit_test(bounds_objects_by_their_length_as_sent),
		cmocka_unit_test(answers_for_the_first_field_at_fault),
		cmocka_unit_test(refuses_unsound_tables),
	};

	return cmocka_run_group_tests(tests, start, end);
}
