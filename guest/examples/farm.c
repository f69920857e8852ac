// SPDX-License-Identifier: BSD-2-Clause
// A farm: a master cuts work into pieces, workers fetch a piece, do it, and come back with the result. Workers may be
// as many as you like, on any node, and come, move, be stunned or killed while it runs: the result stays right.
//
//   farm                  a master and four workers, threads of one process
//   farm master NAME [N]  a master alone; it is found under NAME where it meets others; primes below N
//   farm worker NAME      a worker for it: start some, here or on other nodes
//
// Master and workers are run with the same --meet.
//
// The work: how many primes are there below a million? The last line is "farm: 78498 primes below 1000000".
//
// Who calls whom: the *workers* are the clients. A worker that is free asks, so nobody has to know who is busy, and
// fast workers get more. One operation does it all: "here is my last result, give me the next piece".
//
//   operation   words of the request             words of the result
//   NEXT        worker, piece, primes in it      worker, piece, from, to
//               piece NONE: it has no result     piece NONE: all is done
//               worker NONE: it is new           worker: its number from now on
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/lib/rotifer.h"

enum { NEXT = 1 };
#define NONE UINT64_MAX
#define LIMIT 1000000u // where no N is given
#define PIECES 50
#define WORKERS_MAX 64
#define PATIENCE_MS 2000 // how long the master waits, when all is done, for workers that do not know it yet

// --- The master ----------------------------------------------------------------------------------

static struct port put_port;
static uint8_t key[CAP_KEY_BYTES];
static int64_t handle;

static enum { WAITING, GIVEN, DONE } piece[PIECES];
static unsigned done, workers, dismissed;
static uint64_t limit = LIMIT;
static uint64_t primes, pieces_of[WORKERS_MAX];

// A result counts once. It can come twice: see next_piece.
static void take_result(uint64_t worker, uint64_t p, uint64_t count)
{
    if (p >= PIECES || worker >= workers || piece[p] == DONE)
        return;
    piece[p] = DONE;
    done++;
    primes += count;
    pieces_of[worker]++;
}

// One that nobody has yet; else one that was given away and has not come back, for that worker may be dead. If it is
// only slow, two do the same work: that is harmless, because doing it again changes nothing but the time.
static uint64_t next_piece(void)
{
    for (int wanted = WAITING; wanted <= GIVEN; wanted++)
        for (uint64_t p = 0; p < PIECES; p++)
            if ((int)piece[p] == wanted) {
                piece[p] = GIVEN;
                return p;
            }
    return NONE;
}

static void answer(const struct request *req)
{
    uint64_t worker = req->args[0];
    int64_t refused = request_check(req, put_port, key, RIGHT_READ);
    if (refused == 0 && req->op != NEXT)
        refused = -E_OP;
    if (refused == 0 && worker == NONE && workers == WORKERS_MAX)
        refused = -E_LIMIT;
    if (refused < 0) {
        putrep(refused, NULL, 0, NULL);
        return;
    }
    if (worker == NONE)
        worker = workers++;
    take_result(worker, req->args[1], req->args[2]);
    uint64_t p = next_piece();
    dismissed += p == NONE;
    const uint64_t res[4] = {worker, p, p * (limit / PIECES), (p + 1) * (limit / PIECES)};
    putrep(0, NULL, 0, res);
}

// A port nobody else can serve, and a capability for it. Under a name in the directory others can find it.
static int64_t open_farm(const char *name, struct cap *cap)
{
    handle = port_listen(port_random(), &put_port);
    if (handle < 0)
        return handle;
    sys_random(key, sizeof key);
    *cap = cap_make(put_port, 0, RIGHT_READ, key);
    return name ? dir_enter(NULL, name, cap) : 0;
}

static void run_farm(void)
{
    struct request req;
    while (done < PIECES || dismissed < workers) {
        int64_t e = getreq(1ull << handle, NULL, 0, done < PIECES ? 0 : PATIENCE_MS, &req);
        if (e == -E_TIMEOUT)
            break; // whoever is missing was killed
        if (e == 0)
            answer(&req);
    }
    for (unsigned i = 0; i < workers; i++)
        printf("farm: worker %u did %lu of %d pieces\n", i, pieces_of[i], PIECES);
    printf("farm: %lu primes below %lu\n", primes, limit);
}

// --- A worker ------------------------------------------------------------------------------------

static bool is_prime(uint64_t n)
{
    if (n < 4)
        return n >= 2;
    if (n % 2 == 0)
        return false;
    for (uint64_t d = 3; d * d <= n; d += 2)
        if (n % d == 0)
            return false;
    return true;
}

static uint64_t count_primes(uint64_t from, uint64_t to)
{
    uint64_t count = 0;
    for (uint64_t n = from; n < to; n++)
        count += is_prime(n);
    return count;
}

static void *work(void *arg)
{
    const struct cap *farm = arg;
    struct trans_result r;
    uint64_t args[4] = {NONE, NONE, 0};
    for (;;) {
        int64_t status = trans(farm, NEXT, args, NULL, 0, NULL, 0, &r);
        if (status < 0) {
            printf("farm: worker: %s\n", error_string(status));
            return NULL;
        }
        args[0] = r.res[0];
        args[1] = r.res[1];
        if (args[1] == NONE)
            return NULL;
        args[2] = count_primes(r.res[2], r.res[3]);
    }
}

// --- Which of them -------------------------------------------------------------------------------

static int failed(const char *what, int64_t status)
{
    printf("farm: %s: %s\n", what, error_string(status));
    return 1;
}

static int be_master(const char *name)
{
    struct cap cap;
    int64_t status = open_farm(name, &cap);
    if (status < 0)
        return failed(name, status);
    printf("farm: %s waits for workers\n", name);
    run_farm();
    dir_remove(NULL, name);
    return 0;
}

static int be_worker(const char *name)
{
    struct cap cap;
    int64_t status = dir_lookup(NULL, name, &cap);
    if (status < 0)
        return failed(name, status);
    work(&cap);
    return 0;
}

// The same with threads. They could share the table of pieces and need no transactions; but so, nothing is shared.
static int be_all(void)
{
    struct cap cap;
    int64_t status = open_farm(NULL, &cap);
    if (status < 0)
        return failed("port", status);
    struct thread *t[4];
    for (int i = 0; i < 4; i++)
        if (!(t[i] = thread_create(work, &cap, 0))) {
            perror("farm: thread");
            return 1;
        }
    run_farm();
    for (int i = 0; i < 4; i++)
        thread_join(t[i]);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 1)
        return be_all();
    if ((argc == 3 || argc == 4) && strcmp(argv[1], "master") == 0) {
        char *end = "";
        limit = argc == 4 ? strtoull(argv[3], &end, 10) : LIMIT;
        if (*end || limit == 0 || limit % PIECES != 0 || limit > UINT32_MAX) {
            fprintf(stderr, "farm: N is a multiple of %d below 2^32, not %s\n", PIECES, argv[3]);
            return 2;
        }
        return be_master(argv[2]);
    }
    if (argc == 3 && strcmp(argv[1], "worker") == 0)
        return be_worker(argv[2]);
    fprintf(stderr, "usage: farm | farm master NAME [N] | farm worker NAME\n");
    return 2;
}
