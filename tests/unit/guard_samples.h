/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Samples for the tests of the front guard: a stream and what has to come out of
 * it (guard_transcript.h says in what words).  Each is fed whole, byte by byte
 * and in random pieces, and must come out the same.
 */
#ifndef TESTS_GUARD_SAMPLES_H
#define TESTS_GUARD_SAMPLES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "guard_transcript.h"

struct sample {
	const char *data;
	size_t len;
	const char *expected;
};

#define SAMPLE(data, expected)                                                                     \
	{                                                                                          \
		data, sizeof(data) - 1, expected                                                   \
	}
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Short for what most samples share. */
#define H       "Host: h\r\n"
#define GET     "GET / HTTP/1.1\r\n" H
#define POST    "POST /p HTTP/1.1\r\n" H
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"

/* What an attacker would like to be served. */
#define EVIL "GET /evil HTTP/1.1\r\n" H "\r\n"

#define MALFORMED_VALUE "400 a header value holds a control character"
#define BARE_LF         "400 a line ends in a bare line feed"

static const struct guard_limits limits = GUARD_LIMITS;

static inline char *
transcript(const struct sample *sample, piece_fn piece, uint64_t random, bool details)
{
	struct buf out;
	char *text;

	buf_init(&out, 0);
	transcribe(&out, &limits, sample->data, sample->len, piece, random, details);
	text = strdup(buf_text(&out));
	assert_non_null(text);
	buf_fini(&out);
	return text;
}

static inline void
check(const struct sample *samples, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char *brief = transcript(&samples[i], piece_whole, 0, false);
		char *whole = transcript(&samples[i], piece_whole, 0, true);
		char *split = transcript(&samples[i], piece_byte, 0, true);

		if (strcmp(brief, samples[i].expected) != 0)
			print_error("sample %zu: %s\n", i, samples[i].data);
		assert_string_equal(brief, samples[i].expected);
		assert_string_equal(split, whole);
		free(split);
		for (uint64_t seed = 1; seed <= 20; seed++) {
			split =
			    transcript(&samples[i], piece_random, seed * 0x9e3779b97f4a7c15U, true);
			assert_string_equal(split, whole);
			free(split);
		}
		free(whole);
		free(brief);
	}
}

#endif
