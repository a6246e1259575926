/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Engine.IO v4 packets: what travels in the body of a poll, and in the messages
 * of a WebSocket.  Pure code; what a message packet says is read by packet.h.
 */
#ifndef SOCKETIO_ENGINEIO_H
#define SOCKETIO_ENGINEIO_H

#include "text.h"

enum engineio_type {
	ENGINEIO_OPEN,
	ENGINEIO_CLOSE,
	ENGINEIO_PING,
	ENGINEIO_PONG,
	ENGINEIO_MESSAGE,
	ENGINEIO_UPGRADE,
	ENGINEIO_NOOP
};

struct engineio_packet {
	enum engineio_type type;
	bool binary;       /* only with ENGINEIO_MESSAGE */
	struct slice data; /* what follows the type; borrowed from the bytes that were read */
};

/* One packet from a WebSocket text message, or from between two separators of a payload.  A binary
 * packet ("b" and base64, also over WebSocket from clients with forceBase64) is decoded in place.
 * False = bad packet.  A WebSocket binary message needs no reading: it is the message. */
bool engineio_read(char *data, size_t len, struct engineio_packet *out);

/* The body of a POST: packets joined by 0x1e. */
struct engineio_payload {
	char *at;    /* borrowed */
	size_t left; /* bytes at `at` */
	bool ended;
	bool bad;
};

enum engineio_next {
	ENGINEIO_PACKET, /* a packet was stored */
	ENGINEIO_END,    /* there are no more */
	ENGINEIO_BAD     /* not a packet or not UTF-8: close with "parse error" */
};

/* In place; `data` is borrowed while packets are read and in use, and gets overwritten by binary
 * packets.  An empty body is one bad packet. */
void engineio_payload_init(struct engineio_payload *payload, char *data, size_t len);

/* The next packet; after ENGINEIO_END and ENGINEIO_BAD always the same again. */
enum engineio_next
engineio_payload_next(struct engineio_payload *payload, struct engineio_packet *out);

/* Writers append one packet, with the separator before it unless `out` is empty: so one text is a
 * poll's body, or, cleared before each, a WebSocket message. */

/* The type only; what is written next is the packet's data. */
void engineio_begin(struct text *out, enum engineio_type type);

void engineio_put(struct text *out, enum engineio_type type, struct slice data);

/* A binary message as "b" and base64 (polling, and clients that asked for it with b64=1). */
void engineio_put_binary(struct text *out, const void *data, size_t len);

struct engineio_open {
	struct slice sid;       /* URL-safe characters only */
	bool upgrade;           /* offer "websocket" */
	uint32_t ping_interval; /* milliseconds */
	uint32_t ping_timeout;  /* milliseconds */
	uint32_t max_payload;   /* bytes */
};

/* The open packet, the first of a session. */
void engineio_put_open(struct text *out, const struct engineio_open *open);

/* Reasons to refuse a request, in the numbers of the protocol. */
enum engineio_error {
	ENGINEIO_UNKNOWN_TRANSPORT,
	ENGINEIO_UNKNOWN_SID,
	ENGINEIO_BAD_HANDSHAKE_METHOD,
	ENGINEIO_BAD_REQUEST,
	ENGINEIO_FORBIDDEN,
	ENGINEIO_UNSUPPORTED_PROTOCOL_VERSION
};

/* The HTTP status that goes with it: 403 for ENGINEIO_FORBIDDEN, else 400. */
int engineio_error_status(enum engineio_error error);

/* The JSON body that goes with it, a constant. */
const char *engineio_error_body(enum engineio_error error);

#endif
