/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server stops: sessions are closed in waves, oldest first, so that those
 * who come back elsewhere do not all do so in one moment.  Few sessions are
 * closed at once.  One with requests under way is closed behind their answers.
 */
#include "mount.h"

#define PER_SECOND 2000u /* sessions over all workers, while that takes less than drain_time */

/* Its turn has come. */
static void
leave(struct convro_ctx *ctx, struct session *session)
{
	if (session->requests > 0)
		session->leaving = true;
	else
		session_close(ctx, session, GOODBYE_AWAY, SHUTTING_DOWN);
}

/* Those that are to have been told by now. */
static uint32_t
due(const struct station *station, int64_t elapsed)
{
	if (elapsed >= station->drain_ms)
		return UINT32_MAX;
	return (uint32_t)((int64_t)station->drain_count * elapsed / station->drain_ms);
}

void
station_drain_step(struct convro_ctx *ctx, struct station *station)
{
	uint32_t until = due(station, convro->timer->now(ctx) - station->drain_since);

	for (struct ring *at = station->all.next, *next;
	     at != &station->all && station->drained < until; at = next) {
		struct session *session = RING_ENTRY(at, struct session, all);

		session_ref(session); /* modules that are told may close others, the next one too */
		if (session->state == SESSION_OPEN && !session->leaving) {
			station->drained++;
			leave(ctx, session);
		}
		next = at->next;
		session_unref(session);
	}
}

void
station_drain(struct convro_ctx *ctx, struct station *station)
{
	const struct mount *mount = station->mount;
	int64_t all_ms;

	station->draining = true;
	station->drain_since = convro->timer->now(ctx);
	for (struct ring *at = station->all.next; at != &station->all; at = at->next)
		station->drain_count += RING_ENTRY(at, struct session, all)->state == SESSION_OPEN;
	all_ms = (int64_t)station->drain_count * mount->station_count * 1000 / PER_SECOND;
	station->drain_ms = all_ms < mount->drain_time ? all_ms : mount->drain_time;
	if (station->drain_ms <= WHEEL_TICK_MS)
		station->drain_ms = 0; /* they are few */
	if (station->drain_count > 0)
		convro->log->write(ctx, CONVRO_LOG_INFO,
		    "closing %u sessions within %lld ms: " SHUTTING_DOWN, station->drain_count,
		    (long long)station->drain_ms);
	station_drain_step(ctx, station);
}

void
drain_request_done(struct convro_ctx *ctx, struct session *session)
{
	if (session->leaving && session->requests == 0)
		session_close(ctx, session, GOODBYE_AWAY, SHUTTING_DOWN);
}
