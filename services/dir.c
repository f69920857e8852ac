// SPDX-License-Identifier: BSD-2-Clause
// Directory service: the names of a node and their capabilities, in a list. Its port and its first key derive from the
// ring key, so that every node of the ring can find it without asking. Flat and small: what people call a file system
// is a service of its own.
#include "services/dir.h"
#include "core/cap.h"
#include "core/error.h"
#include "core/panic.h"
#include "core/text.h"
#include "services/protocol.h"
#include "services/service.h"
#include "services/services.h"
#include <string.h>

#define NAMES_MAX 256u

struct name {
    struct list link; // dir_service.names
    struct dir_entry e;
};

struct dir_service {
    uint8_t key[16]; // [N]
    struct pool pool_name;
    struct list names; // [N] struct name
    unsigned nnames;   // [N]
};

static void dir_root_key(const uint8_t ring_key[32], const char *name, uint8_t key[16])
{
    struct port p = cap_derive(ring_key, DIR_KEY_LABEL, name);
    memcpy(key, &p, 16);
}

struct cap dir_root_cap(const uint8_t ring_key[32], const char *name, uint32_t rights)
{
    uint8_t key[16];
    dir_root_key(ring_key, name, key);
    struct port put = cap_put_port(cap_derive(ring_key, DIR_LABEL, name));
    return cap_make(put, 0, rights, key);
}

static int dir_key(struct node *n, const struct request *r, uint8_t key[16])
{
    if (cap_obj(&r->in.cap) != 0)
        return -E_OBJECT;
    memcpy(key, n->services->dir->key, 16);
    return 0;
}

// The new key is good until the node boots again; then the key derives from the ring key, as before.
static int dir_rekey(struct node *n, struct request *r, const uint8_t key[16])
{
    (void)r;
    memcpy(n->services->dir->key, key, 16);
    return 0;
}

// --- Names ------------------------------------------------------------------------------------------------

// Bytes before the zero byte; NAME_MAX_LEN when there is none (a length that no name may have).
static size_t name_len(const char *s)
{
    const char *end = memchr(s, 0, NAME_MAX_LEN);
    return end ? (size_t)(end - s) : NAME_MAX_LEN;
}

static bool name_valid(const char *s, size_t len)
{
    return len > 0 && len < NAME_MAX_LEN && text_is_plain(s, len); // people type names, and consoles print them
}

// The request's bytes from 0 on, up to `len` or the first zero byte, as a name. E_ARG.
static int name_read(struct node *n, const struct request *r, uint64_t len, char name[NAME_MAX_LEN])
{
    memset(name, 0, NAME_MAX_LEN);
    if (len > NAME_MAX_LEN)
        return -E_ARG;
    int e = buf_read(n, &r->data, 0, name, len);
    if (e < 0)
        return e;
    return name_valid(name, name_len(name)) ? 0 : -E_ARG;
}

static struct name *name_find(struct node *n, const char *name)
{
    LIST_FOR (l, &n->services->dir->names) {
        struct name *e = LIST_ENTRY(l, struct name, link);
        if (strcmp(e->e.name, name) == 0)
            return e;
    }
    return NULL;
}

static void name_free(struct node *n, struct name *e)
{
    ASSERT(n->services->dir->nnames > 0);
    list_del(&e->link);
    n->services->dir->nnames--;
    pool_free(n, &n->services->dir->pool_name, e);
}

int dir_enter(struct node *n, const char *name, const struct cap *cap)
{
    struct dir_service *d = n->services->dir;
    size_t len = name_len(name);
    if (!name_valid(name, len))
        return -E_ARG;
    struct name *e = name_find(n, name);
    if (!e) {
        if (d->nnames == NAMES_MAX)
            return -E_LIMIT;
        e = pool_alloc(n, &d->pool_name);
        if (!e)
            return -E_MEM;
        memcpy(e->e.name, name, len + 1);
        list_add_tail(&d->names, &e->link);
        d->nnames++;
    }
    e->e.cap = *cap;
    return 0;
}

// --- Operations -------------------------------------------------------------------------------------------

static int64_t run_lookup(struct node *n, struct request *r)
{
    char name[NAME_MAX_LEN];
    int e = name_read(n, r, r->in.len, name);
    if (e < 0)
        return e;
    const struct name *found = name_find(n, name);
    return found ? reply_cap(r, found->e.cap) : -E_NAME;
}

static int64_t run_enter(struct node *n, struct request *r)
{
    char name[NAME_MAX_LEN];
    struct cap cap;
    if (r->in.len < 2 + sizeof cap) // one byte of name, zero byte, capability
        return -E_ARG;
    uint64_t len = r->in.len - sizeof cap;
    int e = name_read(n, r, len, name);
    if (e < 0)
        return e;
    if (strlen(name) + 1 != len) // the zero byte must be there, and be the only one
        return -E_ARG;
    e = buf_read(n, &r->data, len, &cap, sizeof cap);
    if (e < 0)
        return e;
    return dir_enter(n, name, &cap);
}

static int64_t run_remove(struct node *n, struct request *r)
{
    char name[NAME_MAX_LEN];
    int e = name_read(n, r, r->in.len, name);
    if (e < 0)
        return e;
    struct name *found = name_find(n, name);
    if (!found)
        return -E_NAME;
    name_free(n, found);
    return 0;
}

static int64_t run_list(struct node *n, struct request *r)
{
    LIST_FOR (l, &n->services->dir->names) {
        const struct name *e = LIST_ENTRY(l, struct name, link);
        int64_t status = reply_append(n, r, &e->e, sizeof e->e);
        if (status < 0)
            return status;
    }
    return 0;
}

static const struct operation ops[] = {
    {OP_DIR_LOOKUP, "lookup", RIGHT_READ, true, OP_INLINE, run_lookup},
    {OP_DIR_ENTER, "enter", RIGHT_CREATE, true, OP_NONBLOCKING, run_enter},
    {OP_DIR_REMOVE, "remove", RIGHT_DESTROY, false, OP_NONBLOCKING, run_remove},
    {OP_DIR_LIST, "list", RIGHT_READ, true, OP_SLOW, run_list},
    {0, NULL, 0, false, OP_NONBLOCKING, NULL},
};
static const struct service service = {
    .name = "dir",
    .ops = ops,
    .key = dir_key,
    .rekey = dir_rekey,
    .buffer_pages = 1,
    .tasks = 1,
    .tasks_max = 4,
};

int dir_service_start(struct node *n)
{
    struct dir_service *d = n->services->dir = service_state(n, sizeof *d);
    if (!d)
        return -E_MEM;
    pool_init(&d->pool_name, "name", sizeof(struct name));
    list_init(&d->names);
    dir_root_key(n->ring_key, n->name, d->key);
    struct port put;
    int e = service_open(n, &service, cap_derive(n->ring_key, DIR_LABEL, n->name), &put);
    return e < 0 ? e : 0;
}

void dir_service_stop(struct node *n)
{
    struct dir_service *d = n->services->dir;
    if (!d)
        return;
    LIST_FOR_SAFE (l, next, &d->names)
        name_free(n, LIST_ENTRY(l, struct name, link));
}
