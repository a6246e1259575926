/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Doubly linked list whose links live inside the members, so that linking never
 * allocates and never fails.  The list is a ring with the head in it; a member
 * that is in no list points at itself.  One thread at a time.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *prev, *next;
};

/* For the head and for each member before first use. */
static inline void
list_init(struct list *list)
{
	list->prev = list;
	list->next = list;
}

/* True of an empty list, and of a member that is in none. */
static inline bool
list_is_empty(const struct list *list)
{
	return list->next == list;
}

/* Links `member`, which is in no list, before `at`: with the head as `at`, that is the end. */
static inline void
list_push_back(struct list *at, struct list *member)
{
	member->prev = at->prev;
	member->next = at;
	at->prev->next = member;
	at->prev = member;
}

/* Links `member`, which is in no list, behind `at`: with the head as `at`, that is the front. */
static inline void
list_push_front(struct list *at, struct list *member)
{
	list_push_back(at->next, member);
}

/* Unlinks; harmless when the member is in no list. */
static inline void
list_remove(struct list *member)
{
	member->prev->next = member->next;
	member->next->prev = member->prev;
	list_init(member);
}

/* The first or last member, still linked; NULL when empty. */
static inline struct list *
list_first(const struct list *head)
{
	return head->next == head ? NULL : head->next;
}

static inline struct list *
list_last(const struct list *head)
{
	return head->prev == head ? NULL : head->prev;
}

/* Unlinks the first member and gives it; NULL when empty. */
static inline struct list *
list_take_first(struct list *head)
{
	struct list *first = list_first(head);

	if (first != NULL)
		list_remove(first);
	return first;
}

/* The struct of type `type` whose member `field` is *link. */
#define LIST_OF(link, type, field) ((type *)(void *)((char *)(link)-offsetof(type, field)))

/* Walks from first to last; the list must not change meanwhile. */
#define LIST_EACH(at, head) for (struct list *at = (head)->next; at != (head); at = at->next)

/* The same; the member at hand may be removed or freed, its neighbours not. */
#define LIST_EACH_SAFE(at, head)                                                                   \
	for (struct list *at = (head)->next, *at##_next = at->next; at != (head);                  \
	     at = at##_next, at##_next = at->next)

#endif
