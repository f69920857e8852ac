// SPDX-License-Identifier: BSD-2-Clause
// Nothing here is copied: a reply is a stretch of the archive (design D2). The files never change, so one key for all
// of their capabilities does: the object number is under the check field too.
#include "services/store.h"
#include "core/cap.h"
#include "core/entry.h"
#include "services/cpio.h"
#include "services/services_priv.h"

#include <string.h>

static struct cap object_cap(const struct services *sv, uint32_t object, uint32_t rights)
{
    return cap_make(sv->store.put, object, rights, sv->store.key);
}

static int store_key(struct node *n, const struct request *r, uint8_t key[16])
{
    const struct store *st = &n->services->store;
    if (cap_obj(&r->in.cap) > st->files)
        return -E_OBJECT;
    memcpy(key, st->key, sizeof st->key);
    return 0;
}

// The file that the request is about. E_OP: it is about the directory.
static int file_of(const struct node *n, const struct request *r, struct cpio_file *out)
{
    const struct store *st = &n->services->store;
    uint32_t object = cap_obj(&r->in.cap);
    if (object == 0)
        return -E_OP;
    return cpio_get(st->archive, st->len, object - 1, out) ? 0 : -E_OBJECT;
}

// --- A file -------------------------------------------------------------------------------------------------------

static int64_t run_read(struct node *n, struct request *r)
{
    struct cpio_file f;
    uint64_t off = r->in.arg[0], max = r->in.arg[1];
    int e = file_of(n, r, &f);
    if (e < 0)
        return e;
    if (off >= f.len)
        return -E_EOF;
    if (max > f.len - off)
        max = f.len - off;
    if (max > MESSAGE_MAX_BYTES)
        max = MESSAGE_MAX_BYTES;
    if (max > 0)
        r->reply = buf_kernel(f.bytes + off, max);
    return 0;
}

static int64_t run_size(struct node *n, struct request *r)
{
    struct cpio_file f;
    int e = file_of(n, r, &f);
    if (e == 0)
        r->res[0] = f.len;
    return e;
}

static int64_t run_info(struct node *n, struct request *r)
{
    struct cpio_file f;
    if (cap_obj(&r->in.cap) == 0)
        return reply_text(n, r, "boot store of %s: %u files", n->name, n->services->store.files);
    int e = file_of(n, r, &f);
    return e < 0 ? e
                 : reply_text(n, r, "file %s of %s: %llu bytes", f.name, n->name,
                              (unsigned long long)f.len);
}

// --- The directory ------------------------------------------------------------------------------------------------

static int64_t run_lookup(struct node *n, struct request *r)
{
    const struct store *st = &n->services->store;
    char name[NAME_MAX_LEN + 1] = {0};
    struct cpio_file f;
    if (cap_obj(&r->in.cap) != 0)
        return -E_OP;
    if (r->in.len > NAME_MAX_LEN)
        return -E_ARG;
    int e = buf_read(n, &r->data, 0, name, r->in.len);
    if (e < 0)
        return e;
    for (unsigned i = 0; i < st->files; i++)
        if (cpio_get(st->archive, st->len, i, &f) && strcmp(f.name, name) == 0)
            return reply_cap(r, object_cap(n->services, i + 1, cap_rights(&r->in.cap)));
    return -E_NAME;
}

static int64_t run_list(struct node *n, struct request *r)
{
    const struct store *st = &n->services->store;
    struct cpio_file f;
    int64_t status = 0;
    if (cap_obj(&r->in.cap) != 0)
        return -E_OP;
    for (unsigned i = 0; status == 0 && i < st->files; i++) {
        if (!cpio_get(st->archive, st->len, i, &f))
            return -E_IO;
        struct dir_entry e = {.cap = object_cap(n->services, i + 1, cap_rights(&r->in.cap))};
        memcpy(e.name, f.name, sizeof e.name);
        status = reply_append(n, r, &e, sizeof e);
    }
    return status;
}

// --- The service --------------------------------------------------------------------------------------------------

static const struct operation ops[] = {
    {OP_INFO, "info", RIGHT_READ, true, OP_QUICK, run_info},
    {OP_READ, "read", RIGHT_READ, true, OP_SLOW, run_read},
    {OP_SIZE, "size", RIGHT_READ, true, OP_QUICK, run_size},
    {OP_DIR_LOOKUP, "lookup", RIGHT_READ, true, OP_QUICK, run_lookup},
    {OP_DIR_LIST, "list", RIGHT_READ, true, OP_SLOW, run_list},
    {0, NULL, 0, false, OP_QUICK, NULL},
};
static const struct service service = {
    .name = "store",
    .ops = ops,
    .key = store_key,
    .buffer_pages = 1,
    .tasks = 1,
    .tasks_max = 6,
};

const char *store_give(struct node *n, const void *archive, uint64_t len)
{
    struct store *st = &n->services->store;
    unsigned files;
    ASSERT(st->archive == NULL);
    const char *why = cpio_check(archive, len, &files);
    if (why)
        return why;
    st->archive = archive;
    st->len = len;
    st->files = files;
    return NULL;
}

int store_service_start(struct node *n)
{
    struct services *sv = n->services;
    struct port get;
    node_random(n, &get, sizeof get);
    node_random(n, sv->store.key, sizeof sv->store.key);
    int e = service_open(n, &service, get, &sv->store.put);
    if (e < 0)
        return e;
    struct cap c = object_cap(sv, 0, RIGHT_READ);
    return dir_enter(n, "store", &c);
}

void store_service_stop(struct node *n)
{
    (void)n;
}
