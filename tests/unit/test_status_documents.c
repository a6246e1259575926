/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Health, page and OpenAPI on the fake core, with a table of routes that has
 * one of everything.
 */
#include "module_kit.h"
#include "status.h"

#include <stdio.h>

static int
never(struct convro_ctx *ctx, void *self)
{
	(void)ctx;
	(void)self;
	return CONVRO_FAILED;
}

static const struct convro_field element[] = {
	{ .name = "keyId", .type = CONVRO_HEX16, .flags = CONVRO_REQUIRED, .aliases = "prekeyId" },
	{ .name = "note", .type = CONVRO_TEXT, .max = 9, .error = "INVALID_NOTE" },
};
static const struct convro_field word[] = { { .type = CONVRO_ID } };
static const struct convro_field fields[] = {
	{ .name = "id", .type = CONVRO_HEX8, .in = CONVRO_PATH, .error = "INVALID_ID" },
	{ .name = "limit",
	    .type = CONVRO_INT,
	    .in = CONVRO_QUERY,
	    .min = 1,
	    .max = 200,
	    .preset = "50" },
	{ .name = "a.b",
	    .type = CONVRO_TEXT,
	    .flags = CONVRO_REQUIRED,
	    .min = 3,
	    .max_bytes = 4096,
	    .chars = "a-z",
	    .error = "INVALID_B",
	    .large = "B_TOO_LARGE",
	    .large_status = 413 },
	{ .name = "offer", .type = CONVRO_OBJECT, .flags = CONVRO_REQUIRED, .max = 16384 },
	{ .name = "offer.version", .type = CONVRO_INT, .min = 1, .max = 1 },
	{ .name = "offer.deep.time", .type = CONVRO_TIME },
	{ .name = "color", .type = CONVRO_CHOICE, .values = "red green blue", .preset = "\"red\"" },
	{ .name = "key", .type = CONVRO_BINARY, .min = 16, .max = 16 },
	{ .name = "number", .type = CONVRO_NUMBER, .flags = CONVRO_LAX, .error = "NEVER" },
	{ .name = "flag", .type = CONVRO_BOOL },
	{ .name = "keys",
	    .type = CONVRO_ARRAY,
	    .min = 1,
	    .max = 5,
	    .error = "INVALID_KEYS",
	    .items = CONVRO_LIST(element) },
	{ .name = "ids", .type = CONVRO_ARRAY, .max = 200, .items = CONVRO_LIST(word) },
};
static const struct convro_answer answers[] = {
	{ 201, "{\"list\":[{\"n\":-1,\"x\":1.5,\"t\":\"a\\\"}b\"},7],\"ok\":true,\"none\":null}",
	    "made" },
	{ 200, "{broken", NULL },
};
static const struct convro_error errors[] = {
	{ 404, "NO_ZOO", "<closed> & \"empty\"" },
	{ 400, "INVALID_B", "told first" },
};

static const struct convro_route zoo[] = {
	{ CONVRO_GET, "/health", CONVRO_PUBLIC, status_health, .group = "Health" },
	{ CONVRO_GET, "/", CONVRO_PUBLIC, status_page, .flags = CONVRO_ROUTE_RAW },
	{ CONVRO_GET, "/openapi.json", CONVRO_PUBLIC, status_openapi, .flags = CONVRO_ROUTE_RAW },
	{ CONVRO_POST, "/v1/zoo/{id}/pet_animals", CONVRO_BEARER, never, .rate = "zoo",
	    .fields = CONVRO_LIST(fields), .answers = CONVRO_LIST(answers),
	    .errors = CONVRO_LIST(errors), .group = "Zoo & Co", .summary = "a <tame> animal" },
	{ CONVRO_DELETE, "/v1/zoo/{id}/pet_animals", CONVRO_BEARER, never,
	    .summary = "of no group" },
	{ CONVRO_GET, "/secret", CONVRO_PUBLIC, never, .flags = CONVRO_ROUTE_HIDDEN },
};

static struct convro_module
with_zoo(void)
{
	struct convro_module module = *convro_module_v1();

	module.routes = (struct convro_list)CONVRO_LIST(zoo);
	return module;
}

static int
start_zoo(void **state)
{
	static struct convro_module module;

	module = with_zoo();
	*state = kit_new(&module);
	assert_int_equal(kit_start(*state), CONVRO_OK);
	return 0;
}

#define ZOO_TEST(function)                                                                         \
	{                                                                                          \
#function, function, start_zoo, stop_module, NULL                                  \
	}

/* The operation's member at `path` below it. */
static const char *
operation(struct kit *kit, const char *path)
{
	char all[256];

	assert_int_equal(kit_get(kit, "/openapi.json"), 200);
	(void)snprintf(all, sizeof(all), "paths./v1/zoo/{id}/pet_animals.post.%s", path);
	return kit_member(kit, all);
}

static const char *
in_body(struct kit *kit, const char *path)
{
	char all[200];

	(void)snprintf(all, sizeof(all), "requestBody.content.application/json.schema.%s", path);
	return operation(kit, all);
}

static void
assert_page_has(struct kit *kit, const char *piece)
{
	assert_int_equal(kit_get(kit, "/"), 200);
	if (strstr(kit_body(kit), piece) == NULL)
		fail_msg("the page lacks %s", piece);
}

/* ---- health ---- */

static void
health_tells_version_and_uptime(void **state)
{
	struct kit *kit = *state;

	kit_advance(kit, 90500);
	assert_int_equal(kit_get(kit, "/health"), 200);
	assert_string_equal(kit_body(kit),
	    "{\"status\":\"ok\",\"db\":\"ok\",\"timestamp\":\"2026-01-31T12:36:26.500Z\","
	    "\"version\":\"0.0.0\",\"uptimeSeconds\":90}");
}

static void
dead_ping(struct convro_ctx *ctx, convro_db_done *done, void *arg)
{
	done(ctx, arg, CONVRO_TIMEOUT, NULL, 0);
}

static void
health_is_degraded_when_the_store_is_silent(void **state)
{
	struct convro_api api = *convro;
	struct convro_db_table db = *api.db;
	const struct convro_api *whole = convro;
	struct kit *kit = *state;

	db.ping = dead_ping;
	api.db = &db;
	convro = &api;
	assert_int_equal(kit_get(kit, "/health"), 503);
	convro = whole;
	assert_string_equal(kit_body(kit),
	    "{\"status\":\"degraded\",\"db\":\"down\",\"timestamp\":\"2026-01-31T12:34:56.000Z\","
	    "\"version\":\"0.0.0\",\"uptimeSeconds\":0}");
}

/* ---- OpenAPI ---- */

static void
nests_dotted_names(void **state)
{
	struct kit *kit = *state;

	assert_string_equal(in_body(kit, "required"), "[\"a\",\"offer\"]");
	assert_string_equal(in_body(kit, "properties.a.required"), "[\"b\"]");
	assert_string_equal(in_body(kit, "properties.a.type"), "object");
	assert_string_equal(in_body(kit, "properties.offer.type"), "object");
	assert_string_equal(
	    in_body(kit, "properties.offer.x-convro-value"), "object, at most 16 KiB");
	assert_string_equal(in_body(kit, "properties.offer.properties.version"),
	    "{\"type\":[\"integer\",\"null\"],\"minimum\":1,\"maximum\":1,"
	    "\"x-convro-value\":\"integer, always 1\",\"x-convro-error\":\"INVALID_BODY\"}");
	assert_string_equal(
	    in_body(kit, "properties.offer.properties.deep.properties.time.format"), "date-time");
}

static void
tells_types_and_bounds(void **state)
{
	struct kit *kit = *state;

	assert_string_equal(in_body(kit, "properties.a.properties.b"),
	    "{\"type\":\"string\",\"minLength\":3,\"x-convro-max-bytes\":4096,"
	    "\"pattern\":\"^[a-z]*$\","
	    "\"x-convro-value\":\"text, at least 3 characters of a-z, at most 4 KiB\","
	    "\"x-convro-error\":\"INVALID_B\",\"x-convro-error-large\":\"B_TOO_LARGE\"}");
	assert_string_equal(
	    in_body(kit, "properties.color.enum"), "[\"red\",\"green\",\"blue\",null]");
	assert_string_equal(in_body(kit, "properties.color.default"), "red");
	assert_string_equal(in_body(kit, "properties.key.minLength"), "22");
	assert_string_equal(in_body(kit, "properties.key.maxLength"), "24");
	assert_string_equal(in_body(kit, "properties.number.x-convro-error"), "");
	assert_string_equal(in_body(kit, "properties.keys.minItems"), "1");
	assert_string_equal(in_body(kit, "properties.keys.items.required"), "[\"keyId\"]");
	assert_string_equal(
	    in_body(kit, "properties.keys.items.properties.keyId.x-convro-error"), "INVALID_KEYS");
	assert_string_equal(
	    in_body(kit, "properties.keys.items.properties.note.x-convro-error"), "INVALID_NOTE");
	assert_string_equal(in_body(kit, "properties.ids.items.type"), "[\"integer\",\"string\"]");
}

static void
makes_parameters_of_path_and_query(void **state)
{
	struct kit *kit = *state;

	assert_string_equal(operation(kit, "parameters.0.name"), "id");
	assert_string_equal(operation(kit, "parameters.0.in"), "path");
	assert_string_equal(operation(kit, "parameters.0.required"), "true");
	assert_string_equal(operation(kit, "parameters.1.schema"),
	    "{\"type\":\"integer\",\"minimum\":1,\"default\":50}");
	assert_string_equal(operation(kit, "operationId"), "postZooIdPetAnimals");
	assert_string_equal(operation(kit, "security"), "[{\"bearer\":[]}]");
}

static void
reads_the_shape_off_an_example(void **state)
{
	struct kit *kit = *state;

	assert_string_equal(operation(kit, "responses.201.content.application/json.schema"),
	    "{\"type\":\"object\",\"properties\":{"
	    "\"list\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
	    "\"n\":{\"type\":[\"integer\",\"null\"]},\"x\":{\"type\":[\"number\",\"null\"]},"
	    "\"t\":{\"type\":[\"string\",\"null\"]}}}},"
	    "\"ok\":{\"type\":[\"boolean\",\"null\"]},\"none\":{}}}");
}

static void
leaves_a_broken_example_out_and_says_so(void **state)
{
	struct kit *kit = *state;

	assert_string_equal(operation(kit, "responses.200"), "{\"description\":\"success\"}");
	assert_true(kit_logged(kit, "POST /v1/zoo/{id}/pet_animals"));
}

static void
groups_errors_by_status(void **state)
{
	struct kit *kit = *state;

#define CODES(status)                                                                              \
	operation(kit, "responses." status ".content.application/json.schema.properties.error.enum")
	assert_string_equal(CODES("400"),
	    "[\"INVALID_B\",\"INVALID_ID\",\"INVALID_QUERY\",\"INVALID_BODY\",\"INVALID_KEYS\","
	    "\"INVALID_NOTE\",\"INVALID_JSON\"]");
	assert_string_equal(CODES("401"), "[\"UNAUTHORIZED\",\"TOKEN_INVALID\",\"TOKEN_EXPIRED\"]");
	assert_string_equal(CODES("404"), "[\"NO_ZOO\"]");
	assert_string_equal(CODES("413"), "[\"B_TOO_LARGE\",\"BODY_TOO_LARGE\"]");
	assert_string_equal(CODES("415"), "[\"UNSUPPORTED_MEDIA_TYPE\"]");
	assert_string_equal(CODES("429"), "[\"RATE_LIMITED\"]");
	assert_string_equal(CODES("500"), "[\"INTERNAL_ERROR\"]");
	assert_string_equal(CODES("503"), "[\"OVERLOADED\",\"DB_UNAVAILABLE\"]");
#undef CODES
}

static void
keeps_methods_of_one_path_together_and_hidden_ones_out(void **state)
{
	struct kit *kit = *state;

	assert_string_equal(operation(kit, "tags"), "[\"Zoo & Co\"]");
	assert_string_equal(
	    kit_member(kit, "paths./v1/zoo/{id}/pet_animals.delete.tags"), "[\"status\"]");
	assert_string_equal(kit_member(kit, "paths./secret"), "");
}

/* ---- the page ---- */

static void
escapes_what_comes_from_the_tables(void **state)
{
	struct kit *kit = *state;

	assert_page_has(kit, "<h3>Zoo &amp; Co</h3>");
	assert_page_has(kit, "a &lt;tame&gt; animal");
	assert_page_has(kit, "&lt;closed&gt; &amp; &quot;empty&quot;");
	assert_page_has(kit, "id=\"post-v1-zoo-id-pet_animals\"");
	assert_null(strstr(kit_body(kit), "/secret"));
	assert_null(strstr(kit_body(kit), "{{"));
}

static void
prints_an_example_indented_with_small_objects_on_one_line(void **state)
{
	struct text out = { 0 };
	const char *json = "{\"a\": {\"b\":[ ],\"c\":-1.5},\"d\":\"x\\\"<\",\"e\":[true,null]}";

	(void)state;
	page_write_json(&out, json, strlen(json));
	text_put(&out, "", 1);
	assert_false(out.failed);
	assert_string_equal(out.data,
	    "{\n  <span class=\"k\">&quot;a&quot;</span>: {\n    <span class=\"k\">&quot;b&quot;</span>: [],"
	    "\n    <span class=\"k\">&quot;c&quot;</span>: <span class=\"n\">-1.5</span>\n  },"
	    "\n  <span class=\"k\">&quot;d&quot;</span>: <span class=\"s\">&quot;x\\&quot;&lt;&quot;</span>,"
	    "\n  <span class=\"k\">&quot;e&quot;</span>: [ <span class=\"n\">true</span>, "
	    "<span class=\"n\">null</span> ]\n}");
	text_free(&out);
}

static void
is_not_there_when_switched_off(void **state)
{
	struct kit *kit = kit_new(convro_module_v1());

	(void)state;
	kit_option(kit, "page", "off");
	kit_option(kit, "openapi", "off");
	assert_int_equal(kit_start(kit), CONVRO_OK);
	assert_int_equal(kit_get(kit, "/"), 404);
	assert_string_equal(kit_error(kit), "NOT_FOUND");
	assert_int_equal(kit_get(kit, "/openapi.json"), 404);
	assert_int_equal(kit_get(kit, "/health"), 200);
	kit_free(kit);
}

static void
does_not_list_the_page_that_is_switched_off(void **state)
{
	struct convro_module module = with_zoo();
	struct kit *kit = kit_new(&module);

	(void)state;
	kit_option(kit, "page", "off");
	assert_int_equal(kit_start(kit), CONVRO_OK);
	assert_int_equal(kit_get(kit, "/openapi.json"), 200);
	assert_string_equal(kit_member(kit, "paths./"), "");
	assert_string_not_equal(kit_member(kit, "paths./health"), "");
	kit_free(kit);
}

static void
asks_to_come_back_when_memory_is_out_and_then_makes_it(void **state)
{
	struct kit *kit = *state;

	kit_memory(kit, 0);
	assert_int_equal(kit_get(kit, "/openapi.json"), 503);
	assert_string_equal(kit_error(kit), "OVERLOADED");
	kit_memory(kit, -1);
	assert_int_equal(kit_get(kit, "/openapi.json"), 200);
	assert_string_equal(kit_member(kit, "openapi"), "3.1.0");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ZOO_TEST(health_tells_version_and_uptime),
		ZOO_TEST(health_is_degraded_when_the_store_is_silent),
		ZOO_TEST(nests_dotted_names),
		ZOO_TEST(tells_types_and_bounds),
		ZOO_TEST(makes_parameters_of_path_and_query),
		ZOO_TEST(reads_the_shape_off_an_example),
		ZOO_TEST(leaves_a_broken_example_out_and_says_so),
		ZOO_TEST(groups_errors_by_status),
		ZOO_TEST(keeps_methods_of_one_path_together_and_hidden_ones_out),
		ZOO_TEST(escapes_what_comes_from_the_tables),
		cmocka_unit_test(prints_an_example_indented_with_small_objects_on_one_line),
		cmocka_unit_test(is_not_there_when_switched_off),
		cmocka_unit_test(does_not_list_the_page_that_is_switched_off),
		ZOO_TEST(asks_to_come_back_when_memory_is_out_and_then_makes_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
