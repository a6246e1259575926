/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service "realtime.v1": a push is written once and brought to every worker
 * that has members, in the order of commits.
 */
#include "push.h"

#include <stdlib.h>

/* The functions of a service get no `self`, so the one mount of the service is found here.  Set in
 * init, cleared in fini. */
static struct mount *mounted;

/* ---- a push ---- */

struct push *
push_new(const struct service *service, int64_t device, const char *event, int64_t cursor,
    struct slice json)
{
	struct push *push = calloc(1, sizeof(*push));

	if (push == NULL)
		return NULL;
	atomic_init(&push->refs, 1);
	push->ack_handler = service_handler(service, event);
	push->device = device;
	push->cursor = cursor;
	text_init(&push->text, 0);
	engineio_begin(&push->text, ENGINEIO_MESSAGE);
	packet_put_event(&push->text, slice_of("/"), (struct slice){ 0 },
	    service_event_name(service, event), json);
	if (!push->text.failed)
		return push;
	push_unref(push);
	return NULL;
}

void
push_ref(struct push *push)
{
	(void)atomic_fetch_add(&push->refs, 1);
}

void
push_unref(struct push *push)
{
	if (atomic_fetch_sub(&push->refs, 1) > 1)
		return;
	if (push->frame != NULL)
		convro->socket->frame_unref(push->frame);
	text_fini(&push->text);
	text_fini(&push->room);
	free(push);
}

/* The text with an ack id behind its type. */
static void
send_with_id(struct convro_ctx *ctx, struct session *session, const struct push *push, uint64_t id)
{
	struct text *out = &session->station->scratch;

	text_clear(out);
	text_put(out, push->text.data, 2);
	text_put_uint(out, id);
	text_put(out, push->text.data + 2, push->text.len - 2);
	if (out->failed)
		session_close(ctx, session, GOODBYE_ERROR, "out of memory");
	else
		session_send(ctx, session, (struct slice){ out->data, out->len });
}

void
push_send(struct convro_ctx *ctx, struct session *session, const struct push *push)
{
	const struct service *service = &session->station->mount->service;
	struct slice packet = { push->text.data, push->text.len };
	uint64_t id;

	if (session->acks && service_ack_id(service, push->ack_handler, push->cursor, &id))
		send_with_id(ctx, session, push, id);
	else if (push->frame != NULL)
		session_send_frame(ctx, session, push->frame, packet);
	else
		session_send(ctx, session, packet);
}

/* ---- delivery ---- */

struct delivery {
	struct convro_ctx *ctx;
	struct push *push;
};

static void
visit(void *who, void *arg)
{
	const struct delivery *delivery = arg;
	struct push *push = delivery->push;
	struct session *session = who;

	if (push->cursor != 0 && push->cursor <= session->last_cursor)
		return; /* the catch-up told it */
	if (session->catch_up == NULL)
		push_send(delivery->ctx, session, push);
	else if (!catch_up_add(session->catch_up, push))
		session_close(delivery->ctx, session, GOODBYE_NONE, "overflow");
}

static void
deliver(struct convro_ctx *ctx, void *arg)
{
	struct push *push = arg;
	struct delivery delivery = { ctx, push };
	struct station *station = &mounted->stations[convro->work->worker(ctx)];
	char name[ROOM_NAME_SIZE];
	struct slice room;

	convro->bus->set_module(ctx, mounted->module);
	if (push->room.len > 0)
		room = (struct slice){ push->room.data, push->room.len };
	else
		room = device_room(push->device, name);
	rooms_each(&station->rooms, room, visit, &delivery);
	push_unref(push);
}

static struct push *
push_to(int64_t device, struct slice room, const char *event, int64_t cursor, struct slice json)
{
	struct push *push = push_new(&mounted->service, device, event, cursor, json);

	if (push == NULL)
		return NULL;
	text_put_slice(&push->room, room);
	if (push->room.failed) {
		push_unref(push);
		return NULL;
	}
	push->frame = convro->socket->frame(push->text.data, push->text.len, 0);
	return push;
}

/* To the device's room, or to the one that is named. */
static void
send_all(struct convro_ctx *ctx, int64_t device, struct slice room, const char *event,
    int64_t cursor, struct slice json)
{
	struct push *push = NULL;

	for (uint32_t i = 0; i < mounted->station_count; i++) {
		struct station *station = &mounted->stations[i];

		if (atomic_load(&station->members) == 0)
			continue;
		if (push == NULL)
			push = push_to(device, room, event, cursor, json);
		if (push != NULL)
			push_ref(push);
		if (push == NULL ||
		    convro->work->post_in_commit_order(ctx, i, deliver, push) != CONVRO_OK) {
			if (push != NULL)
				push_unref(push);
			atomic_store(&station->missed, true);
		}
	}
	if (push != NULL)
		push_unref(push);
}

static void
realtime_push(struct convro_ctx *ctx, int64_t device, const char *event, int64_t cursor,
    const char *json, size_t len)
{
	send_all(ctx, device, (struct slice){ 0 }, event, cursor, (struct slice){ json, len });
}

static void
realtime_push_room(struct convro_ctx *ctx, const char *room, size_t room_len, const char *event,
    const char *json, size_t len)
{
	send_all(ctx, 0, (struct slice){ room, room_len }, event, 0, (struct slice){ json, len });
}

/* ---- who is there ---- */

void
presence_count(struct mount *mount, struct slice room, int by)
{
	/* The key of any one table will do for all workers. */
	uint64_t hash = table_hash(&mount->stations[0].rooms.table, room);

	(void)atomic_fetch_add(&mount->presence[hash % PRESENCE_SLOTS], (uint32_t)by);
}

static int
realtime_has_members(struct convro_ctx *ctx, const char *room, size_t len)
{
	uint64_t hash = table_hash(&mounted->stations[0].rooms.table, (struct slice){ room, len });

	(void)ctx;
	return atomic_load(&mounted->presence[hash % PRESENCE_SLOTS]) != 0;
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
