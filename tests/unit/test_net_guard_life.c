/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Front guard: events, limits, memory, and what a caller is handed.
 */
#include "guard_samples.h"

/* Feeds a text that has to be consumed up to its last `rest` bytes. */
static enum guard_event
feed(struct guard *guard, const char *text, size_t len, size_t rest)
{
	size_t consumed;
	enum guard_event event = guard_feed(guard, text, len, &consumed);

	assert_int_equal(consumed, len - rest);
	return event;
}

static enum guard_event
feed_text(struct guard *guard, const char *text)
{
	return feed(guard, text, strlen(text), 0);
}

static void
put_times(struct buf *out, const char *text, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_puts(out, text);
}

/* What the stream in `data` comes to; empties it. */
static void
check_stream(struct buf *data, const char *expected)
{
	struct sample sample = { data->data, data->len, expected };

	assert_false(data->failed);
	check(&sample, 1);
	buf_fini(data);
	buf_init(data, 0);
}

static void
says_continue_while_the_body_is_awaited(void **state)
{
#define EXPECTING POST "Expect: 100-continue\r\n"
	struct guard guard;

	(void)state;
	guard_init(&guard, &limits);
	assert_int_equal(feed_text(&guard, EXPECTING "Content-Length: 2\r\n\r\n"), GUARD_CONTINUE);
	assert_int_equal(feed_text(&guard, "a"), GUARD_MORE);
	assert_int_equal(feed_text(&guard, "b"), GUARD_REQUEST);
	assert_true(slice_is(guard.request.body, "ab"));
	guard_next(&guard);
	assert_int_equal(
	    feed_text(&guard, EXPECTING "Transfer-Encoding: chunked\r\n\r\n"), GUARD_CONTINUE);
	assert_int_equal(feed_text(&guard, "1\r\na\r\n0\r\n\r\n"), GUARD_REQUEST);
	guard_fini(&guard);
}

static void
says_no_continue_that_nobody_needs(void **state)
{
	struct guard guard;

	(void)state;
	guard_init(&guard, &limits);
	assert_int_equal(feed_text(&guard, EXPECTING "Content-Length: 2\r\n\r\na"), GUARD_MORE);
	assert_int_equal(feed_text(&guard, "b"), GUARD_REQUEST);
	guard_next(&guard);
	assert_int_equal(feed_text(&guard, EXPECTING "\r\n"), GUARD_REQUEST);
	guard_next(&guard);
	assert_int_equal(feed_text(&guard, POST "Content-Length: 1\r\n\r\n"), GUARD_MORE);
	assert_int_equal(feed_text(&guard, "a"), GUARD_REQUEST);
	guard_next(&guard);
	assert_int_equal(
	    feed_text(&guard, EXPECTING "Content-Length: 1048577\r\n\r\n"), GUARD_REQUEST);
	assert_true(guard.request.body_too_large);
	guard_fini(&guard);

	guard_init(&guard, &limits);
	assert_int_equal(
	    feed_text(
		&guard, "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"),
	    GUARD_MORE);
	guard_fini(&guard);
}

static void
leaves_what_follows_the_request_to_the_caller(void **state)
{
	static const char frames[] =
	    "GET / HTTP/1.1\r\n" H
	    "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\x80 frame";
	struct guard guard;

	(void)state;
	guard_init(&guard, &limits);
	assert_int_equal(feed(&guard, frames, sizeof(frames) - 1, 8), GUARD_REQUEST);
	assert_true(guard.request.upgrade);
	guard_next(&guard);
	assert_int_equal(
	    feed(&guard, CHUNKED "0\r\n\r\n" EVIL, strlen(CHUNKED "0\r\n\r\n" EVIL), strlen(EVIL)),
	    GUARD_REQUEST);
	guard_next(&guard);
	assert_int_equal(feed_text(&guard, EVIL), GUARD_REQUEST);
	guard_fini(&guard);
}

static void
reads_no_request_behind_the_last_one(void **state)
{
	struct guard guard;

	(void)state;
	guard_init(&guard, &limits);
	assert_int_equal(feed(&guard, POST "Content-Length: 1048577\r\n\r\n" EVIL,
			     strlen(POST "Content-Length: 1048577\r\n\r\n" EVIL), strlen(EVIL)),
	    GUARD_REQUEST);
	assert_true(guard.request.body_too_large);
	assert_false(guard.request.keep_alive);
	assert_int_equal(guard.request.body.len, 0);
	guard_next(&guard);
	assert_int_equal(feed_text(&guard, EVIL), GUARD_MORE);
	assert_int_equal(feed_text(&guard, EVIL), GUARD_MORE);
	assert_false(guard_idle(&guard));
	guard_fini(&guard);

	guard_init(&guard, &limits);
	assert_int_equal(feed_text(&guard, "GET\r\n" EVIL), GUARD_ERROR);
	assert_int_equal(guard.error.status, 400);
	assert_string_equal(guard.error.code, "BAD_REQUEST");
	assert_int_equal(feed_text(&guard, EVIL), GUARD_ERROR);
	guard_fini(&guard);
}

static void
limits_the_request_line(void **state)
{
	struct buf data;

	(void)state;
	buf_init(&data, 0);
	buf_puts(&data, "GET /?");
	put_times(&data, "a", 8192 - strlen("GET /? HTTP/1.1"));
	buf_puts(&data, " HTTP/1.1\r\n\r\n");
	check_stream(&data, "400 there is no Host");

	buf_puts(&data, "GET /?");
	put_times(&data, "a", 8193 - strlen("GET /? HTTP/1.1"));
	buf_puts(&data, " HTTP/1.1\r\n\r\n");
	check_stream(&data, "414 the request line is too long");

	put_times(&data, "G", 8193);
	check_stream(&data, "waits");
	put_times(&data, "G", 8194);
	check_stream(&data, "414 the request line is too long");
}

/* A request whose header block, final CRLF included, has `len` bytes. */
static void
put_block(struct buf *data, size_t len)
{
	buf_puts(data, GET "a: ");
	put_times(data, "b", len - strlen(H "a: \r\n\r\n"));
	buf_puts(data, "\r\n\r\n");
}

static void
limits_the_header_block(void **state)
{
	struct buf data;

	(void)state;
	buf_init(&data, 0);
	put_block(&data, 16384);
	check_stream(&data, "GET / 1.1 keep\nidle");
	put_block(&data, 16385);
	check_stream(&data, "431 the header block is too long");
	buf_puts(&data, GET);
	put_times(&data, "a", 16384);
	check_stream(&data, "431 the header block is too long");

	buf_puts(&data, GET);
	put_times(&data, "a:\r\n", 63);
	buf_puts(&data, "\r\n");
	check_stream(&data, "GET / 1.1 keep\nidle");
	buf_puts(&data, GET);
	put_times(&data, "a:\r\n", 64);
	check_stream(&data, "431 there are too many headers");
}

static void
limits_trailers_and_chunk_extensions(void **state)
{
	struct buf data;

	(void)state;
	buf_init(&data, 0);
	buf_puts(&data, CHUNKED "0\r\n");
	put_times(&data, "a:\r\n", 62);
	buf_puts(&data, "\r\n");
	check_stream(&data, "POST /p 1.1 keep\nidle");
	buf_puts(&data, CHUNKED "0\r\n");
	put_times(&data, "a:\r\n", 63);
	check_stream(&data, "431 there are too many headers and trailers");
	buf_puts(&data, CHUNKED "0\r\na:");
	put_times(&data, "b", 16384);
	check_stream(&data, "431 the trailer section is too long");
	for (size_t extra = 0; extra < 2; extra++) {
		buf_puts(&data, CHUNKED "0\r\na:");
		put_times(&data, "b", 8192 - strlen("a:\r\n"));
		buf_puts(&data, "\r\na:");
		put_times(&data, "b", 8190 - strlen("a:\r\n") + extra);
		buf_puts(&data, "\r\n\r\n");
		check_stream(&data,
		    extra == 0 ? "POST /p 1.1 keep\nidle" : "431 the trailer section is too long");
	}

	buf_puts(&data, CHUNKED "1;");
	put_times(&data, "a", 1024 - 4);
	buf_puts(&data, "\r\nb\r\n0\r\n\r\n");
	check_stream(&data, "POST /p 1.1 keep [b]\nidle");
	buf_puts(&data, CHUNKED "1;");
	put_times(&data, "a", 1024 - 3);
	buf_puts(&data, "\r\nb\r\n0\r\n\r\n");
	check_stream(&data, "400 a chunk size and its extensions are too long");
	buf_puts(&data, CHUNKED);
	put_times(&data, "1;a\r\nb\r\n", 4096);
	check_stream(&data, "waits");
	buf_puts(&data, CHUNKED);
	put_times(&data, "1;a\r\nb\r\n", 4097);
	check_stream(&data, "400 there are too many chunk extensions");
}

static void
limits_the_body_alike_in_both_framings(void **state)
{
	static const struct guard_limits small = { 8192, 16384, 64, 4 };
	static const struct {
		const char *text;
		bool large;
	} bodies[] = {
		{ POST "Content-Length: 4\r\n\r\nabcd", false },
		{ POST "Content-Length: 5\r\n\r\n", true },
		{ CHUNKED "2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n", false },
		{ CHUNKED "2\r\nab\r\n3\r\n", true },
		{ CHUNKED "5\r\n", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bodies); i++) {
		struct guard guard;

		guard_init(&guard, &small);
		assert_int_equal(feed_text(&guard, bodies[i].text), GUARD_REQUEST);
		assert_int_equal(guard.request.body_too_large, bodies[i].large);
		assert_int_equal(guard.request.keep_alive, !bodies[i].large);
		assert_int_equal(guard.request.body.len, bodies[i].large ? 0 : 4);
		guard_fini(&guard);
	}
}

static void
tells_idle_from_incomplete(void **state)
{
	struct guard guard;

	(void)state;
	guard_init(&guard, &limits);
	assert_true(guard_idle(&guard));
	feed_text(&guard, "\r\n");
	assert_true(guard_idle(&guard));
	feed_text(&guard, "G");
	assert_false(guard_idle(&guard));
	feed_text(&guard, "ET / HTTP/1.1\r\n" H "\r\n");
	assert_false(guard_idle(&guard));
	guard_next(&guard);
	assert_true(guard_idle(&guard));
	guard_fini(&guard);
}

static void
fails_when_the_deadline_passes(void **state)
{
	struct guard guard;

	(void)state;
	guard_init(&guard, &limits);
	feed_text(&guard, GET);
	guard_expire(&guard);
	assert_int_equal(guard.error.status, 408);
	assert_string_equal(guard.error.code, "REQUEST_TIMEOUT");
	assert_false(guard_idle(&guard));
	assert_int_equal(feed_text(&guard, "\r\n"), GUARD_ERROR);
	guard_fini(&guard);
}

static void
holds_memory_for_what_arrived_only(void **state)
{
	static char block[65536];
	struct guard guard;

	(void)state;
	guard_init(&guard, &limits);
	assert_null(guard.head.data);
	assert_int_equal(feed_text(&guard, POST "Content-Length: 65537\r\n\r\na"), GUARD_MORE);
	assert_true(guard.body.size <= 4096);
	assert_int_equal(feed(&guard, block, sizeof(block), 0), GUARD_REQUEST);
	guard_next(&guard);
	assert_int_equal(guard.body.size, 0);
	assert_true(guard.head.size <= 4096);

	guard_trim(&guard);
	assert_null(guard.head.data);
	assert_null(guard.body.data);
	assert_null(guard.line.data);
	assert_null(guard.fields);

	feed_text(&guard, GET);
	guard_trim(&guard); /* not idle: nothing may be lost */
	assert_int_equal(feed_text(&guard, "\r\n"), GUARD_REQUEST);
	guard_fini(&guard);
}

/* The buffers' limits stand in for memory that runs out. */
static void
answers_503_when_memory_is_out(void **state)
{
	static const char text[] = CHUNKED "5\r\nhello\r\n0\r\n\r\n";
	static const size_t head_len = sizeof(CHUNKED) - 1;
	struct guard guard;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		enum guard_event event = GUARD_MORE;

		guard_init(&guard, &limits);
		if (i == 0)
			guard.head.limit = 5;
		else if (i == 1)
			guard.head.limit = head_len; /* nothing left for the decoded path */
		else if (i == 2)
			guard.body.limit = 4;
		else
			guard.line.limit = 1;
		for (size_t at = 0; at < sizeof(text) - 1 && event == GUARD_MORE; at++)
			event = feed(&guard, text + at, 1, 0);
		assert_int_equal(event, GUARD_ERROR);
		assert_int_equal(guard.error.status, 503);
		assert_string_equal(guard.error.code, "OVERLOADED");
		assert_null(guard.head.data);
		guard_fini(&guard);
	}
}

static void
hands_over_every_part_of_a_request(void **state)
{
	struct guard guard;
	const struct guard_request *request = &guard.request;

	(void)state;
	guard_init(&guard, &limits);
	assert_int_equal(
	    feed_text(&guard, "PUT http://u.example:81/a%20%2f%C3%b3?b=%20 HTTP/1.1\r\n"
			      "X-One: 1\r\nHost: other\r\nContent-Type: text/plain; a=b \r\n"
			      "x-ONE:  2\r\nContent-Length: 2\r\n\r\nhi"),
	    GUARD_REQUEST);
	assert_true(slice_is(request->method, "PUT"));
	assert_true(slice_is(request->path, "/a%20%2f%C3%b3"));
	assert_true(slice_is(request->path_decoded, "/a /\xc3\xb3"));
	assert_true(slice_is(request->query, "b=%20"));
	assert_true(slice_is(request->host, "u.example:81"));
	assert_true(slice_is(request->content_type, "text/plain; a=b"));
	assert_true(slice_is(request->body, "hi"));
	assert_int_equal(request->header_count, 5);
	assert_true(slice_is(request->headers[0].name, "x-one"));
	assert_true(slice_is(request->headers[3].value, "2"));
	assert_true(slice_is(guard_header(request, "x-one")->value, "1"));
	assert_true(slice_is(guard_header(request, "host")->value, "u.example:81"));
	assert_null(guard_header(request, "x-on"));
	guard_next(&guard);

	assert_int_equal(feed_text(&guard, GET "\r\n"), GUARD_REQUEST);
	assert_null(request->query.data);
	assert_null(request->content_type.data);
	assert_true(slice_is(request->path_decoded, "/"));
	assert_non_null(request->body.data);
	assert_int_equal(request->body.len, 0);
	guard_fini(&guard);
}

static void
writes_the_request_in_one_clean_form(void **state)
{
	struct guard guard;
	struct buf out;

	(void)state;
	guard_init(&guard, &limits);
	buf_init(&out, 0);
	assert_int_equal(
	    feed_text(&guard,
		"\r\nPOST http://real/p?q HTTP/1.1\r\nHOST: other\r\nAccept:\t*/* \r\n"
		"Connection: x, close\r\nExpect: 100-continue\r\nTE: trailers\r\n"
		"Trailer: a\r\nKeep-Alive: 5\r\nProxy-Connection: y\r\nUpgrade: h2c\r\n"
		"HTTP2-Settings: z\r\nTransfer-Encoding: Chunked\r\nCookie: c\r\n\r\n"
		"2;x=y\r\nhi\r\n0\r\na: b\r\n\r\n"),
	    GUARD_REQUEST);
	guard_write_clean(&guard.request, &out);
	assert_string_equal(buf_text(&out),
	    "POST /p?q HTTP/1.1\r\nhost: real\r\naccept: */*\r\ncookie: c\r\n"
	    "connection: close\r\ncontent-length: 2\r\n\r\n");
	guard_fini(&guard);

	guard_init(&guard, &limits);
	buf_clear(&out);
	feed_text(&guard, "GET /a%20b? HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	guard_write_clean(&guard.request, &out);
	assert_string_equal(buf_text(&out),
	    "GET /a%20b? HTTP/1.0\r\nconnection: keep-alive\r\ncontent-length: 0\r\n\r\n");
	guard_fini(&guard);
	buf_fini(&out);
}

/* Is `text`, with each '@' in it replaced by the byte, taken as a request? */
static bool
accepts(const char *text, int byte)
{
	struct guard guard;
	struct buf data;
	size_t consumed;
	bool accepted;

	buf_init(&data, 0);
	for (const char *at = text; *at != '\0'; at++)
		buf_putc(&data, *at == '@' ? (char)byte : *at);
	guard_init(&guard, &limits);
	accepted = guard_feed(&guard, data.data, data.len, &consumed) == GUARD_REQUEST;
	guard_fini(&guard);
	buf_fini(&data);
	return accepted;
}

static void
knows_what_each_byte_may_be(void **state)
{
	static const char word[] = "0123456789"
				   "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	(void)state;
	for (int c = 0; c < 256; c++) {
		bool plain = c != 0 && strchr(word, c) != NULL;
		bool token = plain || (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL);
		bool host = plain || (c != 0 && strchr("-._~!$&'()*+,;=", c) != NULL);
		bool path = host || c == ':' || c == '@' || c == '/';
		bool query = c > ' ' && c < 0x7f && c != '"' && c != '#' && c != '<' && c != '>';
		bool value = c == '\t' || (c >= ' ' && c != 0x7f);

		assert_int_equal(accepts("@ / HTTP/1.1\r\nHost:\r\n\r\n", c), token);
		if (c != ':')
			assert_int_equal(
			    accepts("GET / HTTP/1.1\r\nHost:\r\na@: b\r\n\r\n", c), token);
		assert_int_equal(accepts("GET / HTTP/1.1\r\nHost:\r\na: b@c\r\n\r\n", c), value);
		assert_int_equal(accepts("GET / HTTP/1.1\r\nHost: b@c\r\n\r\n", c), host);
		if (c != '?')
			assert_int_equal(accepts("GET /@ HTTP/1.1\r\nHost:\r\n\r\n", c), path);
		assert_int_equal(accepts("GET /?@ HTTP/1.1\r\nHost:\r\n\r\n", c), query);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_continue_while_the_body_is_awaited),
		cmocka_unit_test(says_no_continue_that_nobody_needs),
		cmocka_unit_test(leaves_what_follows_the_request_to_the_caller),
		cmocka_unit_test(reads_no_request_behind_the_last_one),
		cmocka_unit_test(limits_the_request_line),
		cmocka_unit_test(limits_the_header_block),
		cmocka_unit_test(limits_trailers_and_chunk_extensions),
		cmocka_unit_test(limits_the_body_alike_in_both_framings),
		cmocka_unit_test(tells_idle_from_incomplete),
		cmocka_unit_test(fails_when_the_deadline_passes),
		cmocka_unit_test(holds_memory_for_what_arrived_only),
		cmocka_unit_test(answers_503_when_memory_is_out),
		cmocka_unit_test(hands_over_every_part_of_a_request),
		cmocka_unit_test(writes_the_request_in_one_clean_form),
		cmocka_unit_test(knows_what_each_byte_may_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
