/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers as a client sees them over real connections: the order of checks,
 * headers, methods, CORS.  Connections themselves are in test_http_connection.c,
 * WebSocket and requests of other workers in test_http_travel.c.
 */
#include "http_routes.h"

static void
answers_a_plain_request_with_its_headers(void **state)
{
	struct answer answer = ask(*state, "GET /hello" TO "X-Request-Id: abc.1\r\n\r\n");

	assert_int_equal(answer.status, 200);
	assert_string_equal(answer.body, "{\"hello\":\"world\"}");
	assert_string_equal(header_of(&answer, "content-length"), "17");
	assert_string_equal(header_of(&answer, "content-type"), "application/json; charset=utf-8");
	assert_string_equal(header_of(&answer, "x-request-id"), "abc.1");
	assert_string_equal(header_of(&answer, "x-content-type-options"), "nosniff");
	assert_non_null(header_of(&answer, "date"));
	assert_null(header_of(&answer, "connection"));
	assert_null(header_of(&answer, "cache-control"));
	answer_free(&answer);
}

static void
makes_a_request_id_where_the_clients_is_unfit(void **state)
{
	struct answer answer = ask(*state, "GET /v1/nothing" TO "X-Request-Id: a b\r\n\r\n");
	char id[600];

	assert_int_equal(answer.status, 404);
	assert_int_equal(strlen(header_of(&answer, "x-request-id")), 24);
	(void)snprintf(id, sizeof(id), "\"requestId\":\"%s\"", header_of(&answer, "x-request-id"));
	assert_non_null(strstr(answer.body, id));
	assert_string_equal(header_of(&answer, "cache-control"), "no-store");
	answer_free(&answer);
}

static void
checks_path_then_method_then_token(void **state)
{
	struct answer answer;

	expect(*state, "POST /v1/nowhere" TO "\r\n", 404, "\"NOT_FOUND\"");
	expect(*state, "BREW /v1/me" TO "\r\n", 405, "\"METHOD_NOT_ALLOWED\"");
	expect(*state, "GET /v1/me" TO "\r\n", 401, "\"UNAUTHORIZED\"");
	expect(*state, "GET /v1/me" TO "Authorization: Basic good\r\n\r\n", 401, "UNAUTHORIZED");
	expect(*state, "GET /v1/me" TO "Authorization: Bearer \r\n\r\n", 401, "UNAUTHORIZED");
	expect(*state, "GET /v1/me" TO "Authorization: Bearer bad\r\n\r\n", 401, "TOKEN_INVALID");
	expect(
	    *state, "GET /v1/me" TO "authorization: bearer  good\r\n\r\n", 200, "{\"userId\":7}");
	expect(*state,
	    "GET /v1/me" TO "Authorization: Bearer good\r\nAuthorization: Bearer good\r\n\r\n", 401,
	    "UNAUTHORIZED");
	expect(*state, "GET /v1/m%65" TO "Authorization: Bearer good\r\n\r\n", 200, NULL);
	expect(*state, "GET /v1%2Fme" TO "Authorization: Bearer good\r\n\r\n", 404, NULL);

	answer = ask(*state, "PUT /v1/items/3" TO "\r\n");
	assert_int_equal(answer.status, 405);
	assert_string_equal(header_of(&answer, "allow"), "GET, HEAD, DELETE, OPTIONS");
	answer_free(&answer);
	answer = ask(*state, "GET /v1/me" TO "\r\n");
	assert_string_equal(header_of(&answer, "www-authenticate"), "Bearer");
	answer_free(&answer);
	answer = ask(*state, "GET /v1/me" TO "Authorization: Bearer down\r\n\r\n");
	assert_int_equal(answer.status, 503);
	assert_string_equal(header_of(&answer, "retry-after"), "1");
	answer_free(&answer);
}

static void
checks_limit_then_size_then_type_then_body(void **state)
{
	struct answer answer = ask(*state, "GET /v1/limited" TO "\r\n");

	assert_int_equal(answer.status, 429);
	assert_string_equal(header_of(&answer, "retry-after"), "17");
	answer_free(&answer);

	post(*state, "/v1/echo", "text/plain", "{}", 415, "UNSUPPORTED_MEDIA_TYPE");
	post(*state, "/v1/echo", "application/json; charset=latin1", "{}", 415, NULL);
	post(*state, "/v1/echo", "Application/JSON; charset=\"UTF-8\"", "{}", 201, "null");
	post(*state, "/v1/echo", NULL, "", 400, "INVALID_JSON");
	post(*state, "/v1/echo", NULL, "{", 400, "INVALID_JSON");
	post(*state, "/v1/echo", NULL, "[]", 400, "INVALID_BODY");
	post(*state, "/v1/echo", NULL, "{\"x\":\"\\u0000\"}", 400, "INVALID_BODY");
	post(*state, "/v1/echo", NULL, "{\"text\":5}", 400,
	    "\"error\":\"INVALID_STATUS\",\"message\":\"status must be DELIVERED or READ\"");
	post(*state, "/v1/echo", NULL, "{\"text\":5}", 400, "\"field\":\"text\"");
	post(*state, "/v1/echo?limit=0", NULL, "{}", 400, "INVALID_QUERY");
	post(*state, "/v1/echo?limit=1&limit=1", NULL, "{}", 400, "INVALID_QUERY");
	post(*state, "/v1/echo?x=%zz", NULL, "{}", 400, "INVALID_QUERY");
	post(*state, "/v1/echo?limit=9999", NULL, "{}", 201, NULL);
	post(*state, "/v1/empty", NULL, "", 200, NULL);
	post(*state, "/v1/empty", "text/plain", "x", 415, NULL);
	expect(*state, "GET /v1/items/x" TO "\r\n", 400, "INVALID_MESSAGE_ID");
	expect(*state, "GET /v1/items/" TO "\r\n", 404, NULL);
}

static void
answers_head_like_get_without_a_body(void **state)
{
	int fd = dial(*state);
	struct answer answer;

	say(fd, "HEAD /hello" TO "\r\nGET /hello" TO "\r\n");
	answer = hear(fd, true);
	assert_int_equal(answer.status, 200);
	assert_string_equal(header_of(&answer, "content-length"), "17");
	answer_free(&answer);
	answer = hear(fd, false);
	assert_string_equal(answer.body, "{\"hello\":\"world\"}");
	answer_free(&answer);
	(void)close(fd);

	answer = ask(*state, "HEAD /v1/nohead" TO "\r\n");
	assert_int_equal(answer.status, 405);
	assert_string_equal(header_of(&answer, "allow"), "GET, OPTIONS");
	answer_free(&answer);
}

static void
answers_preflights_of_allowed_origins_only(void **state)
{
	struct answer answer = ask(*state, "OPTIONS /v1/me" TO "Origin: https://app.example\r\n"
					   "Access-Control-Request-Method: GET\r\n\r\n");

	assert_int_equal(answer.status, 204);
	assert_string_equal(
	    header_of(&answer, "access-control-allow-origin"), "https://app.example");
	assert_string_equal(header_of(&answer, "vary"), "Origin");
	assert_non_null(header_of(&answer, "access-control-allow-methods"));
	assert_null(header_of(&answer, "content-length"));
	answer_free(&answer);
	answer = ask(*state, "OPTIONS /v1/me" TO "Origin: https://evil.example\r\n"
			     "Access-Control-Request-Method: GET\r\n\r\n");
	assert_int_equal(answer.status, 204);
	assert_null(header_of(&answer, "access-control-allow-origin"));
	assert_string_equal(header_of(&answer, "allow"), "GET, HEAD, OPTIONS");
	answer_free(&answer);
	answer = ask(*state, "GET /v1/me" TO "Origin: https://app.example\r\n\r\n");
	assert_int_equal(answer.status, 401);
	assert_non_null(header_of(&answer, "access-control-allow-origin"));
	answer_free(&answer);
	expect(*state, "OPTIONS *" TO "\r\n", 204, NULL);
	expect(*state, "OPTIONS /v1/nowhere" TO "\r\n", 404, NULL);
}

static void
gives_raw_routes_what_they_ask_for(void **state)
{
	struct answer answer =
	    ask(*state, "GET /raw/?b=%zz&a=x%20y+z&a=2" TO
			"X-Forwarded-For: 1.1.1.1, 9.8.7.6\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n");

	assert_string_equal(answer.body, "a=x y z body= from 9.8.7.6");
	assert_string_equal(header_of(&answer, "content-type"), "text/plain");
	assert_string_equal(header_of(&answer, "x-kit"), "yes");
	assert_null(header_of(&answer, "x-forged"));
	answer_free(&answer);
	expect(*state, "GET /raw//" TO "\r\n", 404, NULL);
}

static void
answers_500_for_handlers_that_do_not_answer(void **state)
{
	expect(*state, "GET /v1/silent" TO "\r\n", 500, "INTERNAL_ERROR");
	expect(*state, "GET /v1/broken" TO "\r\n", 500, "INTERNAL_ERROR");
	expect(*state, "GET /v1/more" TO "\r\n", 409, "\"more\":5}");
}

static void
does_not_start_with_unsound_routes(void **state)
{
	static const struct convro_field unsound[] = { { .name = "a", .type = CONVRO_CHOICE } };
	const struct convro_route good = {
		.method = CONVRO_GET, .path = "/a", .access = CONVRO_PUBLIC, .handler = hello
	};
	struct convro_route bad[] = { good, good };
	static const char *const quiet[] = { "log.level=error", NULL };
	struct kit *kit;

	(void)state;
	for (int i = 0; i < 4; i++) {
		bad[1] = good;
		if (i != 0)
			bad[1].path = "/b";
		if (i == 1)
			bad[1].fields = (struct convro_list)CONVRO_LIST(unsound);
		if (i == 2)
			bad[1].access = 0;
		if (i == 3)
			bad[1].flags = CONVRO_ROUTE_PREFIX; /* not raw */
		kit = kit_new(bad, 2, NULL, 0, quiet);
		assert_null(kit->server.http);
		kit_free(kit);
	}
}

static void
does_not_start_with_bearer_routes_and_no_authenticator(void **state)
{
	const struct convro_route bearer = {
		.method = CONVRO_GET, .path = "/a", .access = CONVRO_BEARER, .handler = hello
	};
	static const char *const quiet[] = { "log.level=error", NULL };
	struct kit *kit = kit_new(&bearer, 1, NULL, 0, quiet);

	(void)state;
	assert_non_null(kit->server.http);
	http_free(kit->server.http);
	kit->auth.module = NULL;
	kit->server.http = http_new(&kit->server);
	assert_null(kit->server.http);
	kit_free(kit);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_a_plain_request_with_its_headers),
		cmocka_unit_test(makes_a_request_id_where_the_clients_is_unfit),
		cmocka_unit_test(checks_path_then_method_then_token),
		cmocka_unit_test(checks_limit_then_size_then_type_then_body),
		cmocka_unit_test(answers_head_like_get_without_a_body),
		cmocka_unit_test(answers_preflights_of_allowed_origins_only),
		cmocka_unit_test(gives_raw_routes_what_they_ask_for),
		cmocka_unit_test(does_not_start_with_unsound_routes),
		cmocka_unit_test(does_not_start_with_bearer_routes_and_no_authenticator),
		cmocka_unit_test(answers_500_for_handlers_that_do_not_answer),
	};

	return cmocka_run_group_tests(tests, start, end);
}
