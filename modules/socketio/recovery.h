/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connection state recovery: who is away, and what was said meanwhile.  One log
 * per mount, for all workers, under one lock; bounded by bytes and by time.
 *
 * An offset is the log's tag and a number, so that a client's last argument that
 * happens to be a text is not taken for one.
 */
#ifndef SOCKETIO_RECOVERY_H
#define SOCKETIO_RECOVERY_H

#include "guest.h"

#define OFFSET_SIZE 32

/* An event on its way to the members of a room, shared by workers and the log. */
struct logged {
	atomic_uint refs;
	struct ring link; /* in the log */
	uint64_t number;  /* in the log; 0 = not in there */
	int64_t at;       /* milliseconds */
	char except[SID_LEN];
	struct text room;                 /* "<namespace>,<room>" */
	struct text text;                 /* the packet */
	struct convro_socketio_args args; /* only its attachments, owned */
	size_t bytes;
};

/* Without the packet; NULL when memory is out.  One reference. */
struct logged *
logged_new(const char *namespace, struct slice room, const struct convro_socketio_args *args);
void logged_write(struct logged *event, const char *namespace, const char *name,
    const struct convro_socketio_args *args, struct slice offset);
void logged_ref(struct logged *event);
void logged_unref(struct logged *event);
void
logged_send(struct convro_ctx *ctx, struct convro_socketio_socket *socket, struct logged *event);

/* What a client that is back has missed. */
struct recovered {
	uint32_t count;
	struct logged *events[]; /* references */
};

/* NULL when memory or randomness is out.  Thread: main. */
struct recovery *recovery_new(const struct convro_socketio_options *options);
void recovery_free(struct recovery *recovery);

/* The rest: worker. */

/* Numbers the event, writes its packet and keeps it. */
void recovery_log(struct convro_ctx *ctx, struct recovery *recovery, struct logged *event,
    const char *namespace, const char *name, const struct convro_socketio_args *args);
/* Keeps the state of a socket that is ending, where the reason allows it. */
void recovery_save(struct convro_ctx *ctx, struct recovery *recovery,
    const struct convro_socketio_socket *socket, const char *why);
/* The state that CONNECT's payload names, moved to the socket: ids and rooms.  NULL = none, and the
 * socket is as before.  Caller frees with recovered_free. */
struct recovered *recovery_take(struct convro_ctx *ctx, struct recovery *recovery,
    struct convro_socketio_socket *socket, const struct convro_node *auth);
void recovered_free(struct recovered *recovered); /* NULL is allowed */

#endif
