// SPDX-License-Identifier: BSD-2-Clause
// Boot file system: files that were loaded beside the image. Nothing is copied: a reply is sent straight from the
// archive (design D2). The files never change, so one key is enough for all of their capabilities: the check field
// covers the object number too.
#include "services/bootfs.h"
#include "core/cap.h"
#include "core/error.h"
#include "core/panic.h"
#include "services/cpio.h"
#include "services/dir.h"
#include "services/protocol.h"
#include "services/service.h"
#include "services/services.h"

#include <string.h>

struct bootfs {
    struct port put;     // [I]
    uint8_t key[16];     // [I] of all its objects
    const void *archive; // [N] services/cpio.h; NULL: none was given
    uint64_t len;
    unsigned files; // in it
    struct pool pool_image;
    struct list images; // [N] struct image: parts of files as segments, the one used last first
    unsigned nimages;   // [N]
};

static struct cap object_cap(const struct bootfs *st, uint32_t object, uint32_t rights)
{
    return cap_make(st->put, object, rights, st->key);
}

static int bootfs_key(struct node *n, const struct request *r, uint8_t key[16])
{
    const struct bootfs *st = n->services->bootfs;
    if (cap_obj(&r->in.cap) > st->files)
        return -E_OBJECT;
    memcpy(key, st->key, sizeof st->key);
    return 0;
}

// The file that a capability names. E_OP: it names the directory.
static int file_named(const struct node *n, const struct cap *cap, struct cpio_file *out)
{
    const struct bootfs *st = n->services->bootfs;
    uint32_t object = cap_obj(cap);
    if (object == 0)
        return -E_OP;
    return cpio_get(st->archive, st->len, object - 1, out) ? 0 : -E_OBJECT;
}

static int file_of(const struct node *n, const struct request *r, struct cpio_file *out)
{
    return file_named(n, &r->in.cap, out);
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
        return reply_text(n, r, "boot files of %s: %u files", n->name, n->services->bootfs->files);
    int e = file_of(n, r, &f);
    return e < 0 ? e : reply_text(n, r, "file %s of %s: %llu bytes", f.name, n->name, (unsigned long long)f.len);
}

// --- Parts of files as segments -------------------------------------------------------------------------------------

#define IMAGES_MAX 64u // of some twenty programs

struct image {
    struct list link;      // bootfs.images
    uint32_t object;       // [I] the file's
    uint64_t off, len, at; // [I] as bootfs_image was asked
    struct seg *seg;       // [I] holds one ref
};

static void image_free(struct node *n, struct image *i)
{
    struct bootfs *st = n->services->bootfs;
    ASSERT(st->nimages > 0 && i->seg);
    list_del(&i->link);
    st->nimages--;
    seg_drop(n, i->seg);
    pool_free(n, &st->pool_image, i);
}

void bootfs_forget(struct node *n)
{
    LIST_FOR_SAFE (l, next, &n->services->bootfs->images)
        image_free(n, LIST_ENTRY(l, struct image, link));
}

// The archive's page at p can be a page of a segment just as it is.
static bool lies_right(const void *p, uint64_t len)
{
    return len == PAGE_SIZE && ((uintptr_t)p & PAGE_MASK) == 0;
}

static int image_fill(struct node *n, const struct image *i, const uint8_t *bytes)
{
    int e = 0;
    for (uint64_t done = 0, run; e == 0 && done < i->len; done += run) {
        uint64_t off = i->at + done;
        run = PAGE_SIZE - (off & PAGE_MASK);
        if (run > i->len - done)
            run = i->len - done;
        e = lies_right(bytes + done, run) ? seg_adopt(n, i->seg, off, bytes + done)
                                          : seg_write(n, i->seg, off, bytes + done, (size_t)run);
    }
    return e;
}

static int image_new(struct node *n, struct image *want, const uint8_t *bytes, struct seg **out)
{
    struct bootfs *st = n->services->bootfs;
    if (st->nimages == IMAGES_MAX)
        image_free(n, LIST_ENTRY(st->images.prev, struct image, link));
    int e = seg_create(n, want->at + want->len, &want->seg);
    if (e < 0)
        return e;
    struct image *i = pool_alloc(n, &st->pool_image);
    e = i ? image_fill(n, want, bytes) : -E_MEM;
    if (e < 0) {
        if (i)
            pool_free(n, &st->pool_image, i);
        seg_drop(n, want->seg);
        return e;
    }
    *i = *want;
    list_add(&st->images, &i->link);
    st->nimages++;
    *out = i->seg;
    return 0;
}

bool bootfs_serves(const struct node *n, struct port put)
{
    const struct bootfs *st = n->services->bootfs;
    return st && port_eq(put, st->put);
}

int bootfs_image(struct node *n, const struct cap *file, uint64_t off, uint64_t len, uint64_t at, struct seg **out)
{
    struct bootfs *st = n->services->bootfs;
    struct cpio_file f;
    ASSERT(at < PAGE_SIZE && len > 0);
    int e = file_named(n, file, &f);
    if (e == 0)
        e = cap_verify(file, st->key, RIGHT_READ);
    if (e == 0 && (off > f.len || len > f.len - off))
        e = -E_EOF;
    if (e < 0)
        return e;
    struct image want = {.object = cap_obj(file), .off = off, .len = len, .at = at};
    LIST_FOR (l, &st->images) {
        struct image *i = LIST_ENTRY(l, struct image, link);
        if (i->object != want.object || i->off != off || i->len != len || i->at != at)
            continue;
        list_del(&i->link);
        list_add(&st->images, &i->link);
        *out = i->seg;
        return 0;
    }
    return image_new(n, &want, f.bytes + off, out);
}

// --- The directory ------------------------------------------------------------------------------------------------

static int64_t run_lookup(struct node *n, struct request *r)
{
    const struct bootfs *st = n->services->bootfs;
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
            return reply_cap(r, object_cap(st, i + 1, cap_rights(&r->in.cap)));
    return -E_NAME;
}

static int64_t run_list(struct node *n, struct request *r)
{
    const struct bootfs *st = n->services->bootfs;
    struct cpio_file f;
    int64_t status = 0;
    if (cap_obj(&r->in.cap) != 0)
        return -E_OP;
    for (unsigned i = 0; status == 0 && i < st->files; i++) {
        if (!cpio_get(st->archive, st->len, i, &f))
            return -E_IO;
        struct dir_entry e = {.cap = object_cap(st, i + 1, cap_rights(&r->in.cap))};
        memcpy(e.name, f.name, sizeof e.name);
        status = reply_append(n, r, &e, sizeof e);
    }
    return status;
}

// --- The service --------------------------------------------------------------------------------------------------

static const struct operation ops[] = {
    {OP_INFO, "info", RIGHT_READ, true, OP_NONBLOCKING, run_info},
    {OP_READ, "read", RIGHT_READ, true, OP_SLOW, run_read},
    {OP_SIZE, "size", RIGHT_READ, true, OP_NONBLOCKING, run_size},
    {OP_DIR_LOOKUP, "lookup", RIGHT_READ, true, OP_NONBLOCKING, run_lookup},
    {OP_DIR_LIST, "list", RIGHT_READ, true, OP_SLOW, run_list},
    {0, NULL, 0, false, OP_NONBLOCKING, NULL},
};
static const struct service service = {
    .name = "bootfs",
    .ops = ops,
    .key = bootfs_key,
    .buffer_pages = 1,
    .tasks = 1,
    .tasks_max = 6,
};

const char *bootfs_give(struct node *n, const void *archive, uint64_t len)
{
    struct bootfs *st = n->services->bootfs;
    unsigned files;
    ASSERT(st && st->archive == NULL);
    const char *why = cpio_check(archive, len, &files);
    if (why)
        return why;
    st->archive = archive;
    st->len = len;
    st->files = files;
    return NULL;
}

int bootfs_service_start(struct node *n)
{
    struct bootfs *st = n->services->bootfs = service_state(n, sizeof *st);
    struct port get;
    if (!st)
        return -E_MEM;
    pool_init(&st->pool_image, "image", sizeof(struct image));
    list_init(&st->images);
    n->services->shrink = bootfs_forget;
    node_random(n, &get, sizeof get);
    node_random(n, st->key, sizeof st->key);
    int e = service_open(n, &service, get, &st->put);
    if (e < 0)
        return e;
    struct cap c = object_cap(st, 0, RIGHT_READ);
    return dir_enter(n, "bootfs", &c);
}

void bootfs_service_stop(struct node *n)
{
    if (n->services->bootfs)
        bootfs_forget(n);
}
