// SPDX-License-Identifier: BSD-2-Clause
// Records of one size, carved out of pages: how the kernel allocates everything smaller than a page. A page whose
// records are all free goes back, so that free-page counts return to where they were.
// Callers: node lock held; nothing here blocks.
#ifndef CORE_POOL_H
#define CORE_POOL_H

#include "core/list.h"
#include <stddef.h>
#include <stdint.h>

struct node;

struct pool {
    struct list partial; // [N] pages with a free record
    size_t size;         // [I] bytes of a record, multiple of 16; at most (PAGE_SIZE - 64)
    size_t used;         // [N] records in use
    const char *name;    // [I]
};

// Makes an empty pool of records of size bytes (rounded up to 16; 1..PAGE_SIZE - 64, asserted). name, a constant, is
// for a debugger.
void pool_init(struct pool *p, const char *name, size_t size);
// Returns a record, zeroed, or NULL: no memory. Asserted: the mark in a free record is whole, so nobody wrote to it
// there.
void *pool_alloc(struct node *n, struct pool *p);
// Frees a record of this pool. Asserted: it is one, and was not freed already.
void pool_free(struct node *n, struct pool *p, void *rec);

#endif
