/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client chooses behind the guard: the first line is a path, the second
 * a query, the rest a body, read into fields of every type.
 */
#include "base/must.h"
#include "http/fields.h"
#include "http/router.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
handler(struct convro_ctx *ctx, void *self)
{
	(void)ctx;
	(void)self;
	return CONVRO_OK;
}

static const struct convro_field items[] = {
	{ .name = "keyId", .type = CONVRO_HEX16, .flags = CONVRO_REQUIRED, .aliases = "id k.id" },
	{ .name = "key", .type = CONVRO_BINARY, .max = 32 },
};
static const struct convro_field ids[] = { { .type = CONVRO_ID } };

#define OPTIONAL (CONVRO_EMPTY_ABSENT | CONVRO_FALSE_ABSENT)

static const struct convro_field fields[] = {
	{ .name = "p", .type = CONVRO_TEXT, .in = CONVRO_PATH, .max = 9 },
	{ .name = "limit", .type = CONVRO_INT, .in = CONVRO_QUERY, .min = 1, .max = 200 },
	{ .name = "id", .type = CONVRO_ID, .in = CONVRO_QUERY, .aliases = "i_d" },
	{ .name = "n", .type = CONVRO_NUMBER, .in = CONVRO_QUERY },
	{ .name = "b", .type = CONVRO_BOOL, .in = CONVRO_QUERY },
	{ .name = "t",
	    .type = CONVRO_TEXT,
	    .max = 5,
	    .max_bytes = 9,
	    .chars = "a-z.",
	    .flags = OPTIONAL },
	{ .name = "x.y", .type = CONVRO_BINARY, .max = 8, .aliases = "xy x.z" },
	{ .name = "c", .type = CONVRO_CHOICE, .values = "a bc def" },
	{ .name = "w", .type = CONVRO_TIME, .flags = CONVRO_LAX },
	{ .name = "h", .type = CONVRO_HEX8 },
	{ .name = "o", .type = CONVRO_OBJECT, .max = 64 },
	{ .name = "a",
	    .type = CONVRO_ARRAY,
	    .max = 4,
	    .items = CONVRO_LIST(items),
	    .aliases = "a2" },
	{ .name = "s", .type = CONVRO_ARRAY, .max = 4, .items = CONVRO_LIST(ids) },
};
#define COUNT (sizeof(fields) / sizeof(fields[0]))

static const struct convro_route route = {
	.method = CONVRO_POST, .path = "/v1/{p}", .access = CONVRO_PUBLIC, .handler = handler
};

/* Up to the next line break, which is taken too. */
static struct slice
take_line(struct slice *rest)
{
	const char *end = memchr(rest->data, '\n', rest->len);
	struct slice line = { rest->data, end != NULL ? (size_t)(end - rest->data) : rest->len };
	size_t taken = line.len + (end != NULL);

	rest->data += taken;
	rest->len -= taken;
	return line;
}

static void
check(const struct convro_value *values)
{
	MUST(values[1].type == 0 || (values[1].u.i >= 1 && values[1].u.i <= 200));
	MUST(values[2].type == 0 || values[2].u.i >= 1);
	MUST(values[3].type == 0 || (values[3].len >= 6 && values[3].len <= 12));
	MUST(
	    values[5].type == 0 || (values[5].len <= 9 && values[5].u.text[values[5].len] == '\0'));
	MUST(values[6].type == 0 || values[6].len <= 8);
	MUST(values[7].type == 0 || (values[7].u.i >= 0 && values[7].u.i <= 2));
	for (uint32_t i = 0; i < values[11].len; i++)
		MUST(values[11].u.items[2 * i].type == CONVRO_HEX16);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = { (const char *)data, size };
	struct slice path = take_line(&rest), query_text = take_line(&rest);
	struct arena *arena = arena_new(4096);
	struct convro_value values[COUNT] = { 0 };
	struct path_value names[ROUTER_NAMES_MAX];
	struct fields_error error = { 0 };
	struct router router;
	struct query query;
	const char *field;
	struct fields_input input = {
		.arena = arena, .fields = fields, .count = COUNT, .query = &query, .path = names
	};

	MUST(fields_check(fields, COUNT, route.path, &field) == NULL);
	MUST(router_init(&router) == 0 && router_add(&router, NULL, &route) == NULL);
	(void)router_find(&router, arena, path, names, &input.path_count);
	/* What is malformed never comes to the fields. */
	if (query_parse(arena, query_text.data, query_text.len, &query) != QUERY_OK)
		query = (struct query){ NULL, 0 };
	if (rest.len > 0 &&
	    json_parse(arena, rest.data, rest.len, NULL, &input.body, NULL) == JSON_OK &&
	    (input.body == NULL || input.body->type != JSON_OBJECT))
		input.body = NULL;
	if (fields_read(&input, values, &error) == FIELDS_OK)
		check(values);
	else
		MUST(error.code != NULL && error.field != NULL && error.status == 400);
	router_fini(&router);
	arena_free(arena);
	return 0;
}
