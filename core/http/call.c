/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request without a connection (wire contract, section 5 "request"): a module
 * asks for a route in somebody's name and is told the answer.  Only the ends
 * differ from HTTP, what is between them is request.c: what the front guard
 * would have refused is refused here, the caller stands in for a token, and the
 * answer is a function call.
 */
#include "base/must.h"
#include "http/internal.h"

#include <convro/auth.h>
#include <string.h>

/* The client of such a request, in its arena. */
struct call {
	struct list link; /* in the worker's calls */
	struct http_request *request;
	struct convro_ctx *ctx;                   /* the caller's; one reference */
	struct module *module;                    /* the caller */
	const struct convro_principal *principal; /* until request_run returned */
	convro_called *done;
	void *arg;
};

static void
authenticate(struct http_request *request)
{
	const struct call *call = request->client;

	request_verified(request->ctx, request, call->principal == NULL ? "UNAUTHORIZED" : NULL,
	    call->principal);
}

static void
answer_caller(struct http_request *request, struct http_answer *answer)
{
	struct call *call = request->client;
	struct buf *scratch = &request->http->body;
	struct buf kept = *scratch; /* the body may stand in it, and `done` may make another */
	bool is_json = answer->type != NULL && is_json_type(answer->type);

	buf_init(scratch, 0);
	list_remove(&call->link);
	call->ctx->module = call->module;
	call->done(call->ctx, call->arg, answer->status, is_json ? answer->body : "",
	    is_json ? answer->len : 0, answer->retry_after);
	buf_fini(scratch);
	*scratch = kept;
	ctx_unref(call->ctx);
}

static const struct transport call_transport = {
	.mark = " over a socket",
	.authenticate = authenticate,
	.answer = answer_caller,
};

/* ---- beginning one ---- */

/* Whether the front guard would let it pass; if not, what it would answer. */
static bool
is_sound(
    const struct guard_request *from, const struct guard_limits *limits, struct guard_error *out)
{
	size_t line = from->method.len + 1 + from->path.len + sizeof(" HTTP/1.1") - 1;
	const char *why = guard_check_target(from->path, from->query);

	if (from->query.data != NULL)
		line += 1 + from->query.len;
	if (line > limits->request_line_max)
		*out = (struct guard_error){ 414, "URI_TOO_LONG", "the request line is too long" };
	else
		*out = (struct guard_error){ 400, "BAD_REQUEST", why };
	return out->status == 400 && why == NULL;
}

/* Without a unit of work of its own, as front_refuse. */
static void
refuse(struct convro_ctx *ctx, const struct guard_error *error, convro_called *done, void *arg)
{
	char id[2 * REQUEST_ID_BYTES + 1];
	struct buf body;

	http_make_id(http_of(ctx->worker), id);
	buf_init(&body, 0);
	write_error(&body, error->code, error->message, id, NULL);
	log_write(log_get(), CONVRO_LOG_DEBUG, &(struct log_origin){ .request_id = id },
	    "refused a request%s with %d %s: %s", call_transport.mark, error->status, error->code,
	    error->message);
	done(ctx, arg, error->status, body.failed ? "" : body.data, body.failed ? 0 : body.len,
	    error->status == 503 ? RETRY_AFTER_MIN : 0);
	buf_fini(&body);
}

/* A request without headers; what it points to is the caller's. */
static struct guard_request
to_request(const struct convro_call *call, size_t body_max)
{
	bool too_large = call->body_len > body_max;

	return (struct guard_request){
		.method = slice_of(method_name(call->method)),
		.path = slice_of(call->path),
		.query = call->query != NULL ? slice_of(call->query) : (struct slice){ NULL, 0 },
		.body = { call->body, too_large ? 0 : call->body_len },
		.minor = 1,
		.keep_alive = true,
		.body_too_large = too_large,
	};
}

/* NULL when memory is out. */
static struct http_request *
make(struct convro_ctx *ctx, const struct guard_request *from, const char *address)
{
	struct http_request *request = request_copy(http_of(ctx->worker), from);
	struct call *call;

	if (request == NULL)
		return NULL;
	if (address == NULL)
		address = "";
	request->address = arena_copy(request->ctx->arena, address, strlen(address));
	call = arena_zero(request->ctx->arena, 1, sizeof(*call));
	if (request->address == NULL || call == NULL) {
		ctx_unref(request->ctx);
		return NULL;
	}
	request->transport = &call_transport;
	request->client = call;
	call->request = request;
	call->ctx = ctx;
	call->module = ctx->module;
	return request;
}

/* Modules may be built with a shorter struct than this one. */
static struct convro_call
copy_call(const struct convro_call *from)
{
	struct convro_call call = { 0 };

	memcpy(&call, from, from->size < sizeof(call) ? from->size : sizeof(call));
	return call;
}

void
request_call(struct convro_ctx *ctx, const struct convro_call *what, convro_called *done, void *arg)
{
	static const struct guard_error full = { 503, "OVERLOADED", "out of memory" };
	struct http_worker *http = http_of(ctx->worker);
	const struct guard_limits *limits = &http->http->settings.limits;
	const struct convro_call call = copy_call(what);
	struct guard_request from;
	struct guard_error fault;
	struct http_request *request;
	struct call *client;

	MUST(call.path != NULL && done != NULL);
	from = to_request(&call, limits->body_max);
	if (!is_sound(&from, limits, &fault)) {
		refuse(ctx, &fault, done, arg);
		return;
	}
	request = make(ctx, &from, call.address);
	if (request == NULL) {
		refuse(ctx, &full, done, arg);
		return;
	}
	/* What such a route does, hold or become a WebSocket, needs a connection. */
	if (request->entry != NULL && (request->entry->route->flags & CONVRO_ROUTE_RAW) != 0)
		request->path = NULL;
	client = request->client;
	client->principal = call.principal;
	client->done = done;
	client->arg = arg;
	list_push_back(&http->calls, &client->link);
	ctx_ref(ctx);
	request_run(request);
}

/* ---- the end ---- */

void
calls_forget(struct http_worker *http)
{
	struct list *first;

	LIST_EACH(at, &http->calls)
	LIST_OF(at, struct call, link)->request->client = NULL;
	/* A caller may be a call itself, and its last reference go here: that one came first. */
	while ((first = list_take_first(&http->calls)) != NULL)
		ctx_unref(LIST_OF(first, struct call, link)->ctx);
}
