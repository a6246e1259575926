/* SPDX-License-Identifier: Apache-2.0 */
/*
 * socketio - Socket.IO v5 over Engine.IO v4, and the service "realtime.v1".
 * Read this file first: it lists everything the module adds to the server.
 *
 *	request.c      which session and transport a request is for
 *	session.c      one client's session; polling.c, websocket.c and upgrade.c are
 *	               its transports, heartbeat.c its clock
 *	drain.c        the server stops
 *	mount.c        the servers there are: our own, and those that other modules
 *	               have through the service "socketio.v1"
 *	socket.h       Socket.IO: namespaces, rooms, events, acknowledgements, recovery
 *	client.h       our own server: tokens, catch-up, the service "realtime.v1"
 *	engineio.c, packet.c, compress.c ...   the formats, pure code
 */
#include "client.h"

const struct convro_api *convro;

#define SECONDS           1000
#define COOKIE_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."

static const struct convro_option options[] = {
	{ .name = "path",
	    .type = CONVRO_OPTION_TEXT,
	    .initial = "/socket.io",
	    .summary =
		"Where clients connect, without a slash at the end; requests with one are served as well. Clients have to be given the same path.",
	    .example = "/realtime" },
	{ .name = "transports",
	    .type = CONVRO_OPTION_WORDS,
	    .initial = "polling websocket",
	    .summary =
		"Transports that clients may use. Clients begin with polling unless they are told otherwise, so leaving it out locks out those with default settings; it is what gets through proxies that break WebSocket.",
	    .example = "websocket" },
	{ .name = "ping_interval",
	    .type = CONVRO_OPTION_DURATION,
	    .initial = "25s",
	    .summary =
		"How long after the answer to a ping the next one is sent. Proxies on the way must not close connections that are idle for this long.",
	    .example = "50s",
	    .min = 200,
	    .max = 600 * SECONDS },
	{ .name = "ping_timeout",
	    .type = CONVRO_OPTION_DURATION,
	    .initial = "20s",
	    .summary =
		"How long a client may take to answer a ping before it is taken for gone. Telephones on bad networks need a longer time.",
	    .example = "30s",
	    .min = 200,
	    .max = 600 * SECONDS },
	{ .name = "connect_timeout",
	    .type = CONVRO_OPTION_DURATION,
	    .initial = "45s",
	    .summary =
		"How long a client may stay connected without having presented a good token.",
	    .example = "10s",
	    .min = 200,
	    .max = 600 * SECONDS },
	{ .name = "upgrade_timeout",
	    .type = CONVRO_OPTION_DURATION,
	    .initial = "10s",
	    .summary =
		"How long the change from polling to WebSocket may take; after it the client goes on polling.",
	    .example = "30s",
	    .min = 200,
	    .max = 600 * SECONDS },
	{ .name = "max_payload",
	    .type = CONVRO_OPTION_SIZE,
	    .initial = "1000000",
	    .summary =
		"Largest message of a client, in bytes; a larger one ends its connection. Clients are told, and split what they post by polling.",
	    .example = "100k",
	    .min = 1024,
	    .max = 64 * 1024 * 1024 },
	{ .name = "send_limit",
	    .type = CONVRO_OPTION_SIZE,
	    .initial = "1m",
	    .summary =
		"Bytes that may wait for one client that reads slowly. One that falls behind further is disconnected, and catches up when it returns. The memory of the server is bounded by this times the number of slow clients.",
	    .example = "256k",
	    .min = 4096,
	    .max = 64 * 1024 * 1024 },
	{ .name = "max_fragments",
	    .type = CONVRO_OPTION_INT,
	    .initial = "16384",
	    .summary =
		"How many frames a WebSocket message of a client may be split into; more end its connection.",
	    .example = "256",
	    .min = 1,
	    .max = 65535 },
	{ .name = "max_attachments",
	    .type = CONVRO_OPTION_INT,
	    .initial = "10",
	    .summary =
		"How many binary attachments a packet of a client may have; more end its connection.",
	    .example = "2",
	    .min = 1,
	    .max = PACKET_MAX_ATTACHMENTS },
	{ .name = "max_namespaces",
	    .type = CONVRO_OPTION_INT,
	    .initial = "16",
	    .summary =
		"How many namespaces one connection may join, where there are several; further ones are refused.",
	    .example = "4",
	    .min = 1,
	    .max = 1024 },
	{ .name = "max_rooms",
	    .type = CONVRO_OPTION_INT,
	    .initial = "1024",
	    .summary = "How many rooms one socket may be in beside its own.",
	    .example = "64",
	    .min = 1,
	    .max = 1024 * 1024 },
	{ .name = "max_acks",
	    .type = CONVRO_OPTION_INT,
	    .initial = "1024",
	    .summary =
		"How many acknowledgements one socket may owe before it is asked for no more.",
	    .example = "64",
	    .min = 1,
	    .max = 1024 * 1024 },
	{ .name = "poll_compression",
	    .type = CONVRO_OPTION_BOOL,
	    .initial = "off",
	    .summary =
		"Whether answers to polls of 1024 bytes and more are compressed with gzip or deflate, where the client accepts that. What is end-to-end encrypted gets hardly shorter.",
	    .example = "on" },
	{ .name = "websocket_compression",
	    .type = CONVRO_OPTION_BOOL,
	    .initial = "off",
	    .summary =
		"Whether WebSocket messages of 1024 bytes and more are compressed (permessage-deflate), where the client offers that. What is end-to-end encrypted gets hardly shorter.",
	    .example = "on" },
	{ .name = "cookie",
	    .type = CONVRO_OPTION_TEXT,
	    .initial = "",
	    .summary =
		"Name of a cookie with the session's id, for load balancers that keep a client on one server by it; empty means none. Convro itself does not need it.",
	    .example = "io" },
	{ .name = "origins",
	    .type = CONVRO_OPTION_WORDS,
	    .initial = "",
	    .summary =
		"Origins of web pages that may open WebSockets, to which the browsers' rules for other requests do not apply; empty means any. Clients that are no browsers send none and are not asked.",
	    .example = "https://chat.example" },
	{ .name = "max_requests",
	    .type = CONVRO_OPTION_INT,
	    .initial = "16",
	    .summary =
		"How many requests over its socket (event \"request\") a client may have under way; more are answered with 429.",
	    .example = "4",
	    .min = 1,
	    .max = 1024 },
	{ .name = "drain_time",
	    .type = CONVRO_OPTION_DURATION,
	    .initial = "5s",
	    .summary =
		"How long a server that stops takes at most to close its clients' sockets, so that they do not all come back elsewhere in one moment; 2000 a second when that is quicker, and those that are left over when [server] drain_timeout ends are closed then.",
	    .example = "20s",
	    .max = 600 * SECONDS },
	{ .name = "newest_connection_wins",
	    .type = CONVRO_OPTION_BOOL,
	    .initial = "off",
	    .summary =
		"Whether a device has one socket only: when it has connected again, its older sockets are told to stay away and are closed. Off, a device may have any number of them, and each is told everything.",
	    .example = "on" },
	{ .name = "recovery",
	    .type = CONVRO_OPTION_BOOL,
	    .initial = "off",
	    .summary =
		"Connection state recovery: a client that comes back within recovery_time to this server process has its socket's id again and is told what it missed, also events that are not stored, without asking for it by afterId. Its token is checked as on every connect.",
	    .example = "on" },
	{ .name = "recovery_time",
	    .type = CONVRO_OPTION_DURATION,
	    .initial = "120s",
	    .summary = "How long a client may be away and still be recovered.",
	    .example = "10m",
	    .min = 1 * SECONDS,
	    .max = 24 * 3600 * SECONDS },
	{ .name = "recovery_bytes",
	    .type = CONVRO_OPTION_SIZE,
	    .initial = "8m",
	    .summary =
		"Memory for the events of the last recovery_time, and as much again for the places of those who are away. When it is full the oldest are forgotten, and who needs them catches up by afterId.",
	    .example = "64m",
	    .min = 64 * 1024,
	    .max = 1024 * 1024 * 1024 },
	{ .name = "event_names",
	    .type = CONVRO_OPTION_WORDS,
	    .initial = "",
	    .summary =
		"Other names for the server's events, for clients that know them under those: words of the form event=name.",
	    .example = "dm.message=message dm.receipt=receipt" },
};

#define ROUTE(verb, more)                                                                          \
	{                                                                                          \
		.method = (verb), .path = "/socket.io", .access = CONVRO_PUBLIC,                   \
		.handler = socketio_serve,                                                         \
		.flags = CONVRO_ROUTE_RAW | CONVRO_ROUTE_HIDDEN | CONVRO_ROUTE_PREFIX | (more),    \
		.group = "Realtime", .summary = "Socket.IO", .worker = session_worker,             \
		.path_option = "path"                                                              \
	}

static const struct convro_route routes[] = {
	ROUTE(CONVRO_GET, CONVRO_ROUTE_NO_HEAD),
	ROUTE(CONVRO_POST, 0),
	/* The protocol has an error of its own for the others. */
	ROUTE(CONVRO_PUT, 0),
	ROUTE(CONVRO_DELETE, 0),
	ROUTE(CONVRO_PATCH, 0),
};

static const struct convro_service services[] = {
	{ "realtime.v1", &realtime_table },
	{ "socketio.v1", &socketio_table },
};
static const char *const needs[] = { "auth.v1" };
static const struct convro_subscription subscriptions[] = {
	{ "auth.revoked", socketio_revoked, CONVRO_EVERY_WORKER },
};

/* ---- start ---- */

bool
has_word(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = words + strspn(words, " \t"); *at != '\0';) {
		size_t at_len = strcspn(at, " \t");

		if (at_len == len && memcmp(at, word, len) == 0)
			return true;
		at += at_len;
		at += strspn(at, " \t");
	}
	return false;
}

static uint32_t
number(struct convro_ctx *ctx, const char *option)
{
	return (uint32_t)convro->conf->get_int(ctx, option);
}

static void
read_limits(struct convro_ctx *ctx, struct limits *limits)
{
	limits->fragments = number(ctx, "max_fragments");
	limits->attachments = number(ctx, "max_attachments");
	limits->namespaces = number(ctx, "max_namespaces");
	limits->rooms = number(ctx, "max_rooms");
	limits->acks = number(ctx, "max_acks");
}

static enum convro_status
check_options(struct convro_ctx *ctx, const char *cookie, const char *names, const char *transports)
{
	const char *wrong = service_check_names(names);

	if (strspn(cookie, COOKIE_CHARACTERS) != strlen(cookie)) {
		convro->log->write(ctx, CONVRO_LOG_ERROR,
		    "cookie \"%s\" is no name of letters, digits, '-', '_' and '.'", cookie);
		return CONVRO_INVALID;
	}
	if (wrong != NULL) {
		convro->log->write(ctx, CONVRO_LOG_ERROR, "event_names \"%s\": %s", names, wrong);
		return CONVRO_INVALID;
	}
	if (!has_word(transports, "polling") && !has_word(transports, "websocket")) {
		convro->log->write(ctx, CONVRO_LOG_ERROR,
		    "transports \"%s\" names neither polling nor websocket", transports);
		return CONVRO_INVALID;
	}
	return CONVRO_OK;
}

/* NULL when memory is out. */
static struct mount *
mount_own(struct convro_ctx *ctx)
{
	const char *transports = convro->conf->get_text(ctx, "transports");
	struct convro_socketio_options own;
	struct limits limits;
	struct mount *mount;

	read_limits(ctx, &limits);
	client_options(&own);
	own.flags = convro->conf->get_int(ctx, "recovery") ? CONVRO_SOCKETIO_RECOVERY : 0;
	own.ping_interval = number(ctx, "ping_interval");
	own.ping_timeout = number(ctx, "ping_timeout");
	own.connect_timeout = number(ctx, "connect_timeout");
	own.upgrade_timeout = number(ctx, "upgrade_timeout");
	own.max_payload = number(ctx, "max_payload");
	own.send_limit = number(ctx, "send_limit");
	own.recovery_ms = number(ctx, "recovery_time");
	own.recovery_bytes = number(ctx, "recovery_bytes");
	mount = mount_new(ctx, &own, &limits, &client_hooks);
	if (mount == NULL)
		return NULL;
	mount->cookie = convro->conf->get_text(ctx, "cookie");
	mount->origins = convro->conf->get_text(ctx, "origins");
	mount->max_requests = number(ctx, "max_requests");
	mount->compress_polls = number(ctx, "poll_compression") != 0;
	mount->socket_events.deflate = number(ctx, "websocket_compression");
	mount->drain_time = convro->conf->get_int(ctx, "drain_time");
	mount->newest_wins = number(ctx, "newest_connection_wins") != 0;
	mount->polling = has_word(transports, "polling");
	mount->websocket = has_word(transports, "websocket");
	mount->service.event_names = convro->conf->get_text(ctx, "event_names");
	return mount;
}

static enum convro_status
init(struct convro_ctx *ctx, void **self)
{
	enum convro_status status = check_options(ctx, convro->conf->get_text(ctx, "cookie"),
	    convro->conf->get_text(ctx, "event_names"), convro->conf->get_text(ctx, "transports"));
	struct mount *mount = status == CONVRO_OK ? mount_own(ctx) : NULL;

	if (status != CONVRO_OK)
		return status;
	if (mount == NULL)
		return CONVRO_NO_MEMORY;
	realtime_mount(mount);
	*self = mount;
	return CONVRO_OK;
}

static enum convro_status
worker_init(struct convro_ctx *ctx, void *self)
{
	const struct mount *mount = self;

	return mount->service.failed ? CONVRO_NO_MEMORY : mounts_worker_init(ctx);
}

/* ---- end ---- */

static void
drain(struct convro_ctx *ctx, void *self)
{
	(void)self;
	mounts_drain(ctx);
}

static void
worker_fini(struct convro_ctx *ctx, void *self)
{
	(void)self;
	mounts_worker_fini(ctx);
}

static void
fini(struct convro_ctx *ctx, void *self)
{
	(void)ctx;
	(void)self;
	realtime_mount(NULL);
	mounts_free();
}

static const struct convro_module descriptor = {
	CONVRO_MODULE_HEAD,
	.name = "socketio",
	.version = "1.0.0",
	.summary = "realtime over Socket.IO",
	.api = &convro,
	.needs = CONVRO_LIST(needs),
	.provides = CONVRO_LIST(services),
	.options = CONVRO_LIST(options),
	.routes = CONVRO_LIST(routes),
	.subscriptions = CONVRO_LIST(subscriptions),
	.init = init,
	.worker_init = worker_init,
	.drain = drain,
	.worker_fini = worker_fini,
	.fini = fini,
};

const struct convro_module *
convro_module_v1(void)
{
	return &descriptor;
}
