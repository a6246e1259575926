/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UTF-8 by RFC 3629, table 3-7 of the Unicode standard: what the first byte
 * leaves open for the second decides about overlong forms and surrogates.
 */
#include "base/utf8.h"

#include <string.h>

static bool
is_tail(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

size_t
utf8_step(const char *text, size_t len)
{
	const unsigned char *c = (const unsigned char *)text;

	if (len == 0)
		return 0;
	if (c[0] < 0x80)
		return 1;
	if (c[0] < 0xc2) /* a tail byte, or an overlong form of ASCII */
		return 0;
	if (c[0] < 0xe0)
		return len >= 2 && is_tail(c[1]) ? 2 : 0;
	if (c[0] < 0xf0) {
		if (len < 3 || !is_tail(c[1]) || !is_tail(c[2]))
			return 0;
		if ((c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] >= 0xa0))
			return 0; /* overlong; surrogate */
		return 3;
	}
	if (c[0] > 0xf4 || len < 4 || !is_tail(c[1]) || !is_tail(c[2]) || !is_tail(c[3]))
		return 0;
	if ((c[0] == 0xf0 && c[1] < 0x90) || (c[0] == 0xf4 && c[1] >= 0x90))
		return 0; /* overlong; above U+10FFFF */
	return 4;
}

int
utf8_count(const char *text, size_t len, size_t *out)
{
	size_t count = 0;
	size_t at = 0;

	while (at < len) {
		size_t step;
		uint64_t word;

		/* Eight ASCII bytes at a time: most text is nothing else. */
		if (len - at >= sizeof word) {
			memcpy(&word, text + at, sizeof word);
			if ((word & UINT64_C(0x8080808080808080)) == 0) {
				at += sizeof word;
				count += sizeof word;
				continue;
			}
		}
		step = utf8_step(text + at, len - at);
		if (step == 0)
			return -1;
		at += step;
		count++;
	}
	*out = count;
	return 0;
}

bool
utf8_is_valid(const char *text, size_t len)
{
	size_t count;

	return utf8_count(text, len, &count) == 0;
}

size_t
utf8_encode(uint32_t code, char out[UTF8_MAX])
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code >= 0xd800 && code < 0xe000)
		return 0;
	if (code < 0x10000) {
		out[0] = (char)(0xe0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3f));
		out[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	if (code > 0x10ffff)
		return 0;
	out[0] = (char)(0xf0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3f));
	out[2] = (char)(0x80 | (code >> 6 & 0x3f));
	out[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}
