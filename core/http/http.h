/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP: one libevhtp instance and listener per worker behind the front guard
 * (net/guard.h), our own router, limits, replies, upgrade.  The only folder
 * that includes <evhtp.h>.
 *
 * Reading order, along one request:
 *	http.c settings.c listen.c   start: options, routes, sockets
 *	serve.c                      a worker accepts, drains, ends
 *	front.h front.c              a connection up to a whole request
 *	message.c router.c request.c from the request to its handler
 *	body.c query.c fields.c      what it brings: 413, 415, 400
 *	  field_value.c fields_check.c
 *	table.c                      what the handler sees and calls
 *	reply.c messages.c cors.c    the answer
 *	front_write.c                its way out
 *	travel.c                     requests that belong to another worker
 *	call.c                       requests that came without a connection
 *	upgrade.c                    to WebSocket, see ws/socket.h
 *	address.c                    who is calling
 */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include "loop/ctx.h"

#include <convro/http.h>
#include <convro/socket.h>

struct http;
struct server;

/* Builds the router from the modules' routes; NULL after the reason (duplicate route, bearer route
 * without an authenticator, malformed field table) was logged.  Thread: main. */
struct http *http_new(struct server *server);
void http_free(struct http *http);

/* Binds the listening sockets, one per worker (SO_REUSEPORT); -1 after the reason was logged. */
int http_listen(struct http *http);
/* "http://127.0.0.1:8080": the address in use (the port that the system chose, where 0 was asked
 * for). */
const char *http_address(const struct http *http);

/* Per worker, on its thread: starts accepting; stops accepting, closes idle connections and lets
 * requests in flight end; drops what is left.  http_worker_busy: requests without an answer,
 * answers that are being written, and open sockets.  What http_worker_fini drops is dropped without
 * a word to the modules (they may have ended): tell their sockets to close while draining. */
int http_worker_init(struct http *http, struct worker *worker);
void http_worker_drain(struct http *http, struct worker *worker);
uint32_t http_worker_busy(struct worker *worker);
void http_worker_fini(struct http *http, struct worker *worker);

extern const struct convro_http_table http_table;
extern const struct convro_socket_table socket_table;

#endif
