/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The group table http: what the handler says becomes the kit's last answer.
 */
#include "private.h"

#include <string.h>

static struct http_request *
of(struct convro_ctx *ctx)
{
	if (ctx->request == NULL)
		kit_broken("a table call for requests in a context without one");
	return ctx->request;
}

static void
answered(struct convro_ctx *ctx, int status, const char *body, uint32_t retry_after)
{
	struct http_request *request = of(ctx);
	struct kit *kit = request->kit;

	if (request->answered)
		return;
	request->answered = true;
	kit->status = status;
	kit->body = kit_copy(kit, body);
	kit->retry_after = retry_after;
	kit->error = kit->field = "";
	if (*body == '{') {
		kit->error = kit_member(kit, "error");
		kit->field = kit_member(kit, "field");
	}
	ctx_unref(ctx);
}

static const struct convro_value *
field(struct convro_ctx *ctx, uint32_t index)
{
	const struct http_request *request = of(ctx);

	if (request->values == NULL || index >= request->route->fields.count)
		kit_broken("%s has no field %u", request->route->path, index);
	return &request->values[index];
}

static struct convro_json *
answer(struct convro_ctx *ctx)
{
	struct http_request *request = of(ctx);

	if (request->json == NULL) {
		request->json = json_table.make(ctx);
		if (request->json == NULL)
			kit_broken("out of memory");
		json_table.open_object(request->json, NULL);
		if (request->failing != NULL) {
			json_table.put_bool(request->json, "ok", 0);
			json_table.put_text(request->json, "error", request->failing);
			json_table.put_text(request->json, "message", "a sentence");
			json_table.put_text(request->json, "requestId", "kit");
		}
	}
	return request->json;
}

static int
reply(struct convro_ctx *ctx, int status)
{
	size_t len;
	const char *text;

	if (of(ctx)->answered)
		return CONVRO_OK;
	json_table.close_object(answer(ctx));
	text = json_table.text(answer(ctx), &len);
	if (text == NULL || strlen(text) != len)
		kit_broken("an answer with a NUL, or out of memory");
	answered(ctx, status, text, 0);
	return CONVRO_OK;
}

static int
fail_with_retry(
    struct convro_ctx *ctx, int status, const char *code, const char *name, uint32_t retry)
{
	struct http_request *request = of(ctx);
	size_t len;

	if (request->answered)
		return CONVRO_OK;
	request->json = NULL;
	request->failing = code;
	if (name != NULL)
		json_table.put_text(answer(ctx), "field", name);
	json_table.close_object(answer(ctx));
	answered(ctx, status, json_table.text(answer(ctx), &len), retry);
	return CONVRO_OK;
}

static int
fail(struct convro_ctx *ctx, int status, const char *code)
{
	return fail_with_retry(ctx, status, code, NULL, status == 429 || status == 503 ? 1 : 0);
}

static int
fail_field(struct convro_ctx *ctx, int status, const char *code, const char *name)
{
	return fail_with_retry(ctx, status, code, name, status == 429 || status == 503 ? 1 : 0);
}

static int
fail_later(struct convro_ctx *ctx, int status, const char *code, uint32_t retry_after_s)
{
	return fail_with_retry(ctx, status, code, NULL, retry_after_s != 0 ? retry_after_s : 1);
}

static struct convro_json *
fail_with(struct convro_ctx *ctx, const char *code)
{
	struct http_request *request = of(ctx);

	request->json = NULL;
	request->failing = kit_copy(request->kit, code);
	return answer(ctx);
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
	case CONVRO_OK:
		kit_broken("fail_db without a failure");
	default:
		return fail(ctx, 500, "INTERNAL_ERROR");
	}
}

static int
reply_raw(
    struct convro_ctx *ctx, int status, const char *content_type, const void *data, size_t len)
{
	char *text = kit_alloc(of(ctx)->kit, len + 1);

	(void)content_type;
	memcpy(text, data, len);
	answered(ctx, status, text, 0);
	return CONVRO_OK;
}

static void
set_header(struct convro_ctx *ctx, const char *name, const char *value)
{
	(void)of(ctx);
	(void)name;
	(void)value;
}

static int
method(struct convro_ctx *ctx)
{
	return (int)of(ctx)->route->method;
}

static const char *
header(struct convro_ctx *ctx, const char *name)
{
	(void)of(ctx);
	(void)name;
	return NULL;
}

static const char *
query(struct convro_ctx *ctx, const char *name)
{
	const struct slice *value = query_get(&of(ctx)->query, name, strlen(name));

	return value != NULL ? value->data : NULL;
}

static const char *
body(struct convro_ctx *ctx, size_t *len)
{
	*len = strlen(of(ctx)->body);
	return of(ctx)->body;
}

static const char *
address(struct convro_ctx *ctx)
{
	return of(ctx)->kit->address;
}

static const char *
request_id(struct convro_ctx *ctx)
{
	return ctx->request != NULL ? "kit" : "";
}

static void
hold(
    struct convro_ctx *ctx, uint64_t ms, void (*gone)(struct convro_ctx *ctx, void *arg), void *arg)
{
	(void)of(ctx);
	(void)ms;
	(void)gone;
	(void)arg;
}

static int
is_upgrade(struct convro_ctx *ctx)
{
	(void)of(ctx);
	return 0;
}

static void
each_route(struct convro_ctx *ctx,
    void (*visit)(void *arg, const char *module, const char *module_version,
	const struct convro_route *route),
    void *arg)
{
	const struct convro_module *module = kit_of(ctx)->descriptor;
	const struct convro_route *routes = module->routes.items;

	for (uint32_t i = 0; i < module->routes.count; i++)
		visit(arg, module->name, module->version, &routes[i]);
}

static int64_t
uptime(struct convro_ctx *ctx)
{
	return (kit_of(ctx)->wall_us - KIT_NOW_US) / 1000000;
}

static const char *
version(struct convro_ctx *ctx)
{
	(void)ctx;
	return "0.0.0";
}

/* No upgrade: nothing here is a WebSocket handshake. */
const struct convro_http_table kit_http = {
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
	.is_upgrade = is_upgrade,
	.each_route = each_route,
	.uptime = uptime,
	.version = version,
};
