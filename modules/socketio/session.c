/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions: birth, look-up, end, and the packets that go in and out whatever the
 * transport.  The transports are polling.c and websocket.c; what a message says
 * is for socket.c.
 */
#include "mount.h"

#include <stdlib.h>
#include <sys/random.h>

#define GOODBYE_MS 30000 /* for a poll that takes the close packet */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* ---- ids ---- */

/* Each worker draws for several ids at once: a connect needs two, and the system call would cost
 * more than all the rest of an id. */
bool
random_id(char out[SID_LEN])
{
	static _Thread_local uint8_t drawn[12 * SID_LEN];
	static _Thread_local size_t left;

	if (left == 0) {
		/* Up to 256 bytes come whole or not at all. */
		if (getrandom(drawn, sizeof(drawn), 0) != (ssize_t)sizeof(drawn))
			return false;
		left = sizeof(drawn);
	}
	for (unsigned i = 0; i < SID_LEN; i++) {
		left--;
		out[i] = alphabet[drawn[left] & 63];
		drawn[left] = 0; /* nobody who reads memory later learns an id that is in use */
	}
	return true;
}

/* The session id is 108 random bits behind the number of its worker. */
static bool
make_sid(char out[SID_LEN], uint32_t worker)
{
	if (!random_id(out))
		return false;
	out[0] = alphabet[worker >> 6 & 63];
	out[1] = alphabet[worker & 63];
	return true;
}

static int
digit(char c)
{
	const char *at = c != '\0' ? strchr(alphabet, c) : NULL;

	return at != NULL ? (int)(at - alphabet) : -1;
}

int
session_worker(void *self, const char *query, size_t len)
{
	const char *end = query + len;

	(void)self;
	for (const char *at = query; at < end;) {
		const char *next = memchr(at, '&', (size_t)(end - at));

		if (next == NULL)
			next = end;
		if (next - at == 4 + SID_LEN && memcmp(at, "sid=", 4) == 0) {
			int high = digit(at[4]), low = digit(at[5]);

			return high >= 0 && low >= 0 ? high * 64 + low : -1;
		}
		at = next + 1;
	}
	return -1;
}

/* The sid is a secret: how long this takes must not tell how much of it was right. */
bool
same_id(const char *a, const char *b)
{
	unsigned char difference = 0;

	for (unsigned i = 0; i < SID_LEN; i++)
		difference |= (unsigned char)(a[i] ^ b[i]);
	return difference == 0;
}

struct session *
session_find(struct station *station, const char *sid)
{
	struct slice key = slice_of(sid);
	struct table_node *node;

	if (key.len != SID_LEN)
		return NULL;
	node = table_find(&station->sessions, table_hash(&station->sessions, key));
	for (; node != NULL; node = table_find_next(node)) {
		struct session *session = (struct session *)(void *)node;

		if (same_id(session->sid, sid))
			return session;
	}
	return NULL;
}

/* ---- life ---- */

struct session *
session_new(struct convro_ctx *ctx, struct station *station, const char *address)
{
	struct session *session = convro->mem->pool_take(station->session_pool);
	struct slice key;

	if (session == NULL)
		return NULL;
	session->station = station;
	session->refs = 1;
	if (address != NULL && strlen(address) < sizeof(session->address))
		memcpy(session->address, address, strlen(address));
	alarm_init(&session->heartbeat, ALARM_HEARTBEAT);
	alarm_init(&session->limit, ALARM_LIMIT);
	key = (struct slice){ session->sid, SID_LEN };
	if (!make_sid(session->sid, station->index) ||
	    !table_add(&station->sessions, &session->node, table_hash(&station->sessions, key))) {
		convro->mem->pool_give(station->session_pool, session);
		return NULL;
	}
	ring_push(&station->all, &session->all);
	if (!station->mount->raw)
		wheel_set(&station->wheel, &session->limit,
		    convro->timer->now(ctx) + station->mount->connect_timeout);
	return session;
}

void
session_ref(struct session *session)
{
	session->refs++;
}

void
session_unref(struct session *session)
{
	if (--session->refs > 0)
		return;
	ring_remove(&session->all);
	convro->mem->pool_give(session->station->session_pool, session);
}

/* Nothing finds it any more; the reference is the caller's to give up. */
static void
end(struct session *session)
{
	session->state = SESSION_CLOSED;
	table_remove(&session->station->sessions, &session->node);
	alarm_cancel(&session->heartbeat);
	upgrade_cancel(session);
	polling_free(session);
}

static void
close_socket(struct session *session, enum goodbye goodbye)
{
	if (goodbye == GOODBYE_DISCONNECT)
		convro->socket->send_data(session->socket, "41", 2, 0);
	if (goodbye == GOODBYE_NONE)
		convro->socket->abort(session->socket);
	else
		convro->socket->close(session->socket, goodbye == GOODBYE_AWAY ? 1001 : 1000,
		    goodbye == GOODBYE_AWAY ? SHUTTING_DOWN : "");
}

/* What is queued goes to one poll and CLOSE to another: clients look at a CLOSE before they look at
 * what came with it. */
static void
close_polling(struct convro_ctx *ctx, struct session *session, enum goodbye goodbye)
{
	struct polling *polling = session->polling;

	if (goodbye == GOODBYE_DISCONNECT)
		(void)polling_send(session, slice_of("41"));
	if (polling->get != NULL) {
		(void)polling_send(session, slice_of("1"));
	} else if (session->probe != NULL || goodbye != GOODBYE_ERROR) {
		session->state = SESSION_CLOSING;
		wheel_set(&session->station->wheel, &session->heartbeat,
		    convro->timer->now(ctx) + GOODBYE_MS);
	}
}

void
session_close(
    struct convro_ctx *ctx, struct session *session, enum goodbye goodbye, const char *why)
{
	bool was_open;

	if (session->state == SESSION_CLOSED)
		return;
	if (session->state == SESSION_CLOSING) {
		if (session->socket != NULL)
			close_socket(
			    session, session->station->draining ? GOODBYE_AWAY : GOODBYE_CLOSE);
		end(session);
		session_unref(session);
		return;
	}
	convro->log->write(ctx, CONVRO_LOG_DEBUG, "session closed: %s", why);
	session_ref(session);
	sockets_end(ctx, session, why);
	was_open = session->state == SESSION_OPEN; /* those who were told may have closed it */
	session_unref(session);
	if (!was_open)
		return;
	alarm_cancel(&session->limit);
	alarm_cancel(&session->heartbeat);
	/* A client that was told 3probe polls no more: it is told on the WebSocket. */
	if (goodbye == GOODBYE_NONE || !upgrade_is_promised(session))
		upgrade_cancel(session);
	packet_assembly_free(session->assembly);
	session->assembly = NULL;
	free(session->handshake);
	session->handshake = NULL;
	if (session->socket != NULL)
		close_socket(session, goodbye);
	else if (session->polling != NULL && goodbye != GOODBYE_NONE)
		close_polling(ctx, session, goodbye);
	if (session->state == SESSION_CLOSING)
		return;
	end(session);
	session_unref(session);
}

/* ---- packets to the client ---- */

size_t
session_queued(const struct session *session)
{
	if (session->socket != NULL)
		return convro->socket->queued(session->socket);
	return session->polling != NULL ? session->polling->queue.len : 0;
}

bool
session_is_writable(const struct session *session)
{
	if (session->state != SESSION_OPEN)
		return false;
	if (session->socket != NULL)
		return convro->socket->queued(session->socket) == 0;
	return session->polling != NULL && session->polling->get != NULL;
}

/* A client that does not read is closed before the server's memory suffers.  One packet may always
 * wait, however large. */
static bool
is_too_much(const struct session *session, size_t len)
{
	const struct mount *mount = session->station->mount;
	size_t most = mount->send_limit, queued = session_queued(session);
	size_t more = mount->hooks != NULL ? mount->hooks->allowance(session) : 0;

	if (more == SIZE_MAX || session->is_bounded)
		return false;
	most += more;
	return queued > 0 && (len > most || queued > most - len);
}

/* Nothing is said to who does not read; but who is just changing its transport could not. */
static void
close_overflow(struct convro_ctx *ctx, struct session *session)
{
	session_close(
	    ctx, session, upgrade_is_promised(session) ? GOODBYE_ERROR : GOODBYE_NONE, "overflow");
}

/* True when the packet went to the polling transport, or nowhere. */
static bool
sent_otherwise(struct convro_ctx *ctx, struct session *session, struct slice packet)
{
	if (session->state != SESSION_OPEN)
		return true;
	if (is_too_much(session, packet.len)) {
		close_overflow(ctx, session);
		return true;
	}
	if (session->socket != NULL)
		return false;
	if (session->polling != NULL && !polling_send(session, packet))
		session_close(ctx, session, GOODBYE_NONE, "transport error");
	return true;
}

void
session_send(struct convro_ctx *ctx, struct session *session, struct slice packet)
{
	if (!sent_otherwise(ctx, session, packet))
		convro->socket->send_data(session->socket, packet.data, packet.len, 0);
}

void
session_send_frame(struct convro_ctx *ctx, struct session *session, struct convro_frame *frame,
    struct slice packet)
{
	if (!sent_otherwise(ctx, session, packet))
		convro->socket->send(session->socket, frame);
}

void
session_drained(struct convro_ctx *ctx, struct session *session)
{
	const struct mount_hooks *hooks = session->station->mount->hooks;

	if (hooks != NULL)
		hooks->drained(ctx, session);
}

void
session_send_binary(struct convro_ctx *ctx, struct session *session, struct slice data)
{
	if (session->state != SESSION_OPEN)
		return;
	if (is_too_much(session, data.len))
		close_overflow(ctx, session);
	else if (session->socket != NULL)
		convro->socket->send_data(session->socket, data.data, data.len, 1);
	else if (session->polling != NULL && !polling_send_binary(session, data))
		session_close(ctx, session, GOODBYE_NONE, "transport error");
}

/* ---- packets from the client ---- */

static void
receive_binary(struct convro_ctx *ctx, struct session *session, struct slice data)
{
	struct packet_assembly *assembly = session->assembly;
	enum packet_added added =
	    assembly != NULL ? packet_assembly_add(assembly, data.data, data.len) : PACKET_TOO_MUCH;

	if (added == PACKET_INCOMPLETE)
		return;
	if (added != PACKET_COMPLETE) {
		session_close(ctx, session, GOODBYE_ERROR, "parse error");
		return;
	}
	session->assembly = NULL;
	socket_packet(ctx, session, &assembly->packet, assembly);
	packet_assembly_free(assembly);
}

static void
receive_text(struct convro_ctx *ctx, struct session *session, struct slice data)
{
	struct packet packet;
	const char *wrong = session->assembly != NULL ? "a text among attachments" : NULL;

	if (wrong == NULL)
		wrong = packet_parse(data.data, data.len, &packet);
	if (wrong == NULL && packet.attachments > session->station->mount->limits.attachments)
		wrong = "too many attachments";
	if (wrong != NULL) {
		convro->log->write(ctx, CONVRO_LOG_DEBUG, "malformed packet: %s", wrong);
		session_close(ctx, session, GOODBYE_ERROR, "parse error");
		return;
	}
	if (packet.attachments == 0) {
		socket_packet(ctx, session, &packet, NULL);
		return;
	}
	session->assembly =
	    packet_assembly_new(data.data, data.len, session->station->mount->max_payload);
	if (session->assembly == NULL)
		session_close(ctx, session, GOODBYE_ERROR, "parse error");
}

void
session_receive(
    struct convro_ctx *ctx, struct session *session, const struct engineio_packet *packet)
{
	switch (packet->type) {
	case ENGINEIO_MESSAGE:
		if (session->station->mount->raw)
			raw_message(ctx, session, packet->binary, packet->data);
		else if (packet->binary)
			receive_binary(ctx, session, packet->data);
		else
			receive_text(ctx, session, packet->data);
		break;
	case ENGINEIO_PONG:
		heartbeat_pong(ctx, session);
		break;
	case ENGINEIO_CLOSE:
		/* A poll that waits gets a NOOP: the client knows. */
		session_close(ctx, session, session->socket != NULL ? GOODBYE_ERROR : GOODBYE_NONE,
		    "transport close");
		break;
	case ENGINEIO_PING: /* the direction of version 3 */
		session_close(ctx, session, GOODBYE_ERROR, "transport error");
		break;
	case ENGINEIO_OPEN:
	case ENGINEIO_UPGRADE:
	case ENGINEIO_NOOP:
		break;
	}
}
