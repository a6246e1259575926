/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame reader: every case is heard whole, byte by byte and cut at every
 * place, and has to come out the same.  Cases follow the public conformance
 * suite: framing, pings, reserved bits, opcodes, fragmentation, UTF-8, closing.
 */
#include "ws_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka needs the three above it. */
#include <cmocka.h>

#define LIMIT 200000

static struct wire wire;
static uint16_t fragments_max; /* of the readers below */

static void
heard_once(const struct wire *sent, bool rsv1, size_t first, size_t step, const char *expected)
{
	struct ws_reader reader;
	char *heard;

	ws_reader_init(&reader, LIMIT, rsv1);
	reader.max_fragments = fragments_max;
	heard = heard_in(&reader, sent, first, step);
	ws_reader_fini(&reader);
	assert_string_equal(heard, expected);
	free(heard);
}

/* What was put into `wire` since the last call must be heard as `expected`. */
static void
heard(bool rsv1, const char *expected)
{
	size_t len = wire.len, cuts = len < 1000 ? len : 10, cut;

	heard_once(&wire, rsv1, len, 1, expected);
	for (cut = 1; cut < cuts; cut++) {
		heard_once(&wire, rsv1, cut, len, expected);
		heard_once(&wire, rsv1, len - cut, len, expected);
		heard_once(&wire, rsv1, cut, cut, expected);
	}
	wire.len = 0;
}

static void
says(const char *expected)
{
	heard(false, expected);
}

static void
fits_in_a_cache_line(void **state)
{
	(void)state;
	assert_true(sizeof(struct ws_reader) <= 64);
}

static void
hears_messages_of_every_length_encoding(void **state)
{
	static const size_t lengths[] = { 65, 125, 126, 127, 128, 65535, 65536, LIMIT };
	static char data[LIMIT];
	char expected[64];

	(void)state;
	memset(data, '*', sizeof(data));
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		snprintf(expected, sizeof(expected), "text(%zu bytes, last 2a)", lengths[i]);
		put_frame(&wire, FIN | TEXT, data, lengths[i]);
		says(expected);
		snprintf(expected, sizeof(expected), "binary(%zu bytes, last 2a)", lengths[i]);
		put_frame(&wire, FIN | BINARY, data, lengths[i]);
		says(expected);
	}
}

static void
hears_empty_messages(void **state)
{
	(void)state;
	put_text(&wire, FIN | TEXT, "");
	put_text(&wire, FIN | BINARY, "");
	put_text(&wire, FIN | PING, "");
	put_text(&wire, FIN | PONG, "");
	says("text()binary()ping()pong()");
	put_text(&wire, TEXT, "");
	put_text(&wire, 0, "");
	put_text(&wire, FIN, "");
	says("text()");
	put_text(&wire, TEXT, "");
	put_text(&wire, 0, "middle");
	put_text(&wire, FIN, "");
	says("text(middle)");
}

static void
gives_a_whole_message_as_a_slice_without_memory(void **state)
{
	struct ws_reader reader;
	struct ws_event event;
	char *data = (char *)wire.data;
	size_t len;

	(void)state;
	put_text(&wire, FIN | TEXT, "Hello");
	put_text(&wire, FIN | PING, "you");
	len = wire.len;
	wire.len = 0;
	ws_reader_init(&reader, LIMIT, false);
	assert_int_equal(ws_read(&reader, &data, &len, &event), WS_TEXT);
	assert_ptr_equal(event.data, wire.data + 6);
	assert_null(reader.message);
	assert_int_equal(ws_read(&reader, &data, &len, &event), WS_PING);
	assert_ptr_equal(event.data, wire.data + 6 + 5 + 6);
	assert_null(reader.control);
	assert_int_equal(ws_read(&reader, &data, &len, &event), WS_NONE);
	assert_int_equal(len, 0);
	ws_reader_fini(&reader);
}

static void
frees_what_it_collected_after_delivery(void **state)
{
	struct ws_reader reader;
	char *text;

	(void)state;
	put_text(&wire, TEXT, "Hel");
	put_text(&wire, FIN | PING, "you");
	put_text(&wire, FIN, "lo");
	ws_reader_init(&reader, LIMIT, false);
	text = heard_in(&reader, &wire, 1, 1);
	wire.len = 0;
	assert_string_equal(text, "ping(you)text(Hello)");
	assert_null(reader.message);
	assert_null(reader.control);
	free(text);
	ws_reader_fini(&reader);
}

static void
does_not_take_memory_for_what_was_only_announced(void **state)
{
	struct ws_reader reader;
	char *text;

	(void)state;
	put_byte(&wire, FIN | BINARY);
	put_length(&wire, 0x80, LIMIT, 8);
	put_payload(&wire, "0123456789", 10);
	ws_reader_init(&reader, LIMIT, false);
	text = heard_in(&reader, &wire, wire.len, 1);
	wire.len = 0;
	assert_string_equal(text, "");
	assert_in_range(reader.message_size, 10, 256);
	free(text);
	ws_reader_fini(&reader);
}

static void
hears_control_frames_between_fragments(void **state)
{
	(void)state;
	put_text(&wire, TEXT, "one ");
	put_text(&wire, FIN | PING, "ping 1");
	put_text(&wire, 0, "two ");
	put_text(&wire, FIN | PONG, "unasked");
	put_text(&wire, FIN | PING, "ping 2");
	put_text(&wire, FIN, "three");
	put_text(&wire, FIN | BINARY, "next");
	says("ping(ping 1)pong(unasked)ping(ping 2)text(one two three)binary(next)");
}

static void
hears_control_frames_up_to_125_bytes(void **state)
{
	static const char data[126] = { 0 };

	(void)state;
	put_frame(&wire, FIN | PING, data, 125);
	put_frame(&wire, FIN | PING, "\0\xff\xfe\x00", 4);
	put_frame(&wire, FIN | TEXT, "x", 1);
	for (size_t cut = 1; cut < wire.len; cut++) {
		struct ws_reader reader;
		char *text;

		ws_reader_init(&reader, LIMIT, false);
		text = heard_in(&reader, &wire, cut, 7);
		assert_memory_equal(text, "ping(125 bytes, last 00)ping(", 29);
		assert_memory_equal(text + 33, ")text(x)", 9);
		free(text);
		ws_reader_fini(&reader);
	}
	wire.len = 0;

	put_frame(&wire, FIN | PING, data, 126);
	says("error(1002)");
	put_frame(&wire, FIN | CLOSE, data, 126);
	says("error(1002)");
}

static void
refuses_fragmented_control_frames(void **state)
{
	(void)state;
	put_text(&wire, PING, "half");
	put_text(&wire, FIN, "rest");
	says("error(1002)");
	put_text(&wire, CLOSE, "");
	says("error(1002)");
}

static void
refuses_reserved_bits(void **state)
{
	(void)state;
	for (unsigned bits = 0x10; bits <= 0x70; bits += 0x10) {
		put_text(&wire, FIN | TEXT, "before");
		put_text(&wire, FIN | bits | TEXT, "Hello");
		put_text(&wire, FIN | PING, "");
		says("text(before)error(1002)");
		put_text(&wire, FIN | bits | PING, "");
		says("error(1002)");
		put_text(&wire, FIN | bits | CLOSE, "");
		says("error(1002)");
	}
}

static void
lets_rsv1_mark_a_message_once_compression_was_agreed_on(void **state)
{
	(void)state;
	put_frame(&wire, FIN | RSV1 | TEXT, "\xff", 1);
	put_text(&wire, FIN | TEXT, "plain");
	put_text(&wire, RSV1 | BINARY, "two ");
	put_text(&wire, FIN | PING, "");
	put_text(&wire, FIN, "parts");
	heard(true, "compressed text(\xff)text(plain)ping()compressed binary(two parts)");
	put_text(&wire, RSV1 | TEXT, "a");
	put_text(&wire, FIN | RSV1, "b");
	heard(true, "error(1002)");
	put_text(&wire, FIN | RSV1 | PING, "");
	heard(true, "error(1002)");
	put_text(&wire, FIN | 0x20 | TEXT, "");
	heard(true, "error(1002)");
}

static void
refuses_reserved_opcodes(void **state)
{
	static const unsigned opcodes[] = { 3, 4, 5, 6, 7, 11, 12, 13, 14, 15 };

	(void)state;
	for (size_t i = 0; i < sizeof(opcodes) / sizeof(opcodes[0]); i++) {
		put_text(&wire, FIN | TEXT, "before");
		put_text(&wire, FIN | opcodes[i], "x");
		put_text(&wire, FIN | PING, "");
		says("text(before)error(1002)");
	}
}

static void
refuses_unmasked_frames(void **state)
{
	(void)state;
	put_byte(&wire, FIN | TEXT);
	put_length(&wire, 0, 2, 0);
	put_byte(&wire, 'h');
	put_byte(&wire, 'i');
	says("error(1002)");
	put_byte(&wire, FIN | CLOSE);
	put_length(&wire, 0, 0, 0);
	says("error(1002)");
}

static void
refuses_lengths_in_more_bytes_than_needed(void **state)
{
	static const struct {
		uint64_t len;
		unsigned size;
	} lengths[] = { { 0, 2 }, { 125, 2 }, { 0, 8 }, { 125, 8 }, { 126, 8 }, { 65535, 8 },
		{ UINT64_C(1) << 63, 8 }, { UINT64_MAX, 8 } };

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		put_byte(&wire, FIN | BINARY);
		put_length(&wire, 0x80, lengths[i].len, lengths[i].size);
		says("error(1002)");
	}
}

static void
refuses_continuations_of_nothing_and_messages_inside_messages(void **state)
{
	(void)state;
	put_text(&wire, FIN, "orphan");
	says("error(1002)");
	put_text(&wire, 0, "orphan");
	says("error(1002)");
	put_text(&wire, FIN | TEXT, "whole");
	put_text(&wire, FIN, "orphan");
	says("text(whole)error(1002)");
	put_text(&wire, TEXT, "begin");
	put_text(&wire, FIN, "end");
	put_text(&wire, FIN, "orphan");
	says("text(beginend)error(1002)");
	put_text(&wire, TEXT, "begin");
	put_text(&wire, FIN | TEXT, "again");
	says("error(1002)");
	put_text(&wire, BINARY, "");
	put_text(&wire, BINARY, "");
	says("error(1002)");
}

static void
counts_a_message_over_its_fragments(void **state)
{
	static char data[LIMIT];

	(void)state;
	put_frame(&wire, BINARY, data, LIMIT - 1);
	put_frame(&wire, FIN, data, 1);
	says("binary(200000 bytes, last 00)");
	put_frame(&wire, BINARY, data, LIMIT - 1);
	put_byte(&wire, FIN);
	put_length(&wire, 0x80, 2, 0);
	says("error(1009)");
	put_byte(&wire, FIN | TEXT); /* the header alone tells */
	put_length(&wire, 0x80, LIMIT + 1, 8);
	says("error(1009)");
	put_byte(&wire, FIN | TEXT);
	put_length(&wire, 0x80, INT64_MAX, 8);
	says("error(1009)");
}

static void
counts_fragments(void **state)
{
	(void)state;
	put_text(&wire, BINARY, "a");
	for (unsigned i = 2; i < WS_MAX_FRAGMENTS; i++)
		put_text(&wire, 0, "");
	put_text(&wire, FIN | PING, "");
	put_text(&wire, FIN, "b");
	heard_once(&wire, false, wire.len, 1, "ping()binary(ab)");
	heard_once(&wire, false, 1, 1, "ping()binary(ab)");
	wire.len -= 7;
	put_text(&wire, 0, "b");
	put_text(&wire, FIN, "");
	heard_once(&wire, false, wire.len, 1, "ping()error(1008)");
	heard_once(&wire, false, 1, 1, "ping()error(1008)");
	wire.len = 0;
}

static void
counts_fragments_up_to_a_limit_of_ones_own(void **state)
{
	(void)state;
	fragments_max = 3;
	put_text(&wire, BINARY, "a");
	put_text(&wire, 0, "b");
	put_text(&wire, FIN, "c");
	heard_once(&wire, false, wire.len, 1, "binary(abc)");
	wire.len -= 7;
	put_text(&wire, 0, "c");
	put_text(&wire, FIN, "d");
	heard_once(&wire, false, wire.len, 1, "error(1008)");
	heard_once(&wire, false, 1, 1, "error(1008)");
	fragments_max = 0;
	wire.len = 0;
}

static void
collects_many_small_fragments(void **state)
{
	(void)state;
	put_text(&wire, BINARY, "first!");
	for (unsigned i = 0; i < 5000; i++)
		put_text(&wire, 0, "piece!");
	put_text(&wire, FIN, "last.!");
	heard_once(&wire, false, wire.len, 1, "binary(30012 bytes, last 21)");
	heard_once(&wire, false, 1000, 77, "binary(30012 bytes, last 21)");
	wire.len = 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fits_in_a_cache_line),
		cmocka_unit_test(hears_messages_of_every_length_encoding),
		cmocka_unit_test(hears_empty_messages),
		cmocka_unit_test(gives_a_whole_message_as_a_slice_without_memory),
		cmocka_unit_test(frees_what_it_collected_after_delivery),
		cmocka_unit_test(does_not_take_memory_for_what_was_only_announced),
		cmocka_unit_test(hears_control_frames_between_fragments),
		cmocka_unit_test(hears_control_frames_up_to_125_bytes),
		cmocka_unit_test(refuses_fragmented_control_frames),
		cmocka_unit_test(refuses_reserved_bits),
		cmocka_unit_test(lets_rsv1_mark_a_message_once_compression_was_agreed_on),
		cmocka_unit_test(refuses_reserved_opcodes),
		cmocka_unit_test(refuses_unmasked_frames),
		cmocka_unit_test(refuses_lengths_in_more_bytes_than_needed),
		cmocka_unit_test(refuses_continuations_of_nothing_and_messages_inside_messages),
		cmocka_unit_test(counts_a_message_over_its_fragments),
		cmocka_unit_test(counts_fragments),
		cmocka_unit_test(counts_fragments_up_to_a_limit_of_ones_own),
		cmocka_unit_test(collects_many_small_fragments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
