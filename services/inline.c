// SPDX-License-Identifier: BSD-2-Clause
// Operations that are executed inline: one that neither blocks nor touches its caller's process needs no task. When a
// guest of this node asks for it, the kernel is in the guest's system call already and holds the node lock; the
// operation runs there, and the guest resumes. To switch to a task and back costs three times as much. Requests from
// other nodes, and all other operations, go to the service's tasks (service.c), with the same result.
#include "core/error.h"
#include "core/panic.h"
#include "core/words.h"
#include "services/service_priv.h"

// Copies the whole record, field by field: for a struct assignment the compiler would call memcpy().
static inline void request_note(struct request *r, const struct task_request *in)
{
    r->in.handle = in->handle;
    r->in.op = in->op;
    words_copy_4(r->in.arg, in->arg);
    copy_cap(&r->in.cap, &in->cap);
    r->in.len = in->len;
    r->in.about = in->about;
}

static void give_reply(struct node *n, const struct request *r, struct task_inline *q)
{
    words_copy_4(q->res, r->res);
    q->len = r->reply.len;
    if (q->len == 0)
        return;
    int e = q->len > q->rep.len ? -E_TOOBIG : buf_copy(n, &q->rep, 0, &r->reply, 0, q->len);
    if (e < 0) {
        q->status = e;
        q->len = 0;
    }
}

// False if it needs a task after all; then nothing has changed.
static bool answer(struct node *n, struct worker *w, const struct operation *op, struct task_inline *q)
{
    struct request *r = &w->r;
    bool done = true;
    q->len = 0;
    q->status = service_admit(n, w, op);
    if (q->status >= 0 && op->time == OP_INLINE_OR_BLOCKS)
        done = w->of->s->inline_call(n, r, &q->status);
    else if (q->status >= 0)
        q->status = op->run(n, r);
    if (done && q->status >= 0)
        give_reply(n, r, q);
    ASSERT(!r->after); // it would be run in the caller's system call
    if (r->page || r->held[0])
        request_end(n, r);
    r->reply = buf_none();
    words_copy_4(r->res, (const uint64_t[4]){0});
    return done;
}

bool service_inline(struct node *n, struct task_inline *q)
{
    struct dispatcher *d = dispatcher_of(n);
    struct worker *w = &d->inline_worker;
    w->of = d->by_handle[q->in.handle];
    const struct operation *op = w->of ? service_operation(w->of->s, q->in.op) : NULL;
    if (!op || q->in.len > PAGE_SIZE || (op->time != OP_INLINE && !(op->time == OP_INLINE_OR_BLOCKS && q->saved)))
        return false;
    request_note(&w->r, &q->in);
    if (q->in.len == 0)
        return answer(n, w, op, q);
    // The request's bytes are copied to a page of the kernel: in the caller's memory its other threads could change
    // them between the check and the use.
    void *bytes = page_alloc_raw(n);
    bool done = bytes && buf_read(n, &q->req, 0, bytes, q->in.len) == 0;
    if (done) {
        w->r.data = buf_kernel(bytes, q->in.len);
        done = answer(n, w, op, q);
        w->r.data = buf_none();
    }
    if (bytes)
        page_drop(n, bytes);
    return done;
}
