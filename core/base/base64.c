/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Base64.  One table reads both alphabets and remembers, in the two bits that a
 * digit leaves free, which of them it has seen: so the loop over a ciphertext
 * has no branch for bad input, and the verdict is one test behind it.  Writing is
 * what a page of ciphertexts costs, so it uses what the processor has for it.
 */
#include "base/base64.h"

#include <stdbool.h>
#if defined(__x86_64__)
#include <tmmintrin.h>
#endif

#define DIGIT        0x3f
#define STANDARD     0x40 /* '+' and '/' */
#define URL          0x80 /* '-' and '_' */
#define NEITHER_BOTH (STANDARD | URL)

/* clang-format off */
static const uint8_t values[256] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7e, 0xff, 0xbe, 0xff, 0x7f,
	0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e,
	0x0f, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0xff, 0xff, 0xff, 0xff, 0xbf,
	0xff, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28,
	0x29, 0x2a, 0x2b, 0x2c, 0x2d, 0x2e, 0x2f, 0x30, 0x31, 0x32, 0x33, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff
};
/* clang-format on */

static const char standard_digits[64] = {
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
};
static const char url_digits[64] = {
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
};

/* Takes the padding off: *len becomes the number of digits.  False when it is neither whole nor
 * absent. */
static bool
strip_padding(const char *text, size_t *len)
{
	size_t digits = *len;

	while (digits > 0 && *len - digits < 2 && text[digits - 1] == '=')
		digits--;
	if (digits != *len && *len % 4 != 0)
		return false;
	*len = digits;
	return digits % 4 != 1;
}

/* The last two or three digits; says what their spare bits hold, which must be nothing. */
static unsigned
decode_tail(const unsigned char *in, size_t digits, uint8_t *out, unsigned *seen)
{
	unsigned a = values[in[0]], b = values[in[1]], c;

	*seen |= a | b;
	out[0] = (uint8_t)((a & DIGIT) << 2 | (b & DIGIT) >> 4);
	if (digits == 2)
		return b & 0x0f;
	c = values[in[2]];
	*seen |= c;
	out[1] = (uint8_t)((b & 0x0f) << 4 | (c & DIGIT) >> 2);
	return c & 0x03;
}

int
base64_decode(const char *text, size_t len, uint8_t *out, size_t size, size_t *out_len)
{
	const unsigned char *in = (const unsigned char *)text;
	unsigned seen = 0, spare = 0;
	size_t tail, bytes;

	if (!strip_padding(text, &len))
		return -1;
	if (len == 0) { /* either pointer may be NULL */
		*out_len = 0;
		return 0;
	}
	tail = len % 4;
	bytes = len / 4 * 3 + (tail == 0 ? 0 : tail - 1);
	if (bytes > size)
		return -1;

	for (const unsigned char *end = in + (len - tail); in != end; in += 4, out += 3) {
		unsigned a = values[in[0]], b = values[in[1]];
		unsigned c = values[in[2]], d = values[in[3]];
		unsigned word =
		    (a & DIGIT) << 18 | (b & DIGIT) << 12 | (c & DIGIT) << 6 | (d & DIGIT);

		seen |= a | b | c | d;
		out[0] = (uint8_t)(word >> 16);
		out[1] = (uint8_t)(word >> 8);
		out[2] = (uint8_t)word;
	}
	if (tail != 0)
		spare = decode_tail(in, tail, out, &seen);
	if ((seen & NEITHER_BOTH) == NEITHER_BOTH || spare != 0)
		return -1;
	*out_len = bytes;
	return 0;
}

size_t
base64_encoded_len(size_t len)
{
	return (len / 3 + (len % 3 != 0)) * 4;
}

size_t
base64url_encoded_len(size_t len)
{
	return len / 3 * 4 + (len % 3 == 0 ? 0 : len % 3 + 1);
}

size_t
base64_decoded_max(size_t len)
{
	return len / 4 * 3 + (len % 4 == 0 ? 0 : len % 4 - 1);
}

#if defined(__x86_64__)
/* Twelve bytes to sixteen digits at a time (W. Mula, D. Lemire, "Faster Base64 Encoding and
 * Decoding using AVX2 Instructions", 2018; here with half as wide registers).  Takes whole groups
 * of three; says how many bytes, of which it reads four beyond each twelve. */
__attribute__((target("ssse3"))) static size_t
encode_fast(const char digits[64], const unsigned char *in, size_t len, char *out)
{
	/* Each group of three bytes a b c as b a c b, so that each digit's bits are in one half. */
	const __m128i spread = _mm_setr_epi8(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10);
	/* What is added to a digit's value: to 26..51, to 52..61, to 62, to 63, to 0..25. */
	const char to_lower = 'a' - 26, to_number = '0' - 52;
	const __m128i shifts = _mm_setr_epi8(to_lower, to_number, to_number, to_number, to_number,
	    to_number, to_number, to_number, to_number, to_number, to_number,
	    (char)(digits[62] - 62), (char)(digits[63] - 63), 'A', 0, 0);
	size_t at = 0;

	for (; len - at >= 16; at += 12, out += 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i_u *)(in + at));
		__m128i halves = _mm_shuffle_epi8(bytes, spread);
		/* A multiplication shifts each half by its own distance. */
		__m128i first = _mm_mulhi_epu16(
		    _mm_and_si128(halves, _mm_set1_epi32(0x0fc0fc00)), _mm_set1_epi32(0x04000040));
		__m128i second = _mm_mullo_epi16(
		    _mm_and_si128(halves, _mm_set1_epi32(0x003f03f0)), _mm_set1_epi32(0x01000010));
		__m128i sixes = _mm_or_si128(first, second);
		/* Which of the shifts: 0 for all up to 51, of which the upper-case ones get 13. */
		__m128i kind = _mm_subs_epu8(sixes, _mm_set1_epi8(51));
		__m128i upper = _mm_cmpgt_epi8(_mm_set1_epi8(26), sixes);

		kind = _mm_or_si128(kind, _mm_and_si128(upper, _mm_set1_epi8(13)));
		_mm_storeu_si128(
		    (__m128i_u *)out, _mm_add_epi8(_mm_shuffle_epi8(shifts, kind), sixes));
	}
	return at;
}

static bool
has_fast(void)
{
	return __builtin_cpu_supports("ssse3") != 0;
}
#else
static size_t
encode_fast(const char digits[64], const unsigned char *in, size_t len, char *out)
{
	(void)digits, (void)in, (void)len, (void)out;
	return 0;
}

static bool
has_fast(void)
{
	return false;
}
#endif

/* Without padding; says where the text ends. */
static char *
encode(const char digits[64], const unsigned char *in, size_t len, char *out)
{
	size_t done = len >= 16 && has_fast() ? encode_fast(digits, in, len, out) : 0;

	in += done;
	out += done / 3 * 4;
	for (len -= done; len >= 3; len -= 3, in += 3, out += 4) {
		unsigned word = (unsigned)in[0] << 16 | (unsigned)in[1] << 8 | in[2];

		out[0] = digits[word >> 18];
		out[1] = digits[word >> 12 & DIGIT];
		out[2] = digits[word >> 6 & DIGIT];
		out[3] = digits[word & DIGIT];
	}
	if (len == 0)
		return out;
	*out++ = digits[in[0] >> 2];
	if (len == 1) {
		*out++ = digits[(in[0] & 0x03) << 4];
		return out;
	}
	*out++ = digits[(in[0] & 0x03) << 4 | in[1] >> 4];
	*out++ = digits[(in[1] & 0x0f) << 2];
	return out;
}

void
base64_encode(const void *data, size_t len, char *out)
{
	char *end = out + base64_encoded_len(len);

	out = encode(standard_digits, data, len, out);
	while (out != end)
		*out++ = '=';
}

void
base64url_encode(const void *data, size_t len, char *out)
{
	(void)encode(url_digits, data, len, out);
}
