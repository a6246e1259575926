/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service "realtime.v1": what a module that pushes to clients needs.  It
 * is provided by the module socketio (wire contract, section 3).
 */
#ifndef CONVRO_REALTIME_H
#define CONVRO_REALTIME_H

#include <convro/abi.h>

struct convro_node;
struct convro_principal;
struct convro_client_reply; /* a client that waits for the answer to its event */
struct convro_catch_up;     /* one connecting socket that is being told what it missed */

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

/* A client emitted an event: arguments are elements 1, 2, ... of `array`, which is borrowed until
 * the context ends; `principal` until this returns.  `reply` has to be answered exactly once, at
 * once or later, also where the client asked for no acknowledgement. */
typedef void
convro_client_event(struct convro_ctx *ctx, void *self, const struct convro_principal *principal,
    const struct convro_node *array, struct convro_client_reply *reply);

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

	/* An event of clients, by its name on the wire.  Only in init; the last one
	 * registered for a name has it.  Thread: main. */
	void (*on_event)(
	    struct convro_ctx *ctx, const char *event, convro_client_event *function, void *self);
	/* Acknowledges with one argument, the JSON text, and ends the handle; nothing
	 * is sent to a client that is gone or wants none.  Thread: the worker of the event. */
	void (*answer)(struct convro_ctx *ctx, struct convro_client_reply *reply, const char *json,
	    size_t len);
	/* 0: no socket of this process is in the room, nor one that may come back to it; else there
	 * probably is one.  Thread: worker. */
	int (*has_members)(struct convro_ctx *ctx, const char *room, size_t len);
	/* As push, to the room of that name ("device:<16 hex digits>"), without a cursor: told to
	 * those who are connected, and with recovery to those who come back in time.  In order
	 * among the pushes to one room. */
	void (*push_room)(struct convro_ctx *ctx, const char *room, size_t room_len,
	    const char *event, const char *json, size_t len);
};

#endif
