/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rooms of one worker.
 */
#include "room.h"

#include <stdlib.h>

struct room {
	struct table_node node;
	struct ring members;
	uint32_t visits; /* rooms_each that are at work: the room stays meanwhile */
	uint32_t name_len;
	char name[];
};

bool
rooms_init(struct rooms *rooms)
{
	return table_init(&rooms->table);
}

void
rooms_fini(struct rooms *rooms)
{
	table_fini(&rooms->table);
}

static struct room *
find(const struct rooms *rooms, struct slice name, uint64_t hash)
{
	struct table_node *node;

	for (node = table_find(&rooms->table, hash); node != NULL; node = table_find_next(node)) {
		struct room *room = (struct room *)(void *)node;

		if (slice_equal((struct slice){ room->name, room->name_len }, name))
			return room;
	}
	return NULL;
}

static struct room *
make(struct rooms *rooms, struct slice name, uint64_t hash)
{
	struct room *room = malloc(sizeof(*room) + name.len);

	if (room == NULL)
		return NULL;
	ring_init(&room->members);
	room->visits = 0;
	room->name_len = (uint32_t)name.len;
	memcpy(room->name, name.data, name.len);
	if (table_add(&rooms->table, &room->node, hash))
		return room;
	free(room);
	return NULL;
}

static void
free_if_empty(struct rooms *rooms, struct room *room)
{
	if (!ring_is_empty(&room->members) || room->visits > 0)
		return;
	table_remove(&rooms->table, &room->node);
	free(room);
}

struct slice
room_name(const struct room_member *member)
{
	return (struct slice){ member->room->name, member->room->name_len };
}

/* The stay in a room of that name, NULL = none.  A member is in few rooms, and a room may hold many
 * members. */
static struct room_member *
stay_in(const struct ring *stays, const struct room *room)
{
	for (struct ring *at = stays->next; at != stays; at = at->next) {
		struct room_member *member = RING_ENTRY(at, struct room_member, of_who);

		if (member->room == room)
			return member;
	}
	return NULL;
}

bool
rooms_join(struct rooms *rooms, struct slice name, struct ring *stays, void *who)
{
	uint64_t hash = table_hash(&rooms->table, name);
	struct room *room = find(rooms, name, hash);
	struct room_member *member;

	if (room == NULL)
		room = make(rooms, name, hash);
	if (room == NULL)
		return false;
	if (stay_in(stays, room) != NULL)
		return true;
	member = malloc(sizeof(*member));
	if (member == NULL) {
		free_if_empty(rooms, room);
		return false;
	}
	member->room = room;
	member->who = who;
	ring_push(&room->members, &member->in_room);
	ring_push(stays, &member->of_who);
	return true;
}

static void
end_stay(struct rooms *rooms, struct room_member *member)
{
	struct room *room = member->room;

	ring_remove(&member->in_room);
	ring_remove(&member->of_who);
	free(member);
	free_if_empty(rooms, room);
}

void
rooms_leave(struct rooms *rooms, struct slice name, struct ring *stays)
{
	struct room *room = find(rooms, name, table_hash(&rooms->table, name));
	struct room_member *member = room != NULL ? stay_in(stays, room) : NULL;

	if (member != NULL)
		end_stay(rooms, member);
}

void
rooms_leave_all(struct rooms *rooms, struct ring *stays)
{
	while (!ring_is_empty(stays))
		end_stay(rooms, RING_ENTRY(stays->next, struct room_member, of_who));
}

void
rooms_each(struct rooms *rooms, struct slice name, void (*visit)(void *who, void *arg), void *arg)
{
	struct room *room = find(rooms, name, table_hash(&rooms->table, name));

	if (room == NULL)
		return;
	room->visits++;
	for (struct ring *at = room->members.next, *next; at != &room->members; at = next) {
		next = at->next;
		visit(RING_ENTRY(at, struct room_member, in_room)->who, arg);
	}
	room->visits--;
	free_if_empty(rooms, room);
}
