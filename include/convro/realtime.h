/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service "realtime.v1": what a module that pushes to clients needs.  It
 * is provided by the module socketio (wire contract, section 3).
 */
#ifndef CONVRO_REALTIME_H
#define CONVRO_REALTIME_H

#include <convro/abi.h>

struct convro_catch_up; /* one connecting socket that is being told what it missed */

/* What a module tells a device that connects.  Sources run in the order of `order`, one after the
 * other, before anything live; what is pushed meanwhile is queued. */
struct convro_realtime_source {
	uint32_t size;
	int32_t order;
	uint32_t always; /* 0: only when the client gave afterId; 1: on every connect */
	uint32_t reserved;
	void *self;
	/* Tells with emit() what comes after the cursor `after` (the client's afterId, or 0 without
	 * one, on the first page; then the cursor of the last emit) and ends each page with
	 * page_done(), from here or from a completion of `ctx`. */
	void (*page)(struct convro_ctx *ctx, void *self, struct convro_catch_up *catch_up,
	    int64_t device, int64_t after);
};

/* The client acknowledged a pushed event (auth.acks of the contract). */
typedef void convro_pushed_ack(struct convro_ctx *ctx, void *self, int64_t device, int64_t cursor);

struct convro_realtime {
	uint32_t size;

	/* Emits `event` with one argument, the JSON text, to all sockets of the device, on whatever
	 * worker. `cursor` is the id a client resumes after, ascending per device; 0 = not
	 * replayed.  Follows the order of commits.  Thread: worker. */
	void (*push)(struct convro_ctx *ctx, int64_t device, const char *event, int64_t cursor,
	    const char *json, size_t len);

	/* Registers a source, or an acknowledgement handler for an event.  Only in init.  Thread:
	 * main. */
	void (*add_source)(struct convro_ctx *ctx, const struct convro_realtime_source *source);
	void (*on_ack)(
	    struct convro_ctx *ctx, const char *event, convro_pushed_ack *function, void *self);

	/* In a source.  Thread: worker. */
	void (*emit)(struct convro_catch_up *catch_up, const char *event, int64_t cursor,
	    const char *json, size_t len);
	/* `more`: call page again.  A status other than OK ends the connection, which the client
	 * retries. */
	void (*page_done)(struct convro_catch_up *catch_up, enum convro_status status, int more);
};

#endif
