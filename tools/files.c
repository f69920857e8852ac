// SPDX-License-Identifier: BSD-2-Clause
// Files of this machine as objects: each is a table entry, found by the object number of the capability.
#include "tools/files.h"
#include "core/cap.h"
#include "core/config.h"
#include "core/error.h"
#include "core/panic.h"
#include "services/protocol.h"
#include "services/service.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_MAX 128
#define READ_MAX (32 * MIB) // bytes of one reply; more is had by asking again

// Object number i + 1 is files.object[i].
static struct {
    struct port put;
    unsigned count;
    struct file {
        uint8_t key[16];
        const unsigned char *bytes; // NULL: fd
        uint64_t len;               // of bytes
        int fd;
        bool dir; // fd is a directory, whose files may be looked up
    } object[FILES_MAX];
} files;

static struct file *find(const struct request *r)
{
    uint32_t i = cap_obj(&r->in.cap);
    return i >= 1 && i <= files.count ? &files.object[i - 1] : NULL;
}

static int file_key(struct node *n, const struct request *r, uint8_t key[16])
{
    (void)n;
    const struct file *f = find(r);
    if (!f)
        return -E_OBJECT;
    for (int i = 0; i < 16; i++)
        key[i] = f->key[i];
    return 0;
}

static int64_t file_size(const struct file *f)
{
    struct stat st;
    if (f->bytes)
        return (int64_t)f->len;
    return fstat(f->fd, &st) == 0 ? (int64_t)st.st_size : -E_IO;
}

// Zeros at the end do not travel: the reply says how many they are. Less than a page is not worth the words.
static uint64_t without_zeros(const unsigned char *p, uint64_t len)
{
    uint64_t keep = len;
    while (keep && p[keep - 1] == 0)
        keep--;
    return len - keep >= PAGE_SIZE ? keep : len;
}

static void free_buffer(struct node *n, struct request *r)
{
    (void)n;
    free(r->after_arg);
}

// The bytes [off, off + len), len > 0; NULL: no memory or the file fails. *got may be less: it was cut meanwhile.
static const unsigned char *fetch(const struct file *f, struct request *r, uint64_t off, uint64_t len, uint64_t *got)
{
    *got = len;
    ASSERT(len > 0 && !r->after); // one buffer a request, or the first would never be freed
    if (f->bytes)
        return f->bytes + off;
    unsigned char *p = malloc(len);
    if (!p)
        return NULL;
    ssize_t n = pread(f->fd, p, len, (off_t)off);
    if (n < 0) {
        free(p);
        return NULL;
    }
    r->after = free_buffer;
    r->after_arg = p;
    *got = (uint64_t)n;
    return p;
}

static int64_t run_read(struct node *n, struct request *r)
{
    (void)n;
    const struct file *f = find(r);
    int64_t size = f->dir ? -E_OP : file_size(f);
    uint64_t off = r->in.arg[0], len = r->in.arg[1], got;
    if (size < 0)
        return size;
    if (off >= (uint64_t)size)
        return -E_EOF;
    if (len > (uint64_t)size - off)
        len = (uint64_t)size - off;
    if (len > READ_MAX)
        len = READ_MAX;
    if (len == 0)
        return 0;
    const unsigned char *p = fetch(f, r, off, len, &got);
    if (!p)
        return -E_IO;
    uint64_t keep = without_zeros(p, got);
    r->res[0] = got - keep;
    r->reply = buf_kernel(p, keep);
    return 0;
}

static int64_t run_size(struct node *n, struct request *r)
{
    (void)n;
    int64_t size = find(r)->dir ? -E_OP : file_size(find(r));
    if (size < 0)
        return size;
    r->res[0] = (uint64_t)size;
    return 0;
}

// A file of the directory, by its plain name: no way leads out of it, neither a slash nor a symbolic link.
static int64_t open_in(const struct file *dir, const char *name, int *fd)
{
    struct stat st;
    if (name[0] == 0 || strchr(name, '/'))
        return -E_NAME;
    *fd = openat(dir->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (*fd < 0)
        return -E_NAME;
    if (fstat(*fd, &st) == 0 && S_ISREG(st.st_mode))
        return 0;
    close(*fd);
    return -E_NAME;
}

static bool same_file(int a, int b)
{
    struct stat x, y;
    return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static int64_t run_lookup(struct node *n, struct request *r)
{
    char name[NAME_MAX_LEN + 1] = {0};
    const struct file *dir = find(r);
    int fd = -1;
    if (!dir->dir)
        return -E_OP;
    if (r->in.len > NAME_MAX_LEN)
        return -E_ARG;
    int64_t e = buf_read(n, &r->data, 0, name, r->in.len);
    if (e == 0)
        e = open_in(dir, name, &fd);
    if (e < 0)
        return e;
    for (unsigned i = 0; i < files.count; i++) // looked up before: the same object
        if (!files.object[i].bytes && !files.object[i].dir && same_file(fd, files.object[i].fd)) {
            close(fd);
            return reply_cap(r, cap_make(files.put, i + 1, RIGHT_READ, files.object[i].key));
        }
    struct cap c = files_add_file(n, fd);
    if (!cap_is_null(&c))
        return reply_cap(r, c);
    close(fd);
    return -E_LIMIT;
}

static const struct operation ops[] = {
    {OP_DIR_LOOKUP, "lookup", RIGHT_READ, true, OP_NONBLOCKING, run_lookup},
    {OP_READ, "read", RIGHT_READ, true, OP_SLOW, run_read},
    {OP_SIZE, "size", RIGHT_READ, true, OP_NONBLOCKING, run_size},
    {0, NULL, 0, false, OP_NONBLOCKING, NULL},
};
static const struct service service = {
    .name = "file", .ops = ops, .key = file_key, .buffer_pages = 1, .tasks = 2, .tasks_max = 16};

int files_start(struct node *n)
{
    struct port get;
    node_random(n, &get, sizeof get);
    int handle = service_open(n, &service, get, &files.put);
    return handle < 0 ? handle : 0;
}

static struct cap add(struct node *n, struct file f)
{
    if (files.count == FILES_MAX)
        return (struct cap){.obj_rights = 0};
    ASSERT(f.bytes || f.fd >= 0);
    struct file *slot = &files.object[files.count++];
    *slot = f;
    node_random(n, slot->key, sizeof slot->key);
    return cap_make(files.put, files.count, RIGHT_READ, slot->key);
}

struct cap files_add_bytes(struct node *n, const void *bytes, uint64_t len)
{
    return add(n, (struct file){.bytes = bytes, .len = len, .fd = -1});
}

struct cap files_add_file(struct node *n, int fd)
{
    return add(n, (struct file){.fd = fd});
}

struct cap files_add_dir(struct node *n, int fd)
{
    return add(n, (struct file){.fd = fd, .dir = true});
}

static void *read_open(int fd, uint64_t max, uint64_t *len)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return NULL;
    if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > max) {
        errno = S_ISDIR(st.st_mode) ? EISDIR : S_ISREG(st.st_mode) ? EFBIG : EINVAL;
        return NULL;
    }
    uint64_t size = (uint64_t)st.st_size;
    char *p = malloc(size + 1);
    for (*len = 0; p && *len < size;) {
        ssize_t got = read(fd, p + *len, size - *len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break; // cut meanwhile: what there is
        *len += (uint64_t)got;
    }
    return p;
}

void *file_read_all(const char *path, uint64_t max, uint64_t *len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return NULL;
    void *p = read_open(fd, max, len);
    int e = errno;
    close(fd);
    errno = e;
    return p;
}
