/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of what was said, in the order of its numbers, in which every worker
 * takes it from here.
 */
#include "recovery_log.h"

#include <stdio.h>

static void
forget_push(struct recovery *recovery, struct push *push)
{
	if (push->number > recovery->dropped)
		recovery->dropped = push->number;
	recovery->log_bytes -= push->bytes;
	ring_remove(&push->link);
	push_unref(push);
}

static uint64_t
seen_by_all(const struct recovery *recovery)
{
	const struct mount *mount = recovery->mount;
	uint64_t seen = recovery->last;

	for (uint32_t i = 0; i < mount->station_count; i++)
		if (mount->stations[i].taken < seen)
			seen = mount->stations[i].taken;
	return seen;
}

void
log_trim(struct recovery *recovery, int64_t now)
{
	uint64_t seen = seen_by_all(recovery);

	while (!ring_is_empty(&recovery->log)) {
		struct push *push = RING_ENTRY(recovery->log.next, struct push, link);

		if (push->number > seen || (now - push->at <= recovery->most_ms &&
					       recovery->log_bytes <= recovery->most_bytes))
			break;
		forget_push(recovery, push);
	}
}

void
log_free(struct recovery *recovery)
{
	while (!ring_is_empty(&recovery->log))
		forget_push(recovery, RING_ENTRY(recovery->log.next, struct push, link));
}

bool
recovery_log(struct convro_ctx *ctx, struct recovery *recovery, struct push *push)
{
	char offset[OFFSET_SIZE];
	bool done;
	int len;

	/* Ended under the lock: it has its number in it, and others see it at once. */
	(void)pthread_mutex_lock(&recovery->lock);
	push->number = recovery->last + 1;
	push->at = convro->timer->now(ctx);
	len = snprintf(offset, sizeof(offset), "%.*s%llu", TAG_LEN, recovery->tag,
	    (unsigned long long)push->number);
	done = push_finish(push, (struct slice){ offset, (size_t)len });
	if (done) {
		push_frame(push);
		push_ref(push);
		recovery->last = push->number;
		ring_push(&recovery->log, &push->link);
		recovery->log_bytes += push->bytes;
		log_trim(recovery, push->at);
	}
	(void)pthread_mutex_unlock(&recovery->lock);
	return done;
}

uint32_t
recovery_read(struct recovery *recovery, struct station *station, struct push **out, uint32_t most)
{
	struct ring *at;
	uint32_t count = 0;

	(void)pthread_mutex_lock(&recovery->lock);
	/* From the end backwards, as there is little that is new. */
	at = &recovery->log;
	while (at->prev != &recovery->log &&
	       RING_ENTRY(at->prev, struct push, link)->number > station->taken)
		at = at->prev;
	for (; at != &recovery->log && count < most; at = at->next) {
		out[count] = RING_ENTRY(at, struct push, link);
		push_ref(out[count++]);
	}
	station->taken =
	    count > 0 && at != &recovery->log ? out[count - 1]->number : recovery->last;
	(void)pthread_mutex_unlock(&recovery->lock);
	return count;
}

void
recovery_gap(struct recovery *recovery)
{
	(void)pthread_mutex_lock(&recovery->lock);
	recovery->dropped = ++recovery->last;
	(void)pthread_mutex_unlock(&recovery->lock);
}

void
recovery_wrote(struct convro_socketio_socket *socket, const struct push *push, bool wants_ack)
{
	struct socket_recovery *state = socket->recovery;

	if (push->number > 0) {
		state->written = push->number;
		if (wants_ack) {
			state->asked = push->cursor;
			state->asked_at = push->number;
		}
	} else if (push->ends_in_text) {
		state->poisoned = state->written;
		state->is_poisoned = true;
	}
}

void
recovery_acked(struct convro_socketio_socket *socket, int64_t cursor)
{
	struct socket_recovery *state = socket->recovery;

	if (cursor > state->acked)
		state->acked = cursor;
	if (cursor == state->asked)
		state->confirmed = state->asked_at;
}
