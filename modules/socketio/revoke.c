/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "auth.revoked": the device's sockets whose token is older end at once, on
 * every worker.  Of those that are just connecting, connect.c is told.  The
 * authenticator has dropped what it remembered before it comes here, as modules
 * hear of facts in the order in which they started.
 */
#include "mount.h"

struct revocation {
	struct convro_ctx *ctx;
	uint32_t epoch;
};

static void
visit(void *who, void *arg)
{
	const struct revocation *revocation = arg;
	struct session *session = who;

	if (session->epoch >= revocation->epoch)
		return;
	if (session->client == CLIENT_CONNECTED)
		session_close(revocation->ctx, session, GOODBYE_DISCONNECT, "token revoked");
	else
		session->revoked = true;
}

void
socketio_revoked(struct convro_ctx *ctx, void *self, const void *fact)
{
	const struct convro_revoked_fact *revoked = fact;
	struct mount *mount = self;
	struct station *station = &mount->stations[convro->work->worker(ctx)];
	struct revocation revocation = { ctx, revoked->epoch };
	char name[ROOM_NAME_SIZE];

	rooms_each(&station->rooms, device_room(revoked->device_id, name), visit, &revocation);
}
