/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From HTTP to WebSocket: the handshake's answer, and the way of the descriptor
 * out of libevhtp into a socket of its own (ws/socket.h).  Framing, and the
 * bytes that came behind the handshake, are the socket's.
 */
#include "http/internal.h"
#include "ws/handshake.h"
#include "ws/socket.h"

static int
handshake_status(const struct message *message)
{
	if (!message->upgrade)
		return 400;
	return ws_handshake_status(message_header(message, "upgrade"),
	    message_header(message, "connection"), message_header(message, "sec-websocket-version"),
	    message_header(message, "sec-websocket-key"));
}

int
request_is_upgrade(struct convro_ctx *ctx)
{
	return ctx->request != NULL && handshake_status(&ctx->request->message) == 101;
}

static bool
write_head(struct http_request *request, struct buf *head)
{
	char accept[WS_ACCEPT_SIZE];

	if (!ws_handshake_accept(message_header(&request->message, "sec-websocket-key"), accept))
		return false;
	buf_clear(head);
	buf_printf(head,
	    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Accept: %s\r\nX-Request-Id: %s\r\n",
	    accept, request->id);
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
	int status = handshake_status(&request->message);
	struct convro_socket *socket = NULL;
	struct buf early;
	int fd;

	if (request->answered)
		return NULL;
	if (status == 101 && request->client != NULL && request->transport->detach != NULL &&
	    write_head(request, head))
		socket = socket_new(worker, ctx->module, events, arg);
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
