/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection: the front guard in front of libevhtp.
 *
 * Bytes from the network are read by the guard alone.  When it has a request,
 * libevhtp is given a constant one in its place, the trigger: what libevhtp
 * does with a query, a field or a body is what makes it unsafe (design: http,
 * section 1), and everything it could tell is in the guard already.  So
 * libevhtp owns the connection and the request's life, and sees nothing that a
 * client wrote.  Its bufferevent has no descriptor: reading and writing are ours,
 * into one buffer per worker and straight out of the answer's.  A request for
 * WebSocket, which leaves libevhtp anyway, does without a trigger.
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
	struct bufferevent *bev;  /* libevhtp's, without a descriptor */
	evhtp_request_t *trigger; /* libevhtp's request while BUSY and WRITING, or NULL */
	/* libevhtp's own callbacks. */
	bufferevent_data_cb htp_read, htp_write;
	void *htp_arg;

	struct guard guard;
	struct event io;
	struct event timer;
	struct buf unread;            /* arrived before its time */
	struct buf unsent;            /* of answers, what the socket did not take at once, */
	size_t sent;                  /* and how much of it is out */
	struct http_request *request; /* BUSY: of this worker, */
	struct travel *travel;        /* or of another */
	uint64_t thrown;              /* LINGER: bytes */
	int fd;                       /* -1 once it was given away */
	uint8_t state;                /* enum front_state */
	bool
	    in_trigger; /* hand_over, and perhaps libevhtp, is on the stack: nothing may be freed */
	bool broken;    /* writing failed: close as soon as that is off the stack */
	bool eof;       /* the client has ended its side */
	bool close;     /* after the answer */
	char peer[ADDRESS_SIZE];
};

/* Of the requests of a front of this worker, which is their client. */
extern const struct transport front_transport;

/* Called by libevhtp for a new connection, before and after it is made.  `arg` is the worker's
 * state.
 */
evhtp_res front_accepting(evhtp_connection_t *conn, void *arg);
evhtp_res front_accepted(evhtp_connection_t *conn, void *arg);
/* libevhtp's one callback for requests: the guard's request begins.  `arg` is the worker's state.
 */
void front_triggered(evhtp_request_t *request, void *arg);

/* Sends the answer to the request at hand: `head` with its empty line, then `len` bytes of body,
 * both copied where they cannot be written at once.  `close`: the connection ends after it.  The
 * front may be freed. */
void
front_answer(struct front *front, const struct buf *head, const void *body, size_t len, bool close);

/* Gives the descriptor of an upgrade away, with the bytes that came behind the request appended to
 * `early`.  Frees the front, at the latest when hand_over is off the stack: until then the
 * descriptor may still be watched, so one that goes to another thread is unwatched before. */
int front_detach(struct front *front, struct buf *early);

/* Drops the connection.  Not while libevhtp is on the stack. */
void front_close(struct front *front);

/* Answers an error and ends the connection, without a context. */
void front_refuse(struct front *front, const struct guard_error *error);

/* After an answer: goes on as soon as all of it is written, unless libevhtp is on the stack.  True
 * when the next request may be read; false when it is not the time, or the front is freed. */
bool front_settle(struct front *front);

void front_set_timer(struct front *front, const struct timeval *timeout);
/* LINGER: `len` more bytes were thrown away; may free the front. */
void front_throw_away(struct front *front, size_t len);

/* ---- between front.c and front_write.c ---- */

/* What the socket is ready for; EV_TIMEOUT: what was kept has its turn. */
void front_ready(evutil_socket_t fd, short what, void *arg);
/* Watches for what the state asks for. */
void front_watch(struct front *front);
void front_unwatch(struct front *front);
/* After front_settle said true: reads on, later when something is there.  May free the front. */
void front_go_on(struct front *front);
/* Writes now what the socket takes, and copies the rest for later; a failure makes it broken. */
void
front_write(struct front *front, const void *head, size_t head_len, const void *body, size_t len);
/* Writes what is unsent; false when there is nothing more to do for now, or the front is freed. */
bool front_write_rest(struct front *front);

#endif
