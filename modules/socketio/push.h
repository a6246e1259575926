/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service "realtime.v1": pushes, and what a connecting client is told
 * before them.
 */
#ifndef SOCKETIO_PUSH_H
#define SOCKETIO_PUSH_H

#include "mount.h"

/* A push on its way, shared by all workers and sockets.  Constant once it was posted. */
struct push {
	atomic_uint refs;
	uint32_t ack_handler; /* 1-based in the service; 0 = none */
	int64_t device;
	int64_t cursor;
	struct convro_frame *frame; /* of the whole text; NULL: the text is sent as it is */
	struct text room;           /* where it goes; empty: the device's */
	struct text text;           /* 42["event",<json>] */
};

/* Without a frame; NULL when memory is out. */
struct push *push_new(const struct service *service, int64_t device, const char *event,
    int64_t cursor, struct slice json);
void push_ref(struct push *push);
void push_unref(struct push *push);
/* Writes it to the client, with an ack id where the client acknowledges. */
void push_send(struct convro_ctx *ctx, struct session *session, const struct push *push);

/* Queues a push until what was missed has been told; false when that is too much for one client. */
bool catch_up_add(struct convro_catch_up *catch_up, struct push *push);

/* Members of the service's table. */
void catch_up_emit(struct convro_catch_up *catch_up, const char *event, int64_t cursor,
    const char *json, size_t len);
void catch_up_page_done(struct convro_catch_up *catch_up, enum convro_status status, int more);

#endif
