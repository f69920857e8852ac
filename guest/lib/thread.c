// SPDX-License-Identifier: BSD-2-Clause
// Threads. Stacks lie side by side in arenas: one mapping each, cut into slots of 2^n bytes.
//
//   low                    slot                     |  next slot                            high
//   | guard | stack, grows down  <- sp | tls | thread | guard | stack ...
//
// The guard is a page that the kernel never lets anybody touch (MAP_GUARD in core/abi.h): a stack that is too small
// faults instead of eating its neighbour. tls: the thread's variables, tp points at them. Pages of a slot come into
// being when they are touched. The slot of a joined thread is given to the next one; the arena goes when all of its
// threads have been joined.
#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "guest/lib/internal.h"

#define PAGE 4096
#define SLOT_LOG2_MIN 13           // guard page and one more
#define SLOT_LOG2_MAX 30           // a segment has at most 1 GiB
#define ARENA_BYTES_MIN (1u << 20) // of an arena with more than one slot
#define ALIGN_UP(n, a) (((n) + (a)-1) & ~((size_t)(a)-1))
_Static_assert(SLOT_LOG2_MIN >= 13 && SLOT_LOG2_MAX <= 30, "MAP_GUARD takes 13..30");
_Static_assert((size_t)1 << SLOT_LOG2_MIN > PAGE, "a slot has more than its guard page");
_Static_assert((THREAD_SLOT_DEFAULT & (THREAD_SLOT_DEFAULT - 1)) == 0, "the default slot is a slot's size");

struct thread {
    _Atomic uint32_t alive; // 1 until the kernel sets it to 0, after the thread's last instruction
    struct arena *arena;    // [I] in a slot of which all this lies
    void *(*fn)(void *);    // [I]
    void *arg;              // [I]
    void *result;           // of the thread itself, until alive is 0
    struct thread *next;    // while the slot is free
};

struct arena {
    struct arena *next; // of this slot size; oldest first
    char *base;         // [I]
    unsigned slot_log2; // [I]
    size_t slots;       // [I]
    size_t fresh;       // slots from here on were never used: nobody touches them in vain
    size_t used;
    struct thread *free;
};

static struct mutex lock; // the arenas
static struct arena *arenas[SLOT_LOG2_MAX + 1];

static _Thread_local struct thread *self;

void tls_fill(char *block)
{
    size_t image = (size_t)tls_image_bytes, all = (size_t)tls_bytes;
    assert((uintptr_t)block % 16 == 0 && image <= all);
    memcpy(block, tls_image, image);
    memset(block + image, 0, all - image);
}

// --- Arenas --------------------------------------------------------------------------------------

// What a slot holds above the stack.
static size_t above(void)
{
    return ALIGN_UP((size_t)tls_bytes, 16) + ALIGN_UP(sizeof(struct thread), 16);
}

static unsigned slot_for(size_t stack_bytes)
{
    size_t bytes = stack_bytes ? PAGE + stack_bytes + above() : THREAD_SLOT_DEFAULT;
    unsigned log2 = SLOT_LOG2_MIN;
    while (log2 <= SLOT_LOG2_MAX && ((size_t)1 << log2) < bytes)
        log2++;
    return log2;
}

// As many slots as there are already: n threads make about log n mappings. Fewer when there is no room for that.
static int64_t arena_map(unsigned log2, size_t *slots)
{
    size_t most = (size_t)1 << (SLOT_LOG2_MAX - log2);
    *slots = ARENA_BYTES_MIN >> log2 ? ARENA_BYTES_MIN >> log2 : 1;
    for (struct arena *a = arenas[log2]; a; a = a->next)
        *slots += a->slots;
    if (*slots > most)
        *slots = most;
    for (;; *slots /= 2) {
        int64_t base = sys_map(0, *slots << log2, MAP_READ | MAP_WRITE | MAP_GUARD(log2));
        if (base >= 0 || *slots == 1)
            return base;
    }
}

// A new one, last in its list. NULL: *error says why.
static struct arena *arena_new(unsigned log2, int64_t *error)
{
    struct arena **at = &arenas[log2], *a = malloc(sizeof *a);
    size_t slots;
    *error = a ? arena_map(log2, &slots) : -E_MEM;
    if (*error < 0) {
        free(a);
        return NULL;
    }
    *a = (struct arena){.base = (char *)*error, .slot_log2 = log2, .slots = slots};
    while (*at)
        at = &(*at)->next;
    return *at = a;
}

// A free slot's struct thread, at its high end. Old arenas fill first, so that younger, larger ones can go.
static struct thread *slot_take(unsigned log2, int64_t *error)
{
    struct arena *a = arenas[log2];
    while (a && a->used == a->slots)
        a = a->next;
    if (!a && !(a = arena_new(log2, error)))
        return NULL;
    assert(a->free || a->fresh < a->slots);
    struct thread *t = a->free;
    if (t)
        a->free = t->next;
    else
        t = (struct thread *)(a->base + (++a->fresh << log2) - ALIGN_UP(sizeof *t, 16));
    a->used++;
    *t = (struct thread){.arena = a};
    return t;
}

// The last arena of a size is kept while it is small: a program that makes one thread at a time maps nothing.
static bool arena_is_kept(const struct arena *a)
{
    return arenas[a->slot_log2] == a && !a->next && a->slots << a->slot_log2 <= ARENA_BYTES_MIN;
}

static void slot_give(struct thread *t)
{
    struct arena *a = t->arena, **at = &arenas[a->slot_log2];
    assert(a->used > 0 && (char *)t > a->base && (char *)t < a->base + (a->slots << a->slot_log2));
    t->next = a->free;
    a->free = t;
    if (--a->used > 0 || arena_is_kept(a))
        return;
    while (*at != a)
        at = &(*at)->next;
    *at = a->next;
    sys_unmap((uint64_t)a->base);
    free(a);
}

// --- Life of a thread ----------------------------------------------------------------------------

// The kernel's reason as errno.
static struct thread *refuse(int64_t error)
{
    errno = error == -E_LIMIT ? EAGAIN : ENOMEM;
    return NULL;
}

struct thread *thread_create(void *(*fn)(void *), void *arg, size_t stack_bytes)
{
    unsigned log2 = stack_bytes < (size_t)1 << SLOT_LOG2_MAX ? slot_for(stack_bytes) : SLOT_LOG2_MAX + 1;
    int64_t error = -E_LIMIT;
    mutex_lock(&lock);
    struct thread *t = log2 <= SLOT_LOG2_MAX ? slot_take(log2, &error) : NULL;
    mutex_unlock(&lock);
    if (!t)
        return refuse(error);

    char *tls = (char *)t - ALIGN_UP((size_t)tls_bytes, 16);
    t->alive = 1;
    t->fn = fn;
    t->arg = arg;
    tls_fill(tls);
    int64_t number = sys_thread_create(thread_entry, tls, (uint64_t)t, tls);
    if (number >= 0)
        return t;
    mutex_lock(&lock);
    slot_give(t);
    mutex_unlock(&lock);
    return refuse(number);
}

void thread_main(struct thread *t)
{
    self = t;
    thread_exit(t->fn(t->arg));
}

noreturn void thread_exit(void *result)
{
    // Were this the last thread, the process would end without exit() and lose an unfinished line. Destructors of the
    // process are not run, for other threads may use what they destroy.
    stdio_lock();
    tty_flush();
    stdio_unlock();
    if (!self)
        sys_thread_exit(NULL);
    self->result = result;
    sys_thread_exit(&self->alive);
}

// The kernel clears `alive` and wakes us when the thread executes nothing more. Did the thread do it itself, its slot
// could be given to the next one, or unmapped, while it still runs on that stack. A wake may come early: hence the
// loop.
void *thread_join(struct thread *t)
{
    while (atomic_load(&t->alive))
        sys_wait(&t->alive, 1, 0);
    void *result = t->result;
    mutex_lock(&lock);
    slot_give(t);
    mutex_unlock(&lock);
    return result;
}

struct thread *thread_self(void)
{
    return self;
}
