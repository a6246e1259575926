/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From HTTP to WebSocket: the handshake's answer, and the way of the descriptor
 * out of libevhtp into a socket of its own (ws/socket.h).  Framing, and the
 * bytes that came behind the handshake, are the socket's.
 */
#include "http/internal.h"
#include "ws/extension.h"
#include "ws/handshake.h"
#include "ws/socket.h"

#include <string.h>

/* Asked for several times while a request is looked at. */
static int
handshake_status(struct http_request *request)
{
	const struct message *message = &request->message;

	if (request->upgrade_status == 0)
		request->upgrade_status =
		    message->upgrade ? ws_handshake_status(message_header(message, "upgrade"),
					   message_header(message, "connection"),
					   message_header(message, "sec-websocket-version"),
					   message_header(message, "sec-websocket-key"))
				     : 400;
	return request->upgrade_status;
}

int
request_is_upgrade(struct convro_ctx *ctx)
{
	return ctx->request != NULL && handshake_status(ctx->request) == 101;
}

/* Every Sec-WebSocket-Extensions, in their order; false when one of them is malformed. */
static bool
negotiate(const struct message *message, bool deflate, struct ws_agreed *out)
{
	bool is_sound = true;

	*out = (struct ws_agreed){ .window_bits = 0 };
	for (uint32_t i = 0; i < message->header_count && is_sound; i++)
		if (strcmp(message->headers[i].name, "sec-websocket-extensions") == 0)
			is_sound = ws_extension_negotiate(message->headers[i].value, out);
	if (!deflate)
		out->window_bits = 0;
	return is_sound;
}

static bool
write_head(struct http_request *request, const struct ws_agreed *agreed, struct buf *head)
{
	char accept[WS_ACCEPT_SIZE], extension[WS_EXTENSION_SIZE];

	if (!ws_handshake_accept(message_header(&request->message, "sec-websocket-key"), accept))
		return false;
	buf_clear(head);
	buf_printf(head,
	    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Accept: %s\r\nX-Request-Id: %s\r\n",
	    accept, request->id);
	if (agreed->window_bits != 0) {
		ws_extension_answer(agreed, extension);
		buf_printf(head, "Sec-WebSocket-Extensions: %s\r\n", extension);
	}
	for (const struct set_header *at = request->set_headers; at != NULL; at = at->next)
		buf_printf(head, "%s: %s\r\n", at->name, at->value);
	buf_puts(head, "\r\n");
	return !head->failed;
}

struct convro_socket *
request_upgrade(struct convro_ctx *ctx, const struct convro_socket_events *events, void *arg)
{
	struct http_request *request = ctx->request;
	struct worker *worker = request->http->worker;
	struct buf *head = &request->http->head;
	int status = handshake_status(request);
	struct convro_socket *socket = NULL;
	struct ws_agreed agreed;
	struct buf early;
	int fd;

	if (request->answered)
		return NULL;
	if (!negotiate(&request->message, socket_wants_deflate(events), &agreed) && status == 101)
		status = 400;
	if (status == 101 && request->client != NULL && request->transport->detach != NULL &&
	    write_head(request, &agreed, head))
		socket = socket_new(worker, ctx->module, events, arg, agreed.window_bits);
	if (socket == NULL) {
		if (status == 426) {
			answer_header(request, "Sec-WebSocket-Version", "13");
			answer_error(request, 426, "UPGRADE_REQUIRED", NULL);
		} else if (status != 101) {
			answer_error(request, 400, "BAD_REQUEST", NULL);
		} else {
			answer_later(request, 503, "OVERLOADED", RETRY_AFTER_MIN);
		}
		return NULL;
	}
	buf_init(&early, 0);
	fd = request->transport->detach(request, &early);
	request->client = NULL;
	/* Takes the descriptor; a failure from here on is told by closed(). */
	socket_start(socket, fd, head, &early);
	buf_fini(&early);
	answer_done(request, 101);
	return socket;
}
