// SPDX-License-Identifier: BSD-2-Clause
// Many processes of ten threads each, all alive at once, blocked in every way there is and computing.
//
//   crowd boss N      serves them: waits until the threads of N processes have come, says so, reads a line, lets all go
//                     on, and counts results. The last line is "crowd: N processes, E errors"; status 0 if E is 0.
//   crowd             one of the N: ten threads; finds the boss by the name "crowd"; both are run with --meet
//
// Threads of one process, beside the first, which is blocked in a transaction with the boss: three wait for a wake, one
// waits for a condition, one with a time-out, one sleeps again and again, one receives on a port of its own, one is in
// a transaction that the latter does not answer yet, one computes and then waits. Each gives a number; the process's
// result is their sum, which the boss knows beforehand.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/lib/rotifer.h"

enum { THREADS = 10, NAP_MS = 500, LONG_MS = 3600000 };
enum { OP_ARRIVED = 1, OP_RESULT, OP_GATE, OP_ANSWER };

static uint64_t number_of(uint64_t process,
                          uint64_t thread) // any function will do that is not constant
{
    return (process * 2654435761u + thread * 40503u) % 65521;
}

// --- One of them -----------------------------------------------------------------------------------------------

static struct {
    struct cap boss, own;
    int64_t handle;
    uint64_t process;
    _Atomic uint32_t go;
    struct mutex mutex;
    struct cond cond;
} me;

static void arrived(void)
{
    if (trans(&me.boss, OP_ARRIVED, NULL, NULL, 0, NULL, 0, NULL) < 0)
        exit(3);
}

static void wait_for_wake(uint64_t timeout_ms)
{
    while (!me.go)
        sys_wait(&me.go, 0, timeout_ms);
}

static uint64_t compute(uint64_t seed)
{
    uint64_t x = seed + 1;
    for (int i = 0; i < 20000; i++)
        x = x * 6364136223846793005u + 1442695040888963407u;
    return x;
}

static uint64_t block(uint64_t thread)
{
    struct request req;
    char some[64];
    switch (thread) {
    case 1: // does not answer before all may go
        arrived();
        if (getreq(1ul << me.handle, some, sizeof some, LONG_MS, &req) < 0 || req.op != OP_ANSWER)
            return 1;
        wait_for_wake(0);
        return (uint64_t)putrep(0, NULL, 0, (const uint64_t[4]){me.process});
    case 2: {
        struct trans_result out;
        arrived();
        if (trans(&me.own, OP_ANSWER, NULL, "hello", 5, NULL, 0, &out) != 0)
            return 1;
        return out.res[0] == me.process ? 0 : 1;
    }
    case 3:
        arrived();
        while (!me.go)
            sleep_ms(NAP_MS);
        return 0;
    case 4:
        arrived();
        wait_for_wake(LONG_MS);
        return 0;
    case 5:
        arrived();
        mutex_lock(&me.mutex);
        while (!me.go)
            cond_wait(&me.cond, &me.mutex);
        mutex_unlock(&me.mutex);
        return 0;
    case 6: {
        uint64_t first = compute(me.process);
        arrived();
        wait_for_wake(0);
        return compute(me.process) == first ? 0 : 1;
    }
    default:
        arrived();
        wait_for_wake(0);
        return 0;
    }
}

static void *thread_main(void *arg)
{
    uint64_t thread = (uint64_t)arg;
    uint64_t wrong = block(thread);
    return (void *)(wrong ? 0 : number_of(me.process, thread));
}

static int one(void)
{
    static struct thread *threads[THREADS];
    struct port port;
    struct self self;
    struct trans_result out;
    if (dir_lookup(NULL, "crowd", &me.boss) < 0)
        return 2;
    sys_self(&self);
    me.process = self.process;
    me.handle = port_listen(port_random(), &port);
    me.own = cap_make(port, 0, RIGHT_ALL, (const uint8_t[CAP_KEY_BYTES]){0});
    for (uint64_t i = 1; i < THREADS; i++)
        if (!(threads[i] = thread_create(thread_main, (void *)i, 0)))
            return 4;
    arrived();
    if (trans(&me.boss, OP_GATE, NULL, NULL, 0, NULL, 0, &out) != 0)
        return 5;
    mutex_lock(&me.mutex);
    me.go = 1;
    cond_broadcast(&me.cond);
    mutex_unlock(&me.mutex);
    sys_wake(&me.go, UINT64_MAX);
    uint64_t sum = number_of(me.process, 0);
    for (unsigned i = 1; i < THREADS; i++)
        sum += (uint64_t)thread_join(threads[i]);
    return trans(&me.boss, OP_RESULT, (const uint64_t[4]){me.process, sum}, NULL, 0, NULL, 0, NULL) ? 6 : 0;
}

// --- The boss --------------------------------------------------------------------------------------------------

// Two ports: callers of the second wait in its queue until it is received from.
static struct {
    int64_t desk, gate;
    struct cap cap;
} boss;

static void *open_gate(void *arg)
{
    struct request req;
    for (uint64_t left = (uint64_t)arg; left > 0; left--) {
        if (getreq(1ul << boss.gate, NULL, 0, 0, &req) < 0)
            exit(7);
        putrep(0, NULL, 0, NULL);
    }
    return NULL;
}

static uint64_t result_is_wrong(const struct request *req)
{
    uint64_t expected = 0;
    for (uint64_t i = 0; i < THREADS; i++)
        expected += number_of(req->args[0], i);
    return req->op != OP_RESULT || req->args[1] != expected;
}

static int lead(uint64_t count)
{
    struct request req;
    struct port port;
    uint64_t errors = 0;
    char line[16];
    boss.desk = port_listen(port_random(), &port);
    boss.cap = cap_make(port, 0, RIGHT_ALL, (const uint8_t[CAP_KEY_BYTES]){0});
    if (boss.desk < 0 || dir_enter(NULL, "crowd", &boss.cap) < 0)
        return 2;
    printf("crowd: come\n");
    // Who is at the gate has sent OP_GATE to the same port: it is forwarded to the other, where nobody receives yet.
    struct port gate_port;
    boss.gate = port_listen(port_random(), &gate_port);
    struct cap gate = cap_make(gate_port, 0, RIGHT_ALL, (const uint8_t[CAP_KEY_BYTES]){0});
    for (uint64_t came = 0, gated = 0; came < count * THREADS || gated < count;) {
        if (getreq(1ul << boss.desk, NULL, 0, 0, &req) < 0)
            return 3;
        if (req.op == OP_GATE) {
            gated++;
            errors += forward(&gate, OP_GATE, NULL) < 0;
        } else {
            came++;
            errors += req.op != OP_ARRIVED;
            putrep(0, NULL, 0, NULL);
        }
    }
    printf("crowd: %lu threads are here\n", count * THREADS);
    if (!fgets(line, sizeof line, stdin))
        return 4;
    struct thread *opener = thread_create(open_gate, (void *)count, 0);
    for (uint64_t i = 0; i < count; i++) {
        if (getreq(1ul << boss.desk, NULL, 0, 0, &req) < 0)
            return 5;
        errors += result_is_wrong(&req);
        putrep(0, NULL, 0, NULL);
    }
    thread_join(opener);
    dir_remove(NULL, "crowd");
    printf("crowd: %lu processes, %lu errors\n", count, errors);
    return errors != 0;
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "boss") == 0)
        return lead(strtoull(argv[2], NULL, 10));
    return one();
}
