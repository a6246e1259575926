/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP/1.1 client: keep-alive, one request at a time on a connection, which
 * is opened when it is first needed and again when the server has closed it.
 */
#ifndef LOAD_HTTP_H
#define LOAD_HTTP_H

#include "endpoint.h"
#include "loop.h"

struct http_connection {
	struct watch watch;
	struct http *all; /* borrowed */
	uint32_t number;  /* the caller's slot, from 0 */
	enum { HTTP_DOWN, HTTP_CONNECTING, HTTP_IDLE, HTTP_BUSY } state;
	char *request; /* what is being sent: a copy */
	size_t request_len, request_sent, request_room;
	char *input; /* the answer as far as it is there */
	size_t input_len, input_room;
};

struct http_events {
	/* The whole answer; `body` is borrowed during the call.  The next request may be sent. */
	void (*answered)(
	    struct http_connection *connection, int status, const char *body, size_t len);
	/* There will be no answer.  The next request, which opens it again, may be sent. */
	void (*failed)(struct http_connection *connection, const char *why);
};

struct http {
	struct loop *loop;                /* borrowed */
	struct endpoint *endpoint;        /* borrowed */
	const struct http_events *events; /* borrowed */
	void *arg;                        /* the caller's */
	struct http_connection *list;
	uint32_t count;
};

/* `count` connections, none open. */
void http_init(struct http *http, uint32_t count);
void http_fini(struct http *http);

/* Sends `request` (copied), whose outcome is told by one event, perhaps before this returns.  Not
 * while another one is under way on this connection. */
void http_send(struct http_connection *connection, const char *request, size_t len);

#endif
