// SPDX-License-Identifier: BSD-2-Clause
// Files to read. A process gets at just the files it was given: a capability named "file:PATH" in the startup block
// (the program loader makes one for each argument that names a file), or one that the directory called "files" there
// has under that name: the boot files of the node, for what its shell started. Such a capability answers OP_READ and
// OP_SIZE. picolibc's fopen stands on open, read, lseek and close below. There is no writing.
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/lib/internal.h"
#include "services/protocol.h"

#define FILES_MAX 16
#define FD_BASE 3         // 0, 1 and 2 are the terminal
#define AHEAD_BYTES 16384 // read at once: picolibc asks for 512 bytes at a time, each would be a transaction
_Static_assert(FD_BASE == STDERR_FILENO + 1, "files come behind the terminal");

struct file {
    bool used;
    struct cap cap;
    uint64_t offset;   // of the next byte for the caller
    uint64_t ahead_at; // file offset of ahead[0]
    size_t ahead_len;
    char *ahead;
};

static struct rlock lock; // the table and all in it
static struct file files[FILES_MAX];

static struct file *find(int fd)
{
    if (fd < FD_BASE || fd >= FD_BASE + FILES_MAX || !files[fd - FD_BASE].used) {
        errno = EBADF;
        return NULL;
    }
    return &files[fd - FD_BASE];
}

// The capability "file:path", or of that name in "files"; "./x" is the same as "x".
static bool file_cap(const char *path, struct cap *cap)
{
    while (path[0] == '.' && path[1] == '/')
        path += 2;
    char name[sizeof(((struct startup_cap *)0)->name) + 1];
    size_t len = strlen(path);
    if (len + sizeof "file:" <= sizeof name) {
        strcpy(name, "file:");
        strcat(name, path);
        if (startup_cap(name, cap) == 0)
            return true;
    }
    struct cap folder;
    return startup_cap("files", &folder) == 0 && dir_lookup(&folder, path, cap) == 0;
}

static int open_cap(const struct cap *cap)
{
    for (int i = 0; i < FILES_MAX; i++) {
        if (files[i].used)
            continue;
        char *ahead = malloc(AHEAD_BYTES);
        if (!ahead)
            return -1;
        files[i] = (struct file){.used = true, .cap = *cap, .ahead = ahead};
        return FD_BASE + i;
    }
    errno = EMFILE;
    return -1;
}

int open(const char *path, int flags, ...)
{
    struct cap cap;
    if ((flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC))) {
        errno = EROFS;
        return -1;
    }
    if (!file_cap(path, &cap)) {
        errno = ENOENT;
        return -1;
    }
    rlock_take(&lock);
    int fd = open_cap(&cap);
    rlock_give(&lock);
    return fd;
}

int close(int fd)
{
    rlock_take(&lock);
    struct file *f = find(fd);
    if (f) {
        free(f->ahead);
        *f = (struct file){.used = false};
    }
    rlock_give(&lock);
    return f || (fd >= 0 && fd < FD_BASE) ? 0 : -1;
}

// Reads at most len bytes at f->offset into buf. The reply may stop short at a hole, whose zeros are not sent but
// counted in res[0]. Returns the number of bytes, 0 at the end, -1 on an error.
static int64_t fetch(struct file *f, char *buf, size_t len)
{
    struct trans_result result;
    const uint64_t args[4] = {f->offset, len};
    int64_t status = trans(&f->cap, OP_READ, args, NULL, 0, buf, len, &result);
    if (status == -E_EOF)
        return 0;
    if (status < 0) {
        errno = EIO;
        return -1;
    }
    size_t got = (size_t)result.reply_len;
    assert(got <= len); // the kernel tells E_TOOBIG of a longer one. What the server says in res[0] is not believed
    size_t zeros = result.res[0] < len - got ? (size_t)result.res[0] : len - got;
    memset(buf + got, 0, zeros);
    return (int64_t)(got + zeros);
}

// What was read ahead from f->offset on: *bytes points at it. Returns its length, 0 at the end, -1 on an error.
static int64_t look(struct file *f, const char **bytes)
{
    if (f->offset < f->ahead_at || f->offset >= f->ahead_at + f->ahead_len) {
        int64_t n = fetch(f, f->ahead, AHEAD_BYTES);
        f->ahead_at = f->offset;
        f->ahead_len = n > 0 ? (size_t)n : 0;
        if (n <= 0)
            return n;
    }
    size_t skip = (size_t)(f->offset - f->ahead_at);
    assert(skip < f->ahead_len);
    *bytes = f->ahead + skip;
    return (int64_t)(f->ahead_len - skip);
}

static int64_t read_file(struct file *f, char *buf, size_t len)
{
    const char *bytes;
    int64_t n;
    if (len >= AHEAD_BYTES) {
        n = fetch(f, buf, len); // straight to its place
    } else {
        n = look(f, &bytes);
        if (n > (int64_t)len)
            n = (int64_t)len;
        if (n > 0)
            memcpy(buf, bytes, (size_t)n);
    }
    if (n > 0)
        f->offset += (uint64_t)n;
    return n;
}

ssize_t read(int fd, void *buf, size_t len)
{
    if (fd == 0)
        return (ssize_t)tty_read(buf, len);
    rlock_take(&lock);
    struct file *f = find(fd);
    int64_t n = f ? read_file(f, buf, len) : -1;
    rlock_give(&lock);
    return (ssize_t)n;
}

ssize_t write(int fd, const void *buf, size_t len)
{
    if (fd != 1 && fd != 2) {
        errno = EBADF;
        return -1;
    }
    stdio_lock();
    tty_put(buf, len);
    tty_flush();
    return tty_unlock() == 0 ? (ssize_t)len : -1;
}

static int64_t size(struct file *f)
{
    struct trans_result result;
    if (trans(&f->cap, OP_SIZE, NULL, NULL, 0, NULL, 0, &result) >= 0)
        return (int64_t)result.res[0];
    errno = EIO;
    return -1;
}

// Where SEEK_* counts from; -1 on an error.
static int64_t seek_base(struct file *f, int whence)
{
    switch (whence) {
    case SEEK_SET: return 0;
    case SEEK_CUR: return (int64_t)f->offset;
    case SEEK_END: return size(f);
    default: errno = EINVAL; return -1;
    }
}

off_t lseek(int fd, off_t offset, int whence)
{
    if (fd >= 0 && fd < FD_BASE) {
        errno = ESPIPE;
        return -1;
    }
    int64_t to = -1;
    rlock_take(&lock);
    struct file *f = find(fd);
    int64_t base = f ? seek_base(f, whence) : -1;
    if (base >= 0) {
        to = base + offset;
        if (to < 0) {
            errno = EINVAL;
            to = -1;
        } else {
            f->offset = (uint64_t)to;
        }
    }
    rlock_give(&lock);
    return (off_t)to;
}

int fstat(int fd, struct stat *st)
{
    *st = (struct stat){.st_mode = S_IFCHR | 0600, .st_nlink = 1};
    if (fd >= 0 && fd < FD_BASE)
        return 0;
    rlock_take(&lock);
    struct file *f = find(fd);
    int64_t bytes = f ? size(f) : -1;
    rlock_give(&lock);
    st->st_mode = S_IFREG | 0400;
    st->st_size = (off_t)bytes;
    st->st_blksize = AHEAD_BYTES;
    return bytes < 0 ? -1 : 0;
}

int stat(const char *restrict path, struct stat *restrict st)
{
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        return -1;
    int result = fstat(fd, st);
    close(fd);
    return result;
}

int access(const char *path, int mode)
{
    struct cap cap;
    if (mode & W_OK)
        errno = EROFS;
    else if (!file_cap(path, &cap))
        errno = ENOENT;
    else
        return 0;
    return -1;
}

int isatty(int fd)
{
    if (fd >= 0 && fd < FD_BASE)
        return 1;
    errno = ENOTTY;
    return 0;
}

static int read_only(void)
{
    errno = EROFS;
    return -1;
}

int unlink(const char *path)
{
    (void)path;
    return read_only();
}

int rename(const char *from, const char *to)
{
    (void)from, (void)to;
    return read_only();
}

int mkdir(const char *path, mode_t mode)
{
    (void)path, (void)mode;
    return read_only();
}
