// SPDX-License-Identifier: BSD-2-Clause
// Standard streams on the terminal capability "tty".
//
// picolibc's stdio hands over one character at a time; a transaction for each would be hopeless. So output gathers in
// one buffer, which stdout and stderr share: what was printed first then also arrives first. When the outermost stdio
// call ends (stdio_unlock) and left a newline in the buffer, the buffer is sent. Hence one printf is one transaction,
// however many lines it prints, and lines of two threads never mix.
#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio-bufio.h>
#include <stdio.h>
#include <string.h>

#include "guest/lib/internal.h"
#include "services/protocol.h"

#define OUT_BYTES 4096
#define IN_BYTES 1024

static struct {
    struct rlock lock;
    char bytes[OUT_BYTES];
    size_t len;
    bool due;    // holds a newline, or something that must not wait for one
    bool failed; // something was dropped since the outermost call began
} out;
static int out_mode = _IOLBF; // setvbuf's; not in `out`, so that its buffer takes no room in the ELF file

static struct {
    struct rlock lock;
    char bytes[IN_BYTES];
    size_t at, len;
} in;

// --- Transactions with the terminal --------------------------------------------------------------

static bool terminal(struct cap *cap)
{
    return startup_cap("tty", cap) == 0;
}

// Sends all of it: 0, or EOF when the terminal refuses or takes nothing. No terminal: gone, and well.
static int send(const char *bytes, size_t len)
{
    struct cap tty;
    if (!terminal(&tty))
        return 0;
    while (len > 0) {
        struct trans_result result;
        const uint64_t args[4] = {0};
        int64_t status = trans(&tty, OP_WRITE, args, bytes, len, NULL, 0, &result);
        size_t written = (size_t)result.res[0];
        if (status < 0 || written == 0 || written > len) {
            errno = EIO;
            return EOF;
        }
        bytes += written;
        len -= written;
    }
    return 0;
}

int64_t tty_read(char *bytes, size_t len)
{
    struct cap tty;
    if (!terminal(&tty))
        return 0;
    stdio_lock();
    tty_flush(); // the question before the answer
    stdio_unlock();
    struct trans_result result;
    const uint64_t args[4] = {0, len};
    int64_t status = trans(&tty, OP_READ, args, NULL, 0, bytes, len, &result);
    if (status == -E_EOF)
        return 0;
    if (status < 0) {
        errno = EIO;
        return -1;
    }
    return (int64_t)result.reply_len;
}

// --- Output --------------------------------------------------------------------------------------

int tty_flush(void)
{
    assert(rlock_held(&out.lock));
    size_t len = out.len;
    out.len = 0;
    out.due = false;
    if (len == 0 || send(out.bytes, len) == 0)
        return 0;
    out.failed = true;
    return EOF;
}

void tty_put(const char *bytes, size_t len)
{
    assert(rlock_held(&out.lock)); // else two threads' bytes would mix, or be lost
    if (out_mode == _IONBF || (out_mode == _IOLBF && memchr(bytes, '\n', len)))
        out.due = true;
    while (len > 0) {
        if (out.len == OUT_BYTES) {
            bool due = out.due;
            tty_flush();
            out.due = due;
        }
        size_t n = OUT_BYTES - out.len < len ? OUT_BYTES - out.len : len;
        memcpy(out.bytes + out.len, bytes, n);
        out.len += n;
        bytes += n;
        len -= n;
    }
}

void stdio_lock(void)
{
    rlock_take(&out.lock);
}

int tty_unlock(void)
{
    int result = 0;
    if (out.lock.depth == 1) {
        if (out.due)
            tty_flush();
        result = out.failed ? EOF : 0;
        out.failed = false;
    }
    rlock_give(&out.lock);
    return result;
}

void stdio_unlock(void)
{
    if (rlock_held(&out.lock))
        tty_unlock();
    else // a program's mistake, and `depth` is another thread's now
        errno = EPERM;
}

static int put(char c, FILE *f)
{
    stdio_lock();
    tty_put(&c, 1);
    if (f == stderr)
        out.due = true;
    return tty_unlock();
}

static int flush(FILE *f)
{
    (void)f;
    stdio_lock();
    tty_flush();
    return tty_unlock();
}

static int setvbuf_out(FILE *f, char *buf, int mode, size_t size)
{
    (void)f, (void)buf, (void)size; // the buffer stays ours: only when it is sent can be chosen
    if (mode != _IOFBF && mode != _IOLBF && mode != _IONBF)
        return -1;
    stdio_lock();
    out_mode = mode;
    out.due = out.len > 0;
    stdio_unlock();
    return 0;
}

// The least priority there is for a destructor: it comes after those of the program, and after atexit's functions.
__attribute__((destructor(101))) static void flush_at_exit(void)
{
    flush(stdout);
}

// --- Input ---------------------------------------------------------------------------------------

static int get(FILE *f)
{
    (void)f;
    int c = _FDEV_EOF;
    rlock_take(&in.lock);
    if (in.at == in.len) {
        int64_t n = tty_read(in.bytes, sizeof in.bytes);
        assert(n <= (int64_t)sizeof in.bytes);
        in.at = 0;
        in.len = n > 0 ? (size_t)n : 0;
        if (n < 0)
            c = _FDEV_ERR;
    }
    if (in.at < in.len)
        c = (unsigned char)in.bytes[in.at++];
    rlock_give(&in.lock);
    return c;
}

static int setvbuf_in(FILE *f, char *buf, int mode, size_t size)
{
    (void)f, (void)buf, (void)mode, (void)size;
    return 0;
}

// --- The streams ---------------------------------------------------------------------------------

static int no_close(FILE *f)
{
    return f->flush ? f->flush(f) : 0;
}

static __off_t no_seek(FILE *f, __off_t offset, int whence)
{
    (void)f, (void)offset, (void)whence;
    errno = ESPIPE;
    return -1;
}

static struct __file_ext in_file = FDEV_SETUP_EXT(NULL, get, NULL, no_close, no_seek, setvbuf_in, _FDEV_SETUP_READ);
static struct __file_ext out_file = FDEV_SETUP_EXT(put, NULL, flush, no_close, no_seek, setvbuf_out, _FDEV_SETUP_WRITE);
static struct __file_ext err_file = FDEV_SETUP_EXT(put, NULL, flush, no_close, no_seek, setvbuf_out, _FDEV_SETUP_WRITE);

FILE *const stdin = &in_file.cfile.file;
FILE *const stdout = &out_file.cfile.file;
FILE *const stderr = &err_file.cfile.file;

bool tty_is_output(const FILE *f)
{
    return f == stdout || f == stderr;
}

int fileno(FILE *f)
{
    if (f == stdin)
        return 0;
    if (tty_is_output(f))
        return f == stdout ? 1 : 2;
    if (f->flags & __SBUF)
        return (int)(intptr_t)((struct __file_bufio *)f)->ptr;
    errno = EBADF;
    return -1;
}
