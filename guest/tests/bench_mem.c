// SPDX-License-Identifier: BSD-2-Clause
// What a thread that waits takes of the kernel's memory: its record, and the tables that say where the pages of its
// stack are; the pages themselves are the process's own and do not count. A wait for a wake, with a time-out; it goes
// for all waits, since they are states of one record.
//
//   bench_mem [THREADS [STACK]]    default 1000, 0: the library's; --grant node --grant proc; the last line is
//                                  "bench_mem: BYTES"
#include <stdio.h>
#include <stdlib.h>

#include "guest/lib/rotifer.h"
#include "services/protocol.h"

enum { PAGE = 4096, LONG_MS = 3600000 };

static _Atomic uint32_t here, go;

static void *wait_for_go(void *arg)
{
    here++;
    sys_wake(&here, 1);
    while (!go)
        sys_wait(&go, 0, LONG_MS);
    return arg;
}

static int64_t ask(const char *service, uint32_t op, void *reply, uint64_t size)
{
    struct trans_result r;
    struct cap cap;
    int64_t e = startup_cap(service, &cap);
    return e < 0 ? e : trans(&cap, op, NULL, NULL, 0, reply, size, &r);
}

// Pages that are taken on the node, but for our own.
static int64_t kernels(void)
{
    static struct node_status st;
    static struct proc_entry list[64];
    struct self self;
    sys_self(&self);
    int64_t e = ask("node", OP_NODE_STATUS, &st, sizeof st);
    if (e >= 0)
        e = ask("proc", OP_PROC_LIST, list, sizeof list);
    if (e >= 0)
        for (size_t i = 0; i < sizeof list / sizeof *list; i++)
            if (list[i].ep == self.endpoint)
                return (int64_t)(st.pages_total - st.pages_free - list[i].pages);
    fprintf(stderr, "bench_mem: %s\n", e < 0 ? error_string(e) : "not in the list of processes");
    exit(1);
}

int main(int argc, char **argv)
{
    uint32_t n = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1000;
    size_t stack = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
    if (n == 0)
        return 2;
    struct thread **threads = calloc(n, sizeof *threads);
    kernels(); // what the first question takes is no thread's
    int64_t before = kernels();
    for (uint32_t i = 0; i < n; i++)
        if (!(threads[i] = thread_create(wait_for_go, NULL, stack))) {
            perror("bench_mem: thread_create");
            return 1;
        }
    for (uint32_t seen; (seen = here) < n;)
        sys_wait(&here, seen, 0);
    int64_t taken = kernels() - before; // the last ones are on their way into their waits, and take no more for it
    go = 1;
    sys_wake(&go, UINT64_MAX);
    for (uint32_t i = 0; i < n; i++)
        thread_join(threads[i]);
    printf("bench_mem: %ld\n", taken * PAGE / n);
    return 0;
}
