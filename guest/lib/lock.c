// SPDX-License-Identifier: BSD-2-Clause
// The recursive lock, and with it the locks that picolibc asks for: one around malloc, environment and time zone, one
// for each open file. picolibc's own versions of these functions do nothing; ours are linked instead because
// librotifer.a comes first, whole.
#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/lock.h>

#include "guest/lib/internal.h"

static uintptr_t me(void)
{
    return (uintptr_t)__builtin_thread_pointer();
}

// The owner can only be me() if I wrote it, so that this needs no lock.
bool rlock_held(struct rlock *l)
{
    return atomic_load_explicit(&l->owner, memory_order_relaxed) == me();
}

static void taken(struct rlock *l)
{
    atomic_store_explicit(&l->owner, me(), memory_order_relaxed);
    l->depth = 1;
}

void rlock_take(struct rlock *l)
{
    if (rlock_held(l)) {
        l->depth++;
        return;
    }
    mutex_lock(&l->mutex);
    taken(l);
}

// The owner goes before the mutex: the next holder writes its own behind that, and would be overwritten.
void rlock_give(struct rlock *l)
{
    assert(rlock_held(l) && l->depth > 0);
    if (--l->depth > 0)
        return;
    atomic_store_explicit(&l->owner, 0, memory_order_relaxed);
    mutex_unlock(&l->mutex);
}

struct __lock {
    struct rlock rlock;
};
struct __lock __lock___libc_recursive_mutex;

// Whoever gets no memory for a lock gets none for the file either: picolibc makes the lock last, and its functions have
// no way to say that it failed. One shared lock is safe then, only slower.
static struct __lock shared;

void __retarget_lock_init(_LOCK_T *lock)
{
    *lock = calloc(1, sizeof **lock);
    if (!*lock)
        *lock = &shared;
}

void __retarget_lock_close(_LOCK_T lock)
{
    if (lock != &shared)
        free(lock);
}

void __retarget_lock_acquire(_LOCK_T lock)
{
    rlock_take(&lock->rlock);
}

void __retarget_lock_release(_LOCK_T lock)
{
    rlock_give(&lock->rlock);
}

// A lock that may be taken again does where it need not be.
void __retarget_lock_init_recursive(_LOCK_T *lock)
{
    __retarget_lock_init(lock);
}
void __retarget_lock_close_recursive(_LOCK_T lock)
{
    __retarget_lock_close(lock);
}
void __retarget_lock_acquire_recursive(_LOCK_T lock)
{
    __retarget_lock_acquire(lock);
}
void __retarget_lock_release_recursive(_LOCK_T lock)
{
    __retarget_lock_release(lock);
}
