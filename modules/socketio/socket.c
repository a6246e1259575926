/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets: what their clients say, and how they end.  Read socket.h first.
 */
#include "socket.h"

#include "recovery.h"

#include <stdlib.h>

const void *
socket_enter(struct convro_ctx *ctx, const struct mount *mount)
{
	const void *before = convro->bus->module(ctx);

	convro->bus->set_module(ctx, mount->owner);
	return before;
}

void
socket_leave(struct convro_ctx *ctx, const void *before)
{
	convro->bus->set_module(ctx, before);
}

void
socket_ref(struct convro_socketio_socket *socket)
{
	socket->refs++;
}

void
socket_unref(struct convro_socketio_socket *socket)
{
	struct session *session = socket->session;

	if (--socket->refs > 0)
		return;
	convro->mem->pool_give(session->station->socket_pool, socket);
	session_unref(session);
}

bool
session_has_joined(const struct session *session)
{
	const struct convro_socketio_socket *socket = session->sockets;

	while (socket != NULL && socket->state != SOCKET_CONNECTED)
		socket = socket->next;
	return socket != NULL;
}

/* ---- rooms ---- */

bool
socket_room(const char *namespace, struct slice room, struct text *out)
{
	text_puts(out, namespace);
	text_putc(out, ',');
	text_put_slice(out, room);
	return !out->failed;
}

static uint32_t
count_rooms(const struct convro_socketio_socket *socket)
{
	uint32_t count = 0;

	for (const struct room_member *at = socket->rooms; at != NULL; at = at->next)
		count++;
	return count;
}

enum convro_status
socket_join(struct convro_socketio_socket *socket, const char *room, size_t len)
{
	struct station *station = socket->session->station;
	struct text *name = &station->scratch;

	if (socket->state == SOCKET_GONE)
		return CONVRO_OK;
	/* Its own does not count. */
	if (count_rooms(socket) > station->mount->options->max_rooms)
		return CONVRO_OVERLOAD;
	text_clear(name);
	if (!socket_room(socket->namespace, (struct slice){ room, len }, name) ||
	    !rooms_join(
		&station->rooms, (struct slice){ name->data, name->len }, &socket->rooms, socket))
		return CONVRO_NO_MEMORY;
	return CONVRO_OK;
}

/* ---- the end ---- */

static void
unlink_socket(struct convro_socketio_socket *socket)
{
	struct convro_socketio_socket **at = &socket->session->sockets;

	while (*at != socket)
		at = &(*at)->next;
	*at = socket->next;
}

/* What modules are told, in the reference server's words. */
static const char *
reason_of(const char *why)
{
	static const struct {
		const char *why, *reason;
	} others[] = {
		{ "invalid state", "forced server close" },
		{ "connect timeout", "forced server close" },
		{ "catch-up failed", "forced server close" },
		{ "overflow", "transport error" },
		{ "out of memory", "transport error" },
		{ "token revoked", "server namespace disconnect" },
		{ "token expired", "server namespace disconnect" },
		{ "newer connection", "server namespace disconnect" },
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strcmp(others[i].why, why) == 0)
			return others[i].reason;
	return why;
}

void
socket_end(struct convro_ctx *ctx, struct convro_socketio_socket *socket, const char *why)
{
	struct station *station = socket->session->station;
	const struct mount *mount = station->mount;
	const struct convro_socketio_options *options = mount->options;
	bool was_connected = socket->state == SOCKET_CONNECTED;
	const void *before;

	if (socket->state == SOCKET_GONE)
		return;
	socket->state = SOCKET_GONE;
	unlink_socket(socket);
	if (socket->recovery != NULL && was_connected)
		recovery_save(ctx, mount->recovery, socket, why);
	rooms_leave_all(&station->rooms, &socket->rooms);
	(void)atomic_fetch_sub(&station->members, 1);
	free(socket->recovery);
	socket->recovery = NULL;
	socket_forget_acks(ctx, socket);
	if (was_connected && options->disconnected != NULL) {
		before = socket_enter(ctx, mount);
		options->disconnected(ctx, options->self, socket, reason_of(why));
		socket_leave(ctx, before);
	}
	if (mount->hooks != NULL)
		mount->hooks->left(socket);
	socket_unref(socket);
}

void
sockets_end(struct convro_ctx *ctx, struct session *session, const char *why)
{
	while (session->sockets != NULL)
		socket_end(ctx, session->sockets, why);
}

void
socket_disconnect(struct convro_ctx *ctx, struct convro_socketio_socket *socket, int whole)
{
	struct session *session = socket->session;
	struct text out = { 0 };

	if (socket->state == SOCKET_GONE)
		return;
	if (whole) {
		session_close(ctx, session, GOODBYE_CLOSE, "forced server close");
		return;
	}
	engineio_begin(&out, ENGINEIO_MESSAGE);
	packet_put_disconnect(&out, slice_of(socket->namespace));
	socket_end(ctx, socket, "server namespace disconnect");
	session_send(ctx, session, (struct slice){ out.data, out.len });
	text_fini(&out);
}

/* ---- what it says ---- */

/* Whether every placeholder stands for an attachment.  As deep as the core lets JSON be. */
static bool
placeholders_ok(const struct convro_node *node, unsigned attachments)
{
	const struct convro_node *mark, *num;
	enum convro_node_type type = convro->json->type(node);

	if (type != CONVRO_NODE_ARRAY && type != CONVRO_NODE_OBJECT)
		return true;
	mark = type == CONVRO_NODE_OBJECT ? convro->json->member(node, "_placeholder") : NULL;
	if (mark != NULL && convro->json->type(mark) == CONVRO_NODE_BOOL &&
	    convro->json->get_int(mark) != 0) {
		num = convro->json->member(node, "num");
		return num != NULL && convro->json->type(num) == CONVRO_NODE_INT &&
		       convro->json->get_int(num) >= 0 && convro->json->get_int(num) < attachments;
	}
	for (uint32_t i = 0; i < convro->json->count(node); i++)
		if (!placeholders_ok(convro->json->item(node, i), attachments))
			return false;
	return true;
}

const struct convro_node *
read_array(struct convro_ctx *ctx, const struct packet *packet)
{
	const struct convro_node *array = NULL;
	const char *text = packet->json.data;

	/* An assembly is freed before its context ends. */
	if (packet->attachments > 0)
		text = convro->mem->copy(ctx, text, packet->json.len);
	/* A NUL in a string is fine with this protocol. */
	if (text != NULL)
		(void)convro->json->parse(ctx, text, packet->json.len, &array);
	if (array != NULL && packet->attachments > 0 &&
	    !placeholders_ok(array, packet->attachments))
		return NULL;
	return array;
}

/* An event's array; NULL when it is none that the protocol allows. */
static const struct convro_node *
read_event(struct convro_ctx *ctx, const struct packet *packet, struct slice *name)
{
	const struct convro_node *array = read_array(ctx, packet), *first;

	*name = (struct slice){ "", 0 };
	if (array == NULL || convro->json->count(array) == 0)
		return NULL;
	first = convro->json->item(array, 0);
	switch (convro->json->type(first)) {
	case CONVRO_NODE_TEXT:
		name->data = convro->json->get_text(first, &name->len);
		return packet_event_name_ok(*name) ? array : NULL;
	case CONVRO_NODE_INT:
	case CONVRO_NODE_DOUBLE:
		return array;
	default:
		return NULL;
	}
}

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
	if (mount->options->event == NULL)
		return;
	reply = socket_reply_new(socket, packet->id);
	if (reply == NULL || !read_args(ctx, packet, array, 1, assembly, &args)) {
		socket_reply(ctx, reply, NULL);
		session_close(ctx, session, GOODBYE_CLOSE, "out of memory");
		return;
	}
	before = socket_enter(ctx, mount);
	mount->options->event(ctx, mount->options->self, socket, name.data, name.len, &args, reply);
	socket_leave(ctx, before);
}

static void
ack(struct convro_ctx *ctx, struct convro_socketio_socket *socket, const struct packet *packet,
    const struct packet_assembly *assembly)
{
	const struct mount_hooks *hooks = socket->session->station->mount->hooks;
	const struct convro_node *array = read_array(ctx, packet);
	struct convro_socketio_args args;

	if (array == NULL || !read_args(ctx, packet, array, 0, assembly, &args))
		session_close(ctx, socket->session, GOODBYE_ERROR, "parse error");
	else if (hooks != NULL)
		hooks->acked(ctx, socket, packet->id_value);
	else
		socket_acked(ctx, socket, packet->id_value, &args);
}

void
socket_packet(struct convro_ctx *ctx, struct session *session, const struct packet *packet,
    const struct packet_assembly *assembly)
{
	struct convro_socketio_socket *socket = socket_find(session, packet->namespace);
	const struct mount_hooks *hooks = session->station->mount->hooks;

	if (packet->type == PACKET_CONNECT) {
		socket_connect(ctx, session, packet);
	} else if (socket == NULL ||
		   (socket->state != SOCKET_CONNECTED && packet->type != PACKET_DISCONNECT)) {
		session_close(ctx, session, GOODBYE_CLOSE, "invalid state");
	} else if (packet->type == PACKET_DISCONNECT) {
		/* The last namespace may have gone, yet the connection stays until the client ends
		 * it. */
		socket_end(ctx, socket, "client namespace disconnect");
		if (hooks != NULL && session->state == SESSION_OPEN)
			wheel_set(&session->station->wheel, &session->limit,
			    convro->timer->now(ctx) + session->station->mount->connect_timeout);
	} else {
		socket_ref(socket);
		if (packet->type == PACKET_EVENT || packet->type == PACKET_BINARY_EVENT)
			event(ctx, socket, packet, assembly);
		else
			ack(ctx, socket, packet, assembly);
		socket_unref(socket);
	}
}

void
raw_message(struct convro_ctx *ctx, struct session *session, bool binary, struct slice data)
{
	const struct mount *mount = session->station->mount;
	const void *before;

	if (mount->options->message == NULL)
		return;
	before = socket_enter(ctx, mount);
	mount->options->message(ctx, mount->options->self, (struct convro_engineio_socket *)session,
	    binary, data.data, data.len);
	socket_leave(ctx, before);
}
