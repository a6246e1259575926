/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets of the servers that other modules mounted: they join a namespace, say
 * things, and end.  The session and its transports are those of our own server.
 */
#include "guest.h"

#include "recovery.h"

#include <stdlib.h>

const struct convro_socketio_options *
guest_options(const struct session *session)
{
	return session->station->mount->guest;
}

const void *
guest_enter(struct convro_ctx *ctx, const struct mount *mount)
{
	const void *before = convro->bus->module(ctx);

	convro->bus->set_module(ctx, mount->guest_module);
	return before;
}

void
guest_leave(struct convro_ctx *ctx, const void *before)
{
	convro->bus->set_module(ctx, before);
}

void
guest_ref(struct convro_socketio_socket *socket)
{
	socket->refs++;
}

void
guest_unref(struct convro_socketio_socket *socket)
{
	if (--socket->refs > 0)
		return;
	session_unref(socket->session);
	free(socket);
}

static struct convro_socketio_socket *
find(const struct session *session, struct slice namespace)
{
	struct convro_socketio_socket *socket = session->guests;

	while (socket != NULL && !slice_equal(slice_of(socket->namespace), namespace))
		socket = socket->next;
	return socket;
}

bool
guest_room(const char *namespace, struct slice room, struct text *out)
{
	text_puts(out, namespace);
	text_putc(out, ',');
	text_put_slice(out, room);
	return !out->failed;
}

/* ---- the end ---- */

void
guest_end(struct convro_ctx *ctx, struct convro_socketio_socket *socket, const char *why)
{
	struct session *session = socket->session;
	const struct mount *mount = session->station->mount;
	const void *before;
	struct convro_socketio_socket **at = &session->guests;

	if (socket->gone)
		return;
	socket->gone = true;
	while (*at != socket)
		at = &(*at)->next;
	*at = socket->next;
	if (mount->recovery != NULL)
		recovery_save(ctx, mount->recovery, socket, why);
	rooms_leave_all(&session->station->rooms, &socket->rooms);
	guest_forget_acks(ctx, socket);
	if (mount->guest->disconnected != NULL) {
		before = guest_enter(ctx, mount);
		mount->guest->disconnected(ctx, mount->guest->self, socket, why);
		guest_leave(ctx, before);
	}
	guest_unref(socket);
}

void
guests_end(struct convro_ctx *ctx, struct session *session, const char *why)
{
	while (session->guests != NULL)
		guest_end(ctx, session->guests, why);
}

/* ---- CONNECT ---- */

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

static struct convro_socketio_socket *
make(struct session *session, const char *namespace)
{
	struct convro_socketio_socket *socket = calloc(1, sizeof(*socket));

	if (socket == NULL)
		return NULL;
	socket->refs = 1;
	socket->session = session;
	socket->namespace = namespace;
	ring_init(&socket->rooms);
	if (!random_id(socket->id) || !random_id(socket->pid)) {
		free(socket);
		return NULL;
	}
	session_ref(session);
	return socket;
}

static bool
join_own_room(struct convro_socketio_socket *socket)
{
	struct text name = { 0 };
	bool joined = guest_room(socket->namespace, (struct slice){ socket->id, SID_LEN }, &name) &&
		      rooms_join(&socket->session->station->rooms,
			  (struct slice){ name.data, name.len }, &socket->rooms, socket);

	text_fini(&name);
	return joined;
}

static void
welcome(struct convro_ctx *ctx, struct convro_socketio_socket *socket)
{
	struct session *session = socket->session;
	struct text *out = &session->station->scratch;
	struct slice pid = { socket->pid, session->station->mount->recovery != NULL ? SID_LEN : 0 };

	text_clear(out);
	engineio_begin(out, ENGINEIO_MESSAGE);
	packet_put_connect(
	    out, slice_of(socket->namespace), (struct slice){ socket->id, SID_LEN }, pid);
	session_send(ctx, session, (struct slice){ out->data, out->len });
}

static void
begin(struct convro_ctx *ctx, struct session *session, const char *namespace,
    const struct convro_node *auth)
{
	const struct mount *mount = session->station->mount;
	const void *before;
	struct convro_socketio_socket *socket = make(session, namespace);
	struct recovered *recovered = NULL;

	if (socket != NULL && mount->recovery != NULL)
		recovered = recovery_take(ctx, mount->recovery, socket, auth);
	if (socket == NULL || !join_own_room(socket)) {
		recovered_free(recovered);
		if (socket != NULL)
			rooms_leave_all(&session->station->rooms, &socket->rooms);
		if (socket != NULL)
			guest_unref(socket);
		session_close(ctx, session, GOODBYE_CLOSE, "out of memory");
		return;
	}
	socket->next = session->guests;
	session->guests = socket;
	session->client = CLIENT_CONNECTED;
	alarm_cancel(&session->limit);
	guest_ref(socket);
	welcome(ctx, socket);
	for (uint32_t i = 0; recovered != NULL && i < recovered->count && !socket->gone; i++)
		logged_send(ctx, socket, recovered->events[i]);
	if (!socket->gone && mount->guest->connected != NULL) {
		before = guest_enter(ctx, mount);
		mount->guest->connected(ctx, mount->guest->self, socket, auth, recovered != NULL);
		guest_leave(ctx, before);
	}
	recovered_free(recovered);
	guest_unref(socket);
}

static uint32_t
count(const struct session *session)
{
	uint32_t sockets = 0;

	for (const struct convro_socketio_socket *at = session->guests; at != NULL; at = at->next)
		sockets++;
	return sockets;
}

static void
connect_packet(struct convro_ctx *ctx, struct session *session, const struct packet *packet)
{
	const struct convro_socketio_options *options = guest_options(session);
	const char *namespace = known_namespace(options, packet->namespace);
	const struct convro_node *auth = NULL;

	if (packet->json.len > 0 &&
	    convro->json->parse(ctx, packet->json.data, packet->json.len, &auth) != CONVRO_OK)
		session_close(ctx, session, GOODBYE_ERROR, "parse error");
	else if (namespace == NULL)
		connect_error(ctx, session, packet->namespace, "Invalid namespace", false);
	else if (find(session, packet->namespace) != NULL)
		session_close(ctx, session, GOODBYE_CLOSE, "invalid state");
	else if (count(session) >= options->max_namespaces)
		connect_error(ctx, session, packet->namespace, "Too many namespaces", false);
	else
		begin(ctx, session, namespace, auth);
}

/* ---- what it says ---- */

/* What follows the first element, which is a text or a number: the arguments as they were sent. */
static struct slice
after_name(struct slice array)
{
	const char *at = array.data + 1, *end = array.data + array.len - 1;
	bool in_text = false;

	for (; at < end && (in_text || *at != ','); at++) {
		if (in_text && *at == '\\')
			at++;
		else if (*at == '"')
			in_text = !in_text;
	}
	return at < end ? (struct slice){ at + 1, (size_t)(end - at - 1) } : (struct slice){ 0 };
}

/* The arguments from the `first` on, 0 or 1; false when memory is out. */
static bool
read_args(struct convro_ctx *ctx, const struct packet *packet, const struct convro_node *array,
    uint32_t first, const struct packet_assembly *assembly, struct convro_socketio_args *out)
{
	struct slice all = packet->json, args;
	struct convro_socketio_attachment *copies;

	*out = (struct convro_socketio_args){ .first = first, .array = array };
	while (all.data[all.len - 1] != ']')
		all.len--;
	args = first > 0 ? after_name(all) : (struct slice){ all.data + 1, all.len - 2 };
	out->json = args.data != NULL ? args.data : "";
	out->len = args.len;
	if (assembly == NULL)
		return true;
	copies = convro->mem->alloc(ctx, assembly->have * sizeof(*copies));
	if (copies == NULL)
		return false;
	for (unsigned i = 0; i < assembly->have; i++) {
		copies[i].data = assembly->attachments[i].data;
		copies[i].len = assembly->attachments[i].len;
	}
	out->attachments = copies;
	out->attachment_count = assembly->have;
	return true;
}

static void
event(struct convro_ctx *ctx, struct convro_socketio_socket *socket, const struct packet *packet,
    const struct packet_assembly *assembly)
{
	struct session *session = socket->session;
	const struct mount *mount = session->station->mount;
	const void *before;
	struct slice name;
	const struct convro_node *array = read_event(ctx, packet, &name);
	struct convro_socketio_args args;
	struct convro_socketio_reply *reply;

	if (array == NULL) {
		session_close(ctx, session, GOODBYE_ERROR, "parse error");
		return;
	}
	if (mount->guest->event == NULL)
		return;
	reply = guest_reply_new(socket, packet->id);
	if (reply == NULL || !read_args(ctx, packet, array, 1, assembly, &args)) {
		guest_reply(ctx, reply, NULL);
		session_close(ctx, session, GOODBYE_CLOSE, "out of memory");
		return;
	}
	before = guest_enter(ctx, mount);
	mount->guest->event(ctx, mount->guest->self, socket, name.data != NULL ? name.data : "",
	    name.len, &args, reply);
	guest_leave(ctx, before);
}

static void
ack(struct convro_ctx *ctx, struct convro_socketio_socket *socket, const struct packet *packet,
    const struct packet_assembly *assembly)
{
	const struct convro_node *array = read_array(ctx, packet);
	struct convro_socketio_args args;

	if (array == NULL || !read_args(ctx, packet, array, 0, assembly, &args))
		session_close(ctx, socket->session, GOODBYE_ERROR, "parse error");
	else
		guest_acked(ctx, socket, packet->id_value, &args);
}

void
guest_packet(struct convro_ctx *ctx, struct session *session, const struct packet *packet,
    const struct packet_assembly *assembly)
{
	struct convro_socketio_socket *socket;

	if (packet->type == PACKET_CONNECT) {
		connect_packet(ctx, session, packet);
		return;
	}
	socket = find(session, packet->namespace);
	if (socket == NULL) {
		session_close(ctx, session, GOODBYE_CLOSE, "invalid state");
		return;
	}
	guest_ref(socket);
	if (packet->type == PACKET_DISCONNECT)
		guest_end(ctx, socket, "client namespace disconnect");
	else if (packet->type == PACKET_EVENT || packet->type == PACKET_BINARY_EVENT)
		event(ctx, socket, packet, assembly);
	else
		ack(ctx, socket, packet, assembly);
	guest_unref(socket);
}

void
guest_message(struct convro_ctx *ctx, struct session *session, bool binary, struct slice data)
{
	const struct mount *mount = session->station->mount;
	const void *before;

	if (mount->guest->message == NULL)
		return;
	before = guest_enter(ctx, mount);
	mount->guest->message(ctx, mount->guest->self, (struct convro_engineio_socket *)session,
	    binary, data.data, data.len);
	guest_leave(ctx, before);
}
