/* SPDX-License-Identifier: Apache-2.0 */
/*
 * socketio - Socket.IO v5 over Engine.IO v4, and the service "realtime.v1".
 * Read this file first: it lists everything the module adds to the server.
 *
 *	request.c      which session and transport a request is for
 *	session.c      one client's session; polling.c, websocket.c and upgrade.c are
 *	               its transports, heartbeat.c its clock
 *	connect.c      CONNECT and who is there; event.c, refresh.c, revoke.c
 *	push.c         pushes to a device; catch_up.c, what a client missed
 *	engineio.c, packet.c ...   the formats, pure code
 */
#include "mount.h"

#include <stdlib.h>

const struct convro_api *convro;

#define SECONDS        1000
#define LARGEST_PACKET (2 * 1024 * 1024) /* bytes of a single push that a source may emit */

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
	{ .name = "event_names",
	    .type = CONVRO_OPTION_WORDS,
	    .initial = "",
	    .summary =
		"Other names for the server's events, for clients that know them under those: words of the form event=name.",
	    .example = "dm.message=message dm.receipt=receipt" },
};

#define ROUTE(verb, function, more)                                                                \
	{                                                                                          \
		.method = (verb), .path = "/socket.io", .access = CONVRO_PUBLIC,                   \
		.handler = (function),                                                             \
		.flags = CONVRO_ROUTE_RAW | CONVRO_ROUTE_HIDDEN | CONVRO_ROUTE_PREFIX | (more),    \
		.group = "Realtime", .summary = "Socket.IO", .worker = session_worker,             \
		.path_option = "path"                                                              \
	}

static const struct convro_route routes[] = {
	ROUTE(CONVRO_GET, socketio_get, CONVRO_ROUTE_NO_HEAD),
	ROUTE(CONVRO_POST, socketio_post, 0),
};

static const struct convro_service services[] = { { "realtime.v1", &realtime_table } };
static const char *const needs[] = { "auth.v1" };
static const struct convro_subscription subscriptions[] = {
	{ "auth.revoked", socketio_revoked, CONVRO_EVERY_WORKER },
};

/* ---- start ---- */

static bool
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

static enum convro_status
read_options(struct convro_ctx *ctx, struct mount *mount)
{
	const char *transports = convro->conf->get_text(ctx, "transports");
	const char *names = convro->conf->get_text(ctx, "event_names");
	const char *wrong = service_check_names(names);

	mount->ping_interval = convro->conf->get_int(ctx, "ping_interval");
	mount->ping_timeout = convro->conf->get_int(ctx, "ping_timeout");
	mount->connect_timeout = convro->conf->get_int(ctx, "connect_timeout");
	mount->upgrade_timeout = convro->conf->get_int(ctx, "upgrade_timeout");
	mount->max_payload = (uint32_t)convro->conf->get_int(ctx, "max_payload");
	mount->send_limit = (uint32_t)convro->conf->get_int(ctx, "send_limit");
	mount->polling = has_word(transports, "polling");
	mount->websocket = has_word(transports, "websocket");
	mount->service.event_names = names;
	mount->socket_events = websocket_events;
	mount->socket_events.max_message = mount->max_payload;
	/* session.c keeps the limit; this one is for answers to WebSocket pings, of which no module
	 * hears, beside all that session.c may allow. */
	mount->socket_events.max_queue = mount->send_limit + PACE_BYTES + LARGEST_PACKET;
	if (wrong != NULL) {
		convro->log->write(ctx, CONVRO_LOG_ERROR, "event_names \"%s\": %s", names, wrong);
		return CONVRO_INVALID;
	}
	if (!mount->polling && !mount->websocket) {
		convro->log->write(ctx, CONVRO_LOG_ERROR,
		    "transports \"%s\" names neither polling nor websocket", transports);
		return CONVRO_INVALID;
	}
	return CONVRO_OK;
}

static bool
station_init(struct station *station, struct mount *mount, uint32_t index)
{
	station->mount = mount;
	station->index = index;
	ring_init(&station->all);
	text_init(&station->scratch, 0);
	atomic_init(&station->members, 0);
	atomic_init(&station->missed, false);
	return table_init(&station->sessions) && rooms_init(&station->rooms);
}

static void
mount_free(struct mount *mount)
{
	for (uint32_t i = 0; i < mount->station_count; i++) {
		struct station *station = &mount->stations[i];

		/* Sockets that the core dropped without a word. */
		while (!ring_is_empty(&station->all)) {
			struct session *session =
			    RING_ENTRY(station->all.next, struct session, all);

			ring_remove(&session->all);
			free(session);
		}
		table_fini(&station->sessions);
		rooms_fini(&station->rooms);
		text_fini(&station->scratch);
	}
	free(mount->stations);
	service_fini(&mount->service);
	free(mount);
}

static enum convro_status
init(struct convro_ctx *ctx, void **self)
{
	struct mount *mount = calloc(1, sizeof(*mount));
	enum convro_status status;

	if (mount == NULL)
		return CONVRO_NO_MEMORY;
	mount->module = convro->bus->module(ctx);
	status = read_options(ctx, mount);
	mount->stations = calloc(convro->work->workers(ctx), sizeof(*mount->stations));
	if (status == CONVRO_OK && mount->stations == NULL)
		status = CONVRO_NO_MEMORY;
	for (uint32_t i = 0; status == CONVRO_OK && i < convro->work->workers(ctx); i++) {
		mount->station_count++;
		if (!station_init(&mount->stations[i], mount, i))
			status = CONVRO_FAILED;
	}
	if (status != CONVRO_OK) {
		mount_free(mount);
		return status;
	}
	realtime_mount(mount);
	*self = mount;
	return CONVRO_OK;
}

static enum convro_status
worker_init(struct convro_ctx *ctx, void *self)
{
	struct mount *mount = self;
	struct station *station = &mount->stations[convro->work->worker(ctx)];

	if (mount->service.failed)
		return CONVRO_NO_MEMORY;
	wheel_init(&station->wheel, convro->timer->now(ctx));
	station->timer = convro->timer->every(ctx, WHEEL_TICK_MS, station_tick, station);
	return station->timer != NULL ? CONVRO_OK : CONVRO_NO_MEMORY;
}

/* ---- end ---- */

static void
drain(struct convro_ctx *ctx, void *self)
{
	struct mount *mount = self;
	struct station *station = &mount->stations[convro->work->worker(ctx)];

	station->draining = true;
	station_close_all(ctx, station, "server shutting down");
}

static void
worker_fini(struct convro_ctx *ctx, void *self)
{
	struct mount *mount = self;
	struct station *station = &mount->stations[convro->work->worker(ctx)];

	convro->timer->cancel(station->timer);
	station_close_all(ctx, station, "server shutting down");
}

static void
fini(struct convro_ctx *ctx, void *self)
{
	(void)ctx;
	realtime_mount(NULL);
	mount_free(self);
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
