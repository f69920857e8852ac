// SPDX-License-Identifier: BSD-2-Clause
// The oracles. A guest is recognized by its process's name, so they see it wherever it is, without asking any of the
// code under test.
#include "test/sim/sim.h"

#include "core/panic.h"
#include "core/rec.h"
#include "core/thread.h"
#include "services/proc/proc_priv.h"
#include "services/seg.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define DUMP_EVENTS 60u

void sim_trouble(struct sim *s, const char *fmt, ...)
{
    if (s->trouble[0])
        return; // the first one counts
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(s->trouble, sizeof s->trouble, fmt, ap);
    va_end(ap);
}

struct sim_guest *sim_guest_of(struct sim *s, const struct proc *p)
{
    if (p->name[0] != 'g')
        return NULL;
    unsigned i = (unsigned)strtoul(p->name + 1, NULL, 10);
    return i < s->nguests ? &s->guest[i] : NULL;
}

void sim_guest_done(struct node *n, struct proc *p)
{
    struct sim_node *sn = n->world;
    struct sim *s = sn->s;
    struct sim_guest *g = sim_guest_of(s, p);
    if (!g)
        return;
    if (g->ended)
        sim_trouble(s, "%s ended twice", g->name);
    g->ended = true;
    g->status = p->exit_status;
    s->totals->moves += p->moves;
    struct buf b = buf_user(p, GUEST_DATA, sizeof g->data);
    int e = buf_read(n, &b, 0, &g->data, sizeof g->data);
    if (e < 0)
        sim_trouble(s, "%s: its memory cannot be read: %s", g->name, error_name(e));
    if (g->program == GUEST_CLIENT)
        s->totals->client_calls += g->data.calls;
    if (g->status != 0 && !g->killed && !g->may_fail)
        sim_trouble(s, "%s on %s ended with status %lld: %llu errors, first %lld at call %llu", g->name, sn->name,
                    (long long)g->status, (unsigned long long)g->data.errors, (long long)g->data.first_status,
                    (unsigned long long)g->data.first_call);
    sim_say(s, "%s ended on %s: status %lld", g->name, sn->name, (long long)g->status);
}

// --- After every event ------------------------------------------------------------------------------------------

static struct proc *copy_on(struct sim *s, const struct sim_guest *g, int node)
{
    struct node *n = node >= 0 ? s->node[node].n : NULL;
    struct proc *p = n && g->ep ? proc_by_ep(n, g->ep) : NULL;
    return p && p->state != PROC_ARRIVING ? p : NULL;
}

static bool runs(const struct proc *p)
{
    return p && (p->state == PROC_RUN || p->state == PROC_STUNNING);
}

// Executed twice, or with the wrong bytes: seen at once, while the traces still tell why.
static void check_data(struct sim *s, struct node *n, struct proc *p, const struct sim_guest *g)
{
    const struct map *m = proc_find_map(p, GUEST_DATA);
    const struct guest_data *d = m ? seg_page(n, m->seg, m->off, false) : NULL;
    if (!d || (!d->doubles && !d->corrupt && (g->may_fail || (!d->gaps && !d->errors))))
        return;
    sim_trouble(s, "%s on %s: %llu calls executed twice, %llu left out, %llu corrupt, %llu errors, first %lld at %llu",
                g->name, n->name, (unsigned long long)d->doubles, (unsigned long long)d->gaps,
                (unsigned long long)d->corrupt, (unsigned long long)d->errors, (long long)d->first_status,
                (unsigned long long)d->first_call);
}

// AT MOST ONE COPY RUNS. Only the node of the event can have changed.
static void check_one_copy(struct sim *s, struct sim_node *sn)
{
    LIST_FOR (l, &sn->n->procs) {
        struct proc *p = LIST_ENTRY(l, struct proc, link);
        struct sim_guest *g = runs(p) ? sim_guest_of(s, p) : NULL;
        if (!g)
            continue;
        if (g->ep == EP_NONE)
            g->ep = p->ep;
        if (g->ep != p->ep)
            sim_trouble(s, "%s runs under another endpoint", g->name);
        if (g->ended)
            sim_trouble(s, "%s runs on %s after its end", g->name, sn->name);
        check_data(s, sn->n, p, g);
        if (g->where == (int)sn->index)
            continue;
        for (unsigned i = 0; i < s->nnodes; i++)
            if (i != sn->index && runs(copy_on(s, g, (int)i)))
                sim_trouble(s, "TWO COPIES of %s run, on %s and on %s", g->name, s->node[i].name, sn->name);
        sim_say(s, "%s runs on %s now", g->name, sn->name);
        g->where = (int)sn->index;
    }
}

// No process is lost: some live node has it, in a state from which it can go on.
static void check_none_lost(struct sim *s)
{
    for (unsigned i = 0; i < s->nguests; i++) {
        struct sim_guest *g = &s->guest[i];
        if (!g->started || g->ended || g->may_be_lost || copy_on(s, g, g->where))
            continue;
        bool found = false;
        for (unsigned k = 0; k < s->nnodes && !found; k++)
            found = copy_on(s, g, (int)k) != NULL;
        if (!found)
            sim_trouble(s, "%s is lost: no live node has it", g->name);
    }
}

void sim_check_event(struct sim *s, struct sim_node *sn)
{
    check_one_copy(s, sn);
    check_none_lost(s);
}

// --- At the end --------------------------------------------------------------------------------------------------

// Records that wait for the next call of a thread of this node, one a thread, are no history and no leak.
static size_t recs_kept(struct node *n)
{
    size_t kept = 0;
    LIST_FOR (pl, &n->procs) {
        LIST_FOR (l, &LIST_ENTRY(pl, struct proc, link)->recs) {
            const struct rec *r = LIST_ENTRY(l, struct rec, link);
            kept += r->caller && r->state == REC_DONE && !r->remote;
        }
    }
    return kept;
}

struct sim_counts sim_counts(struct node *n)
{
    return (struct sim_counts){n->pool_proc.used, n->pool_thread.used, n->pool_seg.used,
                               n->pool_rec.used - recs_kept(n), n->pool_port.used};
}

bool sim_all_ended(struct sim *s, void *arg)
{
    const enum guest_program *only = arg;
    for (unsigned i = 0; i < s->nguests; i++)
        if (s->guest[i].started && !s->guest[i].ended && (!only || s->guest[i].program == *only))
            return false;
    return true;
}

static void check_counts(struct sim *s, struct sim_node *sn)
{
    struct sim_counts now = sim_counts(sn->n), was = sn->idle;
    const struct proc_service *ps = sn->n->services->proc;
    unsigned made = seg_made(sn->n);
    if (memcmp(&now, &was, sizeof now) != 0)
        sim_trouble(s, "%s: left behind: %ld procs, %ld threads, %ld segs, %ld recs, %ld ports", sn->name,
                    (long)(now.procs - was.procs), (long)(now.threads - was.threads), (long)(now.segs - was.segs),
                    (long)(now.recs - was.recs), (long)(now.ports - was.ports));
    if (ps->promised || ps->pool_move.used || ps->pool_report.used || made)
        sim_trouble(s, "%s: left behind: %llu pages promised, %zu moves, %zu reports, %u segments made", sn->name,
                    (unsigned long long)ps->promised, ps->pool_move.used, ps->pool_report.used, made);
    if (ps->pool_offer.used != ps->ncommitted)
        sim_trouble(s, "%s: left behind: %zu offers", sn->name, ps->pool_offer.used - ps->ncommitted);
    if (!list_empty(&sn->n->calls))
        sim_trouble(s, "%s: a call is still on its way", sn->name);
}

// Pages are counted without services and net: what they keep in idle times is theirs.
static void check_pages(struct sim *s, struct sim_node *sn)
{
    struct node *n = sn->n;
    host_node_enter(n);
    n->transport = NULL;
    services_stop(n);
    net_fini(n);
    size_t now = page_free_count(n);
    if (now != sn->pages_empty)
        sim_trouble(s, "%s: %ld pages were not given back", sn->name, (long)(sn->pages_empty - now));
    int e = net_init(n); // so that power off finds what it expects
    ASSERT(e == 0);
}

void sim_check_leaks(struct sim *s)
{
    for (unsigned i = 0; i < s->nnodes && !s->trouble[0]; i++)
        if (s->node[i].n)
            check_counts(s, &s->node[i]);
    for (unsigned i = 0; i < s->nnodes && !s->trouble[0]; i++)
        if (s->node[i].n)
            check_pages(s, &s->node[i]);
}

// --- For people ----------------------------------------------------------------------------------------------------

static void dump_line(const char *text)
{
    printf("#     %s\n", text);
}

static void dump_progress(const char *what, const struct progress *p, uint64_t total)
{
    printf(" %s %llu+%llx/%llu (frag %u)", what, (unsigned long long)p->base, (unsigned long long)p->mask,
           (unsigned long long)total, p->frag);
}

static void dump_thread(const struct thread *t)
{
    static const char *const calls[] = {"none", "send", "wait", "recv"};
    const struct call *c = &t->call;
    printf("#     thread %u %s%s%s", t->tid, thread_state_name(t->state), t->task ? " " : "",
           t->task ? t->task->name : "");
    if (!thread_is_task(t))
        printf(" at '%s'", guest_step_name(t->regs.pc));
    if (t->state == THREAD_CALL) {
        printf(": op %u seq %llu %s%s%s tries %u server %016llx port %llx timer %s", c->op, (unsigned long long)c->seq,
               calls[c->state], c->busy ? " busy" : "", c->begun ? " begun" : "", c->tries,
               (unsigned long long)c->server, (unsigned long long)c->cap.port.w[0], t->timer.armed ? "armed" : "off");
        dump_progress("sent", &c->sent, c->req.len);
        dump_progress("got", &c->got, c->rep_total);
    }
    if (t->serve.open)
        printf(" owes a reply%s", t->serve.rec ? "" : " to nobody");
    putchar('\n');
}

static void dump_rec(const struct rec *r)
{
    printf("#     rec of %016llx.%u seq %llu op %u %s server %u timer %s%s", (unsigned long long)r->client, r->tid,
           (unsigned long long)r->seq, r->op, rec_state_name(r->state), r->server ? r->server->tid : 0,
           r->timer.armed ? "armed" : "off", r->lost ? " lost" : "");
    dump_progress("got", &r->got, r->req_len);
    dump_progress("sent", &r->sent, r->rep_len);
    putchar('\n');
}

static void dump_proc(const struct proc *p)
{
    printf("#   process %s ep %016llx %s, moved %llu times\n", p->name, (unsigned long long)p->ep,
           proc_state_name(p->state), (unsigned long long)p->moves);
    LIST_FOR (l, &p->threads) {
        const struct thread *t = LIST_ENTRY(l, struct thread, link);
        if (!thread_is_task(t) || (t->state != THREAD_GETREQ && t->state != THREAD_EVENT))
            dump_thread(t);
    }
    LIST_FOR (l, &p->recs)
        dump_rec(LIST_ENTRY(l, struct rec, link));
}

void sim_dump(struct sim *s)
{
    printf("# --- %s, seed %llu, at %.6f s: %s\n", s->name, (unsigned long long)s->seed, (double)s->now_ns / 1e9,
           s->trouble[0] ? s->trouble : "-");
    printf("# frames %llu sent, %llu lost, %zu under way; %llu moves, %llu refused, %llu failed\n",
           (unsigned long long)s->frames_sent, (unsigned long long)s->frames_lost, s->nframes,
           (unsigned long long)s->moves, (unsigned long long)s->moves_refused, (unsigned long long)s->moves_failed);
    for (unsigned i = 0; i < s->nnodes; i++) {
        struct sim_node *sn = &s->node[i];
        if (!sn->n) {
            printf("# node %s has no power\n", sn->name);
            continue;
        }
        printf("# node %s ep %016llx\n", sn->name, (unsigned long long)node_ep(sn->n));
        LIST_FOR (l, &sn->n->procs)
            dump_proc(LIST_ENTRY(l, struct proc, link));
        printf("#   last events:\n");
        host_node_enter(sn->n);
        trace_show(sn->n, DUMP_EVENTS, dump_line);
    }
}
