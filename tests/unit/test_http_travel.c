/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WebSocket after the handshake, and requests that belong to another worker
 * than the one they arrived at.  The worker a connection arrives at is the
 * kernel's choice, so each case runs on many connections.
 */
#include "http_kit.h"

#include <stdatomic.h>

#define ROUNDS 16

static atomic_int closed_count, last_code, gone_count;
static const char *_Atomic last_why;

/* ---- module ---- */

static void
message(struct convro_ctx *ctx, struct convro_socket *socket, void *arg, int binary,
    const char *data, size_t len)
{
	(void)arg;
	if (len == 5 && memcmp(data, "close", 5) == 0) {
		socket_table.close(socket, 1000, "bye");
	} else if (len == 5 && memcmp(data, "abort", 5) == 0) {
		socket_table.abort(socket);
	} else if (len == 5 && memcmp(data, "where", 5) == 0) {
		char text[8];

		(void)snprintf(text, sizeof(text), "%u", ctx->worker->index);
		socket_table.send_data(socket, text, strlen(text), 0);
	} else if (len == 5 && memcmp(data, "flood", 5) == 0) {
		char *much = mem_table.zero(ctx, 100000);

		for (int i = 0; i < 100; i++)
			socket_table.send_data(socket, much, 100000, 1);
	} else {
		struct convro_frame *frame = socket_table.frame(data, len, binary);

		socket_table.send(socket, frame);
		socket_table.frame_unref(frame);
	}
}

static void
closed(struct convro_ctx *ctx, struct convro_socket *socket, void *arg, int code, const char *why)
{
	(void)ctx;
	(void)socket;
	(void)arg;
	last_code = code;
	last_why = why;
	closed_count++;
}

static const struct convro_socket_events events = {
	.size = sizeof(events),
	.max_message = 70000,
	.max_queue = 500000,
	.message = message,
	.closed = closed,
};

static void
left(struct convro_ctx *ctx, void *arg)
{
	(void)arg;
	gone_count++;
	(void)http_table.reply_raw(ctx, 200, "text/plain", "gone", 4);
}

static void
sleep_a_bit(void *arg)
{
	(void)arg;
	usleep(20000);
}

static void
slept(struct convro_ctx *ctx, void *arg)
{
	(void)arg;
	(void)http_table.reply_raw(ctx, 200, "text/plain", "slept", 5);
}

static int
serve(struct convro_ctx *ctx, void *self)
{
	const char *what = http_table.query(ctx, "do");
	size_t len;
	const char *body = http_table.body(ctx, &len);
	char text[64];

	(void)self;
	if (http_table.is_upgrade(ctx)) {
		(void)http_table.upgrade(ctx, &events, NULL);
		return CONVRO_OK;
	}
	if (what != NULL && strcmp(what, "hold") == 0) {
		http_table.hold(ctx, 0, left, NULL);
		return CONVRO_OK;
	}
	if (what != NULL && strcmp(what, "upgrade") == 0) {
		(void)http_table.upgrade(ctx, &events, NULL);
		return CONVRO_OK;
	}
	if (what != NULL && strcmp(what, "later") == 0)
		return (int)work_table.offload(ctx, sleep_a_bit, slept, NULL);
	(void)snprintf(text, sizeof(text), "%u:%.*s", ctx->worker->index, (int)len, body);
	return http_table.reply_raw(ctx, 200, "text/plain", text, strlen(text));
}

static int
refuse(struct convro_ctx *ctx, void *self)
{
	(void)self;
	return http_table.fail_field(ctx, 403, "FORBIDDEN", NULL);
}

static int
owner(void *self, const char *query, size_t len)
{
	(void)self;
	return len > 1 && query[0] == 'w' ? query[2] - '0' : -1;
}

#define RAW_ROUTE(m, p, h)                                                                         \
	{                                                                                          \
		.method = (m), .path = (p), .access = CONVRO_PUBLIC, .handler = (h),               \
		.flags = CONVRO_ROUTE_RAW, .worker = owner                                         \
	}

static const struct convro_route routes[] = {
	RAW_ROUTE(CONVRO_GET, "/on", serve),
	RAW_ROUTE(CONVRO_POST, "/on", serve),
	RAW_ROUTE(CONVRO_GET, "/never", refuse),
};

static const char *const settings[] = { "log.level=error", NULL };

static int
start(void **state)
{
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

#define TO " HTTP/1.1\r\nHost: h\r\n"
#define UPGRADE                                                                                    \
	"Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n"   \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

/* A masked client frame of less than 64 KiB. */
static size_t
mask(char *out, int opcode, const char *data, size_t len)
{
	static const unsigned char key[4] = { 1, 2, 3, 4 };
	size_t at = 0;

	out[at++] = (char)(0x80 | opcode);
	out[at++] = (char)(0x80 | (len < 126 ? len : 126));
	if (len >= 126) {
		out[at++] = (char)(len >> 8);
		out[at++] = (char)(len & 0xff);
	}
	memcpy(out + at, key, 4);
	at += 4;
	for (size_t i = 0; i < len; i++)
		out[at++] = (char)((unsigned char)data[i] ^ key[i % 4]);
	return at;
}

static void
send_frame(int fd, int opcode, const char *data, size_t len)
{
	char *frame = malloc(len + 16);

	say_n(fd, frame, mask(frame, opcode, data, len));
	free(frame);
}

/* Reads one frame; its opcode, or -1 at the end. */
static int
hear_frame(int fd, char *out, size_t size, size_t *len)
{
	unsigned char head[10];
	size_t left_over;

	if (recv(fd, head, 2, MSG_WAITALL) != 2)
		return -1;
	left_over = head[1];
	if (left_over == 126) {
		assert_int_equal(recv(fd, head + 2, 2, MSG_WAITALL), 2);
		left_over = (size_t)head[2] << 8 | head[3];
	} else if (left_over == 127) {
		assert_int_equal(recv(fd, head + 2, 8, MSG_WAITALL), 8);
		left_over = (size_t)head[7] << 16 | (size_t)head[8] << 8 | head[9];
	}
	assert_true(left_over < size);
	*len = left_over;
	if (left_over > 0)
		assert_int_equal(recv(fd, out, left_over, MSG_WAITALL), (ssize_t)left_over);
	out[left_over] = '\0';
	return head[0] & 0xf;
}

static int
upgrade(const struct kit *kit, const char *target)
{
	int fd = dial(kit);
	char text[512];
	struct answer answer;

	(void)snprintf(text, sizeof(text), "GET %s" TO UPGRADE, target);
	say(fd, text);
	answer = hear(fd, false);
	assert_int_equal(answer.status, 101);
	assert_string_equal(
	    header_of(&answer, "sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	answer_free(&answer);
	return fd;
}

static void
wait_for_closed(int count)
{
	for (int i = 0; i < 1000 && closed_count < count; i++)
		usleep(10000);
	assert_int_equal(closed_count, count);
}

/* ---- tests ---- */

static void
echoes_messages_of_any_size(void **state)
{
	static char sent[70001], got[70001];
	static const size_t sizes[] = { 0, 1, 125, 126, 4000, 65535 };
	int fd = upgrade(*state, "/on");
	size_t len;

	memset(sent, 'm', sizeof(sent));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		send_frame(fd, i % 2 == 0 ? 1 : 2, sent, sizes[i]);
		assert_int_equal(hear_frame(fd, got, sizeof(got), &len), i % 2 == 0 ? 1 : 2);
		assert_int_equal(len, sizes[i]);
		assert_memory_equal(got, sent, len);
	}
	send_frame(fd, 9, "ping", 4);
	assert_int_equal(hear_frame(fd, got, sizeof(got), &len), 10);
	assert_string_equal(got, "ping");
	(void)close(fd);
	assert_true(kit_settles(*state));
}

static void
reads_what_came_behind_the_handshake(void **state)
{
	for (int i = 0; i < ROUNDS; i++) {
		char text[1024], got[64];
		int fd = dial(*state);
		struct answer answer;
		size_t len = (size_t)snprintf(
		    text, sizeof(text), "GET /on?w=%d" TO UPGRADE, i % KIT_WORKERS);

		len += mask(text + len, 1, "early", 5);
		len += mask(text + len, 1, "where", 5);
		say_n(fd, text, len);
		answer = hear(fd, false);
		assert_int_equal(answer.status, 101);
		answer_free(&answer);
		assert_int_equal(hear_frame(fd, got, sizeof(got), &len), 1);
		assert_string_equal(got, "early");
		assert_int_equal(hear_frame(fd, got, sizeof(got), &len), 1);
		assert_int_equal(got[0], '0' + i % KIT_WORKERS);
		(void)close(fd);
	}
	assert_true(kit_settles(*state));
}

static void
upgrades_behind_pipelined_requests(void **state)
{
	int fd = dial(*state);
	char got[64];
	size_t len;
	struct answer answer;

	say(fd, "GET /on?do=later" TO "\r\nGET /on" TO "\r\nGET /on" TO UPGRADE);
	send_frame(fd, 1, "x", 1);
	for (int i = 0; i < 3; i++) {
		answer = hear(fd, false);
		assert_int_equal(answer.status, i == 2 ? 101 : 200);
		answer_free(&answer);
	}
	assert_int_equal(hear_frame(fd, got, sizeof(got), &len), 1);
	(void)close(fd);
	assert_true(kit_settles(*state));
}

static void
closes_in_each_of_the_ways(void **state)
{
	int before = closed_count;
	int fd = upgrade(*state, "/on");
	char got[128];
	size_t len;

	send_frame(fd, 8, "\x03\xe9", 2); /* the client closes with 1001 */
	assert_int_equal(hear_frame(fd, got, sizeof(got), &len), 8);
	assert_memory_equal(got, "\x03\xe9", 2);
	assert_true(is_over(fd));
	(void)close(fd);
	wait_for_closed(before + 1);
	assert_int_equal(last_code, 1001);

	fd = upgrade(*state, "/on");
	send_frame(fd, 1, "close", 5); /* the server closes */
	assert_int_equal(hear_frame(fd, got, sizeof(got), &len), 8);
	assert_memory_equal(got,
	    "\x03\xe8"
	    "bye",
	    5);
	send_frame(fd, 8, "\x03\xe8", 2);
	assert_true(is_over(fd));
	(void)close(fd);
	wait_for_closed(before + 2);
	assert_int_equal(last_code, 1000);

	fd = upgrade(*state, "/on");
	send_frame(fd, 1, "abort", 5);
	assert_true(is_over(fd));
	(void)close(fd);
	wait_for_closed(before + 3);
	assert_int_equal(last_code, 1006);

	fd = upgrade(*state, "/on");
	say_n(fd, "\x81\x01x", 3); /* not masked */
	assert_int_equal(hear_frame(fd, got, sizeof(got), &len), 8);
	assert_memory_equal(got, "\x03\xea", 2);
	assert_true(is_over(fd));
	(void)close(fd);
	wait_for_closed(before + 4);
	assert_int_equal(last_code, 1002);

	fd = upgrade(*state, "/on");
	(void)close(fd); /* without a word */
	wait_for_closed(before + 5);
	assert_int_equal(last_code, 1006);
	assert_string_equal(last_why, "transport close");

	fd = upgrade(*state, "/on");
	send_frame(fd, 1, "flood", 5); /* more than its queue may hold */
	wait_for_closed(before + 6);
	assert_string_equal(last_why, "overflow");
	(void)close(fd);
	assert_true(kit_settles(*state));
}

static void
refuses_bad_handshakes(void **state)
{
	struct answer answer = ask(*state,
	    "GET /on?do=upgrade" TO "Upgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");

	assert_int_equal(answer.status, 426);
	assert_string_equal(header_of(&answer, "sec-websocket-version"), "13");
	answer_free(&answer);
	expect(*state, "GET /on?do=upgrade" TO "\r\n", 400, "BAD_REQUEST");
	for (int i = 0; i < ROUNDS; i++) {
		expect(*state, "GET /never?w=0" TO UPGRADE, 403, "FORBIDDEN");
		expect(*state, "GET /never?w=1" TO UPGRADE, 403, "FORBIDDEN");
	}
	assert_true(kit_settles(*state));
}

static void
runs_a_request_on_the_worker_it_belongs_to(void **state)
{
	for (int i = 0; i < ROUNDS; i++) {
		int fd = dial(*state);

		for (int w = 0; w < 2 * KIT_WORKERS; w++) {
			char text[256];
			struct answer answer;

			(void)snprintf(text, sizeof(text),
			    "POST /on?w=%d" TO "Content-Length: 3\r\n\r\nabc%s", w % KIT_WORKERS,
			    w == 0 ? "GET /on" TO "\r\n" : "");
			say(fd, text);
			answer = hear(fd, false);
			(void)snprintf(text, sizeof(text), "%d:abc", w % KIT_WORKERS);
			assert_string_equal(answer.body, text);
			answer_free(&answer);
			if (w == 0) {
				answer = hear(fd, false);
				assert_int_equal(answer.status, 200);
				answer_free(&answer);
			}
		}
		(void)close(fd);
	}
	assert_true(kit_settles(*state));
}

static void
tells_the_owner_that_the_client_left(void **state)
{
	int before = gone_count;
	int fds[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		fds[i] = dial(*state);
		say(fds[i],
		    i % 2 == 0 ? "GET /on?w=0&do=hold" TO "\r\n" : "GET /on?w=1&do=hold" TO "\r\n");
	}
	usleep(50000);
	for (int i = 0; i < ROUNDS; i++)
		(void)close(fds[i]);
	for (int i = 0; i < 1000 && gone_count < before + ROUNDS; i++)
		usleep(10000);
	assert_int_equal(gone_count, before + ROUNDS);
	assert_true(kit_settles(*state));
}

static void
survives_clients_that_vanish_on_the_way(void **state)
{
	for (int i = 0; i < 4 * ROUNDS; i++) {
		int fd = dial(*state);

		say(fd, i % 2 == 0 ? "GET /on?w=0&do=later" TO "\r\n" : "GET /on?w=1" TO UPGRADE);
		usleep((useconds_t)(i * 20));
		(void)close(fd);
	}
	assert_true(kit_settles(*state));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(echoes_messages_of_any_size),
		cmocka_unit_test(reads_what_came_behind_the_handshake),
		cmocka_unit_test(upgrades_behind_pipelined_requests),
		cmocka_unit_test(closes_in_each_of_the_ways),
		cmocka_unit_test(refuses_bad_handshakes),
		cmocka_unit_test(runs_a_request_on_the_worker_it_belongs_to),
		cmocka_unit_test(tells_the_owner_that_the_client_left),
		cmocka_unit_test(survives_clients_that_vanish_on_the_way),
	};

	return cmocka_run_group_tests(tests, start, end);
}
