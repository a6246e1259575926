/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An event on its way to the members of a room, on whatever worker.  It is
 * written once, and shared by workers, sockets and the recovery log
 * (recovery.h).
 */
#ifndef SOCKETIO_PUSH_H
#define SOCKETIO_PUSH_H

#include "mount.h"

struct push { /* constant once it was posted */
	atomic_uint refs;
	uint32_t ack_handler; /* realtime.v1: 1-based in the service; 0 = none */
	int64_t cursor;       /* realtime.v1; 0 = not replayed */
	struct mount *mount;
	struct convro_frame *frame;       /* of the whole text; NULL: the text is sent as it is */
	struct text room;                 /* "<namespace>,<room>" */
	struct text text;                 /* the packet, without its attachments */
	size_t plain_len;                 /* of the text without an offset and the last bracket */
	struct convro_socketio_args args; /* only its attachments, owned */
	char except[SID_LEN];             /* id of a socket that is left out */
	bool is_volatile;                 /* for those who can take it at once */
	bool ends_in_text; /* clients take the last argument for an offset if it is a text */
	/* In the log. */
	struct ring link;
	uint64_t number; /* 0 = not in there */
	int64_t at;      /* milliseconds */
	size_t bytes;
};

/* Without its end; NULL when memory is out.  One reference. */
struct push *push_make(struct mount *mount, const char *namespace, struct slice room,
    struct slice name, const struct convro_socketio_args *args);
/* Ends the text, with an offset unless it is empty; false when memory is out. */
bool push_finish(struct push *push, struct slice offset);
/* Makes the frame, where it pays. */
void push_frame(struct push *push);
void push_ref(struct push *push);
void push_unref(struct push *push);

/* Brings it to all members, those on this worker at once; takes the reference. */
void push_spread(struct convro_ctx *ctx, struct push *push);
/* The same in the order of commits among those with the same key; takes the reference.  `push`
 * NULL: memory was out, and clients have to come back for what they missed. */
void push_spread_in_commit_order(
    struct convro_ctx *ctx, struct mount *mount, struct push *push, uint64_t key);
/* Nobody can be told; clients have to come back. */
void push_missed(struct mount *mount);

/* Writes it to the client. */
void
push_write(struct convro_ctx *ctx, struct convro_socketio_socket *socket, const struct push *push);

#endif
