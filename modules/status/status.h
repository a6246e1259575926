/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the module status share.  Read status.c first.
 */
#ifndef STATUS_H
#define STATUS_H

#include "catalog.h"

#include <convro/module.h>
#include <pthread.h>

extern const struct convro_api *convro;

enum { ETAG_SIZE = 19, POLICY_SIZE = 512 };

/* Made on the first request, since routes do not change after the start. */
struct document {
	char *data; /* NULL = not made yet; freed at the end */
	size_t len;
	char etag[ETAG_SIZE];     /* "\"0123456789abcdef\"" */
	char policy[POLICY_SIZE]; /* Content-Security-Policy, "" = none */
};

struct status {
	const char *title;
	bool with_page, with_openapi; /* switched off: 404 */
	pthread_mutex_t lock;         /* over making the documents */
	struct document page, openapi;
};

convro_handler status_health, status_page, status_openapi;

/* The routes that can be shown.  Thread: worker. */
void status_catalog(struct convro_ctx *ctx, const struct status *status, struct catalog *catalog);

/* page.c: the whole page; false when memory is out.  `policy` gets the hashes of its style and
 * script. */
bool page_write(struct convro_ctx *ctx, const struct status *status, const struct catalog *catalog,
    struct text *out, char policy[POLICY_SIZE]);
/* page_routes.c: pieces of it. */
void page_write_nav(struct text *out, const struct catalog *catalog);
void page_write_index(struct text *out, const struct catalog *catalog);
void page_write_endpoints(struct convro_ctx *ctx, struct text *out, const struct catalog *catalog);
/* A link to the endpoint "POST /v1/...", or only its name when it is not registered. */
void page_write_link(struct text *out, const struct catalog *catalog, const char *name, size_t len);
/* page_json.c: one JSON text as indented HTML. */
void page_write_json(struct text *out, const char *json, size_t len);

/* openapi.c: NULL when memory is out; borrowed until the context ends. */
const char *openapi_write(
    struct convro_ctx *ctx, const char *title, const struct catalog *catalog, size_t *len);
/* openapi_schema.c: what a request takes and what an answer holds. */
void openapi_write_parameters(
    struct convro_ctx *ctx, struct convro_json *json, const struct convro_route *route);
void openapi_write_body(
    struct convro_ctx *ctx, struct convro_json *json, const struct convro_route *route);
/* openapi_example.c: the schema of values that look like `example`, a valid JSON text. */
void openapi_write_shape(
    struct convro_ctx *ctx, struct convro_json *json, const char *key, const char *example);

/* True when `text` is JSON that may be shown; else the log names the route, once per document. */
bool is_good_example(struct convro_ctx *ctx, const struct convro_route *route, const char *text);

/* The files of page/, embedded by the build. */
extern const unsigned char status_page_html[], status_page_css[], status_page_js[];
extern const size_t status_page_html_len, status_page_css_len, status_page_js_len;

#endif
