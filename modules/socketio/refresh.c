/* SPDX-License-Identifier: Apache-2.0 */
/*
 * auth.refresh: a fresh access token of the same device takes the place of the
 * one that the client connected with (wire contract, section 5).
 */
#include "client.h"

#include <stdio.h>

struct refreshing {            /* in the context's memory */
	struct client *client; /* a reference */
	struct convro_client_reply *reply;
};

static void
answer_error(struct convro_ctx *ctx, struct convro_client_reply *reply, const char *error)
{
	char json[96];
	int len = snprintf(json, sizeof(json), "{\"ok\":false,\"error\":\"%s\"}", error);

	client_reply(ctx, reply, json, (size_t)len);
}

static void
replace(struct convro_ctx *ctx, struct client *client, struct convro_client_reply *reply,
    const struct convro_principal *principal)
{
	if (principal->user_id != client->user_id || principal->device_id != client->device_id) {
		answer_error(ctx, reply, "DEVICE_MISMATCH");
		return;
	}
	client->epoch = principal->epoch;
	client->expires_at = principal->expires_at;
	client->expiring_told = false;
	if (client->socket.recovery != NULL)
		client->socket.recovery->epoch = principal->epoch;
	expiry_watch(ctx, client);
	client_reply(ctx, reply, "{\"ok\":true}", 11);
}

static void
verified(
    struct convro_ctx *ctx, void *arg, const char *error, const struct convro_principal *principal)
{
	const struct refreshing *refreshing = arg;
	struct client *client = refreshing->client;

	if (client->socket.state != SOCKET_CONNECTED)
		error = "UNAUTHORIZED"; /* it goes nowhere, and ends the handle */
	if (error != NULL)
		answer_error(ctx, refreshing->reply, error);
	else
		replace(ctx, client, refreshing->reply, principal);
	socket_unref(&client->socket);
}

void
client_refresh(struct convro_ctx *ctx, struct client *client, struct convro_client_reply *reply,
    const struct convro_node *argument)
{
	const struct convro_node *node =
	    argument != NULL ? convro->json->member(argument, "token") : NULL;
	struct refreshing *refreshing = convro->mem->zero(ctx, sizeof(*refreshing));
	size_t len = 0;
	const char *token = node != NULL ? convro->json->get_text(node, &len) : NULL;

	if (token == NULL || len == 0) {
		answer_error(
		    ctx, reply, node != NULL && token == NULL ? "TOKEN_INVALID" : "UNAUTHORIZED");
		return;
	}
	/* A copy: a check may outlast what the packet lies in. */
	token = convro->mem->copy(ctx, token, len);
	if (token == NULL || refreshing == NULL) {
		answer_error(ctx, reply, "OVERLOADED");
		return;
	}
	refreshing->client = client;
	refreshing->reply = reply;
	socket_ref(&client->socket);
	convro->auth->verify(ctx, token, len, verified, refreshing);
}
