/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CONNECT: a client wants to join a namespace.  The module that mounted may look
 * at it first, and take its time; then the socket is a new one, or one that has
 * come back (recovery.h).
 */
#include "recovery.h"
#include "socket.h"

#include <stdlib.h>

struct convro_socketio_socket *
socket_find(const struct session *session, struct slice namespace)
{
	struct convro_socketio_socket *socket = session->sockets;

	while (socket != NULL && !slice_equal(slice_of(socket->namespace), namespace))
		socket = socket->next;
	return socket;
}

/* ---- a socket ---- */

static const char *
known_namespace(const struct convro_socketio_options *options, struct slice namespace)
{
	static const char *const root[] = { "/", NULL };
	const char *const *at = options->namespaces != NULL ? options->namespaces : root;

	for (; *at != NULL; at++)
		if (slice_equal(slice_of(*at), namespace))
			return *at;
	return NULL;
}

static uint32_t
count(const struct session *session)
{
	uint32_t sockets = 0;

	for (const struct convro_socketio_socket *at = session->sockets; at != NULL; at = at->next)
		sockets++;
	return sockets;
}

/* In the session, and in no room; NULL when memory or randomness is out. */
static struct convro_socketio_socket *
make(struct session *session, const char *namespace)
{
	struct station *station = session->station;
	struct convro_socketio_socket *socket = convro->mem->pool_take(station->socket_pool);

	if (socket == NULL)
		return NULL;
	socket->refs = 1;
	socket->session = session;
	socket->namespace = namespace;
	if (station->mount->recovery != NULL)
		socket->recovery = recovery_begin(station);
	if ((station->mount->recovery != NULL && socket->recovery == NULL) ||
	    !random_id(socket->id)) {
		free(socket->recovery);
		convro->mem->pool_give(station->socket_pool, socket);
		return NULL;
	}
	session_ref(session);
	socket->next = session->sockets;
	session->sockets = socket;
	/* Counted before any room is joined: who pushes later and sees nobody here may skip this
	 * worker. */
	(void)atomic_fetch_add(&station->members, 1);
	return socket;
}

/* ---- in ---- */

static void
put_answer(struct convro_socketio_socket *socket, struct text *out)
{
	struct slice pid = { 0 };

	if (socket->recovery != NULL)
		pid = (struct slice){ socket->recovery->pid, SID_LEN };
	text_clear(out);
	engineio_begin(out, ENGINEIO_MESSAGE);
	packet_put_connect(
	    out, slice_of(socket->namespace), (struct slice){ socket->id, SID_LEN }, pid);
}

static void
tell_missed(struct convro_ctx *ctx, struct convro_socketio_socket *socket,
    const struct recovered *recovered)
{
	const struct mount_hooks *hooks = socket->session->station->mount->hooks;

	if (hooks != NULL) {
		hooks->recovered(ctx, socket, recovered->missed, recovered->count);
		return;
	}
	/* All that the log may hold, which would be too much again the next time. */
	socket->session->is_bounded = true;
	for (uint32_t i = 0; i < recovered->count && socket->state == SOCKET_CONNECTED; i++)
		push_write(ctx, socket, recovered->missed[i]);
	socket->session->is_bounded = false;
}

static void
welcome(struct convro_ctx *ctx, struct convro_socketio_socket *socket,
    const struct recovered *recovered, const struct convro_node *auth)
{
	struct session *session = socket->session;
	const struct mount *mount = session->station->mount;
	struct text *out = &session->station->scratch;
	const void *before;

	socket->state = SOCKET_CONNECTED;
	alarm_cancel(&session->limit);
	free(session->handshake);
	session->handshake = NULL;
	put_answer(socket, out);
	session_send(ctx, session, (struct slice){ out->data, out->len });
	if (recovered != NULL)
		tell_missed(ctx, socket, recovered);
	if (socket->state != SOCKET_CONNECTED || mount->options->connected == NULL)
		return;
	before = socket_enter(ctx, mount);
	mount->options->connected(ctx, mount->options->self, socket, auth, recovered != NULL);
	socket_leave(ctx, before);
}

/* With a reference of the caller's.  False: it has gone. */
static bool
let_in(struct convro_ctx *ctx, const struct convro_socketio_admission *admission,
    const struct convro_node *auth)
{
	struct convro_socketio_socket *socket = admission->socket;
	struct session *session = socket->session;
	const struct mount *mount = session->station->mount;
	struct slice offset = { admission->offset, admission->offset_len };
	struct recovered *recovered = NULL;

	if (mount->recovery != NULL)
		recovered = recovery_take(ctx, mount->recovery, socket,
		    (struct slice){ admission->pid, admission->pid_len }, offset);
	if (mount->recovery != NULL && recovered == NULL)
		recovery_fresh(socket, offset);
	/* In our own server nobody knows a socket's id. */
	if (mount->hooks == NULL && socket_join(socket, socket->id, SID_LEN) == CONVRO_NO_MEMORY) {
		recovered_free(recovered);
		session_close(ctx, session, GOODBYE_CLOSE, "out of memory");
		return false;
	}
	welcome(ctx, socket, recovered, auth);
	recovered_free(recovered);
	return true;
}

int
socket_admit(struct convro_ctx *ctx, struct convro_socketio_admission *admission)
{
	struct convro_socketio_socket *socket = admission->socket;
	bool is_in = socket->state == SOCKET_CONNECTING && let_in(ctx, admission, NULL);

	free(admission);
	socket_unref(socket);
	return is_in;
}

/* ---- out ---- */

static void
connect_error(struct convro_ctx *ctx, struct session *session, struct slice namespace,
    struct slice message, struct slice data)
{
	struct text out = { 0 };

	engineio_begin(&out, ENGINEIO_MESSAGE);
	packet_put_connect_error(&out, namespace, message, data);
	if (out.failed)
		session_close(ctx, session, GOODBYE_CLOSE, "out of memory");
	else
		session_send(ctx, session, (struct slice){ out.data, out.len });
	text_fini(&out);
}

void
socket_refuse(struct convro_ctx *ctx, struct convro_socketio_admission *admission,
    const char *message, const char *data, size_t len)
{
	struct convro_socketio_socket *socket = admission->socket;

	if (socket->state == SOCKET_CONNECTING) {
		socket_end(ctx, socket, "refused");
		connect_error(ctx, socket->session, slice_of(socket->namespace), slice_of(message),
		    (struct slice){ data, len });
	}
	free(admission);
	socket_unref(socket);
}

/* ---- CONNECT ---- */

/* A text that is no longer than `most`; its length, 0 = none. */
static uint8_t
copy_member(const struct convro_node *auth, const char *name, char *out, size_t most)
{
	const struct convro_node *node = auth != NULL ? convro->json->member(auth, name) : NULL;
	size_t len = 0;
	const char *text = node != NULL ? convro->json->get_text(node, &len) : NULL;

	if (text == NULL || len == 0)
		return 0;
	/* What is too long for an offset is none of ours, yet not the same as none at all. */
	if (len > most)
		len = most;
	memcpy(out, text, len);
	return (uint8_t)len;
}

static void
begin(struct convro_ctx *ctx, struct session *session, const char *namespace,
    const struct convro_node *auth)
{
	const struct mount *mount = session->station->mount;
	struct convro_socketio_admission *admission = calloc(1, sizeof(*admission));
	struct convro_socketio_socket *socket = admission != NULL ? make(session, namespace) : NULL;
	const void *before;

	if (socket == NULL) {
		free(admission);
		session_close(ctx, session, GOODBYE_CLOSE, "out of memory");
		return;
	}
	admission->socket = socket;
	socket_ref(socket);
	admission->pid_len = copy_member(auth, "pid", admission->pid, sizeof(admission->pid));
	admission->offset_len =
	    copy_member(auth, "offset", admission->offset, sizeof(admission->offset));
	if (mount->options->connecting != NULL) {
		before = socket_enter(ctx, mount);
		mount->options->connecting(ctx, mount->options->self, socket, auth, admission);
		socket_leave(ctx, before);
		return;
	}
	(void)let_in(ctx, admission, auth);
	free(admission);
	socket_unref(socket);
}

void
socket_connect(struct convro_ctx *ctx, struct session *session, const struct packet *packet)
{
	const struct convro_socketio_options *options = session->station->mount->options;
	const char *namespace = known_namespace(options, packet->namespace);
	const struct convro_node *auth = NULL;

	if (packet->json.len > 0 &&
	    convro->json->parse(ctx, packet->json.data, packet->json.len, &auth) != CONVRO_OK)
		session_close(ctx, session, GOODBYE_ERROR, "parse error");
	else if (namespace == NULL)
		connect_error(ctx, session, packet->namespace, slice_of("Invalid namespace"),
		    (struct slice){ 0 });
	else if (socket_find(session, packet->namespace) != NULL)
		session_close(ctx, session, GOODBYE_CLOSE, "invalid state");
	else if (count(session) >= options->max_namespaces)
		connect_error(ctx, session, packet->namespace, slice_of("Too many namespaces"),
		    (struct slice){ 0 });
	else
		begin(ctx, session, namespace, auth);
}
