// SPDX-License-Identifier: BSD-2-Clause
// Intrusive doubly linked list with a sentinel head. An element that is in no list points to itself, so list_del() of
// it is harmless and list_linked() answers.
// Callers: whoever holds the lock of the list and of its elements; nothing here locks.
#ifndef CORE_LIST_H
#define CORE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next, *prev;
};

#define LIST_ENTRY(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))
#define LIST_FOR(pos, head) for (struct list *pos = (head)->next; pos != (head); pos = pos->next)
// The body may remove `pos`.
#define LIST_FOR_SAFE(pos, nxt, head)                                                                                  \
    for (struct list *pos = (head)->next, *nxt = pos->next; pos != (head); pos = nxt, nxt = pos->next)

// Makes l an empty list, or an element that is in no list.
static inline void list_init(struct list *l)
{
    l->next = l->prev = l;
}

// True if the list with this head has no element.
static inline bool list_empty(const struct list *l)
{
    return l->next == l;
}

// True if the element is in a list.
static inline bool list_linked(const struct list *l)
{
    return l->next != l;
}

// Puts e, which is in no list, at the front.
static inline void list_add(struct list *head, struct list *e)
{
    e->next = head->next;
    e->prev = head;
    head->next->prev = e;
    head->next = e;
}

// Puts e, which is in no list, at the end.
static inline void list_add_tail(struct list *head, struct list *e)
{
    e->next = head;
    e->prev = head->prev;
    head->prev->next = e;
    head->prev = e;
}

// Takes e out of its list; harmless when it is in none.
static inline void list_del(struct list *e)
{
    e->prev->next = e->next;
    e->next->prev = e->prev;
    list_init(e);
}

#endif
