/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The routes that test_http_server.c and test_http_connection.c talk to.
 */
#ifndef HTTP_ROUTES_H
#define HTTP_ROUTES_H

#include "http_kit.h"

#include <convro/facts.h>
#include <stdatomic.h>

static atomic_int gone_count, finished_late;

/* ---- routes ---- */

static int
hello(struct convro_ctx *ctx, void *self)
{
	(void)self;
	json_table.put_text(http_table.answer(ctx), "hello", "world");
	return http_table.reply(ctx, 200);
}

static int
me(struct convro_ctx *ctx, void *self)
{
	(void)self;
	json_table.put_int(http_table.answer(ctx), "userId", ctx->principal->user_id);
	return http_table.reply(ctx, 200);
}

static int
echo(struct convro_ctx *ctx, void *self)
{
	const struct convro_value *text = http_table.field(ctx, 0);

	(void)self;
	json_table.put_text(http_table.answer(ctx), "text", text->type != 0 ? text->u.text : NULL);
	return http_table.reply(ctx, 201);
}

static int
item(struct convro_ctx *ctx, void *self)
{
	(void)self;
	json_table.put_int(http_table.answer(ctx), "id", http_table.field(ctx, 0)->u.i);
	return http_table.reply(ctx, 200);
}

static void
sleep_a_bit(void *arg)
{
	(void)arg;
	usleep(30000);
}

static void
slept(struct convro_ctx *ctx, void *arg)
{
	(void)arg;
	json_table.put_bool(http_table.answer(ctx), "late", 1);
	(void)http_table.reply(ctx, 200);
	(void)http_table.reply(ctx, 200); /* a second answer does nothing */
	finished_late++;
}

static int
later(struct convro_ctx *ctx, void *self)
{
	(void)self;
	return (int)work_table.offload(ctx, sleep_a_bit, slept, NULL);
}

static int
silent(struct convro_ctx *ctx, void *self)
{
	(void)ctx;
	(void)self;
	return CONVRO_OK;
}

static int
broken(struct convro_ctx *ctx, void *self)
{
	(void)ctx;
	(void)self;
	return CONVRO_FAILED;
}

static int
with_more(struct convro_ctx *ctx, void *self)
{
	(void)self;
	json_table.put_int(http_table.answer(ctx), "dropped", 1);
	json_table.put_int(http_table.fail_with(ctx, "SESSION_ID_EXISTS"), "more", 5);
	return http_table.reply(ctx, 409);
}

static int
raw(struct convro_ctx *ctx, void *self)
{
	const char *query = http_table.query(ctx, "a");
	size_t len;
	const char *body = http_table.body(ctx, &len);
	char text[256];

	(void)self;
	http_table.set_header(ctx, "X-Kit", "yes");
	http_table.set_header(ctx, "X-Bad", "a\r\nX-Forged: 1");
	(void)snprintf(text, sizeof(text), "a=%s body=%.*s from %s", query != NULL ? query : "-",
	    (int)len, body, http_table.address(ctx));
	return http_table.reply_raw(ctx, 200, "text/plain", text, strlen(text));
}

static int
big(struct convro_ctx *ctx, void *self)
{
	size_t len = (size_t)8 << 20;
	char *data = mem_table.alloc(ctx, len);

	(void)self;
	memset(data, 'x', len);
	return http_table.reply_raw(ctx, 200, "text/plain", data, len);
}

static void
left(struct convro_ctx *ctx, void *arg)
{
	(void)arg;
	gone_count++;
	(void)http_table.reply_raw(ctx, 200, "text/plain", "gone", 4);
}

static int
held(struct convro_ctx *ctx, void *self)
{
	const char *ms = http_table.query(ctx, "ms");

	(void)self;
	http_table.hold(ctx, ms != NULL ? strtoul(ms, NULL, 10) : 0, left, NULL);
	return CONVRO_OK;
}

static const struct convro_field echo_fields[] = {
	{ .name = "text", .type = CONVRO_TEXT, .max = 5, .error = "INVALID_STATUS" },
	{ .name = "limit", .type = CONVRO_INT, .in = CONVRO_QUERY, .min = 1, .max = 200 },
};
static const struct convro_field item_fields[] = {
	{ .name = "id", .type = CONVRO_ID, .in = CONVRO_PATH, .error = "INVALID_MESSAGE_ID" },
};

static const struct convro_route routes[] = {
	{ .method = CONVRO_GET, .path = "/hello", .access = CONVRO_PUBLIC, .handler = hello },
	{ .method = CONVRO_GET, .path = "/v1/me", .access = CONVRO_BEARER, .handler = me },
	{ .method = CONVRO_POST,
	    .path = "/v1/echo",
	    .access = CONVRO_PUBLIC,
	    .handler = echo,
	    .fields = CONVRO_LIST(echo_fields),
	    .body_max = 100000 },
	{ .method = CONVRO_POST,
	    .path = "/v1/empty",
	    .access = CONVRO_BEARER,
	    .handler = hello,
	    .flags = CONVRO_ROUTE_EMPTY_BODY },
	{ .method = CONVRO_GET,
	    .path = "/v1/items/{id}",
	    .access = CONVRO_PUBLIC,
	    .handler = item,
	    .fields = CONVRO_LIST(item_fields) },
	{ .method = CONVRO_DELETE,
	    .path = "/v1/items/{id}",
	    .access = CONVRO_PUBLIC,
	    .handler = item,
	    .fields = CONVRO_LIST(item_fields) },
	{ .method = CONVRO_GET, .path = "/v1/later", .access = CONVRO_PUBLIC, .handler = later },
	{ .method = CONVRO_GET, .path = "/v1/silent", .access = CONVRO_PUBLIC, .handler = silent },
	{ .method = CONVRO_GET, .path = "/v1/broken", .access = CONVRO_PUBLIC, .handler = broken },
	{ .method = CONVRO_GET, .path = "/v1/more", .access = CONVRO_PUBLIC, .handler = with_more },
	{ .method = CONVRO_GET,
	    .path = "/v1/nohead",
	    .access = CONVRO_PUBLIC,
	    .handler = hello,
	    .flags = CONVRO_ROUTE_NO_HEAD },
	{ .method = CONVRO_GET,
	    .path = "/v1/limited",
	    .access = CONVRO_PUBLIC,
	    .handler = hello,
	    .rate = "limited" },
	{ .method = CONVRO_GET,
	    .path = "/raw",
	    .access = CONVRO_PUBLIC,
	    .handler = raw,
	    .flags = CONVRO_ROUTE_RAW | CONVRO_ROUTE_PREFIX },
	{ .method = CONVRO_POST,
	    .path = "/raw",
	    .access = CONVRO_PUBLIC,
	    .handler = raw,
	    .flags = CONVRO_ROUTE_RAW },
	{ .method = CONVRO_GET,
	    .path = "/big",
	    .access = CONVRO_PUBLIC,
	    .handler = big,
	    .flags = CONVRO_ROUTE_RAW },
	{ .method = CONVRO_GET,
	    .path = "/held",
	    .access = CONVRO_PUBLIC,
	    .handler = held,
	    .flags = CONVRO_ROUTE_RAW },
};

static int
limit(struct convro_ctx *ctx, void *self, const void *subject)
{
	const struct convro_on_request *request = subject;

	(void)self;
	if (request->route->rate == NULL)
		return CONVRO_NO_OPINION;
	return bus_table.deny(ctx, 429, "RATE_LIMITED", 17);
}

static const struct convro_hook hooks[] = { { .point = "http.request", .function = limit } };

static const char *const settings[] = { "server.cors_origins=https://app.example",
	"server.trusted_proxies=127.0.0.1", "server.request_timeout=1s", "log.level=error", NULL };

static int
start(void **state)
{
	struct kit *kit = kit_new(routes, sizeof(routes) / sizeof(routes[0]), hooks, 1, settings);

	kit_start(kit);
	*state = kit;
	return 0;
}

static int
end(void **state)
{
	kit_free(*state);
	return 0;
}

#define TO " HTTP/1.1\r\nHost: h\r\n"

static inline void
post(const struct kit *kit, const char *path, const char *type, const char *body, int status,
    const char *piece)
{
	char text[4096];

	(void)snprintf(text, sizeof(text),
	    "POST %s" TO "Authorization: Bearer good\r\n%s%s%sContent-Length: %zu\r\n\r\n%s", path,
	    type != NULL ? "Content-Type: " : "", type != NULL ? type : "",
	    type != NULL ? "\r\n" : "", strlen(body), body);
	expect(kit, text, status, piece);
}

#endif
