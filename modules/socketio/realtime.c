/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service "realtime.v1": what other modules tell clients, and hear of them.
 */
#include "client.h"

#include <stdio.h>

/* The functions of a service get no `self`, so the one mount of the service is found here.  Set in
 * init, cleared in fini. */
static struct mount *mounted;

/* ---- pushes ---- */

struct push *
client_push_new(
    struct mount *mount, struct slice room, const char *event, int64_t cursor, struct slice json)
{
	const struct convro_socketio_args args = { .json = json.data, .len = json.len };
	struct push *push =
	    push_make(mount, "/", room, service_event_name(&mount->service, event), &args);

	if (push == NULL)
		return NULL;
	push->ack_handler = service_handler(&mount->service, event);
	push->cursor = cursor;
	return push;
}

bool
client_ack_id(const struct convro_socketio_socket *socket, const struct push *push, uint64_t *out)
{
	const struct client *client = (const struct client *)socket;

	return client->acks &&
	       service_ack_id(&push->mount->service, push->ack_handler, push->cursor, out);
}

bool
client_hold(struct convro_ctx *ctx, struct convro_socketio_socket *socket, struct push *push)
{
	struct client *client = client_of(socket);

	if (push->cursor != 0 && push->cursor <= client->last_cursor)
		return true; /* the catch-up told it */
	if (client->catch_up == NULL)
		return false;
	if (!catch_up_add(client->catch_up, push))
		session_close(ctx, socket->session, GOODBYE_NONE, "overflow");
	return true;
}

static bool
is_empty(struct slice room)
{
	char name[2 + PACKET_MAX_NAMESPACE];
	int len = snprintf(name, sizeof(name), "/,%.*s", (int)room.len, room.data);

	if ((size_t)len >= sizeof(name))
		return false; /* it may be */
	/* The key of any one table will do for all workers. */
	return atomic_load(rooms_presence(
		   &mounted->stations[0].rooms, (struct slice){ name, (size_t)len })) == 0;
}

/* A device's room gives the device, any other one what stands for it. */
static uint64_t
key_of(struct slice room)
{
	char text[ROOM_NAME_SIZE];
	unsigned long long device;

	if (room.len == ROOM_NAME_SIZE - 1) {
		memcpy(text, room.data, room.len);
		text[room.len] = '\0';
		if (sscanf(text, "device:%16llx", &device) == 1)
			return device;
	}
	return table_hash(&mounted->stations[0].rooms.table, room);
}

/* A room in which nobody is, or was of those who may come back, costs nothing. */
static void
send_to(struct convro_ctx *ctx, struct slice room, uint64_t key, const char *event, int64_t cursor,
    struct slice json)
{
	if (is_empty(room))
		return;
	push_spread_in_commit_order(
	    ctx, mounted, client_push_new(mounted, room, event, cursor, json), key);
}

static void
realtime_push(struct convro_ctx *ctx, int64_t device, const char *event, int64_t cursor,
    const char *json, size_t len)
{
	char name[ROOM_NAME_SIZE];

	send_to(ctx, device_room(device, name), (uint64_t)device, event, cursor,
	    (struct slice){ json, len });
}

static void
realtime_push_room(struct convro_ctx *ctx, const char *room, size_t room_len, const char *event,
    const char *json, size_t len)
{
	struct slice name = { room, room_len };

	/* A device's room has the key of the device, so that what it is told stays in order. */
	send_to(ctx, name, key_of(name), event, 0, (struct slice){ json, len });
}

static int
realtime_has_members(struct convro_ctx *ctx, const char *room, size_t len)
{
	(void)ctx;
	return !is_empty((struct slice){ room, len });
}

/* ---- registration ---- */

static void
realtime_add_source(struct convro_ctx *ctx, const struct convro_realtime_source *source)
{
	service_add_source(&mounted->service, convro->bus->module(ctx), source);
}

static void
realtime_on_ack(struct convro_ctx *ctx, const char *event, convro_pushed_ack *function, void *self)
{
	service_add_handler(&mounted->service, convro->bus->module(ctx), event, function, self);
}

static void
realtime_on_event(
    struct convro_ctx *ctx, const char *event, convro_client_event *function, void *self)
{
	service_add_event(&mounted->service, convro->bus->module(ctx), event, function, self);
}

const struct convro_realtime realtime_table = {
	.size = sizeof(struct convro_realtime),
	.push = realtime_push,
	.add_source = realtime_add_source,
	.on_ack = realtime_on_ack,
	.emit = catch_up_emit,
	.page_done = catch_up_page_done,
	.on_event = realtime_on_event,
	.answer = client_reply,
	.has_members = realtime_has_members,
	.push_room = realtime_push_room,
};

void
realtime_mount(struct mount *mount)
{
	mounted = mount;
}
