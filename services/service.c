// SPDX-License-Identifier: BSD-2-Clause
// The loop of all services: receive, find the operation, find the object's key, verify, run, reply. Each service has
// as many tasks as it needs just now; the records of both are in service_priv.h.
#include "core/cap.h"
#include "core/listen.h"
#include "core/panic.h"
#include "core/port.h"
#include "core/thread.h"
#include "services/protocol.h"
#include "services/service_priv.h"

#define KEEP_ALIVE_MS 10000 // a task that had nothing to do for so long gives up its buffer's pages; an extra one ends
#define TASKS_RESERVED 2u   // tasks of a service that no OP_BLOCKS takes
#define TROUBLE_NS (10 * NS_PER_MS) // before the next getreq when one failed for want of memory

static const struct operation *operation_in(const struct service *s, uint32_t number)
{
    for (const struct operation *op = s->ops; op->name; op++)
        if (op->number == number)
            return op;
    return NULL;
}

// --- Standard operations: every object of every service answers them, the better if the service has its own ----

static int64_t run_restrict(struct node *n, struct request *r)
{
    uint8_t key[16];
    const struct worker *w = LIST_ENTRY(r, struct worker, r);
    int e = w->of->s->key(n, r, key);
    if (e < 0)
        return e;
    uint32_t keep = cap_rights(&r->in.cap) & (uint32_t)(r->in.arg[0] & RIGHT_ALL);
    return reply_cap(r, cap_make(r->in.cap.port, cap_obj(&r->in.cap), keep, key));
}

// The check field is verified first: else whoever enters a forged capability under a name could have it signed here.
struct cap service_restrict(struct node *n, const struct cap *c, uint32_t keep)
{
    const struct port_entry *at = (cap_rights(c) & ~keep) ? port_find(n, c->port) : NULL;
    if (!at || at->proc != n->kproc || at->about)
        return *c;
    const struct running *of = dispatcher_of(n)->by_handle[at->handle];
    const struct request r = {.in = {.handle = at->handle, .op = OP_RESTRICT, .cap = *c}};
    uint8_t key[16];
    if (!of || of->s->key(n, &r, key) < 0 || cap_verify(c, key, 0) < 0)
        return *c;
    return cap_make(c->port, cap_obj(c), cap_rights(c) & keep, key);
}

static int64_t run_info(struct node *n, struct request *r)
{
    const struct worker *w = LIST_ENTRY(r, struct worker, r);
    return reply_text(n, r, "%s service of %s, object %u", w->of->s->name, n->name, (unsigned)cap_obj(&r->in.cap));
}

static int64_t run_status(struct node *n, struct request *r)
{
    const struct running *of = LIST_ENTRY(r, struct worker, r)->of;
    return reply_text(n, r, "%s service of %s, object %u\n%u tasks, %u in operations that may wait\n", of->s->name,
                      n->name, (unsigned)cap_obj(&r->in.cap), of->count, of->slow);
}

// E_OP only after the right was checked: a client without the right is told that first.
static int64_t run_destroy(struct node *n, struct request *r)
{
    (void)n;
    (void)r;
    return -E_OP;
}

int64_t service_rotate(struct node *n, struct request *r)
{
    const struct service *s = LIST_ENTRY(r, struct worker, r)->of->s;
    uint8_t key[16];
    if (!s->rekey)
        return -E_OP;
    node_random(n, key, sizeof key);
    int e = s->rekey(n, r, key);
    return e < 0 ? e : reply_cap(r, cap_make(r->in.cap.port, cap_obj(&r->in.cap), RIGHT_ALL, key));
}

static const struct operation standard_ops[] = {
    {OP_INFO, "info", RIGHT_READ, true, OP_INLINE, run_info},
    {OP_STATUS, "status", RIGHT_READ, true, OP_INLINE, run_status},
    {OP_RESTRICT, "restrict", 0, true, OP_INLINE, run_restrict},
    {OP_DESTROY, "destroy", RIGHT_DESTROY, true, OP_NONBLOCKING, run_destroy},
    {OP_ROTATE, "rotate", RIGHT_OWNER, false, OP_NONBLOCKING, service_rotate},
    {0, NULL, 0, false, OP_NONBLOCKING, NULL},
};
static const struct service standard = {.name = "standard", .ops = standard_ops};

const struct operation *service_operation(const struct service *s, uint32_t number)
{
    const struct operation *op = operation_in(s, number);
    return op ? op : operation_in(&standard, number);
}

// --- Tasks ----------------------------------------------------------------------------------------------

static void worker_main(struct node *n, void *arg);

static struct worker *worker_new(struct node *n, struct running *of)
{
    struct worker *w = pool_alloc(n, &dispatcher_of(n)->pool_worker);
    if (!w)
        return NULL;
    w->of = of;
    if (seg_create(n, of->s->buffer_pages * PAGE_SIZE, &w->buffer) < 0) {
        pool_free(n, &dispatcher_of(n)->pool_worker, w);
        return NULL;
    }
    list_add_tail(&of->workers, &w->link);
    of->count++;
    return w;
}

static void worker_free(struct node *n, struct worker *w)
{
    ASSERT(w->of->count > 0);
    request_end(n, &w->r);
    list_del(&w->link);
    w->of->count--;
    seg_drop(n, w->buffer);
    pool_free(n, &dispatcher_of(n)->pool_worker, w);
}

static int worker_spawn(struct node *n, struct running *of, bool extra)
{
    ASSERT(of->count < of->s->tasks_max);
    struct worker *w = worker_new(n, of);
    if (!w)
        return -E_MEM;
    w->extra = extra;
    w->task = task_spawn(n, of->s->name, worker_main, w);
    if (w->task)
        return 0;
    worker_free(n, w);
    return -E_MEM;
}

// --- One request ------------------------------------------------------------------------------------------

// To check the check field is a hash of 500 instructions; to see that it was right the last time, under the same key,
// takes 40. The whole capability is compared, whatever the first word says: the time that this takes must not tell how
// much of a guess was right.
static bool genuine_before(const struct genuine *g, const struct cap *c, const uint64_t key[2])
{
    uint64_t differ = (g->cap.port.w[0] ^ c->port.w[0]) | (g->cap.port.w[1] ^ c->port.w[1]) | (g->key[0] ^ key[0]) |
                      (g->key[1] ^ key[1]);
    uint32_t half = (g->cap.obj_rights ^ c->obj_rights) | (g->cap.check[0] ^ c->check[0]) |
                    (g->cap.check[1] ^ c->check[1]) | (g->cap.check[2] ^ c->check[2]);
    return (differ | half) == 0;
}

static inline int verify(struct node *n, const struct cap *c, const uint64_t key[2], uint32_t need)
{
    struct genuine *g = &dispatcher_of(n)->genuine[cap_obj(c) % GENUINE];
    if (genuine_before(g, c, key))
        return (cap_rights(c) & need) == need ? 0 : -E_RIGHTS;
    int e = cap_verify(c, (const uint8_t *)key, need);
    if (e != -E_CAP)
        *g = (struct genuine){*c, {key[0], key[1]}};
    return e;
}

int service_verify(struct node *n, const struct cap *c, const uint64_t key[2], uint32_t need)
{
    return verify(n, c, key, need);
}

// The capability is checked before the operation looks at anything else: a client without the right learns nothing.
int64_t service_admit(struct node *n, const struct worker *w, const struct operation *op)
{
    uint64_t key[2];
    int e = w->of->s->key(n, &w->r, (uint8_t *)key);
    if (e == 0)
        e = verify(n, &w->r.in.cap, key, op->rights);
    if (e < 0)
        trace(n, TRACE_DROP, (uint32_t)-e, w->r.in.op, w->r.in.cap.port.w[0]);
    return e;
}

// An operation that may block begins: other requests must not wait for it. Returns 0, or E_LIMIT.
static int slow_begin(struct node *n, struct running *of, const struct operation *op)
{
    if (op->time >= OP_BLOCKS && of->slow + TASKS_RESERVED >= of->s->tasks_max)
        return -E_LIMIT;
    of->slow++;
    // Without memory for another task, requests wait in the queue, as they do for a busy service anyhow.
    if (of->count - of->slow < of->s->tasks && of->count < of->s->tasks_max)
        (void)worker_spawn(n, of, true);
    if (of->count - of->slow <= of->s->tasks)
        of->needed_ns = node_now(n);
    return 0;
}

static void buffer_shrink(struct node *n, struct worker *w, uint64_t keep_pages)
{
    uint64_t len = w->buffer->len;
    if (w->buffer->pages <= keep_pages || seg_resize(n, w->buffer, keep_pages * PAGE_SIZE) < 0)
        return;
    (void)seg_resize(n, w->buffer, len); // takes no memory: what is beyond is a hole
}

// The pages of a large request are freed at once: the buffer is as large as a request may be, not as requests mostly
// are. The first page stays for the next request, until none with bytes has come for a while: an idle node holds no
// memory for it. After a request of many pages the first one is freed too, for the segment's tables would stay with it.
static void buffer_tidy(struct node *n, struct worker *w)
{
    bool idle = node_now(n) - w->bytes_ns >= KEEP_ALIVE_MS * NS_PER_MS;
    buffer_shrink(n, w, idle || w->buffer->pages > SEG_INLINE ? 0 : 1);
}

static void answer(struct node *n, struct request *r, int64_t status)
{
    if (status < 0)
        r->reply = buf_none();
    if (status < 0 && r->elsewhere && task_forward(n, &r->in.cap, r->in.op, r->in.arg) == 0)
        return;
    int e = task_putrep(n, status, r->res, r->reply);
    if (e == -E_MEM || e == -E_FAULT) // the reply's bytes could not be had; the client must not wait for ever
        e = task_putrep(n, e, NULL, buf_none());
    if (e < 0)
        trace(n, TRACE_DROP, (uint32_t)-e, r->in.op, 0);
    if (r->after && status >= 0)
        r->after(n, r);
}

static void serve(struct node *n, struct worker *w)
{
    struct request *r = &w->r;
    r->data = buf_seg(w->buffer, 0, r->in.len);
    const struct operation *op = service_operation(w->of->s, r->in.op);
    int64_t status = op ? service_admit(n, w, op) : -E_OP;
    r->elsewhere = status == -E_NOTHERE;
    bool slow = status >= 0 && op->time > OP_NONBLOCKING;
    if (slow) {
        status = slow_begin(n, w->of, op);
        slow = status >= 0;
        if (r->in.len == 0) // the operation may block for hours
            buffer_shrink(n, w, 0);
    }
    if (status >= 0)
        status = op->run(n, r);
    answer(n, r, status);
    if (!slow)
        return;
    ASSERT(w->of->slow > 0);
    w->of->slow--;
}

static int next_request(struct node *n, struct worker *w)
{
    bool gives_up = w->extra || w->buffer->pages > 0;
    return task_getreq(n, w->of->mask, buf_seg(w->buffer, 0, w->buffer->len), gives_up ? KEEP_ALIVE_MS : 0, &w->r.in);
}

// True if the service has had more tasks than it needed for a while. That this task had nothing to do says little:
// requests go to the task that has waited longest, so one request every few seconds reaches each of them in turn.
static bool superfluous(struct node *n, const struct worker *w)
{
    const struct running *of = w->of;
    return w->extra && of->count - of->slow > of->s->tasks && node_now(n) - of->needed_ns >= KEEP_ALIVE_MS * NS_PER_MS;
}

static void worker_main(struct node *n, void *arg)
{
    struct worker *w = arg;
    while (!superfluous(n, w)) {
        int e = next_request(n, w);
        if (e == 0) {
            if (w->r.in.len > 0)
                w->bytes_ns = node_now(n);
            serve(n, w);
            request_end(n, &w->r);
            buffer_tidy(n, w);
        } else if (e == -E_TIMEOUT) {
            buffer_tidy(n, w);
        } else {
            task_sleep(n, TROUBLE_NS);
        }
    }
    worker_free(n, w);
}

// --- What services keep ---------------------------------------------------------------------------------------

void *service_state(struct node *n, size_t size)
{
    struct dispatcher *d = dispatcher_of(n);
    size = (size + 15) & ~(size_t)15;
    ASSERT(size <= PAGE_SIZE / 2);
    struct state_page *p = d->state;
    if (!p || PAGE_SIZE - p->used < size) {
        p = page_alloc(n);
        if (!p)
            return NULL;
        p->next = d->state;
        p->used = sizeof *p;
        d->state = p;
    }
    void *state = (char *)p + p->used;
    p->used += size;
    return state;
}

void service_state_free(struct node *n)
{
    struct dispatcher *d = dispatcher_of(n);
    for (struct state_page *p; (p = d->state);) {
        d->state = p->next;
        page_drop(n, p);
    }
}

// --- Starting and stopping ----------------------------------------------------------------------------------

static void listen_on(struct dispatcher *d, struct running *of, uint64_t mask)
{
    of->mask = mask;
    for (unsigned i = 0; i < PROC_PORTS_MAX; i++)
        if ((mask >> i & 1) && !d->by_handle[i])
            d->by_handle[i] = of;
}

static struct running *running_add(struct node *n, const struct service *s, uint64_t mask)
{
    struct dispatcher *d = dispatcher_of(n);
    if (d->nrunning == SERVICES_MAX)
        return NULL;
    struct running *of = &d->running[d->nrunning++];
    of->s = s;
    of->handle = -1;
    list_init(&of->workers);
    listen_on(d, of, mask);
    return of;
}

static struct running *running_find(struct node *n, const struct service *s)
{
    struct dispatcher *d = dispatcher_of(n);
    for (unsigned i = 0; i < d->nrunning; i++)
        if (d->running[i].s == s)
            return &d->running[i];
    return NULL;
}

int service_open(struct node *n, const struct service *s, struct port get, struct port *put)
{
    ASSERT(!running_find(n, s));
    ASSERT(s->ops && s->key && s->tasks >= 1 && s->tasks <= s->tasks_max);
    struct running *of = running_add(n, s, 0);
    if (!of)
        return -E_LIMIT;
    int handle = task_listen(n, get, put);
    if (handle < 0)
        return handle;
    of->handle = handle;
    listen_on(dispatcher_of(n), of, 1ull << handle);
    for (unsigned i = 0; i < s->tasks; i++) {
        int e = worker_spawn(n, of, false);
        if (e < 0)
            return e; // services_start takes everything down again
    }
    return handle;
}

void service_loop(struct node *n, const struct service *s, uint64_t mask)
{
    struct running *of = running_find(n, s);
    if (!of)
        of = running_add(n, s, mask);
    ASSERT(of);
    struct worker *w;
    while (!(w = worker_new(n, of)))
        task_sleep(n, TROUBLE_NS);
    w->task = task_self(n);
    worker_main(n, w);
}

void service_close_all(struct node *n)
{
    struct dispatcher *d = dispatcher_of(n);
    for (unsigned i = 0; i < d->nrunning; i++) {
        struct running *of = &d->running[i];
        LIST_FOR_SAFE (l, next, &of->workers) {
            struct worker *w = LIST_ENTRY(l, struct worker, link);
            if (w->task)
                task_free(n, w->task); // first: its transaction may still name the buffer
            worker_free(n, w);
        }
        if (of->handle >= 0)
            (void)port_close(n, n->kproc, (uint32_t)of->handle);
    }
    d->nrunning = 0;
}
