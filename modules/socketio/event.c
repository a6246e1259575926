/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a connected client says: events, and acknowledgements of ours.
 */
#include "client.h"

#include <stdlib.h>

/* ---- answers ---- */

void
client_emit(struct convro_ctx *ctx, struct client *client, const char *name, struct slice json)
{
	const struct convro_socketio_args args = { .json = json.data, .len = json.len };
	const struct mount *mount = client->socket.session->station->mount;

	socket_tell(ctx, &client->socket, (struct slice){ 0 },
	    service_event_name(&mount->service, name), &args);
}

void
client_reply(
    struct convro_ctx *ctx, struct convro_client_reply *reply, const char *json, size_t len)
{
	const struct convro_socketio_args args = { .json = json, .len = len };

	socket_reply(ctx, (struct convro_socketio_reply *)reply, &args);
}

/* ---- events ---- */

static void
registered(struct convro_ctx *ctx, struct client *client, const struct event_handler *handler,
    const struct convro_node *array, struct convro_client_reply *reply)
{
	struct convro_principal principal = client_principal(client);
	const void *before = convro->bus->module(ctx);

	convro->bus->set_module(ctx, handler->module);
	handler->function(ctx, handler->self, &principal, array, reply);
	convro->bus->set_module(ctx, before);
}

static void
ping(struct convro_ctx *ctx, struct client *client, struct convro_client_reply *reply)
{
	struct convro_json *json = convro->json->make(ctx);
	const char *text = NULL;
	size_t len = 0;

	if (json != NULL) {
		convro->json->open_object(json, NULL);
		convro->json->put_time(json, "timestamp", convro->db->now(ctx));
		convro->json->close_object(json);
		text = convro->json->text(json, &len);
	}
	if (text != NULL)
		client_emit(ctx, client, "pong", (struct slice){ text, len });
	if (text != NULL)
		client_reply(ctx, reply, text, len);
	else
		socket_reply(ctx, (struct convro_socketio_reply *)reply, NULL);
}

void
client_event(struct convro_ctx *ctx, void *self, struct convro_socketio_socket *socket,
    const char *name, size_t name_len, const struct convro_socketio_args *args,
    struct convro_socketio_reply *to)
{
	static const char unknown[] = "{\"ok\":false,\"error\":\"UNKNOWN_EVENT\"}";
	const struct mount *mount = socket->session->station->mount;
	struct convro_client_reply *reply = (struct convro_client_reply *)to;
	struct client *client = client_of(socket);
	struct slice event = { name, name_len };
	const struct event_handler *handler = service_event(&mount->service, event);
	const struct convro_node *argument = NULL;

	(void)self;
	if (convro->json->count(args->array) > args->first)
		argument = convro->json->item(args->array, args->first);
	if (slice_equal(event, slice_of("ping")))
		ping(ctx, client, reply);
	else if (slice_equal(event, slice_of("auth.refresh")))
		client_refresh(ctx, client, reply, argument);
	else if (slice_equal(event, slice_of("request")))
		client_request(ctx, client, reply, argument);
	else if (handler != NULL)
		registered(ctx, client, handler, args->array, reply);
	else
		client_reply(ctx, reply, unknown, sizeof(unknown) - 1);
}

/* ---- acknowledgements ---- */

void
client_acked(struct convro_ctx *ctx, struct convro_socketio_socket *socket, uint64_t id)
{
	const struct mount *mount = socket->session->station->mount;
	const struct client *client = client_of(socket);
	const struct ack_handler *handler;
	const void *before = convro->bus->module(ctx);
	int64_t cursor = 0;

	handler = client->acks ? service_ack(&mount->service, id, &cursor) : NULL;
	if (handler == NULL)
		return; /* an unknown one is ignored */
	if (socket->recovery != NULL)
		recovery_acked(socket, cursor);
	convro->bus->set_module(ctx, handler->module);
	handler->function(ctx, handler->self, client->device_id, cursor);
	convro->bus->set_module(ctx, before);
}
