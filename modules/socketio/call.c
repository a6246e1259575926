/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request {method, path, query?, body?}: a registered route is run as the
 * socket's principal (wire contract, section 5).  `query` is an object of texts,
 * numbers and booleans, or the text that would stand behind the '?'.
 */
#include "client.h"

#include <stdio.h>

/* The core's sentences for the same codes. */
#define BUSY      "the server is busy, try again later"
#define TOO_MANY  "too many requests, try again later"
#define MALFORMED "the request is malformed"

struct calling {                 /* in the context's memory */
	struct session *session; /* a reference */
	struct convro_client_reply *reply;
};

/* ---- the answer ---- */

static void
answer(struct convro_ctx *ctx, struct convro_client_reply *reply, int status, struct slice body,
    uint32_t retry_after)
{
	struct convro_json *json = convro->json->make(ctx);
	const char *text = NULL;
	size_t len = 0;

	if (json != NULL) {
		convro->json->open_object(json, NULL);
		convro->json->put_int(json, "status", status);
		if (body.len > 0)
			convro->json->put_raw(json, "body", body.data, body.len);
		else
			convro->json->put_null(json, "body");
		if (retry_after > 0)
			convro->json->put_int(json, "retryAfter", retry_after);
		convro->json->close_object(json);
		text = convro->json->text(json, &len);
	}
	if (text == NULL) {
		text = "{\"status\":503,\"body\":{\"ok\":false,\"error\":\"OVERLOADED\","
		       "\"message\":\"" BUSY "\"},\"retryAfter\":1}";
		len = strlen(text);
	}
	client_reply(ctx, reply, text, len);
}

static void
answer_error(struct convro_ctx *ctx, struct convro_client_reply *reply, int status,
    const char *code, const char *message, uint32_t retry_after)
{
	char json[160];
	int len = snprintf(json, sizeof(json), "{\"ok\":false,\"error\":\"%s\",\"message\":\"%s\"}",
	    code, message);

	answer(ctx, reply, status, (struct slice){ json, (size_t)len }, retry_after);
}

static void
called(struct convro_ctx *ctx, void *arg, int status, const char *body, size_t len,
    uint32_t retry_after)
{
	struct calling *calling = arg;

	calling->session->requests--;
	answer(ctx, calling->reply, status, (struct slice){ body, len }, retry_after);
	drain_request_done(ctx, calling->session);
	session_unref(calling->session);
}

/* ---- the request ---- */

static uint32_t
method_of(const struct convro_node *node)
{
	static const char *const names[] = { [CONVRO_GET] = "GET",
		[CONVRO_POST] = "POST",
		[CONVRO_PUT] = "PUT",
		[CONVRO_DELETE] = "DELETE",
		[CONVRO_PATCH] = "PATCH" };
	struct slice name = { 0 };

	name.data = convro->json->get_text(node, &name.len);
	for (uint32_t i = CONVRO_GET; i <= CONVRO_PATCH; i++)
		if (slice_equal(slice_of(names[i]), name))
			return i;
	return UINT32_MAX;
}

static void
put_escaped(struct text *out, struct slice value)
{
	static const char hex[] = "0123456789ABCDEF";
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-_.~";

	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.data[i];

		if (c != '\0' && strchr(plain, c) != NULL) {
			text_putc(out, (char)c);
			continue;
		}
		text_putc(out, '%');
		text_putc(out, hex[c >> 4]);
		text_putc(out, hex[c & 15]);
	}
}

/* A scalar as it stands in a query; false for what has no such form. */
static bool
scalar(struct convro_ctx *ctx, const struct convro_node *node, struct slice *out)
{
	enum convro_node_type type = convro->json->type(node);
	struct convro_json *json;

	out->data = convro->json->get_text(node, &out->len);
	if (out->data != NULL)
		return true;
	json = convro->json->make(ctx);
	if (json == NULL || type == CONVRO_NODE_NULL || type == CONVRO_NODE_ARRAY ||
	    type == CONVRO_NODE_OBJECT)
		return false;
	convro->json->put_node(json, NULL, node);
	out->data = convro->json->text(json, &out->len);
	return out->data != NULL;
}

static bool
put_members(struct convro_ctx *ctx, const struct convro_node *object, struct text *out)
{
	for (uint32_t i = 0; i < convro->json->count(object); i++) {
		struct slice name = { 0 }, value;

		name.data = convro->json->name(object, i, &name.len);
		if (!scalar(ctx, convro->json->item(object, i), &value))
			return false;
		if (out->len > 0)
			text_putc(out, '&');
		put_escaped(out, name);
		text_putc(out, '=');
		put_escaped(out, value);
	}
	return !out->failed;
}

/* NULL in *out without a query; false when it is malformed. */
static bool
read_query(struct convro_ctx *ctx, const struct convro_node *node, const char **out)
{
	struct text text = { 0 };
	struct slice given = { 0 };
	bool ok;

	*out = NULL;
	if (node == NULL || convro->json->type(node) == CONVRO_NODE_NULL)
		return true;
	given.data = convro->json->get_text(node, &given.len);
	if (given.data != NULL)
		text_put_slice(&text, given);
	ok = given.data != NULL
		 ? memchr(given.data, '\0', given.len) == NULL
		 : convro->json->type(node) == CONVRO_NODE_OBJECT && put_members(ctx, node, &text);
	if (ok)
		*out = convro->mem->copy(ctx, text.data != NULL ? text.data : "", text.len);
	text_fini(&text);
	return ok && *out != NULL;
}

/* False when it is not even a request. */
static bool
read_call(struct convro_ctx *ctx, const struct convro_node *argument, struct convro_call *out)
{
	const struct convro_node *path, *method, *body;
	struct convro_json *json;
	struct slice text = { 0 };

	if (argument == NULL || convro->json->type(argument) != CONVRO_NODE_OBJECT)
		return false;
	method = convro->json->member(argument, "method");
	path = convro->json->member(argument, "path");
	body = convro->json->member(argument, "body");
	if (method == NULL || convro->json->type(method) != CONVRO_NODE_TEXT || path == NULL)
		return false;
	out->method = method_of(method);
	text.data = convro->json->get_text(path, &text.len);
	if (text.data == NULL || memchr(text.data, '\0', text.len) != NULL ||
	    !read_query(ctx, convro->json->member(argument, "query"), &out->query))
		return false;
	out->path = convro->mem->copy(ctx, text.data, text.len);
	if (body != NULL) {
		json = convro->json->make(ctx);
		if (json == NULL)
			return false;
		convro->json->put_node(json, NULL, body);
		out->body = convro->json->text(json, &out->body_len);
		if (out->body == NULL)
			return false;
	}
	return out->path != NULL;
}

void
client_request(struct convro_ctx *ctx, struct client *client, struct convro_client_reply *reply,
    const struct convro_node *argument)
{
	struct session *session = client->socket.session;
	struct convro_principal principal = client_principal(client);
	struct convro_call call = { .size = sizeof(call), .principal = &principal };
	struct calling *calling = convro->mem->zero(ctx, sizeof(*calling));

	if (calling == NULL) {
		answer_error(ctx, reply, 503, "OVERLOADED", BUSY, 1);
	} else if (session->leaving) {
		answer_error(ctx, reply, 503, "OVERLOADED", BUSY, 1);
	} else if (session->requests >= session->station->mount->max_requests) {
		answer_error(ctx, reply, 429, "RATE_LIMITED", TOO_MANY, 1);
	} else if (!read_call(ctx, argument, &call)) {
		answer_error(ctx, reply, 400, "BAD_REQUEST", MALFORMED, 0);
	} else {
		calling->session = session;
		calling->reply = reply;
		session_ref(session);
		session->requests++;
		call.address = session->address[0] != '\0' ? session->address : NULL;
		convro->http->call(ctx, &call, called, calling);
	}
}
