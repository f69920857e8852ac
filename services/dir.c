// SPDX-License-Identifier: BSD-2-Clause
// Directory service: directories, each a list of names and their capabilities. Object 0 is the node's boot directory.
// Its port and its first key derive from the ring key, so that every node of the ring can find it without asking. The
// other objects are meeting directories, made empty for programs that are to find each other and nothing else. Flat
// and small: what people call a file system is a service of its own.
#include "services/dir.h"
#include "core/cap.h"
#include "core/error.h"
#include "core/panic.h"
#include "core/text.h"
#include "services/protocol.h"
#include "services/service.h"
#include "services/services.h"
#include <string.h>

#define NAMES_MAX 256u        // of the boot directory
#define MEETING_NAMES_MAX 64u // of a meeting directory
#define MEETINGS_MAX 32u

struct name {
    struct list link; // directory.names
    struct dir_entry e;
};

struct directory {
    struct list link;        // dir_service.meetings, the one used last first
    uint32_t number;         // [I] object; 0: the boot directory
    char name[NAME_MAX_LEN]; // [I] of a meeting
    uint8_t key[16];         // [N]
    struct list names;       // [N] struct name
    unsigned nnames, most;   // [N]; [I]
};

struct dir_service {
    struct port put; // [I]
    struct directory boot;
    struct pool pool_name, pool_meeting;
    struct list meetings;  // [N] struct directory
    unsigned nmeetings;    // [N]
    uint32_t last_meeting; // [N] number of the one made last
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

// The directory with this object number; NULL: there is none, or none any more.
static struct directory *directory_find(struct node *n, uint32_t number)
{
    struct dir_service *d = n->services->dir;
    if (number == 0)
        return &d->boot;
    LIST_FOR (l, &d->meetings) {
        struct directory *m = LIST_ENTRY(l, struct directory, link);
        if (m->number == number)
            return m;
    }
    return NULL;
}

static int dir_key(struct node *n, const struct request *r, uint8_t key[16])
{
    const struct directory *d = directory_find(n, cap_obj(&r->in.cap));
    if (!d)
        return -E_OBJECT;
    memcpy(key, d->key, 16);
    return 0;
}

// The boot directory's new key is good until the node boots again; then it derives from the ring key, as before.
static int dir_rekey(struct node *n, struct request *r, const uint8_t key[16])
{
    struct directory *d = directory_find(n, cap_obj(&r->in.cap));
    if (!d)
        return -E_OBJECT;
    memcpy(d->key, key, 16);
    return 0;
}

// The directory of a request that was admitted. It counts as used now.
static struct directory *directory_of(struct node *n, const struct request *r)
{
    struct directory *d = directory_find(n, cap_obj(&r->in.cap));
    ASSERT(d);
    if (d->number != 0) {
        list_del(&d->link);
        list_add(&n->services->dir->meetings, &d->link);
    }
    return d;
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

static struct name *name_find(const struct directory *d, const char *name)
{
    LIST_FOR (l, &d->names) {
        struct name *e = LIST_ENTRY(l, struct name, link);
        if (strcmp(e->e.name, name) == 0)
            return e;
    }
    return NULL;
}

static void name_free(struct node *n, struct directory *d, struct name *e)
{
    ASSERT(d->nnames > 0);
    list_del(&e->link);
    d->nnames--;
    pool_free(n, &n->services->dir->pool_name, e);
}

static void names_free(struct node *n, struct directory *d)
{
    LIST_FOR_SAFE (l, next, &d->names)
        name_free(n, d, LIST_ENTRY(l, struct name, link));
}

static int name_enter(struct node *n, struct directory *d, const char *name, const struct cap *cap)
{
    size_t len = name_len(name);
    if (!name_valid(name, len))
        return -E_ARG;
    struct name *e = name_find(d, name);
    if (!e) {
        if (d->nnames == d->most)
            return -E_LIMIT;
        e = pool_alloc(n, &n->services->dir->pool_name);
        if (!e)
            return -E_MEM;
        memcpy(e->e.name, name, len + 1);
        list_add_tail(&d->names, &e->link);
        d->nnames++;
    }
    e->e.cap = *cap;
    return 0;
}

int dir_enter(struct node *n, const char *name, const struct cap *cap)
{
    return name_enter(n, &n->services->dir->boot, name, cap);
}

// --- Meeting directories ----------------------------------------------------------------------------------

static void directory_init(struct directory *d, uint32_t number, unsigned most)
{
    d->number = number;
    d->most = most;
    list_init(&d->names);
}

static void meeting_free(struct node *n, struct directory *m)
{
    struct dir_service *d = n->services->dir;
    ASSERT(m->number != 0 && d->nmeetings > 0);
    names_free(n, m);
    list_del(&m->link);
    d->nmeetings--;
    pool_free(n, &d->pool_meeting, m);
}

static struct directory *meeting_find(struct node *n, const char *name)
{
    LIST_FOR (l, &n->services->dir->meetings) {
        struct directory *m = LIST_ENTRY(l, struct directory, link);
        if (strcmp(m->name, name) == 0)
            return m;
    }
    return NULL;
}

// Only those who start programs make meetings, so the one that was used longest ago gives way: a ring that is up for
// months never comes to a limit that a person would have to clear up.
static struct directory *meeting_new(struct node *n, const char *name)
{
    struct dir_service *d = n->services->dir;
    if (d->nmeetings == MEETINGS_MAX)
        meeting_free(n, LIST_ENTRY(d->meetings.prev, struct directory, link));
    struct directory *m = pool_alloc(n, &d->pool_meeting);
    if (!m)
        return NULL;
    do // 24 bits may come round
        d->last_meeting = (d->last_meeting + 1) & CAP_OBJ_MAX;
    while (directory_find(n, d->last_meeting));
    directory_init(m, d->last_meeting, MEETING_NAMES_MAX);
    memcpy(m->name, name, NAME_MAX_LEN);
    node_random(n, m->key, sizeof m->key);
    list_add(&d->meetings, &m->link);
    d->nmeetings++;
    return m;
}

// --- Operations -------------------------------------------------------------------------------------------

// What the boot directory holds of this node's services gives no more rights than the directory's own capability: to be
// allowed to read it is to be allowed to read what is in it. What programs entered is theirs, and given as it is.
static struct cap entry_cap(struct node *n, const struct directory *d, const struct request *r, const struct name *e)
{
    return d->number == 0 ? service_restrict(n, &e->e.cap, cap_rights(&r->in.cap)) : e->e.cap;
}

static int64_t run_lookup(struct node *n, struct request *r)
{
    char name[NAME_MAX_LEN];
    const struct directory *d = directory_of(n, r);
    int e = name_read(n, r, r->in.len, name);
    if (e < 0)
        return e;
    const struct name *found = name_find(d, name);
    return found ? reply_cap(r, entry_cap(n, d, r, found)) : -E_NAME;
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
    return name_enter(n, directory_of(n, r), name, &cap);
}

static int64_t run_remove(struct node *n, struct request *r)
{
    char name[NAME_MAX_LEN];
    struct directory *d = directory_of(n, r);
    int e = name_read(n, r, r->in.len, name);
    if (e < 0)
        return e;
    struct name *found = name_find(d, name);
    if (!found)
        return -E_NAME;
    name_free(n, d, found);
    return 0;
}

static int64_t run_list(struct node *n, struct request *r)
{
    const struct directory *d = directory_of(n, r);
    LIST_FOR (l, &d->names) {
        const struct name *e = LIST_ENTRY(l, struct name, link);
        struct dir_entry out = {.cap = entry_cap(n, d, r, e)};
        memcpy(out.name, e->e.name, sizeof out.name);
        int64_t status = reply_append(n, r, &out, sizeof out);
        if (status < 0)
            return status;
    }
    return 0;
}

static int64_t run_meet(struct node *n, struct request *r)
{
    char name[NAME_MAX_LEN];
    if (directory_of(n, r)->number != 0)
        return -E_OP;
    int e = name_read(n, r, r->in.len, name);
    if (e < 0)
        return e;
    struct directory *m = meeting_find(n, name);
    if (!m)
        m = meeting_new(n, name);
    if (!m)
        return -E_MEM;
    return reply_cap(r, cap_make(n->services->dir->put, m->number, DIR_MEETING_RIGHTS, m->key));
}

static const struct operation ops[] = {
    {OP_DIR_LOOKUP, "lookup", RIGHT_READ, true, OP_INLINE, run_lookup},
    {OP_DIR_ENTER, "enter", RIGHT_CREATE, true, OP_NONBLOCKING, run_enter},
    {OP_DIR_REMOVE, "remove", RIGHT_DESTROY, false, OP_NONBLOCKING, run_remove},
    {OP_DIR_LIST, "list", RIGHT_READ, true, OP_SLOW, run_list},
    {OP_DIR_MEET, "meet", RIGHT_CREATE, true, OP_NONBLOCKING, run_meet},
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
    pool_init(&d->pool_meeting, "meeting", sizeof(struct directory));
    list_init(&d->meetings);
    directory_init(&d->boot, 0, NAMES_MAX);
    dir_root_key(n->ring_key, n->name, d->boot.key);
    int e = service_open(n, &service, cap_derive(n->ring_key, DIR_LABEL, n->name), &d->put);
    return e < 0 ? e : 0;
}

void dir_service_stop(struct node *n)
{
    struct dir_service *d = n->services->dir;
    if (!d)
        return;
    LIST_FOR_SAFE (l, next, &d->meetings)
        meeting_free(n, LIST_ENTRY(l, struct directory, link));
    names_free(n, &d->boot);
}
