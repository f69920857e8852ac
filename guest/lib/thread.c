// SPDX-License-Identifier: BSD-2-Clause
// Threads. One mapping holds all that a thread needs, so that it comes and goes with one call:
//
//   low                                                                        high
//   | stack, grows down  <- sp | thread-local variables (tp) | struct thread |
//
// Below it nothing is mapped: a stack that is too small faults instead of eating a neighbour.
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "guest/lib/internal.h"

struct thread {
    _Atomic uint32_t alive; // 1 until the kernel sets it to 0, after the thread's last instruction
    char *mapping;          // [I] start of the mapping in which all this lies
    void *(*fn)(void *);    // [I]
    void *arg;              // [I]
    void *result;           // of the thread itself, until alive is 0
};

static _Thread_local struct thread *self;

#define ALIGN_UP(n, a) (((n) + (a)-1) & ~((size_t)(a)-1))

void tls_fill(char *block)
{
    size_t image = (size_t)tls_image_bytes, all = (size_t)tls_bytes;
    memcpy(block, tls_image, image);
    memset(block + image, 0, all - image);
}

// The kernel's reason as errno.
static struct thread *refuse(int64_t error)
{
    errno = error == -E_LIMIT ? EAGAIN : ENOMEM;
    return NULL;
}

struct thread *thread_create(void *(*fn)(void *), void *arg, size_t stack_bytes)
{
    size_t above = ALIGN_UP((size_t)tls_bytes, 16) + ALIGN_UP(sizeof(struct thread), 16);
    size_t len = ALIGN_UP((stack_bytes ? stack_bytes : THREAD_STACK_DEFAULT) + above, 4096);
    int64_t mapping = sys_map(0, len, MAP_READ | MAP_WRITE);
    if (mapping < 0)
        return refuse(mapping);

    char *end = (char *)mapping + len;
    struct thread *t = (struct thread *)(end - ALIGN_UP(sizeof *t, 16));
    char *tls = end - above;
    *t = (struct thread){.alive = 1, .mapping = (char *)mapping, .fn = fn, .arg = arg};
    tls_fill(tls);

    int64_t number = sys_thread_create(thread_entry, tls, (uint64_t)t, tls);
    if (number < 0) {
        sys_unmap((uint64_t)mapping);
        return refuse(number);
    }
    return t;
}

void thread_main(struct thread *t)
{
    self = t;
    thread_exit(t->fn(t->arg));
}

noreturn void thread_exit(void *result)
{
    // Were this the last thread, the process would end without exit() and lose an unfinished line.
    stdio_lock();
    tty_flush();
    stdio_unlock();
    if (!self)
        sys_thread_exit(NULL);
    self->result = result;
    sys_thread_exit(&self->alive);
}

void *thread_join(struct thread *t)
{
    while (atomic_load(&t->alive))
        sys_wait(&t->alive, 1, 0);
    void *result = t->result;
    sys_unmap((uint64_t)t->mapping);
    return result;
}

struct thread *thread_self(void)
{
    return self;
}
