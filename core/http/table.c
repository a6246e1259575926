/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ABI's group table http: what a handler sees of a request, and how it
 * answers.  It only translates to the functions of internal.h.
 */
#include "base/clock.h"
#include "base/must.h"
#include "http/internal.h"

#include <string.h>

/* Answering is for requests; a context of a timer or a socket has none. */
static struct http_request *
of(struct convro_ctx *ctx)
{
	MUST(ctx->request != NULL);
	return ctx->request;
}

/* ---- the answer ---- */

static const struct convro_value *
field(struct convro_ctx *ctx, uint32_t index)
{
	static const struct convro_value absent = { 0 };
	const struct http_request *request = of(ctx);

	if (request->values == NULL)
		return &absent;
	MUST(index < request->entry->route->fields.count);
	return &request->values[index];
}

static struct convro_json *
answer(struct convro_ctx *ctx)
{
	return answer_writer(of(ctx));
}

static int
reply(struct convro_ctx *ctx, int status)
{
	answer_json(of(ctx), status);
	return CONVRO_OK;
}

static int
fail_field(struct convro_ctx *ctx, int status, const char *code, const char *name)
{
	answer_error(of(ctx), status, code, name);
	return CONVRO_OK;
}

static int
fail(struct convro_ctx *ctx, int status, const char *code)
{
	return fail_field(ctx, status, code, NULL);
}

static int
fail_later(struct convro_ctx *ctx, int status, const char *code, uint32_t retry_after_s)
{
	answer_later(of(ctx), status, code, retry_after_s != 0 ? retry_after_s : RETRY_AFTER_MIN);
	return CONVRO_OK;
}

static struct convro_json *
fail_with(struct convro_ctx *ctx, const char *code)
{
	struct http_request *request = of(ctx);

	request->failing = mem_table.copy(ctx, code, strlen(code));
	if (request->failing == NULL)
		request->failing = "OVERLOADED";
	request->json = NULL; /* what was written is dropped */
	return answer_writer(request);
}

static int
fail_db(struct convro_ctx *ctx, enum convro_status status)
{
	switch (status) {
	case CONVRO_OVERLOAD:
	case CONVRO_TIMEOUT:
	case CONVRO_NO_MEMORY:
		return fail_later(ctx, 503, "OVERLOADED", 0);
	case CONVRO_RETRY:
	case CONVRO_NOT_SENT:
	case CONVRO_UNKNOWN_OUTCOME:
		return fail_later(ctx, 503, "DB_UNAVAILABLE", 0);
	default:
		return fail(ctx, 500, "INTERNAL_ERROR");
	}
}

static int
reply_raw(
    struct convro_ctx *ctx, int status, const char *content_type, const void *data, size_t len)
{
	answer_raw(of(ctx), status, content_type, data, len);
	return CONVRO_OK;
}

static void
set_header(struct convro_ctx *ctx, const char *name, const char *value)
{
	answer_header(of(ctx), name, value);
}

/* ---- the request ---- */

static int
method(struct convro_ctx *ctx)
{
	return (int)of(ctx)->entry->route->method;
}

static const char *
header(struct convro_ctx *ctx, const char *name)
{
	const struct message *message = &of(ctx)->message;

	for (uint32_t i = 0; i < message->header_count; i++)
		if (slice_is_nocase(slice_of(message->headers[i].name), name))
			return message->headers[i].value;
	return NULL;
}

static const char *
query(struct convro_ctx *ctx, const char *name)
{
	struct http_request *request = of(ctx);
	const struct slice *value;

	if (!request->query_read) {
		/* RAW: what is malformed is for the handler to refuse. */
		(void)query_parse(ctx->arena, request->message.query.data,
		    request->message.query.len, &request->query);
		request->query_read = true;
	}
	value = query_get(&request->query, name, strlen(name));
	return value != NULL ? value->data : NULL;
}

static const char *
body(struct convro_ctx *ctx, size_t *len)
{
	const struct slice *text = &of(ctx)->message.body;

	*len = text->len;
	return text->data;
}

static const char *
address(struct convro_ctx *ctx)
{
	return request_address(of(ctx));
}

static const char *
request_id(struct convro_ctx *ctx)
{
	return ctx->request != NULL ? ctx->request->id : "";
}

static void
hold(
    struct convro_ctx *ctx, uint64_t ms, void (*gone)(struct convro_ctx *ctx, void *arg), void *arg)
{
	struct http_request *request = of(ctx);

	if (request->answered)
		return;
	ctx->stranded = NULL; /* what brings the answer is the module's own affair now */
	ctx->deadline_ms = ms > 0 ? clock_mono_ms() + (int64_t)ms : 0;
	request->hold_ms = ms;
	request->gone = gone;
	request->gone_arg = arg;
	request->gone_module = ctx->module;
	if (gone != NULL && request->client_left)
		event_active(
		    &request->timer, EV_TIMEOUT, 0); /* too late: told at once, not from here */
	else
		request_set_deadline(request, ms);
}

/* ---- the server ---- */

static void
each_route(struct convro_ctx *ctx,
    void (*visit)(void *arg, const char *module, const char *module_version,
	const struct convro_route *route),
    void *arg)
{
	const struct server *server = ctx->worker->server;

	for (uint32_t m = 0; m < server->module_count; m++) {
		const struct module *module = &server->modules[m];

		for (uint32_t i = 0; i < module->route_count; i++)
			visit(arg, module->name, module->descriptor->version, &module->routes[i]);
	}
}

static int64_t
uptime(struct convro_ctx *ctx)
{
	return (clock_mono_ms() - ctx->worker->server->started_ms) / 1000;
}

static const char *
version(struct convro_ctx *ctx)
{
	return ctx->worker->server->version;
}

const struct convro_http_table http_table = {
	.size = sizeof(struct convro_http_table),
	.field = field,
	.answer = answer,
	.reply = reply,
	.fail = fail,
	.fail_field = fail_field,
	.fail_later = fail_later,
	.fail_with = fail_with,
	.fail_db = fail_db,
	.reply_raw = reply_raw,
	.set_header = set_header,
	.method = method,
	.header = header,
	.query = query,
	.body = body,
	.address = address,
	.request_id = request_id,
	.hold = hold,
	.is_upgrade = request_is_upgrade,
	.upgrade = request_upgrade,
	.each_route = each_route,
	.uptime = uptime,
	.version = version,
	.call = request_call,
};
