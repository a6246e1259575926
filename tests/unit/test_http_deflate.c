/* SPDX-License-Identifier: Apache-2.0 */
/*
 * permessage-deflate on real connections: the handshake's answer, compressed
 * messages both ways, and modules whose struct is too old to ask for it.
 */
#include "http_kit.h"
#include "ws/deflate.h"
#include "ws/socket.h"
#include "ws_inflate.h"

#include <stdatomic.h>

#define MAX_MESSAGE 70000
#define LONG        5000 /* bytes of a message over the threshold */

static void
message(struct convro_ctx *ctx, struct convro_socket *socket, void *arg, int binary,
    const char *data, size_t len)
{
	(void)ctx;
	(void)arg;
	socket_table.send_data(socket, data, len, binary);
}

static void
closed(struct convro_ctx *ctx, struct convro_socket *socket, void *arg, int code, const char *why)
{
	(void)ctx;
	(void)socket;
	(void)arg;
	(void)code;
	(void)why;
}

#define EVENTS .max_message = MAX_MESSAGE, .max_queue = 500000, .message = message, .closed = closed

static const struct convro_socket_events
    deflating = { .size = sizeof(deflating), EVENTS, .deflate = 1 },
    eager = { .size = sizeof(eager), EVENTS, .deflate = 1, .deflate_threshold = 10 },
    silent = { .size = sizeof(silent), EVENTS },
    /* As compiled before there was compression: what lies behind is not its own. */
    old = { .size = offsetof(struct convro_socket_events, deflate), EVENTS, .deflate = 1 };

static int
serve(struct convro_ctx *ctx, void *self)
{
	const char *path = http_table.query(ctx, "as");

	(void)self;
	(void)http_table.upgrade(ctx,
	    path[0] == 'd'   ? &deflating
	    : path[0] == 'e' ? &eager
	    : path[0] == 's' ? &silent
			     : &old,
	    NULL);
	return CONVRO_OK;
}

static const struct convro_route routes[] = {
	{ .method = CONVRO_GET,
	    .path = "/on",
	    .access = CONVRO_PUBLIC,
	    .handler = serve,
	    .flags = CONVRO_ROUTE_RAW },
};

static int
start(void **state)
{
	static const char *const settings[] = { "log.level=error", NULL };
	struct kit *kit = kit_new(routes, sizeof(routes) / sizeof(routes[0]), NULL, 0, settings);

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

/* ---- client ---- */

/* `extensions` are whole header lines; the answer is checked for `expected`, NULL = none. */
static int
upgrade(const struct kit *kit, const char *as, const char *extensions, const char *expected)
{
	int fd = dial(kit);
	char text[1024];
	struct answer answer;

	(void)snprintf(text, sizeof(text),
	    "GET /on?as=%s HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n",
	    as, extensions);
	say(fd, text);
	answer = hear(fd, false);
	assert_int_equal(answer.status, 101);
	if (expected == NULL)
		assert_null(header_of(&answer, "sec-websocket-extensions"));
	else
		assert_string_equal(header_of(&answer, "sec-websocket-extensions"), expected);
	answer_free(&answer);
	return fd;
}

/* A frame with a mask of zeros. */
static void
send_frame(int fd, unsigned first, const char *data, size_t len)
{
	unsigned char head[8] = { (unsigned char)first, (unsigned char)(0x80 | len) };
	size_t size = 6;

	if (len >= 126) {
		head[1] = 0x80 | 126;
		head[2] = (unsigned char)(len >> 8);
		head[3] = (unsigned char)len;
		size = 8;
	}
	say_n(fd, (const char *)head, size);
	if (len > 0)
		say_n(fd, data, len);
}

/* The first byte of the next frame, which is shorter than 64 KiB; -1 at the end. */
static int
hear_frame(int fd, char *out, size_t *len)
{
	unsigned char head[2], size[2];

	if (recv(fd, head, 2, MSG_WAITALL) != 2)
		return -1;
	*len = head[1];
	if (head[1] == 126) {
		assert_int_equal(recv(fd, size, 2, MSG_WAITALL), 2);
		*len = (size_t)size[0] << 8 | size[1];
	}
	if (*len > 0)
		assert_int_equal(recv(fd, out, *len, MSG_WAITALL), (ssize_t)*len);
	return head[0];
}

static size_t
compress_as_client(const char *data, size_t len, char *out, size_t size)
{
	struct ws_deflate *streams = ws_deflate_new();
	size_t wrote = ws_deflate_message(streams, 15, data, len, out, size);

	ws_deflate_free(streams);
	assert_int_not_equal(wrote, 0);
	return wrote;
}

#define OFFER  "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
#define AGREED "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

/* ---- tests ---- */

static void
compresses_both_ways(void **state)
{
	static char text[LONG + 1], packed[LONG], got[65536];
	int fd = upgrade(*state, "d", OFFER, AGREED);
	size_t len, size;

	memset(text, 'z', LONG);
	size = compress_as_client(text, LONG, packed, sizeof(packed));
	for (int i = 0; i < 3; i++) {
		send_frame(fd, 0xc1, packed, size);
		assert_int_equal(hear_frame(fd, got, &len), 0xc1);
		assert_true(is_inflated_by_zlib(got, len, 15, text, LONG));
	}
	/* In pieces, with a ping between. */
	send_frame(fd, 0x42, packed, 3);
	send_frame(fd, 0x89, "p", 1);
	send_frame(fd, 0x80, packed + 3, size - 3);
	assert_int_equal(hear_frame(fd, got, &len), 0x8a);
	assert_int_equal(hear_frame(fd, got, &len), 0xc2);
	assert_true(is_inflated_by_zlib(got, len, 15, text, LONG));
	/* Short ones are left alone. */
	send_frame(fd, 0x81, text, 1023);
	assert_int_equal(hear_frame(fd, got, &len), 0x81);
	send_frame(fd, 0x81, text, 1024);
	assert_int_equal(hear_frame(fd, got, &len), 0xc1);
	(void)close(fd);
	assert_true(kit_settles(*state));
}

static void
keeps_to_the_window_and_threshold_asked_for(void **state)
{
	static char text[LONG + 1], got[65536];
	int fd = upgrade(*state, "e",
	    "Sec-WebSocket-Extensions: x-other\r\n"
	    "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=9\r\n",
	    AGREED "; server_max_window_bits=9");
	size_t len;

	for (size_t i = 0; i < LONG; i++)
		text[i] = (char)('a' + i / 3 % 7);
	send_frame(fd, 0x82, text, LONG);
	assert_int_equal(hear_frame(fd, got, &len), 0xc2);
	assert_true(is_inflated_by_zlib(got, len, 9, text, LONG));
	send_frame(fd, 0x82, "aaaaaaaaaa", 10);
	assert_int_equal(hear_frame(fd, got, &len), 0xc2);
	send_frame(fd, 0x82, "aaaaaaaaa", 9);
	assert_int_equal(hear_frame(fd, got, &len), 0x82);
	(void)close(fd);
	assert_true(kit_settles(*state));
}

static void
compresses_only_where_both_want_it(void **state)
{
	static char text[LONG + 1], got[65536];
	static const char *const as[] = { "s", "o", "d", "d" };
	static const char *const offers[] = { OFFER, OFFER, "",
		"Sec-WebSocket-Extensions: permessage-deflate; surprise\r\n" };
	size_t len;

	for (int i = 0; i < 4; i++) {
		int fd = upgrade(*state, as[i], offers[i], NULL);

		send_frame(fd, 0x82, text, LONG);
		assert_int_equal(hear_frame(fd, got, &len), 0x82);
		assert_int_equal(len, LONG);
		send_frame(fd, 0xc2, text, 1);
		assert_int_equal(hear_frame(fd, got, &len), 0x88);
		assert_memory_equal(got, "\x03\xea", 2);
		(void)close(fd);
	}
	assert_true(kit_settles(*state));
}

static void
ends_with_the_code_that_says_why(void **state)
{
	static char zeros[MAX_MESSAGE + 1], packed[1000], got[65536];
	size_t size = compress_as_client(zeros, sizeof(zeros), packed, sizeof(packed)), len;
	int fd = upgrade(*state, "d", OFFER, AGREED);

	send_frame(fd, 0xc2, packed, size);
	send_frame(fd, 0xc2, packed, size);
	assert_int_equal(hear_frame(fd, got, &len), 0x88);
	assert_memory_equal(got, "\x03\xf1", 2); /* 1009 */
	assert_true(is_over(fd));
	(void)close(fd);

	fd = upgrade(*state, "d", OFFER, AGREED);
	send_frame(fd, 0xc1, "\x06", 1);
	assert_int_equal(hear_frame(fd, got, &len), 0x88);
	assert_memory_equal(got, "\x03\xef", 2); /* 1007 */
	assert_true(is_over(fd));
	(void)close(fd);
	assert_true(kit_settles(*state));
}

static void
refuses_malformed_extensions(void **state)
{
	expect(*state,
	    "GET /on?as=d HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	    "Sec-WebSocket-Extensions: permessage-deflate;;\r\n\r\n",
	    400, "BAD_REQUEST");
	assert_true(kit_settles(*state));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compresses_both_ways),
		cmocka_unit_test(keeps_to_the_window_and_threshold_asked_for),
		cmocka_unit_test(compresses_only_where_both_want_it),
		cmocka_unit_test(ends_with_the_code_that_says_why),
		cmocka_unit_test(refuses_malformed_extensions),
	};

	return cmocka_run_group_tests(tests, start, end);
}
