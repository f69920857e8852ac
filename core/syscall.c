// SPDX-License-Identifier: BSD-2-Clause
// The system calls: unpack registers, call the room that does it, put the results into registers. None of them blocks:
// one that must wait sets the thread's state and returns; the event that ends the wait puts the results there
// (answer.h).
#include "core/abi.h"
#include "core/cap.h"
#include "core/entry.h"
#include "core/futex.h"
#include "core/life.h"
#include "core/listen.h"
#include "core/loop.h"
#include "core/node.h"
#include "core/port.h"
#include "core/random.h"
#include "core/sched.h"
#include "core/thread.h"
#include "core/txn_priv.h"
#include <string.h>

#define ARG(i) (t->regs.x[REG_A0 + (i)])

typedef void sys_fn(struct node *n, struct thread *t);

static void answer(struct thread *t, int64_t status)
{
    t->regs.x[REG_A0] = (uint64_t)status;
}

static void sys_null(struct node *n, struct thread *t)
{
    (void)n;
    answer(t, 0);
}

static void sys_trans(struct node *n, struct thread *t)
{
    struct cap cap;
    copy_cap(&cap, (const struct cap *)(const void *)&ARG(0)); // a0..a3
    const uint64_t arg[4] = {t->regs.x[REG_T3], t->regs.x[REG_T4], t->regs.x[REG_T5], t->regs.x[REG_T6]};
    struct buf req = ARG(6) ? buf_user(t->proc, ARG(5), ARG(6)) : buf_none();
    struct buf rep = t->regs.x[REG_T1] ? buf_user(t->proc, t->regs.x[REG_T0], t->regs.x[REG_T1]) : buf_none();
    uint64_t ms = t->regs.x[REG_T2];
    if (ms > UINT32_MAX) {
        answer(t, -E_ARG);
        return;
    }
    if (txn_inline(n, t, true))
        return;
    int r = txn_trans(n, t, &cap, (uint32_t)ARG(4), arg, req, rep, ms * NS_PER_MS);
    if (r < 0)
        answer(t, r);
}

static void sys_getreq(struct node *n, struct thread *t)
{
    if (ARG(3) > UINT32_MAX) {
        answer(t, -E_ARG);
        return;
    }
    struct buf b = ARG(2) ? buf_user(t->proc, ARG(1), ARG(2)) : buf_none();
    int r = txn_getreq(n, t, ARG(0), b, ARG(3) * NS_PER_MS);
    if (r < 0)
        answer(t, r);
}

static void sys_putrep(struct node *n, struct thread *t)
{
    struct buf b = ARG(2) ? buf_user(t->proc, ARG(1), ARG(2)) : buf_none();
    const uint64_t res[4] = {ARG(3), ARG(4), ARG(5), ARG(6)};
    int r = txn_putrep(n, t, (int64_t)ARG(0), res, b);
    if (r != 0)
        answer(t, r < 0 ? r : 0);
}

static void sys_putrep_getreq(struct node *n, struct thread *t)
{
    if (ARG(2) > REPLY_COPY_MAX || t->regs.x[REG_T3] > UINT32_MAX) {
        answer(t, ARG(2) > REPLY_COPY_MAX ? -E_TOOBIG : -E_ARG);
        return;
    }
    struct buf rep = ARG(2) ? buf_user(t->proc, ARG(1), ARG(2)) : buf_none();
    int r = txn_putrep_short(n, t, (int64_t)ARG(0), &ARG(3), rep);
    if (r == 0) {
        struct buf b = t->regs.x[REG_T2] ? buf_user(t->proc, t->regs.x[REG_T1], t->regs.x[REG_T2]) : buf_none();
        r = txn_getreq(n, t, t->regs.x[REG_T0], b, t->regs.x[REG_T3] * NS_PER_MS);
    }
    if (r < 0)
        answer(t, r);
}

static void sys_forward(struct node *n, struct thread *t)
{
    struct cap cap;
    copy_cap(&cap, (const struct cap *)(const void *)&ARG(0)); // a0..a3
    answer(t, txn_forward(n, t, &cap, (uint32_t)ARG(4), &t->regs.x[REG_T3]));
}

static void sys_cancel(struct node *n, struct thread *t)
{
    if (ARG(1) > UINT32_MAX || ARG(0) > UINT32_MAX) {
        answer(t, -E_ARG);
        return;
    }
    struct thread *other = thread_find(t->proc, (uint32_t)ARG(0));
    answer(t, other ? txn_cancel(n, other, ARG(1) * NS_PER_MS) : -E_OBJECT);
}

static void sys_cancelled(struct node *n, struct thread *t)
{
    (void)n;
    if (ARG(0) > CANCEL_OPEN) {
        answer(t, -E_ARG);
        return;
    }
    if (ARG(0) != CANCEL_ASK)
        t->serve.shielded = ARG(0) == CANCEL_SHIELD;
    bool yes = txn_cancelled(t);
    if (yes && t->serve.rec) // it knows now
        t->serve.rec->cancel = CANCEL_TOLD;
    answer(t, yes);
}

static void sys_port_listen(struct node *n, struct thread *t)
{
    struct port get = {{ARG(0), ARG(1)}}, put;
    int r = port_listen(n, t->proc, get, &put);
    answer(t, r);
    if (r >= 0) {
        ARG(1) = put.w[0];
        ARG(2) = put.w[1];
    }
}

static void sys_port_close(struct node *n, struct thread *t)
{
    answer(t, ARG(0) < PROC_PORTS_MAX ? port_close(n, t->proc, (uint32_t)ARG(0)) : -E_ARG);
}

static void sys_thread_create(struct node *n, struct thread *t)
{
    if (thread_limit(t->proc) || proc_room(t->proc, THREAD_COST_BYTES) < 0) {
        answer(t, -E_LIMIT);
        return;
    }
    struct thread *nt = thread_create(n, t->proc, 0);
    if (!nt) {
        answer(t, -E_MEM);
        return;
    }
    nt->regs.pc = ARG(0);
    nt->regs.x[REG_SP] = ARG(1);
    nt->regs.x[REG_A0] = ARG(2);
    nt->regs.x[REG_TP] = ARG(3);
    answer(t, nt->tid);
    sched_ready(n, nt);
}

static void sys_thread_exit(struct node *n, struct thread *t)
{
    struct proc *p = t->proc;
    uint64_t va = ARG(0);
    uint32_t zero = 0;
    if (va && !(va & 3)) {
        struct buf b = buf_user(p, va, sizeof zero);
        if (buf_write(n, &b, 0, &zero, sizeof zero) == 0)
            futex_wake(n, p, va, UINT64_MAX);
    }
    thread_set_state(t, THREAD_ENDED);
    sched_leave(n, t->hart);
    if (p->nthreads == 1)
        proc_finish(n, p, 0);
    else
        thread_destroy(n, t);
}

static void sys_yield(struct node *n, struct thread *t)
{
    answer(t, 0);
    sched_end_slice(n, t->hart);
}

static void set_wake(struct node *n, struct thread *t, uint64_t ns)
{
    uint64_t now = node_now(n);
    t->wake_ns = ns < UINT64_MAX - 1 - now ? now + ns : UINT64_MAX - 1;
    timer_set(n, &t->timer, t->wake_ns);
}

static void sys_sleep(struct node *n, struct thread *t)
{
    thread_set_state(t, THREAD_SLEEP);
    set_wake(n, t, ARG(0));
}

static void sys_wait(struct node *n, struct thread *t)
{
    uint32_t now;
    if (ARG(0) & 3 || ARG(2) > UINT32_MAX) {
        answer(t, -E_ARG);
        return;
    }
    struct buf b = buf_user(t->proc, ARG(0), sizeof now);
    int r = buf_read(n, &b, 0, &now, sizeof now);
    if (r == 0 && now != (uint32_t)ARG(1))
        r = -E_AGAIN;
    if (r < 0) {
        answer(t, r);
        return;
    }
    futex_wait(n, t, ARG(0));
    if (ARG(2))
        set_wake(n, t, ARG(2) * NS_PER_MS);
}

static void sys_wake(struct node *n, struct thread *t)
{
    answer(t, (int64_t)futex_wake(n, t->proc, ARG(0), ARG(1)));
}

static int64_t map_new(struct node *n, struct proc *p, uint64_t va, uint64_t bytes, uint64_t flags)
{
    if (flags & ~(uint64_t)MAP_ALL || bytes == 0 || bytes > SEG_MAX_BYTES)
        return -E_ARG;
    uint64_t len = PAGES_FOR(bytes) * PAGE_SIZE;
    int r = proc_room(p, len);
    if (r < 0)
        return r;
    if (va == 0 && (va = proc_find_gap(p, len)) == 0)
        return -E_MEM;
    struct seg *s;
    r = seg_create(n, len, &s);
    if (r < 0)
        return r;
    r = proc_map(n, p, va, len, s, 0, (uint32_t)flags);
    if (r < 0) {
        seg_drop(n, s);
        return r;
    }
    return (int64_t)va;
}

static void sys_map(struct node *n, struct thread *t)
{
    answer(t, map_new(n, t->proc, ARG(0), ARG(1), ARG(2)));
}

static void sys_map_cap(struct node *n, struct thread *t)
{
    struct cap cap;
    copy_cap(&cap, (const struct cap *)(const void *)&ARG(0)); // a0..a3
    uint64_t flags = t->regs.x[REG_T0];
    answer(t, flags > UINT32_MAX ? -E_ARG : proc_map_cap(n, t->proc, &cap, ARG(4), ARG(5), ARG(6), (uint32_t)flags));
}

static void sys_unmap(struct node *n, struct thread *t)
{
    answer(t, proc_unmap(n, t->proc, ARG(0)));
}

static void sys_grow(struct node *n, struct thread *t)
{
    answer(t, ARG(1) <= SEG_MAX_BYTES ? proc_grow(n, t->proc, ARG(0), ARG(1)) : -E_LIMIT);
}

static void sys_time(struct node *n, struct thread *t)
{
    answer(t, (int64_t)(node_now(n) + t->proc->time_offset));
}

static void sys_exit(struct node *n, struct thread *t)
{
    proc_finish(n, t->proc, (int64_t)(int32_t)ARG(0));
}

static void sys_random(struct node *n, struct thread *t)
{
    uint8_t bytes[256];
    uint64_t len = ARG(1);
    if (len > sizeof bytes) {
        answer(t, -E_ARG);
        return;
    }
    node_random(n, bytes, (size_t)len);
    struct buf b = buf_user(t->proc, ARG(0), len);
    answer(t, buf_write(n, &b, 0, bytes, (size_t)len));
}

static void sys_self(struct node *n, struct thread *t)
{
    ARG(0) = t->tid;
    ARG(1) = t->proc->pid;
    ARG(2) = t->proc->ep;
    ARG(3) = node_ep(n);
}

static sys_fn *const table[SYS_COUNT] = {
    [SYS_NULL] = sys_null,
    [SYS_TRANS] = sys_trans,
    [SYS_GETREQ] = sys_getreq,
    [SYS_PUTREP] = sys_putrep,
    [SYS_PORT_LISTEN] = sys_port_listen,
    [SYS_PORT_CLOSE] = sys_port_close,
    [SYS_THREAD_CREATE] = sys_thread_create,
    [SYS_THREAD_EXIT] = sys_thread_exit,
    [SYS_YIELD] = sys_yield,
    [SYS_SLEEP] = sys_sleep,
    [SYS_WAIT] = sys_wait,
    [SYS_WAKE] = sys_wake,
    [SYS_MAP] = sys_map,
    [SYS_UNMAP] = sys_unmap,
    [SYS_GROW] = sys_grow,
    [SYS_TIME] = sys_time,
    [SYS_EXIT] = sys_exit,
    [SYS_RANDOM] = sys_random,
    [SYS_SELF] = sys_self,
    [SYS_PUTREP_GETREQ] = sys_putrep_getreq,
    [SYS_FORWARD] = sys_forward,
    [SYS_MAP_CAP] = sys_map_cap,
    [SYS_CANCEL] = sys_cancel,
    [SYS_CANCELLED] = sys_cancelled,
};

void entry_slow(struct hart *h, struct thread *t)
{
    struct node *n = h->node;
    uint64_t number = t->regs.x[REG_A7];
    n->stat.syscalls++;
    if (number < SYS_COUNT)
        table[number](n, t);
    else
        answer(t, -E_CALL);
}

void entry_syscall(struct hart *h, struct thread *t)
{
    if (h->current != t || !entry_fast(h, t)) // tests make calls for threads that are on no hart
        entry_slow(h, t);
}
