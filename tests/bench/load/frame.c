/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WebSocket frames: see frame.h.
 */
#include "frame.h"

#include <string.h>

enum { FINAL = 0x80, RESERVED = 0x70, OPCODE = 0x0f, MASKED = 0x80, CONTROL = 0x08 };
enum { SMALL_MAX = 125, LEN_16 = 126, LEN_64 = 127 };

static uint64_t
read_number(const uint8_t *bytes, size_t len)
{
	uint64_t value = 0;

	for (size_t i = 0; i < len; i++)
		value = value << 8 | bytes[i];
	return value;
}

enum frame_read
frame_read(const void *bytes, size_t len, struct frame *out, size_t *used)
{
	const uint8_t *at = bytes;
	size_t head = 2;
	uint64_t size;

	if (len < head)
		return FRAME_INCOMPLETE;
	if ((at[0] & (FINAL | RESERVED)) != FINAL || (at[0] & OPCODE) == FRAME_CONTINUATION ||
	    (at[1] & MASKED) != 0)
		return FRAME_WRONG;
	size = at[1];
	if (size > SMALL_MAX) {
		size_t more = size == LEN_16 ? 2 : 8;

		if ((at[0] & CONTROL) != 0)
			return FRAME_WRONG;
		if (len < head + more)
			return FRAME_INCOMPLETE;
		size = read_number(at + head, more);
		head += more;
	}
	if (size > len - head)
		return FRAME_INCOMPLETE;
	*out = (struct frame){ .opcode = (enum frame_opcode)(at[0] & OPCODE),
		.data = (const char *)at + head,
		.len = (size_t)size };
	*used = head + (size_t)size;
	return FRAME_READ;
}

static size_t
write_head(uint8_t *at, enum frame_opcode opcode, size_t len)
{
	size_t more = 0;

	at[0] = (uint8_t)(FINAL | (unsigned)opcode);
	if (len <= SMALL_MAX) {
		at[1] = (uint8_t)(MASKED | len);
	} else {
		more = len <= UINT16_MAX ? 2 : 8;
		at[1] = more == 2 ? MASKED | LEN_16 : MASKED | LEN_64;
	}
	for (size_t i = 0; i < more; i++)
		at[2 + i] = (uint8_t)((uint64_t)len >> (8 * (more - 1 - i)));
	return 2 + more;
}

size_t
frame_write(void *out, enum frame_opcode opcode, const void *data, size_t len, uint32_t mask)
{
	uint8_t *at = out;
	const uint8_t *from = data;
	size_t head = write_head(at, opcode, len);
	uint8_t key[sizeof(mask)];

	memcpy(key, &mask, sizeof(key));
	memcpy(at + head, key, sizeof(key));
	head += sizeof(key);
	for (size_t i = 0; i < len; i++)
		at[head + i] = (uint8_t)(from[i] ^ key[i % sizeof(key)]);
	return head + len;
}
