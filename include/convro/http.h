/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routes.  A route is data: where it is, who may call it, what it takes and
 * what it answers.  Validation, error codes, the status page, OpenAPI and the
 * man page come from that one table; a handler sees only valid input.
 */
#ifndef CONVRO_HTTP_H
#define CONVRO_HTTP_H

#include <convro/abi.h>

struct convro_json;
struct convro_node;
struct convro_principal;
struct convro_socket;
struct convro_socket_events;

enum convro_method {
	CONVRO_GET = 1,
	CONVRO_POST,
	CONVRO_PUT,
	CONVRO_DELETE,
	CONVRO_PATCH,
	CONVRO_OPTIONS
};
enum convro_access { CONVRO_PUBLIC = 1, CONVRO_BEARER };
enum convro_in { CONVRO_BODY, CONVRO_QUERY, CONVRO_PATH };

enum convro_field_type {
	CONVRO_TEXT = 1, /* min..max code points, of `chars` */
	CONVRO_INT,      /* JSON integer min..max; in a query its decimal text */
	CONVRO_ID,       /* 1..2^53-1, as an integer or its decimal text */
	CONVRO_BOOL,     /* true; false counts as absent */
	CONVRO_HEX16,    /* 16 hex digits, either case: value.i, the bytes as a signed big-endian
			    number */
	CONVRO_HEX8,     /* 8 hex digits */
	CONVRO_BINARY,   /* base64 or base64url, min..max bytes decoded */
	CONVRO_CHOICE,   /* one of `values`: value.i = its position */
	CONVRO_TIME,     /* ISO 8601: value.i = microseconds */
	CONVRO_NUMBER,   /* "+99123456", also with blanks or without plus: value = the 6..12 digits
			    after 99 */
	CONVRO_OBJECT,   /* value = node; max = bytes as sent */
	CONVRO_ARRAY /* min..max elements, each an object of `items`, or a scalar when items has one
			nameless field */
};

enum {
	CONVRO_REQUIRED = 1,     /* absent is an error */
	CONVRO_EMPTY_ABSENT = 2, /* "" counts as absent */
	CONVRO_FALSE_ABSENT = 4, /* false counts as absent */
	CONVRO_LAX =
	    8 /* BODY: a malformed value is taken as absent-but-wrong (see convro_value.wrong) */
};

/* Element of a list.  Fields are checked in the table's order; the first that is at fault answers.
 */
struct convro_field {
	/* Canonical spelling.  In a body a dot leads into an object: "identity.publicKeyEd25519".
	 */
	const char *name;
	uint32_t type;         /* enum convro_field_type */
	uint32_t in;           /* enum convro_in */
	uint32_t flags;        /* CONVRO_REQUIRED ... */
	uint32_t large_status; /* HTTP status of `large`; 0 = 400 */
	int64_t min, max;    /* per type; max 0 = unbounded (TEXT then takes what the body holds) */
	int64_t max_bytes;   /* TEXT: most bytes; 0 = unbounded */
	const char *error;   /* code when missing, of the wrong type or out of bounds; NULL =
				INVALID_BODY, INVALID_QUERY */
	const char *large;   /* code when above max or max_bytes; NULL = error */
	const char *aliases; /* other spellings, blank-separated; in a body with their own paths */
	const char *chars;   /* TEXT: allowed characters, as in "a-zA-Z0-9_." ; NULL = any */
	const char *values;  /* CHOICE: "unknown ios android" */
	struct convro_list items; /* ARRAY: struct convro_field */
	const char *summary;      /* for the documentation */
	const char *preset;       /* for the documentation: the default, as JSON */
};

/* A checked value.  type 0 = absent. */
struct convro_value {
	uint32_t type; /* enum convro_field_type */
	uint32_t
	    len; /* bytes of TEXT, BINARY, NUMBER; elements of ARRAY; bytes as sent of OBJECT */
	uint32_t wrong; /* CONVRO_LAX: there was a value, but it is malformed; then type is 0 */
	uint32_t reserved;
	union {
		int64_t i;                      /* INT ID BOOL HEX16 HEX8 CHOICE TIME */
		const char *text;               /* TEXT NUMBER: NUL behind it */
		const uint8_t *bytes;           /* BINARY */
		const struct convro_node *node; /* OBJECT */
		const struct convro_value
		    *items; /* ARRAY: element e, field f of items = items[e * fields + f] */
	} u;
};

/* For the documentation: an answer and its shape, as an example in JSON with a comment-free body.
 */
struct convro_answer {
	uint32_t status;
	const char *example;
	const char *summary;
};

/* For the documentation: an error that the handler answers beyond those of the fields and of
 * access. */
struct convro_error {
	uint32_t status;
	const char *code;
	const char *summary;
};

/* Returns CONVRO_OK when it answered or will answer from a callback it asked for; anything else
 * becomes 500 INTERNAL_ERROR with the route in the log.  `self` is what the module's init gave. */
typedef int convro_handler(struct convro_ctx *ctx, void *self);

enum {
	CONVRO_ROUTE_RAW = 1, /* no JSON: the handler reads query and body itself; any media type */
	CONVRO_ROUTE_EMPTY_BODY = 2, /* an empty body counts as {} */
	CONVRO_ROUTE_NO_HEAD = 4,    /* GET with an effect: HEAD is 405 */
	CONVRO_ROUTE_HIDDEN = 8,     /* not on the status page and in OpenAPI */
	CONVRO_ROUTE_PREFIX = 16     /* RAW: also matches with one slash behind the path */
};

struct convro_route {
	uint32_t method; /* enum convro_method */
	const char
	    *path; /* "/v1/auth/devices/{deviceId}": exact, with named segments (PATH fields) */
	uint32_t access; /* enum convro_access */
	convro_handler *handler;
	uint32_t flags;    /* CONVRO_ROUTE_... */
	uint32_t body_max; /* bytes; 0 = the server's max_body */
	const char *rate;  /* class that hooks on "http.request" see, e.g. "send"; NULL = none */
	struct convro_list fields;  /* struct convro_field */
	struct convro_list answers; /* struct convro_answer */
	struct convro_list errors;  /* struct convro_error */
	const char *group;          /* heading on the status page: "Auth" */
	const char *summary;        /* one sentence */
	const char *notes;          /* paragraphs, or NULL */
	/* RAW: the worker that has to run this request, from the raw query; negative = any. Thread:
	 * any. */
	int (*worker)(void *self, const char *query, size_t len);
	/* The module's TEXT option that holds the path instead; NULL = `path` it is. */
	const char *path_option;
};

/* A request that did not come over HTTP.  Everything in it is borrowed until `call` returned. */
struct convro_call {
	uint32_t size;
	uint32_t method;   /* enum convro_method; any other number is an unknown method: 405 */
	const char *path;  /* as in a request line: its escapes whole, no query */
	const char *query; /* raw, without '?'; NULL = none */
	const char *body;  /* JSON text */
	size_t body_len;   /* bytes; 0 = no body */
	const struct convro_principal *principal; /* who calls, already verified; NULL = nobody */
	const char *address;                      /* the client's, for limits; NULL = "" */
};

/* The answer to a call.  `body` is JSON text without a NUL behind it, or empty (len 0) where HTTP
 * would carry none or one of another type; borrowed until this returns.  `retry_after`: seconds,
 * 0 = there is none. */
typedef void convro_called(struct convro_ctx *ctx, void *arg, int status, const char *body,
    size_t len, uint32_t retry_after);

struct convro_http_table { /* thread: the context's worker */
	uint32_t size;

	/* The value of the route's field number `index`; never NULL (type 0 when absent). */
	const struct convro_value *(*field)(struct convro_ctx *ctx, uint32_t index);

	/* The answer's JSON: its root object is open already.  Never NULL. */
	struct convro_json *(*answer)(struct convro_ctx *ctx);
	/* Closes the root object and sends.  All of these return CONVRO_OK, so that a handler may
	 * `return convro->http->fail(...)`; when the client is gone they do nothing. */
	int (*reply)(struct convro_ctx *ctx, int status);
	/* {"ok":false,"error":code,...}; drops what was written to the answer. */
	int (*fail)(struct convro_ctx *ctx, int status, const char *code);
	int (*fail_field)(struct convro_ctx *ctx, int status, const char *code, const char *field);
	int (*fail_later)(
	    struct convro_ctx *ctx, int status, const char *code, uint32_t retry_after_s);
	/* An error whose body carries more members: answer() afterwards holds
	 * {"ok":false,"error":...} open for them; end with reply. */
	struct convro_json *(*fail_with)(struct convro_ctx *ctx, const char *code);
	/* 503 DB_UNAVAILABLE or OVERLOADED, or 500, as the status demands. */
	int (*fail_db)(struct convro_ctx *ctx, enum convro_status status);
	/* Bytes of another type; copied. */
	int (*reply_raw)(struct convro_ctx *ctx, int status, const char *content_type,
	    const void *data, size_t len);
	/* A header of the coming answer; both copied. */
	void (*set_header)(struct convro_ctx *ctx, const char *name, const char *value);

	/* The request; texts are borrowed until the context ends, NULL = not there. */
	int (*method)(struct convro_ctx *ctx); /* enum convro_method */
	const char *(*header)(struct convro_ctx *ctx, const char *name);
	/* Decoded, the first of a name; RAW: one that cannot be decoded is as it was sent. */
	const char *(*query)(struct convro_ctx *ctx, const char *name);
	const char *(*body)(struct convro_ctx *ctx, size_t *len);
	const char *(*address)(
	    struct convro_ctx *ctx); /* the client's, behind trusted proxies too */
	const char *(*request_id)(struct convro_ctx *ctx); /* "" outside a request */

	/* RAW: the answer may take `ms` from now (0 = no deadline); after it 503.  `gone` (or NULL)
	 * runs once when the client leaves before the answer; the context still has to be answered.
	 */
	void (*hold)(struct convro_ctx *ctx, uint64_t ms,
	    void (*gone)(struct convro_ctx *ctx, void *arg), void *arg);

	/* RAW: true for a valid WebSocket handshake. */
	int (*is_upgrade)(struct convro_ctx *ctx);
	/* Answers 101 and hands the connection over; see socket.h.  NULL: the client is gone, or
	 * memory is out; the context is answered either way.  `events` and `arg` live until
	 * closed() returned. */
	struct convro_socket *(*upgrade)(
	    struct convro_ctx *ctx, const struct convro_socket_events *events, void *arg);

	/* Every route registered now, in order of modules and tables.  Thread: any after start. */
	void (*each_route)(struct convro_ctx *ctx,
	    void (*visit)(void *arg, const char *module, const char *module_version,
		const struct convro_route *route),
	    void *arg);
	/* Seconds since the server started, and its version. */
	int64_t (*uptime)(struct convro_ctx *ctx);
	const char *(*version)(struct convro_ctx *ctx);

	/* Runs a registered route without a connection, with the checks, "http.request" hooks,
	 * limits and answers that it has over HTTP (wire contract, section 5 "request").  It is a
	 * unit of work of its own with a new request id and the answer's usual deadline, on this
	 * worker; the route sees no headers, and those it sets are dropped.  Bearer routes take the
	 * principal as it is (expiry and revocation are the caller's business) and answer 401
	 * without one; public routes see none.  A raw route is 404, a malformed path or query 400.
	 * `done` runs exactly once, in `ctx` on the same worker, perhaps before call returned, and
	 * whatever became of the client meanwhile; only the end of the server, after drain_timeout,
	 * leaves it out.  `ctx` lives until then. */
	void (*call)(
	    struct convro_ctx *ctx, const struct convro_call *call, convro_called *done, void *arg);
};

#endif
