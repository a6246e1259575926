/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a guest's sockets are told: one by one, and in rooms on every worker.
 */
#include "guest.h"

#include "recovery.h"

#include <stdlib.h>

void
guest_put_event(struct text *out, const char *namespace, struct slice id, const char *name,
    const struct convro_socketio_args *args, struct slice offset)
{
	uint32_t attachments = args != NULL ? args->attachment_count : 0;

	engineio_begin(out, ENGINEIO_MESSAGE);
	packet_put_head(out, attachments > 0 ? PACKET_BINARY_EVENT : PACKET_EVENT, attachments,
	    slice_of(namespace), id);
	text_putc(out, '[');
	text_put_json_string(out, slice_of(name));
	if (args != NULL && args->len > 0) {
		text_putc(out, ',');
		text_put(out, args->json, args->len);
	}
	if (offset.len > 0) {
		text_putc(out, ',');
		text_put_json_string(out, offset);
	}
	text_putc(out, ']');
}

void
guest_send(struct convro_ctx *ctx, struct session *session, struct slice packet,
    const struct convro_socketio_args *args)
{
	session_send(ctx, session, packet);
	for (uint32_t i = 0; args != NULL && i < args->attachment_count; i++)
		session_send_binary(ctx, session,
		    (struct slice){ args->attachments[i].data, args->attachments[i].len });
}

void
guest_emit(struct convro_ctx *ctx, struct convro_socketio_socket *socket, const char *name,
    const struct convro_socketio_args *args)
{
	struct session *session = socket->session;
	struct text out = { 0 };

	if (socket->gone)
		return;
	if (session->station->mount->recovery != NULL) {
		/* Through the log, so that it can be told again. */
		guest_emit_room(ctx, session->station->mount->face, socket->namespace, socket->id,
		    SID_LEN, NULL, name, args);
		return;
	}
	guest_put_event(
	    &out, socket->namespace, (struct slice){ 0 }, name, args, (struct slice){ 0 });
	if (out.failed)
		session_close(ctx, session, GOODBYE_CLOSE, "out of memory");
	else
		guest_send(ctx, session, (struct slice){ out.data, out.len }, args);
	text_fini(&out);
}

/* ---- rooms ---- */

/* One event on its way to all workers. */
struct broadcast {
	struct mount *mount;
	struct logged *event; /* a reference */
};

struct visit {
	struct convro_ctx *ctx;
	struct logged *event;
};

void
logged_send(struct convro_ctx *ctx, struct convro_socketio_socket *socket, struct logged *event)
{
	socket->written = event->number;
	guest_send(ctx, socket->session, (struct slice){ event->text.data, event->text.len },
	    &event->args);
}

static void
visit(void *who, void *arg)
{
	const struct visit *visit = arg;
	struct convro_socketio_socket *socket = who;

	if (socket->gone || (visit->event->number > 0 && visit->event->number <= socket->restored))
		return;
	if (memcmp(socket->id, visit->event->except, SID_LEN) != 0)
		logged_send(visit->ctx, socket, visit->event);
}

static void
deliver(struct convro_ctx *ctx, struct mount *mount, struct logged *event)
{
	struct visit arg = { ctx, event };
	struct rooms *rooms = &mount->stations[convro->work->worker(ctx)].rooms;

	rooms_each(rooms, (struct slice){ event->room.data, event->room.len }, visit, &arg);
}

static void
arrived(struct convro_ctx *ctx, void *arg)
{
	struct broadcast *broadcast = arg;

	convro->bus->set_module(ctx, broadcast->mount->module);
	deliver(ctx, broadcast->mount, broadcast->event);
	logged_unref(broadcast->event);
	free(broadcast);
}

static void
post(struct convro_ctx *ctx, struct mount *mount, uint32_t worker, struct logged *event)
{
	struct broadcast *broadcast = malloc(sizeof(*broadcast));

	if (broadcast != NULL) {
		*broadcast = (struct broadcast){ mount, event };
		logged_ref(event);
		if (convro->work->post(ctx, worker, arrived, broadcast) == CONVRO_OK)
			return;
		logged_unref(event);
		free(broadcast);
	}
	atomic_store(&mount->stations[worker].missed, true);
}

void
guest_emit_room(struct convro_ctx *ctx, struct convro_socketio_mount *face, const char *namespace,
    const char *room, size_t room_len, const struct convro_socketio_socket *except,
    const char *name, const struct convro_socketio_args *args)
{
	struct mount *mount = face->mount;
	const void *caller = convro->bus->module(ctx);
	uint32_t here = convro->work->worker(ctx);
	struct logged *event = logged_new(namespace, (struct slice){ room, room_len }, args);

	if (event != NULL && except != NULL)
		memcpy(event->except, except->id, SID_LEN);
	if (event != NULL && mount->recovery != NULL)
		recovery_log(ctx, mount->recovery, event, namespace, name, args);
	else if (event != NULL)
		logged_write(event, namespace, name, args, (struct slice){ 0 });
	if (event == NULL || event->text.failed) {
		if (event != NULL)
			logged_unref(event);
		for (uint32_t i = 0; i < mount->station_count; i++)
			atomic_store(&mount->stations[i].missed, true);
		return;
	}
	convro->bus->set_module(ctx, mount->module);
	deliver(ctx, mount, event);
	for (uint32_t i = 0; i < mount->station_count; i++)
		if (i != here)
			post(ctx, mount, i, event);
	convro->bus->set_module(ctx, caller);
	logged_unref(event);
}
