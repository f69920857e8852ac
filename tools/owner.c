// SPDX-License-Identifier: BSD-2-Clause
// The owner of the command's processes: a service of one operation, whose reports are added up in one record.
#include "tools/owner.h"
#include "core/cap.h"
#include "core/error.h"
#include "core/panic.h"
#include "core/task.h"
#include "services/service.h"

#include <string.h>

#define OWNER_OBJECT 1u

static struct {
    uint8_t key[16];
    struct owner_report report;
} owner;

struct owner_report *owner_so_far(void)
{
    return &owner.report;
}

static int owner_key(struct node *n, const struct request *r, uint8_t key[16])
{
    (void)n;
    if (cap_obj(&r->in.cap) != OWNER_OBJECT)
        return -E_OBJECT;
    memcpy(key, owner.key, sizeof owner.key);
    return 0;
}

static int64_t take_fault(struct node *n, struct request *r)
{
    struct owner_report *o = &owner.report;
    int e = request_bytes(n, r, &o->fault, sizeof o->fault);
    if (e < 0)
        return e;
    o->fault.what[sizeof o->fault.what - 1] = 0;
    o->fault_kind = (uint32_t)r->in.arg[2];
    o->tid = (uint32_t)(r->in.arg[2] >> 32);
    o->faulted = true;
    return 0;
}

static int64_t run_event(struct node *n, struct request *r)
{
    struct owner_report *o = &owner.report;
    int64_t status = 0;
    switch (r->in.arg[0]) {
    case EVENT_FAULT: status = take_fault(n, r); break;
    case EVENT_ENDED:
        if (o->status == 0)
            o->status = (int64_t)r->in.arg[2];
        o->over = ++o->ended >= o->wanted;
        break;
    case EVENT_DOUBT: o->doubt = r->in.arg[2]; break; // no end: it ends by itself when the nodes hear of each other
    case EVENT_STUNNED: return OWNER_KEEP;            // whoever ordered it will order it to go on
    case EVENT_REFUSED: return OWNER_END;             // of a change that was not asked for
    default: return -E_ARG;
    }
    o->last = (uint32_t)r->in.arg[0];
    o->ep = r->in.arg[1];
    task_wake(n, o);
    return status;
}

static const struct operation ops[] = {
    {OP_PROC_WAIT_EVENT, "event", RIGHT_CONTROL, false, OP_NONBLOCKING, run_event},
    {0, NULL, 0, false, OP_NONBLOCKING, NULL},
};
static const struct service service = {
    .name = "owner", .ops = ops, .key = owner_key, .buffer_pages = 1, .tasks = 1, .tasks_max = 2};

int owner_start(struct node *n, struct cap *cap)
{
    struct port get, put;
    ASSERT(owner.report.wanted > 0); // else the first of several would count as the last
    node_random(n, owner.key, sizeof owner.key);
    node_random(n, &get, sizeof get);
    int handle = service_open(n, &service, get, &put);
    if (handle < 0)
        return handle;
    *cap = cap_make(put, OWNER_OBJECT, RIGHT_CONTROL, owner.key);
    return 0;
}
