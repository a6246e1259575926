/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The small codecs of core/base: base64, hexadecimal, date-times, decimal
 * numbers.  What one side reads the other writes again, and the reverse.
 */
#include "base/base64.h"
#include "base/hex.h"
#include "base/isotime.h"
#include "base/must.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *
memory(size_t len)
{
	void *data = malloc(len > 0 ? len : 1);

	MUST(data != NULL);
	return data;
}

/* Any bytes come back from both alphabets, in memory of exactly their length. */
static void
encode_base64(const uint8_t *data, size_t size)
{
	size_t padded_len = base64_encoded_len(size), url_len = base64url_encoded_len(size), got;
	char *padded = memory(padded_len), *url = memory(url_len);
	uint8_t *back = memory(size);

	base64_encode(data, size, padded);
	MUST(base64_decode(padded, padded_len, back, size, &got) == 0);
	MUST(got == size && memcmp(back, data, size) == 0);
	MUST(size == 0 || base64_decode(padded, padded_len, back, size - 1, &got) == -1);
	base64url_encode(data, size, url);
	MUST(base64_decode(url, url_len, back, size, &got) == 0);
	MUST(got == size && memcmp(back, data, size) == 0);
	free(padded);
	free(url);
	free(back);
}

/* A text that is accepted is the one that would be written, but for padding, in one alphabet. */
static void
decode_base64(const char *text, size_t len)
{
	size_t room = base64_decoded_max(len), bytes;
	uint8_t *out = memory(room);

	if (base64_decode(text, len, out, room, &bytes) == 0) {
		size_t padded_len = base64_encoded_len(bytes);
		size_t url_len = base64url_encoded_len(bytes);
		char *padded = memory(padded_len), *url = memory(url_len);

		base64_encode(out, bytes, padded);
		base64url_encode(out, bytes, url);
		MUST(len == padded_len || len == url_len);
		MUST(memcmp(text, padded, url_len) == 0 || memcmp(text, url, url_len) == 0);
		MUST(len == url_len || memcmp(text + url_len, "==", len - url_len) == 0);
		free(padded);
		free(url);
	}
	free(out);
}

static void
hexadecimal(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	char *encoded = memory(2 * size), id[HEX16_LEN];
	uint8_t *back = memory(size);
	int64_t wide;

	hex_encode(data, size, encoded);
	MUST(hex_decode(encoded, 2 * size, back) == 0 && memcmp(back, data, size) == 0);
	if (hex_decode(text, size, back) == 0) {
		hex_encode(back, size / 2, encoded);
		MUST(text_equal_nocase(text, size, encoded, size));
	}
	if (hex16_decode(text, size, &wide) == 0) {
		hex16_encode(wide, id);
		MUST(text_equal_nocase(text, size, id, HEX16_LEN));
	}
	free(encoded);
	free(back);
}

static void
date_times(const char *text, size_t len)
{
	char written[ISOTIME_LEN];
	int64_t us, back;

	if (isotime_parse(text, len, &us) == 0) {
		MUST(us >= ISOTIME_MIN && us <= ISOTIME_MAX);
		isotime_format(us, written);
		MUST(isotime_parse(written, sizeof written, &back) == 0);
		MUST(back <= us && us - back < 1000);
	}
	if (len < sizeof us)
		return;
	memcpy(&us, text, sizeof us);
	isotime_format(us, written);
	MUST(isotime_parse(written, sizeof written, &back) == 0);
	MUST(us < ISOTIME_MIN || us > ISOTIME_MAX || (back <= us && us - back < 1000));
}

static void
decimal_numbers(const char *text, size_t len)
{
	char written[TEXT_INT64_MAX];
	int64_t value;

	if (text_int64(text, len, &value) != 0)
		return;
	MUST(text_from_int64(value, written) == len && memcmp(written, text, len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;

	encode_base64(data, size);
	decode_base64(text, size);
	hexadecimal(data, size);
	date_times(text, size);
	decimal_numbers(text, size);
	return 0;
}
