/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Socket.IO v5 packets: <type>[<attachments>-][<namespace>,][<ack id>][JSON].
 * Splits what a client sent into slices and refuses what the protocol does not
 * allow; the JSON itself is read by the core.  Pure code, on top of engineio.h.
 */
#ifndef SOCKETIO_PACKET_H
#define SOCKETIO_PACKET_H

#include "text.h"

#define PACKET_MAX_ATTACHMENTS 99  /* the format's bound; who asks for less looks itself */
#define PACKET_MAX_NAMESPACE   255 /* bytes; a limit of ours */
#define PACKET_MAX_ID          9007199254740992 /* 2^53, what a JavaScript number holds */

enum packet_type {
	PACKET_CONNECT,
	PACKET_DISCONNECT,
	PACKET_EVENT,
	PACKET_ACK,
	PACKET_CONNECT_ERROR,
	PACKET_BINARY_EVENT,
	PACKET_BINARY_ACK
};

/* All slices are borrowed from the text that was parsed. */
struct packet {
	enum packet_type type;
	unsigned attachments;   /* BINARY_*: 1 to PACKET_MAX_ATTACHMENTS; else 0 */
	struct slice namespace; /* begins with "/"; "/" where the packet names none */
	struct slice id;        /* digits of the ack id, len 0 = none; echo them as they are */
	uint64_t id_value;      /* the same as a number */
	struct slice json;      /* len 0 = none; begins with the bracket that its type asks for */
};

/* Parses one packet of a client.  NULL, or what is wrong with it as a constant for the log; the
 * connection is to be closed then.  Guaranteed afterwards: CONNECT has an object or nothing,
 * DISCONNECT nothing, all others what begins as an array; ACK and BINARY_ACK have an id.  Left to
 * the reader of the JSON: that it is well-formed UTF-8 and that an event's first element is a
 * number or a text of which packet_event_name_ok holds. */
const char *packet_parse(const char *data, size_t len, struct packet *out);

/* False for the names that the protocol's libraries keep for themselves. */
bool packet_event_name_ok(struct slice name);

/* Writers append to `out` (begin the Engine.IO packet with engineio_begin).  `namespace` as in
 * struct packet; "/" and an empty one are not written.  `args` is JSON text without the brackets
 * around it: `1,{"a":2}`; empty = none. */

/* What stands before the JSON; BINARY_* are written with it, and the JSON by the caller. */
void packet_put_head(struct text *out, enum packet_type type, unsigned attachments,
    struct slice namespace, struct slice id);

/* CONNECT as an answer; `pid` empty = no connection state recovery.  Both of URL-safe characters.
 */
void
packet_put_connect(struct text *out, struct slice namespace, struct slice sid, struct slice pid);

void packet_put_disconnect(struct text *out, struct slice namespace);

/* EVENT; `id` (slice_of_uint) empty = no ack wanted; `name` is UTF-8 and gets escaped. */
void packet_put_event(struct text *out, struct slice namespace, struct slice id, struct slice name,
    struct slice args);

/* The same up to the last bracket, which is the caller's; with attachments it is a BINARY_EVENT. */
void packet_put_open_event(struct text *out, struct slice namespace, struct slice id,
    struct slice name, unsigned attachments, struct slice args);
void packet_put_ack(struct text *out, struct slice namespace, struct slice id, struct slice args);

/* CONNECT_ERROR; `message` is UTF-8 and gets escaped; `data` is JSON text, empty = none. */
void packet_put_connect_error(
    struct text *out, struct slice namespace, struct slice message, struct slice data);

/* A binary packet whose attachments are still coming; exists only meanwhile, on malloc, as it
 * outlasts the unit of work of a message. */
struct packet_assembly {
	struct packet packet; /* its slices point into `text` */
	char *text;           /* owned: a copy */
	size_t bytes;         /* text and attachments so far */
	size_t limit;         /* most bytes of them together */
	unsigned have;        /* attachments so far */
	struct {
		char *data; /* owned */
		size_t len;
	} attachments[]; /* packet.attachments of them */
};

enum packet_added {
	PACKET_INCOMPLETE, /* more attachments are expected */
	PACKET_COMPLETE,   /* use it, then free it */
	PACKET_TOO_MUCH,   /* over the limit, or more than announced: close the connection */
	PACKET_NO_MEMORY
};

/* For a text that packet_parse accepted as a packet with attachments; it is copied.  `limit` in
 * bytes over text and attachments.  NULL when memory is out or the text alone is over the limit.
 * Caller frees with packet_assembly_free. */
struct packet_assembly *packet_assembly_new(const char *data, size_t len, size_t limit);

void packet_assembly_free(struct packet_assembly *assembly); /* NULL is allowed */

/* Copies the next attachment.  A text message meanwhile, and a binary one without an assembly, are
 * errors of the client that the caller sees by itself. */
enum packet_added
packet_assembly_add(struct packet_assembly *assembly, const void *data, size_t len);

#endif
