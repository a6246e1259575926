/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rooms of one worker: a name, and who is in it.  A room exists while it has a
 * member.  Knows nothing of sessions; the tests use it alone.
 */
#ifndef SOCKETIO_ROOM_H
#define SOCKETIO_ROOM_H

#include "ring.h"
#include "table.h"

#include <stdatomic.h>

#define PRESENCE_SLOTS 8192

struct rooms {
	struct table table;
	/* For rooms with short names, and for stays; borrowed.  NULL: memory of malloc. */
	struct convro_pool *room_pool, *stay_pool;
	/* Of all workers together, by the hash of a room's name: 0 means for sure that there is no
	 * such room.  NULL: nobody counts. */
	_Atomic uint32_t *presence;
};

struct room;

/* Sizes of what the pools hold. */
#define ROOM_POOLED 72
#define STAY_POOLED sizeof(struct room_member)

/* One stay of one member. */
struct room_member {
	struct ring in_room;
	struct room_member *next; /* in the member's own list of stays */
	struct room *room;
	void *who;
};

/* `presence` of PRESENCE_SLOTS, which outlives the rooms; `key`: another worker's rooms, whose
 * hashes ours are to be the same as.  Both may be NULL.  False when there is no randomness. */
bool rooms_init(struct rooms *rooms, _Atomic uint32_t *presence, const struct rooms *key);
void rooms_fini(struct rooms *rooms); /* everybody has left */

/* Adds `who` unless it is in already; `stays` is its own list, NULL at first.  False when memory is
 * out. */
bool rooms_join(struct rooms *rooms, struct slice name, struct room_member **stays, void *who);

/* The name of the room of a stay; borrowed while it lasts. */
struct slice room_name(const struct room_member *member);

/* Leaves one room; nothing happens when it is not in there. */
void rooms_leave(struct rooms *rooms, struct slice name, struct room_member **stays);

/* Leaves all rooms. */
void rooms_leave_all(struct rooms *rooms, struct room_member **stays);

/* Calls `visit` for each member, in the order of joining.  It may let that member leave, and the
 * room end with it. */
void
rooms_each(struct rooms *rooms, struct slice name, void (*visit)(void *who, void *arg), void *arg);

/* The count of rooms of that name in the presence table. */
_Atomic uint32_t *rooms_presence(const struct rooms *rooms, struct slice name);

#endif
