/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Socket.IO sockets: a client in one namespace of one server.  socket.c is their
 * packets and their end, admission.c how they come in, emit.c what they are told,
 * ack.c who owes an answer to whom, recovery.c how they come back, and
 * socket_table.c the service "socketio.v1".
 */
#ifndef SOCKETIO_SOCKET_H
#define SOCKETIO_SOCKET_H

#include "mount.h"

/* What the module that mounted knows a mount by. */
struct convro_socketio_mount {
	struct mount *mount; /* borrowed: it owns us */
	struct convro_socketio_options options;
};

enum socket_state {
	SOCKET_CONNECTING, /* until it is admitted */
	SOCKET_CONNECTED,
	SOCKET_GONE
};

struct acks;            /* that the client owes */
struct socket_recovery; /* recovery.h */

struct convro_socketio_socket {
	struct convro_socketio_socket *next; /* of the session */
	struct session *session;             /* a reference */
	const char *namespace;               /* borrowed from the mount's options */
	struct room_member *rooms;
	struct acks *acks;                /* owned; NULL = it never owed any */
	struct socket_recovery *recovery; /* owned; NULL = off */
	uint32_t refs;
	uint8_t state; /* enum socket_state */
	char id[SID_LEN];
};

/* The sockets of other modules' servers. */
struct plain_socket {
	struct convro_socketio_socket socket;
	void *user;
};

/* A CONNECT that waits to be admitted. */
struct convro_socketio_admission {
	struct convro_socketio_socket *socket; /* a reference */
	uint8_t pid_len, offset_len;           /* what the client said; 0 = nothing fit */
	char pid[SID_LEN + 1], offset[64];
};

struct convro_socketio_reply {
	struct convro_socketio_socket *socket; /* a reference */
	char id[SLICE_UINT_SIZE];
	uint32_t id_len; /* 0 = the client wants none */
};

void socket_ref(struct convro_socketio_socket *socket);
void socket_unref(struct convro_socketio_socket *socket);
/* From now on what runs is the module's that mounted, until socket_leave with what was returned. */
const void *socket_enter(struct convro_ctx *ctx, const struct mount *mount);
void socket_leave(struct convro_ctx *ctx, const void *before);
/* Takes the socket out of its session and rooms, and tells the module if it was connected. */
void socket_end(struct convro_ctx *ctx, struct convro_socketio_socket *socket, const char *why);
/* DISCONNECT, after which the client stays away. */
void socket_disconnect(struct convro_ctx *ctx, struct convro_socketio_socket *socket, int whole);
/* OVERLOAD when it is in as many rooms as it may, or NO_MEMORY. */
enum convro_status socket_join(struct convro_socketio_socket *socket, const char *room, size_t len);
/* "<namespace>,<room>"; false when memory is out. */
bool socket_room(const char *namespace, struct slice room, struct text *out);
void socket_send_attachments(
    struct convro_ctx *ctx, struct session *session, const struct convro_socketio_args *args);
/* The packet in the station's scratch, then its attachments; may end the session. */
void socket_send_packet(
    struct convro_ctx *ctx, struct session *session, const struct convro_socketio_args *args);
/* A packet's array, with its placeholders checked; NULL when it is malformed. */
const struct convro_node *read_array(struct convro_ctx *ctx, const struct packet *packet);

/* ---- admission.c ---- */

void socket_connect(struct convro_ctx *ctx, struct session *session, const struct packet *packet);
/* Members of the service's table. */
int socket_admit(struct convro_ctx *ctx, struct convro_socketio_admission *admission);
void socket_refuse(struct convro_ctx *ctx, struct convro_socketio_admission *admission,
    const char *message, const char *data, size_t len);
struct convro_socketio_socket *socket_find(const struct session *session, struct slice namespace);

/* ---- emit.c: members of the service's table ---- */

void socket_emit(struct convro_ctx *ctx, struct convro_socketio_socket *socket, const char *name,
    const struct convro_socketio_args *args);
enum convro_status
socket_emit_with(struct convro_ctx *ctx, struct convro_socketio_socket *socket, const char *name,
    const struct convro_socketio_args *args, const struct convro_socketio_emit *how);
void
socket_emit_room(struct convro_ctx *ctx, struct convro_socketio_mount *face, const char *namespace,
    const char *room, size_t room_len, const struct convro_socketio_socket *except,
    const char *name, const struct convro_socketio_args *args);
void socket_emit_room_with(struct convro_ctx *ctx, struct convro_socketio_mount *face,
    const char *namespace, const char *room, size_t room_len,
    const struct convro_socketio_socket *except, const char *name,
    const struct convro_socketio_args *args, const struct convro_socketio_emit *how);
/* Past the recovery log, and so without an offset; `id` as in packet.h. */
void socket_tell(struct convro_ctx *ctx, struct convro_socketio_socket *socket, struct slice id,
    struct slice name, const struct convro_socketio_args *args);

/* ---- ack.c ---- */

enum convro_status
socket_emit_ack(struct convro_ctx *ctx, struct convro_socketio_socket *socket, const char *name,
    const struct convro_socketio_args *args, convro_socketio_acked *acked, void *arg);
/* With how->answered. */
enum convro_status
socket_ask(struct convro_ctx *ctx, struct convro_socketio_socket *socket, const char *name,
    const struct convro_socketio_args *args, const struct convro_socketio_emit *how);
void socket_acked(struct convro_ctx *ctx, struct convro_socketio_socket *socket, uint64_t id,
    const struct convro_socketio_args *args);
/* Tells everybody who waits that nothing will come. */
void socket_forget_acks(struct convro_ctx *ctx, struct convro_socketio_socket *socket);
struct convro_socketio_reply *
socket_reply_new(struct convro_socketio_socket *socket, struct slice id);
void socket_reply(struct convro_ctx *ctx, struct convro_socketio_reply *reply,
    const struct convro_socketio_args *args);

extern const struct convro_socketio socketio_table;

#endif
