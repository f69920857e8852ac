// SPDX-License-Identifier: BSD-2-Clause
// Work that can be counted. Those who compete say how much each has done when the first is through, so that nothing
// depends on how fast the machine is. Run with --meet.
//
//   spin NAME OTHER UNITS     does UNITS of work; OTHER counts too. The first to be through prints what both have done
//   spin sleeper TIMES        sleeps 2 ms at a time and says how much too late it ran at most, in microseconds
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/lib/rotifer.h"

static void work(void)
{
    for (volatile unsigned i = 0; i < 20000; i++) {}
}

static int sleeper(unsigned long times)
{
    uint64_t most = 0;
    printf("spin: sleeper ready\n");
    for (unsigned long i = 0; i < times; i++) {
        uint64_t due = clock_ns() + 2000000;
        sleep_ns(2000000);
        uint64_t late = clock_ns() - due;
        most = late > most ? late : most;
    }
    printf("spin: at most %lu us late\n", most / 1000);
    return 0;
}

// Says how far it is to who asks: the other one's end is the only moment that counts.
static _Atomic uint64_t done;
static uint64_t units;
static int64_t handle;
static void *answer(void *unused)
{
    (void)unused;
    struct request req;
    while (getreq(1ull << handle, NULL, 0, 0, &req) == 0) {
        const uint64_t res[4] = {done};
        putrep(0, NULL, 0, res);
        if (req.op == 201 && done < units) // both through at once: then both say so
            exit(0);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    if (strcmp(argv[1], "sleeper") == 0)
        return sleeper(strtoul(argv[2], NULL, 10));
    if (argc < 4)
        return 2;
    struct port put;
    struct cap own, other;
    struct trans_result out;
    units = strtoull(argv[3], NULL, 10);
    handle = port_listen(port_random(), &put);
    own = (struct cap){.port = put};
    if (handle < 0 || dir_enter(NULL, argv[1], &own) < 0 || !thread_create(answer, NULL, 0))
        return 1;
    printf("spin: %s ready\n", argv[1]);
    // Wait for the word to begin: the priorities are set by then.
    while (dir_lookup(NULL, "go", &own) < 0)
        sleep_ms(1);
    // And for the other one at the line: who comes late, and is below, would not get there.
    char line[2][32];
    snprintf(line[0], sizeof line[0], "%s-there", argv[1]);
    snprintf(line[1], sizeof line[1], "%s-there", argv[2]);
    dir_enter(NULL, line[0], &own);
    while (dir_lookup(NULL, line[1], &own) < 0)
        sleep_ms(1);
    sleep_ms(50);
    dir_remove(NULL, line[1]);
    if (dir_lookup(NULL, argv[2], &other) < 0) // now: before, the name could be that of one who ran earlier
        return 1;
    while (done < units) {
        work();
        done++;
    }
    if (trans(&other, 201, NULL, NULL, 0, NULL, 0, &out) == 0)
        printf("spin: %s %lu, %s %lu\n", argv[1], done, argv[2], out.res[0]);
    return 0;
}
