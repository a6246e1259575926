/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server-wide side: options, routes and their checks, addresses.
 */
#include "auth/slot.h"
#include "bus/bus.h"
#include "conf/conf.h"
#include "http/internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *
check_route(const struct http *http, const struct convro_route *route)
{
	if (route->access != CONVRO_PUBLIC && route->access != CONVRO_BEARER)
		return "it is neither public nor bearer";
	if (route->access == CONVRO_BEARER && http->server->auth->module == NULL)
		return "it needs a bearer token, and no module authenticates: load one, such as auth";
	if ((route->flags & CONVRO_ROUTE_RAW) == 0 &&
	    (route->worker != NULL || (route->flags & CONVRO_ROUTE_PREFIX) != 0))
		return "only raw routes choose a worker or match a prefix";
	return NULL;
}

static int
add_route(struct http *http, struct module *module, const struct convro_route *route)
{
	const char *why = router_add(&http->router, module, route);
	const char *field = NULL;

	if (why == NULL)
		why = check_route(http, route);
	if (why == NULL)
		why = fields_check(route->fields.items, route->fields.count, route->path, &field);
	else
		field = NULL;
	if (why == NULL)
		return 0;
	if (field != NULL)
		log_error(
		    "module %s: route %s, field \"%s\": %s", module->name, route->path, field, why);
	else
		log_error("module %s: route %s: %s", module->name,
		    route->path != NULL ? route->path : "(without a path)", why);
	return -1;
}

/* The route where the configuration wants it; NULL after the reason was logged. */
static const struct convro_route *
placed(struct http *http, const struct module *module, const struct convro_route *route)
{
	struct convro_route *moved;

	if (route->path_option == NULL)
		return route;
	moved = arena_alloc(http->router.arena, sizeof(*moved));
	if (moved == NULL) {
		log_error("out of memory");
		return NULL;
	}
	*moved = *route;
	moved->path = conf_text(http->server->conf, module->name, route->path_option);
	return moved;
}

static int
add_routes(struct http *http)
{
	int result = 0;

	for (uint32_t m = 0; m < http->server->module_count; m++) {
		struct module *module = &http->server->modules[m];

		for (uint32_t i = 0; i < module->route_count; i++) {
			const struct convro_route *route = placed(http, module, &module->routes[i]);

			if (route == NULL || add_route(http, module, route) != 0)
				result = -1; /* all mistakes are told at once */
		}
	}
	return result;
}

static int
prepare_workers(struct http *http)
{
	struct server *server = http->server;

	http->workers = calloc(server->worker_count, sizeof(*http->workers));
	if (http->workers == NULL)
		return -1;
	for (uint32_t i = 0; i < server->worker_count; i++)
		if (http_worker_prepare(&http->workers[i], http, &server->workers[i]) != 0)
			return -1;
	return 0;
}

struct http *
http_new(struct server *server)
{
	struct http *http = calloc(1, sizeof(*http));
	bool enough = false;

	if (http != NULL) {
		http->server = server;
		enough = router_init(&http->router) == 0;
	}
	if (!enough) {
		log_error("out of memory");
	} else if (settings_read(&http->settings, server->conf) == 0 && add_routes(http) == 0) {
		http->hooked = bus_has_hooks(server->bus, "http.request");
		if (prepare_workers(http) == 0)
			return http;
		log_error("out of memory");
	}
	http_free(http);
	return NULL;
}

void
http_free(struct http *http)
{
	if (http == NULL)
		return;
	for (uint32_t i = 0; http->workers != NULL && i < http->server->worker_count; i++)
		http_worker_free(&http->workers[i]);
	for (uint32_t i = 0; i < http->endpoint_count; i++) {
		int *fds = http->endpoints[i].fds;

		for (uint32_t w = 0; fds != NULL && w < http->server->worker_count; w++)
			if (fds[w] >= 0)
				(void)close(fds[w]);
		free(fds);
	}
	router_fini(&http->router);
	free(http->settings.proxies);
	free(http->workers);
	free(http);
}

int
http_listen(struct http *http)
{
	const char *words = conf_text(http->server->conf, "server", "listen");

	for (const char *at = words + strspn(words, " \t"); *at != '\0';) {
		size_t len = strcspn(at, " \t");
		struct endpoint *endpoint = &http->endpoints[http->endpoint_count];

		if (http->endpoint_count == ENDPOINTS_MAX) {
			log_error("[server] listen: more than %d addresses", ENDPOINTS_MAX);
			return -1;
		}
		if (endpoint_parse(at, len, endpoint) != 0) {
			log_error("[server] listen: \"%.*s\" is no address, such as 127.0.0.1:8080 "
				  "or [::1]:8080",
			    (int)len, at);
			return -1;
		}
		http->endpoint_count++;
		if (endpoint_bind(endpoint, http->server->worker_count) != 0)
			return -1;
		log_info("bound to %s", endpoint->text);
		at += len;
		at += strspn(at, " \t");
	}
	if (http->endpoint_count == 0)
		log_error("[server] listen: an address is needed, such as 127.0.0.1:8080");
	return http->endpoint_count > 0 ? 0 : -1;
}

const char *
http_address(const struct http *http)
{
	return http->endpoints[0].text;
}
