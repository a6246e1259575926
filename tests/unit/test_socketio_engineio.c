/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Engine.IO packets and payloads.
 */
/* The module links against nothing of ours, so its code is compiled in. */
#include "../../modules/socketio/base64.c"
#include "../../modules/socketio/engineio.c"
#include "../../modules/socketio/text.c"

#include <stdio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka needs the three above it. */
#include <cmocka.h>

/* What a payload holds, as "4:hello b:\1\2 bad"; each case in memory of its own size. */
static void
reads(const char *body, const char *expected)
{
	struct engineio_payload payload;
	struct engineio_packet packet;
	enum engineio_next next;
	size_t len = strlen(body);
	char *data = malloc(len > 0 ? len : 1);
	char *heard = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&heard, &size);

	memcpy(data, body, len);
	engineio_payload_init(&payload, data, len);
	while ((next = engineio_payload_next(&payload, &packet)) == ENGINEIO_PACKET) {
		fprintf(out, "%c:", packet.binary ? 'b' : '0' + (char)packet.type);
		fwrite(packet.data.data, 1, packet.data.len, out);
		fputc(' ', out);
	}
	fputs(next == ENGINEIO_BAD ? "bad" : "end", out);
	assert_int_equal(engineio_payload_next(&payload, &packet), next);
	fclose(out);
	assert_string_equal(heard, expected);
	free(heard);
	free(data);
}

static void
reads_every_type(void **state)
{
	(void)state;
	reads("0{}\x1e"
	      "1\x1e"
	      "2probe\x1e"
	      "3probe\x1e"
	      "4hello\x1e"
	      "5\x1e"
	      "6",
	    "0:{} 1: 2:probe 3:probe 4:hello 5: 6: end");
	reads("4\xe2\x82\xac", "4:\xe2\x82\xac end");
}

static void
reads_binary_packets(void **state)
{
	(void)state;
	reads("bAQIDBA==", "b:\1\2\3\4 end");
	reads("4hello\x1e"
	      "bAQI=\x1e"
	      "4!",
	    "4:hello b:\1\2 4:! end");
	reads("b", "b: end");
	reads("bYWJj", "b:abc end");
	reads("b+/+/", "b:\xfb\xff\xbf end");
}

static void
refuses_bad_base64(void **state)
{
	static const char *const bodies[] = { "bA", "bAA", "bAAA", "bA===", "b====", "b=", "bAA=A",
		"bA=AA", "bAAAA=", "b-_-_", "bAA A", "bAB==", "bAAB=", "bAA==AAAA", "bAA\xc5\xbc",
		"bAAA\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		reads(bodies[i], "bad");
}

static void
stops_at_the_first_bad_packet(void **state)
{
	(void)state;
	reads("", "bad");
	reads("4a\x1e", "4:a bad");
	reads("\x1e"
	      "4a",
	    "bad");
	reads("4a\x1e\x1e"
	      "4b",
	    "4:a bad");
	reads("4a\x1e"
	      "7\x1e"
	      "4b",
	    "4:a bad");
	reads("a", "bad");
	reads("/", "bad");
	reads("B", "bad");
	reads("4a\x1e"
	      "4\xff\x1e"
	      "4b",
	    "4:a bad");
	reads("4\xed\xa0\x80", "bad");
	reads("4\xc3", "bad");
	reads("4\xc0\xaf", "bad");
	reads("4\xf4\x90\x80\x80", "bad");
	reads("4\xe0\x9f\xbf", "bad");
	reads("4\xf0\x8f\xbf\xbf", "bad");
	reads("4\xe2\x82", "bad");
	reads("4\xe2\x28\xa1", "bad");
	reads("4\xf0\x9f\x98", "bad");
	reads("4\xf0\x9f\x98\x28", "bad");
	reads("4\xe0\xa0\x80\xed\x9f\xbf\xf0\x90\x80\x80",
	    "4:\xe0\xa0\x80\xed\x9f\xbf\xf0\x90\x80\x80 end");
	reads("4\xf4\x8f\xbf\xbf", "4:\xf4\x8f\xbf\xbf end");
}

static void
reads_single_packets_of_a_websocket(void **state)
{
	struct engineio_packet packet;
	char text[] = "2probe", binary[] = "bAQI=",
	     separator[] = "4a\x1e"
			   "b",
	     bad[] = "x";

	(void)state;
	assert_true(engineio_read(text, 6, &packet));
	assert_int_equal(packet.type, ENGINEIO_PING);
	assert_true(slice_equal(packet.data, slice_of("probe")));
	assert_true(engineio_read(binary, 5, &packet));
	assert_true(packet.binary);
	assert_true(slice_equal(packet.data, slice_of("\1\2")));
	assert_true(engineio_read(separator, 4, &packet)); /* no separator outside a payload */
	assert_true(slice_equal(packet.data, slice_of("a\x1e"
						      "b")));
	assert_false(packet.binary);
	assert_false(engineio_read(bad, 1, &packet));
	assert_false(engineio_read(bad, 0, &packet));
}

static void
is_written(const struct text *out, const char *expected)
{
	assert_false(out->failed);
	assert_int_equal(out->len, strlen(expected));
	assert_memory_equal(out->data, expected, out->len);
}

static void
writes_payloads(void **state)
{
	struct text out;

	(void)state;
	text_init(&out, 0);
	engineio_put(&out, ENGINEIO_MESSAGE, slice_of("hello"));
	is_written(&out, "4hello");
	engineio_put_binary(&out, "\1\2\3\4", 4);
	is_written(&out, "4hello\x1e"
			 "bAQIDBA==");
	engineio_begin(&out, ENGINEIO_MESSAGE);
	text_puts(&out, "0{}");
	engineio_put(&out, ENGINEIO_NOOP, (struct slice){ 0 });
	is_written(&out, "4hello\x1e"
			 "bAQIDBA==\x1e"
			 "40{}\x1e"
			 "6");
	text_clear(&out);
	engineio_put_binary(&out, "", 0);
	is_written(&out, "b");
	text_fini(&out);
}

static void
writes_base64_of_every_length(void **state)
{
	static const char *const base64[] = { "b", "bZg==", "bZm8=", "bZm9v",
		"bZm9vYg==", "bZm9vYmE=", "bZm9vYmFy" };
	struct text out;

	(void)state;
	text_init(&out, 0);
	for (size_t len = 0; len <= 6; len++) {
		text_clear(&out);
		engineio_put_binary(&out, "foobar", len);
		is_written(&out, base64[len]);
	}
	text_fini(&out);
}

static void
brings_every_byte_through_base64(void **state)
{
	struct engineio_packet packet;
	unsigned char data[259];
	struct text out;

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)(i * 7);
	text_init(&out, 0);
	for (size_t len = 0; len <= sizeof(data); len++) {
		text_clear(&out);
		engineio_put_binary(&out, data, len);
		assert_true(engineio_read(out.data, out.len, &packet));
		assert_int_equal(packet.data.len, len);
		assert_memory_equal(packet.data.data, data, len);
	}
	text_fini(&out);
}

static void
writes_the_open_packet(void **state)
{
	struct engineio_open open = { slice_of("lv_VI97HAXpY6yYWAAAC"), true, 25000, 20000,
		1000000 };
	struct text out;

	(void)state;
	text_init(&out, 0);
	engineio_put_open(&out, &open);
	is_written(&out, "0{\"sid\":\"lv_VI97HAXpY6yYWAAAC\",\"upgrades\":[\"websocket\"],"
			 "\"pingInterval\":25000,\"pingTimeout\":20000,\"maxPayload\":1000000}");
	text_clear(&out);
	open.upgrade = false;
	open.max_payload = UINT32_MAX;
	engineio_put_open(&out, &open);
	is_written(&out, "0{\"sid\":\"lv_VI97HAXpY6yYWAAAC\",\"upgrades\":[],"
			 "\"pingInterval\":25000,\"pingTimeout\":20000,\"maxPayload\":4294967295}");
	text_fini(&out);
}

static void
words_errors_as_the_protocol_does(void **state)
{
	(void)state;
	assert_int_equal(engineio_error_status(ENGINEIO_UNKNOWN_SID), 400);
	assert_int_equal(engineio_error_status(ENGINEIO_FORBIDDEN), 403);
	assert_string_equal(engineio_error_body(ENGINEIO_UNKNOWN_TRANSPORT),
	    "{\"code\":0,\"message\":\"Transport unknown\"}");
	assert_string_equal(engineio_error_body(ENGINEIO_UNSUPPORTED_PROTOCOL_VERSION),
	    "{\"code\":5,\"message\":\"Unsupported protocol version\"}");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_type),
		cmocka_unit_test(reads_binary_packets),
		cmocka_unit_test(refuses_bad_base64),
		cmocka_unit_test(stops_at_the_first_bad_packet),
		cmocka_unit_test(reads_single_packets_of_a_websocket),
		cmocka_unit_test(writes_payloads),
		cmocka_unit_test(writes_base64_of_every_length),
		cmocka_unit_test(brings_every_byte_through_base64),
		cmocka_unit_test(writes_the_open_packet),
		cmocka_unit_test(words_errors_as_the_protocol_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
