// SPDX-License-Identifier: BSD-2-Clause
// A program that takes what there is: memory, records, segments, names, the attention of services. It says how much it
// got; what others notice of it is the test's to see. A service that it uses it must be granted: node, seg:create,
// proc:exec; for "names", --meet.
//
//   hog fill touch|random       pages, until there are none: by touching them, or by the kernel's writing there
//   hog announce NAME MIB N     N threads send a long request to a service, with a capability that is forged
//   hog give-up NAME MIB MS     the same once, and gives up in the middle
//   hog segments N MIB          segments of the segment service, each with so much written; then it ends
//   hog names                   names in its directory, until there is no room; then it ends
//   hog processes               processes that nobody owns, until there is no room; then it ends
//   hog starts N                N starts of a process whose memory never comes, at once
//   hog deaf N                  N threads call a port of its own that nobody serves
//   hog readers N               N threads read from its terminal
//   hog copies MIB N            maps a copy of a large segment, N times
#include <stdlib.h>

#include "guest/tests/evil.h"

static _Noreturn void stay(const char *what)
{
    printf("hog: %s\n", what);
    for (;;)
        sleep_ms(1000000);
}

static void threads(void *(*body)(void *), void *arg, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (!thread_create(body, arg, 8192)) {
            printf("hog: only %u threads\n", i);
            break;
        }
}

// --- Memory ----------------------------------------------------------------------------------------------------------

#define HOLE (1ul << 28)

// Says nothing after it began: that would need memory.
static void fill(bool touch)
{
    int64_t e = 0;
    printf("hog: fills\n");
    while (e >= 0) {
        int64_t at = e = sys_map(0, HOLE, MAP_READ | MAP_WRITE);
        for (uint64_t off = 0; off < HOLE && e >= 0; off += PAGE) {
            if (touch)
                *(volatile char *)(at + off) = 1;
            else
                e = sys_random((void *)(at + off), 8);
        }
    }
    sleep_ms(1000000000);
}

// Does a request of so many bytes go out, and what becomes of the memory of its node?
static struct {
    struct cap target;
    uint64_t len;
} announced;

static void *announce(void *arg)
{
    void *hole = (void *)sys_map(0, announced.len, MAP_READ | MAP_WRITE);
    (void)arg;
    (void)trans(&announced.target, OP_INFO, NULL, hole, announced.len, NULL, 0, NULL);
    return NULL;
}

static void forge(const char *name, uint64_t mib)
{
    announced.target = service(name);
    announced.target.check[0] ^= 1;
    announced.len = mib << 20;
}

static void give_up(uint64_t timeout_ms)
{
    void *hole = (void *)sys_map(0, announced.len, MAP_READ | MAP_WRITE);
    int64_t e = trans_timeout(&announced.target, OP_INFO, NULL, hole, announced.len, NULL, 0, timeout_ms, NULL);
    printf("hog: given up: %s\n", outcome(e));
}

// --- What services keep ----------------------------------------------------------------------------------------------

static int64_t make_segment(const struct cap *seg, unsigned mib, struct cap *out)
{
    static unsigned char mebibyte[1 << 20];
    const uint64_t len[4] = {1ul << 28};
    memset(mebibyte, 0x55, sizeof mebibyte);
    int64_t e = trans(seg, OP_SEG_CREATE, len, NULL, 0, out, sizeof *out, NULL);
    for (unsigned i = 0; i < mib && e >= 0; i++) {
        const uint64_t at[4] = {(uint64_t)i << 20};
        e = trans(out, OP_WRITE, at, mebibyte, sizeof mebibyte, NULL, 0, NULL);
    }
    return e;
}

static void segments(unsigned count, unsigned mib)
{
    struct cap seg = service("seg"), made;
    unsigned i = 0;
    int64_t e = 0;
    while (i < count && (e = make_segment(&seg, mib, &made)) >= 0)
        i++;
    printf("hog: %u segments, then: %s\n", i, outcome(e));
}

static void names(void)
{
    struct cap cap = {.port = {{1, 2}}};
    struct self self;
    char name[32];
    unsigned i = 0;
    int64_t e = 0;
    sys_self(&self);
    for (; i < 10000 && e >= 0; i++) {
        snprintf(name, sizeof name, "%lx-%u", (unsigned long)self.process, i);
        e = dir_enter(NULL, name, &cap);
    }
    printf("hog: %u names, then: %s\n", e < 0 ? i - 1 : i, outcome(e));
}

static void processes(void)
{
    struct cap proc = service("proc");
    struct plan plan = {.name = "bomblet"};
    unsigned i = 0;
    int64_t e;
    while ((e = exec_plan(&proc, &plan, NULL)) >= 0)
        i++;
    printf("hog: %u processes, then: %s\n", i, outcome(e));
}

// --- Waiting ---------------------------------------------------------------------------------------------------------

static struct cap own, proc_service, terminal;

static void *start_one(void *arg)
{
    struct plan plan = {.name = "jam", .source = own};
    (void)arg;
    (void)exec_plan(&proc_service, &plan, NULL);
    return NULL;
}

static void *call_own(void *arg)
{
    (void)arg;
    (void)trans(&own, OP_INFO, NULL, NULL, 0, NULL, 0, NULL);
    return NULL;
}

static void *read_terminal(void *arg)
{
    char text[16];
    const uint64_t most[4] = {0, sizeof text};
    (void)arg;
    for (;;)
        if (trans(&terminal, OP_READ, most, NULL, 0, text, sizeof text, NULL) < 0)
            sys_yield();
    return NULL;
}

// --- Long system calls -----------------------------------------------------------------------------------------------

static void copies(uint64_t mib, unsigned rounds)
{
    struct cap seg = service("seg"), made;
    const uint64_t len[4] = {mib << 20};
    (void)trans(&seg, OP_SEG_CREATE, len, NULL, 0, &made, sizeof made, NULL);
    int64_t at = sys_map_cap(&made, 0, 0, 0, MAP_READ | MAP_WRITE);
    for (uint64_t off = 0; at >= 0 && off < mib << 20; off += PAGE)
        *(volatile char *)(at + off) = 1;
    printf("hog: copies\n");
    for (unsigned i = 0; i < rounds && at >= 0; i++) {
        int64_t copy = sys_map_cap(&made, 0, 0, 0, MAP_READ | MAP_WRITE | MAP_COPY);
        if (copy >= 0)
            (void)sys_unmap((uint64_t)copy);
    }
    printf("hog: copied: %s\n", outcome(at));
    (void)cap_destroy(&made);
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    const char *name = argc > 2 ? argv[2] : "";
    unsigned first = (unsigned)strtoul(name, NULL, 0);
    unsigned second = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 0) : 0;
    unsigned third = argc > 4 ? (unsigned)strtoul(argv[4], NULL, 0) : 0;
    (void)own_port(&own);
    if (strcmp(mode, "fill") == 0) {
        fill(strcmp(name, "touch") == 0);
    } else if (strcmp(mode, "announce") == 0) {
        forge(name, second);
        threads(announce, NULL, third);
        stay("announced");
    } else if (strcmp(mode, "give-up") == 0) {
        forge(name, second);
        give_up(third);
    } else if (strcmp(mode, "segments") == 0) {
        segments(first, second);
    } else if (strcmp(mode, "names") == 0) {
        names();
    } else if (strcmp(mode, "processes") == 0) {
        processes();
    } else if (strcmp(mode, "starts") == 0) {
        proc_service = service("proc");
        threads(start_one, NULL, first);
        stay("starts");
    } else if (strcmp(mode, "deaf") == 0) {
        threads(call_own, NULL, first);
        stay("calls");
    } else if (strcmp(mode, "readers") == 0) {
        (void)startup_cap("tty", &terminal);
        threads(read_terminal, NULL, first);
        stay("reads");
    } else if (strcmp(mode, "copies") == 0) {
        copies(first, second);
    } else {
        return 2;
    }
    return 0;
}
