/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Circular lists whose links are embedded in their elements.
 */
#ifndef SOCKETIO_RING_H
#define SOCKETIO_RING_H

#include <stdbool.h>
#include <stddef.h>

/* A head, or the link of an element; a link that is in no list points to itself. */
struct ring {
	struct ring *prev, *next;
};

/* The element that `link` is embedded in. */
#define RING_ENTRY(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

static inline void
ring_init(struct ring *ring)
{
	ring->prev = ring->next = ring;
}

static inline bool
ring_is_empty(const struct ring *ring)
{
	return ring->next == ring;
}

/* Appends a link that is in no list. */
static inline void
ring_push(struct ring *head, struct ring *link)
{
	link->prev = head->prev;
	link->next = head;
	head->prev->next = link;
	head->prev = link;
}

/* Puts a link that is in no list behind one that is in one. */
static inline void
ring_insert(struct ring *at, struct ring *link)
{
	link->prev = at;
	link->next = at->next;
	at->next->prev = link;
	at->next = link;
}

/* Takes a link out of whatever list it is in. */
static inline void
ring_remove(struct ring *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	ring_init(link);
}

static inline size_t
ring_count(const struct ring *ring)
{
	size_t count = 0;

	for (const struct ring *at = ring->next; at != ring; at = at->next)
		count++;
	return count;
}

/* Moves all elements of `from` to the empty `to`. */
static inline void
ring_take_all(struct ring *from, struct ring *to)
{
	ring_init(to);
	if (ring_is_empty(from))
		return;
	*to = *from;
	to->prev->next = to;
	to->next->prev = to;
	ring_init(from);
}

#endif
