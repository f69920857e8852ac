// SPDX-License-Identifier: BSD-2-Clause
// Measurements: each round is timed on its own, so that the client can make medians and see outliers.
#include "services/bench.h"
#include "core/error.h"
#include "core/transport.h"
#include "services/protocol.h"

#define ROUNDS_MAX 100000u
#define ROUND_TIMEOUT_MS 60000

static int64_t bench_echo(struct node *n, struct request *r)
{
    if (!n->transport || !n->transport->link_echo)
        return -E_STATE;
    for (uint64_t i = 0; i < r->in.arg[1]; i++) {
        uint64_t start = node_now(n);
        int e = n->transport->link_echo(n, (unsigned)r->in.arg[2], (uint32_t)r->in.arg[3]);
        uint64_t ns = node_now(n) - start;
        int64_t status = e < 0 ? e : reply_append(n, r, &ns, sizeof ns);
        if (status < 0)
            return status;
    }
    return 0;
}

// The two buffers of the transactions measured. Held by the request.
static int buffers_make(struct node *n, struct request *r, uint64_t len, struct buf *req, struct buf *rep)
{
    struct buf *const both[] = {req, rep};
    for (int i = 0; i < 2; i++) {
        *both[i] = buf_none();
        if (len == 0)
            continue;
        struct seg *s;
        int e = seg_create(n, len, &s);
        if (e < 0)
            return e;
        request_hold(r, s);
        *both[i] = buf_seg(s, 0, len);
    }
    return 0;
}

// The target is asked for OP_NODE_NULL with as many bytes in the reply as there are in the request.
static int64_t bench_trans(struct node *n, struct request *r)
{
    struct cap target;
    struct buf req, rep;
    int e = request_bytes(n, r, &target, sizeof target);
    if (e == 0)
        e = buffers_make(n, r, r->in.arg[3], &req, &rep);
    if (e < 0)
        return e;
    const uint64_t arg[4] = {r->in.arg[3], 0, 0, 0};
    for (uint64_t i = 0; i < r->in.arg[1]; i++) {
        uint64_t start = node_now(n);
        int64_t status = task_trans(n, &target, OP_NODE_NULL, arg, req, rep, ROUND_TIMEOUT_MS, NULL);
        uint64_t ns = node_now(n) - start;
        if (status >= 0)
            status = reply_append(n, r, &ns, sizeof ns);
        if (status < 0)
            return status;
    }
    return 0;
}

int64_t bench_run(struct node *n, struct request *r)
{
    if (r->in.arg[1] == 0 || r->in.arg[1] > ROUNDS_MAX || r->in.arg[3] > MESSAGE_MAX_BYTES)
        return -E_ARG;
    switch (r->in.arg[0]) {
    case BENCH_ECHO: return bench_echo(n, r);
    case BENCH_TRANS: return bench_trans(n, r);
    default: return -E_ARG;
    }
}
