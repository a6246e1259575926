/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service "socketio.v1": Socket.IO v5 and Engine.IO v4 servers of a
 * module's own, with its own path, options and namespaces.  It is provided by
 * the module socketio, whose own server is one of them (realtime.h).
 *
 * A module mounts a server in init, gives it RAW routes (CONVRO_ROUTE_RAW |
 * CONVRO_ROUTE_PREFIX) for GET and POST, and for PUT, DELETE and PATCH if the
 * protocol's own error is wanted, whose handlers call serve(), and lets the
 * routes' `worker` call worker().
 */
#ifndef CONVRO_SOCKETIO_H
#define CONVRO_SOCKETIO_H

#include <convro/abi.h>

struct convro_node;
struct convro_socketio_mount;     /* one server; lives until the process ends */
struct convro_socketio_socket;    /* one client in one namespace */
struct convro_socketio_reply;     /* an acknowledgement that the client waits for */
struct convro_socketio_admission; /* a client that waits to be let in */
struct convro_engineio_socket;    /* one client of a raw Engine.IO server */

struct convro_socketio_attachment {
	const void *data;
	size_t len;
};

/* Arguments of an event or an acknowledgement, in JSON; {"_placeholder":true,"num":n} in it stands
 * for the bytes of attachment n.  From a client: checked, borrowed until the function returns.  To
 * a client: borrowed until the call returns. */
struct convro_socketio_args {
	const char *json; /* separated by commas, without brackets around them; may be empty */
	size_t len;
	const struct convro_socketio_attachment *attachments;
	uint32_t attachment_count; /* at most 99; from a client as many as its server's
				     options let pass */
	/* From a client: the same parsed, arguments first, first + 1, ... of the array.  To a
	 * client: not looked at. */
	uint32_t first;
	const struct convro_node *array;
};

enum {
	CONVRO_SOCKETIO_RAW = 1, /* Engine.IO only: messages go to `message` */
	/* Connection state recovery: a client that comes back within recovery_ms to this process,
	 * on whatever worker, has its id and rooms again and is told what it missed, in order and
	 * once. Every event that is neither volatile nor to be acknowledged has an offset, a text
	 * behind its arguments. */
	CONVRO_SOCKETIO_RECOVERY = 2
};

/* The client's acknowledgement of emit_ack.  Runs exactly once; `args` is NULL when the socket
 * ended first, which is the last that is heard of it. */
typedef void convro_socketio_acked(struct convro_ctx *ctx, void *arg,
    struct convro_socketio_socket *socket, const struct convro_socketio_args *args);

/* The same of emit_with, which also says how it went: OK with the arguments; TIMEOUT when the
 * client did not answer in time, and a later answer is ignored; FAILED when the socket ended first,
 * which is the last that is heard of it.  Runs exactly once. */
typedef void
convro_socketio_answered(struct convro_ctx *ctx, void *arg, struct convro_socketio_socket *socket,
    enum convro_status status, const struct convro_socketio_args *args);

enum {
	/* Dropped where the client cannot take it at once, and when it is away; never recovered. */
	CONVRO_SOCKETIO_VOLATILE = 1
};

struct convro_socketio_emit {
	uint32_t size;
	uint32_t flags;       /* CONVRO_SOCKETIO_VOLATILE */
	uint32_t ack_timeout; /* milliseconds; 0 = as long as the socket lives */
	uint32_t reserved;
	convro_socketio_answered *answered; /* NULL: no acknowledgement; not with a room */
	void *arg;
};

/* 0 in a number means the default; that of max_namespaces, max_rooms and max_acks is what the
 * configuration of the module socketio says, else the one here. */
struct convro_socketio_options {
	uint32_t size;
	uint32_t flags;           /* CONVRO_SOCKETIO_... */
	uint32_t ping_interval;   /* milliseconds; 25000 */
	uint32_t ping_timeout;    /* milliseconds; 20000 */
	uint32_t connect_timeout; /* milliseconds until a namespace has to be joined; 45000 */
	uint32_t upgrade_timeout; /* milliseconds; 10000 */
	uint32_t max_payload;     /* bytes of one message of a client; 1000000 */
	uint32_t send_limit;      /* bytes that may wait for one client; 1 MiB */
	uint32_t max_namespaces;  /* that one connection may join; 16 */
	uint32_t max_rooms;       /* that one socket may join; 1024 */
	uint32_t max_acks;        /* that one socket may owe; 1024 */
	uint32_t recovery_ms;     /* how long a client may be away; 120000 */
	uint32_t recovery_bytes;  /* of events kept for those who are away; 1 MiB */
	uint32_t reserved;
	const char *const *namespaces; /* NULL behind the last; NULL = "/" only; lives as long */

	/* What happens; `self` is given to all.  Each may be NULL.  Thread: the socket's worker. */
	void *self;
	/* A client has joined a namespace: `auth` is the payload of its CONNECT, NULL = none, or
	 * connecting() was told.  `recovered`: it is back, with its id and rooms, and is told what
	 * it missed. */
	void (*connected)(struct convro_ctx *ctx, void *self, struct convro_socketio_socket *socket,
	    const struct convro_node *auth, int recovered);
	/* An event.  `reply` has to be answered once (reply()), at once or later; it is never NULL,
	 * also where the client wants no answer. */
	void (*event)(struct convro_ctx *ctx, void *self, struct convro_socketio_socket *socket,
	    const char *name, size_t name_len, const struct convro_socketio_args *args,
	    struct convro_socketio_reply *reply);
	/* The socket is no more after this; `why` in the words of the reference server. */
	void (*disconnected)(struct convro_ctx *ctx, void *self,
	    struct convro_socketio_socket *socket, const char *why);
	/* RAW: a message. */
	void (*message)(struct convro_ctx *ctx, void *self, struct convro_engineio_socket *socket,
	    int binary, const char *data, size_t len);
	/* A client wants to join: admit() or refuse() it, once, at once or later; NULL: all are let
	 * in.  Also asked of clients that have come back, as what they present may have ended
	 * meanwhile.  Until then the socket may join rooms, and is not told what is emitted; it has
	 * its final id only once it is connected.  `auth` is borrowed until the context ends. */
	void (*connecting)(struct convro_ctx *ctx, void *self,
	    struct convro_socketio_socket *socket, const struct convro_node *auth,
	    struct convro_socketio_admission *admission);
};

struct convro_socketio { /* thread: the socket's worker, unless said otherwise */
	uint32_t size;

	/* Only in init; NULL when memory is out.  Thread: main. */
	struct convro_socketio_mount *(*mount)(
	    struct convro_ctx *ctx, const struct convro_socketio_options *options);
	/* What the handler of a route returns. */
	int (*serve)(struct convro_ctx *ctx, struct convro_socketio_mount *mount);
	/* What the `worker` of a route returns.  Thread: any. */
	int (*worker)(const char *query, size_t len);

	/* 20 characters without a NUL behind them, borrowed as long as the socket lives. */
	const char *(*id)(const struct convro_socketio_socket *socket);
	const char *(*namespace_of)(const struct convro_socketio_socket *socket);
	void (*emit)(struct convro_ctx *ctx, struct convro_socketio_socket *socket,
	    const char *name, const struct convro_socketio_args *args);
	/* OVERLOAD when the client owes max_acks, or NO_MEMORY: then `acked` does not run. */
	enum convro_status (*emit_ack)(struct convro_ctx *ctx,
	    struct convro_socketio_socket *socket, const char *name,
	    const struct convro_socketio_args *args, convro_socketio_acked *acked, void *arg);
	/* Answers an event, and ends the handle; nothing is sent where the client is gone or wants
	 * no answer.  `args` NULL: no answer. */
	void (*reply)(struct convro_ctx *ctx, struct convro_socketio_reply *reply,
	    const struct convro_socketio_args *args);

	/* Rooms are per namespace; every socket is in the room of its id.  OVERLOAD when it is in
	 * max_rooms, or NO_MEMORY. */
	enum convro_status (*join)(
	    struct convro_socketio_socket *socket, const char *room, size_t len);
	void (*leave)(struct convro_socketio_socket *socket, const char *room, size_t len);
	/* To every member, on whatever worker, but for `except` (NULL = nobody).  Thread: worker.
	 */
	void (*emit_room)(struct convro_ctx *ctx, struct convro_socketio_mount *mount,
	    const char *namespace_name, const char *room, size_t room_len,
	    const struct convro_socketio_socket *except, const char *name,
	    const struct convro_socketio_args *args);

	/* DISCONNECT, after which the client stays away.  `whole`: the connection is closed
	 * instead, with all its namespaces, and the client comes back.  disconnected() is called
	 * from within. */
	void (*disconnect)(
	    struct convro_ctx *ctx, struct convro_socketio_socket *socket, int whole);

	/* RAW. */
	void (*send)(struct convro_ctx *ctx, struct convro_engineio_socket *socket, int binary,
	    const void *data, size_t len);
	void (*close)(struct convro_ctx *ctx, struct convro_engineio_socket *socket);

	/* Lets a client in, and ends the handle; connected() is called from within.  0: it has gone
	 * meanwhile, and nothing more is heard of the socket. */
	int (*admit)(struct convro_ctx *ctx, struct convro_socketio_admission *admission);
	/* CONNECT_ERROR with the message and, where `len` is not 0, the JSON text `data`; ends the
	 * handle and the socket.  Clients do not try again. */
	void (*refuse)(struct convro_ctx *ctx, struct convro_socketio_admission *admission,
	    const char *message, const char *data, size_t len);
	/* Who it is, in at most 32 bytes; only in connecting().  With RECOVERY the place of a
	 * client is given back only to the same.  INVALID when it is longer. */
	enum convro_status (*identify)(
	    struct convro_socketio_socket *socket, const void *identity, size_t len);
	/* The module's own, as long as the socket lives; NULL at first. */
	void (*set_user)(struct convro_socketio_socket *socket, void *user);
	void *(*user)(const struct convro_socketio_socket *socket);
	/* emit and emit_ack in one; statuses as emit_ack, then `answered` does not run.  A volatile
	 * one that is dropped: OVERLOAD. */
	enum convro_status (*emit_with)(struct convro_ctx *ctx,
	    struct convro_socketio_socket *socket, const char *name,
	    const struct convro_socketio_args *args, const struct convro_socketio_emit *how);
	void (*emit_room_with)(struct convro_ctx *ctx, struct convro_socketio_mount *mount,
	    const char *namespace_name, const char *room, size_t room_len,
	    const struct convro_socketio_socket *except, const char *name,
	    const struct convro_socketio_args *args, const struct convro_socketio_emit *how);
};

#endif
