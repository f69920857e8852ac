// SPDX-License-Identifier: BSD-2-Clause
// Records of one size, carved out of pages: how the kernel allocates everything smaller than a page. A page whose
// records are all free goes back, so that free-page counts return to where they were.
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

void pool_init(struct pool *p, const char *name, size_t size);
void *pool_alloc(struct node *n, struct pool *p); // zeroed; NULL: no memory
void pool_free(struct node *n, struct pool *p, void *rec);

#endif
