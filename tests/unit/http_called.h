/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The routes that test_http_call.c calls, and the module that calls them.
 */
#ifndef HTTP_CALLED_H
#define HTTP_CALLED_H

#include "http_kit.h"

#include <convro/facts.h>

/* What the hook saw last; read when nothing is under way. */
static pthread_mutex_t seen_lock = PTHREAD_MUTEX_INITIALIZER;
static char seen_address[64];
static int64_t seen_user; /* 0 = nobody */

static int
hello(struct convro_ctx *ctx, void *self)
{
	(void)self;
	json_table.put_text(http_table.answer(ctx), "hello", http_table.address(ctx));
	http_table.set_header(ctx, "X-Dropped", "1");
	return http_table.reply(ctx, 200);
}

static int
me(struct convro_ctx *ctx, void *self)
{
	(void)self;
	json_table.put_int(http_table.answer(ctx), "userId", ctx->principal->user_id);
	json_table.put_text(http_table.answer(ctx), "number", ctx->principal->number);
	return http_table.reply(ctx, 200);
}

static int
echo(struct convro_ctx *ctx, void *self)
{
	const struct convro_value *text = http_table.field(ctx, 0);

	(void)self;
	json_table.put_text(http_table.answer(ctx), "text", text->type != 0 ? text->u.text : NULL);
	json_table.put_int(http_table.answer(ctx), "limit", http_table.field(ctx, 1)->u.i);
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
nap(void *arg)
{
	(void)arg;
	usleep(5000);
}

static void
napped(struct convro_ctx *ctx, void *arg)
{
	(void)arg;
	json_table.put_bool(http_table.answer(ctx), "late", 1);
	(void)http_table.reply(ctx, 200);
	(void)http_table.fail_field(
	    ctx, 400, "INVALID_BODY", NULL); /* a second answer does nothing */
}

static int
later(struct convro_ctx *ctx, void *self)
{
	(void)self;
	return (int)work_table.offload(ctx, nap, napped, NULL);
}

static void
slept(struct convro_ctx *ctx, void *arg)
{
	(void)ctx;
	(void)arg;
}

static int
strands(struct convro_ctx *ctx, void *self)
{
	(void)self;
	return (int)work_table.offload(ctx, nap, slept, NULL);
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

static struct convro_ctx *stuck_ctx;

/* Does not answer until somebody calls /v1/release. */
static int
stuck(struct convro_ctx *ctx, void *self)
{
	(void)self;
	ctx_ref(ctx);
	stuck_ctx = ctx;
	return CONVRO_OK;
}

static int
release(struct convro_ctx *ctx, void *self)
{
	(void)self;
	(void)http_table.reply(stuck_ctx, 200);
	ctx_unref(stuck_ctx);
	stuck_ctx = NULL;
	return http_table.reply(ctx, 200);
}

static int
unavailable(struct convro_ctx *ctx, void *self)
{
	(void)self;
	return http_table.fail_db(ctx, CONVRO_RETRY);
}

static int
limited_late(struct convro_ctx *ctx, void *self)
{
	(void)self;
	return http_table.fail_later(ctx, 429, "TOO_MANY_PENDING_SESSIONS", 33);
}

static int
text(struct convro_ctx *ctx, void *self)
{
	(void)self;
	return http_table.reply_raw(ctx, 200, "text/plain", "not JSON", 8);
}

static int
own_json(struct convro_ctx *ctx, void *self)
{
	(void)self;
	return http_table.reply_raw(ctx, 200, "application/json", "[1]", 3);
}

static int
nothing(struct convro_ctx *ctx, void *self)
{
	(void)self;
	return http_table.reply_raw(ctx, 204, "application/json", "[1]", 3);
}

static int
upgrade(struct convro_ctx *ctx, void *self)
{
	static const struct convro_socket_events events = { .size = sizeof(events) };

	(void)self;
	assert_false(http_table.is_upgrade(ctx));
	assert_null(http_table.upgrade(ctx, &events, NULL));
	return CONVRO_OK;
}

static void
inner_done(struct convro_ctx *ctx, void *arg, int status, const char *body, size_t len,
    uint32_t retry_after)
{
	char copy[256];
	struct convro_json *json;

	(void)arg;
	assert_true(len < sizeof(copy));
	memcpy(copy, body, len);
	copy[len] = '\0';
	/* Makes an error of its own while it holds this body. */
	if (retry_after != 0) {
		(void)http_table.fail_later(ctx, status, "RATE_LIMITED", retry_after);
		assert_memory_equal(copy, body, len);
		return;
	}
	json = http_table.answer(ctx);
	json_table.put_int(json, "inner", status);
	json_table.put_text(json, "was", copy);
	(void)http_table.reply(ctx, 200);
}

/* Calls the path of its query as nobody. */
static int
relay(struct convro_ctx *ctx, void *self)
{
	const struct convro_call call = { .size = sizeof(call),
		.method = CONVRO_GET,
		.path = http_table.field(ctx, 0)->u.text,
		.query = "path=/hello" };

	(void)self;
	http_table.call(ctx, &call, inner_done, NULL);
	return CONVRO_OK;
}

static const struct convro_field echo_fields[] = {
	{ .name = "text", .type = CONVRO_TEXT, .max = 500, .error = "INVALID_STATUS" },
	{ .name = "limit", .type = CONVRO_INT, .in = CONVRO_QUERY, .min = 1, .max = 200 },
};
static const struct convro_field item_fields[] = {
	{ .name = "id", .type = CONVRO_ID, .in = CONVRO_PATH, .error = "INVALID_MESSAGE_ID" },
};
static const struct convro_field relay_fields[] = {
	{ .name = "path", .type = CONVRO_TEXT, .in = CONVRO_QUERY, .flags = CONVRO_REQUIRED },
};

#define GET(at, who, run, ...)                                                                     \
	{                                                                                          \
		.method = CONVRO_GET, .path = at, .access = who, .handler = run, __VA_ARGS__       \
	}

static const struct convro_route routes[] = {
	GET("/hello", CONVRO_PUBLIC, hello, .flags = 0),
	GET("/v1/me", CONVRO_BEARER, me, .flags = 0),
	GET("/v1/alias", CONVRO_BEARER, me, .flags = CONVRO_ROUTE_HIDDEN),
	GET("/v1/raw", CONVRO_PUBLIC, hello, .flags = CONVRO_ROUTE_RAW),
	GET("/v1/items/{id}", CONVRO_PUBLIC, item, .fields = CONVRO_LIST(item_fields)),
	GET("/v1/later", CONVRO_PUBLIC, later, .flags = 0),
	GET("/v1/strands", CONVRO_PUBLIC, strands, .flags = 0),
	GET("/v1/silent", CONVRO_PUBLIC, silent, .flags = 0),
	GET("/v1/broken", CONVRO_PUBLIC, broken, .flags = 0),
	GET("/v1/stuck", CONVRO_PUBLIC, stuck, .flags = 0),
	GET("/v1/release", CONVRO_PUBLIC, release, .flags = 0),
	GET("/v1/limited", CONVRO_BEARER, hello, .rate = "limited"),
	GET("/v1/asked-later", CONVRO_BEARER, hello, .rate = "later"),
	GET("/v1/denied-later", CONVRO_PUBLIC, hello, .rate = "denied later"),
	GET("/v1/down", CONVRO_PUBLIC, unavailable, .flags = 0),
	GET("/v1/limited-late", CONVRO_PUBLIC, limited_late, .flags = 0),
	GET("/v1/text", CONVRO_PUBLIC, text, .flags = 0),
	GET("/v1/own-json", CONVRO_PUBLIC, own_json, .flags = 0),
	GET("/v1/nothing", CONVRO_PUBLIC, nothing, .flags = 0),
	GET("/v1/upgrade", CONVRO_PUBLIC, upgrade, .flags = 0),
	GET("/v1/relay", CONVRO_PUBLIC, relay, .fields = CONVRO_LIST(relay_fields)),
	{ .method = CONVRO_POST,
	    .path = "/v1/echo",
	    .access = CONVRO_PUBLIC,
	    .handler = echo,
	    .fields = CONVRO_LIST(echo_fields),
	    .body_max = 1000 },
	{ .method = CONVRO_POST,
	    .path = "/v1/wide",
	    .access = CONVRO_BEARER,
	    .handler = echo,
	    .fields = CONVRO_LIST(echo_fields) },
};

static void
decide(struct convro_ctx *ctx, void *arg)
{
	const char *rate = arg;

	if (strcmp(rate, "later") == 0)
		bus_table.decide(ctx, CONVRO_ALLOW);
	else
		bus_table.decide(ctx, bus_table.deny(ctx, 429, "RATE_LIMITED", 5));
}

static int
limit(struct convro_ctx *ctx, void *self, const void *subject)
{
	const struct convro_on_request *request = subject;
	const char *rate = request->route->rate;

	(void)self;
	(void)pthread_mutex_lock(&seen_lock);
	(void)snprintf(seen_address, sizeof(seen_address), "%s", request->address);
	seen_user = request->principal != NULL ? request->principal->user_id : 0;
	(void)pthread_mutex_unlock(&seen_lock);
	if (rate == NULL)
		return CONVRO_NO_OPINION;
	if (strcmp(rate, "limited") == 0)
		return bus_table.deny(ctx, 429, "RATE_LIMITED", 17);
	assert_int_equal(work_table.offload(ctx, nap, decide, (void *)(uintptr_t)rate), CONVRO_OK);
	return CONVRO_LATER;
}

static const struct convro_hook hooks[] = { { .point = "http.request", .function = limit } };

/* ---- who calls ---- */

static const struct convro_principal ala = {
	.size = sizeof(ala), .user_id = 7, .device_id = 9, .number = "123456"
};

/* A call as a test makes it, and what came of it. */
struct asked {
	struct convro_call call;
	struct convro_ctx *ctx; /* that called */
	atomic_int runs;        /* of done */
	bool at_once;           /* done ran within the call */
	bool in_its_context;
	bool on_its_worker;
	pthread_t thread;
	int status;
	uint32_t retry_after;
	size_t len;
	char body[4096];
};

static void
called(struct convro_ctx *ctx, void *arg, int status, const char *body, size_t len,
    uint32_t retry_after)
{
	struct asked *asked = arg;

	asked->status = status;
	asked->retry_after = retry_after;
	asked->len = len;
	(void)snprintf(asked->body, sizeof(asked->body), "%.*s", (int)len, body);
	asked->in_its_context = ctx == asked->ctx && strcmp(ctx->module->name, "kit") == 0;
	asked->on_its_worker = pthread_equal(asked->thread, pthread_self());
	atomic_fetch_add(&asked->runs, 1);
}

/* The context's own work ends here: only the call keeps it. */
static void
call_it(struct convro_ctx *ctx, void *arg)
{
	struct asked *asked = arg;

	asked->ctx = ctx;
	asked->thread = pthread_self();
	http_table.call(ctx, &asked->call, called, asked);
	asked->at_once = atomic_load(&asked->runs) == 1;
}

struct batch {
	struct asked *asked;
	uint32_t count;
};

/* Both workers share the batch. */
static int
call_batch(struct worker *worker, void *arg)
{
	const struct batch *batch = arg;

	for (uint32_t i = worker->index; i < batch->count; i += KIT_WORKERS)
		assert_true(
		    ctx_run(worker, &worker->server->modules[0], call_it, &batch->asked[i]));
	return 0;
}

static void
place(struct kit *kit, struct asked *asked, uint32_t count)
{
	struct batch batch = { asked, count };

	(void)workers_each(kit->server.workers, KIT_WORKERS, call_batch, &batch);
}

/* Waits for the answer, and that nothing is left behind. */
static void
await(struct kit *kit, struct asked *asked)
{
	for (int i = 0; i < 2000 && atomic_load(&asked->runs) == 0; i++)
		usleep(10000);
	assert_true(kit_settles(kit));
	assert_int_equal(atomic_load(&asked->runs), 1);
	assert_true(asked->in_its_context);
	assert_true(asked->on_its_worker);
}

static void
check(struct kit *kit, const struct convro_call *call, int status, const char *piece)
{
	struct asked asked = { .call = *call };

	asked.call.size = sizeof(asked.call);
	place(kit, &asked, 1);
	await(kit, &asked);
	if (asked.status != status || strstr(asked.body, piece) == NULL)
		fail_msg("%s: %d %s, expected %d %s", call->path, asked.status, asked.body, status,
		    piece);
	assert_int_equal(asked.retry_after != 0, status == 429 || status == 503);
}

static struct convro_call
get(const char *path)
{
	return (struct convro_call){ .method = CONVRO_GET, .path = path, .principal = &ala };
}

/* For what `check` does not look at. */
static struct asked
ask_for(struct kit *kit, const char *path)
{
	struct asked asked = { .call = get(path) };

	asked.call.size = sizeof(asked.call);
	place(kit, &asked, 1);
	await(kit, &asked);
	return asked;
}

static void
expect_get(struct kit *kit, const char *path, int status, const char *piece)
{
	struct convro_call call = get(path);

	check(kit, &call, status, piece);
}

static void
expect_post(struct kit *kit, const char *path, const char *body, int status, const char *piece)
{
	const struct convro_call call = { .method = CONVRO_POST,
		.path = path,
		.body = body,
		.body_len = body != NULL ? strlen(body) : 0 };

	check(kit, &call, status, piece);
}

#endif
