/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers of HTTP servers, whole and in pieces.
 */
#include "response.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above it. */
#include <cmocka.h>

#include <string.h>

/* The answer is incomplete at every shorter length, and then this. */
static void
reads(const char *answer, int status, const char *body, bool close)
{
	char bytes[512];
	struct response response;

	for (size_t len = 0; len < strlen(answer); len++) {
		memcpy(bytes, answer, len);
		assert_int_equal(response_read(bytes, len, &response), RESPONSE_INCOMPLETE);
	}
	memcpy(bytes, answer, strlen(answer));
	assert_int_equal(response_read(bytes, strlen(answer), &response), RESPONSE_READ);
	assert_int_equal(response.status, status);
	assert_int_equal(response.close, close);
	assert_int_equal(response.body_len, strlen(body));
	assert_memory_equal(response.body, body, strlen(body));
}

static void
reads_a_body_with_a_length(void **state)
{
	(void)state;
	reads("HTTP/1.1 200 OK\r\nX-A: b\r\ncontent-length:  5\r\n\r\nhello", 200, "hello", false);
	reads("HTTP/1.1 201 Created\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", 201, "",
	    true);
}

static void
joins_chunks(void **state)
{
	(void)state;
	reads("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA;x=y\r\n, "
	      "world!!!\r\n0\r\n\r\n",
	    200, "hello, world!!!", false);
}

static void
reads_an_answer_that_has_no_body(void **state)
{
	(void)state;
	reads("HTTP/1.1 204 No Content\r\n\r\n", 204, "", false);
}

static void
refuses_what_is_no_answer(void **state)
{
	char banner[] = "SSH-2.0-OpenSSH\r\n\r\n";
	char endless[] = "HTTP/1.1 200 OK\r\n\r\n";
	char chunk[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n";
	struct response response;

	(void)state;
	assert_int_equal(response_read(banner, strlen(banner), &response), RESPONSE_WRONG);
	assert_int_equal(response_read(endless, strlen(endless), &response), RESPONSE_WRONG);
	assert_int_equal(response_read(chunk, strlen(chunk), &response), RESPONSE_WRONG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_body_with_a_length),
		cmocka_unit_test(joins_chunks),
		cmocka_unit_test(reads_an_answer_that_has_no_body),
		cmocka_unit_test(refuses_what_is_no_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
