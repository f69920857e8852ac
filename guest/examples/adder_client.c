// SPDX-License-Identifier: BSD-2-Clause
// The client of adder_server.c: makes N calls, one after the other, and checks every reply. Move either of the two
// while it runs, or cut a cable: at the end there must be no error, and no call lost or executed twice.
//
//   adder_client NAME N CLIENT [MILLISECONDS between calls]
//   adder_client NAME report | stop
//
// Run it with the server's --meet; else it finds nobody.
// The last line is "client <CLIENT>: <N> calls, <E> errors"; the exit status is 0 if E is 0.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/examples/adder.h"
#include "guest/lib/rotifer.h"

static unsigned errors;

static void wrong(uint64_t call, const char *what, uint64_t got, uint64_t expected)
{
    errors++;
    printf("adder_client: call %lu: %s is %lu, not %lu\n", call, what, got, expected);
}

static void check(uint64_t call, const char *what, uint64_t got, uint64_t expected)
{
    if (got != expected)
        wrong(call, what, got, expected);
}

// Lengths from nothing to the most, around the sizes of frames and pages.
static size_t length_of(uint64_t call)
{
    static const size_t lengths[] = {0, 1, 31, 100, 1400, 1501, 4095, 4096, 4097, 9000, 20000, 65536};
    return lengths[call % (sizeof lengths / sizeof *lengths)];
}

static uint64_t fill(uint8_t *bytes, size_t len, uint64_t seed)
{
    uint64_t total = 0, x = seed * 2654435761u + 1;
    for (size_t i = 0; i < len; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        bytes[i] = (uint8_t)(x >> 56);
        total += bytes[i];
    }
    return total;
}

static void call(const struct cap *server, uint64_t client, uint64_t i, uint64_t *calls_before)
{
    static uint8_t request[ADDER_BYTES_MAX], reply[ADDER_BYTES_MAX];
    struct trans_result result;
    size_t len = length_of(i);
    uint64_t total = fill(request, len, client << 32 | i);
    const uint64_t args[4] = {i, client, i};

    int64_t status = trans(server, ADDER_ADD, args, request, len, reply, sizeof reply, &result);
    if (status < 0) {
        errors++;
        printf("adder_client: call %lu: %s\n", i, error_string(status));
        return;
    }
    check(i, "length of the reply", result.reply_len, len);
    check(i, "sum of bytes", result.res[2], total);
    if (memcmp(request, reply, len) != 0)
        wrong(i, "content of the reply", 1, 0);
    // Other clients call too, so that all we know of the server's count is that it grows.
    if (result.res[1] <= *calls_before)
        wrong(i, "the server's count of calls", result.res[1], *calls_before + 1);
    *calls_before = result.res[1];
}

static int ask(const struct cap *server, const char *what)
{
    struct trans_result result;
    uint32_t op = strcmp(what, "stop") == 0 ? ADDER_STOP : ADDER_REPORT;
    int64_t status = trans(server, op, NULL, NULL, 0, NULL, 0, &result);
    if (status < 0) {
        printf("adder_client: %s: %s\n", what, error_string(status));
        return 1;
    }
    printf("adder: sum %lu, %lu calls, %lu duplicates, %lu gaps\n", result.res[0], result.res[1], result.res[2],
           result.res[3]);
    return result.res[2] + result.res[3] != 0;
}

// The server may still be starting: its name appears when it is ready.
static int64_t find(const char *name, struct cap *out)
{
    int64_t result = -E_NAME;
    for (int i = 0; i < 100; i++) {
        result = dir_lookup(NULL, name, out);
        if (result != -E_NAME)
            break;
        sleep_ms(100);
    }
    return result;
}

int main(int argc, char **argv)
{
    struct cap server;
    if (argc < 3) {
        fprintf(stderr, "usage: adder_client NAME N CLIENT [MILLISECONDS] | NAME report | NAME stop\n");
        return 2;
    }
    int64_t result = find(argv[1], &server);
    if (result < 0) {
        printf("adder_client: %s: %s\n", argv[1], error_string(result));
        return 1;
    }
    if (argc < 4)
        return ask(&server, argv[2]);

    uint64_t n = strtoull(argv[2], NULL, 10), client = strtoull(argv[3], NULL, 10);
    uint64_t pause_ms = argc > 4 ? strtoull(argv[4], NULL, 10) : 0;
    uint64_t calls_before = 0;
    for (uint64_t i = 1; i <= n; i++) {
        call(&server, client, i, &calls_before);
        if (pause_ms)
            sleep_ms(pause_ms);
    }
    printf("client %lu: %lu calls, %u errors\n", client, n, errors);
    return errors != 0;
}
