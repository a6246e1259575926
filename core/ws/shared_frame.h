/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An encoded frame, shared by reference among sockets and workers.  It carries
 * its compressed variants, one per window size, each made when the first socket
 * needs it and used by all others (design: realtime, W4).
 */
#ifndef WS_SHARED_FRAME_H
#define WS_SHARED_FRAME_H

#include "ws/deflate.h"
#include "ws/frame.h"

#include <convro/socket.h>
#include <stdatomic.h>

struct convro_frame {
	struct convro_frame *_Atomic variants; /* owned; the first of a list linked by this */
	atomic_uint refs;
	uint32_t len;
	atomic_ushort no_gain; /* 1 << window bits: compressing did not help */
	uint8_t window_bits;   /* of a variant */
	unsigned char data[];
};

/* All give a frame with one reference, or NULL when memory is out.  Thread: any. */

/* Bytes that are no WebSocket message. */
struct convro_frame *frame_raw(const void *data, size_t len);
/* One unfragmented frame. */
struct convro_frame *frame_encode(enum ws_opcode opcode, const void *data, size_t len);
struct convro_frame *frame_make(const void *data, size_t len, int binary);

struct convro_frame *frame_ref(struct convro_frame *frame);
void frame_drop(struct convro_frame *frame); /* NULL is nothing */

/* Bytes of a message's payload. */
size_t frame_payload(const struct convro_frame *frame);
/* What goes to a socket that agreed on `window_bits`, borrowed as long as `frame`: the compressed
 * variant, or `frame` itself when that is no longer or memory is out.  Thread: any, each with a
 * `deflate` of its own. */
struct convro_frame *
frame_deflated(struct convro_frame *frame, struct ws_deflate *deflate, unsigned window_bits);

#endif
