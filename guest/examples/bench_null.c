// SPDX-License-Identifier: BSD-2-Clause
// What a system call and a transaction cost, in instructions. Run QEMU with -icount shift=0 (rotifer ring up --icount):
// without it, rdinstret counts ticks of the host's clock and the numbers mean nothing. Or count from outside (--count):
// the measured loop lies between two marks.
//
//   bench_null ROUNDS call    null system call
//   bench_null ROUNDS self    null transaction with a thread of this process
//   bench_null ROUNDS NAME [BYTES [BACK]]
//                             transaction with that server: so many bytes there and back (0)
//   bench_null server NAME    be such a server, until stopped
//
// NAME is what it was granted (--grant node: the node's own service, a privileged task), or a server that it meets
// (--meet). Counted is everything that ran on this hart between the two readings: kernel, server and client.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/lib/rotifer.h"
#include "services/protocol.h"

#define BYTES_MAX 65536

// At the beginning of pages, as large buffers mostly are.
static _Alignas(4096) uint8_t request[BYTES_MAX], reply[BYTES_MAX], served[BYTES_MAX];

static inline uint64_t instructions(void)
{
    uint64_t n;
    __asm__ volatile("rdinstret %0" : "=r"(n));
    return n;
}

struct bench {
    const char *name;
    struct cap cap;
    size_t bytes, back; // of request and reply
    int64_t status;     // of the last transaction
};

static void null_call(struct bench *b)
{
    (void)b;
    sys_null();
}

static void null_trans(struct bench *b)
{
    const uint64_t args[4] = {b->back};
    b->status = trans(&b->cap, OP_NODE_NULL, args, request, b->bytes, reply, sizeof reply, NULL);
}

static void nothing(struct bench *b)
{
    (void)b;
    __asm__ volatile("");
}

static uint64_t measure(uint64_t rounds, void (*op)(struct bench *), struct bench *b)
{
    for (int i = 0; i < 10; i++)
        op(b); // first times are different: routes are learned, pages filled
    bool marked = op != nothing;
    uint64_t start = instructions();
    if (marked)
        __asm__ volatile("slti x0, x0, 1"); // tools/plugin/count.c counts from here
    for (uint64_t i = 0; i < rounds; i++)
        op(b);
    if (marked)
        __asm__ volatile("slti x0, x0, 2");
    return instructions() - start;
}

static int report(uint64_t rounds, void (*op)(struct bench *), struct bench *b)
{
    uint64_t start = clock_ns();
    uint64_t all = measure(rounds, op, b), loop = measure(rounds, nothing, b);
    uint64_t ns = clock_ns() - start;
    if (b->status < 0) {
        printf("bench_null: %s: %s\n", b->name, error_string(b->status));
        return 1;
    }
    printf("bench_null: %s, %zu bytes there and %zu back: %lu instructions, %lu ns\n", b->name, b->bytes, b->back,
           (all - loop) / rounds, ns / rounds);
    return 0;
}

// --- Being the server ----------------------------------------------------------------------------

static int64_t handle;
static struct port served_port;
static uint8_t served_key[CAP_KEY_BYTES];

// Answers every request with as many bytes as it asks for, after a look at the capability, as a real server does.
static void *serve(void *unused)
{
    (void)unused;
    struct request req;
    int64_t e = getreq(1ull << handle, served, sizeof served, 0, &req);
    while (e == 0) {
        int64_t status = request_check(&req, served_port, served_key, RIGHT_READ);
        uint64_t back = req.args[0] < sizeof served ? req.args[0] : sizeof served;
        e = putrep_getreq(status, served, back, NULL, 1ull << handle, served, sizeof served, 0, &req);
    }
    return NULL;
}

static struct cap open_port(void)
{
    sys_random(served_key, sizeof served_key);
    handle = port_listen(port_random(), &served_port);
    return cap_make(served_port, 0, RIGHT_ALL, served_key);
}

static int be_server(const char *name)
{
    struct cap cap = open_port();
    int64_t result = dir_enter(NULL, name, &cap);
    if (result < 0) {
        printf("bench_null: %s: %s\n", name, error_string(result));
        return 1;
    }
    printf("bench_null: %s ready\n", name);
    serve(NULL);
    return 0;
}

// --- The two clients -----------------------------------------------------------------------------

static int bench_call(uint64_t rounds)
{
    struct bench call = {.name = "null system call"};
    return report(rounds, null_call, &call);
}

static int bench_self(uint64_t rounds)
{
    struct bench self = {.name = "transaction with a thread of this process", .cap = open_port()};
    if (!thread_create(serve, NULL, 0)) {
        perror("bench_null");
        return 1;
    }
    return report(rounds, null_trans, &self);
}

static int bench_other(uint64_t rounds, const char *name, size_t bytes, size_t back)
{
    struct bench other = {
        .name = name,
        .bytes = bytes < BYTES_MAX ? bytes : BYTES_MAX,
        .back = back < BYTES_MAX ? back : BYTES_MAX,
    };
    int64_t result = startup_cap(name, &other.cap);
    if (result < 0)
        result = dir_lookup(NULL, name, &other.cap);
    if (result < 0) {
        printf("bench_null: %s: %s\n", name, error_string(result));
        return 1;
    }
    return report(rounds, null_trans, &other);
}

static uint64_t number(int argc, char **argv, int i)
{
    return argc > i ? strtoull(argv[i], NULL, 10) : 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "server") == 0)
        return be_server(argv[2]);
    uint64_t rounds = number(argc, argv, 1);
    if (rounds == 0 || argc < 3) {
        fprintf(stderr, "usage: bench_null ROUNDS call | self | NAME [BYTES [BACK]]; bench_null server NAME\n");
        return 2;
    }
    if (strcmp(argv[2], "call") == 0)
        return bench_call(rounds);
    if (strcmp(argv[2], "self") == 0)
        return bench_self(rounds);
    return bench_other(rounds, argv[2], number(argc, argv, 3), number(argc, argv, 4));
}
