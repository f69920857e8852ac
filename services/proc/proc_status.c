// SPDX-License-Identifier: BSD-2-Clause
// A process in words, for people: what of it is memory, what its threads do or wait for, which transactions are open.
// It says what the records say, and changes nothing.
#include "services/proc/proc_status.h"
#include "core/abi.h"
#include "core/rec.h"
#include "core/thread.h"
#include "services/proc/fault.h"
#include "services/proc/orphan.h"
#include "services/proc/proc_priv.h"

#include <stdio.h>

// --- Memory ----------------------------------------------------------------------------------------------------------

static int64_t show_map(struct node *n, struct request *r, const struct map *m)
{
    const char rights[4] = {m->flags & MAP_READ ? 'r' : '-', m->flags & MAP_WRITE ? 'w' : '-',
                            m->flags & MAP_EXEC ? 'x' : '-', 0};
    const char *what = m->flags & MAP_GROW_UP     ? "heap, grows up"
                       : m->flags & MAP_GROW_DOWN ? "stack, grows down"
                       : MAP_GUARD_LOG2(m->flags) ? "stacks of threads"
                       : m->flags & MAP_EXEC      ? "code"
                       : m->flags & MAP_WRITE     ? "data"
                                                  : "constants";
    const uint64_t extents = seg_extents(m->seg);
    char whole[48] = "";
    if (extents > 0)
        (void)snprintf(whole, sizeof whole, ", %llu x 2 MiB in one piece", (unsigned long long)extents);
    return reply_line(n, r, "  segment 0x%010llx  %6llu KiB, %6llu present, %s, %s%s", (unsigned long long)m->va,
                      (unsigned long long)(m->len / KIB), (unsigned long long)(m->seg->pages * PAGE_SIZE / KIB), rights,
                      what, whole);
}

// --- Threads ---------------------------------------------------------------------------------------------------------

// The compiler refuses two operations of one number here.
static const char *op_name(uint32_t op)
{
    switch (op) {
#define X(name, number, text)                                                                                          \
    case name: return text;
        OP_NUMBERS(X)
#undef X
    default: return NULL;
    }
}

// A program's own service may mean something else by a number; the standard operations are the same everywhere.
static void op_text(uint32_t op, bool ours, char text[24])
{
    const char *name = ours || op < OP_SEG_CREATE ? op_name(op) : NULL;
    if (name)
        (void)snprintf(text, 24, "%s", name);
    else
        (void)snprintf(text, 24, "operation %u", (unsigned)op);
}

static uint64_t ms_until(struct node *n, uint64_t at_ns)
{
    uint64_t now = node_now(n);
    return at_ns > now ? (at_ns - now) / NS_PER_MS : 0;
}

static const char *call_text(const struct call *c)
{
    if (c->server == EP_NONE)
        return "looks for who serves it";
    if (c->busy)
        return "told to wait";
    switch (c->state) {
    case CALL_SEND: return "sends the request";
    case CALL_WAIT: return "waits for the reply";
    case CALL_RECV: return "receives the reply";
    default: return "?";
    }
}

static void call_line(struct node *n, const struct call *c, char *text, size_t size)
{
    char op[24], where[NAME_MAX_LEN + 24] = "";
    op_text(c->op, c->server == node_ep(n), op);
    if (c->server == node_ep(n))
        (void)snprintf(where, sizeof where, " (a service of %s)", n->name);
    else if (c->server != EP_NONE)
        (void)snprintf(where, sizeof where, " (%016llx)", (unsigned long long)c->server);
    (void)snprintf(text, size, "in a transaction: %s on port %016llx%s, %s", op, (unsigned long long)c->cap.port.w[0],
                   where, call_text(c));
}

// What a thread is blocked in, or "": it runs or could run.
static void wait_line(struct node *n, const struct thread *t, char *text, size_t size)
{
    text[0] = 0;
    switch (t->state) {
    case THREAD_CALL: call_line(n, &t->call, text, size); break;
    case THREAD_GETREQ:
        (void)snprintf(text, size, "waits for a request (ports 0x%llx)", (unsigned long long)t->serve.mask);
        break;
    case THREAD_FILL: (void)snprintf(text, size, "receives a request"); break;
    case THREAD_PUTREP: (void)snprintf(text, size, "sends a reply"); break;
    case THREAD_SLEEP:
        (void)snprintf(text, size, "sleeps for another %llu ms", (unsigned long long)ms_until(n, t->wake_ns));
        break;
    case THREAD_FUTEX: (void)snprintf(text, size, "waits at address 0x%llx", (unsigned long long)t->wait_va); break;
    default: break;
    }
}

static int64_t show_thread(struct node *n, struct request *r, const struct thread *t)
{
    char text[150];
    int64_t status = reply_line(n, r, "  thread %u: %s, pc 0x%llx sp 0x%llx, %llu transactions begun", t->tid,
                                thread_state_name(t->state), (unsigned long long)t->regs.pc,
                                (unsigned long long)t->regs.x[REG_SP], (unsigned long long)t->seq);
    wait_line(n, t, text, sizeof text);
    return status == 0 && text[0] ? reply_line(n, r, "    %s", text) : status;
}

// --- Transactions that it serves, or served lately -------------------------------------------------------------------

static int64_t show_rec(struct node *n, struct request *r, const struct rec *q)
{
    char op[24];
    op_text(q->op, false, op);
    return reply_line(n, r, "  serves %016llx.%u: %s, %s", (unsigned long long)q->client, q->tid, op,
                      rec_state_name(q->state));
}

static int64_t show_owner(struct node *n, struct request *r, const struct proc *p)
{
    if (cap_is_null(&p->owner))
        return reply_line(n, r, "  owner: nobody");
    unsigned missed = orphan_missed(n, p->owner.port);
    char text[64] = "";
    if (missed)
        (void)snprintf(text, sizeof text, "; not found for %u s of %u: an orphan then",
                       (unsigned)((missed - 1) * (ORPHAN_ASK_NS / NS_PER_S)),
                       (unsigned)(orphan_grace(n, p) / NS_PER_S));
    return reply_line(n, r, "  owner: port %016llx, object %u%s", (unsigned long long)p->owner.port.w[0],
                      cap_obj(&p->owner), text);
}

// Comment, limit, owner, and why it stands still: lines only for what there is.
static int64_t show_terms(struct node *n, struct request *r, const struct proc *p)
{
    int64_t status = 0;
    if (p->comment[0])
        status = reply_line(n, r, "  %s: %s", p->comment[0] == '+' ? "granted" : "comment", p->comment);
    if (status == 0 && p->mem_limit)
        status = reply_line(n, r, "  limit: %llu KiB", (unsigned long long)p->mem_limit / KIB);
    if (status == 0)
        status = show_owner(n, r, p);
    if (status == 0 && p->fault.kind)
        status = reply_line(n, r, "  stopped by a fault: thread %u, %s 0x%llx at pc 0x%llx, cause %llu", p->fault.tid,
                            fault_name(p->fault.kind), (unsigned long long)p->fault.addr,
                            (unsigned long long)p->fault.pc, (unsigned long long)p->fault.cause);
    return status;
}

int64_t proc_status(struct node *n, struct request *r, const struct proc *p)
{
    int64_t status = reply_line(n, r, "%s %06x on %s: %s, moved %llu times, endpoint %016llx", p->name, p->pid, n->name,
                                proc_state_name(p->state), (unsigned long long)p->moves, (unsigned long long)p->ep);
    if (status == 0)
        status = show_terms(n, r, p);
    if (status == 0)
        status =
            reply_line(n, r, "  priority %u of 0..%u, at most %u", p->priority, PRIO_LEVELS - 1u, p->priority_limit);
    if (status == 0)
        status = reply_line(n, r, "  faults on memory: %llu since it is here; page tables: %u",
                            (unsigned long long)p->faults, p->aspace.tables + 1);
    for (uint32_t i = 0; status == 0 && i < p->nmaps; i++)
        status = show_map(n, r, p->maps[i]);
    for (struct list *l = p->threads.next; status == 0 && l != &p->threads; l = l->next)
        status = show_thread(n, r, LIST_ENTRY(l, struct thread, link));
    for (struct list *l = p->recs.next; status == 0 && l != &p->recs; l = l->next)
        status = show_rec(n, r, LIST_ENTRY(l, struct rec, link));
    return status;
}
