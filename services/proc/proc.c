// SPDX-License-Identifier: BSD-2-Clause
// Process service: the kernel's few operations on processes (design D7). Two kinds of ports lead here: the node's
// process port (object 0: start, list, move to here) and each process's own control port, which goes along when it
// moves.
#include "core/cap.h"
#include "core/desc.h"
#include "core/error.h"
#include "core/life.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/port.h"
#include "core/text.h"
#include "core/thread.h"
#include "core/words.h"
#include "services/dir.h"
#include "services/proc/change.h"
#include "services/proc/control.h"
#include "services/proc/instantiate.h"
#include "services/proc/migrate.h"
#include "services/proc/order.h"
#include "services/proc/orphan.h"
#include "services/proc/owner.h"
#include "services/proc/proc_priv.h"
#include "services/proc/proc_status.h"
#include "services/proc/reaper.h"
#include <string.h>

// A source whose OFFER was admitted before the last rotation may still end its move (only it knows the number). If it
// were refused, it could not tell whether an earlier COMMIT had arrived, and the process would be in doubt.
static bool ends_move(struct node *n, const struct request *r)
{
    return (r->in.op == OP_PROC_COMMIT || r->in.op == OP_PROC_ABORT) &&
           cap_verify(&r->in.cap, n->services->proc->key_was, 0) == 0;
}

// Which object, and its key. A process can end or move while a request for it waits in the queue. Then the port is not
// known here (any more), and nothing was executed: the request goes to wherever the port is served now.
static int proc_key(struct node *n, const struct request *r, uint8_t key[16])
{
    const struct proc_service *ps = n->services->proc;
    if (r->in.about) {
        bytes_copy(key, r->in.about->key, 16);
        return 0;
    }
    if (!port_eq(r->in.cap.port, ps->put))
        return -E_NOTHERE;
    if (cap_obj(&r->in.cap) != 0)
        return -E_OBJECT;
    bytes_copy(key, ends_move(n, r) ? ps->key_was : ps->key, 16);
    return 0;
}

// --- Operations of the node: start and list -----------------------------------------------------------------

static int64_t start(struct node *n, struct request *r, struct instance *in)
{
    struct proc *p = in->p;
    int64_t status = instantiate_fill(n, in, NULL);
    instantiate_end(n, in);
    if (status == 0)
        status = proc_serve(n, p);
    if (status < 0) {
        proc_drop(n, p, true); // silent: it never ran; a checkpoint's peers are not its yet
        return status;
    }
    p->stay_stunned = false; // a checkpoint is taken of a stunned process; OP_PROC_EXEC makes it run
    if (in->info.ep != EP_NONE)
        p->incarnation++; // its threads use numbers of transactions again
    if (n->transport && in->info.ep != EP_NONE)
        n->transport->arrived(n, p); // clients may look for the process of a checkpoint already
    status = proc_resume(n, p);
    ASSERT(status == 0);
    r->res[0] = p->pid;
    return reply_cap(r, proc_cap(p, RIGHT_ALL));
}

// The highest priority that a process may be started with by this request: that which its client itself may ever have.
// Of a client on another node nothing is known: the owner of this process service may say any, others the usual one.
static unsigned start_limit(const struct request *r, const struct thread *client)
{
    if (client && !thread_is_task(client))
        return client->proc->priority_limit;
    return client || (cap_rights(&r->in.cap) & RIGHT_OWNER) ? PRIO_LEVELS - 1 : PRIO_DEFAULT;
}

static bool may_start(const struct desc_info *info, unsigned limit)
{
    return info->priority <= limit + 1 && info->priority_limit <= limit + 1;
}

static int64_t run_exec(struct node *n, struct request *r)
{
    struct instance *in;
    if (r->in.about)
        return -E_OP;
    int e = instantiate_begin(n, r, UINT64_MAX, &in);
    if (e < 0)
        return e;
    unsigned limit = start_limit(r, txn_client_of(n, task_self(n)));
    if (in->p->priority_limit > limit) // said, or as for a new process
        in->p->priority_limit = (uint8_t)limit;
    if (in->p->priority > limit)
        in->p->priority = (uint8_t)limit;
    if (may_start(&in->info, limit))
        return start(n, r, in);
    instantiate_end(n, in);
    proc_drop(n, in->p, true);
    return -E_LIMIT;
}

// If all that fills its segments is on this node, as it is when one program is started again and again, nothing blocks.
static bool exec_inline(struct node *n, struct request *r, int64_t *status)
{
    struct instance in;
    const char *why;
    const struct thread *client = arch_this_hart()->current;
    instantiate_init(&in);
    if (!client || client->proc->priority_limit < PRIO_DEFAULT || r->in.about ||
        instantiate_check(n, NULL, &r->data, &in.info, &why) < 0 ||
        !may_start(&in.info, client->proc->priority_limit) || !instantiate_at_once(n, &r->data, &in.info))
        return false; // a task says what is wrong, or waits
    *status = instantiate_make_checked(n, NULL, &r->data, 0, &in);
    if (*status == 0)
        *status = start(n, r, &in);
    return true;
}

static int64_t run_list(struct node *n, struct request *r)
{
    if (r->in.about)
        return -E_OP;
    LIST_FOR (l, &n->procs) {
        struct proc *p = LIST_ENTRY(l, struct proc, link);
        if (p == n->kproc || port_is_null(p->ctl_put)) // a record that is to take another's place is no process yet
            continue;
        struct proc_entry e = {
            .ep = p->ep,
            .pid = p->pid,
            .state = p->state,
            .threads = p->nthreads,
            .segments = p->nmaps,
            .pages = proc_pages(p),
            .moves = p->moves,
            .cap = proc_cap(p, cap_rights(&r->in.cap)),
        };
        memcpy(e.name, p->name, sizeof e.name);
        memcpy(e.comment, p->comment, sizeof e.comment);
        int64_t status = reply_append(n, r, &e, sizeof e);
        if (status < 0)
            return status;
    }
    return 0;
}

// --- Operations of one process --------------------------------------------------------------------------------

// EP_NONE: the request is about the node. Taken before the first wait: the record may be gone after it.
static ep_t ep_of(const struct request *r)
{
    return r->in.about ? r->in.about->ep : EP_NONE;
}

// The process ep of the request once no other order has it (order_wait). NULL and *gone: why the order cannot be
// carried out here. When the process has left meanwhile, the order goes after it. A copy in doubt takes no order but
// OP_DESTROY and OP_PROC_NEVER_RAN.
static struct proc *idle_proc(struct node *n, struct request *r, ep_t ep, int *gone)
{
    *gone = -E_OP;
    struct proc *p = ep != EP_NONE ? order_wait(n, ep, gone) : NULL;
    r->elsewhere = !p && *gone == -E_NOTHERE;
    if (!p || p->state != PROC_DOUBT || r->in.op == OP_DESTROY || r->in.op == OP_PROC_NEVER_RAN)
        return p;
    *gone = -E_DOUBT;
    return NULL;
}

static int64_t run_stun(struct node *n, struct request *r)
{
    ep_t ep = ep_of(r);
    for (;;) {
        int gone = 0;
        struct proc *p = idle_proc(n, r, ep, &gone);
        if (!p)
            return gone;
        p->stay_stunned = true; // by order: it stays so through a move
        if (p->state == PROC_STUNNED)
            return 0;
        p->to_report = cap_is_null(&p->owner) || (r->in.arg[1] & 1) ? STOP_NONE : STOP_ORDER;
        p->stun_code = r->in.arg[0];
        int e = proc_stun(n, p);
        if (e < 0)
            return e;
    }
}

// Another owner, or another limit of the priority, is for those who have the right to say so (RIGHT_OWNER). A
// descriptor that is no good is refused later, with the reason.
static bool may_change(struct node *n, const struct request *r, const struct proc *p)
{
    struct desc_info info;
    const char *why;
    if ((cap_rights(&r->in.cap) & RIGHT_OWNER) || desc_check(n, &r->data, arch_isa(), &info, &why) < 0)
        return true;
    return memcmp(&info.owner, &p->owner, sizeof info.owner) == 0 &&
           (info.priority_limit == 0 ? PRIO_DEFAULT : info.priority_limit - 1) <= p->priority_limit;
}

// Changes *p to the descriptor that is the request's bytes, if there are any. *p is another record then.
static int64_t changed(struct node *n, struct request *r, struct proc **p)
{
    if (r->in.len == 0)
        return 0;
    ep_t ep = (*p)->ep;
    if (!may_change(n, r, *p))
        return -E_RIGHTS;
    int64_t status = (*p)->state == PROC_STUNNED ? change_apply(n, *p, &r->data) : -E_STATE;
    *p = proc_by_ep(n, ep);
    return status;
}

static int64_t run_set(struct node *n, struct request *r)
{
    int e = 0;
    struct proc *p = idle_proc(n, r, ep_of(r), &e);
    if (!p)
        return e;
    bool stay = p->stay_stunned;
    int64_t status = r->in.len ? changed(n, r, &p) : -E_ARG;
    if (status == 0)
        p->stay_stunned = stay;
    return status;
}

static int64_t run_check(struct node *n, struct request *r)
{
    const char *why = "";
    struct proc *p = NULL;
    int e = 0;
    if (r->in.about && !(p = idle_proc(n, r, ep_of(r), &e)))
        return e;
    e = change_try(n, p, &r->data, &why);
    r->res[0] = (uint64_t)-e;
    return reply_text(n, r, "%s", why);
}

static int64_t run_resume(struct node *n, struct request *r)
{
    int e = 0;
    struct proc *p = idle_proc(n, r, ep_of(r), &e);
    if (!p)
        return e;
    int64_t status = changed(n, r, &p);
    if (status < 0)
        return status;
    p->stay_stunned = false;
    return p->state == PROC_RUN ? 0 : proc_resume(n, p);
}

static int64_t run_never_ran(struct node *n, struct request *r)
{
    int e = 0;
    struct proc *p = idle_proc(n, r, ep_of(r), &e);
    return p ? move_never_ran(n, p) : e;
}

static int64_t run_get(struct node *n, struct request *r)
{
    struct proc *p = r->in.about;
    struct seg *desc;
    uint64_t len;
    if (!p)
        return -E_OP;
    if (p->state != PROC_STUNNED)
        return -E_STATE;
    int e = desc_encode(n, p, &desc, &len);
    if (e < 0)
        return e;
    request_hold(r, desc);
    r->reply = buf_seg(desc, 0, len);
    return 0;
}

static int64_t move_to(struct node *n, struct request *r, const struct cap *target, struct migrate_result *out)
{
    ep_t ep = ep_of(r);
    uint64_t id;
    int gone = 0;
    int64_t status = migrate_slot(n, target, &id); // it runs meanwhile, and other orders are carried out
    if (status < 0)
        return status;
    struct proc *p = idle_proc(n, r, ep, &gone);
    if (p)
        return migrate_send(n, p, target, id, out);
    migrate_slot_drop(n, target, id);
    return gone;
}

static int64_t run_migrate(struct node *n, struct request *r)
{
    struct cap target;
    struct migrate_result out = {0};
    if (!r->in.about)
        return -E_OP;
    int e = request_bytes(n, r, &target, sizeof target);
    if (e < 0)
        return e;
    int64_t status = move_to(n, r, &target, &out);
    r->res[0] = out.bytes;
    r->res[1] = out.freeze_ns;
    r->res[2] = out.pages;
    r->res[3] = out.node;
    return status;
}

static int64_t run_set_priority(struct node *n, struct request *r)
{
    uint64_t priority = r->in.arg[0], limit = r->in.arg[1];
    if (priority >= PRIO_LEVELS || limit > PRIO_LEVELS)
        return -E_ARG;
    if (limit != 0 && !(cap_rights(&r->in.cap) & RIGHT_OWNER))
        return -E_RIGHTS;
    if (limit != 0 && priority >= limit)
        return -E_LIMIT;
    int e = 0;
    struct proc *p = idle_proc(n, r, ep_of(r), &e);
    if (!p)
        return e;
    if (limit != 0)
        p->priority_limit = (uint8_t)(limit - 1);
    return proc_set_priority(n, p, (unsigned)priority);
}

static int64_t run_set_owner(struct node *n, struct request *r)
{
    struct cap owner;
    int e = request_bytes(n, r, &owner, sizeof owner);
    if (e < 0)
        return e;
    struct proc *p = idle_proc(n, r, ep_of(r), &e); // while it moves, the descriptor with the old owner is under way
    if (!p)
        return e;
    p->owner = owner;
    proc_watch_owner(n, p);
    return 0;
}

// While a process moves, the descriptor with the old key is under way: this waits, as set owner does.
static int proc_rekey(struct node *n, struct request *r, const uint8_t key[16])
{
    if (!r->in.about) {
        memcpy(n->services->proc->key_was, n->services->proc->key, 16);
        memcpy(n->services->proc->key, key, 16);
        return 0;
    }
    int e = 0;
    struct proc *p = idle_proc(n, r, ep_of(r), &e);
    if (!p)
        return e;
    memcpy(p->key, key, 16);
    return 0;
}

static int64_t run_set_comment(struct node *n, struct request *r)
{
    char comment[NAME_MAX_LEN] = {0};
    int e = r->in.len < sizeof comment ? buf_read(n, &r->data, 0, comment, (size_t)r->in.len) : -E_ARG;
    if (e == 0 && !text_is_plain(comment, (size_t)r->in.len)) // it is shown on terminals
        e = -E_ARG;
    if (e < 0)
        return e;
    struct proc *p = idle_proc(n, r, ep_of(r), &e);
    if (!p)
        return e;
    memcpy(p->comment, comment, sizeof p->comment);
    return 0;
}

static int64_t run_set_limit(struct node *n, struct request *r)
{
    int e = 0;
    struct proc *p = idle_proc(n, r, ep_of(r), &e);
    if (!p)
        return e;
    if (r->in.arg[0] && proc_used(p) > r->in.arg[0])
        return -E_LIMIT;
    p->mem_limit = r->in.arg[0];
    return 0;
}

static int64_t run_destroy(struct node *n, struct request *r)
{
    int e = 0;
    order_give_up(n, ep_of(r));
    struct proc *p = idle_proc(n, r, ep_of(r), &e);
    if (!p)
        return e;
    if (p->state == PROC_DOUBT) { // the copy that may run elsewhere is not touched, and its clients are told nothing
        node_log(n, "proc: %s (%06x) was in doubt; this copy is destroyed by its owner's order", p->name, p->pid);
        proc_drop(n, p, true);
        return 0;
    }
    p->killed = true;
    proc_finish(n, p, -E_CANCEL); // the reaper does the rest
    return 0;
}

// --- For people -----------------------------------------------------------------------------------------------

static int64_t run_info(struct node *n, struct request *r)
{
    const struct proc *p = r->in.about;
    if (!p)
        return reply_text(n, r, "process service of %s: %u processes", n->name, (unsigned)n->pool_proc.used - 1);
    return reply_text(n, r, "process %06x (%s) on %s: %s, %u threads, %llu pages, moved %llu times", p->pid, p->name,
                      n->name, proc_state_name(p->state), p->nthreads, (unsigned long long)proc_pages(p),
                      (unsigned long long)p->moves);
}

static int64_t run_status(struct node *n, struct request *r)
{
    return r->in.about ? proc_status(n, r, r->in.about) : run_info(n, r);
}

// --- The service ------------------------------------------------------------------------------------------------

static const struct operation ops[] = {
    {OP_INFO, "info", RIGHT_READ, true, OP_NONBLOCKING, run_info},
    {OP_STATUS, "status", RIGHT_READ, true, OP_SLOW, run_status},
    {OP_DESTROY, "destroy", RIGHT_DESTROY, true, OP_BLOCKS, run_destroy},
    {OP_ROTATE, "rotate", RIGHT_OWNER, false, OP_BLOCKS, service_rotate},
    {OP_PROC_EXEC, "exec", RIGHT_EXEC, false, OP_INLINE_OR_BLOCKS, run_exec},
    {OP_PROC_LIST, "list", RIGHT_READ, true, OP_SLOW, run_list},
    {OP_PROC_OFFER, "offer", RIGHT_EXEC, false, OP_BLOCKS, offer_take},
    {OP_PROC_SLOT, "slot", RIGHT_EXEC, false, OP_NONBLOCKING, offer_slot},
    {OP_PROC_COMMIT, "commit", RIGHT_EXEC, true, OP_NONBLOCKING, offer_commit},
    {OP_PROC_ABORT, "abort", RIGHT_EXEC, true, OP_NONBLOCKING, offer_abort},
    {OP_PROC_STUN, "stun", RIGHT_CONTROL, true, OP_BLOCKS, run_stun},
    {OP_PROC_RESUME, "resume", RIGHT_CONTROL, true, OP_BLOCKS, run_resume},
    {OP_PROC_NEVER_RAN, "never ran", RIGHT_CONTROL, false, OP_BLOCKS, run_never_ran},
    {OP_PROC_SET, "set", RIGHT_CONTROL, true, OP_BLOCKS, run_set},
    {OP_PROC_CHECK, "check", RIGHT_CONTROL, true, OP_BLOCKS, run_check},
    {OP_PROC_SET_COMMENT, "set comment", RIGHT_CONTROL, true, OP_BLOCKS, run_set_comment},
    {OP_PROC_SET_LIMIT, "set limit", RIGHT_CONTROL, true, OP_BLOCKS, run_set_limit},
    {OP_PROC_GET, "get", RIGHT_CONTROL, true, OP_SLOW, run_get},
    {OP_PROC_MIGRATE, "migrate", RIGHT_CONTROL, false, OP_BLOCKS, run_migrate},
    {OP_PROC_SET_PRIORITY, "set priority", RIGHT_CONTROL, true, OP_BLOCKS, run_set_priority},
    {OP_PROC_SET_OWNER, "set owner", RIGHT_OWNER, true, OP_BLOCKS, run_set_owner},
    {0, NULL, 0, false, OP_NONBLOCKING, NULL},
};
static const struct service service = {
    .name = "proc",
    .ops = ops,
    .key = proc_key,
    .rekey = proc_rekey,
    .inline_call = exec_inline,
    .buffer_pages = DESC_MAX_BYTES / PAGE_SIZE,
    .tasks = 4,
    .tasks_max = 24,
};

static const struct policy policy = {
    .inline_call = service_inline,
    .holds = order_holds,
    .ended = reaper_end_at_once,
    .ep_found = move_found,
    .port_found = orphan_port_found,
    .port_closed = orphan_port_closed,
    .port_ended = orphan_port_ended,
    .port_gone = orphan_port_gone,
};

int proc_service_start(struct node *n)
{
    struct proc_service *ps = n->services->proc = service_state(n, sizeof *ps);
    if (!ps)
        return -E_MEM;
    list_init(&ps->orders);
    migrate_start(n);
    change_start(n);
    offer_start(n);
    orphan_start(n);
    reports_start(n);
    ps->policy_before = n->policy;
    n->policy = &policy;
    int e = reaper_start(n);
    if (e < 0)
        return e;
    struct port get;
    node_random(n, &get, sizeof get);
    node_random(n, ps->key, sizeof ps->key);
    node_random(n, ps->key_was, sizeof ps->key_was);
    e = service_open(n, &service, get, &ps->put);
    if (e < 0)
        return e;
    ps->handle = (uint32_t)e;
    struct cap c = cap_make(ps->put, 0, RIGHT_ALL, ps->key);
    return dir_enter(n, "proc", &c);
}

// The processes are freed with the node; the kernel's own ports for them are removed here.
void proc_service_stop(struct node *n)
{
    if (!n->services->proc)
        return;
    n->policy = n->services->proc->policy_before;
    LIST_FOR (l, &n->procs) {
        struct proc *p = LIST_ENTRY(l, struct proc, link);
        if (p != n->kproc)
            port_remove(n, p->ctl_put, n->kproc, p);
    }
    reaper_stop(n);
    reports_stop(n);
    orphan_stop(n);
    offer_stop(n);
    change_stop(n);
    migrate_stop(n);
}
