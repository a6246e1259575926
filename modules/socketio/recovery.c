/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connection state recovery: who is away, and how they come back.  See
 * recovery.h.
 */
#include "recovery_log.h"

#include <stdio.h>
#include <stdlib.h>

#define AWAY_BYTES (sizeof(struct away) + 64) /* counted beside the rooms */

struct away {
	struct table_node node; /* by pid */
	struct ring link;
	int64_t since;
	uint64_t seen; /* number of the last event that had come to its worker */
	const char *namespace;
	struct socket_recovery state;
	char id[SID_LEN];
	size_t bytes;
	struct text rooms; /* each with its length before it */
};

/* ---- life ---- */

struct recovery *
recovery_new(struct mount *mount, uint32_t most_ms, size_t most_bytes)
{
	struct recovery *recovery = calloc(1, sizeof(*recovery));

	if (recovery == NULL)
		return NULL;
	ring_init(&recovery->log);
	ring_init(&recovery->away);
	recovery->mount = mount;
	recovery->most_bytes = most_bytes;
	recovery->most_ms = most_ms;
	if (random_id(recovery->tag) && table_init(&recovery->by_pid) &&
	    pthread_mutex_init(&recovery->lock, NULL) == 0)
		return recovery;
	free(recovery);
	return NULL;
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

/* Rooms of those who are away count as if they were in. */
static void
count_rooms(const struct recovery *recovery, const struct away *away, int by)
{
	struct slice name;

	for (size_t at = 0; next_room(&away->rooms, &at, &name);)
		(void)atomic_fetch_add(
		    rooms_presence(&recovery->mount->stations[0].rooms, name), (uint32_t)by);
}

static void
away_free(struct away *away)
{
	text_fini(&away->rooms);
	free(away);
}

static void
forget_away(struct recovery *recovery, struct away *away)
{
	count_rooms(recovery, away, -1);
	table_remove(&recovery->by_pid, &away->node);
	ring_remove(&away->link);
	recovery->away_bytes -= away->bytes;
	away_free(away);
}

/* What is too old or too much. */
static void
trim(struct recovery *recovery, int64_t now)
{
	log_trim(recovery, now);
	while (!ring_is_empty(&recovery->away)) {
		struct away *away = RING_ENTRY(recovery->away.next, struct away, link);

		if (now - away->since <= recovery->most_ms &&
		    recovery->away_bytes <= recovery->most_bytes)
			break;
		forget_away(recovery, away);
	}
}

void
recovery_trim(struct convro_ctx *ctx, struct recovery *recovery)
{
	(void)pthread_mutex_lock(&recovery->lock);
	trim(recovery, convro->timer->now(ctx));
	(void)pthread_mutex_unlock(&recovery->lock);
}

void
recovery_free(struct recovery *recovery)
{
	if (recovery == NULL)
		return;
	log_free(recovery);
	while (!ring_is_empty(&recovery->away))
		forget_away(recovery, RING_ENTRY(recovery->away.next, struct away, link));
	table_fini(&recovery->by_pid);
	(void)pthread_mutex_destroy(&recovery->lock);
	free(recovery);
}

/* ---- a socket's part ---- */

struct socket_recovery *
recovery_begin(struct station *station)
{
	struct socket_recovery *state = calloc(1, sizeof(*state));

	if (state == NULL)
		return NULL;
	if (!random_id(state->pid)) {
		free(state);
		return NULL;
	}
	state->started = state->written = station->taken; /* only this worker raises it */
	return state;
}

/* Never 0. */
static uint64_t
hash_of(const struct recovery *recovery, struct slice offset)
{
	return table_hash(&recovery->by_pid, offset) | 1;
}

void
recovery_fresh(struct convro_socketio_socket *socket, struct slice offset)
{
	if (offset.len > 0)
		socket->recovery->came_with =
		    hash_of(socket->session->station->mount->recovery, offset);
}

struct slice
recovery_catch_up_offset(struct convro_socketio_socket *socket, char out[OFFSET_SIZE])
{
	const struct recovery *recovery = socket->session->station->mount->recovery;
	struct socket_recovery *state = socket->recovery;
	int len;

	/* Not what tells how things are, which is not missed. */
	if (state->after >= 0 && state->is_unfinished)
		state->told++;
	len = snprintf(out, OFFSET_SIZE, "%.*s%llu.%lu", TAG_LEN, recovery->tag,
	    (unsigned long long)state->started, (unsigned long)state->told);

	return (struct slice){ out, (size_t)len };
}

/* ---- leaving ---- */

static bool
is_recoverable(const char *why)
{
	static const char *const final[] = { "client namespace disconnect",
		"server namespace disconnect", "parse error", "invalid state", "token revoked",
		"token expired", "newer connection", "out of memory", "catch-up failed" };

	for (size_t i = 0; i < sizeof(final) / sizeof(final[0]); i++)
		if (strcmp(why, final[i]) == 0)
			return false;
	return true;
}

static struct away *
away_new(struct convro_ctx *ctx, const struct convro_socketio_socket *socket)
{
	struct away *away = calloc(1, sizeof(*away));

	if (away == NULL)
		return NULL;
	away->since = convro->timer->now(ctx);
	away->namespace = socket->namespace;
	away->state = *socket->recovery;
	memcpy(away->id, socket->id, SID_LEN);
	for (const struct room_member *at = socket->rooms; at != NULL; at = at->next) {
		struct slice name = room_name(at);

		text_put(&away->rooms, &name.len, sizeof(name.len));
		text_put_slice(&away->rooms, name);
	}
	away->bytes = AWAY_BYTES + away->rooms.size;
	if (!away->rooms.failed)
		return away;
	away_free(away);
	return NULL;
}

void
recovery_save(struct convro_ctx *ctx, struct recovery *recovery,
    const struct convro_socketio_socket *socket, const char *why)
{
	struct away *away;

	const struct socket_recovery *state = socket->recovery;

	/* An unfinished catch-up can be begun anew, unless it has told something. */
	if (!is_recoverable(why) ||
	    (state->is_unfinished && (state->told > 0 || state->told_acked > 0)))
		return;
	away = away_new(ctx, socket);
	if (away == NULL)
		return;
	(void)pthread_mutex_lock(&recovery->lock);
	away->seen = state->is_behind || state->is_unfinished ? state->written
							      : socket->session->station->taken;
	if (table_add(&recovery->by_pid, &away->node,
		table_hash(&recovery->by_pid, (struct slice){ away->state.pid, SID_LEN }))) {
		ring_push(&recovery->away, &away->link);
		recovery->away_bytes += away->bytes;
		count_rooms(recovery, away, 1);
		trim(recovery, away->since);
	} else {
		away_free(away);
	}
	(void)pthread_mutex_unlock(&recovery->lock);
}

static bool
is_identity(const struct socket_recovery *state, const void *identity, uint8_t len)
{
	return state->identity_len == len && memcmp(state->identity, identity, len) == 0;
}

void
recovery_revoke(struct recovery *recovery, const void *identity, uint8_t len, uint32_t epoch)
{
	(void)pthread_mutex_lock(&recovery->lock);
	for (struct ring *at = recovery->away.next, *next; at != &recovery->away; at = next) {
		struct away *away = RING_ENTRY(at, struct away, link);

		next = at->next;
		if (away->state.epoch < epoch && is_identity(&away->state, identity, len))
			forget_away(recovery, away);
	}
	(void)pthread_mutex_unlock(&recovery->lock);
}

/* ---- where it was ---- */

struct position {
	uint64_t after; /* the client has all events up to it */
	uint64_t told;  /* so many of the catch-up's */
};

static bool
read_number(const char **at, const char *end, uint64_t *out)
{
	const char *from = *at;

	for (*out = 0; *at < end && **at >= '0' && **at <= '9' && *at - from < 18; ++*at)
		*out = *out * 10 + (uint64_t)(**at - '0');
	return *at > from;
}

/* False for what we never wrote. */
static bool
read_offset(const struct recovery *recovery, struct slice offset, struct position *out)
{
	const char *at = offset.data + TAG_LEN, *end = offset.data + offset.len;

	out->told = UINT64_MAX; /* whoever has an event of the log has what came before */
	if (offset.len <= TAG_LEN || memcmp(offset.data, recovery->tag, TAG_LEN) != 0 ||
	    !read_number(&at, end, &out->after))
		return false;
	if (at < end && *at == '.') {
		at++;
		if (!read_number(&at, end, &out->told))
			return false;
	}
	return at == end;
}

static bool
concerns(const struct push *push, const struct away *away)
{
	struct slice name;

	if (memcmp(push->except, away->id, SID_LEN) == 0)
		return false;
	for (size_t at = 0; next_room(&away->rooms, &at, &name);)
		if (slice_equal(name, (struct slice){ push->room.data, push->room.len }))
			return true;
	return false;
}

/* An acknowledgement says as much as an offset, which clients do not take from what they have to
 * acknowledge. */
static void
count_acked(const struct recovery *recovery, const struct away *away, struct position *position)
{
	if (away->state.acked == 0)
		return;
	if (away->state.acked >= away->state.told_acked)
		position->told = UINT64_MAX;
	if (away->state.confirmed > position->after)
		position->after = away->state.confirmed;
	for (struct ring *at = recovery->log.prev; at != &recovery->log; at = at->prev) {
		const struct push *push = RING_ENTRY(at, struct push, link);

		if (push->number <= position->after)
			return;
		if (push->cursor == away->state.acked && concerns(push, away)) {
			position->after = push->number;
			return;
		}
	}
}

static struct position
position(const struct recovery *recovery, const struct away *away, struct slice offset)
{
	const struct socket_recovery *state = &away->state;
	struct position at = { state->started, 0 };
	bool is_ours = read_offset(recovery, offset, &at);

	if (offset.len == 0 || (is_ours && at.after < state->started) ||
	    (hash_of(recovery, offset) == state->came_with && !state->is_poisoned))
		/* Since it connected it has got no event that had an offset. */
		at = (struct position){ state->started, 0 };
	else if (!is_ours)
		/* A text at the end of something else took the offset's place: it had what was
		 * written before that, and nothing after it. */
		at = (struct position){ state->is_poisoned ? state->poisoned : state->written,
			UINT64_MAX };
	else if (at.after > state->written)
		at.after = state->written;
	count_acked(recovery, away, &at);
	return at;
}

/* ---- coming back ---- */

static struct away *
find_away(struct recovery *recovery, struct slice pid)
{
	struct table_node *node = table_find(&recovery->by_pid, table_hash(&recovery->by_pid, pid));

	for (; node != NULL; node = table_find_next(node)) {
		struct away *away = (struct away *)(void *)node;

		if (same_id(away->state.pid, pid.data))
			return away;
	}
	return NULL;
}

static bool
is_missed(const struct push *push, const struct away *away, uint64_t after, int64_t has)
{
	if (push->number <= after || !concerns(push, away))
		return false;
	return push->cursor == 0 || push->cursor > has;
}

static struct recovered *
collect(struct recovery *recovery, const struct away *away, uint64_t after, int64_t has)
{
	struct recovered *recovered;
	uint32_t count = 0;

	for (struct ring *at = recovery->log.next; at != &recovery->log; at = at->next)
		count += is_missed(RING_ENTRY(at, struct push, link), away, after, has);
	recovered = malloc(sizeof(*recovered) + count * sizeof(struct push *));
	if (recovered == NULL)
		return NULL;
	recovered->count = 0;
	for (struct ring *at = recovery->log.next; at != &recovery->log; at = at->next) {
		struct push *push = RING_ENTRY(at, struct push, link);

		if (!is_missed(push, away, after, has))
			continue;
		push_ref(push);
		recovered->missed[recovered->count++] = push;
	}
	return recovered;
}

/* False when memory is out, and the socket is as it was, but for rooms. */
static bool
move_in(struct convro_socketio_socket *socket, const struct away *away)
{
	struct slice name;

	for (size_t at = 0; next_room(&away->rooms, &at, &name);)
		if (!rooms_join(&socket->session->station->rooms, name, &socket->rooms, socket))
			return false;
	memcpy(socket->id, away->id, SID_LEN);
	return true;
}

static struct recovered *
take(struct recovery *recovery, struct convro_socketio_socket *socket, struct away *away,
    struct slice offset)
{
	struct socket_recovery *state = socket->recovery;
	struct position at = position(recovery, away, offset);
	struct recovered *recovered = NULL;
	uint32_t epoch = state->epoch;
	int64_t has = state->after;

	/* Who was to be told what is stored has to ask for it again. */
	if (away->state.is_unfinished && away->state.after >= 0 && has < 0) {
		forget_away(recovery, away);
		return NULL;
	}
	/* One who had everything when it left has missed nothing before that. */
	if (at.told >= away->state.told &&
	    (at.told == UINT64_MAX || away->state.acked >= away->state.told_acked) &&
	    recovery->dropped <= (at.after == away->state.written ? away->seen : at.after))
		recovered = collect(recovery, away, at.after, has);
	if (recovered != NULL && !move_in(socket, away)) {
		recovered_free(recovered);
		return NULL;
	}
	if (recovered != NULL) {
		*state = away->state;
		state->epoch = epoch;
		state->after = has;
		state->started = state->written = at.after;
		state->restored = recovery->last;
		state->told = 0;
		state->told_acked = 0;
		state->is_poisoned = false;
		recovery_fresh(socket, offset);
	}
	forget_away(recovery, away);
	return recovered;
}

struct recovered *
recovery_take(struct convro_ctx *ctx, struct recovery *recovery,
    struct convro_socketio_socket *socket, struct slice pid, struct slice offset)
{
	const struct socket_recovery *state = socket->recovery;
	struct recovered *recovered = NULL;
	struct away *away;

	if (pid.len != SID_LEN)
		return NULL;
	(void)pthread_mutex_lock(&recovery->lock);
	trim(recovery, convro->timer->now(ctx));
	away = find_away(recovery, pid);
	if (away != NULL && strcmp(away->namespace, socket->namespace) == 0 &&
	    is_identity(&away->state, state->identity, state->identity_len))
		recovered = take(recovery, socket, away, offset);
	(void)pthread_mutex_unlock(&recovery->lock);
	return recovered;
}

void
recovered_free(struct recovered *recovered)
{
	if (recovered == NULL)
		return;
	for (uint32_t i = 0; i < recovered->count; i++)
		push_unref(recovered->missed[i]);
	free(recovered);
}
