/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rooms of one worker: a name, and who is in it.  A room exists while it has a
 * member.  Knows nothing of sessions; the tests use it alone.
 */
#ifndef SOCKETIO_ROOM_H
#define SOCKETIO_ROOM_H

#include "ring.h"
#include "table.h"

struct rooms {
	struct table table;
};

struct room;

/* One stay of one member. */
struct room_member {
	struct ring in_room;
	struct ring of_who; /* in the member's own list of stays */
	struct room *room;
	void *who;
};

bool rooms_init(struct rooms *rooms);
void rooms_fini(struct rooms *rooms); /* everybody has left */

/* Adds `who` unless it is in already; `stays` is its own list.  False when memory is out. */
bool rooms_join(struct rooms *rooms, struct slice name, struct ring *stays, void *who);

/* The name of the room of a stay; borrowed while it lasts. */
struct slice room_name(const struct room_member *member);

/* Leaves one room; nothing happens when it is not in there. */
void rooms_leave(struct rooms *rooms, struct slice name, struct ring *stays);

/* Leaves all rooms. */
void rooms_leave_all(struct rooms *rooms, struct ring *stays);

/* Calls `visit` for each member, in the order of joining.  It may let that member leave, and the
 * room end with it. */
void
rooms_each(struct rooms *rooms, struct slice name, void (*visit)(void *who, void *arg), void *arg);

#endif
