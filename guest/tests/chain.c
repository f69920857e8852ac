// SPDX-License-Identifier: BSD-2-Clause
// A chain of nested calls: each thread serves the one before it and calls the next, the last one waits. Then the first
// call is cancelled, or times out, or its caller is killed; a kernel must take the chain down link by link.
//
//   chain N cancel        all in one process; the first call is cancelled
//   chain N timeout MS    the first call has this time-out
//   chain N stand         it waits to be killed
//   chain N serve         the links alone; the first call comes from another process
//   chain call            that process; both with the same --meet
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/lib/rotifer.h"

#define NAME "chain"
#define STACK 8192u

static struct cap own;
static int64_t handle;
static unsigned links;
static _Atomic uint32_t depth, never;

static void *link_of_chain(void *arg)
{
    struct request req;
    (void)arg;
    if (getreq(1ull << handle, NULL, 0, 0, &req) < 0)
        return NULL;
    int64_t e = ++depth < links ? trans(&own, 1, NULL, NULL, 0, NULL, 0, NULL) : sys_wait(&never, 0, 0);
    (void)putrep(e, NULL, 0, NULL);
    return NULL;
}

static bool links_start(void)
{
    struct port put;
    uint8_t key[CAP_KEY_BYTES];
    handle = port_listen(port_random(), &put);
    sys_random(key, sizeof key);
    own = cap_make(put, 1, RIGHT_ALL, key);
    for (unsigned i = 0; i < links; i++)
        if (!thread_create(link_of_chain, NULL, STACK)) {
            printf("chain: only %u threads\n", i);
            return false;
        }
    return true;
}

static void wait_until_it_stands(void)
{
    while (depth < links)
        sleep_ms(1);
    printf("chain: %u links stand\n", links);
}

// --- The first call --------------------------------------------------------------------------------------------------

static struct {
    _Atomic uint64_t tid;
    uint64_t timeout_ms; // 0: none
} first;

static void *first_call(void *arg)
{
    struct self self;
    (void)arg;
    sys_self(&self);
    first.tid = self.thread;
    int64_t e = trans_timeout(&own, 1, NULL, NULL, 0, NULL, 0, first.timeout_ms, NULL);
    printf("chain: the first call ended: %s\n", error_string(e));
    return NULL;
}

static int in_one(const char *how, uint64_t timeout_ms)
{
    first.timeout_ms = timeout_ms;
    struct thread *caller = thread_create(first_call, NULL, STACK);
    wait_until_it_stands();
    if (strcmp(how, "stand") == 0)
        sys_wait(&never, 0, 0);
    if (strcmp(how, "cancel") == 0)
        printf("chain: cancel: %s\n", error_string(sys_cancel(first.tid, 0)));
    thread_join(caller);
    printf("chain: end\n");
    sys_exit(0); // the threads of the chain may still be at it
}

static int serve(void)
{
    int64_t e = dir_enter(NULL, NAME, &own);
    printf("chain: serves: %s\n", error_string(e));
    wait_until_it_stands();
    return (int)sys_wait(&never, 0, 0);
}

static int call(void)
{
    int64_t e = dir_lookup(NULL, NAME, &own);
    printf("chain: calls: %s\n", error_string(e));
    e = trans(&own, 1, NULL, NULL, 0, NULL, 0, NULL);
    printf("chain: the first call ended: %s\n", error_string(e));
    return 0;
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc > 1 && strcmp(argv[1], "call") == 0)
        return call();
    if (argc < 3)
        return 2;
    links = (unsigned)strtoul(argv[1], NULL, 0);
    if (!links_start())
        return 1;
    return strcmp(argv[2], "serve") == 0 ? serve() : in_one(argv[2], argc > 3 ? strtoul(argv[3], NULL, 0) : 0);
}
