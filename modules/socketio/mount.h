/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the module share: a mount (one server with its options), its
 * stations (one per worker) and their sessions.  Read socketio.c first.
 *
 * A session is one client: an Engine.IO session with the Socket.IO socket "/"
 * in it.  It lives on one worker, whose number is in its sid.
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
#include <stdatomic.h>

extern const struct convro_api *convro;

#define PACE_BYTES     65536u /* a catch-up goes on when no more than this waits for the client */
#define SID_LEN        20     /* base64url of 15 bytes; two characters are the worker's number */
#define PRESENCE_SLOTS 8192
#define ROOM_NAME_SIZE 24 /* "device:" and 16 hex digits */
#define SHUTTING_DOWN  "server shutting down"
#define LARGEST_PACKET (2 * 1024 * 1024) /* bytes of a single push that a source may emit */

struct recovery;
struct convro_socketio_mount;

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
	/* NULL for our own server; else the options of the module that mounted. */
	const struct convro_socketio_options *guest;
	const void *guest_module;
	struct convro_socketio_mount *face; /* owned; what that module knows it by */
	struct recovery *recovery;          /* owned; NULL = off */
	bool raw;                           /* Engine.IO only */
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
	/* Sockets in rooms, by the hash of the room's name: 0 means for sure that nobody is in. */
	_Atomic uint32_t presence[PRESENCE_SLOTS];
	uint32_t max_requests;     /* of one client, that are under way */
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
	struct wheel wheel;
	struct convro_timer *timer;
	struct compressor *compressor; /* owned; NULL = answers to polls are not compressed */
	struct text scratch;           /* for one packet, cleared by whoever uses it */
	_Atomic uint32_t members;      /* sockets in device rooms; read by whoever pushes */
	_Atomic bool missed;           /* a push could not be brought here: memory was out */
	bool draining;
	uint32_t drain_count, drained; /* sessions to close, and how many were told */
	int64_t drain_since, drain_ms;
};

enum session_state {
	SESSION_OPEN,
	SESSION_CLOSING, /* the goodbye waits for a poll, or for an upgrade that was promised */
	SESSION_CLOSED
};

enum client_state {
	CLIENT_NONE, /* no CONNECT yet, or a DISCONNECT since */
	CLIENT_VERIFYING,
	CLIENT_CONNECTED
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
	struct packet_assembly *assembly; /* a binary packet that is not whole */
	struct convro_catch_up *catch_up; /* while what was missed is being told */
	struct alarm heartbeat;
	struct alarm limit;                    /* connect timeout, then the token's expiry */
	struct convro_socketio_socket *guests; /* of another module's server, one a namespace */
	struct ring rooms;
	int64_t user_id, device_id;
	int64_t expires_at;  /* the token; microseconds since 1970 */
	int64_t last_cursor; /* pushes up to it were told by the catch-up */
	uint64_t arrival;    /* newest.c: higher is newer; of those that are connected */
	uint32_t epoch;      /* of the token */
	uint32_t refs;       /* one while not CLOSED, one per WebSocket, one per thing under way */
	uint32_t
	    connect_round; /* raised by CONNECT and DISCONNECT, so that late answers are known */
	char *address;     /* owned: the client's at the handshake; NULL = unknown */
	struct who *who;   /* more of the principal, once verified */
	uint32_t requests; /* under way */
	uint8_t state;     /* enum session_state */
	uint8_t client;    /* enum client_state */
	bool pong_due;     /* a ping is out */
	bool acks;         /* the client acknowledges pushes */
	bool revoked;      /* while verifying: the token ended meanwhile */
	bool expiring_told;
	bool leaving; /* the server stops: it is closed behind the answers to its requests */
	char sid[SID_LEN];
};

/* The rest of a principal, for those who work in its name. */
struct who {
	const char *number, *username; /* into `text`; username may be NULL */
	char text[];
};

/* An event of a client that is to be acknowledged. */
struct convro_client_reply {
	struct session *session; /* a reference */
	uint32_t round;          /* of the session's CONNECT */
	uint32_t id_len;         /* 0: the client wants no acknowledgement */
	char id[SLICE_UINT_SIZE];
};

/* kind of a struct alarm */
enum alarm_kind { ALARM_HEARTBEAT, ALARM_LIMIT, ALARM_PROBE, ALARM_CATCH_UP };

/* ---- session.c: life, and packets in and out ---- */

/* NULL when memory or randomness is out.  One reference, given up by session_close. */
struct session *session_new(struct convro_ctx *ctx, struct station *station);
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
/* Sets session->limit by its expires_at. */
void expiry_watch(struct convro_ctx *ctx, struct session *session);

/* ---- connect.c, event.c, revoke.c: Socket.IO ---- */

void client_connect(struct convro_ctx *ctx, struct session *session, const struct packet *packet);
/* The client is not connected any more: leaves its rooms, forgets its catch-up. */
void client_leave(struct session *session);
void connect_error(struct convro_ctx *ctx, struct session *session, struct slice namespace,
    const char *message, bool with_data);
/* A packet's array, with its placeholders checked; NULL when it is malformed. */
const struct convro_node *read_array(struct convro_ctx *ctx, const struct packet *packet);
/* An event's array; NULL when it is none that the protocol allows. */
const struct convro_node *
read_event(struct convro_ctx *ctx, const struct packet *packet, struct slice *name);
/* EVENT and ACK, also binary ones. */
void client_event(struct convro_ctx *ctx, struct session *session, const struct packet *packet);
void client_ack(struct convro_ctx *ctx, struct session *session, const struct packet *packet);
/* Sends EVENT `name` with one argument. */
void
client_emit(struct convro_ctx *ctx, struct session *session, const char *name, struct slice json);
convro_fact_function socketio_revoked;
struct slice device_room(int64_t device, char out[ROOM_NAME_SIZE]);

/* Acknowledges an event of the client's, where it asked for that (id.len > 0). */
void
client_answer(struct convro_ctx *ctx, struct session *session, struct slice id, struct slice json);
/* A handle for an answer that may come later; NULL when memory is out. */
struct convro_client_reply *client_reply_new(struct session *session, struct slice id);
/* Acknowledges with one argument, and ends the handle. */
void client_reply(
    struct convro_ctx *ctx, struct convro_client_reply *reply, const char *json, size_t len);
/* Who the session's client is. */
struct convro_principal client_principal(const struct session *session);
/* request; `argument` NULL = none. */
void client_request(struct convro_ctx *ctx, struct session *session, struct slice id,
    const struct convro_node *argument);
/* auth.refresh; `argument` NULL = none. */
void client_refresh(struct convro_ctx *ctx, struct session *session, struct slice id,
    const struct convro_node *argument);

/* ---- drain.c ---- */

/* The server stops: no new sessions, and the others are closed one after the other. */
void station_drain(struct convro_ctx *ctx, struct station *station);
/* Closes those whose turn has come. */
void station_drain_step(struct convro_ctx *ctx, struct station *station);
/* A request of the session has been answered.  May close it. */
void drain_request_done(struct convro_ctx *ctx, struct session *session);

/* ---- newest.c ---- */

/* CONNECT has succeeded: the device's older sockets end, where the configuration wants that.  May
 * close the session. */
void newest_arrived(struct convro_ctx *ctx, struct session *session);

/* ---- guest.c (guest.h has the rest) ---- */

/* A packet to another module's server; `assembly` has its attachments, NULL = none. */
void guest_packet(struct convro_ctx *ctx, struct session *session, const struct packet *packet,
    const struct packet_assembly *assembly);
void guest_message(struct convro_ctx *ctx, struct session *session, bool binary, struct slice data);
/* The session's sockets end. */
void guests_end(struct convro_ctx *ctx, struct session *session, const char *why);

/* ---- mount.c ---- */

/* One more server, without options; NULL when memory is out.  Thread: main. */
struct mount *mount_new(struct convro_ctx *ctx);
/* The same for a module's own; its options are copied.  NULL as above. */
struct mount *mount_guest(struct convro_ctx *ctx, const struct convro_socketio_options *options);
void mounts_free(void);
enum convro_status mounts_worker_init(struct convro_ctx *ctx);
void mounts_drain(struct convro_ctx *ctx);
void mounts_worker_fini(struct convro_ctx *ctx);

/* ---- push.c, catch_up.c (push.h has the rest) ---- */

extern const struct convro_realtime realtime_table;
/* The mount that the service works for; NULL at the end.  Thread: main. */
void realtime_mount(struct mount *mount);

/* Sockets of a room have come or gone. */
void presence_count(struct mount *mount, struct slice room, int by);

/* From now on pushes are queued.  `after` negative: the client gave none.  False when memory is
 * out.
 */
bool catch_up_new(struct session *session, int64_t after);
/* Tells what was missed, then what was queued meanwhile; then session->catch_up is NULL. */
void catch_up_run(struct convro_ctx *ctx, struct session *session);
/* The client has read. */
void catch_up_resume(struct convro_ctx *ctx, struct convro_catch_up *catch_up);
void catch_up_fire(struct convro_ctx *ctx, struct alarm *alarm);
/* The client is gone; without a catch-up nothing happens. */
void catch_up_stop(struct session *session);
/* What is being sent is its own. */
bool catch_up_tells(const struct convro_catch_up *catch_up);

#endif
