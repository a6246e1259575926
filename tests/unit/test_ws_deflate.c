/* SPDX-License-Identifier: Apache-2.0 */
/*
 * permessage-deflate: messages to and from zlib itself, limits, bad data, and
 * what the reader makes of marked frames.
 */
#include "ws/deflate.h"
#include "ws_inflate.h"
#include "ws_peer.h"
#include "ws_streams.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka needs the three above it. */
#include <cmocka.h>

#define LIMIT 100000

/* ---- with zlib ---- */

struct bytes {
	char *data; /* caller frees */
	size_t len;
};

/* The message as a client compresses it. */
static struct bytes
compressed(const void *data, size_t len, int level, int strategy, int bits)
{
	z_stream stream = { 0 };
	struct bytes out;

	assert_int_equal(deflateInit2(&stream, level, Z_DEFLATED, -bits, 8, strategy), Z_OK);
	out.len = deflateBound(&stream, len) + 64;
	out.data = malloc(out.len);
	stream.next_in = (Bytef *)(uintptr_t)data;
	stream.avail_in = (uInt)len;
	stream.next_out = (Bytef *)out.data;
	stream.avail_out = (uInt)out.len;
	assert_int_equal(deflate(&stream, Z_SYNC_FLUSH), Z_OK);
	out.len -= stream.avail_out + 4;
	(void)deflateEnd(&stream);
	return out;
}

/* Text that compresses, in which far distances pay. */
static char *
prose(size_t len)
{
	char *text = malloc(len + 1);
	uint32_t random = 1;

	for (size_t i = 0; i < len; i++) {
		random = random * 1664525 + 1013904223;
		text[i] =
		    i > 20000 && i % 50 > 8 ? text[i - 20000] : (char)('a' + (random >> 24) % 26);
	}
	text[len] = '\0';
	return text;
}

static void
compresses_what_zlib_inflates(void **state)
{
	static const size_t sizes[] = { 1, 100, 1024, 70000 };
	char *text = prose(70000), *out = malloc(80000);

	(void)state;
	for (unsigned round = 0; round < 4; round++)
		for (unsigned bits = 9; bits <= 15; bits++) {
			size_t len =
			    ws_deflate_message(streams, bits, text, sizes[round], out, 80000);

			assert_int_not_equal(len, 0);
			assert_true(is_inflated_by_zlib(out, len, (int)bits, text, sizes[round]));
			/* One that is not enough, and the least that is. */
			assert_int_equal(
			    ws_deflate_message(streams, bits, text, sizes[round], out, len + 4), 0);
			assert_int_equal(
			    ws_deflate_message(streams, bits, text, sizes[round], out, len + 5),
			    len);
		}
	free(text);
	free(out);
}

/* The event that these compressed bytes end as; its data is checked when it is a message. */
static struct ws_event
inflated(const void *data, size_t len, bool is_text, uint32_t limit)
{
	char *copy = malloc(len + 1); /* of its own, so that a sanitizer sees a step outside */
	struct ws_event event = {
		.type = is_text ? WS_TEXT : WS_BINARY,
		.compressed = true,
		.data = copy,
		.len = len,
	};

	memcpy(copy, data, len);
	copy = realloc(copy, len > 0 ? len : 1);
	event.data = copy;
	ws_inflate_message(streams, limit, &event);
	assert_false(event.compressed);
	free(copy);
	return event;
}

static void
is_text(const void *data, size_t len, const char *expected)
{
	struct ws_event event = inflated(data, len, true, LIMIT);

	assert_int_equal(event.type, WS_TEXT);
	assert_int_equal(event.len, strlen(expected));
	assert_memory_equal(event.data, expected, event.len);
	ws_inflate_done(streams);
}

static void
is_refused(const void *data, size_t len, unsigned code)
{
	struct ws_event event = inflated(data, len, true, LIMIT);

	assert_int_equal(event.type, WS_ERROR);
	assert_int_equal(event.code, code);
	assert_int_equal(event.len, strlen(event.data));
	ws_inflate_done(streams);
	/* And nothing of it is left. */
	is_text("\xf2\x48\xcd\xc9\xc9\x07\x00", 7, "Hello");
}

/* The bytes of RFC 7692, section 7.2.3. */
static void
inflates_the_examples_of_the_standard(void **state)
{
	(void)state;
	is_text("\xf2\x48\xcd\xc9\xc9\x07\x00", 7, "Hello");
	is_text("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", 11, "Hello");
	is_text("\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 8, "Hello");
	is_text("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", 13, "Hello");
	is_text("\x00", 1, "");
	/* The one that leans on the message before: that was not agreed on. */
	is_refused("\xf2\x00\x11\x00\x00", 5, WS_CLOSE_INVALID_DATA);
}

static void
inflates_what_zlib_compresses(void **state)
{
	static const size_t sizes[] = { 0, 1, 16384, 16385, 32768, LIMIT - 1, LIMIT };
	char *text = prose(LIMIT);

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (int level = 0; level <= 9; level++)
			for (int strategy = 0; strategy <= Z_FIXED; strategy++) {
				struct bytes bytes = compressed(
				    text, sizes[i], level, strategy, 9 + (level + strategy) % 7);
				struct ws_event event =
				    inflated(bytes.data, bytes.len, level % 2 == 0, LIMIT);

				assert_int_equal(event.type, level % 2 == 0 ? WS_TEXT : WS_BINARY);
				assert_int_equal(event.len, sizes[i]);
				assert_memory_equal(event.data, text, sizes[i]);
				ws_inflate_done(streams);
				free(bytes.data);
			}
	free(text);
}

/* Blocks that each say they are the last, and a message of several. */
static void
goes_on_behind_a_last_block(void **state)
{
	(void)state;
	is_text("\xf3\x48\xcd\xc9\xc9\x07\x00\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 15, "HelloHello");
	is_text("\xf3\x48\xcd\xc9\xc9\x07\x00\xf2\x48\xcd\xc9\xc9\x07\x00", 14, "HelloHello");
	is_refused("\xf3\x48\xcd\xc9\xc9\x07\x00", 7, WS_CLOSE_INVALID_DATA);
	is_text("\x01", 1, ""); /* what does not travel ends it */
}

static void
refuses_bad_data(void **state)
{
	char *text = prose(3000);
	struct bytes bytes = compressed(text, 3000, 9, Z_DEFAULT_STRATEGY, 15);

	(void)state;
	is_refused("", 0, WS_CLOSE_INVALID_DATA);
	is_refused("\x06", 1, WS_CLOSE_INVALID_DATA);                     /* no such block */
	is_refused("\x00\x05\x00\xfa\xfe", 5, WS_CLOSE_INVALID_DATA);     /* lengths differ */
	is_refused("\x00\x05\x00\xfa\xffHell", 9, WS_CLOSE_INVALID_DATA); /* into the tail */
	for (size_t len = 0; len < bytes.len; len++)                      /* cut anywhere */
		is_refused(bytes.data, len, WS_CLOSE_INVALID_DATA);
	free(bytes.data);
	free(text);
}

static void
checks_the_text_when_it_is_inflated(void **state)
{
	char *text = malloc(20000);
	struct bytes bytes;

	(void)state;
	memset(text, 'x', 20000);
	memcpy(text + 16383, "\xc5\xbc", 2); /* over the border of two steps */
	bytes = compressed(text, 20000, 6, Z_DEFAULT_STRATEGY, 15);
	assert_int_equal(inflated(bytes.data, bytes.len, true, LIMIT).type, WS_TEXT);
	free(bytes.data);

	text[16384] = 'x';
	bytes = compressed(text, 20000, 6, Z_DEFAULT_STRATEGY, 15);
	is_refused(bytes.data, bytes.len, WS_CLOSE_INVALID_DATA);
	assert_int_equal(inflated(bytes.data, bytes.len, false, LIMIT).type, WS_BINARY);
	free(bytes.data);

	bytes = compressed("\xc5", 1, 6, Z_DEFAULT_STRATEGY, 15);
	is_refused(bytes.data, bytes.len, WS_CLOSE_INVALID_DATA);
	free(bytes.data);
	free(text);
}

static void
stops_bombs_at_the_limit(void **state)
{
	static const uint32_t limits[] = { 0, 1, 5, 16383, 16384, 16385, 50000, LIMIT };
	size_t size = (size_t)64 << 20;
	char *zeros = calloc(1, size);
	struct bytes bytes = compressed(zeros, size, 9, Z_DEFAULT_STRATEGY, 15);

	(void)state;
	is_refused(bytes.data, bytes.len, WS_CLOSE_TOO_BIG);
	free(bytes.data);
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		for (uint32_t more = 0; more < 2; more++) {
			struct ws_event event;

			bytes = compressed(zeros, limits[i] + more, 9, Z_DEFAULT_STRATEGY, 15);
			event = inflated(bytes.data, bytes.len, false, limits[i]);
			assert_int_equal(event.type, more == 0 ? WS_BINARY : WS_ERROR);
			assert_int_equal(event.code, more == 0 ? 0 : WS_CLOSE_TOO_BIG);
			ws_inflate_done(streams);
			free(bytes.data);
		}
	free(zeros);
}

/* ---- with the reader ---- */

static struct wire wire;

static char *
heard(bool rsv1, size_t first, size_t step)
{
	struct ws_reader reader;
	char *text;

	ws_reader_init(&reader, 1000, rsv1);
	text = heard_in(&reader, &wire, first, step);
	ws_reader_fini(&reader);
	return text;
}

static void
hears(bool rsv1, const char *expected)
{
	char *text = heard(rsv1, wire.len, wire.len);

	assert_string_equal(text, expected);
	free(text);
	wire.len = 0;
}

static void
refuses_the_bit_where_it_may_not_be(void **state)
{
	(void)state;
	put_text(&wire, FIN | RSV1 | TEXT, "a");
	hears(false, "error(1002)");
	put_text(&wire, RSV1 | TEXT, "a");
	put_text(&wire, FIN | RSV1, "b");
	hears(true, "error(1002)");
	put_text(&wire, TEXT, "a");
	put_text(&wire, FIN | RSV1, "b");
	hears(true, "error(1002)");
	put_text(&wire, FIN | RSV1 | PING, "a");
	hears(true, "error(1002)");
	put_text(&wire, FIN | RSV1 | CLOSE, "");
	hears(true, "error(1002)");
	put_text(&wire, FIN | RSV1 | 0x20 | TEXT, "a");
	hears(true, "error(1002)");
	/* Where it may. */
	put_text(&wire, RSV1 | BINARY, "a");
	put_text(&wire, FIN | PING, "p");
	put_text(&wire, FIN, "b");
	put_text(&wire, FIN | TEXT, "c");
	hears(true, "ping(p)compressed binary(ab)text(c)");
}

/* Each fragmentation in two, and each cut of the wire, gives the same compressed message. */
static void
collects_fragments_before_it_inflates(void **state)
{
	static const char text[] = "one two three, one two three, one two three";
	struct bytes bytes = compressed(text, sizeof(text) - 1, 6, Z_DEFAULT_STRATEGY, 15);

	(void)state;
	for (size_t split = 0; split <= bytes.len; split++)
		for (size_t step = 1; step < 8; step += 3) {
			struct ws_reader reader;
			struct ws_event event;
			size_t messages = 0;

			wire.len = 0;
			put_frame(&wire, RSV1 | TEXT, bytes.data, split);
			put_frame(&wire, FIN, bytes.data + split, bytes.len - split);
			ws_reader_init(&reader, 1000, true);
			for (size_t at = 0; at < wire.len; at += step) {
				char *data = (char *)wire.data + at;
				size_t len = step < wire.len - at ? step : wire.len - at;

				while (ws_read(&reader, &data, &len, &event) != WS_NONE) {
					assert_int_equal(event.type, WS_TEXT);
					assert_true(event.compressed);
					is_text(event.data, event.len, text);
					messages++;
				}
			}
			assert_int_equal(messages, 1);
			ws_reader_fini(&reader);
		}
	wire.len = 0;
	free(bytes.data);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compresses_what_zlib_inflates),
		cmocka_unit_test(inflates_the_examples_of_the_standard),
		cmocka_unit_test(inflates_what_zlib_compresses),
		cmocka_unit_test(goes_on_behind_a_last_block),
		cmocka_unit_test(refuses_bad_data),
		cmocka_unit_test(checks_the_text_when_it_is_inflated),
		cmocka_unit_test(stops_bombs_at_the_limit),
		cmocka_unit_test(refuses_the_bit_where_it_may_not_be),
		cmocka_unit_test(collects_fragments_before_it_inflates),
	};

	return cmocka_run_group_tests(tests, start, end);
}
