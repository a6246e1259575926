/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connection state recovery.  See recovery.h.
 */
#include "recovery.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define TAG_LEN    8
#define AWAY_BYTES 256 /* what is counted for one who is away, beside the rooms */

struct recovery {
	pthread_mutex_t lock;
	char tag[SID_LEN]; /* of offsets; TAG_LEN of it are used */
	struct ring log;   /* struct logged, ascending */
	uint64_t last;     /* number of the newest event */
	uint64_t dropped;  /* number of the newest event that is not kept any more */
	size_t log_bytes;
	struct table by_pid;
	struct ring away; /* struct away, in the order of leaving */
	size_t away_bytes;
	size_t most_bytes; /* of each of the two */
	int64_t most_ms;
};

struct away {
	struct table_node node;
	struct ring link;
	int64_t since;
	uint64_t written; /* number of the last event that was written to it */
	uint64_t last;    /* the log's, then */
	const char *namespace;
	char id[SID_LEN], pid[SID_LEN];
	size_t bytes;
	struct text rooms; /* each with its length before it */
};

/* ---- events ---- */

static bool
copy_attachments(struct logged *event, const struct convro_socketio_args *args)
{
	struct convro_socketio_attachment *copies;

	if (args == NULL || args->attachment_count == 0)
		return true;
	copies = calloc(args->attachment_count, sizeof(*copies));
	event->args.attachments = copies;
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
		event->args.attachment_count++;
		event->bytes += len;
	}
	return true;
}

struct logged *
logged_new(const char *namespace, struct slice room, const struct convro_socketio_args *args)
{
	struct logged *event = calloc(1, sizeof(*event));

	if (event == NULL)
		return NULL;
	atomic_init(&event->refs, 1);
	ring_init(&event->link);
	if (guest_room(namespace, room, &event->room) && copy_attachments(event, args))
		return event;
	logged_unref(event);
	return NULL;
}

void
logged_write(struct logged *event, const char *namespace, const char *name,
    const struct convro_socketio_args *args, struct slice offset)
{
	guest_put_event(&event->text, namespace, (struct slice){ 0 }, name, args, offset);
	event->bytes += sizeof(*event) + event->room.len + event->text.len;
}

void
logged_ref(struct logged *event)
{
	(void)atomic_fetch_add(&event->refs, 1);
}

void
logged_unref(struct logged *event)
{
	if (atomic_fetch_sub(&event->refs, 1) > 1)
		return;
	for (uint32_t i = 0; i < event->args.attachment_count; i++)
		free((void *)(uintptr_t)event->args.attachments[i].data);
	free((void *)(uintptr_t)event->args.attachments);
	text_fini(&event->room);
	text_fini(&event->text);
	free(event);
}

/* ---- life ---- */

struct recovery *
recovery_new(const struct convro_socketio_options *options)
{
	struct recovery *recovery = calloc(1, sizeof(*recovery));

	if (recovery == NULL)
		return NULL;
	ring_init(&recovery->log);
	ring_init(&recovery->away);
	recovery->most_bytes = options->recovery_bytes;
	recovery->most_ms = options->recovery_ms;
	if (random_id(recovery->tag) && table_init(&recovery->by_pid) &&
	    pthread_mutex_init(&recovery->lock, NULL) == 0)
		return recovery;
	free(recovery);
	return NULL;
}

static void
forget_event(struct recovery *recovery, struct logged *event)
{
	recovery->dropped = event->number;
	recovery->log_bytes -= event->bytes;
	ring_remove(&event->link);
	logged_unref(event);
}

static void
forget_away(struct recovery *recovery, struct away *away)
{
	table_remove(&recovery->by_pid, &away->node);
	ring_remove(&away->link);
	recovery->away_bytes -= away->bytes;
	text_fini(&away->rooms);
	free(away);
}

/* What is too old or too much. */
static void
trim(struct recovery *recovery, int64_t now)
{
	while (!ring_is_empty(&recovery->log)) {
		struct logged *event = RING_ENTRY(recovery->log.next, struct logged, link);

		if (now - event->at <= recovery->most_ms &&
		    recovery->log_bytes <= recovery->most_bytes)
			break;
		forget_event(recovery, event);
	}
	while (!ring_is_empty(&recovery->away)) {
		struct away *away = RING_ENTRY(recovery->away.next, struct away, link);

		if (now - away->since <= recovery->most_ms &&
		    recovery->away_bytes <= recovery->most_bytes)
			break;
		forget_away(recovery, away);
	}
}

void
recovery_free(struct recovery *recovery)
{
	if (recovery == NULL)
		return;
	recovery->most_ms = -1;
	trim(recovery, 0);
	while (!ring_is_empty(&recovery->log))
		forget_event(recovery, RING_ENTRY(recovery->log.next, struct logged, link));
	while (!ring_is_empty(&recovery->away))
		forget_away(recovery, RING_ENTRY(recovery->away.next, struct away, link));
	table_fini(&recovery->by_pid);
	(void)pthread_mutex_destroy(&recovery->lock);
	free(recovery);
}

/* ---- the log ---- */

void
recovery_log(struct convro_ctx *ctx, struct recovery *recovery, struct logged *event,
    const char *namespace, const char *name, const struct convro_socketio_args *args)
{
	char offset[OFFSET_SIZE];
	int len;

	(void)pthread_mutex_lock(&recovery->lock);
	event->number = ++recovery->last;
	event->at = convro->timer->now(ctx);
	len = snprintf(offset, sizeof(offset), "%.*s%llu", TAG_LEN, recovery->tag,
	    (unsigned long long)event->number);
	logged_write(event, namespace, name, args, (struct slice){ offset, (size_t)len });
	logged_ref(event);
	ring_push(&recovery->log, &event->link);
	recovery->log_bytes += event->bytes;
	trim(recovery, event->at);
	(void)pthread_mutex_unlock(&recovery->lock);
}

/* ---- leaving ---- */

static bool
is_recoverable(const char *why)
{
	static const char *const final[] = { "client namespace disconnect",
		"server namespace disconnect", "parse error", "invalid state" };

	for (size_t i = 0; i < sizeof(final) / sizeof(final[0]); i++)
		if (strcmp(why, final[i]) == 0)
			return false;
	return true;
}

void
recovery_save(struct convro_ctx *ctx, struct recovery *recovery,
    const struct convro_socketio_socket *socket, const char *why)
{
	struct away *away = is_recoverable(why) ? calloc(1, sizeof(*away)) : NULL;

	if (away == NULL)
		return;
	away->since = convro->timer->now(ctx);
	away->written = socket->written;
	away->namespace = socket->namespace;
	memcpy(away->id, socket->id, SID_LEN);
	memcpy(away->pid, socket->pid, SID_LEN);
	for (struct ring *at = socket->rooms.next; at != &socket->rooms; at = at->next) {
		struct slice name = room_name(RING_ENTRY(at, struct room_member, of_who));

		text_put(&away->rooms, &name.len, sizeof(name.len));
		text_put_slice(&away->rooms, name);
	}
	away->bytes = AWAY_BYTES + away->rooms.len;
	(void)pthread_mutex_lock(&recovery->lock);
	away->last = recovery->last;
	if (away->rooms.failed ||
	    !table_add(&recovery->by_pid, &away->node,
		table_hash(&recovery->by_pid, (struct slice){ away->pid, SID_LEN }))) {
		text_fini(&away->rooms);
		free(away);
	} else {
		ring_push(&recovery->away, &away->link);
		recovery->away_bytes += away->bytes;
		trim(recovery, away->since);
	}
	(void)pthread_mutex_unlock(&recovery->lock);
}

/* ---- coming back ---- */

static struct slice
text_member(const struct convro_node *auth, const char *name)
{
	const struct convro_node *node = auth != NULL ? convro->json->member(auth, name) : NULL;
	struct slice text = { 0 };

	if (node != NULL)
		text.data = convro->json->get_text(node, &text.len);
	return text.data != NULL ? text : (struct slice){ 0 };
}

static struct away *
find(struct recovery *recovery, struct slice pid)
{
	struct table_node *node = table_find(&recovery->by_pid, table_hash(&recovery->by_pid, pid));

	for (; node != NULL; node = table_find_next(node)) {
		struct away *away = (struct away *)(void *)node;

		if (same_id(away->pid, pid.data))
			return away;
	}
	return NULL;
}

/* The number of the last event that the client has, as far as it can be known. */
static uint64_t
position(const struct recovery *recovery, const struct away *away, struct slice offset)
{
	uint64_t number = 0;

	if (offset.len <= TAG_LEN || offset.len > TAG_LEN + 18 ||
	    memcmp(offset.data, recovery->tag, TAG_LEN) != 0)
		return away->written;
	for (size_t i = TAG_LEN; i < offset.len; i++) {
		if (offset.data[i] < '0' || offset.data[i] > '9')
			return away->written;
		number = number * 10 + (uint64_t)(offset.data[i] - '0');
	}
	return number < away->written ? number : away->written;
}

/* The next room of those that were kept; false at the end. */
static bool
next_room(const struct text *rooms, size_t *at, struct slice *out)
{
	if (*at >= rooms->len)
		return false;
	memcpy(&out->len, rooms->data + *at, sizeof(out->len));
	out->data = rooms->data + *at + sizeof(out->len);
	*at += sizeof(out->len) + out->len;
	return true;
}

static bool
concerns(const struct logged *event, const struct away *away)
{
	struct slice name;

	if (memcmp(event->except, away->id, SID_LEN) == 0)
		return false;
	for (size_t at = 0; next_room(&away->rooms, &at, &name);)
		if (slice_equal(name, (struct slice){ event->room.data, event->room.len }))
			return true;
	return false;
}

static struct recovered *
collect(struct recovery *recovery, const struct away *away, uint64_t after)
{
	struct recovered *recovered;
	size_t most = 0;

	for (const struct ring *at = recovery->log.next; at != &recovery->log; at = at->next)
		most++;
	recovered = malloc(sizeof(*recovered) + most * sizeof(struct logged *));
	if (recovered == NULL)
		return NULL;
	recovered->count = 0;
	for (struct ring *at = recovery->log.next; at != &recovery->log; at = at->next) {
		struct logged *event = RING_ENTRY(at, struct logged, link);

		if (event->number <= after || !concerns(event, away))
			continue;
		logged_ref(event);
		recovered->events[recovered->count++] = event;
	}
	return recovered;
}

static bool
move_in(struct convro_socketio_socket *socket, const struct away *away)
{
	struct slice name;

	for (size_t at = 0; next_room(&away->rooms, &at, &name);) {
		if (!rooms_join(&socket->session->station->rooms, name, &socket->rooms, socket)) {
			rooms_leave_all(&socket->session->station->rooms, &socket->rooms);
			return false;
		}
	}
	memcpy(socket->id, away->id, SID_LEN);
	memcpy(socket->pid, away->pid, SID_LEN);
	return true;
}

static struct recovered *
take(struct recovery *recovery, struct convro_socketio_socket *socket, struct slice pid,
    struct slice offset)
{
	struct away *away = find(recovery, pid);
	struct recovered *recovered = NULL;
	uint64_t after;

	if (away == NULL || strcmp(away->namespace, socket->namespace) != 0)
		return NULL;
	after = position(recovery, away, offset);
	/* One who had everything when it left has missed nothing before that. */
	if (recovery->dropped <= (after == away->written ? away->last : after))
		recovered = collect(recovery, away, after);
	if (recovered != NULL && !move_in(socket, away)) {
		recovered_free(recovered);
		recovered = NULL;
	}
	if (recovered == NULL)
		return NULL;
	socket->written = after;
	socket->restored = recovery->last;
	forget_away(recovery, away);
	return recovered;
}

struct recovered *
recovery_take(struct convro_ctx *ctx, struct recovery *recovery,
    struct convro_socketio_socket *socket, const struct convro_node *auth)
{
	struct slice pid = text_member(auth, "pid");
	struct recovered *recovered;

	if (pid.len != SID_LEN)
		return NULL;
	(void)pthread_mutex_lock(&recovery->lock);
	trim(recovery, convro->timer->now(ctx));
	recovered = take(recovery, socket, pid, text_member(auth, "offset"));
	(void)pthread_mutex_unlock(&recovery->lock);
	return recovered;
}

void
recovered_free(struct recovered *recovered)
{
	if (recovered == NULL)
		return;
	for (uint32_t i = 0; i < recovered->count; i++)
		logged_unref(recovered->events[i]);
	free(recovered);
}
