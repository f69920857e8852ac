// SPDX-License-Identifier: BSD-2-Clause
// What floating-point state costs a transaction (docs/decisions.md): a null transaction between two processes of which
// none, the client, or both compute with doubles in between. Counted from outside (rotifer ring up --count).
//
//   bench_fp server NAME fp|int      bench_fp client NAME fp|int ROUNDS      both with the same --meet
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/lib/rotifer.h"

static volatile double sum;

static void server(uint64_t mask, bool fp)
{
    struct request req;
    int64_t e = getreq(mask, NULL, 0, 0, &req);
    while (e == 0) {
        if (fp)
            sum += 1.5;
        e = putrep_getreq(0, NULL, 0, NULL, mask, NULL, 0, 0, &req);
    }
}

int main(int argc, char **argv)
{
    struct port put;
    struct cap cap = {0};
    if (argc < 4)
        return 2;
    bool fp = strcmp(argv[3], "fp") == 0;
    if (strcmp(argv[1], "server") == 0) {
        int64_t handle = port_listen(port_random(), &put);
        cap.port = put;
        if (handle < 0 || dir_enter(NULL, argv[2], &cap) < 0)
            return 1;
        printf("bench_fp: ready\n");
        server(1ull << handle, fp);
        return 1;
    }
    uint64_t rounds = argc > 4 ? strtoull(argv[4], NULL, 10) : 1000;
    int64_t e = dir_lookup(NULL, argv[2], &cap);
    for (uint64_t i = 0; e >= 0 && i < rounds + 10; i++) {
        if (i == 10)
            __asm__ volatile("slti x0, x0, 1"); // tools/plugin/count.c counts from here
        if (fp)
            sum += 1.5;
        e = trans(&cap, 1, NULL, NULL, 0, NULL, 0, NULL);
    }
    __asm__ volatile("slti x0, x0, 2");
    return e < 0;
}
