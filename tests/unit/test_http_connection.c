/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections: keep-alive, pipelining, splits, refusals, vanishing clients,
 * deadlines, drain.  One server of two workers serves all tests.
 */
#include "http_routes.h"

#include "http/internal.h"

#include <poll.h>

static void
keeps_the_connection_for_many_requests(void **state)
{
	int fd = dial(*state);

	for (int i = 0; i < 50; i++) {
		struct answer answer;

		say(fd, i % 2 == 0 ? "GET /hello" TO "\r\n" : "GET /v1/later" TO "\r\n");
		answer = hear(fd, false);
		assert_int_equal(answer.status, 200);
		answer_free(&answer);
	}
	(void)close(fd);
}

static void
answers_every_pipelined_request_in_order(void **state)
{
	int fd = dial(*state);
	char text[8192] = "";

	for (int i = 1; i <= 60; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    "GET /v1/items/%d" TO "\r\n%s", i, i % 7 == 0 ? "GET /v1/later" TO "\r\n" : "");
	say(fd, text);
	for (int i = 1; i <= 60; i++) {
		struct answer answer = hear(fd, false);
		char body[32];

		(void)snprintf(body, sizeof(body), "{\"id\":%d}", i);
		assert_int_equal(answer.status, 200);
		assert_string_equal(answer.body, body);
		answer_free(&answer);
		if (i % 7 != 0)
			continue;
		answer = hear(fd, false);
		assert_string_equal(answer.body, "{\"late\":true}");
		answer_free(&answer);
	}
	(void)close(fd);
}

static void
does_not_mind_where_a_request_is_split(void **state)
{
	static const char text[] =
	    "POST /v1/echo" TO "Content-Length: 14\r\n\r\n{\"text\":\"abc\"}GET /hello" TO "\r\n";
	int fd = dial(*state);

	for (size_t at = 1; at < sizeof(text) - 1; at++) {
		struct answer answer;

		say_n(fd, text, at);
		if (at % 4 == 0)
			usleep(1000);
		say_n(fd, text + at, sizeof(text) - 1 - at);
		answer = hear(fd, false);
		assert_int_equal(answer.status, 201);
		assert_string_equal(answer.body, "{\"text\":\"abc\"}");
		answer_free(&answer);
		answer = hear(fd, false);
		assert_int_equal(answer.status, 200);
		answer_free(&answer);
	}
	for (size_t at = 0; at < sizeof(text) - 1; at++)
		say_n(fd, text + at, 1);
	for (int i = 0; i < 2; i++) {
		struct answer answer = hear(fd, false);

		assert_int_equal(answer.status, i == 0 ? 201 : 200);
		answer_free(&answer);
	}
	(void)close(fd);
}

static void
lets_the_client_read_the_refusal_of_a_large_body(void **state)
{
	size_t len = (size_t)3 << 20;
	char *body = calloc(1, len);
	int fd = dial(*state);
	struct answer answer;

	memset(body, ' ', len);
	say(fd, "POST /v1/echo" TO "Content-Length: 3145728\r\n\r\n");
	say_n(fd, body, len);
	answer = hear(fd, false);
	assert_int_equal(answer.status, 413);
	assert_non_null(strstr(answer.body, "BODY_TOO_LARGE"));
	assert_string_equal(header_of(&answer, "connection"), "close");
	answer_free(&answer);
	assert_true(is_over(fd));
	(void)close(fd);

	/* Above the route's own limit: the body was read, the connection may stay. */
	fd = dial(*state);
	say(fd, "POST /v1/echo" TO "Content-Length: 100001\r\n\r\n");
	say_n(fd, body, 100001);
	answer = hear(fd, false);
	assert_int_equal(answer.status, 413);
	answer_free(&answer);
	(void)close(fd);
	free(body);
}

static void
refuses_what_the_guard_refuses(void **state)
{
	static const struct {
		const char *text;
		int status;
	} probes[] = {
		{ "GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400 },
		{ "POST /raw" TO "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		    400 },
		{ "POST /raw" TO "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc", 400 },
		{ "POST /raw" TO "Content-Length : 3\r\n\r\nabc", 400 },
		{ "POST /raw" TO "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF1\r\n", 400 },
		{ "GET /hello HTTP/9.9\r\nHost: h\r\n\r\n", 505 },
		{ "GET /hello HTTP/1.1\r\n\r\n", 400 },
		{ "POST /raw" TO "Expect: a-miracle\r\nContent-Length: 1\r\n\r\na", 417 },
	};
	char text[32768];
	size_t len;

	for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
		int fd = dial(*state);
		struct answer answer;

		say(fd, probes[i].text);
		say(fd, "GET /hello" TO "\r\n"); /* must never be taken for a request */
		answer = hear(fd, false);
		if (answer.status != probes[i].status)
			fail_msg("%s: %d", probes[i].text, answer.status);
		assert_string_equal(header_of(&answer, "connection"), "close");
		assert_non_null(strstr(answer.body, "{\"ok\":false,\"error\":\""));
		answer_free(&answer);
		assert_true(is_over(fd));
		(void)close(fd);
	}
	len = (size_t)snprintf(text, sizeof(text), "GET /");
	memset(text + len, 'a', 9000);
	(void)snprintf(text + len + 9000, 100, TO "\r\n");
	expect(*state, text, 414, "URI_TOO_LONG");
	len = (size_t)snprintf(text, sizeof(text), "GET /hello" TO "X: ");
	memset(text + len, 'a', 17000);
	(void)snprintf(text + len + 17000, 100, "\r\n\r\n");
	expect(*state, text, 431, "HEADERS_TOO_LARGE");
}

static void
takes_chunks_and_expectations(void **state)
{
	int fd = dial(*state);
	struct answer answer;
	char interim[32] = "";

	say(fd, "POST /raw" TO "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n");
	assert_int_equal(recv(fd, interim, 25, MSG_WAITALL), 25);
	assert_string_equal(interim, "HTTP/1.1 100 Continue\r\n\r\n");
	say(fd, "abc");
	answer = hear(fd, false);
	assert_non_null(strstr(answer.body, "body=abc"));
	answer_free(&answer);
	say(fd, "POST /raw" TO "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n");
	answer = hear(fd, false);
	assert_non_null(strstr(answer.body, "body=abc"));
	answer_free(&answer);
	(void)close(fd);
}

static void
honours_connection_close_and_http_1_0(void **state)
{
	int fd = dial(*state);
	struct answer answer;

	say(fd, "GET /hello" TO "Connection: foo, close\r\n\r\n");
	answer = hear(fd, false);
	assert_string_equal(header_of(&answer, "connection"), "close");
	answer_free(&answer);
	assert_true(is_over(fd));
	(void)close(fd);

	fd = dial(*state);
	say(fd, "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	answer = hear(fd, false);
	assert_string_equal(header_of(&answer, "connection"), "keep-alive");
	answer_free(&answer);
	say(fd, "GET /hello HTTP/1.0\r\n\r\n");
	answer = hear(fd, false);
	assert_string_equal(header_of(&answer, "connection"), "close");
	answer_free(&answer);
	assert_true(is_over(fd));
	(void)close(fd);
}

static void
answers_a_client_that_has_ended_its_side(void **state)
{
	int fd = dial(*state);
	struct answer answer;

	say(fd, "GET /v1/later" TO "\r\nGET /hello" TO "\r\n");
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	answer = hear(fd, false);
	assert_string_equal(answer.body, "{\"late\":true}");
	answer_free(&answer);
	answer = hear(fd, false);
	assert_string_equal(answer.body, "{\"hello\":\"world\"}");
	answer_free(&answer);
	assert_true(is_over(fd));
	(void)close(fd);
}

static void
outlives_clients_that_vanish(void **state)
{
	const struct linger reset = { 1, 0 };
	int before = finished_late;

	for (int i = 0; i < 20; i++) {
		int fd = dial(*state);

		say(fd, "GET /v1/later" TO "\r\n");
		usleep((useconds_t)(i * 500));
		if (i % 2 == 0)
			(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		(void)close(fd);
	}
	for (int i = 0; i < 10; i++) { /* in the middle of a request, and of an answer */
		int fd = dial(*state);

		say(fd, i % 2 == 0 ? "POST /v1/echo" TO "Content-Le" : "GET /big" TO "\r\n");
		usleep(2000);
		(void)close(fd);
	}
	assert_true(kit_settles(*state));
	assert_int_equal(finished_late, before + 20);
}

static void
sends_large_answers_whole(void **state)
{
	int fd = dial(*state);
	struct answer answer;

	say(fd, "GET /big" TO "\r\nGET /hello" TO "\r\n");
	usleep(50000); /* the socket's buffer fills */
	answer = hear(fd, false);
	assert_int_equal(answer.len, (size_t)8 << 20);
	assert_null(strchr(answer.body, 'y'));
	answer_free(&answer);
	answer = hear(fd, false);
	assert_string_equal(answer.body, "{\"hello\":\"world\"}");
	answer_free(&answer);
	(void)close(fd);
}

static void
holds_a_request_until_its_deadline_or_its_client_ends(void **state)
{
	int before = gone_count;
	struct answer answer;
	int fd;

	expect(*state, "GET /held?ms=20" TO "\r\n", 503, "OVERLOADED");
	assert_int_equal(gone_count, before);
	fd = dial(*state);
	say(fd, "GET /held" TO "\r\n");
	usleep(20000);
	(void)close(fd);
	assert_true(kit_settles(*state));
	assert_int_equal(gone_count, before + 1);

	/* A client that has ended its side is told of as gone, and still gets the answer. */
	fd = dial(*state);
	say(fd, "GET /held" TO "\r\n");
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	answer = hear(fd, false);
	assert_string_equal(answer.body, "gone");
	answer_free(&answer);
	assert_int_equal(gone_count, before + 2);
	(void)close(fd);
}

static void
gives_a_slow_request_one_deadline(void **state)
{
	int fd = dial(*state);
	struct answer answer;
	struct pollfd ready = { .fd = fd, .events = POLLIN };

	say(fd, "GET /hello");
	while (poll(&ready, 1, 100) == 0)
		say(fd, "a"); /* a byte now and then buys no time */
	answer = hear(fd, false);
	assert_int_equal(answer.status, 408);
	answer_free(&answer);
	assert_true(is_over(fd));
	(void)close(fd);
}

static void
drains(void **state)
{
	struct kit *kit = *state;
	int idle = dial(kit), busy = dial(kit);
	struct answer answer;

	say(idle, "GET /hello" TO "\r\n");
	answer = hear(idle, false);
	answer_free(&answer);
	say(busy, "GET /v1/later" TO "\r\n");
	usleep(10000);
	kit_drain(kit);
	assert_true(is_over(idle));
	answer = hear(busy, false);
	assert_int_equal(answer.status, 200);
	assert_string_equal(header_of(&answer, "connection"), "close");
	answer_free(&answer);
	assert_true(is_over(busy));
	assert_true(kit_settles(kit));
	(void)close(idle);
	(void)close(busy);
}

static void
lets_connections_above_the_limit_wait(void **state)
{
	static const char *const few[] = { "server.max_connections=16", "log.level=error", NULL };
	struct kit *kit = kit_new(routes, 1, NULL, 0, few);
	int fds[3 * 16 * KIT_WORKERS];
	const size_t count = sizeof(fds) / sizeof(fds[0]);

	(void)state;
	kit_start(kit);
	for (size_t i = 0; i < count; i++) {
		fds[i] = dial(kit);
		say(fds[i], "GET /hello" TO "\r\n");
	}
	/* Each that is answered makes room for another. */
	for (size_t left = count; left > 0;) {
		struct pollfd ready[3 * 16 * KIT_WORKERS];

		for (size_t i = 0; i < count; i++)
			ready[i] = (struct pollfd){ .fd = fds[i], .events = POLLIN };
		assert_true(poll(ready, (nfds_t)count, 10000) > 0);
		for (size_t i = 0; i < count; i++) {
			struct answer answer;

			if (ready[i].revents == 0)
				continue;
			answer = hear(fds[i], false);
			assert_int_equal(answer.status, 200);
			answer_free(&answer);
			(void)close(fds[i]);
			fds[i] = -1;
			left--;
		}
	}
	kit_free(kit);
}

static void
listens_on_several_addresses(void **state)
{
	static const char *const both[] = { "server.listen=127.0.0.1:0 127.0.0.2:0",
		"log.level=error", NULL };
	struct kit *kit = kit_new(routes, 1, NULL, 0, both);
	struct sockaddr_in other = { .sin_family = AF_INET };
	struct answer answer;
	int fd;

	(void)state;
	kit_start(kit);
	expect(kit, "GET /hello" TO "\r\n", 200, NULL);
	memcpy(&other, &kit->server.http->endpoints[1].address, sizeof(other));
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&other, sizeof(other)), 0);
	say(fd, "GET /hello" TO "\r\n");
	answer = hear(fd, false);
	assert_int_equal(answer.status, 200);
	answer_free(&answer);
	(void)close(fd);
	kit_free(kit);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_the_connection_for_many_requests),
		cmocka_unit_test(answers_every_pipelined_request_in_order),
		cmocka_unit_test(does_not_mind_where_a_request_is_split),
		cmocka_unit_test(lets_the_client_read_the_refusal_of_a_large_body),
		cmocka_unit_test(refuses_what_the_guard_refuses),
		cmocka_unit_test(takes_chunks_and_expectations),
		cmocka_unit_test(honours_connection_close_and_http_1_0),
		cmocka_unit_test(answers_a_client_that_has_ended_its_side),
		cmocka_unit_test(outlives_clients_that_vanish),
		cmocka_unit_test(sends_large_answers_whole),
		cmocka_unit_test(holds_a_request_until_its_deadline_or_its_client_ends),
		cmocka_unit_test(gives_a_slow_request_one_deadline),
		cmocka_unit_test(drains),
		cmocka_unit_test(lets_connections_above_the_limit_wait),
		cmocka_unit_test(listens_on_several_addresses),
	};

	return cmocka_run_group_tests(tests, start, end);
}
