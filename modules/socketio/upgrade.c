/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From long-polling to WebSocket:
 *
 *	client  2probe      server  3probe, and 6 to the poll that waits
 *	client  5           server  moves what is queued, in order
 *
 * Until 5 the polls go on; whatever else happens to the candidate ends it and
 * leaves the session alone.  After 3probe the client stops polling, so that a
 * session which ends before 5 says its goodbye behind it.
 */
#include "base64.h"
#include "mount.h"

#include <stdlib.h>

/* A session that has a WebSocket, or a candidate, takes no other one. */
static int
turn_away(struct convro_ctx *ctx, struct session *session)
{
	struct convro_socket *socket;

	session_ref(session);
	socket = convro->http->upgrade(ctx, &session->station->mount->socket_events, session);
	if (socket == NULL)
		session_unref(session);
	else
		convro->socket->close(socket, 1000, "");
	return CONVRO_OK;
}

int
upgrade_begin(struct convro_ctx *ctx, struct session *session)
{
	struct probe *probe;

	if (session->state != SESSION_OPEN || session->socket != NULL || session->probe != NULL)
		return turn_away(ctx, session);
	probe = calloc(1, sizeof(*probe));
	if (probe == NULL)
		return convro->http->fail_later(ctx, 503, "OVERLOADED", 1);
	session_ref(session); /* until closed() */
	probe->session = session;
	alarm_init(&probe->alarm, ALARM_PROBE);
	probe->socket =
	    convro->http->upgrade(ctx, &session->station->mount->socket_events, session);
	if (probe->socket == NULL) {
		session_unref(session);
		free(probe);
		return CONVRO_OK;
	}
	session->probe = probe;
	wheel_set(&session->station->wheel, &probe->alarm,
	    convro->timer->now(ctx) + session->station->mount->upgrade_timeout);
	return CONVRO_OK;
}

/* Forgets the candidate; its socket is the caller's. */
static struct convro_socket *
take_socket(struct session *session)
{
	struct probe *probe = session->probe;
	struct convro_socket *socket = probe->socket;

	alarm_cancel(&probe->alarm);
	session->probe = NULL;
	free(probe);
	return socket;
}

void
upgrade_cancel(struct session *session)
{
	if (session->probe != NULL)
		convro->socket->close(take_socket(session), 1000, "");
}

bool
upgrade_is_promised(const struct session *session)
{
	return session->probe != NULL && session->probe->answered;
}

void
upgrade_lost(struct session *session)
{
	(void)take_socket(session);
}

/* The packets of a poll's body, which gets overwritten, each as a message of its own.  No packet
 * holds the separator: JSON escapes it. */
static void
move_queue(struct convro_socket *socket, const struct text *queue)
{
	char *at = queue->data, *end = at != NULL ? at + queue->len : at;

	while (at < end) {
		char *next = memchr(at, '\x1e', (size_t)(end - at));
		size_t len;

		if (next == NULL)
			next = end;
		len = (size_t)(next - at);
		if (*at == 'b' && text_from_base64(at + 1, len - 1, &len))
			convro->socket->send_data(socket, at + 1, len, 1);
		else
			convro->socket->send_data(socket, at, len, 0);
		at = next + 1;
	}
}

static void
switch_over(struct convro_ctx *ctx, struct session *session)
{
	struct convro_socket *socket = take_socket(session);

	move_queue(socket, &session->polling->queue);
	text_clear(&session->polling->queue);
	polling_free(session); /* a poll that waits gets a NOOP */
	session->socket = socket;
	if (session->state == SESSION_OPEN)
		session_drained(ctx, session);
	else
		session_close(ctx, session, GOODBYE_NONE, ""); /* as it was going to */
}

void
upgrade_message(struct convro_ctx *ctx, struct probe *probe, const char *data, size_t len)
{
	struct session *session = probe->session;
	struct slice packet = { data, len };

	if (!probe->answered && slice_equal(packet, slice_of("2probe"))) {
		convro->socket->send_data(probe->socket, "3probe", 6, 0);
		probe->answered = true;
		polling_release(session);
	} else if (probe->answered && slice_equal(packet, slice_of("5"))) {
		switch_over(ctx, session);
	} else {
		upgrade_cancel(session);
	}
}
