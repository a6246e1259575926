/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conformance - servers for protocol suites: Engine.IO, Socket.IO and WebSocket
 * without any token.  Only for tests: it refuses to start unless it is told that
 * it is one.
 *
 *	/engine.io/   Engine.IO echo
 *	/socket.io/   Socket.IO, namespaces "/" and "/custom" (events.c)
 *	/guarded/     Socket.IO that does not let everybody in (guarded.c)
 *	/ws-echo      WebSocket echo
 */
#include "conformance.h"

#include <stdlib.h>
#include <string.h>

const struct convro_api *convro;

static const struct convro_option options[] = {
	{ .name = "i_am_a_test",
	    .type = CONVRO_OPTION_BOOL,
	    .initial = "off",
	    .summary = "Whether this server is a test. Anybody may connect to it." },
	{ .name = "recovery",
	    .type = CONVRO_OPTION_BOOL,
	    .initial = "off",
	    .summary = "Connection state recovery." },
	{ .name = "calm",
	    .type = CONVRO_OPTION_BOOL,
	    .initial = "off",
	    .summary = "The timers of a real server instead of those that suites wait for." },
};

static int
serve_raw(struct convro_ctx *ctx, void *self)
{
	const struct conformance *conformance = self;

	return conformance->io->serve(ctx, conformance->raw);
}

static int
serve_sockets(struct convro_ctx *ctx, void *self)
{
	const struct conformance *conformance = self;

	return conformance->io->serve(ctx, conformance->sockets);
}

static int
serve_guarded(struct convro_ctx *ctx, void *self)
{
	const struct conformance *conformance = self;

	return conformance->io->serve(ctx, conformance->guarded);
}

static int
worker_of(void *self, const char *query, size_t len)
{
	const struct conformance *conformance = self;

	return conformance->io->worker(query, len);
}

#define ROUTE(verb, where, function)                                                               \
	{                                                                                          \
		.method = (verb), .path = (where), .access = CONVRO_PUBLIC, .handler = (function), \
		.flags = CONVRO_ROUTE_RAW | CONVRO_ROUTE_HIDDEN | CONVRO_ROUTE_PREFIX,             \
		.group = "Test", .summary = "Conformance", .worker = worker_of                     \
	}

static const struct convro_route routes[] = {
	ROUTE(CONVRO_GET, "/engine.io", serve_raw),
	ROUTE(CONVRO_POST, "/engine.io", serve_raw),
	ROUTE(CONVRO_PUT, "/engine.io", serve_raw),
	ROUTE(CONVRO_GET, "/socket.io", serve_sockets),
	ROUTE(CONVRO_POST, "/socket.io", serve_sockets),
	ROUTE(CONVRO_PUT, "/socket.io", serve_sockets),
	ROUTE(CONVRO_GET, "/guarded", serve_guarded),
	ROUTE(CONVRO_POST, "/guarded", serve_guarded),
	{ .method = CONVRO_GET,
	    .path = "/ws-echo",
	    .access = CONVRO_PUBLIC,
	    .handler = conformance_ws_echo,
	    .flags = CONVRO_ROUTE_RAW | CONVRO_ROUTE_HIDDEN,
	    .group = "Test",
	    .summary = "Echo" },
};

/* "socket.connect": a page of this origin gets no session. */
static int
on_connect(struct convro_ctx *ctx, void *self, const void *subject)
{
	const struct convro_on_socket *socket = subject;

	(void)self;
	if (socket->origin == NULL || strcmp(socket->origin, "https://refused.example") != 0)
		return CONVRO_NO_OPINION;
	return convro->bus->deny(ctx, 418, "TEAPOT", 7);
}

static const struct convro_hook hooks[] = {
	{ "socket.connect", on_connect, 0 },
};

static const char *const needs[] = { "socketio.v1", "realtime.v1" };
static const char *const namespaces[] = { "/", "/custom", NULL };

static enum convro_status
init(struct convro_ctx *ctx, void **self)
{
	struct convro_socketio_options mount = {
		.size = sizeof(mount),
		.flags = CONVRO_SOCKETIO_RAW,
		.ping_interval = 300,
		.ping_timeout = 200,
		.connect_timeout = 1000,
		.max_payload = 1000000,
		.send_limit = 16 * 1024 * 1024,
		.namespaces = namespaces,
		.connected = conformance_connected,
		.event = conformance_event,
		.disconnected = conformance_disconnected,
		.message = conformance_message,
	};
	struct conformance *conformance;

	if (convro->conf->get_int(ctx, "calm")) {
		mount.ping_interval = 25000;
		mount.ping_timeout = 20000;
		mount.connect_timeout = 45000;
	}
	if (!convro->conf->get_int(ctx, "i_am_a_test")) {
		convro->log->write(ctx, CONVRO_LOG_ERROR,
		    "this module lets anybody in: it is for tests, not for a server (i_am_a_test)");
		return CONVRO_INVALID;
	}
	conformance = calloc(1, sizeof(*conformance));
	if (conformance == NULL)
		return CONVRO_NO_MEMORY;
	*self = conformance;
	mount.self = conformance;
	conformance->io = convro->bus->service(ctx, "socketio.v1");
	conformance->raw = conformance->io->mount(ctx, &mount);
	mount.flags = convro->conf->get_int(ctx, "recovery") ? CONVRO_SOCKETIO_RECOVERY : 0;
	conformance->sockets = conformance->io->mount(ctx, &mount);
	conformance->realtime = convro->bus->service(ctx, "realtime.v1");
	conformance_guard(&mount);
	conformance->guarded = conformance->io->mount(ctx, &mount);
	if (conformance->raw != NULL && conformance->sockets != NULL &&
	    conformance->guarded != NULL)
		return CONVRO_OK;
	free(conformance);
	return CONVRO_NO_MEMORY;
}

static void
fini(struct convro_ctx *ctx, void *self)
{
	(void)ctx;
	free(self);
}

static const struct convro_module descriptor = {
	CONVRO_MODULE_HEAD,
	.name = "conformance",
	.version = "1.0.0",
	.summary = "servers for protocol suites, only for tests",
	.api = &convro,
	.needs = CONVRO_LIST(needs),
	.options = CONVRO_LIST(options),
	.routes = CONVRO_LIST(routes),
	.hooks = CONVRO_LIST(hooks),
	.init = init,
	.fini = fini,
};

const struct convro_module *
convro_module_v1(void)
{
	return &descriptor;
}
