/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Socket.IO client (protocol v5 on Engine.IO v4, WebSocket only, namespace
 * "/"): what socket.io-client does on that transport, one system call per
 * message, and a few dozen bytes for each socket that idles.
 */
#ifndef LOAD_CLIENT_H
#define LOAD_CLIENT_H

#include "endpoint.h"
#include "loop.h"
#include "token.h"

enum client_state {
	CLIENT_DOWN,
	CLIENT_CONNECTING, /* TCP */
	CLIENT_UPGRADING,  /* the request is sent */
	CLIENT_OPENING,    /* WebSocket: Engine.IO's first packet is awaited */
	CLIENT_JOINING,    /* CONNECT is sent */
	CLIENT_UP,
	CLIENT_LEAVING /* client_close: the server's end is awaited */
};

struct client {
	struct watch watch;
	struct clients *all; /* borrowed */
	enum client_state state;
	uint32_t number; /* the caller's, from 0 */
	uint64_t user;   /* whose token is used */
	bool catches_up; /* asks for the messages after a row */
	uint64_t after_id;
	uint64_t started; /* the caller's: when the connect was intended */
	char *unread;     /* part of a frame, or NULL */
	char *unsent;     /* what the kernel did not take yet, or NULL */
	size_t unread_len, unsent_len;
};

struct client_events {
	void (*connected)(struct client *client);
	/* An EVENT: the JSON array and what follows, borrowed during the call. */
	void (*event)(struct client *client, const char *array, size_t len);
	/* An ACK of an event that was sent with an id. */
	void (*acked)(struct client *client, uint64_t id);
	/* Down for whatever reason; `why` is NULL after client_close.  May connect it again. */
	void (*closed)(struct client *client, const char *why);
};

/* What all clients of a run share. */
struct clients {
	struct loop *loop;                  /* borrowed */
	struct endpoint *endpoint;          /* borrowed */
	struct tokens *tokens;              /* borrowed */
	const struct client_events *events; /* borrowed */
	void *arg;                          /* the caller's */
	uint64_t pings;                     /* answered heartbeats */
	char request[768];                  /* the upgrade */
	size_t request_len;
	char accept[32]; /* what Sec-WebSocket-Accept has to be */
	char *input;     /* one read, INPUT_SIZE */
	char *output;    /* one frame, OUTPUT_SIZE */
};

/* `path` as in /socket.io/.  Fills everything but the borrowed members and `arg`. */
void clients_init(struct clients *clients, const char *path);
void clients_fini(struct clients *clients);

/* Starts a connect of a client that is down; the outcome is always told by an event, which may
 * come before this returns. */
void client_connect(struct client *client);

/* Sends an EVENT, `array` with its brackets; `id` < 0 = no acknowledgement asked for. */
void client_emit(struct client *client, int64_t id, const char *array, size_t len);

/* Leaves as socket.io-client does: DISCONNECT, Close, and waits for the server's end. */
void client_close(struct client *client);

/* Closes the descriptor, now and without an event. */
void client_drop(struct client *client);

#endif
