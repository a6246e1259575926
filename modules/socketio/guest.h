/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service "socketio.v1": servers that other modules mounted.  guest.c is the
 * life of their sockets, guest_emit.c what they are told, guest_ack.c who owes
 * an answer to whom, guest_table.c the service itself.
 */
#ifndef SOCKETIO_GUEST_H
#define SOCKETIO_GUEST_H

#include "mount.h"

#include <convro/socketio.h>

struct pending; /* an acknowledgement that the client owes */

/* What the module that mounted knows a mount by. */
struct convro_socketio_mount {
	struct mount *mount; /* borrowed: it owns us */
	struct convro_socketio_options options;
};

struct convro_socketio_socket {
	struct convro_socketio_socket *next; /* of the session */
	struct session *session;             /* a reference */
	const char *namespace;               /* borrowed from the mount's options */
	struct ring rooms;
	struct pending *pending;
	uint64_t last_ack_id;
	uint64_t written;  /* recovery: number of the last event that was written */
	uint64_t restored; /* recovery: events up to it were told when it came back */
	uint32_t pending_count;
	uint32_t refs;
	bool gone; /* disconnected() was called */
	char id[SID_LEN];
	char pid[SID_LEN]; /* recovery */
};

struct convro_socketio_reply {
	struct convro_socketio_socket *socket; /* a reference */
	char id[SLICE_UINT_SIZE];
	uint32_t id_len; /* 0 = the client wants none */
};

/* The mount's options; only of guests. */
const struct convro_socketio_options *guest_options(const struct session *session);
void guest_ref(struct convro_socketio_socket *socket);
void guest_unref(struct convro_socketio_socket *socket);
/* From now on what runs is the module's that mounted, until guest_leave with what was returned. */
const void *guest_enter(struct convro_ctx *ctx, const struct mount *mount);
void guest_leave(struct convro_ctx *ctx, const void *before);
/* Takes the socket out of its session and rooms, and tells the module. */
void guest_end(struct convro_ctx *ctx, struct convro_socketio_socket *socket, const char *why);
/* "<namespace>,<room>"; false when memory is out. */
bool guest_room(const char *namespace, struct slice room, struct text *out);
/* A packet with its attachments. */
void guest_send(struct convro_ctx *ctx, struct session *session, struct slice packet,
    const struct convro_socketio_args *args);

/* ---- guest_emit.c ---- */

void guest_emit(struct convro_ctx *ctx, struct convro_socketio_socket *socket, const char *name,
    const struct convro_socketio_args *args);
void
guest_emit_room(struct convro_ctx *ctx, struct convro_socketio_mount *mount, const char *namespace,
    const char *room, size_t room_len, const struct convro_socketio_socket *except,
    const char *name, const struct convro_socketio_args *args);
/* 42["name",args,"offset"]; an empty offset = none. */
void guest_put_event(struct text *out, const char *namespace, struct slice id, const char *name,
    const struct convro_socketio_args *args, struct slice offset);

/* ---- guest_ack.c ---- */

enum convro_status
guest_emit_ack(struct convro_ctx *ctx, struct convro_socketio_socket *socket, const char *name,
    const struct convro_socketio_args *args, convro_socketio_acked *acked, void *arg);
void guest_acked(struct convro_ctx *ctx, struct convro_socketio_socket *socket, uint64_t id,
    const struct convro_socketio_args *args);
/* Tells everybody who waits that nothing will come. */
void guest_forget_acks(struct convro_ctx *ctx, struct convro_socketio_socket *socket);
struct convro_socketio_reply *
guest_reply_new(struct convro_socketio_socket *socket, struct slice id);
void guest_reply(struct convro_ctx *ctx, struct convro_socketio_reply *reply,
    const struct convro_socketio_args *args);

extern const struct convro_socketio guest_table;

#endif
