/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the module share: a mount (one server with its options), its
 * stations (one per worker) and their sessions.  Read socketio.c first.
 *
 * A session is one client: an Engine.IO session with a Socket.IO socket (socket.h)
 * for each namespace that it joined.  It lives on one worker, whose number is in
 * its sid.
 */
#ifndef SOCKETIO_MOUNT_H
#define SOCKETIO_MOUNT_H

#include "compress.h"
#include "engineio.h"
#include "packet.h"
#include "ring.h"
#include "room.h"
#include "service.h"
#include "table.h"
#include "wheel.h"

#include <convro/module.h>
#include <convro/socketio.h>
#include <stdatomic.h>

extern const struct convro_api *convro;

#define PACE_BYTES     65536u /* a catch-up goes on when no more than this waits for the client */
#define SID_LEN        20     /* base64url of 15 bytes; two characters are the worker's number */
#define ADDRESS_SIZE   48     /* of an address as text, with its NUL */
#define SHUTTING_DOWN  "server shutting down"
#define LARGEST_PACKET (2 * 1024 * 1024) /* bytes of a single push that a source may emit */

struct push;
struct recovery;
struct session;

/* What our own server has beyond the options that any module gives (client.h). */
struct mount_hooks {
	size_t socket_size; /* of what begins with a struct convro_socketio_socket */
	/* A push has come to a socket that is not told it now; true: it was seen to. */
	bool (*hold)(
	    struct convro_ctx *ctx, struct convro_socketio_socket *socket, struct push *push);
	/* The ack id that the socket gets a push with; false = none. */
	bool (*ack_id)(
	    const struct convro_socketio_socket *socket, const struct push *push, uint64_t *out);
	/* An acknowledgement of what was sent with such an id. */
	void (*acked)(struct convro_ctx *ctx, struct convro_socketio_socket *socket, uint64_t id);
	/* The socket has come back, and is to be told what it missed. */
	void (*recovered)(struct convro_ctx *ctx, struct convro_socketio_socket *socket,
	    struct push *const *missed, uint32_t count);
	/* The transport took what was waiting. */
	void (*drained)(struct convro_ctx *ctx, struct session *session);
	/* Bytes that may wait for the client beside the send limit; SIZE_MAX = any. */
	size_t (*allowance)(const struct session *session);
	/* session->limit is due, and a namespace was joined. */
	void (*limit)(struct convro_ctx *ctx, struct session *session);
	/* The socket is gone, whether it was admitted or not, and has left its rooms. */
	void (*left)(struct convro_socketio_socket *socket);
};

/* What a client may have or do at most.  Of our own server; those of others begin with it. */
struct limits {
	uint32_t namespaces;  /* of one connection */
	uint32_t rooms;       /* of one socket, its own apart */
	uint32_t acks;        /* that one socket may owe */
	uint32_t attachments; /* of one packet */
	uint32_t fragments;   /* of one WebSocket message */
};

struct mount {
	struct mount *next; /* all of them, ours first */
	const void *module; /* this one, for contexts that others made */
	const void *owner;  /* the module whose functions are in `options` */
	const struct convro_socketio_options *options; /* in `face` */
	const struct mount_hooks *hooks;               /* NULL: not our own server */
	struct convro_socketio_mount *face;            /* owned; what the owner knows it by */
	struct recovery *recovery;                     /* owned; NULL = off */
	bool raw;                                      /* Engine.IO only */
	int64_t ping_interval, ping_timeout, connect_timeout, upgrade_timeout; /* milliseconds */
	uint32_t max_payload;                                                  /* bytes */
	uint32_t send_limit; /* bytes that may wait for one client */
	struct limits limits;
	bool polling, websocket;
	bool compress_polls;
	const char *cookie;  /* its name; "" or NULL = none */
	const char *origins; /* words, from which WebSockets are taken; "" or NULL = any */
	struct convro_socket_events socket_events;
	struct service service;
	_Atomic uint32_t presence[PRESENCE_SLOTS]; /* of rooms, also those of who may come back */
	uint32_t max_requests;                     /* of one client, that are under way */
	int64_t drain_time;        /* milliseconds; the most that closing all sessions takes */
	bool newest_wins;          /* a device has one socket: the last that connected */
	_Atomic uint64_t arrivals; /* numbers of newest.c that were given out */
	struct station *stations;  /* owned; one per worker */
	uint32_t station_count;
};

struct station { /* touched by its worker only, but for the atomics */
	struct mount *mount;
	uint32_t index;
	struct table sessions; /* by sid: those a request may name */
	struct ring all;       /* every session that is not freed */
	struct rooms rooms;
	/* Owned; what there is one of for each client. */
	struct convro_pool *session_pool, *socket_pool, *room_pool, *stay_pool;
	struct wheel wheel;
	struct convro_timer *timer;
	struct compressor *compressor; /* owned; NULL = answers to polls are not compressed */
	struct text scratch;           /* for one packet, cleared by whoever uses it */
	_Atomic uint32_t members;      /* sockets, joined or joining; read by whoever pushes */
	_Atomic bool missed;           /* a push could not be brought here: memory was out */
	_Atomic bool woken;            /* recovery: a task that looks at the log is on its way */
	bool delivering;               /* recovery: somebody up the stack looks at the log */
	bool draining;
	uint32_t drain_count, drained; /* sessions to close, and how many were told */
	int64_t drain_since, drain_ms;
	uint64_t taken; /* recovery: number of the last event that came here; under its lock */
};

enum session_state {
	SESSION_OPEN,
	SESSION_CLOSING, /* the goodbye waits for a poll, or for an upgrade that was promised */
	SESSION_CLOSED
};

/* The transport of a session while it is long-polling. */
struct polling {
	struct convro_ctx *get; /* the poll that waits, or NULL */
	struct text queue;      /* packets for the next poll */
};

/* A WebSocket that wants to take over from polling. */
struct probe {
	struct session *session;
	struct convro_socket *socket;
	struct alarm alarm;
	bool answered; /* 3probe is out: polls are answered at once */
};

/* What the handshake's query said; kept until CONNECT has succeeded. */
struct handshake {
	bool has_after;
	bool after_ok;
	int64_t after;
	size_t token_len; /* 0 = none */
	char token[];
};

struct session {
	struct table_node node; /* in station->sessions unless CLOSED */
	struct ring all;
	struct station *station;
	struct convro_socket *socket; /* the transport, or NULL */
	struct polling *polling;      /* the transport, or NULL */
	struct probe *probe;
	struct handshake *handshake;
	struct packet_assembly *assembly;       /* a binary packet that is not whole */
	struct convro_socketio_socket *sockets; /* one a namespace, newest first */
	struct alarm heartbeat;
	struct alarm limit; /* connect timeout, then the mount's */
	uint32_t refs;      /* one while not CLOSED, one per WebSocket, one per thing under way */
	uint32_t requests;  /* under way */
	uint8_t state;      /* enum session_state */
	bool pong_due;      /* a ping is out */
	bool is_bounded;    /* what is being sent is bounded otherwise than by the send limit */
	bool leaving;       /* the server stops: it is closed behind the answers to its requests */
	char sid[SID_LEN];
	char address[ADDRESS_SIZE]; /* the client's at the handshake; "" = unknown */
};

/* kind of a struct alarm */
enum alarm_kind { ALARM_HEARTBEAT, ALARM_LIMIT, ALARM_PROBE, ALARM_CATCH_UP, ALARM_ACK };

/* ---- session.c: life, and packets in and out ---- */

/* NULL when memory or randomness is out.  One reference, given up by session_close.  The client's
 * address is copied; NULL = unknown. */
struct session *session_new(struct convro_ctx *ctx, struct station *station, const char *address);
/* The session of a sid, NULL = none. */
struct session *session_find(struct station *station, const char *sid);
/* The worker that is named in the sid of a raw query; negative = none. */
int session_worker(void *self, const char *query, size_t len);
void session_ref(struct session *session);
void session_unref(struct session *session);

enum goodbye {
	GOODBYE_NONE,      /* the transport is gone, or takes nothing any more */
	GOODBYE_ERROR,     /* the client is told if it waits to hear something */
	GOODBYE_CLOSE,     /* it is told also later: clients come back */
	GOODBYE_AWAY,      /* the same, since the server stops */
	GOODBYE_DISCONNECT /* Socket.IO DISCONNECT first: clients stay away */
};
/* Ends the session in this loop turn; `why` for the log, in the words of the reference server. */
void session_close(
    struct convro_ctx *ctx, struct session *session, enum goodbye goodbye, const char *why);
/* Queues one Engine.IO packet; over the send limit the session is closed. */
void session_send(struct convro_ctx *ctx, struct session *session, struct slice packet);
/* The same for a text message whose frame exists already; `packet` is what is in it. */
void session_send_frame(struct convro_ctx *ctx, struct session *session, struct convro_frame *frame,
    struct slice packet);
/* A binary message. */
void session_send_binary(struct convro_ctx *ctx, struct session *session, struct slice data);
/* An Engine.IO packet from the client; data is writable.  May close the session. */
void session_receive(
    struct convro_ctx *ctx, struct session *session, const struct engineio_packet *packet);
/* Whether what is sent now goes out at once, as far as can be known. */
bool session_is_writable(const struct session *session);
/* Bytes that wait for the client. */
size_t session_queued(const struct session *session);
/* The transport took what was waiting. */
void session_drained(struct convro_ctx *ctx, struct session *session);
/* 20 characters from 15 random bytes; false when there is no randomness. */
bool random_id(char out[SID_LEN]);
/* Whether two ids of SID_LEN are the same, in a time that does not tell how much of them is. */
bool same_id(const char *a, const char *b);

/* Whether the blank-separated words have this one. */
bool has_word(const char *words, const char *word);

/* ---- request.c, polling.c, websocket.c, upgrade.c: transports ---- */

convro_handler socketio_serve;
/* A request to a mount, in the name of this module. */
int mount_serve(struct convro_ctx *ctx, struct mount *mount);
int refuse(struct convro_ctx *ctx, enum engineio_error error);
/* After the handshake's checks, or for a known session. */
int polling_open(struct convro_ctx *ctx, struct station *station);
int polling_get(struct convro_ctx *ctx, struct session *session);
int polling_post(struct convro_ctx *ctx, struct session *session);
/* Appends a packet and answers the poll that waits.  False: over the limit, or memory is out. */
bool polling_send(struct session *session, struct slice packet);
bool polling_send_binary(struct session *session, struct slice data);
/* Answers the poll that waits with what is queued, or else with NOOP. */
void polling_release(struct session *session);
void polling_free(struct session *session);
int websocket_open(struct convro_ctx *ctx, struct station *station);
extern const struct convro_socket_events websocket_events;
/* A session for a handshake, with what its query says; NULL after 503 was answered. */
struct session *handshake_session(struct convro_ctx *ctx, struct station *station);
/* Writes the open packet. */
void handshake_put_open(const struct session *session, struct text *out);
int upgrade_begin(struct convro_ctx *ctx, struct session *session);
void upgrade_message(struct convro_ctx *ctx, struct probe *probe, const char *data, size_t len);
/* The probe is over without effect on the session; its socket is closed. */
void upgrade_cancel(struct session *session);
void upgrade_lost(struct session *session);
/* A candidate was told 3probe: the client is about to stop polling, or has. */
bool upgrade_is_promised(const struct session *session);

/* ---- heartbeat.c ---- */

convro_task station_tick;
void station_close_all(
    struct convro_ctx *ctx, struct station *station, enum goodbye goodbye, const char *why);
void heartbeat_start(struct convro_ctx *ctx, struct session *session);
void heartbeat_pong(struct convro_ctx *ctx, struct session *session);

/* ---- socket.c (socket.h has the rest) ---- */

/* ---- drain.c ---- */

/* The server stops: no new sessions, and the others are closed one after the other. */
void station_drain(struct convro_ctx *ctx, struct station *station);
/* Closes those whose turn has come. */
void station_drain_step(struct convro_ctx *ctx, struct station *station);
/* A request of the session has been answered.  May close it. */
void drain_request_done(struct convro_ctx *ctx, struct session *session);

/* A Socket.IO packet; `assembly` has its attachments, NULL = none. */
void socket_packet(struct convro_ctx *ctx, struct session *session, const struct packet *packet,
    const struct packet_assembly *assembly);
/* Engine.IO only: a message. */
void raw_message(struct convro_ctx *ctx, struct session *session, bool binary, struct slice data);
/* The session's sockets end. */
void sockets_end(struct convro_ctx *ctx, struct session *session, const char *why);
/* Whether the session has joined a namespace. */
bool session_has_joined(const struct session *session);

/* ---- ack.c, push.c, catch_up.c (socket.h, push.h and client.h have the rest) ---- */

void ack_fire(struct convro_ctx *ctx, struct alarm *alarm);
/* Brings what the recovery log has to the station's sockets. */
void station_deliver(struct convro_ctx *ctx, struct station *station);
void catch_up_fire(struct convro_ctx *ctx, struct alarm *alarm);

/* ---- mount.c ---- */

/* One more server, for the module of the context; its options are copied.  `limits` NULL: those of
 * our own server, where the options say nothing; `hooks` as in struct mount.  NULL when memory is
 * out.  Thread: main. */
struct mount *mount_new(struct convro_ctx *ctx, const struct convro_socketio_options *options,
    const struct limits *limits, const struct mount_hooks *hooks);
void mounts_free(void);
enum convro_status mounts_worker_init(struct convro_ctx *ctx);
void mounts_drain(struct convro_ctx *ctx);
void mounts_worker_fini(struct convro_ctx *ctx);

#endif
