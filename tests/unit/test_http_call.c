/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests without a connection: the same checks, hooks and answers as over
 * HTTP, told to the caller exactly once.
 */
#include "http_called.h"

#include "http/internal.h"

#include <stdatomic.h>

/* Memory that runs out when told: call.c is compiled in here. */
static atomic_bool no_memory;

static struct http_request *
copy_or_fail(struct http_worker *http, const struct guard_request *from)
{
	return no_memory ? NULL : request_copy(http, from);
}

#define request_copy copy_or_fail
#include "http/call.c"
#undef request_copy

#define BODY_MAX 4096 /* [server] max_body */

static const char *const settings[] = { "server.answer_timeout=1s", "server.max_body=4k",
	"server.trusted_proxies=10.0.0.0/8", "log.level=error", NULL };

static int
start(void **state)
{
	struct kit *kit = kit_new(routes, sizeof(routes) / sizeof(routes[0]), hooks, 1, settings);

	/* What is told as an error here is provoked. */
	assert_int_equal(log_configure(log_get(), "text", "error", "/dev/null"), 0);
	kit_start(kit);
	*state = kit;
	return 0;
}

static int
end(void **state)
{
	kit_free(*state);
	return 0;
}

/* ---- tests ---- */

static void
answers_within_the_call_where_the_handler_does(void **state)
{
	struct asked asked = { .call = get("/hello") };

	asked.call.size = sizeof(asked.call);
	asked.call.address = "10.1.2.3"; /* as it is, even of a trusted proxy */
	place(*state, &asked, 1);
	await(*state, &asked);
	assert_true(asked.at_once);
	assert_int_equal(asked.status, 200);
	assert_string_equal(asked.body, "{\"hello\":\"10.1.2.3\"}");
	assert_int_equal(asked.len, strlen(asked.body));
	assert_int_equal(asked.retry_after, 0);
	assert_string_equal(seen_address, "10.1.2.3");
	assert_int_equal(seen_user, 0); /* a public route sees nobody, as over HTTP */
}

static void
answers_later_where_the_handler_does(void **state)
{
	struct asked asked = ask_for(*state, "/v1/later");

	assert_false(asked.at_once);
	assert_int_equal(asked.status, 200);
	assert_string_equal(asked.body, "{\"late\":true}");
}

static void
checks_path_then_method_then_caller(void **state)
{
	struct convro_call call = get("/v1/nowhere");

	call.method = CONVRO_POST;
	check(*state, &call, 404, "\"NOT_FOUND\"");
	call.path = "/v1/me";
	call.principal = NULL;
	check(*state, &call, 405, "\"METHOD_NOT_ALLOWED\"");
	call.method = 99;
	check(*state, &call, 405, "\"METHOD_NOT_ALLOWED\"");
	call.method = 0;
	check(*state, &call, 405, "\"METHOD_NOT_ALLOWED\"");
	call.method = CONVRO_GET;
	check(*state, &call, 401, "\"UNAUTHORIZED\"");
	call.principal = &ala;
	check(*state, &call, 200, "{\"userId\":7,\"number\":\"123456\"}");
	assert_int_equal(seen_user, 7);
	call.method = CONVRO_OPTIONS;
	check(*state, &call, 204, "");
}

static void
runs_hidden_routes_and_those_with_named_segments(void **state)
{
	expect_get(*state, "/v1/alias", 200, "\"userId\":7");
	expect_get(*state, "/v1/items/%33", 200, "{\"id\":3}");
	expect_get(*state, "/v1/items/x", 400, "\"INVALID_MESSAGE_ID\"");
}

static void
has_no_raw_routes_and_no_upgrade(void **state)
{
	expect_get(*state, "/v1/raw", 404, "\"NOT_FOUND\"");
	expect_get(*state, "/v1/upgrade", 400, "\"BAD_REQUEST\"");
}

static void
asks_the_hooks_before_it_looks_at_the_body(void **state)
{
	struct asked asked = ask_for(*state, "/v1/limited");

	assert_int_equal(asked.status, 429);
	assert_int_equal(asked.retry_after, 17);
	assert_non_null(strstr(asked.body, "\"RATE_LIMITED\""));
	asked.call.principal = NULL;
	atomic_store(&asked.runs, 0);
	place(*state, &asked, 1);
	await(*state, &asked);
	assert_int_equal(asked.status, 401);

	expect_get(*state, "/v1/asked-later", 200, "hello");
	assert_int_equal(seen_user, 7);
	expect_get(*state, "/v1/denied-later", 429, "\"RATE_LIMITED\"");
	expect_get(*state, "/v1/limited-late", 429, "\"TOO_MANY_PENDING_SESSIONS\"");
}

static void
checks_size_then_json_then_fields(void **state)
{
	static char large[BODY_MAX + 2];
	struct convro_call call = { .method = CONVRO_POST, .path = "/v1/echo", .body = large };

	memset(large, 'x', sizeof(large) - 1);
	call.body_len = 1001; /* of the route */
	check(*state, &call, 413, "\"BODY_TOO_LARGE\"");
	call.body_len = 1000;
	check(*state, &call, 400, "\"INVALID_JSON\"");
	call.path = "/v1/wide";
	call.principal = &ala;
	call.body_len = BODY_MAX + 1; /* of the server */
	check(*state, &call, 413, "\"BODY_TOO_LARGE\"");
	call.principal = NULL;
	check(*state, &call, 401, "\"UNAUTHORIZED\"");
	call.principal = &ala;
	call.body_len = BODY_MAX;
	check(*state, &call, 400, "\"INVALID_JSON\"");

	expect_post(*state, "/v1/echo", NULL, 400, "\"INVALID_JSON\"");
	expect_post(*state, "/v1/echo", "[]", 400, "\"INVALID_BODY\"");
	expect_post(*state, "/v1/echo", "{\"text\":5}", 400, "\"INVALID_STATUS\"");
	expect_post(*state, "/v1/echo", "{\"text\":\"a\"}", 201, "{\"text\":\"a\",\"limit\":0}");
}

static void
reads_the_query_as_http_does(void **state)
{
	struct convro_call call = {
		.method = CONVRO_POST, .path = "/v1/echo", .body = "{}", .body_len = 2
	};

	call.query = "limit=%35&other=+";
	check(*state, &call, 201, "\"limit\":5");
	call.query = "";
	check(*state, &call, 201, "\"limit\":0");
	call.query = "limit=0";
	check(*state, &call, 400, "\"INVALID_QUERY\"");
	call.query = "limit=5&limit=5";
	check(*state, &call, 400, "\"INVALID_QUERY\"");
	call.query = "limit=%3";
	check(*state, &call, 400, "\"INVALID_QUERY\"");
	call.query = "limit= 5";
	check(*state, &call, 400, "\"BAD_REQUEST\"");
}

static void
refuses_what_no_request_line_could_say(void **state)
{
	static char endless[8200];
	struct convro_call call;

	expect_get(*state, "", 400, "\"BAD_REQUEST\"");
	expect_get(*state, "hello", 400, "\"BAD_REQUEST\"");
	expect_get(*state, "/hello?a=b", 400, "\"BAD_REQUEST\"");
	expect_get(*state, "/v1/items/a b", 400, "\"BAD_REQUEST\"");
	expect_get(*state, "/v1/items/%00", 400, "\"BAD_REQUEST\"");
	expect_get(*state, "/v1/items/%4", 400, "\"BAD_REQUEST\"");
	expect_get(*state, "/v1/items/\r\nX", 400, "\"BAD_REQUEST\"");

	/* "GET ", "/hello", "?" and " HTTP/1.1" leave 8192 - 4 - 6 - 1 - 9 bytes. */
	memset(endless, 'a', 8173);
	call = get("/hello");
	call.query = endless;
	check(*state, &call, 414, "\"URI_TOO_LONG\"");
	endless[8172] = '\0';
	check(*state, &call, 200, "hello");
}

static void
answers_500_for_handlers_that_do_not_answer(void **state)
{
	expect_get(*state, "/v1/silent", 500, "\"INTERNAL_ERROR\"");
	expect_get(*state, "/v1/broken", 500, "\"INTERNAL_ERROR\"");
	expect_get(*state, "/v1/strands", 500, "\"INTERNAL_ERROR\"");
}

static void
answers_503_when_the_store_or_memory_is_missing(void **state)
{
	expect_get(*state, "/v1/down", 503, "\"DB_UNAVAILABLE\"");
	no_memory = true;
	expect_get(*state, "/hello", 503, "\"OVERLOADED\"");
	no_memory = false;
	expect_get(*state, "/hello", 200, "hello");
}

static void
answers_503_at_the_deadline_and_only_then(void **state)
{
	struct asked asked = { .call = get("/v1/stuck") };

	asked.call.size = sizeof(asked.call);
	place(*state, &asked, 1);
	for (int i = 0; i < 2000 && atomic_load(&asked.runs) == 0; i++)
		usleep(10000);
	assert_int_equal(asked.status, 503);
	assert_non_null(strstr(asked.body, "\"OVERLOADED\""));
	expect_get(*state, "/v1/release", 200, ""); /* its late answer is dropped */
	await(*state, &asked);
	assert_int_equal(asked.status, 503);
}

static void
tells_no_body_that_is_no_json(void **state)
{
	static const char *const paths[] = { "/v1/text", "/v1/nothing", "/v1/own-json" };
	static const char *const bodies[] = { "", "", "[1]" };
	static const int statuses[] = { 200, 204, 200 };

	for (int i = 0; i < 3; i++) {
		struct asked asked = ask_for(*state, paths[i]);

		assert_int_equal(asked.status, statuses[i]);
		assert_string_equal(asked.body, bodies[i]);
		assert_int_equal(asked.len, strlen(bodies[i]));
	}
}

static void
gives_each_request_an_id_of_its_own(void **state)
{
	struct asked asked[2] = { ask_for(*state, "/v1/x"), ask_for(*state, "/v1/x") };
	const char *ids[2];

	for (int i = 0; i < 2; i++) {
		ids[i] = strstr(asked[i].body, "\"requestId\":\"");
		assert_non_null(ids[i]);
		assert_int_equal(strspn(ids[i] + 13, "0123456789abcdef"), 24);
	}
	assert_memory_not_equal(ids[0] + 13, ids[1] + 13, 24);
}

static void
takes_the_shorter_struct_of_an_older_module(void **state)
{
	struct asked asked = { .call = get("/hello") };

	asked.call.size = offsetof(struct convro_call, address);
	asked.call.address = "not looked at";
	place(*state, &asked, 1);
	await(*state, &asked);
	assert_string_equal(asked.body, "{\"hello\":\"\"}");
}

static void
may_be_called_by_a_handler_over_http(void **state)
{
	expect(*state, "GET /v1/relay?path=/hello HTTP/1.1\r\nHost: h\r\n\r\n", 200,
	    "{\"inner\":200,\"was\":\"{\\\"hello\\\":\\\"\\\"}\"}");
	expect(*state, "GET /v1/relay?path=/v1/later HTTP/1.1\r\nHost: h\r\n\r\n", 200,
	    "\\\"late\\\":true");
	expect(
	    *state, "GET /v1/relay?path=/v1/me HTTP/1.1\r\nHost: h\r\n\r\n", 200, "{\"inner\":401");
	expect(*state, "GET /v1/relay?path=/v1/denied-later HTTP/1.1\r\nHost: h\r\n\r\n", 429,
	    "RATE_LIMITED");
	expect(
	    *state, "GET /v1/relay?path=/v1/down HTTP/1.1\r\nHost: h\r\n\r\n", 503, "RATE_LIMITED");
	assert_true(kit_settles(*state));
}

static void
may_be_called_within_a_call(void **state)
{
	struct convro_call call = get("/v1/relay");

	call.query = "path=/v1/strands";
	check(*state, &call, 200, "{\"inner\":500");
	call.query = "path=/v1/relay"; /* which calls /hello */
	check(*state, &call, 200, "{\"inner\":200,\"was\":\"{\\\"inner\\\":200");
	call.query = "path=/v1/down"; /* the error of an error: both in the worker's scratch */
	check(*state, &call, 503, "\"RATE_LIMITED\"");
}

static void
tells_the_caller_whose_client_has_left(void **state)
{
	for (int i = 0; i < 30; i++) {
		int fd = dial(*state);

		say(fd, "GET /v1/relay?path=/v1/later HTTP/1.1\r\nHost: h\r\n\r\n");
		usleep((useconds_t)(i * 300));
		(void)close(fd);
	}
	assert_true(kit_settles(*state));
}

static void
runs_fifty_at_once(void **state)
{
	static const char *const paths[] = { "/hello", "/v1/later", "/v1/asked-later",
		"/v1/nowhere", "/v1/strands" };
	static const int statuses[] = { 200, 200, 200, 404, 500 };
	static struct asked asked[50];

	for (int i = 0; i < 50; i++) {
		asked[i].call = get(paths[i % 5]);
		asked[i].call.size = sizeof(asked[i].call);
	}
	place(*state, asked, 50);
	for (int i = 0; i < 50; i++) {
		await(*state, &asked[i]);
		assert_int_equal(asked[i].status, statuses[i % 5]);
	}
}

/* Whether the line that holds `what` holds `piece` too. */
static bool
logged(const char *log, const char *what, const char *piece)
{
	const char *line = strstr(log, what);

	return line != NULL && memmem(line, strcspn(line, "\n"), piece, strlen(piece)) != NULL;
}

static void
says_in_the_log_how_it_came(void **state)
{
	static const char *const quiet[] = { "log.level=error", NULL };
	struct kit *kit = kit_new(routes, sizeof(routes) / sizeof(routes[0]), hooks, 1, quiet);
	char file[] = "/tmp/convro-call-XXXXXX";
	static char log[16384];
	int fd = mkstemp(file);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(log_configure(log_get(), "text", "debug", file), 0);
	kit_start(kit);
	expect_get(kit, "/hello", 200, "hello");
	expect(kit, "GET /v1/x HTTP/1.1\r\nHost: h\r\n\r\n", 404, NULL);
	expect_get(kit, "none", 400, "BAD_REQUEST");
	kit_free(kit);
	assert_true(read(fd, log, sizeof(log) - 1) > 0);
	(void)close(fd);
	(void)unlink(file);
	assert_int_equal(log_configure(log_get(), "text", "error", ""), 0);

	assert_true(logged(log, "GET /hello 200 ", " ms over a socket"));
	assert_true(logged(log, "GET /v1/x 404 ", " ms"));
	assert_false(logged(log, "GET /v1/x 404 ", "socket"));
	assert_true(logged(log, "refused a request over a socket with 400", ""));
}

static int
answer_stuck(struct worker *worker, void *arg)
{
	(void)arg;
	if (stuck_ctx != NULL && stuck_ctx->worker == worker) {
		(void)http_table.reply(stuck_ctx, 200);
		ctx_unref(stuck_ctx);
	}
	return 0;
}

static void
tells_nobody_after_the_end_of_the_server(void **state)
{
	static const char *const quiet[] = { "log.level=error", NULL };
	struct kit *kit = kit_new(routes, sizeof(routes) / sizeof(routes[0]), hooks, 1, quiet);
	struct asked asked = { .call = get("/v1/relay") };

	(void)state;
	assert_int_equal(log_configure(log_get(), "text", "error", "/dev/null"), 0);
	kit_start(kit);
	asked.call.size = sizeof(asked.call);
	asked.call.query = "path=/v1/stuck"; /* a call within the call */
	place(kit, &asked, 1);
	assert_int_equal(kit_busy(kit), 5); /* two requests, three contexts */
	(void)workers_each(kit->server.workers, KIT_WORKERS, kit_worker_fini, kit->server.http);
	(void)workers_each(kit->server.workers, KIT_WORKERS, answer_stuck, NULL);
	assert_int_equal(kit_busy(kit), 0);
	assert_int_equal(atomic_load(&asked.runs), 0);
	kit_free(kit);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_within_the_call_where_the_handler_does),
		cmocka_unit_test(answers_later_where_the_handler_does),
		cmocka_unit_test(checks_path_then_method_then_caller),
		cmocka_unit_test(runs_hidden_routes_and_those_with_named_segments),
		cmocka_unit_test(has_no_raw_routes_and_no_upgrade),
		cmocka_unit_test(asks_the_hooks_before_it_looks_at_the_body),
		cmocka_unit_test(checks_size_then_json_then_fields),
		cmocka_unit_test(reads_the_query_as_http_does),
		cmocka_unit_test(refuses_what_no_request_line_could_say),
		cmocka_unit_test(answers_500_for_handlers_that_do_not_answer),
		cmocka_unit_test(answers_503_when_the_store_or_memory_is_missing),
		cmocka_unit_test(answers_503_at_the_deadline_and_only_then),
		cmocka_unit_test(tells_no_body_that_is_no_json),
		cmocka_unit_test(gives_each_request_an_id_of_its_own),
		cmocka_unit_test(takes_the_shorter_struct_of_an_older_module),
		cmocka_unit_test(may_be_called_by_a_handler_over_http),
		cmocka_unit_test(may_be_called_within_a_call),
		cmocka_unit_test(tells_the_caller_whose_client_has_left),
		cmocka_unit_test(runs_fifty_at_once),
		cmocka_unit_test(says_in_the_log_how_it_came),
		cmocka_unit_test(tells_nobody_after_the_end_of_the_server),
	};

	return cmocka_run_group_tests(tests, start, end);
}
