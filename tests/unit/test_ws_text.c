/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text and closing in the frame reader: UTF-8 over fragments and cuts, refused
 * at the first impossible byte; close codes and reasons.
 */
#include "ws/utf8.h"
#include "ws_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka needs the three above it. */
#include <cmocka.h>

static struct wire wire;

static void
says(const char *expected)
{
	struct ws_reader reader;

	for (size_t first = 1; first <= wire.len; first++) {
		for (int once = 0; once < 2; once++) {
			char *heard;

			ws_reader_init(&reader, 1000, false);
			heard = heard_in(&reader, &wire, first, once ? wire.len : first);
			ws_reader_fini(&reader);
			assert_string_equal(heard, expected);
			free(heard);
		}
	}
	wire.len = 0;
}

/* Strictly by the definition: the code point is put together, then judged. */
static bool
is_utf8(const uint8_t *data, size_t len)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };

	for (size_t i = 0; i < len;) {
		size_t size = data[i] < 0x80             ? 1
			      : (data[i] & 0xe0) == 0xc0 ? 2
			      : (data[i] & 0xf0) == 0xe0 ? 3
			      : (data[i] & 0xf8) == 0xf0 ? 4
							 : 0;
		uint32_t code = size > 1 ? data[i] & (0x7fu >> size) : data[i];

		if (size == 0 || size > len - i)
			return false;
		for (size_t k = 1; k < size; k++) {
			if ((data[i + k] & 0xc0) != 0x80)
				return false;
			code = code << 6 | (data[i + k] & 0x3f);
		}
		if (code < least[size] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
			return false;
		i += size;
	}
	return true;
}

static bool
accepted(const uint8_t *data, size_t len)
{
	uint8_t state = WS_UTF8_START;

	for (size_t i = 0; i < len; i++)
		if (!ws_utf8_check(&state, (const char *)data + i, 1))
			return false;
	return state == WS_UTF8_START;
}

static void
agrees_with_the_definition_of_utf8(void **state)
{
	static const uint8_t edges[] = { 0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0,
		0xff };
	uint8_t data[4];

	(void)state;
	for (unsigned i = 0; i < 0x1000000; i++) {
		data[0] = (uint8_t)(i >> 16);
		data[1] = (uint8_t)(i >> 8);
		data[2] = (uint8_t)i;
		if (data[0] < 0x80 && data[1] < 0x80 && data[2] > 0x80)
			continue; /* nothing new */
		if (accepted(data, 3) != is_utf8(data, 3))
			fail_msg("%02x %02x %02x", data[0], data[1], data[2]);
	}
	for (unsigned i = 0xee0000; i < 0x1000000; i++) {
		data[0] = (uint8_t)(i >> 16);
		data[1] = (uint8_t)(i >> 8);
		data[2] = edges[i % sizeof(edges)];
		data[3] = edges[i / sizeof(edges) % sizeof(edges)];
		if (accepted(data, 4) != is_utf8(data, 4))
			fail_msg("%02x %02x %02x %02x", data[0], data[1], data[2], data[3]);
	}
}

static void
finds_a_bad_byte_at_every_place_of_a_word(void **state)
{
	char data[40];

	(void)state;
	for (size_t at = 0; at < sizeof(data); at++) {
		uint8_t now = WS_UTF8_START;

		memset(data, 'a', sizeof(data));
		assert_true(ws_utf8_check(&now, data, sizeof(data)));
		data[at] = (char)0x80;
		assert_false(ws_utf8_check(&now, data, sizeof(data)));
	}
}

static void
hears_text_of_all_planes(void **state)
{
	static const char *const texts[] = { "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5",
		"\xef\xbf\xbf", "\xed\x9f\xbf", "\xee\x80\x80", "\xf4\x8f\xbf\xbf",
		"\xf0\x90\x80\x80",
		"Hello-\xc2\xb5@\xc3\x9f\xc3\xb6\xc3\xa4\xc3\xbc\xc3\xa0-UTF-8!!" };
	char expected[80];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		size_t len = strlen(texts[i]);

		snprintf(expected, sizeof(expected), "text(%s)", texts[i]);
		put_text(&wire, FIN | TEXT, texts[i]);
		says(expected);
		for (size_t cut = 0; cut <= len; cut++) { /* also inside a character */
			put_frame(&wire, TEXT, texts[i], cut);
			put_frame(&wire, FIN, texts[i] + cut, len - cut);
			says(expected);
		}
	}
}

static void
refuses_text_that_is_not_utf8(void **state)
{
	static const char *const texts[] = {
		"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80<edited>", "\x80", "\xbf",
		"\xfe", "\xff", "\xc0\xaf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf",
		"\xf8\x88\x80\x80\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf",
		"\xf4\x90\x80\x80", "\xed\xbf\xbf", "ok\xc3", "ok\xe2\x82", "ok\xf0\x9f\x98"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		put_text(&wire, FIN | TEXT, texts[i]);
		put_text(&wire, FIN | PING, "");
		says("error(1007)");
		put_text(&wire, TEXT, texts[i]);
		put_text(&wire, FIN, "");
		says("error(1007)");
	}
	put_text(&wire, TEXT, "\xe2\x82");
	put_text(&wire, FIN | PING, "\xff"); /* not part of the text */
	put_text(&wire, FIN, "\xac");
	says("ping(\xff)text(\xe2\x82\xac)");
	put_text(&wire, FIN | BINARY, "\xff\xfe");
	says("binary(\xff\xfe)");
}

static void
refuses_bad_text_before_the_rest_of_it_came(void **state)
{
	static const char *const impossible[] = { "ab\xff", "\xce\xba\xf4\x90", "\xed\xa0",
		"\xe0\x80", "\xf0\x80", "\xc0" };

	(void)state;
	for (size_t i = 0; i < sizeof(impossible) / sizeof(impossible[0]); i++) {
		put_byte(&wire, FIN | TEXT);
		put_length(&wire, 0x80, 100, 0); /* most of it never comes */
		put_payload(&wire, impossible[i], strlen(impossible[i]));
		says("error(1007)");
		put_text(&wire, TEXT, impossible[i]); /* nor do the other fragments */
		says("error(1007)");
	}
	put_text(&wire, TEXT, "\xf4\x8f"); /* may still become a character */
	says("");
}

static void
tells_code_and_reason_of_a_close(void **state)
{
	static char reason[125] = "\x03\xe8";

	(void)state;
	put_text(&wire, FIN | CLOSE, "");
	put_text(&wire, FIN | TEXT, "ignored");
	says("close(1005)");
	put_frame(&wire, FIN | CLOSE, "\x03\xe8", 2);
	put_frame(&wire, FIN | CLOSE, "\x03\xe8", 2);
	says("close(1000)");
	put_frame(&wire, FIN | CLOSE,
	    "\x0f\x9f"
	    "bye",
	    5);
	put_byte(&wire, 0xff); /* not even a frame */
	says("close(3999 bye)");
	memset(reason + 2, '*', 123);
	put_frame(&wire, FIN | CLOSE, reason, 125);
	says("close(1000 123 bytes, last 2a)");
	put_text(&wire, TEXT, "unfinished");
	put_frame(&wire, FIN | CLOSE, "\x03\xe9", 2);
	says("close(1001)");
}

static void
refuses_bad_closes(void **state)
{
	(void)state;
	put_frame(&wire, FIN | CLOSE, "\x03", 1);
	says("error(1002)");
	put_frame(&wire, FIN | CLOSE,
	    "\x03\xe8"
	    "ok\xc3",
	    5);
	says("error(1007)");
	put_frame(&wire, FIN | CLOSE, "\x03\xe8\xed\xa0\x80", 5);
	says("error(1007)");
}

static void
knows_the_close_codes(void **state)
{
	static const unsigned good[] = { 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012,
		1013, 1014, 3000, 3999, 4000, 4999 };
	static const unsigned bad[] = { 0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999,
		5000, 65535 };
	char expected[32], payload[2];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		payload[0] = (char)(good[i] >> 8);
		payload[1] = (char)good[i];
		snprintf(expected, sizeof(expected), "close(%u)", good[i]);
		put_frame(&wire, FIN | CLOSE, payload, 2);
		says(expected);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		payload[0] = (char)(bad[i] >> 8);
		payload[1] = (char)bad[i];
		put_frame(&wire, FIN | CLOSE, payload, 2);
		says("error(1002)");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_the_definition_of_utf8),
		cmocka_unit_test(finds_a_bad_byte_at_every_place_of_a_word),
		cmocka_unit_test(hears_text_of_all_planes),
		cmocka_unit_test(refuses_text_that_is_not_utf8),
		cmocka_unit_test(refuses_bad_text_before_the_rest_of_it_came),
		cmocka_unit_test(tells_code_and_reason_of_a_close),
		cmocka_unit_test(refuses_bad_closes),
		cmocka_unit_test(knows_the_close_codes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
