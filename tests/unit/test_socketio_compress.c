/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content codings of polls: what an Accept-Encoding wants, and streams that are
 * used again.
 */
#include <stdbool.h>
#include <stdlib.h>

/* The module links against nothing of ours, so its code is compiled in. */
#include "../../modules/socketio/compress.c"
#include "../../modules/socketio/text.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka needs the three above it. */
#include <cmocka.h>

static void
chooses_what_the_client_likes_most(void **state)
{
	static const struct {
		const char *accept;
		enum coding coding;
	} cases[] = {
		{ NULL, CODING_NONE },
		{ "", CODING_NONE },
		{ "br", CODING_NONE },
		{ "identity", CODING_NONE },
		{ "gzip", CODING_GZIP },
		{ "GZip", CODING_GZIP },
		{ "deflate", CODING_DEFLATE },
		{ "gzip, deflate, br", CODING_GZIP },
		{ "deflate, gzip", CODING_GZIP },
		{ "deflate, gzip;q=0.5", CODING_DEFLATE },
		{ "gzip;q=0.5,deflate ; q=0.501", CODING_DEFLATE },
		{ "gzip;q=0", CODING_NONE },
		{ "gzip;q=0.000, deflate;q=0", CODING_NONE },
		{ "gzip;q=0, *", CODING_DEFLATE },
		{ "*", CODING_GZIP },
		{ "*;q=0", CODING_NONE },
		{ "*;q=0, deflate;q=0.1", CODING_DEFLATE },
		{ "gzipped, xgzip", CODING_NONE },
		{ "gzip;q=2, deflate", CODING_DEFLATE },
		{ "gzip;q=, deflate;q=x", CODING_NONE },
		{ "gzip;level=1", CODING_NONE },
		{ " , ,gzip , ", CODING_GZIP },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (coding_wanted(cases[i].accept) != cases[i].coding)
			fail_msg("%s", cases[i].accept);
}

static void
expand(const struct text *from, int window, char *out, size_t size)
{
	z_stream stream = { .next_in = (const Bytef *)from->data, .avail_in = (uInt)from->len };

	assert_int_equal(inflateInit2(&stream, window), Z_OK);
	stream.next_out = (Bytef *)out;
	stream.avail_out = (uInt)size;
	assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
	assert_int_equal(stream.total_out, size);
	(void)inflateEnd(&stream);
}

static void
compresses_again_and_again(void **state)
{
	struct compressor *compressor = compressor_new();
	char data[5000], back[sizeof(data)];

	(void)state;
	assert_non_null(compressor);
	for (unsigned round = 0; round < 6; round++) {
		enum coding coding = round % 2 == 0 ? CODING_GZIP : CODING_DEFLATE;
		struct text out = { 0 };

		memset(data, (int)('a' + round), sizeof(data));
		assert_true(
		    shorten(compressor, coding, (struct slice){ data, sizeof(data) }, &out));
		assert_in_range(out.len, 1, 200);
		expand(&out, coding == CODING_GZIP ? WINDOW + AS_GZIP : WINDOW, back, sizeof(back));
		assert_memory_equal(back, data, sizeof(data));
		text_fini(&out);
	}
	compressor_free(compressor);
	compressor_free(NULL);
}

static void
gives_up_on_what_gets_no_shorter(void **state)
{
	struct compressor *compressor = compressor_new();
	struct text out = { 0 };
	char data[1024];
	uint32_t noise = 1;

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++) {
		noise = noise * 1664525 + 1013904223;
		data[i] = (char)(noise >> 24);
	}
	assert_false(shorten(compressor, CODING_GZIP, (struct slice){ data, sizeof(data) }, &out));
	memset(data, 'x', sizeof(data));
	assert_true(shorten(compressor, CODING_GZIP, (struct slice){ data, sizeof(data) }, &out));
	text_fini(&out);
	compressor_free(compressor);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chooses_what_the_client_likes_most),
		cmocka_unit_test(compresses_again_and_again),
		cmocka_unit_test(gives_up_on_what_gets_no_shorter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
