/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection: the front guard in front of libevhtp.
 *
 * Bytes from the network are read by the guard alone.  When it has a request,
 * libevhtp is given a constant one in its place, the trigger: what libevhtp
 * does with a query, a field or a body is what makes it unsafe (design: http,
 * section 1), and everything it could tell is in the guard already.  So
 * libevhtp owns the connection, its bufferevent and the request's life, and
 * sees nothing that a client wrote.
 *
 * Nor is a request ever paused, since libevhtp is given the next one only after
 * the last was answered.  So the end of the connection is noticed while an
 * answer is being made, which a pause would hide.
 *
 *	IDLE ──first byte──▶ READING ──whole──▶ BUSY ──answer──▶ WRITING ──▶ IDLE
 *	                        └──malformed, late──────────────▶ WRITING ──▶ LINGER ──▶ closed
 *
 * front.c reads, front_write.c answers.
 */
#ifndef HTTP_FRONT_H
#define HTTP_FRONT_H

#include "http/internal.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <evhtp/evhtp.h>

enum front_state {
	FRONT_IDLE,    /* between requests */
	FRONT_READING, /* a request has begun */
	FRONT_BUSY,    /* a request waits for its answer */
	FRONT_WRITING, /* the answer is on its way */
	FRONT_LINGER   /* our side has ended: what the client still sends is thrown away */
};

struct front {
	struct list link; /* in the worker's fronts */
	struct http_worker *http;
	evhtp_connection_t *conn; /* owns this, through its connection_fini hook */
	struct bufferevent *bev;
	evhtp_request_t *trigger; /* libevhtp's request while BUSY and WRITING */
	/* libevhtp's own callbacks. */
	bufferevent_data_cb htp_read, htp_write;
	void *htp_arg;

	struct guard guard;
	struct event timer;
	struct http_request *request; /* BUSY: of this worker, */
	struct travel *travel;        /* or of another */
	uint64_t thrown;              /* LINGER: bytes */
	uint8_t state;                /* enum front_state */
	bool in_trigger;              /* libevhtp is on the stack: nothing of it may be freed */
	bool detached;                /* the descriptor was given away */
	bool broken; /* writing failed: close as soon as libevhtp is off the stack */
	bool eof;    /* the client has ended its side */
	bool close;  /* after the answer */
	char peer[ADDRESS_SIZE];
};

/* Of the requests of a front of this worker, which is their client. */
extern const struct transport front_transport;

/* Called by libevhtp for a new connection.  `arg` is the worker's state. */
evhtp_res front_accepted(evhtp_connection_t *conn, void *arg);
/* libevhtp's one callback for requests: the guard's request begins.  `arg` is the worker's state.
 */
void front_triggered(evhtp_request_t *request, void *arg);

/* Sends the answer to the request at hand: `head` with its empty line, then `len` bytes of body,
 * both copied where they cannot be written at once.  `close`: the connection ends after it.  The
 * front may be freed. */
void
front_answer(struct front *front, const struct buf *head, const void *body, size_t len, bool close);

/* Gives the descriptor away, with the bytes that came behind the request appended to `early`.
 * Frees the front, at the latest when libevhtp is off the stack. */
int front_detach(struct front *front, struct buf *early);

/* Drops the connection.  Not while libevhtp is on the stack. */
void front_close(struct front *front);

/* Answers an error and ends the connection, without a context. */
void front_refuse(struct front *front, const struct guard_error *error);

/* After an answer: goes on as soon as all of it is written, unless libevhtp is on the stack.  True
 * when the next request may be read; false when it is not the time, or the front is freed. */
bool front_settle(struct front *front);

void front_set_timer(struct front *front, const struct timeval *timeout);
/* LINGER: throws away what arrived; may free the front. */
void front_throw_away(struct front *front);

#endif
