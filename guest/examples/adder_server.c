// SPDX-License-Identifier: BSD-2-Clause
// A service in user mode: a port of its own, a capability it signs itself, and a name in the directory.
//
//   adder_server NAME [THREADS]      with --meet, as its clients
//
// It adds up numbers and keeps a table of which calls it has seen, so that a request executed twice, or lost and
// reported as executed, does not go unnoticed: each client numbers its calls 1, 2, 3, ...
//
//   operation      words of the request              words of the result
//   ADD            number, client, sequence, -       sum, calls, sum of the request's bytes, bytes
//                  request bytes are sent back as the reply
//   REPORT         -                                 sum, calls, duplicates, gaps
//   STOP           -                                 as REPORT; then the server exits
//
// adder_client.c is the other side.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/examples/adder.h"
#include "guest/lib/rotifer.h"

static struct port put_port;
static uint8_t key[CAP_KEY_BYTES];
static int64_t handle;

static struct mutex lock; // what follows
static uint64_t sum, calls, duplicates, gaps;
static uint64_t last_seen[ADDER_CLIENTS]; // sequence of each client's last call

static void note(uint64_t client, uint64_t sequence)
{
    uint64_t *last = &last_seen[client];
    if (sequence <= *last) {
        duplicates++;
        printf("adder_server: client %lu: call %lu executed again\n", client, sequence);
        return;
    }
    if (sequence != *last + 1) {
        gaps++;
        printf("adder_server: client %lu: call %lu came after %lu\n", client, sequence, *last);
    }
    *last = sequence;
}

static uint64_t bytes_sum(const uint8_t *bytes, uint64_t len)
{
    uint64_t total = 0;
    for (uint64_t i = 0; i < len; i++)
        total += bytes[i];
    return total;
}

static int64_t add(const struct request *req, const uint8_t *bytes)
{
    if (req->args[1] >= ADDER_CLIENTS)
        return putrep(-E_ARG, NULL, 0, NULL);
    mutex_lock(&lock);
    note(req->args[1], req->args[2]);
    sum += req->args[0];
    calls++;
    uint64_t res[4] = {sum, calls, bytes_sum(bytes, req->len), req->len};
    mutex_unlock(&lock);
    return putrep(0, bytes, req->len, res);
}

static int64_t report(void)
{
    mutex_lock(&lock);
    uint64_t res[4] = {sum, calls, duplicates, gaps};
    mutex_unlock(&lock);
    return putrep(0, NULL, 0, res);
}

static int64_t serve(const struct request *req, const uint8_t *bytes)
{
    int64_t refused = request_check(req, put_port, key, RIGHT_READ);
    if (refused < 0)
        return putrep(refused, NULL, 0, NULL);
    switch (req->op) {
    case ADDER_ADD: return add(req, bytes);
    case ADDER_REPORT: return report();
    case ADDER_STOP:
        report();
        printf("adder_server: %lu calls, %lu duplicates, %lu gaps\n", calls, duplicates, gaps);
        exit(duplicates + gaps != 0);
    default: return putrep(-E_OP, NULL, 0, NULL);
    }
}

// The loop of each thread. Several may wait on the same port: a request goes to one of them.
static void *server(void *unused)
{
    (void)unused;
    uint8_t *buffer = malloc(ADDER_BYTES_MAX);
    struct request req;
    if (!buffer)
        return NULL;
    for (;;) {
        int64_t result = getreq(1ull << handle, buffer, ADDER_BYTES_MAX, 0, &req);
        if (result == 0)
            result = serve(&req, buffer);
        if (result < 0)
            printf("adder_server: %s\n", error_string(result));
    }
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: adder_server NAME [THREADS]\n");
        return 2;
    }
    // 1. A port that nobody else can serve, and an object on it with a secret key.
    handle = port_listen(port_random(), &put_port);
    if (handle < 0) {
        printf("adder_server: listen: %s\n", error_string(handle));
        return 1;
    }
    sys_random(key, sizeof key);
    // 2. The capability for it: whoever has these 32 bytes may call. The directory hands them out
    // by name.
    struct cap cap = cap_make(put_port, 0, RIGHT_READ, key);
    int64_t result = dir_enter(NULL, argv[1], &cap);
    if (result < 0) {
        printf("adder_server: enter %s: %s\n", argv[1], error_string(result));
        return 1;
    }
    // 3. Serve.
    int threads = argc > 2 ? atoi(argv[2]) : 1;
    printf("adder_server: %s ready, %d threads\n", argv[1], threads);
    for (int i = 1; i < threads; i++)
        if (!thread_create(server, NULL, 0))
            perror("adder_server: thread");
    server(NULL);
    return 1;
}
