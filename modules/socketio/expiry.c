/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a client's token: announced, and then that of its socket (wire
 * contract, section 3).
 */
#include "client.h"

#define EXPIRING_US (60 * INT64_C(1000000)) /* told so long before the token ends */
#define FAR_AWAY_MS (24 * 3600 * INT64_C(1000))

/* The wall clock may be set, so a far end is looked at again now and then. */
void
expiry_watch(struct convro_ctx *ctx, struct client *client)
{
	struct session *session = client->socket.session;
	int64_t left_us = client->expires_at - convro->db->now(ctx);
	int64_t wait_ms;

	if (!client->expiring_told)
		left_us -= EXPIRING_US;
	wait_ms = left_us > 0 ? left_us / 1000 + 1 : 0;
	wheel_set(&session->station->wheel, &session->limit,
	    convro->timer->now(ctx) + (wait_ms < FAR_AWAY_MS ? wait_ms : FAR_AWAY_MS));
}

static void
tell_expiring(struct convro_ctx *ctx, struct client *client)
{
	struct convro_json *json = convro->json->make(ctx);
	const char *text;
	size_t len = 0;

	if (json == NULL)
		return;
	convro->json->open_object(json, NULL);
	convro->json->put_time(json, "expiresAt", client->expires_at);
	convro->json->close_object(json);
	text = convro->json->text(json, &len);
	if (text != NULL)
		client_emit(ctx, client, "auth.expiring", (struct slice){ text, len });
}

void
expiry_limit(struct convro_ctx *ctx, struct session *session)
{
	struct client *client = client_in(session);
	int64_t left_us = client->expires_at - convro->db->now(ctx);

	if (left_us <= 0) {
		session_close(ctx, session, GOODBYE_DISCONNECT, "token expired");
		return;
	}
	if (!client->expiring_told && left_us <= EXPIRING_US) {
		client->expiring_told = true;
		tell_expiring(ctx, client);
	}
	if (client->socket.state == SOCKET_CONNECTED)
		expiry_watch(ctx, client);
}
