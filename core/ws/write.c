/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the server sends: frame headers, close frames and their codes.  The
 * reader's half is frame.c.
 */
#include "base/must.h"
#include "ws/frame.h"

#include <string.h>

#define FIN        0x80
#define RSV1       0x40
#define LENGTH_16  126
#define LENGTH_64  127
#define CODE_SIZE  2
#define REASON_MAX (WS_CONTROL_MAX - CODE_SIZE)

size_t
ws_frame_header(uint8_t out[WS_HEADER_MAX], enum ws_opcode opcode, bool compressed, uint64_t len)
{
	unsigned i;

	MUST(len <= INT64_MAX);
	out[0] = (uint8_t)(FIN | (compressed ? RSV1 : 0) | (unsigned)opcode);
	if (len < LENGTH_16) {
		out[1] = (uint8_t)len;
		return 2;
	}
	if (len <= UINT16_MAX) {
		out[1] = LENGTH_16;
		out[2] = (uint8_t)(len >> 8);
		out[3] = (uint8_t)len;
		return 4;
	}
	out[1] = LENGTH_64;
	for (i = 0; i < 8; i++)
		out[2 + i] = (uint8_t)(len >> (56 - 8 * i));
	return WS_HEADER_MAX;
}

/* The length of a reason that fits, without half a character at its end. */
static size_t
reason_len(const char *reason)
{
	size_t len = strnlen(reason, REASON_MAX + 1);

	if (len <= REASON_MAX)
		return len;
	for (len = REASON_MAX; len > 0 && ((uint8_t)reason[len] & 0xc0) == 0x80; len--)
		;
	return len;
}

size_t
ws_close_frame(uint8_t out[WS_CLOSE_MAX], unsigned code, const char *reason)
{
	size_t len = 0, header;

	if (code != WS_CLOSE_NO_STATUS) {
		MUST(ws_close_code_valid(code));
		len = reason_len(reason);
		out[2] = (uint8_t)(code >> 8);
		out[3] = (uint8_t)code;
		memcpy(out + 4, reason, len);
		len += CODE_SIZE;
	}
	header = ws_frame_header(out, WS_OP_CLOSE, false, len);
	return header + len;
}

bool
ws_close_code_valid(unsigned code)
{
	switch (code) {
	case 1004:               /* reserved */
	case WS_CLOSE_NO_STATUS: /* never on the wire */
	case WS_CLOSE_ABNORMAL:  /* never on the wire */
		return false;
	default:
		return (code >= 1000 && code <= 1014) || (code >= 3000 && code <= 4999);
	}
}
