/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Incremental UTF-8 check: a state says which byte may come next, so overlong
 * forms, surrogates and code points over U+10FFFF fail at their second byte.
 */
#include "ws/utf8.h"

#include <string.h>

/* What is expected after the bytes so far; WS_UTF8_START is the state between characters. */
enum {
	ONE = WS_UTF8_START + 1, /* one more continuation byte */
	TWO,
	THREE,
	AFTER_E0, /* second byte restricted: not overlong */
	AFTER_ED, /* not a surrogate */
	AFTER_F0, /* not overlong */
	AFTER_F4, /* not over U+10FFFF */
	REFUSED
};

static const struct {
	uint8_t low, high; /* the bytes allowed */
	uint8_t next;
} continuation[] = {
	[ONE] = { 0x80, 0xbf, WS_UTF8_START },
	[TWO] = { 0x80, 0xbf, ONE },
	[THREE] = { 0x80, 0xbf, TWO },
	[AFTER_E0] = { 0xa0, 0xbf, ONE },
	[AFTER_ED] = { 0x80, 0x9f, ONE },
	[AFTER_F0] = { 0x90, 0xbf, TWO },
	[AFTER_F4] = { 0x80, 0x8f, TWO },
};

static uint8_t
lead(uint8_t byte)
{
	if (byte < 0x80)
		return WS_UTF8_START;
	if (byte < 0xc2 || byte > 0xf4)
		return REFUSED;
	if (byte < 0xe0)
		return ONE;
	if (byte < 0xf0)
		return byte == 0xe0 ? AFTER_E0 : byte == 0xed ? AFTER_ED : TWO;
	return byte == 0xf0 ? AFTER_F0 : byte == 0xf4 ? AFTER_F4 : THREE;
}

/* The length of the ASCII text at the beginning, in steps of eight bytes. */
static size_t
ascii_words(const char *data, size_t len)
{
	uint64_t word;
	size_t i;

	for (i = 0; len - i >= sizeof(word); i += sizeof(word)) {
		memcpy(&word, data + i, sizeof(word));
		if ((word & UINT64_C(0x8080808080808080)) != 0)
			break;
	}
	return i;
}

bool
ws_utf8_check(uint8_t *state, const char *data, size_t len)
{
	uint8_t now = *state;
	size_t i = 0;

	while (i < len && now != REFUSED) {
		uint8_t byte;

		if (now == WS_UTF8_START) {
			i += ascii_words(data + i, len - i);
			if (i == len)
				break;
			byte = (uint8_t)data[i++];
			now = lead(byte);
			continue;
		}
		byte = (uint8_t)data[i++];
		if (byte < continuation[now].low || byte > continuation[now].high)
			now = REFUSED;
		else
			now = continuation[now].next;
	}
	*state = now;
	return now != REFUSED;
}
