/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status - health, the status page and OpenAPI.  Read this file first: it
 * lists everything the module adds to the server.
 */
#include "status.h"

#include <stdlib.h>

const struct convro_api *convro;

static const struct convro_option options[] = {
	{ .name = "page",
	    .type = CONVRO_OPTION_BOOL,
	    .initial = "on",
	    .summary =
		"Whether GET / answers the status page. It tells which endpoints there are and whether the store "
		"answers, nothing about users; off makes it 404.",
	    .example = "off" },
	{ .name = "openapi",
	    .type = CONVRO_OPTION_BOOL,
	    .initial = "on",
	    .summary = "Whether GET /openapi.json answers the description of all endpoints as "
		       "OpenAPI 3.1; off makes it 404.",
	    .example = "off" },
	{ .name = "title",
	    .type = CONVRO_OPTION_TEXT,
	    .initial = "Convro",
	    .summary = "The name at the head of the status page and in OpenAPI, for telling "
		       "several servers apart.",
	    .example = "Convro (staging)" },
};

#define HEALTH(status, db)                                                                         \
	"{\"status\":\"" status "\",\"db\":\"" db                                                  \
	"\",\"timestamp\":\"2026-01-31T12:34:56.000Z\",\"version\":\"0.1.0\",\"uptimeSeconds\":86400}"

static const struct convro_answer health[] = {
	{ 200, HEALTH("ok", "ok"), "up, and the store answers" },
	{ 503, HEALTH("degraded", "down"), "the store did not answer within one second" },
};
static const struct convro_answer page[] = { { 200, NULL, "the page, as text/html" } };
static const struct convro_answer openapi[] = { { 200,
    "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"Convro\",\"version\":\"0.1.0\"},\"paths\":{}}",
    "the document, cut short here" } };

static const struct convro_route routes[] = {
	{ CONVRO_GET, "/health", CONVRO_PUBLIC, status_health, .answers = CONVRO_LIST(health),
	    .group = "Health", .summary = "whether the server is up and its store answers",
	    .notes = "Never needs a token. The body has the same shape in both cases." },
	{ CONVRO_GET, "/", CONVRO_PUBLIC, status_page, .flags = CONVRO_ROUTE_RAW,
	    .answers = CONVRO_LIST(page), .group = "Reference",
	    .summary = "state, rules and endpoints of this server, for people" },
	{ CONVRO_GET, "/openapi.json", CONVRO_PUBLIC, status_openapi, .flags = CONVRO_ROUTE_RAW,
	    .answers = CONVRO_LIST(openapi), .group = "Reference",
	    .summary = "the registered endpoints, for programs" },
};

static enum convro_status
init(struct convro_ctx *ctx, void **self)
{
	struct status *status = calloc(1, sizeof(*status));

	if (status == NULL)
		return CONVRO_NO_MEMORY;
	if (pthread_mutex_init(&status->lock, NULL) != 0) {
		free(status);
		return CONVRO_FAILED;
	}
	status->title = convro->conf->get_text(ctx, "title");
	status->with_page = convro->conf->get_int(ctx, "page") != 0;
	status->with_openapi = convro->conf->get_int(ctx, "openapi") != 0;
	*self = status;
	return CONVRO_OK;
}

static void
fini(struct convro_ctx *ctx, void *self)
{
	struct status *status = self;

	(void)ctx;
	free(status->page.data);
	free(status->openapi.data);
	(void)pthread_mutex_destroy(&status->lock);
	free(status);
}

static const struct convro_module descriptor = {
	CONVRO_MODULE_HEAD,
	.name = "status",
	.version = "1.0.0",
	.summary = "health, the status page and OpenAPI",
	.api = &convro,
	.options = CONVRO_LIST(options),
	.routes = CONVRO_LIST(routes),
	.init = init,
	.fini = fini,
};

const struct convro_module *
convro_module_v1(void)
{
	return &descriptor;
}
