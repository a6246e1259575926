/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of core/http share among themselves: the server-wide and
 * per-worker state, a request and how it moves on.  http.h is the way in and
 * gives the reading order; front.h is the connection.
 */
#ifndef HTTP_INTERNAL_H
#define HTTP_INTERNAL_H

#include "base/buf.h"
#include "base/list.h"
#include "base/text.h"
#include "http/http.h"
#include "http/query.h"
#include "http/router.h"
#include "log/log.h"
#include "loop/ctx.h"
#include "loop/module.h"
#include "net/guard.h"
#include "server.h"
#include "json/table.h"

#include <event2/event_struct.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

struct front;
struct transport;
struct travel;
struct evhtp;

#define REQUEST_ID_MAX   64
#define REQUEST_ID_BYTES 12 /* of an id that is made here, as hex digits */
#define ADDRESS_SIZE     INET6_ADDRSTRLEN
#define ENDPOINTS_MAX    16
#define HTTP_INPUT_SIZE  65536
#define RETRY_AFTER_MIN  1 /* seconds, of answers that have to say one */

/* ---- server ---- */

/* A network of [server] trusted_proxies: IPv4 is kept as ::ffff:a.b.c.d. */
struct network {
	struct in6_addr address;
	unsigned bits; /* 0..128 */
};

struct http_settings {
	int64_t request_timeout_ms; /* from the first byte to the last of a request */
	int64_t idle_timeout_ms;    /* between requests */
	int64_t answer_timeout_ms;
	uint32_t max_connections; /* per worker; 0 = no limit */
	const char *cors_origins; /* words */
	bool log_addresses;
	struct network *proxies; /* owned */
	uint32_t proxy_count;
	struct guard_limits limits;
};

/* An address to listen on. */
struct endpoint {
	struct sockaddr_storage address;
	socklen_t address_len;
	char text[ADDRESS_SIZE + 16]; /* "http://[::1]:8080" */
	int *fds;                     /* owned; one listening socket per worker, -1 once taken */
};

struct http {
	struct server *server;
	struct http_settings settings;
	struct router router;
	bool hooked; /* some module waits at "http.request" */
	struct endpoint endpoints[ENDPOINTS_MAX];
	uint32_t endpoint_count;
	struct http_worker *workers; /* owned; one per worker, in their order */
};

/* Reads [server] and [log]; -1 after the reason was logged.  Thread: main. */
int settings_read(struct http_settings *settings, const struct conf *conf);

/* ---- worker ---- */

/* Lives from http_new to http_free, so that what comes late finds it. */
struct http_worker {
	struct http *http;
	struct worker *worker;
	struct evhtp *evhtp[ENDPOINTS_MAX]; /* one instance, with its listener, per endpoint */
	struct list fronts;                 /* open connections */
	uint32_t front_count;
	struct tide tide;
	struct trimmer trimmer;
	struct list calls;        /* requests without a connection (call.c) */
	uint32_t unanswered;      /* requests without an answer */
	int accepted;             /* the descriptor of the connection that libevhtp is making */
	struct front *triggering; /* the connection whose request is being handed over, */
	struct slice rest;        /* and the bytes behind it */
	char *input;              /* HTTP_INPUT_SIZE, for reading, shared by all connections */
	struct event *accept_again;
	bool draining;
	bool told_full; /* the log knows that descriptors ran out */

	/* libevent's queues of equal timeouts: setting one is O(1). */
	const struct timeval *request_timeout, *idle_timeout, *answer_timeout, *linger_timeout,
	    *write_timeout;

	struct buf head;                       /* scratch for the head of an answer, */
	struct buf body;                       /* and for that of an error */
	uint8_t random[REQUEST_ID_BYTES * 32]; /* for request ids: one system call for many */
	uint32_t random_left;                  /* bytes at its front that are still fresh */
	int64_t date_s;
	char date[80];
};

static inline struct http_worker *
http_of(struct worker *worker)
{
	return worker->http;
}

/* All but accepting; 0, or -1 when memory is out.  http_worker_free in any case.  Thread: main. */
int http_worker_prepare(struct http_worker *http, struct http *server, struct worker *worker);
void http_worker_free(struct http_worker *http);

/* Stops accepting while the worker holds as many connections as it may. */
void http_check_limit(struct http_worker *http);

/* ---- request ---- */

struct http_header {
	const char *name; /* lower case in requests */
	const char *value;
};

/* The request as it was sent, copied out of the guard.  Texts end in a NUL that is not counted. */
struct message {
	struct slice method;
	struct slice path;  /* its escapes whole */
	struct slice query; /* data NULL without a '?' */
	struct slice body;
	const struct http_header *headers;
	uint32_t header_count;
	int minor; /* HTTP/1.minor */
	bool keep_alive;
	bool upgrade;
	bool body_too_large;
	char peer[ADDRESS_SIZE]; /* the other end of the connection */
};

/* 0, or -1 when memory is out. */
int message_copy(struct message *message, struct arena *arena, const struct guard_request *from);
/* The first value of that header (lower case), NULL without one. */
const char *message_header(const struct message *message, const char *name);

/* A header the handler set. */
struct set_header {
	struct set_header *next;
	const char *name, *value;
};

/* In the arena of its context, and as long-lived. */
struct http_request {
	struct convro_ctx *ctx;
	struct http_worker *http;
	struct message message;

	const struct transport *transport;
	void *client; /* whom the transport serves; NULL: the client is gone */

	const struct route_path *path;   /* NULL: 404 */
	const struct route_entry *entry; /* NULL: 404, 405, OPTIONS */
	bool head;
	struct path_value path_values[ROUTER_NAMES_MAX];
	uint32_t path_count;
	char id[REQUEST_ID_MAX + 1];
	const char *address; /* NULL until asked for */
	struct query query;
	bool query_read;
	struct convro_value *values;   /* one per field of the route, or NULL */
	const struct json_value *root; /* the body, or NULL */

	struct convro_json *json;   /* the answer being written */
	struct convro_json no_json; /* stands in for it when memory is out */
	const char *failing;        /* code of fail_with */
	struct set_header *set_headers;
	uint32_t retry_after; /* seconds; 0 = none was asked for */
	int upgrade_status; /* of the WebSocket handshake (ws/handshake.h); 0 = not asked for yet */
	bool answered;

	struct event timer; /* the answer's deadline */
	uint64_t hold_ms;   /* as the handler asked for */
	void (*gone)(struct convro_ctx *ctx, void *arg);
	void *gone_arg;
	struct module *gone_module;
	bool client_left;
	int64_t started_us;
};

/* A request of `front`, whole and clean in its guard.  Answers it, now or later. */
void request_begin(struct front *front, const struct guard_request *from);
/* A request in `ctx`, whose reference it takes over; its message, its route and its transport are
 * still to be set.  NULL when memory is out (the context is left alone). */
struct http_request *request_new(struct http_worker *http, struct convro_ctx *ctx);
/* One in a context of its own, with a copy of that message and its route looked up; NULL when
 * memory is out. */
struct http_request *request_copy(struct http_worker *http, const struct guard_request *from);
/* Looks up the route; false when memory is out. */
bool request_find_route(struct http_request *request);
/* Checks and runs it, on the worker it belongs to. */
void request_run(struct http_request *request);
/* What a transport's authenticate ends with; `arg` is the request. */
convro_verified request_verified;
/* The connection is gone, or the peer has ended its side. */
void request_client_left(struct http_request *request);
/* The answer's deadline; 0 = none. */
void request_set_deadline(struct http_request *request, uint64_t ms);

/* 413, 415, 400 (body.c): true when the handler may run, false when it was answered. */
bool request_read_input(struct http_request *request);
/* application/json, perhaps with charset=utf-8. */
bool is_json_type(const char *type);

/* ---- transport ---- */

/* An answer on its way out. */
struct http_answer {
	int status;
	const char *type; /* the body's media type; NULL = there is none */
	const void *body; /* borrowed; it may stand in the worker's scratch */
	size_t len;
	uint32_t retry_after; /* seconds; 0 = none */
};

/* How a request came, and how its answer goes back: front_transport, and those of travel.c and
 * call.c. */
struct transport {
	const char *mark; /* for the log, behind the line of the request */
	/* A bearer route is asked for: calls request_verified, now or later, or answers. */
	void (*authenticate)(struct http_request *request);
	/* Brings the answer to the client, who is there. */
	void (*answer)(struct http_request *request, struct http_answer *answer);
	/* The client, who is there, goes over to WebSocket: gives its descriptor away, with the
	 * bytes that came behind the request in the empty `early`.  NULL: cannot be. */
	int (*detach)(struct http_request *request, struct buf *early);
};

/* By the token of the Authorization header. */
void authenticate_bearer(struct http_request *request);
/* Writes the head of the answer to the worker's scratch, and empties a body that must not follow.
 * `last`: no other answer can come after it.  True when the connection has to end with it. */
bool answer_compose(struct http_request *request, struct http_answer *answer, bool last);

/* ---- answer (reply.c) ---- */

/* All give the context back: the request must not be touched afterwards. */
void answer_error(struct http_request *request, int status, const char *code, const char *field);
void answer_later(struct http_request *request, int status, const char *code, uint32_t retry_after);
void answer_json(struct http_request *request, int status);
void answer_raw(struct http_request *request, int status, const char *content_type,
    const void *data, size_t len);
void answer_empty(struct http_request *request, int status);
/* The answer is out by other means (an upgrade). */
void answer_done(struct http_request *request, int status);
/* The writer, its root object open; never NULL. */
struct convro_json *answer_writer(struct http_request *request);
void answer_header(struct http_request *request, const char *name, const char *value);

/* Human text for a wire code (messages.c); static, or made of the code in `room`. */
#define MESSAGE_SIZE 96
const char *message_of(const char *code, char room[MESSAGE_SIZE]);
const char *reason_phrase(int status);

/* Writes {"ok":false,"error":...} to `out`. */
void write_error(struct buf *out, const char *code, const char *message, const char *request_id,
    const char *field);
/* The Date header's value, cached per worker. */
const char *http_date(struct http_worker *http);
/* A new request id, with its NUL. */
void http_make_id(struct http_worker *http, char out[2 * REQUEST_ID_BYTES + 1]);

/* ---- WebSocket (upgrade.c) ---- */

int request_is_upgrade(struct convro_ctx *ctx);
struct convro_socket *
request_upgrade(struct convro_ctx *ctx, const struct convro_socket_events *events, void *arg);

/* ---- CORS (cors.c) ---- */

/* The value of Access-Control-Allow-Origin for this request, NULL = none. */
const char *cors_origin(const struct http_request *request);
void cors_write(const struct http_request *request, struct buf *head);
/* Any OPTIONS on a known path that no route takes. */
void answer_options(struct http_request *request);

/* ---- addresses (address.c) ---- */

const char *request_address(struct http_request *request);
/* "10.0.0.0/8", "::1", ...; false when it is malformed. */
bool network_parse(const char *text, size_t len, struct network *out);
bool network_has(const struct network *networks, uint32_t count, const char *address);
/* Of X-Forwarded-For's values, joined by commas in their order: the rightmost that is no trusted
 * proxy; `peer` when that is none, or there is no header. */
void forwarded_address(const struct network *proxies, uint32_t count, const char *peer,
    const char *forwarded, char out[ADDRESS_SIZE]);
/* The address without port; "" when it is of another family. */
void address_text(const struct sockaddr *address, char out[ADDRESS_SIZE]);

/* ---- listening (listen.c) ---- */

int endpoint_parse(const char *text, size_t len, struct endpoint *out);
int endpoint_bind(struct endpoint *endpoint, uint32_t workers);

/* ---- another worker's request (travel.c) ---- */

/* Sends the request to its owner; an upgrade takes its connection along, and then the front is no
 * more (front_detach).  False when memory is out: nothing has happened then. */
bool travel_send(struct front *front, struct worker *owner, const struct guard_request *from);
/* At the origin: the client has ended its side; the connection is gone. */
void travel_left(struct travel *travel);
void travel_gone(struct travel *travel);
/* The same at the worker's end: the owner is not told. */
void travel_forget(struct travel *travel);

/* ---- without a connection (call.c) ---- */

void request_call(
    struct convro_ctx *ctx, const struct convro_call *call, convro_called *done, void *arg);
/* At the worker's end: the callers are not told. */
void calls_forget(struct http_worker *http);

#endif
