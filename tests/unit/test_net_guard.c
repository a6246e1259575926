/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Front guard: request lines, headers and what they decide.  Bodies are in
 * test_net_guard_body.c, the life of a guard and its limits in
 * test_net_guard_life.c.
 */
#include "guard_samples.h"

#define MALFORMED_NAME "400 a header name holds a character that is not allowed there"
#define BAD_HOST       "400 Host is malformed"
#define NO_METHOD      "400 the request line does not begin with a method"
#define NO_TARGET      "400 the request line lacks a target or a version"
#define NO_VERSION     "400 the request line does not end in a version"
#define OTHER_VERSION  "505 only HTTP/1.0 and HTTP/1.1 are spoken here"
#define BAD_PATH       "400 the path holds a character that has to be escaped"
#define BAD_ESCAPE     "400 the path holds a '%' without two hexadecimal digits behind it"
#define BAD_TARGET     "400 the target is neither a path nor an http address"
#define BAD_AUTHORITY  "400 the host of the target is malformed"

static void
reads_request_lines(void **state)
{
	static const struct sample samples[] = {
		SAMPLE("", "idle"),
		SAMPLE("G", "waits"),
		SAMPLE(GET, "waits"),
		SAMPLE(GET "\r", "waits"),
		SAMPLE(GET "\r\n", "GET / 1.1 keep\nidle"),
		SAMPLE("GET /a?b=%zz&c HTTP/1.1\r\n" H "\r\n", "GET /a?b=%zz&c 1.1 keep\nidle"),
		SAMPLE("GET /? HTTP/1.1\r\n" H "\r\n", "GET /? 1.1 keep\nidle"),
		SAMPLE("GET //a//?//? HTTP/1.1\r\n" H "\r\n", "GET //a//?//? 1.1 keep\nidle"),
		SAMPLE("OPTIONS * HTTP/1.1\r\n" H "\r\n", "OPTIONS * 1.1 keep\nidle"),
		SAMPLE("pat-CH! / HTTP/1.1\r\n" H "\r\n", "pat-CH! / 1.1 keep\nidle"),
		SAMPLE("GET / HTTP/1.0\r\n\r\n", "GET / 1.0 close\nclosed"),
		SAMPLE("\r\n\r\n" GET "\r\n", "GET / 1.1 keep\nidle"),
		SAMPLE("\r\n", "idle"),
		SAMPLE("\r\n\r\n\r\n" GET "\r\n", "400 there are empty lines before the request"),
		SAMPLE("\n" GET "\r\n", BARE_LF),
		SAMPLE("\r" GET "\r\n", NO_METHOD),
		SAMPLE(" GET / HTTP/1.1\r\n", NO_METHOD),
		SAMPLE("\x16\x03\x01\x02", NO_METHOD),
		SAMPLE("\0", NO_METHOD),
		SAMPLE("G\0ET / HTTP/1.1\r\n", NO_METHOD),
		SAMPLE("G(T / HTTP/1.1\r\n", NO_METHOD),
		SAMPLE("GET\t/ HTTP/1.1\r\n", NO_METHOD),
		SAMPLE("GET\r\n", NO_METHOD),
		SAMPLE("GET  / HTTP/1.1\r\n", NO_TARGET),
		SAMPLE("GET \r\n", NO_TARGET),
		SAMPLE("GET /\r\n", NO_TARGET),
		SAMPLE("GET / \r\n", NO_VERSION),
		SAMPLE("GET /  HTTP/1.1\r\n", NO_VERSION),
		SAMPLE("GET / HTTP/1.1 \r\n", NO_VERSION),
		SAMPLE("GET / /b HTTP/1.1\r\n", NO_VERSION),
		SAMPLE("GET / HTTP/1.1\n" H "\r\n", BARE_LF),
		SAMPLE("GET / HTTP/1.1\r\r\n", NO_VERSION),
		SAMPLE("GET / http/1.1\r\n", NO_VERSION),
		SAMPLE("GET / HTTP/11\r\n", NO_VERSION),
		SAMPLE("GET / HTTP/1.10\r\n", NO_VERSION),
		SAMPLE("GET / HTTP/1,1\r\n", NO_VERSION),
		SAMPLE("GET / HTTP/1.2\r\n", OTHER_VERSION),
		SAMPLE("GET / HTTP/0.9\r\n", OTHER_VERSION),
		SAMPLE("GET / HTTP/2.0\r\n", OTHER_VERSION),
		SAMPLE("GET / HTTP/9.9\r\n", OTHER_VERSION),
		SAMPLE("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", OTHER_VERSION),
	};

	(void)state;
	check(samples, COUNT(samples));
}

static void
serves_paths_and_own_addresses_only(void **state)
{
#define TARGET(text) "GET " text " HTTP/1.1\r\n" H "\r\n"
	static const struct sample samples[] = {
		SAMPLE(TARGET("/a%20b%C3%B3/%2f"), "GET /a%20b%C3%B3/%2f 1.1 keep\nidle"),
		SAMPLE(TARGET("/-._~!$&'()*+,;=:@"), "GET /-._~!$&'()*+,;=:@ 1.1 keep\nidle"),
		SAMPLE(TARGET("/?[]{}|\\^`"), "GET /?[]{}|\\^` 1.1 keep\nidle"),
		SAMPLE(TARGET("/%"), BAD_ESCAPE),
		SAMPLE(TARGET("/%4"), BAD_ESCAPE),
		SAMPLE(TARGET("/%4?1"), BAD_ESCAPE),
		SAMPLE(TARGET("/%g1"), BAD_ESCAPE),
		SAMPLE(TARGET("/%1g"), BAD_ESCAPE),
		SAMPLE(TARGET("/a%00"), "400 the path holds an escaped NUL"),
		SAMPLE(TARGET("/a\0b"), BAD_PATH),
		SAMPLE(TARGET("/\xc3\xb3"), BAD_PATH),
		SAMPLE(TARGET("/a\tb"), BAD_PATH),
		SAMPLE(TARGET("/a\rb"), BAD_PATH),
		SAMPLE(TARGET("/a\"b"), BAD_PATH),
		SAMPLE(TARGET("/a\\b"), BAD_PATH),
		SAMPLE(TARGET("/a#b"), BAD_PATH),
		SAMPLE(TARGET("/?a#b"), "400 the query holds a character that has to be escaped"),
		SAMPLE(TARGET("/?\x7f"), "400 the query holds a character that has to be escaped"),
		SAMPLE(TARGET("/?\0"), "400 the query holds a character that has to be escaped"),
		SAMPLE(TARGET("*"), "400 only OPTIONS may have the target \"*\""),
		SAMPLE(TARGET("a"), BAD_TARGET),
		SAMPLE(TARGET("*/"), BAD_TARGET),
		SAMPLE(TARGET("?a"), BAD_TARGET),
		SAMPLE(TARGET("http:/a"), BAD_TARGET),
		SAMPLE(TARGET("ftp://a/"), BAD_TARGET),
		SAMPLE(TARGET("http://a/b?c"), "GET /b?c 1.1 keep\nidle"),
		SAMPLE(TARGET("HTTPS://[::1]:443/b"), "GET /b 1.1 keep\nidle"),
		SAMPLE(TARGET("http://a:1"), "GET / 1.1 keep\nidle"),
		SAMPLE(TARGET("http://a?b"), "GET /?b 1.1 keep\nidle"),
		SAMPLE("OPTIONS http://a HTTP/1.1\r\n" H "\r\n", "OPTIONS * 1.1 keep\nidle"),
		SAMPLE("OPTIONS http://a/ HTTP/1.1\r\n" H "\r\n", "OPTIONS / 1.1 keep\nidle"),
		SAMPLE("OPTIONS http://a?b HTTP/1.1\r\n" H "\r\n", "OPTIONS /?b 1.1 keep\nidle"),
		SAMPLE(TARGET("http:///a"), BAD_AUTHORITY),
		SAMPLE(TARGET("http://"), BAD_AUTHORITY),
		SAMPLE(TARGET("http://:80/"), BAD_AUTHORITY),
		SAMPLE(TARGET("http://u@a/"), BAD_AUTHORITY),
		SAMPLE(TARGET("http://a:b/"), BAD_AUTHORITY),
		SAMPLE(TARGET("http://a#/"), BAD_AUTHORITY),
		SAMPLE("CONNECT a:443 HTTP/1.1\r\n", "400 this server is no proxy"),
		SAMPLE("CONNECT / HTTP/1.1\r\n", "400 this server is no proxy"),
	};

	(void)state;
	check(samples, COUNT(samples));
}

static void
refuses_malformed_header_lines(void **state)
{
	static const struct sample samples[] = {
		SAMPLE(GET "a:b\r\nC-d: \t e f\t \r\nempty:\r\nblank: \t\r\n\r\n",
		    "GET / 1.1 keep\nidle"),
		SAMPLE(GET "a: \x80\xff\t.\r\n\r\n", "GET / 1.1 keep\nidle"),
		SAMPLE(GET "a: b\r\n c: d\r\n\r\n",
		    "400 a header line begins with a blank (folding is not allowed)"),
		SAMPLE(GET "a: b\r\n\tc\r\n\r\n",
		    "400 a header line begins with a blank (folding is not allowed)"),
		SAMPLE("GET / HTTP/1.1\r\n " H "\r\n",
		    "400 a header line begins with a blank (folding is not allowed)"),
		SAMPLE(GET "a: b\n\r\n", BARE_LF),
		SAMPLE(GET "a: b\r\n\n", BARE_LF),
		SAMPLE(GET "a: b\nc: d\r\n\r\n", BARE_LF),
		SAMPLE(GET "a: b\rc: d\r\n\r\n", MALFORMED_VALUE),
		SAMPLE(GET "a: b\r\r\n\r\n", MALFORMED_VALUE),
		SAMPLE(GET "\r\r\n\r\n", "400 a header line has no colon"),
		SAMPLE(GET "a: b\0c\r\n\r\n", MALFORMED_VALUE),
		SAMPLE(GET "a: \x01\r\n\r\n", MALFORMED_VALUE),
		SAMPLE(GET "a: \x7f\r\n\r\n", MALFORMED_VALUE),
		SAMPLE(GET "a: \x0b\r\n\r\n", MALFORMED_VALUE),
		SAMPLE(GET "a : b\r\n\r\n", "400 a header name is followed by a blank"),
		SAMPLE(GET "a\t: b\r\n\r\n", "400 a header name is followed by a blank"),
		SAMPLE(GET "a b: c\r\n\r\n", "400 a header name is followed by a blank"),
		SAMPLE(GET ": b\r\n\r\n", "400 a header has no name"),
		SAMPLE(GET "a\r\n\r\n", "400 a header line has no colon"),
		SAMPLE(GET "a(: b\r\n\r\n", MALFORMED_NAME),
		SAMPLE(GET "a\0: b\r\n\r\n", MALFORMED_NAME),
		SAMPLE(GET "\0: b\r\n\r\n", MALFORMED_NAME),
		SAMPLE(GET "\xc3\xb3: b\r\n\r\n", MALFORMED_NAME),
		SAMPLE(GET "\"a\": b\r\n\r\n", MALFORMED_NAME),
		SAMPLE(GET "Content-Type: a\r\ncontent-type: a\r\n\r\n",
		    "400 there is more than one Content-Type"),
	};

	(void)state;
	check(samples, COUNT(samples));
}

static void
wants_one_valid_host(void **state)
{
#define HOST(text) "GET / HTTP/1.1\r\nHost:" text "\r\n\r\n"
	static const struct sample samples[] = {
		SAMPLE(HOST("a"), "GET / 1.1 keep\nidle"),
		SAMPLE(HOST(" a-b_c.example:8080 "), "GET / 1.1 keep\nidle"),
		SAMPLE(HOST(" [fe80::1]:80"), "GET / 1.1 keep\nidle"),
		SAMPLE(HOST(" [::ffff:1.2.3.4]"), "GET / 1.1 keep\nidle"),
		SAMPLE(HOST(" a%2Db:"), "GET / 1.1 keep\nidle"),
		SAMPLE(HOST(" a:65535"), "GET / 1.1 keep\nidle"),
		SAMPLE(HOST(""), "GET / 1.1 keep\nidle"),
		SAMPLE("GET / HTTP/1.1\r\n\r\n", "400 there is no Host"),
		SAMPLE("GET http://a/ HTTP/1.1\r\n\r\n", "400 there is no Host"),
		SAMPLE(GET H "\r\n", "400 there is more than one Host"),
		SAMPLE(GET "hOST: other\r\n\r\n", "400 there is more than one Host"),
		SAMPLE("GET / HTTP/1.0\r\n" H H "\r\n", "400 there is more than one Host"),
		SAMPLE("GET / HTTP/1.0\r\nHost: a b\r\n\r\n", BAD_HOST),
		SAMPLE("GET http://a/ HTTP/1.1\r\nHost: a/\r\n\r\n", BAD_HOST),
		SAMPLE(HOST("a b"), BAD_HOST),
		SAMPLE(HOST("a/b"), BAD_HOST),
		SAMPLE(HOST("u@a"), BAD_HOST),
		SAMPLE(HOST("a?"), BAD_HOST),
		SAMPLE(HOST("a%2"), BAD_HOST),
		SAMPLE(HOST("a\"b"), BAD_HOST),
		SAMPLE(HOST("\xc3\xb3"), BAD_HOST),
		SAMPLE(HOST(":80"), BAD_HOST),
		SAMPLE(HOST("a:65536"), BAD_HOST),
		SAMPLE(HOST("a:99999999999999999999"), BAD_HOST),
		SAMPLE(HOST("a:8a"), BAD_HOST),
		SAMPLE(HOST("a:-1"), BAD_HOST),
		SAMPLE(HOST("a:1:2"), BAD_HOST),
		SAMPLE(HOST("[::1"), BAD_HOST),
		SAMPLE(HOST("[]"), BAD_HOST),
		SAMPLE(HOST("["), BAD_HOST),
		SAMPLE(HOST("[::1]a"), BAD_HOST),
		SAMPLE(HOST("[g::1]"), BAD_HOST),
		SAMPLE(HOST("::1"), BAD_HOST),
	};

	(void)state;
	check(samples, COUNT(samples));
}

static void
decides_how_long_the_connection_lives(void **state)
{
#define CONNECTION(minor, text) "GET / HTTP/1." minor "\r\n" H "Connection: " text "\r\n\r\n"
	static const struct sample samples[] = {
		SAMPLE(CONNECTION("1", "close") EVIL, "GET / 1.1 close\nclosed"),
		SAMPLE(CONNECTION("1", "foo , CLOSE,bar") EVIL, "GET / 1.1 close\nclosed"),
		SAMPLE(CONNECTION("1", "foo\r\nConnection: close") EVIL, "GET / 1.1 close\nclosed"),
		SAMPLE(CONNECTION("1", "keep-alive, close"), "GET / 1.1 close\nclosed"),
		SAMPLE(CONNECTION("1", "closed"), "GET / 1.1 keep\nidle"),
		SAMPLE(CONNECTION("1", "close-not"), "GET / 1.1 keep\nidle"),
		SAMPLE(CONNECTION("1", ",, keep-alive,"), "GET / 1.1 keep\nidle"),
		SAMPLE(CONNECTION("1", ""), "GET / 1.1 keep\nidle"),
		SAMPLE(CONNECTION("1", "a b"), "400 Connection is no list of tokens"),
		SAMPLE(CONNECTION("1", "\"close\""), "400 Connection is no list of tokens"),
		SAMPLE(
		    CONNECTION("0", "Keep-Alive") EVIL, "GET / 1.0 keep\nGET /evil 1.1 keep\nidle"),
		SAMPLE(CONNECTION("0", "keep-alive, close") EVIL, "GET / 1.0 close\nclosed"),
		SAMPLE(CONNECTION("0", "x") EVIL, "GET / 1.0 close\nclosed"),
	};

	(void)state;
	check(samples, COUNT(samples));
}

static void
flags_web_socket_upgrades(void **state)
{
#define UPGRADE(start, value, option) start "Upgrade: " value "\r\nConnection: " option "\r\n"
	static const struct sample samples[] = {
		SAMPLE(UPGRADE(GET, "websocket", "Upgrade") "\r\n", "GET / 1.1 keep upgrade\nidle"),
		SAMPLE(UPGRADE(GET, "WebSocket", "keep-alive, upgrade") "\r\n",
		    "GET / 1.1 keep upgrade\nidle"),
		SAMPLE(UPGRADE(GET, "h2c, websocket", "upgrade") "\r\n",
		    "GET / 1.1 keep upgrade\nidle"),
		SAMPLE(UPGRADE(GET, "websocket/13", "upgrade") "\r\n", "GET / 1.1 keep\nidle"),
		SAMPLE(UPGRADE(GET, "h2c", "upgrade") "\r\n", "GET / 1.1 keep\nidle"),
		SAMPLE(UPGRADE(GET, "websocket", "keep-alive") "\r\n", "GET / 1.1 keep\nidle"),
		SAMPLE(UPGRADE(POST, "websocket", "upgrade") "\r\n", "POST /p 1.1 keep\nidle"),
		SAMPLE(UPGRADE("GET / HTTP/1.0\r\n", "websocket", "upgrade, keep-alive") "\r\n",
		    "GET / 1.0 keep\nidle"),
		SAMPLE(UPGRADE(GET, "websocket", "upgrade") "Content-Length: 1\r\n\r\na",
		    "GET / 1.1 keep [a]\nidle"),
	};

	(void)state;
	check(samples, COUNT(samples));
}

static void
meets_no_expectation_but_continue(void **state)
{
#define EXPECT(minor, text)                                                                        \
	"POST /p HTTP/1." minor "\r\n" H "Content-Length: 1\r\nExpect: " text "\r\n\r\na"
	static const struct sample samples[] = {
		SAMPLE(EXPECT("1", "100-continue"), "POST /p 1.1 keep [a]\nidle"),
		SAMPLE(EXPECT("1", "100-Continue"), "POST /p 1.1 keep [a]\nidle"),
		SAMPLE(EXPECT("1", "200-ok"), "417 no expectation but 100-continue can be met"),
		SAMPLE(EXPECT("1", "100-continue, x"),
		    "417 no expectation but 100-continue can be met"),
		SAMPLE(EXPECT("1", "100-continue\r\nExpect: x"),
		    "417 no expectation but 100-continue can be met"),
		SAMPLE(EXPECT("1", ""), "417 no expectation but 100-continue can be met"),
		SAMPLE(EXPECT("0", "200-ok"), "POST /p 1.0 close [a]\nclosed"),
	};

	(void)state;
	check(samples, COUNT(samples));
}

static void
serves_a_pipeline_in_order(void **state)
{
	static const struct sample samples[] = {
		SAMPLE(GET "\r\n" POST "Content-Length: 2\r\n\r\nab" CHUNKED
			   "1\r\nc\r\n0\r\n\r\n\r\n" GET "\r\nG",
		    "GET / 1.1 keep\nPOST /p 1.1 keep [ab]\nPOST /p 1.1 keep [c]\nGET / 1.1 keep\n"
		    "waits"),
		SAMPLE(GET "\r\n" GET "\r\nGET x HTTP/1.1\r\n" EVIL,
		    "GET / 1.1 keep\nGET / 1.1 keep\n" BAD_TARGET),
		SAMPLE(GET "\r\nBAD\r\n" EVIL, "GET / 1.1 keep\n" NO_METHOD),
	};

	(void)state;
	check(samples, COUNT(samples));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_request_lines),
		cmocka_unit_test(serves_paths_and_own_addresses_only),
		cmocka_unit_test(refuses_malformed_header_lines),
		cmocka_unit_test(wants_one_valid_host),
		cmocka_unit_test(decides_how_long_the_connection_lives),
		cmocka_unit_test(flags_web_socket_upgrades),
		cmocka_unit_test(meets_no_expectation_but_continue),
		cmocka_unit_test(serves_a_pipeline_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
