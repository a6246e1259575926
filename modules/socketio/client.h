/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clients of our own server, which has one namespace: who they are, and what
 * they are told through the service "realtime.v1".  connect.c lets them in,
 * event.c, call.c and refresh.c are what they say, realtime.c and catch_up.c what
 * they are told, expiry.c and revoke.c how their tokens end.
 */
#ifndef SOCKETIO_CLIENT_H
#define SOCKETIO_CLIENT_H

#include "push.h"
#include "recovery.h"
#include "socket.h"

#define ROOM_NAME_SIZE 24 /* "device:" and 16 hex digits */

#define NAMES_INLINE 32

struct client {
	struct convro_socketio_socket socket;
	struct convro_catch_up *catch_up; /* while what was missed is being told */
	char *names; /* number and username of the principal, once verified; NULL before */
	int64_t user_id, device_id;
	int64_t expires_at;  /* the token; microseconds since 1970 */
	int64_t last_cursor; /* pushes up to it were told by the catch-up */
	uint64_t arrival;    /* newest.c: higher is newer; of those that are connected */
	uint32_t epoch;      /* of the token */
	uint8_t username_at; /* in `names`; 0 = none */
	bool has_number;
	bool acks;    /* the client acknowledges pushes */
	bool revoked; /* while connecting: the token ended meanwhile */
	bool expiring_told;
	char own_names[NAMES_INLINE]; /* for those that are short; else `names` is owned */
};

/* What is kept of a client that may come back; the same for the same device only. */
struct client_identity {
	int64_t user_id, device_id;
};

static inline struct client *
client_of(struct convro_socketio_socket *socket)
{
	return (struct client *)socket;
}

/* The client of a session; NULL = it is not connected. */
struct client *client_in(const struct session *session);

/* ---- connect.c ---- */

/* What our own server is, beside its options. */
extern const struct mount_hooks client_hooks;
void client_options(struct convro_socketio_options *out);
struct slice device_room(int64_t device, char out[ROOM_NAME_SIZE]);
/* Visits the device's clients on this worker, also those that are connecting. */
void device_each(struct station *station, int64_t device,
    void (*visit)(struct client *client, void *arg), void *arg);
/* Who the client is. */
struct convro_principal client_principal(const struct client *client);

/* ---- event.c ---- */

void client_event(struct convro_ctx *ctx, void *self, struct convro_socketio_socket *socket,
    const char *name, size_t name_len, const struct convro_socketio_args *args,
    struct convro_socketio_reply *reply);
void client_acked(struct convro_ctx *ctx, struct convro_socketio_socket *socket, uint64_t id);
/* Sends EVENT `name` with one argument, past the recovery log. */
void
client_emit(struct convro_ctx *ctx, struct client *client, const char *name, struct slice json);
/* Acknowledges with one argument, the JSON text, where the client asked for that, and ends the
 * handle. */
void client_reply(
    struct convro_ctx *ctx, struct convro_client_reply *reply, const char *json, size_t len);

/* ---- call.c, refresh.c ---- */

/* request and auth.refresh; `argument` NULL = none.  The handle is taken. */
void client_request(struct convro_ctx *ctx, struct client *client,
    struct convro_client_reply *reply, const struct convro_node *argument);
void client_refresh(struct convro_ctx *ctx, struct client *client,
    struct convro_client_reply *reply, const struct convro_node *argument);

/* ---- newest.c ---- */

/* CONNECT has succeeded: the device's older sockets end, where the configuration wants that.  May
 * close the session. */
void newest_arrived(struct convro_ctx *ctx, struct client *client);

/* ---- expiry.c, revoke.c ---- */

/* Sets session->limit by the token's end. */
void expiry_watch(struct convro_ctx *ctx, struct client *client);
void expiry_limit(struct convro_ctx *ctx, struct session *session);
convro_fact_function socketio_revoked;

/* ---- realtime.c ---- */

extern const struct convro_realtime realtime_table;
/* The mount that the service works for; NULL at the end.  Thread: main. */
void realtime_mount(struct mount *mount);
/* A push of realtime.v1, without its end; `room` empty: nowhere.  NULL when memory is out. */
struct push *client_push_new(
    struct mount *mount, struct slice room, const char *event, int64_t cursor, struct slice json);
bool
client_ack_id(const struct convro_socketio_socket *socket, const struct push *push, uint64_t *out);
/* A push has come for the client: queued, or left out, where it is not to be told now. */
bool client_hold(struct convro_ctx *ctx, struct convro_socketio_socket *socket, struct push *push);

/* ---- catch_up.c ---- */

/* From now on pushes are queued.  `after` negative: the client gave none.  False when memory is
 * out. */
bool catch_up_new(struct client *client, int64_t after);
/* It has come back: it is told what it missed, instead of what the sources have. */
void catch_up_missed(struct convro_ctx *ctx, struct convro_socketio_socket *socket,
    struct push *const *missed, uint32_t count);
/* Tells what was missed, then what was queued meanwhile; then client->catch_up is NULL. */
void catch_up_run(struct convro_ctx *ctx, struct client *client);
/* The client has read. */
void catch_up_resume(struct convro_ctx *ctx, struct convro_catch_up *catch_up);
/* The client is gone; without a catch-up nothing happens. */
void catch_up_stop(struct client *client);
/* What is being sent is its own. */
bool catch_up_tells(const struct convro_catch_up *catch_up);
/* Queues a push until what was missed has been told; false when that is too much for one client. */
bool catch_up_add(struct convro_catch_up *catch_up, struct push *push);
/* Members of the service's table. */
void catch_up_emit(struct convro_catch_up *catch_up, const char *event, int64_t cursor,
    const char *json, size_t len);
void catch_up_page_done(struct convro_catch_up *catch_up, enum convro_status status, int more);

#endif
