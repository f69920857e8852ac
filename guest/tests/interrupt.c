// SPDX-License-Identifier: BSD-2-Clause
// Interrupts: a chain of servers, and a client that has enough of waiting. All are run with the same --meet.
//
//   interrupt serve NAME            the last server: waits, computes or is shielded, as it is asked
//   interrupt relay NAME TARGET     one in between: what it is asked, it asks TARGET
//   interrupt client NAME           status 0 when all came as it must
//   interrupt hang NAME             calls and waits until it is killed
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/lib/rotifer.h"

enum { OP_WAIT = 200, OP_COMPUTE, OP_SHIELD, OP_REPORT, OP_STOP };
#define INTERRUPTED 77 // what the last server says when it catches it

static unsigned errors;

#define MUST(got, want)                                                                                                \
    do {                                                                                                               \
        int64_t g = (got), w = (want);                                                                                 \
        if (g != w) {                                                                                                  \
            errors++;                                                                                                  \
            printf("interrupt: line %d: %ld (%s), not %ld\n", __LINE__, g, error_string(g), w);                        \
        }                                                                                                              \
    } while (0)

// --- Servers -------------------------------------------------------------------------------------------

static int64_t handle;

static void serve_as(const char *name)
{
    struct port put;
    uint8_t key[CAP_KEY_BYTES];
    handle = port_listen(port_random(), &put);
    sys_random(key, sizeof key);
    struct cap cap = cap_make(put, 0, RIGHT_ALL, key);
    if (handle < 0 || dir_enter(NULL, name, &cap) < 0)
        exit(1);
    printf("interrupt: %s ready\n", name);
}

static int64_t work(uint32_t op)
{
    static _Atomic uint32_t never;
    switch (op) {
    case OP_WAIT: return sys_wait(&never, 0, 0) == -E_CANCEL ? INTERRUPTED : -E_STATE;
    case OP_COMPUTE:
        while (sys_cancelled(CANCEL_ASK) == 0) {}
        return INTERRUPTED + 1;
    case OP_SHIELD:
        sys_cancelled(CANCEL_SHIELD);
        if (sys_wait(&never, 0, 700) != -E_TIMEOUT) // nothing else may end it
            return -E_STATE;
        return sys_cancelled(CANCEL_OPEN) == 1 ? INTERRUPTED + 2 : -E_STATE;
    default: return 0;
    }
}

static int last(void)
{
    struct request req;
    uint64_t interrupted = 0;
    while (getreq(1ull << handle, NULL, 0, 0, &req) == 0) {
        int64_t status = work(req.op);
        interrupted += status >= INTERRUPTED;
        const uint64_t res[4] = {interrupted};
        putrep(status, NULL, 0, res);
        if (req.op == OP_STOP)
            return 0;
    }
    return 1;
}

static int relay(const char *target)
{
    struct cap cap;
    struct request req;
    struct trans_result out;
    if (dir_lookup(NULL, target, &cap) < 0)
        return 1;
    while (getreq(1ull << handle, NULL, 0, 0, &req) == 0) {
        int64_t status = trans(&cap, req.op, NULL, NULL, 0, NULL, 0, &out);
        putrep(status, NULL, 0, out.res);
        if (req.op == OP_STOP)
            return 0;
    }
    return 1;
}

// --- Client ----------------------------------------------------------------------------------------------

struct call {
    struct cap server;
    uint32_t op;
    uint64_t thread;
    _Atomic uint32_t begun;
    int64_t status;
};

static void *caller(void *arg)
{
    struct call *c = arg;
    struct self self;
    sys_self(&self);
    c->thread = self.thread;
    c->begun = 1;
    c->status = trans(&c->server, c->op, NULL, NULL, 0, NULL, 0, NULL);
    return NULL;
}

static struct thread *begin(struct call *c, const struct cap *server, uint32_t op)
{
    *c = (struct call){.server = *server, .op = op};
    struct thread *t = thread_create(caller, c, 0);
    while (!c->begun)
        sys_yield();
    return t;
}

// Makes a call and interrupts it. When it was not yet at the end of the chain, no server has taken it: once more, with
// more time to get there.
static int64_t interrupted(const struct cap *server, uint32_t op, uint64_t grace_ms)
{
    struct call a;
    for (uint64_t ms = 20;; ms *= 2) {
        struct thread *t = begin(&a, server, op);
        sleep_ms(ms);
        MUST(sys_cancel(a.thread, grace_ms), 0);
        thread_join(t);
        if (a.status != -E_WITHDRAWN)
            return a.status;
    }
}

static uint64_t reported(const struct cap *server)
{
    struct trans_result out = {0};
    MUST(trans(server, OP_REPORT, NULL, NULL, 0, NULL, 0, &out), 0);
    return out.res[0];
}

static int client(const struct cap *server)
{
    struct call a, b;
    uint64_t before = reported(server);
    // 1. It reaches the last server, which catches it and says so.
    MUST(interrupted(server, OP_WAIT, 60000), INTERRUPTED);
    // 2. One that computes finds out.
    MUST(interrupted(server, OP_COMPUTE, 60000), INTERRUPTED + 1);
    // 3. One that wants to finish first may; who waits shorter does not learn how it ended.
    MUST(interrupted(server, OP_SHIELD, 60000), INTERRUPTED + 2);
    MUST(interrupted(server, OP_SHIELD, 50), -E_CANCEL);
    MUST(reported(server) - before >= 3, true); // this waits until the last server is through
    // 4. Of two requests one is in the queue: it is taken out.
    struct thread *t = begin(&a, server, OP_WAIT), *u = begin(&b, server, OP_WAIT);
    sleep_ms(50);
    MUST(sys_cancel(b.thread, 60000), 0);
    thread_join(u);
    MUST(sys_cancel(a.thread, 60000), 0);
    thread_join(t);
    MUST(a.status == -E_WITHDRAWN || b.status == -E_WITHDRAWN, true);
    MUST(a.status == -E_WITHDRAWN || a.status == INTERRUPTED, true);
    MUST(b.status == -E_WITHDRAWN || b.status == INTERRUPTED, true);
    MUST(sys_cancel(a.thread, 0), -E_OBJECT);
    // 5. A time-out interrupts as well, once the request is there: the last server would wait for ever.
    before = reported(server);
    for (uint64_t ms = 50, after = before; after == before; ms *= 2) {
        MUST(trans_timeout(server, OP_WAIT, NULL, NULL, 0, NULL, 0, ms, NULL), -E_TIMEOUT);
        after = reported(server);
    }
    printf("interrupt: client: %u errors\n", errors);
    return errors != 0;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    struct cap server;
    if (strcmp(argv[1], "serve") == 0) {
        serve_as(argv[2]);
        return last();
    }
    if (strcmp(argv[1], "relay") == 0 && argc > 3) {
        serve_as(argv[2]);
        return relay(argv[3]);
    }
    if (dir_lookup(NULL, argv[2], &server) < 0)
        return 1;
    if (strcmp(argv[1], "client") == 0)
        return client(&server);
    if (strcmp(argv[1], "report") == 0) {
        printf("interrupt: %lu interrupted\n", reported(&server));
        return 0;
    }
    printf("interrupt: calls\n");
    return (int)trans(&server, strcmp(argv[1], "stop") == 0 ? OP_STOP : OP_WAIT, NULL, NULL, 0, NULL, 0, NULL);
}
