/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Echoes without Socket.IO: Engine.IO messages, and WebSocket messages with
 * limits that the large cases of protocol suites need.
 */
#include "conformance.h"

#define MAX_MESSAGE (32u * 1024 * 1024)

void
conformance_message(struct convro_ctx *ctx, void *self, struct convro_engineio_socket *socket,
    int binary, const char *data, size_t len)
{
	const struct conformance *conformance = self;

	conformance->io->send(ctx, socket, binary, data, len);
}

static void
on_message(struct convro_ctx *ctx, struct convro_socket *socket, void *arg, int binary,
    const char *data, size_t len)
{
	(void)ctx;
	(void)arg;
	convro->socket->send_data(socket, data, len, binary);
}

static void
on_closed(
    struct convro_ctx *ctx, struct convro_socket *socket, void *arg, int code, const char *why)
{
	(void)ctx;
	(void)socket;
	(void)arg;
	(void)code;
	(void)why;
}

static const struct convro_socket_events events = {
	.size = sizeof(struct convro_socket_events),
	.max_message = MAX_MESSAGE,
	.max_queue = 8 * MAX_MESSAGE,
	.deflate = 1,
	.deflate_threshold = 1,
	.message = on_message,
	.closed = on_closed,
};

int
conformance_ws_echo(struct convro_ctx *ctx, void *self)
{
	(void)convro->http->upgrade(ctx, &events, self);
	return CONVRO_OK;
}
