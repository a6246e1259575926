/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request from its route to its handler.  The checks come in the order of the
 * wire contract (section 1, "order of checks"): 404, 405, 401, 429 here, then
 * 413, 415 and 400 in body.c.  Authentication and hooks may take their time:
 * each step is a function that ends by calling the next.
 */
#include "auth/slot.h"
#include "base/clock.h"
#include "bus/bus.h"
#include "http/front.h"
#include "http/internal.h"

#include <convro/facts.h>
#include <stdlib.h>
#include <string.h>

/* ---- deadline ---- */

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct http_request *request = arg;

	(void)fd;
	(void)what;
	if (request->client_left && request->gone != NULL) {
		/* It was gone when the handler asked to hold; the deadline itself comes later. */
		request_set_deadline(request, request->hold_ms);
		request_client_left(request);
		return;
	}
	log_write(log_get(), CONVRO_LOG_WARNING,
	    &(struct log_origin){ request->entry->module->name, request->id },
	    "%s: no answer within its deadline", request->path->path);
	answer_later(request, 503, "OVERLOADED", RETRY_AFTER_MIN);
}

void
request_set_deadline(struct http_request *request, uint64_t ms)
{
	struct timeval in = { (time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000) };

	(void)event_del(&request->timer);
	if (ms > 0)
		(void)event_add(&request->timer, &in);
}

void
request_client_left(struct http_request *request)
{
	void (*gone)(struct convro_ctx *, void *) = request->gone;
	struct convro_ctx *ctx = request->ctx;

	request->client_left = true;
	if (gone == NULL)
		return;
	request->gone = NULL;
	ctx->module = request->gone_module;
	ctx_ref(ctx);
	gone(ctx, request->gone_arg);
	ctx_unref(ctx);
}

/* The last thing that could have brought an answer has ended without one. */
static void
stranded(struct convro_ctx *ctx)
{
	struct http_request *request = ctx->request;

	log_write(log_get(), CONVRO_LOG_ERROR,
	    &(struct log_origin){ request->entry->module->name, request->id },
	    "%s: the handler ended without an answer", request->path->path);
	answer_error(request, 500, "INTERNAL_ERROR", NULL);
}

/* ---- making one ---- */

static bool
is_request_id(const char *text)
{
	size_t len =
	    strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

	return len > 0 && len <= REQUEST_ID_MAX && text[len] == '\0';
}

struct http_request *
request_new(struct http_worker *http, struct convro_ctx *ctx)
{
	struct http_request *request = arena_zero(ctx->arena, 1, sizeof(*request));

	if (request == NULL)
		return NULL;
	request->ctx = ctx;
	request->http = http;
	request->started_us = clock_mono_us();
	(void)event_assign(&request->timer, http->worker->base, -1, 0, on_deadline, request);
	ctx->request = request;
	return request;
}

bool
request_find_route(struct http_request *request)
{
	const struct message *message = &request->message;
	uint32_t method = method_number(message->method, &request->head);
	const struct route_entry *entry;

	request->path = router_find(&request->http->http->router, request->ctx->arena,
	    message->path, request->path_values, &request->path_count);
	if (request->path_count == UINT32_MAX)
		return false;
	if (request->path == NULL || method == 0)
		return true;
	entry = &request->path->methods[method];
	if (entry->route == NULL ||
	    (request->head && (entry->route->flags & CONVRO_ROUTE_NO_HEAD) != 0))
		return true;
	request->entry = entry;
	return true;
}

struct http_request *
request_copy(struct http_worker *http, const struct guard_request *from)
{
	struct convro_ctx *ctx = ctx_new(http->worker, &http->http->server->core);
	struct http_request *request;

	if (ctx == NULL)
		return NULL;
	request = request_new(http, ctx);
	if (request != NULL && message_copy(&request->message, ctx->arena, from) == 0 &&
	    request_find_route(request))
		return request;
	ctx_unref(ctx);
	return NULL;
}

/* The worker that has to run it, when that is another one. */
static struct worker *
other_worker(const struct http_request *request)
{
	const struct worker *here = request->http->worker;
	const struct slice *query = &request->message.query;
	const struct route_entry *entry = request->entry;
	int owner;

	if (entry == NULL || entry->route->worker == NULL)
		return NULL;
	owner = entry->route->worker(
	    entry->module->self, query->data != NULL ? query->data : "", query->len);
	if (owner < 0 || (uint32_t)owner >= here->worker_count || (uint32_t)owner == here->index)
		return NULL;
	return &here->workers[owner];
}

void
request_begin(struct front *front, const struct guard_request *from)
{
	static const struct guard_error full = { 503, "OVERLOADED", "out of memory" };
	struct http_request *request = request_copy(front->http, from);
	struct worker *owner;

	if (request == NULL) {
		front_refuse(front, &full);
		return;
	}
	memcpy(request->message.peer, front->peer, sizeof(front->peer));
	owner = other_worker(request);
	if (owner != NULL) {
		ctx_unref(request->ctx); /* it gets one of the owner's */
		if (!travel_send(front, owner, from))
			front_refuse(front, &full);
		return;
	}
	request->transport = &front_transport;
	request->client = front;
	front->request = request;
	request_run(request);
}

/* ---- running it ---- */

static void
run_handler(struct http_request *request)
{
	const struct route_entry *entry = request->entry;
	struct convro_ctx *ctx = request->ctx;
	int status;

	ctx->module = entry->module;
	status = entry->route->handler(ctx, entry->module->self);
	if (status == CONVRO_OK || request->answered)
		return;
	log_write(log_get(), CONVRO_LOG_ERROR,
	    &(struct log_origin){ entry->module->name, request->id },
	    "%s: the handler failed with status %d", request->path->path, status);
	answer_error(request, 500, "INTERNAL_ERROR", NULL);
}

static void
decided(struct convro_ctx *ctx, void *arg, const struct convro_verdict *verdict)
{
	struct http_request *request = arg;
	uint32_t retry_after = verdict->retry_after;

	(void)ctx;
	if (request->answered)
		return; /* the deadline was faster */
	if (verdict->kind != CONVRO_DENY) {
		if (request_read_input(request))
			run_handler(request);
		return;
	}
	answer_later(request, verdict->status != 0 ? verdict->status : 429,
	    verdict->code != NULL ? verdict->code : "RATE_LIMITED", retry_after);
}

/* Hooks may refuse, by address or by device. */
static void
ask_hooks(struct http_request *request)
{
	static const struct convro_verdict allow = { .size = sizeof(allow), .kind = CONVRO_ALLOW };
	struct convro_ctx *ctx = request->ctx;
	struct convro_on_request *subject;

	if (!request->http->http->hooked) {
		decided(ctx, request, &allow);
		return;
	}
	subject = mem_table.alloc(ctx, sizeof(*subject));
	if (subject == NULL) {
		answer_later(request, 503, "OVERLOADED", RETRY_AFTER_MIN);
		return;
	}
	*subject = (struct convro_on_request){
		.size = sizeof(*subject),
		.route = request->entry->route,
		.address = request_address(request),
		.principal = ctx->principal,
	};
	bus_table.ask(ctx, "http.request", subject, decided, request);
}

/* A copy in the arena: the authenticator's is gone when it returns. */
static const struct convro_principal *
keep_principal(struct convro_ctx *ctx, const struct convro_principal *principal)
{
	struct convro_principal *copy = mem_table.zero(ctx, sizeof(*copy));
	size_t len = principal->size < sizeof(*copy) ? principal->size : sizeof(*copy);

	if (copy == NULL)
		return NULL;
	memcpy(copy, principal, len);
	copy->size = sizeof(*copy);
	if (copy->number != NULL)
		copy->number = mem_table.copy(ctx, copy->number, strlen(copy->number));
	if (copy->username != NULL)
		copy->username = mem_table.copy(ctx, copy->username, strlen(copy->username));
	return copy;
}

void
request_verified(
    struct convro_ctx *ctx, void *arg, const char *error, const struct convro_principal *principal)
{
	struct http_request *request = arg;

	if (request->answered)
		return;
	ctx->module = request->entry->module;
	if (error == NULL) {
		ctx->principal = keep_principal(ctx, principal);
		if (ctx->principal == NULL)
			error = "OVERLOADED";
	}
	if (error == NULL)
		ask_hooks(request);
	else if (strcmp(error, "DB_UNAVAILABLE") == 0 || strcmp(error, "OVERLOADED") == 0)
		answer_later(request, 503, error, RETRY_AFTER_MIN);
	else
		answer_error(request, 401, error, NULL);
}

/* The token of "Authorization: Bearer <token>" (RFC 6750, section 2.1); NULL when there is none, an
 * empty one, another scheme, or more than one such header. */
static const char *
bearer_token(const struct message *message)
{
	const char *value = NULL;

	for (uint32_t i = 0; i < message->header_count; i++) {
		if (strcmp(message->headers[i].name, "authorization") != 0)
			continue;
		if (value != NULL)
			return NULL;
		value = message->headers[i].value;
	}
	if (value == NULL || !text_equal_nocase(value, strcspn(value, " "), "bearer", 6))
		return NULL;
	value += 6;
	value += strspn(value, " ");
	return *value != '\0' ? value : NULL;
}

void
authenticate_bearer(struct http_request *request)
{
	const char *token = bearer_token(&request->message);

	if (token == NULL)
		answer_error(request, 401, "UNAUTHORIZED", NULL);
	else
		auth_table.verify(request->ctx, token, strlen(token), request_verified, request);
}

static void
start(struct http_request *request)
{
	bool is_options = slice_is(request->message.method, "OPTIONS");

	if (is_options && slice_is(request->message.path, "*")) {
		answer_empty(request, 204);
	} else if (request->path == NULL) {
		answer_error(request, 404, "NOT_FOUND", NULL);
	} else if (request->entry == NULL && is_options) {
		answer_options(request);
	} else if (request->entry == NULL) {
		answer_header(request, "Allow", request->path->allow);
		answer_error(request, 405, "METHOD_NOT_ALLOWED", NULL);
	} else {
		request->ctx->module = request->entry->module;
		request->ctx->stranded = stranded;
		request->ctx->deadline_ms =
		    request->started_us / 1000 + request->http->http->settings.answer_timeout_ms;
		(void)event_add(&request->timer, request->http->answer_timeout);
		if (request->entry->route->access == CONVRO_PUBLIC)
			ask_hooks(request);
		else
			request->transport->authenticate(request);
	}
}

void
request_run(struct http_request *request)
{
	const char *id = message_header(&request->message, "x-request-id");
	struct convro_ctx *ctx = request->ctx;

	if (id != NULL && is_request_id(id))
		memcpy(request->id, id, strlen(id) + 1);
	else
		http_make_id(request->http, request->id);
	request->http->unanswered++;
	ctx_ref(ctx); /* while this function runs: an answer gives up the other one */
	start(request);
	ctx_unref(ctx);
}
