// SPDX-License-Identifier: BSD-2-Clause
// Stops processes at random instants, takes the descriptor of each, and lets it go on from the descriptor: what the
// process is afterwards has been through encode and decode. All by transactions, as any program
// may that is granted them.
//
//   shaker COUNT SEED NAME...      names of processes of the node; with their --meet, and
//                                  --grant proc:read,control
#include "guest/tests/victim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/lib/rotifer.h"
#include "services/protocol.h"

enum { TARGETS_MAX = 4, DESC_ROOM = 256 * 1024 };

struct target {
    const char *name;
    struct cap cap;
    uint8_t *desc, *again;
    uint64_t len;
};
static struct target target[TARGETS_MAX];
static unsigned targets;
static uint64_t seed, most_bytes, set_first, refused, twice;

static uint64_t next(void)
{
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return seed * 2685821657736338717u;
}

static void must(int64_t e, const char *what, const struct target *t)
{
    if (e >= 0)
        return;
    printf("shaker: %s %s: %s\n", what, t->name, error_string(e));
    exit(1);
}

static int64_t order(const struct target *t, uint32_t op, const void *req, uint64_t len)
{
    return trans(&t->cap, op, NULL, req, len, NULL, 0, NULL);
}

// --- One stop and start ----------------------------------------------------------------------------------------------

static void stop(struct target *t)
{
    struct trans_result r;
    static const uint64_t quietly[4] = {0, 1}; // its owner is not told
    must(trans(&t->cap, OP_PROC_STUN, quietly, NULL, 0, NULL, 0, NULL), "stun", t);
    must(trans(&t->cap, OP_PROC_GET, NULL, NULL, 0, t->desc, DESC_ROOM, &r), "get", t);
    t->len = r.reply_len;
    if (t->len > most_bytes)
        most_bytes = t->len;
}

// It stands still: asked again, its kernel says the same, to the last byte.
static void same_again(struct target *t)
{
    struct trans_result r;
    must(trans(&t->cap, OP_PROC_GET, NULL, NULL, 0, t->again, DESC_ROOM, &r), "get again", t);
    if (r.reply_len != t->len || memcmp(t->desc, t->again, t->len) != 0) {
        printf("shaker: %s changed while it was stunned\n", t->name);
        exit(1);
    }
    twice++;
}

// One byte is not as it was: the checksum does not fit, nothing happens.
static void broken(struct target *t)
{
    memcpy(t->again, t->desc, t->len);
    t->again[next() % t->len] ^= (uint8_t)(1 << next() % 8);
    int64_t e = order(t, OP_PROC_RESUME, t->again, t->len);
    if (e >= 0) {
        printf("shaker: %s went on from a broken descriptor\n", t->name);
        exit(1);
    }
    refused++;
}

static void go(struct target *t)
{
    uint64_t r = next();
    if (r % 4 == 0)
        same_again(t);
    if (r / 4 % 16 == 0)
        broken(t);
    if (r / 64 % 8 == 0) {
        must(order(t, OP_PROC_SET, t->desc, t->len), "set", t);
        same_again(t);
        must(order(t, OP_PROC_RESUME, NULL, 0), "resume", t);
        set_first++;
    } else {
        must(order(t, OP_PROC_RESUME, t->desc, t->len), "resume", t);
    }
}

// Now one, now several at a time; they go on in another order.
static uint64_t shake(uint64_t left)
{
    unsigned first = next() % targets;
    unsigned count = next() % 8 ? 1 : 1 + next() % targets;
    if (count > left)
        count = (unsigned)left;
    if (next() % 4)
        sys_sleep(next() % 400000);
    else
        for (uint64_t spin = next() % 20000; spin > 0; spin--)
            __asm__ volatile("");
    for (unsigned i = 0; i < count; i++)
        stop(&target[(first + i) % targets]);
    if (next() % 16 == 0)
        sys_sleep(next() % 3000000); // time passes for everybody else
    unsigned turn = next() % count;
    for (unsigned i = 0; i < count; i++)
        go(&target[(first + (i + turn) % count) % targets]);
    return count;
}

// --- Before and after ------------------------------------------------------------------------------------------------

static void find(struct target *t, const char *name)
{
    static struct proc_entry list[64];
    struct trans_result r;
    struct cap proc;
    t->name = name;
    must(startup_cap("proc", &proc), "the process service for", t);
    must(trans(&proc, OP_PROC_LIST, NULL, NULL, 0, list, sizeof list, &r), "list", t);
    for (size_t i = 0; i < r.reply_len / sizeof list[0]; i++)
        if (strcmp(list[i].name, name) == 0)
            t->cap = list[i].cap;
    if (cap_rights(&t->cap) == 0)
        must(-E_NAME, "find", t);
    t->desc = malloc(DESC_ROOM);
    t->again = malloc(DESC_ROOM);
    if (!t->desc || !t->again)
        must(-E_MEM, "find", t);
}

static uint64_t ask(const struct target *t, uint32_t op)
{
    struct trans_result r = {0};
    struct cap cap;
    must(dir_lookup(NULL, t->name, &cap), "look up", t);
    must(trans(&cap, op, NULL, NULL, 0, NULL, 0, &r), "tell", t);
    return r.res[0];
}

static void end_all(void)
{
    for (unsigned i = 0; i < targets; i++)
        while (ask(&target[i], VICTIM_QUIET) > 0)
            sleep_ms(1);
    for (unsigned i = 0; i < targets; i++)
        (void)ask(&target[i], VICTIM_STOP);
}

int main(int argc, char **argv)
{
    if (argc < 4 || argc > 3 + TARGETS_MAX) {
        fprintf(stderr, "usage: shaker COUNT SEED NAME...\n");
        return 2;
    }
    uint64_t count = strtoull(argv[1], NULL, 10), done = 0, start = clock_ns();
    seed = strtoull(argv[2], NULL, 10) * 2 + 1;
    targets = (unsigned)argc - 3;
    for (unsigned i = 0; i < targets; i++)
        find(&target[i], argv[3 + i]);
    for (uint64_t told = 0; done < count;) {
        done += shake(count - done);
        if (done / 1000 > told)
            printf("shaker: %lu\n", (told = done / 1000) * 1000);
    }
    uint64_t ns = clock_ns() - start;
    end_all();
    printf("shaker: %lu stuns in %lu.%03lu s; descriptors up to %lu bytes; %lu fetched twice, %lu set "
           "first, %lu broken ones refused\n",
           done, ns / 1000000000, ns / 1000000 % 1000, most_bytes, twice, set_first, refused);
    return 0;
}
