/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rooms of one worker.
 */
#include "room.h"

#include <convro/module.h>
#include <stdlib.h>

extern const struct convro_api *convro;

struct room {
	struct table_node node;
	struct ring members;
	uint32_t visits; /* rooms_each that are at work: the room stays meanwhile */
	uint32_t name_len;
	char name[];
};

bool
rooms_init(struct rooms *rooms, _Atomic uint32_t *presence, const struct rooms *key)
{
	rooms->presence = presence;
	if (!table_init(&rooms->table))
		return false;
	if (key != NULL)
		memcpy(rooms->table.key, key->table.key, sizeof(rooms->table.key));
	return true;
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

/* ---- memory ---- */

static void *
from_pool(struct convro_pool *pool, size_t size)
{
	return pool != NULL ? convro->mem->pool_take(pool) : malloc(size);
}

static void
to_pool(struct convro_pool *pool, void *object)
{
	if (pool != NULL)
		convro->mem->pool_give(pool, object);
	else
		free(object);
}

static struct convro_pool *
pool_of(const struct rooms *rooms, size_t name_len)
{
	return sizeof(struct room) + name_len <= ROOM_POOLED ? rooms->room_pool : NULL;
}

static void
room_free(const struct rooms *rooms, struct room *room)
{
	to_pool(pool_of(rooms, room->name_len), room);
}

/* ---- rooms ---- */

static struct room *
make(struct rooms *rooms, struct slice name, uint64_t hash)
{
	struct room *room = from_pool(pool_of(rooms, name.len), sizeof(*room) + name.len);

	if (room == NULL)
		return NULL;
	ring_init(&room->members);
	room->visits = 0;
	room->name_len = (uint32_t)name.len;
	memcpy(room->name, name.data, name.len);
	if (table_add(&rooms->table, &room->node, hash)) {
		if (rooms->presence != NULL)
			(void)atomic_fetch_add(&rooms->presence[hash % PRESENCE_SLOTS], 1);
		return room;
	}
	room_free(rooms, room);
	return NULL;
}

static void
free_if_empty(struct rooms *rooms, struct room *room)
{
	if (!ring_is_empty(&room->members) || room->visits > 0)
		return;
	if (rooms->presence != NULL)
		(void)atomic_fetch_sub(&rooms->presence[room->node.hash % PRESENCE_SLOTS], 1);
	table_remove(&rooms->table, &room->node);
	room_free(rooms, room);
}

struct slice
room_name(const struct room_member *member)
{
	return (struct slice){ member->room->name, member->room->name_len };
}

_Atomic uint32_t *
rooms_presence(const struct rooms *rooms, struct slice name)
{
	return &rooms->presence[table_hash(&rooms->table, name) % PRESENCE_SLOTS];
}

/* Where the stay in that room hangs in the list; NULL there = it is not in.  A member is in few
 * rooms, and a room may hold many members. */
static struct room_member **
stay_in(struct room_member **stays, const struct room *room)
{
	while (*stays != NULL && (*stays)->room != room)
		stays = &(*stays)->next;
	return stays;
}

bool
rooms_join(struct rooms *rooms, struct slice name, struct room_member **stays, void *who)
{
	uint64_t hash = table_hash(&rooms->table, name);
	struct room *room = find(rooms, name, hash);
	struct room_member *member, **end;

	if (room == NULL)
		room = make(rooms, name, hash);
	if (room == NULL)
		return false;
	end = stay_in(stays, room);
	if (*end != NULL)
		return true;
	member = from_pool(rooms->stay_pool, sizeof(*member));
	if (member == NULL) {
		free_if_empty(rooms, room);
		return false;
	}
	member->next = NULL;
	member->room = room;
	member->who = who;
	ring_push(&room->members, &member->in_room);
	*end = member;
	return true;
}

static void
end_stay(struct rooms *rooms, struct room_member **at)
{
	struct room_member *member = *at;
	struct room *room = member->room;

	*at = member->next;
	ring_remove(&member->in_room);
	to_pool(rooms->stay_pool, member);
	free_if_empty(rooms, room);
}

void
rooms_leave(struct rooms *rooms, struct slice name, struct room_member **stays)
{
	struct room *room = find(rooms, name, table_hash(&rooms->table, name));
	struct room_member **at = room != NULL ? stay_in(stays, room) : NULL;

	if (at != NULL && *at != NULL)
		end_stay(rooms, at);
}

void
rooms_leave_all(struct rooms *rooms, struct room_member **stays)
{
	while (*stays != NULL)
		end_stay(rooms, stays);
}

void
rooms_each(struct rooms *rooms, struct slice name, void (*visit)(void *who, void *arg), void *arg)
{
	struct room *room = find(rooms, name, table_hash(&rooms->table, name));
	struct room_member place;
	struct ring *at;

	if (room == NULL)
		return;
	room->visits++;
	/* Our place in the ring, so that whoever leaves meanwhile is not stepped on. */
	place = (struct room_member){ .room = room };
	ring_init(&place.in_room);
	at = &room->members;
	while (at->next != &room->members) {
		struct room_member *member = RING_ENTRY(at->next, struct room_member, in_room);

		ring_remove(&place.in_room);
		ring_insert(&member->in_room, &place.in_room);
		at = &place.in_room;
		if (member->who != NULL) /* else another visit's place */
			visit(member->who, arg);
	}
	ring_remove(&place.in_room);
	room->visits--;
	free_if_empty(rooms, room);
}
