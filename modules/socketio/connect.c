/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CONNECT: who is there.  The token is checked, the device's room joined, and
 * the token checked again, so that a logout in between is seen either by the
 * second check or by the room (revoke.c).
 */
#include "mount.h"

#include <stdio.h>
#include <stdlib.h>

struct slice
device_room(int64_t device, char out[ROOM_NAME_SIZE])
{
	int len = snprintf(out, ROOM_NAME_SIZE, "device:%016llx", (unsigned long long)device);

	return (struct slice){ out, (size_t)len };
}

/* One CONNECT on its way; in the context's memory. */
struct connecting {
	struct session *session; /* a reference */
	uint32_t round;
	bool joined;
	bool acks;
	int64_t after; /* negative: live only */
	const char *token;
	size_t token_len;
};

static void
leave_rooms(struct session *session)
{
	char name[ROOM_NAME_SIZE];

	if (ring_is_empty(&session->rooms))
		return;
	rooms_leave_all(&session->station->rooms, &session->rooms);
	presence_count(session->station->mount, device_room(session->device_id, name), -1);
	(void)atomic_fetch_sub(&session->station->members, 1);
	free(session->who);
	session->who = NULL;
}

void
client_leave(struct session *session)
{
	leave_rooms(session);
	catch_up_stop(session);
	alarm_cancel(&session->limit);
	session->client = CLIENT_NONE;
	session->connect_round++;
	session->revoked = session->expiring_told = false;
	session->last_cursor = 0;
}

void
connect_error(struct convro_ctx *ctx, struct session *session, struct slice namespace,
    const char *message, bool with_data)
{
	struct text *out = &session->station->scratch;
	char data[64];
	int len = snprintf(data, sizeof(data), "{\"error\":\"%s\"}", message);

	text_clear(out);
	engineio_begin(out, ENGINEIO_MESSAGE);
	packet_put_connect_error(
	    out, namespace, slice_of(message), (struct slice){ data, with_data ? (size_t)len : 0 });
	session_send(ctx, session, (struct slice){ out->data, out->len });
}

/* Back to before the CONNECT; the time for one goes on running. */
static void
fail(struct convro_ctx *ctx, struct session *session, const char *error)
{
	leave_rooms(session);
	catch_up_stop(session);
	session->client = CLIENT_NONE;
	session->connect_round++;
	/* After a CONNECT_ERROR clients give up, which is wrong when it was our fault. */
	if (strcmp(error, "DB_UNAVAILABLE") == 0 || strcmp(error, "OVERLOADED") == 0)
		session_close(ctx, session, GOODBYE_CLOSE, error);
	else
		connect_error(ctx, session, slice_of("/"), error, true);
}

static void
welcome(struct convro_ctx *ctx, struct session *session)
{
	struct text *out = &session->station->scratch;
	char id[SID_LEN];

	if (!random_id(id)) {
		fail(ctx, session, "OVERLOADED");
		return;
	}
	session->client = CLIENT_CONNECTED;
	free(session->handshake);
	session->handshake = NULL;
	expiry_watch(ctx, session);
	convro->log->write(ctx, CONVRO_LOG_INFO, "[WS] Connected userId=%lld deviceId=%016llx",
	    (long long)session->user_id, (unsigned long long)session->device_id);
	text_clear(out);
	engineio_begin(out, ENGINEIO_MESSAGE);
	packet_put_connect(out, slice_of("/"), (struct slice){ id, SID_LEN }, (struct slice){ 0 });
	session_send(ctx, session, (struct slice){ out->data, out->len });
	if (session->state == SESSION_OPEN)
		newest_arrived(ctx, session);
	if (session->state == SESSION_OPEN)
		catch_up_run(ctx, session);
}

/* NULL when memory is out. */
static struct who *
who_new(const struct convro_principal *principal)
{
	size_t number = principal->number != NULL ? strlen(principal->number) + 1 : 0;
	size_t username = principal->username != NULL ? strlen(principal->username) + 1 : 0;
	struct who *who = calloc(1, sizeof(*who) + number + username);

	if (who == NULL)
		return NULL;
	if (number > 0)
		who->number = memcpy(who->text, principal->number, number);
	if (username > 0)
		who->username = memcpy(who->text + number, principal->username, username);
	return who;
}

struct convro_principal
client_principal(const struct session *session)
{
	return (struct convro_principal){
		.size = sizeof(struct convro_principal),
		.epoch = session->epoch,
		.user_id = session->user_id,
		.device_id = session->device_id,
		.expires_at = session->expires_at,
		.number = session->who->number,
		.username = session->who->username,
	};
}

/* False when memory is out. */
static bool
join(struct session *session, const struct connecting *connecting,
    const struct convro_principal *principal)
{
	struct station *station = session->station;
	char name[ROOM_NAME_SIZE];

	session->user_id = principal->user_id;
	session->device_id = principal->device_id;
	session->epoch = principal->epoch;
	session->expires_at = principal->expires_at;
	session->acks = connecting->acks;
	session->revoked = session->expiring_told = false;
	session->who = who_new(principal);
	if (session->who == NULL)
		return false;
	/* Counted before the room is joined: whoever commits later and sees no member here may skip
	 * this worker, as the row is found by the catch-up. */
	(void)atomic_fetch_add(&station->members, 1);
	if (!rooms_join(&station->rooms, device_room(principal->device_id, name), &session->rooms,
		session)) {
		(void)atomic_fetch_sub(&station->members, 1);
		free(session->who);
		session->who = NULL;
		return false;
	}
	presence_count(station->mount, device_room(principal->device_id, name), 1);
	return catch_up_new(session, connecting->after);
}

static void
verified(
    struct convro_ctx *ctx, void *arg, const char *error, const struct convro_principal *principal)
{
	struct connecting *connecting = arg;
	struct session *session = connecting->session;

	if (session->state != SESSION_OPEN || session->connect_round != connecting->round) {
		session_unref(session); /* it has gone, or said DISCONNECT */
		return;
	}
	if (error == NULL && !connecting->joined) {
		connecting->joined = true;
		if (join(session, connecting, principal)) {
			convro->auth->verify(
			    ctx, connecting->token, connecting->token_len, verified, connecting);
			return;
		}
		error = "OVERLOADED";
	}
	if (error == NULL && session->revoked)
		error = "TOKEN_INVALID";
	if (error != NULL)
		fail(ctx, session, error);
	else
		welcome(ctx, session);
	session_unref(session);
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
begin(struct convro_ctx *ctx, struct session *session, const struct convro_node *auth)
{
	struct connecting *connecting = convro->mem->zero(ctx, sizeof(*connecting));
	const struct convro_node *acks = member(auth, "acks");
	const char *error = "OVERLOADED";

	session->client = CLIENT_VERIFYING;
	session->connect_round++;
	if (connecting != NULL)
		error = read_token(ctx, session, auth, connecting);
	if (error == NULL && !read_after(session, auth, &connecting->after))
		error = "INVALID_QUERY";
	if (error != NULL) {
		fail(ctx, session, error);
		return;
	}
	connecting->acks = acks != NULL && convro->json->type(acks) == CONVRO_NODE_BOOL &&
			   convro->json->get_int(acks) != 0;
	connecting->session = session;
	connecting->round = session->connect_round;
	session_ref(session);
	convro->auth->verify(ctx, connecting->token, connecting->token_len, verified, connecting);
}

void
client_connect(struct convro_ctx *ctx, struct session *session, const struct packet *packet)
{
	const struct convro_node *auth = NULL;

	if (packet->json.len > 0 &&
	    convro->json->parse(ctx, packet->json.data, packet->json.len, &auth) != CONVRO_OK) {
		session_close(ctx, session, GOODBYE_ERROR, "parse error");
	} else if (!slice_equal(packet->namespace, slice_of("/"))) {
		connect_error(ctx, session, packet->namespace, "Invalid namespace", false);
	} else if (session->client != CLIENT_NONE) {
		session_close(ctx, session, GOODBYE_CLOSE, "invalid state");
	} else {
		begin(ctx, session, auth);
	}
}
