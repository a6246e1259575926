/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time: pings and their answers, the time limits, and the end of tokens; all on
 * one wheel per worker.
 */
#include "mount.h"
#include "recovery.h"

void
heartbeat_start(struct convro_ctx *ctx, struct session *session)
{
	if (session->state != SESSION_OPEN)
		return;
	session->pong_due = false;
	wheel_set(&session->station->wheel, &session->heartbeat,
	    convro->timer->now(ctx) + session->station->mount->ping_interval);
}

void
heartbeat_pong(struct convro_ctx *ctx, struct session *session)
{
	if (session->pong_due)
		heartbeat_start(ctx, session);
}

static void
beat(struct convro_ctx *ctx, struct session *session)
{
	struct wheel *wheel;
	int64_t since;

	if (session->state != SESSION_OPEN || session->pong_due) {
		session_close(ctx, session, GOODBYE_ERROR, "ping timeout");
		return;
	}
	session->pong_due = true;
	/* From when it was due, so that ticks do not add up; but a client is not made to pay for a
	 * pause of ours. */
	wheel = &session->station->wheel;
	since = convro->timer->now(ctx) - wheel->tick_ms;
	if (since < session->heartbeat.due)
		since = session->heartbeat.due;
	wheel_set(wheel, &session->heartbeat, since + session->station->mount->ping_timeout);
	session_send(ctx, session, slice_of("2"));
}

/* ---- the wheel ---- */

static void
session_alarm(struct convro_ctx *ctx, struct session *session, enum alarm_kind kind)
{
	session_ref(session);
	if (kind == ALARM_HEARTBEAT)
		beat(ctx, session);
	else if (session_has_joined(session))
		session->station->mount->hooks->limit(ctx, session);
	else
		session_close(ctx, session, GOODBYE_CLOSE, "connect timeout");
	session_unref(session);
}

static void
fire(void *arg, struct alarm *alarm)
{
	struct convro_ctx *ctx = arg;

	switch ((enum alarm_kind)alarm->kind) {
	case ALARM_HEARTBEAT:
		session_alarm(ctx, RING_ENTRY(alarm, struct session, heartbeat), ALARM_HEARTBEAT);
		break;
	case ALARM_LIMIT:
		session_alarm(ctx, RING_ENTRY(alarm, struct session, limit), ALARM_LIMIT);
		break;
	case ALARM_PROBE:
		upgrade_cancel(RING_ENTRY(alarm, struct probe, alarm)->session);
		break;
	case ALARM_CATCH_UP:
		catch_up_fire(ctx, alarm);
		break;
	case ALARM_ACK:
		ack_fire(ctx, alarm);
		break;
	}
}

void
station_close_all(
    struct convro_ctx *ctx, struct station *station, enum goodbye goodbye, const char *why)
{
	for (struct ring *at = station->all.next, *next; at != &station->all; at = next) {
		struct session *session = RING_ENTRY(at, struct session, all);

		session_ref(session); /* modules that are told may close others, the next one too */
		session_close(ctx, session, goodbye, why);
		next = at->next;
		session_unref(session);
	}
}

static void
log_tick(struct convro_ctx *ctx, struct station *station)
{
	station_deliver(ctx, station); /* where waking us failed */
	if (station->index == 0)
		recovery_trim(ctx, station->mount->recovery);
}

void
station_tick(struct convro_ctx *ctx, void *arg)
{
	struct station *station = arg;

	/* A push that could not be brought here is made good by the clients' return. */
	if (atomic_exchange(&station->missed, false))
		station_close_all(ctx, station, GOODBYE_CLOSE, "out of memory");
	if (station->draining)
		station_drain_step(ctx, station);
	if (station->mount->recovery != NULL)
		log_tick(ctx, station);
	wheel_run(&station->wheel, convro->timer->now(ctx), fire, ctx);
}
