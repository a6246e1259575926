/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CONNECT: who is there.  The token is checked, the device's room joined, and
 * the token checked again, so that a logout in between is seen either by the
 * second check or by the room (revoke.c).
 */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>

struct slice
device_room(int64_t device, char out[ROOM_NAME_SIZE])
{
	int len = snprintf(out, ROOM_NAME_SIZE, "device:%016llx", (unsigned long long)device);

	return (struct slice){ out, (size_t)len };
}

struct visiting {
	void (*visit)(struct client *client, void *arg);
	void *arg;
};

static void
visit_member(void *who, void *arg)
{
	const struct visiting *visiting = arg;

	visiting->visit(client_of(who), visiting->arg);
}

void
device_each(struct station *station, int64_t device,
    void (*visit)(struct client *client, void *arg), void *arg)
{
	struct visiting visiting = { visit, arg };
	char name[ROOM_NAME_SIZE], room[2 + ROOM_NAME_SIZE];
	int len = snprintf(room, sizeof(room), "/,%s", device_room(device, name).data);

	rooms_each(&station->rooms, (struct slice){ room, (size_t)len }, visit_member, &visiting);
}

/* One CONNECT on its way; in the context's memory. */
struct connecting {
	struct client *client; /* a reference */
	struct convro_socketio_admission *admission;
	bool joined;
	bool acks;
	int64_t after; /* negative: live only */
	const char *token;
	size_t token_len;
};

struct client *
client_in(const struct session *session)
{
	struct convro_socketio_socket *socket = session->sockets;

	return socket != NULL && socket->state == SOCKET_CONNECTED ? client_of(socket) : NULL;
}

static void
left(struct convro_socketio_socket *socket)
{
	struct client *client = client_of(socket);

	catch_up_stop(client);
	if (client->names != client->own_names)
		free(client->names);
	client->names = NULL;
}

static void
fail(struct convro_ctx *ctx, const struct connecting *connecting, const char *error)
{
	char data[64];
	int len = snprintf(data, sizeof(data), "{\"error\":\"%s\"}", error);

	/* After a CONNECT_ERROR clients give up, which is wrong when it was our fault. */
	if (strcmp(error, "DB_UNAVAILABLE") == 0 || strcmp(error, "OVERLOADED") == 0)
		session_close(ctx, connecting->client->socket.session, GOODBYE_CLOSE, error);
	socket_refuse(ctx, connecting->admission, error, data, (size_t)len);
}

static void
connected(struct convro_ctx *ctx, void *self, struct convro_socketio_socket *socket,
    const struct convro_node *auth, int recovered)
{
	struct client *client = client_of(socket);

	(void)self;
	(void)auth;
	(void)recovered;
	expiry_watch(ctx, client);
	convro->log->write(ctx, CONVRO_LOG_INFO, "[WS] Connected userId=%lld deviceId=%016llx",
	    (long long)client->user_id, (unsigned long long)client->device_id);
	newest_arrived(ctx, client);
	if (client->socket.state == SOCKET_CONNECTED)
		catch_up_run(ctx, client);
}

/* False when memory is out. */
static bool
keep_names(struct client *client, const struct convro_principal *principal)
{
	size_t number = principal->number != NULL ? strlen(principal->number) + 1 : 1;
	size_t username = principal->username != NULL ? strlen(principal->username) + 1 : 0;

	if (number > UINT8_MAX)
		return false;
	client->names = client->own_names;
	if (number + username > sizeof(client->own_names))
		client->names = malloc(number + username);
	if (client->names == NULL)
		return false;
	client->has_number = principal->number != NULL;
	client->names[0] = '\0';
	if (principal->number != NULL)
		memcpy(client->names, principal->number, number);
	client->username_at = username > 0 ? (uint8_t)number : 0;
	if (username > 0)
		memcpy(client->names + number, principal->username, username);
	return true;
}

struct convro_principal
client_principal(const struct client *client)
{
	return (struct convro_principal){
		.size = sizeof(struct convro_principal),
		.epoch = client->epoch,
		.user_id = client->user_id,
		.device_id = client->device_id,
		.expires_at = client->expires_at,
		.number = client->has_number ? client->names : NULL,
		.username = client->username_at > 0 ? client->names + client->username_at : NULL,
	};
}

static void
identify(const struct client *client, int64_t after)
{
	const struct client_identity identity = { client->user_id, client->device_id };
	struct socket_recovery *state = client->socket.recovery;

	if (state == NULL)
		return;
	memcpy(state->identity, &identity, sizeof(identity));
	state->identity_len = sizeof(identity);
	state->epoch = client->epoch;
	state->after = after;
}

/* False when memory is out. */
static bool
join(struct client *client, const struct connecting *connecting,
    const struct convro_principal *principal)
{
	char name[ROOM_NAME_SIZE];
	struct slice room = device_room(principal->device_id, name);

	client->user_id = principal->user_id;
	client->device_id = principal->device_id;
	client->epoch = principal->epoch;
	client->expires_at = principal->expires_at;
	client->acks = connecting->acks;
	if (!keep_names(client, principal))
		return false;
	identify(client, connecting->after);
	/* Whoever commits later and sees nobody in the room may skip us, as the row is found by the
	 * catch-up. */
	return socket_join(&client->socket, room.data, room.len) == CONVRO_OK &&
	       catch_up_new(client, connecting->after);
}

static void
verified(
    struct convro_ctx *ctx, void *arg, const char *error, const struct convro_principal *principal)
{
	struct connecting *connecting = arg;
	struct client *client = connecting->client;
	bool is_there = client->socket.state == SOCKET_CONNECTING;

	if (is_there && error == NULL && !connecting->joined) {
		connecting->joined = true;
		if (join(client, connecting, principal)) {
			convro->auth->verify(
			    ctx, connecting->token, connecting->token_len, verified, connecting);
			return;
		}
		error = "OVERLOADED";
	}
	if (error == NULL && client->revoked)
		error = "TOKEN_INVALID";
	if (is_there && error != NULL)
		fail(ctx, connecting, error);
	else
		(void)socket_admit(ctx, connecting->admission);
	socket_unref(&client->socket);
}

/* ---- what the packet says ---- */

static const struct convro_node *
member(const struct convro_node *auth, const char *name)
{
	const struct convro_node *node = auth != NULL ? convro->json->member(auth, name) : NULL;

	return node != NULL && convro->json->type(node) != CONVRO_NODE_NULL ? node : NULL;
}

static bool
parse_digits(const char *text, size_t len, int64_t *out)
{
	int64_t value = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9' || value > (INT64_MAX - 9) / 10)
			return false;
		value = value * 10 + (text[i] - '0');
	}
	*out = value;
	return len > 0;
}

/* A non-negative integer or its text; the payload wins over the query.  False = malformed. */
static bool
read_after(const struct session *session, const struct convro_node *auth, int64_t *out)
{
	const struct convro_node *node = member(auth, "afterId");
	const char *text;
	size_t len = 0;

	*out = -1;
	if (node == NULL) {
		const struct handshake *handshake = session->handshake;

		if (handshake == NULL || !handshake->has_after)
			return true;
		*out = handshake->after;
		return handshake->after_ok;
	}
	if (convro->json->type(node) == CONVRO_NODE_INT) {
		*out = convro->json->get_int(node);
		return *out >= 0;
	}
	text = convro->json->get_text(node, &len);
	return text != NULL && parse_digits(text, len, out);
}

/* NULL, or the error of a token that is not even one. */
static const char *
read_token(struct convro_ctx *ctx, const struct session *session, const struct convro_node *auth,
    struct connecting *out)
{
	const struct convro_node *node = member(auth, "token");
	const char *token = NULL;
	size_t len = 0;

	if (node != NULL) {
		token = convro->json->get_text(node, &len);
		if (token == NULL)
			return "TOKEN_INVALID";
	} else if (session->handshake != NULL) {
		token = session->handshake->token;
		len = session->handshake->token_len;
	}
	if (len == 0)
		return "UNAUTHORIZED";
	out->token = convro->mem->copy(ctx, token, len);
	out->token_len = len;
	return out->token != NULL ? NULL : "OVERLOADED";
}

static void
connecting(struct convro_ctx *ctx, void *self, struct convro_socketio_socket *socket,
    const struct convro_node *auth, struct convro_socketio_admission *admission)
{
	struct connecting *connect = convro->mem->zero(ctx, sizeof(*connect));
	const struct convro_node *acks = member(auth, "acks");
	const char *error;

	(void)self;
	if (connect == NULL) {
		session_close(ctx, socket->session, GOODBYE_CLOSE, "out of memory");
		socket_refuse(ctx, admission, "OVERLOADED", NULL, 0);
		return;
	}
	connect->client = client_of(socket);
	connect->admission = admission;
	connect->acks = acks != NULL && convro->json->type(acks) == CONVRO_NODE_BOOL &&
			convro->json->get_int(acks) != 0;
	error = read_token(ctx, socket->session, auth, connect);
	if (error == NULL && !read_after(socket->session, auth, &connect->after))
		error = "INVALID_QUERY";
	if (error != NULL) {
		fail(ctx, connect, error);
		return;
	}
	socket_ref(socket);
	convro->auth->verify(ctx, connect->token, connect->token_len, verified, connect);
}

/* ---- what our own server is ---- */

static void
disconnected(
    struct convro_ctx *ctx, void *self, struct convro_socketio_socket *socket, const char *why)
{
	(void)self;
	(void)why;
	alarm_cancel(&socket->session->limit);
	(void)ctx;
}

static void
drained(struct convro_ctx *ctx, struct session *session)
{
	struct client *client = client_in(session);

	if (client != NULL && client->catch_up != NULL)
		catch_up_resume(ctx, client->catch_up);
}

/* A catch-up paces itself, and what it left may still be waiting. */
static size_t
allowance(const struct session *session)
{
	const struct client *client = client_in(session);

	if (client == NULL || client->catch_up == NULL)
		return 0;
	return catch_up_tells(client->catch_up) ? SIZE_MAX : PACE_BYTES;
}

const struct mount_hooks client_hooks = {
	.socket_size = sizeof(struct client),
	.hold = client_hold,
	.ack_id = client_ack_id,
	.acked = client_acked,
	.recovered = catch_up_missed,
	.drained = drained,
	.allowance = allowance,
	.limit = expiry_limit,
	.left = left,
};

void
client_options(struct convro_socketio_options *out)
{
	*out = (struct convro_socketio_options){
		.size = sizeof(*out),
		.connecting = connecting,
		.connected = connected,
		.event = client_event,
		.disconnected = disconnected,
	};
}
