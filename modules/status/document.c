/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET / and GET /openapi.json - documents that are made once, on the first
 * request, and from then on only sent, or not even that (RFC 9110, 13.1.2).
 */
#include "status.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
status_catalog(struct convro_ctx *ctx, const struct status *status, struct catalog *catalog)
{
	convro_handler *const without[2] = {
		status->with_page ? NULL : status_page,
		status->with_openapi ? NULL : status_openapi,
	};

	catalog_read(ctx, without, catalog);
}

bool
is_good_example(struct convro_ctx *ctx, const struct convro_route *route, const char *text)
{
	const struct convro_node *node;

	if (convro->json->parse(ctx, text, strlen(text), &node) == CONVRO_OK)
		return true;
	convro->log->write(ctx, CONVRO_LOG_WARNING,
	    "the example answer of %s %s is no JSON and is left out of the documentation",
	    route_method(route), route->path);
	return false;
}

/* Takes `data`.  The tag tells versions apart, so a plain hash (FNV-1a) will do. */
static void
keep(struct document *document, char *data, size_t len)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)data[i]) * UINT64_C(0x100000001b3);
	(void)snprintf(document->etag, sizeof(document->etag), "\"%016" PRIx64 "\"", hash);
	document->data = data;
	document->len = len;
}

static void
make_page(struct convro_ctx *ctx, struct status *status, const struct catalog *catalog)
{
	struct text text = { 0 };

	if (page_write(ctx, status, catalog, &text, status->page.policy))
		keep(&status->page, text.data, text.len);
	else
		text_free(&text);
}

static void
make_openapi(struct convro_ctx *ctx, struct status *status, const struct catalog *catalog)
{
	size_t len = 0;
	const char *json = openapi_write(ctx, status->title, catalog, &len);
	char *copy = json != NULL ? malloc(len) : NULL;

	if (copy == NULL)
		return;
	memcpy(copy, json, len);
	keep(&status->openapi, copy, len);
}

/* Other workers wait meanwhile: it takes some milliseconds, once in the life of the process. */
static bool
make(struct convro_ctx *ctx, struct status *status, struct document *document)
{
	struct catalog catalog;
	bool made;

	(void)pthread_mutex_lock(&status->lock);
	if (document->data == NULL) {
		status_catalog(ctx, status, &catalog);
		if (!catalog.failed && document == &status->page)
			make_page(ctx, status, &catalog);
		else if (!catalog.failed)
			make_openapi(ctx, status, &catalog);
		catalog_free(&catalog);
	}
	made = document->data != NULL;
	(void)pthread_mutex_unlock(&status->lock);
	return made;
}

static int
send_document(
    struct convro_ctx *ctx, struct status *status, struct document *document, const char *type)
{
	const char *known = convro->http->header(ctx, "If-None-Match");

	if (!make(ctx, status, document))
		return convro->http->fail_later(ctx, 503, "OVERLOADED", 1);
	convro->http->set_header(ctx, "ETag", document->etag);
	convro->http->set_header(ctx, "Cache-Control", "no-cache");
	if (document->policy[0] != '\0') {
		convro->http->set_header(ctx, "Content-Security-Policy", document->policy);
		convro->http->set_header(ctx, "Referrer-Policy", "no-referrer");
	}
	if (known != NULL && strstr(known, document->etag) != NULL)
		return convro->http->reply_raw(ctx, 304, type, "", 0);
	return convro->http->reply_raw(ctx, 200, type, document->data, document->len);
}

int
status_page(struct convro_ctx *ctx, void *self)
{
	struct status *status = self;

	if (!status->with_page)
		return convro->http->fail(ctx, 404, "NOT_FOUND");
	return send_document(ctx, status, &status->page, "text/html; charset=utf-8");
}

int
status_openapi(struct convro_ctx *ctx, void *self)
{
	struct status *status = self;

	if (!status->with_openapi)
		return convro->http->fail(ctx, 404, "NOT_FOUND");
	return send_document(ctx, status, &status->openapi, "application/json; charset=utf-8");
}
