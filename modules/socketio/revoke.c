/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "auth.revoked": the device's sockets whose token is older end at once, on
 * every worker.  Of those that are just connecting, connect.c is told.  The
 * authenticator has dropped what it remembered before it comes here, as modules
 * hear of facts in the order in which they started.
 */
#include "client.h"

struct revocation {
	struct convro_ctx *ctx;
	uint32_t epoch;
};

static void
visit(struct client *client, void *arg)
{
	const struct revocation *revocation = arg;

	if (client->epoch >= revocation->epoch)
		return;
	if (client->socket.state == SOCKET_CONNECTED)
		session_close(
		    revocation->ctx, client->socket.session, GOODBYE_DISCONNECT, "token revoked");
	else
		client->revoked = true;
}

void
socketio_revoked(struct convro_ctx *ctx, void *self, const void *fact)
{
	const struct convro_revoked_fact *revoked = fact;
	struct mount *mount = self;
	struct station *station = &mount->stations[convro->work->worker(ctx)];
	struct revocation revocation = { ctx, revoked->epoch };
	const struct client_identity identity = { revoked->user_id, revoked->device_id };

	/* On every worker, as a socket may have ended on it, and its place been kept, after another
	 * one looked. */
	if (mount->recovery != NULL)
		recovery_revoke(mount->recovery, &identity, sizeof(identity), revoked->epoch);
	device_each(station, revoked->device_id, visit, &revocation);
}
