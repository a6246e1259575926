/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Front guard: where a body ends, and that a request never hides in it.
 */
#include "guard_samples.h"

#define BAD_LENGTH    "400 Content-Length is no decimal number below 2^63"
#define NOT_CHUNKED   "400 the transfer coding does not end in one \"chunked\""
#define BAD_CODING    "400 Transfer-Encoding is malformed"
#define BAD_CHUNK     "400 a chunk size is no hexadecimal number"
#define BAD_EXTENSION "400 a chunk size is followed by a malformed extension"
#define LONG_CHUNK    "400 a chunk is longer than its size"

static void
reads_bodies_of_known_length(void **state)
{
#define LENGTH(text) POST "Content-Length:" text "\r\n\r\n"
	static const struct sample samples[] = {
		SAMPLE(LENGTH("5") "hello", "POST /p 1.1 keep [hello]\nidle"),
		SAMPLE(LENGTH(" \t5 \t") "hello", "POST /p 1.1 keep [hello]\nidle"),
		SAMPLE(
		    LENGTH("0000000000000000000000005") "hello", "POST /p 1.1 keep [hello]\nidle"),
		SAMPLE(LENGTH(" 5") "hell", "waits"),
		SAMPLE(LENGTH(" 0"), "POST /p 1.1 keep\nidle"),
		SAMPLE(POST "\r\n", "POST /p 1.1 keep\nidle"),
		SAMPLE(GET "Content-Length: 3\r\n\r\n\0\r\n",
		    "GET / 1.1 keep [\\x00\\x0d\\x0a]\nidle"),
		SAMPLE("POST / HTTP/1.0\r\nContent-Length: 1\r\n\r\nab",
		    "POST / 1.0 close [a]\nclosed"),
		SAMPLE(LENGTH(""), BAD_LENGTH),
		SAMPLE(LENGTH(" +5") "hello", BAD_LENGTH),
		SAMPLE(LENGTH(" -5") "hello", BAD_LENGTH),
		SAMPLE(LENGTH(" 0x5") "hello", BAD_LENGTH),
		SAMPLE(LENGTH(" 5 5") "hello", BAD_LENGTH),
		SAMPLE(LENGTH(" 5,5") "hello", BAD_LENGTH),
		SAMPLE(LENGTH(" 5, 5") "hello", BAD_LENGTH),
		SAMPLE(LENGTH(" 5;") "hello", BAD_LENGTH),
		SAMPLE(LENGTH(" 5.0") "hello", BAD_LENGTH),
		SAMPLE(LENGTH(" 5e0") "hello", BAD_LENGTH),
		SAMPLE(LENGTH(" \"5\"") "hello", BAD_LENGTH),
		SAMPLE(LENGTH(" \xd9\xa5") "hello", BAD_LENGTH),
		SAMPLE(LENGTH(" five") "hello", BAD_LENGTH),
		SAMPLE(LENGTH(" 9223372036854775808"), BAD_LENGTH),
		SAMPLE(LENGTH(" 18446744073709551616"), BAD_LENGTH),
		SAMPLE(LENGTH(" 18446744073709551621") "hello", BAD_LENGTH),
		SAMPLE(LENGTH(" 99999999999999999999999999999"), BAD_LENGTH),
		SAMPLE(LENGTH(" 9223372036854775807") "x", "POST /p 1.1 close large\nclosed"),
		SAMPLE(LENGTH(" 1048577") EVIL, "POST /p 1.1 close large\nclosed"),
		SAMPLE(LENGTH(" 1048576") "x", "waits"),
	};

	(void)state;
	check(samples, COUNT(samples));
}

static void
reads_chunked_bodies(void **state)
{
	static const struct sample samples[] = {
		SAMPLE(CHUNKED "5\r\nhello\r\n0\r\n\r\n", "POST /p 1.1 keep [hello]\nidle"),
		SAMPLE(CHUNKED "1\r\na\r\n2\r\nbc\r\n000\r\n\r\n", "POST /p 1.1 keep [abc]\nidle"),
		SAMPLE(CHUNKED "A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n",
		    "POST /p 1.1 keep [01234567890123456789]\nidle"),
		SAMPLE(CHUNKED "0\r\n\r\n", "POST /p 1.1 keep\nidle"),
		SAMPLE(CHUNKED "1\r\na\r\n0\r\nA: b\r\nContent-Length: 9\r\n\r\n" GET "\r\n",
		    "POST /p 1.1 keep [a]\nGET / 1.1 keep\nidle"),
		SAMPLE(POST "transfer-encoding: CHUNKED\r\n\r\n1\r\na\r\n0\r\n\r\n",
		    "POST /p 1.1 keep [a]\nidle"),
		SAMPLE(CHUNKED "1;a;b=c ; d = \"e;\\\"\r\\\\f\"\r\na\r\n0\r\n\r\n", BAD_EXTENSION),
		SAMPLE(CHUNKED "1;a;b=c\t; d = \"e;\\\"\\\\\t\xff\"\r\na\r\n0;z=\"\"\r\n\r\n",
		    "POST /p 1.1 keep [a]\nidle"),
		SAMPLE(CHUNKED "5\r\nhello\r\n0\r\n", "waits"),
		SAMPLE(CHUNKED "5\r\nhello\r\n0\r\n\r", "waits"),
		SAMPLE(CHUNKED "\r\n", BAD_CHUNK),
		SAMPLE(CHUNKED " 1\r\na\r\n", BAD_CHUNK),
		SAMPLE(CHUNKED "+1\r\na\r\n", BAD_CHUNK),
		SAMPLE(CHUNKED "-1\r\na\r\n", BAD_CHUNK),
		SAMPLE(CHUNKED "g\r\na\r\n", BAD_CHUNK),
		SAMPLE(CHUNKED ";a\r\na\r\n", BAD_CHUNK),
		SAMPLE(CHUNKED "0x1\r\na\r\n", BAD_EXTENSION),
		SAMPLE(CHUNKED "1 \r\na\r\n", BAD_EXTENSION),
		SAMPLE(CHUNKED "1 2\r\na\r\n", BAD_EXTENSION),
		SAMPLE(CHUNKED "1,\r\na\r\n", BAD_EXTENSION),
		SAMPLE(CHUNKED "1\0\r\na\r\n", BAD_EXTENSION),
		SAMPLE(CHUNKED "1;\r\na\r\n", BAD_EXTENSION),
		SAMPLE(CHUNKED "1;a=\r\na\r\n", BAD_EXTENSION),
		SAMPLE(CHUNKED "1;a=\"b\r\na\r\n", BAD_EXTENSION),
		SAMPLE(CHUNKED "1;a=\"b\\\r\na\r\n", BAD_EXTENSION),
		SAMPLE(CHUNKED "1;a=\"b\\\"\r\na\r\n", BAD_EXTENSION),
		SAMPLE(CHUNKED "1;a=\"\x01\"\r\na\r\n", BAD_EXTENSION),
		SAMPLE(CHUNKED "1;a=\"b\"c\r\na\r\n", BAD_EXTENSION),
		SAMPLE(CHUNKED "1;a b\r\na\r\n", BAD_EXTENSION),
		SAMPLE(CHUNKED "1;a\rb\r\na\r\n", BAD_EXTENSION),
		SAMPLE(CHUNKED "1\na\r\n", BARE_LF),
		SAMPLE(CHUNKED "1\r\na\n", LONG_CHUNK),
		SAMPLE(CHUNKED "1\r\nab\r\n", LONG_CHUNK),
		SAMPLE(CHUNKED "1\r\na\rb", LONG_CHUNK),
		SAMPLE(CHUNKED "1\r\na0\r\n\r\n", LONG_CHUNK),
		SAMPLE(CHUNKED "2\r\na\r\n0\r\n\r\n", LONG_CHUNK),
		SAMPLE(CHUNKED "8000000000000000\r\n", "400 a chunk size is beyond 2^63"),
		SAMPLE(CHUNKED "ffffffffffffffff\r\n", "400 a chunk size is beyond 2^63"),
		SAMPLE(CHUNKED "10000000000000001\r\na\r\n",
		    "400 a chunk size has more than 16 digits"),
		SAMPLE(CHUNKED "00000000000000001\r\na\r\n",
		    "400 a chunk size has more than 16 digits"),
		SAMPLE(CHUNKED "7fffffffffffffff\r\n" EVIL, "POST /p 1.1 close large\nclosed"),
		SAMPLE(CHUNKED "1\r\na\r\n100000\r\n" EVIL, "POST /p 1.1 close large\nclosed"),
		SAMPLE(CHUNKED "0\r\nA : b\r\n\r\n", "400 a header name is followed by a blank"),
		SAMPLE(CHUNKED "0\r\nA: b\n\r\n", BARE_LF),
		SAMPLE(CHUNKED "0\r\n\n", BARE_LF),
		SAMPLE(CHUNKED "0\r\nA: \0\r\n\r\n", MALFORMED_VALUE),
		SAMPLE(CHUNKED "0\r\n" EVIL, "400 a header name is followed by a blank"),
	};

	(void)state;
	check(samples, COUNT(samples));
}

/* Each of these has made some server see a second request where another saw a body. */
static void
never_makes_two_requests_of_one(void **state)
{
#define TE  "Transfer-Encoding: "
#define END "\r\n\r\n0\r\n\r\n" EVIL
	static const struct sample samples[] = {
		SAMPLE(POST "Content-Length: 5\r\n" TE "chunked" END,
		    "400 there is a Content-Length beside a Transfer-Encoding"),
		SAMPLE(POST TE "chunked\r\nContent-Length: 5" END,
		    "400 there is a Content-Length beside a Transfer-Encoding"),
		SAMPLE(POST "Content-Length: x\r\n" TE "chunked" END,
		    "400 there is a Content-Length beside a Transfer-Encoding"),
		SAMPLE(POST "Content-Length: 5\r\nContent-Length: 0" END,
		    "400 there is more than one Content-Length"),
		SAMPLE(POST "Content-Length: 0\r\ncontent-length: 0" END,
		    "400 there is more than one Content-Length"),
		SAMPLE(POST "Content-Length: 5, 0" END, BAD_LENGTH),
		SAMPLE(POST "Content-Length : 5" END, "400 a header name is followed by a blank"),
		SAMPLE(POST "Content-Length: \r\n 5" END,
		    "400 a header line begins with a blank (folding is not allowed)"),
		SAMPLE(POST "X: y\nContent-Length: 5" END, BARE_LF),
		SAMPLE(POST "X: y\rContent-Length: 5" END, MALFORMED_VALUE),
		SAMPLE(POST "X: y\0\r\nContent-Length: 5" END, MALFORMED_VALUE),
		SAMPLE("POST / HTTP/1.0\r\n" TE "chunked" END,
		    "400 HTTP/1.0 has no Transfer-Encoding"),
		SAMPLE(POST TE "gzip, chunked" END,
		    "501 no transfer coding but \"chunked\" is known here"),
		SAMPLE(POST TE "gzip\r\n" TE "chunked" END,
		    "501 no transfer coding but \"chunked\" is known here"),
		SAMPLE(POST TE "gzip;q=1, chunked" END,
		    "501 no transfer coding but \"chunked\" is known here"),
		SAMPLE(POST TE "chunked, chunked" END, NOT_CHUNKED),
		SAMPLE(POST TE "chunked\r\n" TE "chunked" END, NOT_CHUNKED),
		SAMPLE(POST TE "chunked\r\n" TE "identity" END, NOT_CHUNKED),
		SAMPLE(POST TE "chunked, gzip" END, NOT_CHUNKED),
		SAMPLE(POST TE "gzip" END, NOT_CHUNKED),
		SAMPLE(POST TE "identity" END, NOT_CHUNKED),
		SAMPLE(POST TE "xchunked" END, NOT_CHUNKED),
		SAMPLE(POST TE "chunke" END, NOT_CHUNKED),
		SAMPLE(POST TE END, BAD_CODING),
		SAMPLE(POST TE "chunked," END, BAD_CODING),
		SAMPLE(POST TE ", chunked" END, BAD_CODING),
		SAMPLE(POST TE "chunked chunked" END, BAD_CODING),
		SAMPLE(POST TE "\"chunked\"" END, BAD_CODING),
		SAMPLE(POST TE "chunked;a=b" END,
		    "400 the transfer coding \"chunked\" has no parameters"),
		SAMPLE(POST TE "\x0b"
			       "chunked" END,
		    MALFORMED_VALUE),
		SAMPLE(POST TE "chunked\0" END, MALFORMED_VALUE),
		SAMPLE(POST "Transfer-Encoding : chunked" END,
		    "400 a header name is followed by a blank"),
		SAMPLE(POST "Transfer_Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n",
		    "POST /p 1.1 keep [0\\x0d\\x0a]\nidle"),
		SAMPLE(POST "Transfer-Encoding:\tchunked \t" END,
		    "POST /p 1.1 keep\nGET /evil 1.1 keep\nidle"),
	};

	(void)state;
	check(samples, COUNT(samples));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_bodies_of_known_length),
		cmocka_unit_test(reads_chunked_bodies),
		cmocka_unit_test(never_makes_two_requests_of_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
