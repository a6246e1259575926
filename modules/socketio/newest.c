/* SPDX-License-Identifier: Apache-2.0 */
/*
 * newest_connection_wins: a device that has connected ends its older sockets, on
 * every worker.  Who is newer is told by a number that is taken when CONNECT
 * succeeds, after the device's room was joined: of two at once the one with the
 * higher number finds the other in the room, and the other leaves it alone.
 */
#include "client.h"

#include <stdlib.h>

struct claim {
	const struct mount *mount;
	int64_t device;
	uint64_t arrival;
};

struct ending {
	struct convro_ctx *ctx;
	uint64_t arrival;
};

static void
visit(struct client *client, void *arg)
{
	const struct ending *ending = arg;

	/* One that has no number yet will take a higher one. */
	if (client->arrival != 0 && client->arrival < ending->arrival)
		session_close(
		    ending->ctx, client->socket.session, GOODBYE_DISCONNECT, "newer connection");
}

static void
end_older(struct convro_ctx *ctx, const struct claim *claim)
{
	struct station *station = &claim->mount->stations[convro->work->worker(ctx)];
	struct ending ending = { ctx, claim->arrival };

	device_each(station, claim->device, visit, &ending);
}

static void
arrive(struct convro_ctx *ctx, void *arg)
{
	struct claim *claim = arg;

	end_older(ctx, claim);
	free(claim);
}

/* False when memory is out. */
static bool
tell(struct convro_ctx *ctx, uint32_t worker, const struct claim *claim)
{
	struct claim *copy = malloc(sizeof(*copy));

	if (copy == NULL)
		return false;
	*copy = *claim;
	if (convro->work->post(ctx, worker, arrive, copy) == CONVRO_OK)
		return true;
	free(copy);
	return false;
}

void
newest_arrived(struct convro_ctx *ctx, struct client *client)
{
	struct session *session = client->socket.session;
	struct mount *mount = session->station->mount;
	struct claim claim = { .mount = mount, .device = client->device_id };

	if (!mount->newest_wins)
		return;
	client->arrival = claim.arrival = atomic_fetch_add(&mount->arrivals, 1) + 1;
	for (uint32_t i = 0; i < mount->station_count; i++) {
		if (i == session->station->index) {
			end_older(ctx, &claim);
		} else if (!tell(ctx, i, &claim)) {
			/* It comes back, and tries again. */
			session_close(ctx, session, GOODBYE_CLOSE, "out of memory");
			return;
		}
	}
}
