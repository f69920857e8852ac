// SPDX-License-Identifier: BSD-2-Clause
// A process from its descriptor: check, reserve memory, make the records, fill the segments. The bytes of a segment
// come straight into its pages: the segment itself is the reply's buffer (design D2). From this node they do not come
// at all: the pages are shared.
#include "services/proc/instantiate.h"
#include "core/cap.h"
#include "core/error.h"
#include "core/log.h"
#include "core/panic.h"
#include "services/proc/local_source.h"
#include "services/proc/proc_priv.h"

#define FILL_CHUNK (1 * MIB)  // one transaction
#define FILL_TIMEOUT_MS 60000 // for a chunk: the slowest link that we bear moves 17 KiB a second
#define RESERVE_PAGES 32u     // left for tables, records, and the processes that are here already

// --- Before anything changes --------------------------------------------------------------------------------

struct survey {
    const struct proc *p; // the process that it changes, whose own segments need not come; NULL: none
    uint64_t pages;       // that the sources may fill
};

static int survey_seg(struct node *n, const struct desc_seg *g, void *arg)
{
    struct survey *s = arg;
    if (!cap_is_null(&g->source) && !local_source_here(n, &g->source) && !(s->p && desc_own_seg(n, s->p, g)))
        s->pages += PAGES_FOR(g->source_len + (g->dest_off & PAGE_MASK));
    return 0;
}

// Pages are promised before the first one comes, so that of two large arrivals one is refused at once, and not both
// after half the way. Guests that grow can still use them up meanwhile: then the filling fails.
static int promise(struct node *n, struct instance *in, uint64_t pages)
{
    struct proc_service *ps = n->services->proc;
    uint64_t need = ps->promised + pages + RESERVE_PAGES;
    if (page_free_count(n) < need && n->services->shrink)
        n->services->shrink(n);
    if (page_free_count(n) < need) {
        node_log(n, "proc: refused, needs %llu pages, %llu of %llu are free and not promised",
                 (unsigned long long)pages,
                 (unsigned long long)(page_free_count(n) > ps->promised ? page_free_count(n) - ps->promised : 0),
                 (unsigned long long)n->pages.total);
        return -E_MEM;
    }
    in->promised = pages;
    ps->promised += pages;
    return 0;
}

static void promise_kept(struct node *n, struct instance *in, uint64_t pages)
{
    if (pages > in->promised)
        pages = in->promised;
    ASSERT(pages <= n->services->proc->promised);
    in->promised -= pages;
    n->services->proc->promised -= pages;
}

int instantiate_check(struct node *n, struct proc *p, const struct buf *b, struct desc_info *info, const char **why)
{
    int e = desc_check(n, b, arch_isa(), info, why);
    if (e < 0 || p)
        return e == 0 ? desc_change_check(n, p, b, why) : e;
    // Of a live server nothing but its endpoint is known to all. Who names it must know its secret too: else a process
    // could be started in its place.
    if (info->ep != EP_NONE && cap_put_port(info->ctl_get).w[0] != info->ep) {
        *why = "its endpoint is not that of its control port";
        return -E_ARG;
    }
    return 0;
}

static int refused(struct node *n, const struct proc *p, int e, const char *why)
{
    node_log(n, "proc: descriptor%s%s refused: %s (%s)", p ? " for " : "", p ? p->name : "", why, error_name(e));
    return e;
}

void instantiate_init(struct instance *in)
{
    in->p = NULL;
    in->info = (struct desc_info){.ep = EP_NONE};
    in->promised = in->bytes = in->pages = 0;
    in->nfills = 0;
}

int instantiate_make(struct node *n, struct proc *p, const struct buf *b, uint64_t pages, struct instance *in)
{
    const char *why = "";
    int e = instantiate_check(n, p, b, &in->info, &why);
    return e < 0 ? refused(n, p, e, why) : instantiate_make_checked(n, p, b, pages, in);
}

int instantiate_make_checked(struct node *n, struct proc *p, const struct buf *b, uint64_t pages, struct instance *in)
{
    struct survey s = {.p = p};
    int e = pages > 0 ? desc_each_seg(n, b, &in->info, survey_seg, &s) : 0;
    if (e == 0)
        e = promise(n, in, s.pages < pages ? s.pages : pages);
    if (e < 0)
        return e;
    ASSERT(!in->p && in->nfills == 0);
    e = p ? desc_change_make(n, p, b, &in->p, in->fills, &in->nfills)
          : desc_decode(n, b, &in->p, in->fills, &in->nfills);
    if (e < 0) {
        instantiate_end(n, in);
        return refused(n, p, e, error_string(e));
    }
    return 0;
}

static int waits_for(struct node *n, const struct desc_seg *s, void *arg)
{
    (void)arg;
    return !cap_is_null(&s->source) && !local_source_at_once(n, s);
}

bool instantiate_at_once(struct node *n, const struct buf *b, const struct desc_info *info)
{
    return desc_each_seg(n, b, info, waits_for, NULL) == 0;
}

int instantiate_begin(struct node *n, struct request *r, uint64_t pages, struct instance **out)
{
    *out = request_page(n, r);
    return *out ? instantiate_make(n, NULL, &r->data, pages, *out) : -E_MEM;
}

void instantiate_end(struct node *n, struct instance *in)
{
    promise_kept(n, in, in->promised);
}

// --- Filling -----------------------------------------------------------------------------------------------

// One transaction's worth, from byte `done` of the fill on. Returns the bytes that are settled by it, > 0, or an error.
static int64_t fill_chunk(struct node *n, struct instance *in, const struct desc_fill *f, uint64_t done)
{
    uint64_t left = f->source_len - done;
    uint64_t want = left < FILL_CHUNK ? left : FILL_CHUNK;
    const uint64_t arg[4] = {f->source_off + done, want, 0, 0};
    struct task_result out;
    int64_t status = task_trans(n, &f->source, OP_READ, arg, buf_none(), buf_seg(f->seg, f->dest_off + done, want),
                                FILL_TIMEOUT_MS, &out);
    if (status < 0)
        return status;
    in->bytes += out.len;
    in->pages += PAGES_FOR(out.len);
    promise_kept(n, in, PAGES_FOR(out.len));
    // The zeros that follow are there already, for the segment is new. The source may claim more than was asked for.
    uint64_t hole = out.res[0] < left - out.len ? out.res[0] : left - out.len;
    uint64_t settled = out.len + hole;
    return settled ? (int64_t)settled : -E_EOF; // no bytes and no hole: there is nothing more to come
}

static int64_t fill_segment(struct node *n, struct instance *in, const struct desc_fill *f, const bool *given_up)
{
    ASSERT(f->source_len <= f->seg->len && f->dest_off <= f->seg->len - f->source_len); // desc_check
    int64_t status = local_source_fill(n, f);
    uint64_t done = 0;
    if (status != 0)
        return status < 0 ? status : 0;
    seg_hold(f->seg); // a transaction is going to write into it
    seg_expect(n, f->seg, f->dest_off, f->source_len);
    while (status >= 0 && done < f->source_len) {
        status = given_up && *given_up ? -E_CANCEL : fill_chunk(n, in, f, done);
        if (status > 0)
            done += (uint64_t)status;
    }
    seg_drop(n, f->seg);
    return status < 0 ? status : 0;
}

int64_t instantiate_fill(struct node *n, struct instance *in, const bool *given_up)
{
    for (unsigned i = 0; i < in->nfills; i++) {
        int64_t status = fill_segment(n, in, &in->fills[i], given_up);
        if (status < 0) {
            node_log(n, "proc: %s: segment %u of %u did not come: %s", in->p->name, i + 1, in->nfills,
                     error_string(status));
            return status;
        }
    }
    return given_up && *given_up ? -E_CANCEL : 0;
}
