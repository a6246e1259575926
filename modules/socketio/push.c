/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From whoever says something to the members of a room.  Without recovery a push
 * is posted to every worker that has sockets.  With it, it goes into the log, and
 * each worker takes from there what it has not seen: so all of them see the same
 * order, which is that of the offsets.
 */
#include "push.h"

#include "recovery.h"
#include "socket.h"

#include <stdlib.h>

#define BATCH 64u /* taken from the log at once */

/* ---- a push ---- */

static bool
copy_attachments(struct push *push, const struct convro_socketio_args *args)
{
	struct convro_socketio_attachment *copies;

	if (args == NULL || args->attachment_count == 0)
		return true;
	copies = calloc(args->attachment_count, sizeof(*copies));
	push->args.attachments = copies;
	if (copies == NULL)
		return false;
	for (uint32_t i = 0; i < args->attachment_count; i++) {
		size_t len = args->attachments[i].len;
		void *bytes = malloc(len > 0 ? len : 1);

		if (bytes == NULL)
			return false;
		if (len > 0)
			memcpy(bytes, args->attachments[i].data, len);
		copies[i] = (struct convro_socketio_attachment){ bytes, len };
		push->args.attachment_count++;
		push->bytes += len;
	}
	return true;
}

static bool
ends_in_text(const struct convro_socketio_args *args)
{
	size_t len = args != NULL ? args->len : 0;

	while (len > 0 && strchr(" \t\r\n", args->json[len - 1]) != NULL)
		len--;
	return len > 0 && args->json[len - 1] == '"';
}

struct push *
push_make(struct mount *mount, const char *namespace, struct slice room, struct slice name,
    const struct convro_socketio_args *args)
{
	struct push *push = calloc(1, sizeof(*push));

	if (push == NULL)
		return NULL;
	atomic_init(&push->refs, 1);
	ring_init(&push->link);
	push->mount = mount;
	push->ends_in_text = ends_in_text(args);
	engineio_begin(&push->text, ENGINEIO_MESSAGE);
	packet_put_open_event(&push->text, slice_of(namespace), (struct slice){ 0 }, name,
	    args != NULL ? args->attachment_count : 0,
	    args != NULL ? (struct slice){ args->json, args->len } : (struct slice){ 0 });
	push->plain_len = push->text.len;
	if (socket_room(namespace, room, &push->room) && copy_attachments(push, args) &&
	    !push->text.failed)
		return push;
	push_unref(push);
	return NULL;
}

bool
push_finish(struct push *push, struct slice offset)
{
	if (offset.len > 0) {
		text_putc(&push->text, ',');
		text_put_json_string(&push->text, offset);
	}
	text_putc(&push->text, ']');
	push->bytes += sizeof(*push) + push->room.len + push->text.len;
	return !push->text.failed;
}

void
push_frame(struct push *push)
{
	push->frame = convro->socket->frame(push->text.data, push->text.len, 0);
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
	for (uint32_t i = 0; i < push->args.attachment_count; i++)
		free((void *)(uintptr_t)push->args.attachments[i].data);
	free((void *)(uintptr_t)push->args.attachments);
	text_fini(&push->room);
	text_fini(&push->text);
	free(push);
}

/* ---- to one client ---- */

/* The text with an ack id behind its type, and without an offset. */
static void
write_with_id(struct convro_ctx *ctx, struct session *session, const struct push *push, uint64_t id)
{
	struct text *out = &session->station->scratch;

	text_clear(out);
	text_put(out, push->text.data, 2);
	text_put_uint(out, id);
	text_put(out, push->text.data + 2, push->plain_len - 2);
	text_putc(out, ']');
	if (out->failed)
		session_close(ctx, session, GOODBYE_ERROR, "out of memory");
	else
		session_send(ctx, session, (struct slice){ out->data, out->len });
}

void
push_write(struct convro_ctx *ctx, struct convro_socketio_socket *socket, const struct push *push)
{
	struct session *session = socket->session;
	const struct mount_hooks *hooks = session->station->mount->hooks;
	struct slice packet = { push->text.data, push->text.len };
	uint64_t id;

	bool wants_ack;

	if (push->is_volatile && !session_is_writable(session))
		return;
	socket_ref(socket); /* it may end here, and the session with it */
	wants_ack = hooks != NULL && hooks->ack_id(socket, push, &id);
	if (wants_ack)
		write_with_id(ctx, session, push, id);
	else if (push->frame != NULL)
		session_send_frame(ctx, session, push->frame, packet);
	else
		session_send(ctx, session, packet);
	socket_send_attachments(ctx, session, &push->args);
	if (socket->recovery != NULL)
		recovery_wrote(socket, push, wants_ack);
	socket_unref(socket);
}

/* ---- to a worker's sockets ---- */

struct delivery {
	struct convro_ctx *ctx;
	struct push *push;
};

static void
tell_member(void *who, void *arg)
{
	const struct delivery *delivery = arg;
	struct push *push = delivery->push;
	struct convro_socketio_socket *socket = who;
	const struct mount_hooks *hooks = push->mount->hooks;

	if (socket->state == SOCKET_GONE || memcmp(socket->id, push->except, SID_LEN) == 0)
		return;
	if (push->number > 0 && push->number <= socket->recovery->restored)
		return; /* it was told when it came back */
	if (hooks != NULL && hooks->hold(delivery->ctx, socket, push))
		return;
	if (socket->state == SOCKET_CONNECTED)
		push_write(delivery->ctx, socket, push);
}

static void
deliver(struct convro_ctx *ctx, struct station *station, struct push *push)
{
	struct delivery delivery = { ctx, push };

	rooms_each(&station->rooms, (struct slice){ push->room.data, push->room.len }, tell_member,
	    &delivery);
}

static void
arrived(struct convro_ctx *ctx, void *arg)
{
	struct push *push = arg;
	struct mount *mount = push->mount;

	convro->bus->set_module(ctx, mount->module);
	deliver(ctx, &mount->stations[convro->work->worker(ctx)], push);
	push_unref(push);
}

/* ---- through the log ---- */

void
station_deliver(struct convro_ctx *ctx, struct station *station)
{
	struct push *batch[BATCH];
	uint32_t count;

	if (station->delivering)
		return; /* whoever is at it will see the rest */
	station->delivering = true;
	do {
		count = recovery_read(station->mount->recovery, station, batch, BATCH);
		for (uint32_t i = 0; i < count; i++) {
			deliver(ctx, station, batch[i]);
			push_unref(batch[i]);
		}
	} while (count > 0);
	station->delivering = false;
}

static void
woken(struct convro_ctx *ctx, void *arg)
{
	struct station *station = arg;

	convro->bus->set_module(ctx, station->mount->module);
	atomic_store(&station->woken, false); /* before looking: who comes later posts again */
	station_deliver(ctx, station);
}

/* One that cannot be woken looks by itself at the next tick. */
static void
wake_others(struct convro_ctx *ctx, struct mount *mount, uint32_t here)
{
	for (uint32_t i = 0; i < mount->station_count; i++) {
		struct station *station = &mount->stations[i];

		if (i != here && !atomic_exchange(&station->woken, true) &&
		    convro->work->post(ctx, i, woken, station) != CONVRO_OK)
			atomic_store(&station->woken, false);
	}
}

/* Takes the reference. */
static void
through_log(struct convro_ctx *ctx, struct push *push)
{
	struct mount *mount = push->mount;
	uint32_t here = convro->work->worker(ctx);

	if (recovery_log(ctx, mount->recovery, push)) {
		station_deliver(ctx, &mount->stations[here]);
		wake_others(ctx, mount, here);
	} else {
		push_missed(mount);
	}
	push_unref(push);
}

static void
ordered(struct convro_ctx *ctx, void *arg)
{
	struct push *push = arg;

	convro->bus->set_module(ctx, push->mount->module);
	through_log(ctx, push);
}

/* ---- to all workers ---- */

void
push_missed(struct mount *mount)
{
	if (mount->recovery != NULL)
		recovery_gap(mount->recovery);
	for (uint32_t i = 0; i < mount->station_count; i++)
		atomic_store(&mount->stations[i].missed, true);
}

typedef enum convro_status
poster(struct convro_ctx *ctx, uint32_t worker, convro_task *task, void *arg);

static void
post_to(struct convro_ctx *ctx, struct push *push, uint32_t worker, poster *by)
{
	struct station *station = &push->mount->stations[worker];

	if (atomic_load(&station->members) == 0)
		return;
	push_ref(push);
	if (by(ctx, worker, arrived, push) == CONVRO_OK)
		return;
	push_unref(push);
	atomic_store(&station->missed, true);
}

void
push_spread(struct convro_ctx *ctx, struct push *push)
{
	struct mount *mount = push->mount;
	const void *caller = convro->bus->module(ctx);
	uint32_t here = convro->work->worker(ctx);

	convro->bus->set_module(ctx, mount->module);
	if (mount->recovery != NULL && !push->is_volatile) {
		through_log(ctx, push);
	} else if (push_finish(push, (struct slice){ 0 })) {
		push_frame(push);
		deliver(ctx, &mount->stations[here], push);
		for (uint32_t i = 0; i < mount->station_count; i++)
			if (i != here)
				post_to(ctx, push, i, convro->work->post);
		push_unref(push);
	} else {
		push_missed(mount);
		push_unref(push);
	}
	convro->bus->set_module(ctx, caller);
}

void
push_spread_in_commit_order(
    struct convro_ctx *ctx, struct mount *mount, struct push *push, uint64_t key)
{
	uint32_t worker = (uint32_t)(key % mount->station_count);

	if (push == NULL) {
		push_missed(mount);
	} else if (mount->recovery != NULL) {
		/* One worker a key, so that the order of commits is that of the log. */
		if (convro->work->post_in_commit_order(ctx, worker, ordered, push) == CONVRO_OK)
			return;
		push_missed(mount);
		push_unref(push);
	} else {
		if (push_finish(push, (struct slice){ 0 })) {
			push_frame(push);
			for (uint32_t i = 0; i < mount->station_count; i++)
				post_to(ctx, push, i, convro->work->post_in_commit_order);
		} else {
			push_missed(mount);
		}
		push_unref(push);
	}
}
