/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Base64 (RFC 4648, section 4).
 */
#include "base64.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
text_put_base64(struct text *out, const void *data, size_t len)
{
	const unsigned char *in = data;
	char *room = len <= SIZE_MAX / 2 ? text_room(out, (len + 2) / 3 * 4) : NULL;
	char *at = room;

	if (room == NULL) {
		out->failed = true;
		out->len = 0;
		return;
	}
	for (; len >= 3; len -= 3, in += 3) {
		*at++ = letters[in[0] >> 2];
		*at++ = letters[(in[0] & 0x03) << 4 | in[1] >> 4];
		*at++ = letters[(in[1] & 0x0f) << 2 | in[2] >> 6];
		*at++ = letters[in[2] & 0x3f];
	}
	if (len > 0) {
		unsigned second = len == 2 ? in[1] : 0;

		*at++ = letters[in[0] >> 2];
		*at++ = letters[(in[0] & 0x03u) << 4 | second >> 4];
		*at++ = len == 2 ? letters[(second & 0x0f) << 2] : '=';
		*at++ = '=';
	}
	out->len += (size_t)(at - room);
}

/* The six bits of a letter, -1 = none. */
static int
value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool
text_from_base64(char *data, size_t len, size_t *out)
{
	size_t used = 0, letters_len = len, i;
	uint32_t bits = 0;

	if (len % 4 != 0)
		return false;
	if (len > 0 && data[len - 1] == '=')
		letters_len -= data[len - 2] == '=' ? 2 : 1;

	for (i = 0; i < letters_len; i++) {
		int value = value_of(data[i]);

		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
		if (i % 4 == 0)
			continue;
		data[used++] = (char)(unsigned char)(bits >> (6 - 2 * (i % 4)));
	}
	*out = used;
	switch (letters_len % 4) {
	case 2:
		return (bits & 0x0f) == 0;
	case 3:
		return (bits & 0x03) == 0;
	default:
		return true;
	}
}
