/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WebSocket: framing (RFC 6455) belongs to the core, meaning to the module.
 * A socket lives on the worker that upgraded it.
 */
#ifndef CONVRO_SOCKET_H
#define CONVRO_SOCKET_H

#include <convro/abi.h>

struct convro_socket;
struct convro_frame; /* an encoded frame, shared by reference among sockets and workers */

struct convro_socket_events {
	uint32_t size;
	uint32_t max_message; /* bytes of one message over its fragments; more closes with 1009 */
	uint32_t max_queue;   /* bytes waiting to be written; more closes the socket */
	uint32_t reserved;
	/* One message; the data is borrowed until it returns.  `ctx` is a unit of work of its own.
	 */
	void (*message)(struct convro_ctx *ctx, struct convro_socket *socket, void *arg, int binary,
	    const char *data, size_t len);
	/* Everything queued has been written (after a send that could not be written at once). */
	void (*drained)(struct convro_ctx *ctx, struct convro_socket *socket, void *arg);
	/* The last call for this socket; `code` as in RFC 6455 7.4 (1006 = the connection broke),
	 * `why` for the log: "transport close", "transport error", "overflow", "server shutting
	 * down". */
	void (*closed)(struct convro_ctx *ctx, struct convro_socket *socket, void *arg, int code,
	    const char *why);
	/* 1 = messages are compressed where the client offers permessage-deflate (RFC
	 * 7692); without context takeover, so a socket costs no memory for it.  `max_message`
	 * counts before and after inflation. */
	uint32_t deflate;
	uint32_t deflate_threshold; /* bytes of a message that is compressed; 0 = 1024 */
	/* Frames of one message, at most 65535; more closes with 1008.  0 = 16384, or one per 64
	 * bytes of max_message where that is more. */
	uint32_t max_fragments;
};

struct convro_socket_table { /* thread: the socket's worker, frames: any */
	uint32_t size;

	/* A text or binary message as one frame with one reference; NULL when memory is out. */
	struct convro_frame *(*frame)(const void *data, size_t len, int binary);
	struct convro_frame *(*frame_ref)(struct convro_frame *frame);
	void (*frame_unref)(struct convro_frame *frame);
	/* Queues the frame (a reference is taken); written with all others of this loop turn in one
	 * writev. */
	void (*send)(struct convro_socket *socket, struct convro_frame *frame);
	/* The same for bytes used once. */
	void (*send_data)(struct convro_socket *socket, const void *data, size_t len, int binary);
	size_t (*queued)(const struct convro_socket *socket);
	/* Sends a close frame after what is queued; closed() follows, never from within this call.
	 */
	void (*close)(struct convro_socket *socket, int code, const char *reason);
	/* Drops the connection without a close frame; closed() follows, never from within this
	 * call. */
	void (*abort)(struct convro_socket *socket);
};

#endif
