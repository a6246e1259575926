/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routes: what is found, and which tables are refused.
 */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include "http/router.h"

#include <string.h>

static int
handler(struct convro_ctx *ctx, void *self)
{
	(void)ctx;
	(void)self;
	return CONVRO_OK;
}

#define ROUTE(m, p, f)                                                                             \
	{                                                                                          \
		.method = (m), .path = (p), .access = CONVRO_PUBLIC, .handler = handler,           \
		.flags = (f)                                                                       \
	}

static const struct convro_route routes[] = {
	ROUTE(CONVRO_GET, "/", 0),
	ROUTE(CONVRO_GET, "/v1/devices", 0),
	ROUTE(CONVRO_POST, "/v1/devices", 0),
	ROUTE(CONVRO_DELETE, "/v1/devices/{deviceId}", 0),
	ROUTE(CONVRO_GET, "/v1/devices/mine", CONVRO_ROUTE_NO_HEAD),
	ROUTE(CONVRO_GET, "/v1/{a}/x/{b}", 0),
	ROUTE(CONVRO_GET, "/socket", CONVRO_ROUTE_RAW | CONVRO_ROUTE_PREFIX),
};

struct fixture {
	struct router router;
	struct arena *arena;
	struct path_value values[ROUTER_NAMES_MAX];
	uint32_t count;
};

static struct fixture fixture;

static int
start(void **state)
{
	*state = &fixture;
	fixture.arena = arena_new(1024);
	if (fixture.arena == NULL || router_init(&fixture.router) != 0)
		return -1;
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		if (router_add(&fixture.router, NULL, &routes[i]) != NULL)
			return -1;
	return 0;
}

static int
end(void **state)
{
	(void)state;
	router_fini(&fixture.router);
	arena_free(fixture.arena);
	return 0;
}

static const struct route_path *
find(const char *path)
{
	return router_find(
	    &fixture.router, fixture.arena, slice_of(path), fixture.values, &fixture.count);
}

static void
finds_exact_paths_only(void **state)
{
	(void)state;
	assert_string_equal(find("/")->path, "/");
	assert_string_equal(find("/v1/devices")->path, "/v1/devices");
	assert_null(find("/v1/devices/"));
	assert_null(find("/v1"));
	assert_null(find("/v1/devicesx"));
	assert_null(find("/V1/devices"));
	assert_null(find("//v1/devices"));
	assert_null(find("/v1/../v1/devices"));
	assert_null(find("*"));
}

static void
fills_named_segments(void **state)
{
	(void)state;
	assert_string_equal(find("/v1/devices/a%20b")->path, "/v1/devices/{deviceId}");
	assert_int_equal(fixture.count, 1);
	assert_int_equal(fixture.values[0].name_len, 8);
	assert_memory_equal(fixture.values[0].name, "deviceId", 8);
	assert_string_equal(fixture.values[0].value.data, "a b");
	assert_string_equal(find("/v1/q/x/r")->path, "/v1/{a}/x/{b}");
	assert_int_equal(fixture.count, 2);
	assert_string_equal(fixture.values[1].value.data, "r");
	assert_null(find("/v1/devices/a/b"));
	assert_null(find("/v1//x/r"));
}

static void
prefers_an_exact_path(void **state)
{
	(void)state;
	assert_string_equal(find("/v1/devices/mine")->path, "/v1/devices/mine");
	assert_int_equal(fixture.count, 0);
}

static void
compares_escapes_within_segments(void **state)
{
	(void)state;
	assert_string_equal(find("/v1/%64evices")->path, "/v1/devices");
	assert_null(find("/v1%2fdevices"));
	assert_string_equal(find("/v1/devices/a%2Fb")->path, "/v1/devices/{deviceId}");
	assert_string_equal(fixture.values[0].value.data, "a/b");
}

static void
takes_one_slash_behind_a_prefix(void **state)
{
	(void)state;
	assert_non_null(find("/socket"));
	assert_non_null(find("/socket/"));
	assert_null(find("/socket//"));
	assert_null(find("/socket/x"));
}

static void
tells_methods_apart(void **state)
{
	const struct route_path *path = find("/v1/devices");
	bool head;

	(void)state;
	assert_ptr_equal(path->methods[CONVRO_GET].route, &routes[1]);
	assert_ptr_equal(path->methods[CONVRO_POST].route, &routes[2]);
	assert_null(path->methods[CONVRO_DELETE].route);
	assert_string_equal(path->allow, "GET, HEAD, POST, OPTIONS");
	assert_string_equal(find("/v1/devices/mine")->allow, "GET, OPTIONS");
	assert_int_equal(method_number(slice_of("HEAD"), &head), CONVRO_GET);
	assert_true(head);
	assert_int_equal(method_number(slice_of("PATCH"), &head), CONVRO_PATCH);
	assert_false(head);
	assert_int_equal(method_number(slice_of("get"), &head), 0);
}

static void
refuses_bad_tables(void **state)
{
	static const struct convro_route bad[] = {
		ROUTE(CONVRO_GET, "/v1/devices", 0),
		ROUTE(CONVRO_DELETE, "/v1/devices/{deviceId}", 0),
		ROUTE(CONVRO_GET, "/socket/", 0),
		ROUTE(CONVRO_GET, "v1", 0),
		ROUTE(CONVRO_GET, "/a//b", 0),
		ROUTE(CONVRO_GET, "/a/{}", 0),
		ROUTE(CONVRO_GET, "/a/{b", 0),
		ROUTE(CONVRO_GET, "/a/x{b}", 0),
		ROUTE(CONVRO_GET, "/{a}/{b}/{c}/{d}/{e}", 0),
		ROUTE(CONVRO_GET, "/a?b", 0),
		ROUTE(CONVRO_GET, NULL, 0),
		ROUTE(9, "/new", 0),
		{ .method = CONVRO_GET, .path = "/new", .access = CONVRO_PUBLIC },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (router_add(&fixture.router, NULL, &bad[i]) == NULL)
			fail_msg("took number %zu", i);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_exact_paths_only),
		cmocka_unit_test(fills_named_segments),
		cmocka_unit_test(prefers_an_exact_path),
		cmocka_unit_test(compares_escapes_within_segments),
		cmocka_unit_test(takes_one_slash_behind_a_prefix),
		cmocka_unit_test(tells_methods_apart),
		cmocka_unit_test(refuses_bad_tables),
	};

	return cmocka_run_group_tests(tests, start, end);
}
