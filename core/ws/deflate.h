/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compression of messages (RFC 7692, section 7.2).  No message leans on one
 * before it (no context takeover, both ways), so one pair of zlib's streams
 * serves all sockets of a worker.  What was agreed on is extension.h; compressed
 * frames are shared in shared_frame.h.
 */
#ifndef WS_DEFLATE_H
#define WS_DEFLATE_H

#include "ws/frame.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A worker's; zlib's memory is taken at the first use of each direction: about 260 KiB to compress
 * and 60 KiB to inflate.  Opaque.  Thread: one at a time. */
struct ws_deflate;

/* NULL when memory is out. */
struct ws_deflate *ws_deflate_new(void);
void ws_deflate_free(struct ws_deflate *streams); /* NULL is nothing */

/* Compresses a message with a window of `window_bits` (9..15) into `size` bytes at `out`; returns
 * its length, or 0 when it does not fit, with 4 bytes to spare, or memory is out: send the message
 * as it is. */
size_t ws_deflate_message(struct ws_deflate *streams, unsigned window_bits, const void *data,
    size_t len, void *out, size_t size);

/* Turns a compressed WS_TEXT or WS_BINARY event of the reader into the message itself, with data
 * borrowed until ws_inflate_done, or into a WS_ERROR: 1007 no compressed data or not UTF-8, 1009
 * more than `max_message` bytes (as soon as the first of them is there), 1011 out of memory. */
void ws_inflate_message(struct ws_deflate *streams, uint32_t max_message, struct ws_event *event);
/* Frees what only a large message needed. */
void ws_inflate_done(struct ws_deflate *streams);

#endif
