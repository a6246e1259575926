/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WebSocket frames from the client's side (RFC 6455, section 5): what we send
 * is masked and whole, what we read is neither masked nor, as neither of the
 * servers does it, fragmented.
 */
#ifndef LOAD_FRAME_H
#define LOAD_FRAME_H

#include <stddef.h>
#include <stdint.h>

enum frame_opcode {
	FRAME_CONTINUATION = 0,
	FRAME_TEXT = 1,
	FRAME_BINARY = 2,
	FRAME_CLOSE = 8,
	FRAME_PING = 9,
	FRAME_PONG = 10
};

#define FRAME_HEAD_MAX 14 /* bytes before the payload, mask included */

struct frame {
	enum frame_opcode opcode;
	const char *data; /* borrowed from what was read */
	size_t len;
};

enum frame_read { FRAME_READ, FRAME_INCOMPLETE, FRAME_WRONG };

/* The first frame of `len` bytes; `used` says how many of them it takes. */
enum frame_read frame_read(const void *bytes, size_t len, struct frame *out, size_t *used);

/* Writes a final frame; `out` has room for FRAME_HEAD_MAX + `len`.  Returns its size. */
size_t
frame_write(void *out, enum frame_opcode opcode, const void *data, size_t len, uint32_t mask);

#endif
