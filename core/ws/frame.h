/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WebSocket framing, server side (RFC 6455): an incremental reader and the
 * writer of frame headers.  No I/O and no knowledge of sockets; see
 * handshake.h for what comes before the first frame.
 *
 * The reader is fed with the bytes as they were read, unmasks them in place and
 * hands out one event per call:
 *
 *	struct ws_event event;
 *
 *	while (ws_read(&reader, &data, &len, &event) != WS_NONE)
 *		...
 *
 * A message that lies whole in the bytes given is a slice of them; any other
 * is collected in memory that is freed after its delivery.
 */
#ifndef WS_FRAME_H
#define WS_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WS_HEADER_MAX  10  /* bytes of a frame header that the server writes */
#define WS_CONTROL_MAX 125 /* bytes of a control frame's payload */
#define WS_CLOSE_MAX   127 /* bytes of a whole close frame */
#define WS_MAX_FRAGMENTS                                                                           \
	16384 /* frames of one message, or one per 64 bytes that it may have; more is an error     \
		 1008 */

enum ws_opcode {
	WS_OP_CONTINUATION = 0x0,
	WS_OP_TEXT = 0x1,
	WS_OP_BINARY = 0x2,
	WS_OP_CLOSE = 0x8,
	WS_OP_PING = 0x9,
	WS_OP_PONG = 0xa
};

/* Status codes of close frames (RFC 6455, section 7.4.1). */
enum ws_close_code {
	WS_CLOSE_NORMAL = 1000,
	WS_CLOSE_GOING_AWAY = 1001,
	WS_CLOSE_PROTOCOL_ERROR = 1002,
	WS_CLOSE_UNSUPPORTED = 1003,
	WS_CLOSE_NO_STATUS = 1005, /* reported only, never sent */
	WS_CLOSE_ABNORMAL = 1006,  /* reported only, never sent */
	WS_CLOSE_INVALID_DATA = 1007,
	WS_CLOSE_POLICY = 1008,
	WS_CLOSE_TOO_BIG = 1009,
	WS_CLOSE_INTERNAL = 1011
};

enum ws_event_type {
	WS_NONE,   /* every byte was taken; feed more */
	WS_TEXT,   /* a whole message, checked UTF-8 (unless compressed) */
	WS_BINARY, /* a whole message */
	WS_PING,   /* answer with a pong of the same payload */
	WS_PONG,
	WS_CLOSE, /* the peer's close frame: answer it, then close the connection */
	WS_ERROR  /* the peer broke the protocol: send a close frame with `code`, then close */
};

struct ws_event {
	enum ws_event_type type;
	/* CLOSE: the peer's code or WS_CLOSE_NO_STATUS; ERROR: the code to send. */
	uint16_t code;
	/* TEXT, BINARY: to be inflated, then checked for size and UTF-8. */
	bool compressed;
	/* Payload; CLOSE: the reason; ERROR: NUL-terminated constant for the log. */
	const char *data;
	size_t len; /* bytes at `data` */
};

/* 64 bytes, in place in a connection; holds no heap memory between messages. */
struct ws_reader {
	char *message;         /* owned: collected bytes of an incomplete message */
	char *control;         /* owned: WS_CONTROL_MAX bytes for an incomplete control frame */
	uint32_t message_len;  /* bytes collected */
	uint32_t message_size; /* bytes allocated */
	uint32_t max_message;  /* bytes of one message over its fragments */
	uint32_t left;         /* payload bytes of the current frame still to come */
	uint32_t fragments;    /* data frames of the current message so far; 0 = between messages */
	uint8_t mask[4];       /* for the next payload byte onwards */
	uint8_t header[14];
	uint8_t header_len;     /* bytes of the current frame's header so far */
	uint8_t state;          /* enum of frame.c */
	uint8_t opcode;         /* of the current frame */
	uint8_t message_type;   /* opcode of the current message */
	uint8_t control_len;    /* bytes collected */
	uint8_t utf8;           /* state of the text check */
	uint16_t max_fragments; /* of one message; 0 = as WS_MAX_FRAGMENTS says; may be set after
				   ws_reader_init */
	bool fin : 1;           /* of the current frame */
	bool compressed : 1;    /* of the current message */
	bool allow_rsv1 : 1;    /* permessage-deflate was agreed on */
	bool message_given : 1; /* the event borrows it: free it at the next call */
	bool control_given : 1;
};

/* In place; allocates nothing.  `max_message` in bytes, before inflation.  With `allow_rsv1` a
 * message may be marked as compressed (RFC 7692), else RSV1 is an error like RSV2 and RSV3. */
void ws_reader_init(struct ws_reader *reader, uint32_t max_message, bool allow_rsv1);

/* Frees what an incomplete message holds. */
void ws_reader_fini(struct ws_reader *reader);

/* Takes bytes from the front of `*data` (advancing it and reducing `*len`), overwriting them, until
 * an event is complete.  The event's data is borrowed until the next ws_read or ws_reader_fini,
 * and lies either in the caller's bytes or in the reader's memory.  After WS_CLOSE and WS_ERROR
 * every further byte is ignored.  Codes of WS_ERROR: 1002 protocol, 1007 not UTF-8 (at the first
 * impossible byte), 1008 too many fragments, 1009 too big (as soon as a header says so), 1011 out
 * of memory.  Thread: one at a time. */
enum ws_event_type
ws_read(struct ws_reader *reader, char **data, size_t *len, struct ws_event *out);

/* The header of an unfragmented, unmasked frame with `len` bytes of payload; returns its length, 2,
 * 4 or 10.  `compressed` sets RSV1.  Thread: any. */
size_t
ws_frame_header(uint8_t out[WS_HEADER_MAX], enum ws_opcode opcode, bool compressed, uint64_t len);

/* A whole close frame; returns its length.  `code` as ws_close_code_valid says, or
 * WS_CLOSE_NO_STATUS for a frame without code; `reason` is UTF-8, cut at a character's border when
 * too long.  Thread: any. */
size_t ws_close_frame(uint8_t out[WS_CLOSE_MAX], unsigned code, const char *reason);

/* Whether `code` may stand in a close frame (RFC 6455, section 7.4, and the IANA registry). */
bool ws_close_code_valid(unsigned code);

#endif
