// SPDX-License-Identifier: BSD-2-Clause
// Segments as guests see them: shared, copied on write, told what was written. Run with --grant seg:create of its
// own node; server, client and wait also with --meet.
//
//   memory check           one process on its own; status 0 when all went as it must
//   memory server NAME     makes a segment and serves it under that name: OP_INFO gives the capability away, OP_WRITE
//                          says "I wrote", OP_DESTROY ends it
//   memory client NAME     maps the server's segment and takes turns with it
//   memory wait NAME       maps the server's segment, says so, and waits for the server to end
//   memory copies ROUNDS   makes copies of a segment and writes to them, round after round; may be moved meanwhile
//   memory touch MIB       writes to each page of so much new memory, then reads it all again
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/tests/segments.h"

#define PAGE 4096ul

static volatile uint8_t *map(const struct cap *c, uint64_t flags)
{
    int64_t at = sys_map_cap(c, 0, 0, 0, flags);
    MUST(at < 0 ? at : 0, 0);
    return at < 0 ? NULL : (volatile uint8_t *)at;
}

static int64_t write_seg(const struct cap *c, uint64_t off, const void *p, size_t len)
{
    const uint64_t args[4] = {off};
    return trans(c, OP_WRITE, args, p, len, NULL, 0, NULL);
}

static int64_t read_seg(const struct cap *c, uint64_t off, volatile void *p, size_t len)
{
    const uint64_t args[4] = {off, len};
    return trans(c, OP_READ, args, NULL, 0, (void *)p, len, NULL);
}

// --- Shared and copied, in one process ---------------------------------------------------------------------------

static void shared_and_copied(void)
{
    struct cap c = make(4 * PAGE);
    volatile uint8_t *one = map(&c, RW), *two = map(&c, RW), *copy;
    char back = 0;
    for (unsigned i = 0; i < 4; i++)
        one[i * PAGE] = (uint8_t)(i + 1);
    MUST(two[3 * PAGE], 4);
    copy = map(&c, RW | MAP_COPY);
    for (unsigned i = 0; i < 4; i++)
        MUST(copy[i * PAGE], i + 1);
    one[0] = 10; // the source is written: the copy keeps what it had, the other mapping follows
    MUST(copy[0], 1);
    MUST(two[0], 10);
    copy[PAGE] = 20; // the copy is written
    MUST(one[PAGE], 2);
    MUST(two[PAGE], 2);
    MUST(write_seg(&c, 2 * PAGE, "x", 1), 0); // the segment service writes
    MUST(one[2 * PAGE], 'x');
    MUST(copy[2 * PAGE], 3);
    MUST(read_seg(&c, 2 * PAGE, copy + 3 * PAGE, 1), 0); // a reply is written into the copy
    MUST(copy[3 * PAGE], 'x');
    MUST(one[3 * PAGE], 4);
    MUST(read_seg(&c, 0, &back, 1), 0);
    MUST(back, 10);
    // A copy lives without what it was made of; and so does a shared mapping without the name.
    MUST(trans(&c, OP_DESTROY, NULL, NULL, 0, NULL, 0, NULL), 0);
    MUST(read_seg(&c, 0, &back, 1) < 0, 1);
    MUST(copy[0], 1);
    MUST(two[0], 10);
    MUST(sys_unmap((uint64_t)one), 0);
    MUST(two[0], 10);
    MUST(sys_unmap((uint64_t)two), 0);
    MUST(copy[0], 1);
    MUST(sys_unmap((uint64_t)copy), 0);
}

static void made_as_a_copy(void)
{
    struct cap c = make(3 * PAGE), d = {0};
    uint64_t args[4] = {0, PAGE};
    char back = 0;
    MUST(write_seg(&c, PAGE, "abc", 3), 0);
    MUST(trans(&seg_service, OP_SEG_CREATE, args, &c, sizeof c, &d, sizeof d, NULL), 0);
    MUST(write_seg(&c, PAGE, "x", 1), 0);
    MUST(read_seg(&d, 0, &back, 1), 0);
    MUST(back, 'a');
    struct trans_result size;
    MUST(trans(&d, OP_SIZE, NULL, NULL, 0, NULL, 0, &size), 0);
    MUST(size.res[0], 2 * PAGE);
    args[1] = 100; // not a page's first byte
    MUST(trans(&seg_service, OP_SEG_CREATE, args, &c, sizeof c, &d, sizeof d, NULL), -E_ARG);
    args[1] = 4 * PAGE;
    MUST(trans(&seg_service, OP_SEG_CREATE, args, &c, sizeof c, &d, sizeof d, NULL), -E_ARG);
    MUST(trans(&seg_service, OP_SEG_CREATE, args, &c, 20, &d, sizeof d, NULL), -E_ARG);
    MUST(trans(&seg_service, OP_SEG_CREATE, args, &seg_service, 32, &d, 32, NULL), -E_OBJECT);
    MUST(cap_destroy(&c), 0);
    MUST(cap_destroy(&d), 0);
}

static void refused(void)
{
    struct cap c = make(2 * PAGE), weak, forged = c, tty;
    MUST(cap_restrict(&c, RIGHT_READ, &weak), 0);
    MUST(sys_map_cap(&weak, 0, 0, 0, RW), -E_RIGHTS);
    int64_t at = sys_map_cap(&weak, 0, 0, 0, MAP_READ);
    MUST(at > 0, 1);
    MUST(sys_unmap((uint64_t)at), 0);
    at = sys_map_cap(&weak, 0, 0, 0, RW | MAP_COPY); // what is copied is one's own
    MUST(at > 0, 1);
    *(volatile char *)at = 1;
    MUST(sys_map_cap(&c, (uint64_t)at + PAGE, 0, 0, RW), -E_OVERLAP);
    MUST(sys_unmap((uint64_t)at), 0);
    MUST(cap_restrict(&c, RIGHT_WRITE, &weak), 0);
    MUST(sys_map_cap(&weak, 0, 0, 0, RW), -E_RIGHTS);
    MUST(sys_map_cap(&weak, 0, 0, 0, MAP_COPY | MAP_READ), -E_RIGHTS);
    forged.check[1] ^= 4;
    MUST(sys_map_cap(&forged, 0, 0, 0, MAP_READ), -E_CAP);
    forged = c;
    forged.obj_rights += 77 << 8;
    MUST(sys_map_cap(&forged, 0, 0, 0, MAP_READ), -E_OBJECT);
    MUST(startup_cap("tty", &tty), 0);
    MUST(sys_map_cap(&tty, 0, 0, 0, MAP_READ), -E_NOTHERE);
    MUST(sys_map_cap(&seg_service, 0, 0, 0, MAP_READ), -E_OBJECT);
    MUST(sys_map_cap(&c, 0, 100, 0, MAP_READ), -E_ARG);
    MUST(sys_map_cap(&c, 0, 2 * PAGE, 0, MAP_READ), -E_ARG);
    MUST(sys_map_cap(&c, 0, PAGE, 2 * PAGE, MAP_READ), -E_ARG);
    MUST(sys_map_cap(&c, 0, 0, 0, 0), -E_ARG);
    MUST(sys_map_cap(&c, 0, 0, 0, MAP_READ | MAP_GROW_UP), -E_ARG);
    MUST(sys_map_cap(&c, 0, 0, 0, MAP_READ | 1ull << 40), -E_ARG);
    MUST(sys_map_cap(&c, 4096, 0, 0, MAP_READ), -E_ARG);
    MUST(sys_map_cap(&c, 1ull << 50, 0, 0, MAP_READ), -E_ARG);
    MUST(sys_map(0, PAGE, MAP_READ | MAP_COPY), -E_ARG);
    MUST(cap_destroy(&c), 0);
}

// --- What was written ----------------------------------------------------------------------------------------------

enum { PAGES = 600 }; // more than a table's
static struct seg_run runs[PAGES];

static void what_was_written(void)
{
    struct cap c = make(PAGES * PAGE), weak;
    volatile uint8_t *at = map(&c, RW);
    struct trans_result out;
    static uint8_t expected[PAGES], told[PAGES];
    for (unsigned i = 0; i < PAGES; i++)
        at[i * PAGE] = 1;
    MUST(trans(&c, OP_SEG_WRITTEN, NULL, NULL, 0, runs, sizeof runs, NULL), -E_STATE);
    MUST(trans(&c, OP_SEG_MARK, NULL, NULL, 0, NULL, 0, &out), 0);
    uint64_t args[4] = {out.res[0]};
    uint64_t seed = 12345;
    for (unsigned round = 0; round < 20; round++) {
        memset(expected, 0, sizeof expected);
        memset(told, 0, sizeof told);
        for (unsigned i = 0; i < 60; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            unsigned page = (unsigned)(seed >> 33) % PAGES;
            if (i % 4 == 0)
                MUST(write_seg(&c, page * PAGE + 7, "k", 1), 0); // by the kernel
            else if (i % 4 == 1)
                MUST(at[page * PAGE] > 0, 1); // reading is not writing
            else
                at[page * PAGE] = 2;
            if (i % 4 != 1)
                expected[page] = 1;
        }
        MUST(trans(&c, OP_SEG_WRITTEN, args, NULL, 0, runs, sizeof runs, &out), 0);
        MUST(out.res[0], PAGES * PAGE);
        MUST(out.reply_len, out.res[1] * sizeof runs[0]);
        for (unsigned i = 0; i < out.res[1]; i++)
            for (uint64_t p = runs[i].off; p < runs[i].off + runs[i].len; p += PAGE)
                told[p / PAGE]++;
        MUST(memcmp(expected, told, sizeof told), 0);
    }
    MUST(trans(&c, OP_SEG_WRITTEN, args, NULL, 0, runs, sizeof runs, &out), 0);
    MUST(out.reply_len, 0);
    MUST(cap_restrict(&c, RIGHT_READ | RIGHT_WRITE, &weak), 0);
    MUST(trans(&weak, OP_SEG_MARK, NULL, NULL, 0, NULL, 0, NULL), -E_RIGHTS);
    MUST(trans(&weak, OP_SEG_WRITTEN, args, NULL, 0, runs, sizeof runs, NULL), -E_RIGHTS);
    MUST(trans(&c, OP_SEG_MARK, NULL, NULL, 0, NULL, 0, &out), 0);
    MUST(trans(&c, OP_SEG_WRITTEN, args, NULL, 0, runs, sizeof runs, NULL),
         -E_STATE); // another's mark
    MUST(trans(&c, OP_SEG_UNMARK, args, NULL, 0, NULL, 0, NULL), -E_STATE);
    args[0] = out.res[0];
    MUST(trans(&c, OP_SEG_UNMARK, args, NULL, 0, NULL, 0, NULL), 0);
    MUST(trans(&c, OP_SEG_UNMARK, args, NULL, 0, NULL, 0, NULL), -E_STATE);
    MUST(sys_unmap((uint64_t)at), 0);
    MUST(cap_destroy(&c), 0);
}

static int check(void)
{
    MUST(startup_cap("seg", &seg_service), 0);
    shared_and_copied();
    made_as_a_copy();
    refused();
    what_was_written();
    printf("memory: %u checks, %u errors\n", checks, errors);
    return errors != 0;
}

// --- Two processes -------------------------------------------------------------------------------------------------

#define TURNS 500u

static int be_server(const char *name)
{
    struct port put;
    int64_t handle = port_listen(port_random(), &put);
    uint8_t key[CAP_KEY_BYTES];
    sys_random(key, sizeof key);
    struct cap own = cap_make(put, 0, RIGHT_ALL, key);
    MUST(startup_cap("seg", &seg_service), 0);
    struct cap c = make(3 * PAGE);
    volatile uint64_t *at = (volatile uint64_t *)map(&c, RW);
    MUST(dir_enter(NULL, name, &own), 0);
    printf("memory: %s ready\n", name);
    struct request req;
    for (;;) {
        MUST(getreq(1ull << handle, NULL, 0, 0, &req), 0);
        if (req.op == OP_INFO) {
            MUST(putrep(0, &c, sizeof c, NULL), 0);
        } else if (req.op == OP_WRITE) { // what the client wrote is here; what we write is there
            uint64_t i = req.args[0];
            MUST(at[i % 3 * PAGE / 8], i);
            at[i % 3 * PAGE / 8 + 1] = 2 * i;
            MUST(putrep(0, NULL, 0, NULL), 0);
        } else {
            MUST(putrep(0, NULL, 0, NULL), 0);
            break;
        }
    }
    MUST(dir_remove(NULL, name), 0);
    MUST(cap_destroy(&c), 0);
    printf("memory: server, %u checks, %u errors\n", checks, errors);
    return errors != 0;
}

static int be_client(const char *name, bool waits)
{
    struct cap server, c = {0};
    MUST(dir_lookup(NULL, name, &server), 0);
    MUST(trans(&server, OP_INFO, NULL, NULL, 0, &c, sizeof c, NULL), 0);
    volatile uint64_t *at = (volatile uint64_t *)map(&c, RW);
    if (errors)
        return 1;
    if (waits) {
        printf("memory: shares with %s\n", name);
        for (uint64_t last = at[2]; at[2] == last;) // its server goes on without it
            sleep_ms(5);
        printf("memory: it has changed\n");
        return errors != 0;
    }
    for (uint64_t i = 1; i <= TURNS; i++) {
        const uint64_t args[4] = {i};
        at[i % 3 * PAGE / 8] = i;
        MUST(trans(&server, OP_WRITE, args, NULL, 0, NULL, 0, NULL), 0);
        MUST(at[i % 3 * PAGE / 8 + 1], 2 * i);
    }
    at[2]++;
    MUST(trans(&server, OP_DESTROY, NULL, NULL, 0, NULL, 0, NULL), 0);
    printf("memory: client, %u checks, %u errors\n", checks, errors);
    return errors != 0;
}

// --- Copies of copies ------------------------------------------------------------------------------------------------

// A segment here, copies of it in our memory, written by a thread of ours while we look. We may be moved meanwhile: the
// copies are ours, and come along.
static int copies(unsigned rounds)
{
    enum { COPIES = 4, LEN = 16 };
    volatile uint32_t *copy[COPIES];
    MUST(startup_cap("seg", &seg_service), 0);
    struct cap c = make(LEN * PAGE);
    for (uint32_t i = 0; i < COPIES; i++) {
        for (uint32_t k = 0; k < LEN; k++) {
            uint32_t word = i * 1000 + k;
            MUST(write_seg(&c, k * PAGE + 8, &word, sizeof word), 0);
        }
        copy[i] = (volatile uint32_t *)map(&c, RW | MAP_COPY);
    }
    MUST(cap_destroy(&c), 0);
    for (uint32_t r = 1; r <= rounds && !errors; r++) {
        uint32_t i = r % COPIES, k = r * 7 % LEN;
        copy[i][k * PAGE / 4] = r;
        for (i = 0; i < COPIES; i++)
            for (k = 0; k < LEN; k++)
                MUST(copy[i][k * PAGE / 4 + 2], i * 1000 + k);
        printf("memory: round %u\n", r);
        sleep_ms(5);
    }
    printf("memory: copies, %u checks, %u errors\n", checks, errors);
    return errors != 0;
}

// --- Much of it ----------------------------------------------------------------------------------------------------

static int touch(uint64_t mib)
{
    uint64_t len = mib << 20, sum = 0;
    int64_t at = sys_map(0, len, RW);
    if (at < 0) {
        printf("memory: map: %s\n", error_string(at));
        return 3;
    }
    volatile uint64_t *p = (volatile uint64_t *)at;
    __asm__ volatile("slti x0, x0, 1"); // tools/plugin/count.c counts from here
    for (uint64_t off = 0; off < len; off += PAGE)
        p[off / 8] = off + 1;
    __asm__ volatile("slti x0, x0, 2");
    for (uint64_t off = 0; off < len; off += PAGE)
        sum += p[off / 8] != off + 1;
    printf("memory: %lu pages touched, %lu wrong\n", len / PAGE, sum);
    return sum != 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "check") == 0)
        return check();
    if (argc == 3 && strcmp(argv[1], "server") == 0)
        return be_server(argv[2]);
    if (argc == 3 && (strcmp(argv[1], "client") == 0 || strcmp(argv[1], "wait") == 0))
        return be_client(argv[2], argv[1][0] == 'w');
    if (argc == 3 && strcmp(argv[1], "copies") == 0)
        return copies((unsigned)strtoul(argv[2], NULL, 10));
    if (argc == 3 && strcmp(argv[1], "touch") == 0)
        return touch(strtoull(argv[2], NULL, 10));
    printf("usage: memory check | server NAME | client NAME | wait NAME | copies ROUNDS | touch MIB\n");
    return 2;
}
