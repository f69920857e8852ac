// SPDX-License-Identifier: BSD-2-Clause
// Monitors and semaphores on SYS_WAIT and SYS_WAKE, which are Linux's futex in its simplest form. The mutex is the
// third of U. Drepper, "Futexes are tricky" (2004): three states, so that an uncontended lock and unlock make no system
// call.
#include <stdatomic.h>

#include "guest/lib/rotifer.h"

enum { FREE = 0, TAKEN = 1, WAITED_FOR = 2 };

bool mutex_trylock(struct mutex *m)
{
    uint32_t seen = FREE;
    return atomic_compare_exchange_strong_explicit(&m->state, &seen, TAKEN, memory_order_acquire, memory_order_relaxed);
}

void mutex_lock(struct mutex *m)
{
    if (mutex_trylock(m))
        return;
    // From here on the state says that somebody may wait: also when we get the mutex in the end, because we cannot know
    // whether we were the only one.
    while (atomic_exchange_explicit(&m->state, WAITED_FOR, memory_order_acquire) != FREE)
        sys_wait(&m->state, WAITED_FOR, 0);
}

void mutex_unlock(struct mutex *m)
{
    if (atomic_exchange_explicit(&m->state, FREE, memory_order_release) == WAITED_FOR)
        sys_wake(&m->state, 1);
}

// A signal between the unlock and the sys_wait changes the sequence, so that sys_wait returns at once: no wake-up is
// lost. `waiters` only saves signals that nobody waits for their system call; it is raised while the mutex is held,
// hence before any signal that this waiter must not miss.
int64_t cond_wait_timeout(struct cond *c, struct mutex *m, uint64_t timeout_ms)
{
    atomic_fetch_add(&c->waiters, 1);
    uint32_t sequence = atomic_load(&c->sequence);
    mutex_unlock(m);
    int64_t result = sys_wait(&c->sequence, sequence, timeout_ms);
    atomic_fetch_sub(&c->waiters, 1);
    mutex_lock(m);
    return result == -E_TIMEOUT ? result : 0;
}

void cond_wait(struct cond *c, struct mutex *m)
{
    cond_wait_timeout(c, m, 0);
}

static void wake(struct cond *c, uint64_t count)
{
    if (atomic_load(&c->waiters) == 0)
        return;
    atomic_fetch_add(&c->sequence, 1);
    sys_wake(&c->sequence, count);
}

void cond_signal(struct cond *c)
{
    wake(c, 1);
}

void cond_broadcast(struct cond *c)
{
    wake(c, UINT32_MAX);
}

void sem_init(struct sem *s, uint32_t count)
{
    atomic_store(&s->waiters, 0);
    atomic_store(&s->count, count);
}

// Takes one if there is one.
static bool take(struct sem *s)
{
    uint32_t count = atomic_load(&s->count);
    while (count > 0)
        if (atomic_compare_exchange_weak(&s->count, &count, count - 1))
            return true;
    return false;
}

void sem_down(struct sem *s)
{
    while (!take(s)) {
        atomic_fetch_add(&s->waiters, 1);
        sys_wait(&s->count, 0, 0);
        atomic_fetch_sub(&s->waiters, 1);
    }
}

void sem_up(struct sem *s)
{
    atomic_fetch_add(&s->count, 1);
    if (atomic_load(&s->waiters) > 0)
        sys_wake(&s->count, 1);
}
