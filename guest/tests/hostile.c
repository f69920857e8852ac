// SPDX-License-Identifier: BSD-2-Clause
// Random system calls with hostile arguments: whatever a program in U-mode does, its kernel stands, other processes
// notice nothing, and the program itself gets what core/abi.h promises.
//
//   hostile SEED COUNT [share] [table]    share: with a segment that is mapped by its capability; such a process does
//                                         not move; --grant seg:create. table: what came back, how often, of each call.
//                                         With --meet
//
// Beside the thread that calls: a mapper that unmaps, maps and grows the very buffers, a server on a port of our own
// (so that transactions really begin, and find their buffers gone halfway), and threads that block in calls with huge
// time-outs and stay so to the end. The last line is "hostile: N calls, E errors"; the status is 0 if E is 0.
//
// Checked after each call: registers that the call must not change; no success with memory that is not ours; and at the
// end that what the kernel may not write (text, what is mapped read-only) is as it was.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/lib/rotifer.h"
#include "guest/tests/dice.h"
#include "services/protocol.h"

// --- A call with all registers -------------------------------------------------------------------------------

enum { A0, A1, A2, A3, A4, A5, A6, A7, T0, T1, T2, T3, T4, T5, T6, NREGS };

// All 15 registers in and out of r.
static void call(uint64_t r[NREGS])
{
    register uint64_t *p __asm__("s1") = r;
    __asm__ volatile("ld a0, 0(s1)\n\tld a1, 8(s1)\n\tld a2, 16(s1)\n\tld a3, 24(s1)\n\t"
                     "ld a4, 32(s1)\n\tld a5, 40(s1)\n\tld a6, 48(s1)\n\tld a7, 56(s1)\n\t"
                     "ld t0, 64(s1)\n\tld t1, 72(s1)\n\tld t2, 80(s1)\n\tld t3, 88(s1)\n\t"
                     "ld t4, 96(s1)\n\tld t5, 104(s1)\n\tld t6, 112(s1)\n\tecall\n\t"
                     "sd a0, 0(s1)\n\tsd a1, 8(s1)\n\tsd a2, 16(s1)\n\tsd a3, 24(s1)\n\t"
                     "sd a4, 32(s1)\n\tsd a5, 40(s1)\n\tsd a6, 48(s1)\n\tsd a7, 56(s1)\n\t"
                     "sd t0, 64(s1)\n\tsd t1, 72(s1)\n\tsd t2, 80(s1)\n\tsd t3, 88(s1)\n\t"
                     "sd t4, 96(s1)\n\tsd t5, 104(s1)\n\tsd t6, 112(s1)"
                     : "+r"(p)
                     :
                     : "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "t0", "t1", "t2", "t3", "t4", "t5", "t6",
                       "memory");
}

// Registers that a call may change, a bit each (core/abi.h).
static uint32_t results_of(uint64_t number)
{
    switch (number) {
    case SYS_TRANS: return 0x3f;
    case SYS_GETREQ:
    case SYS_PUTREP_GETREQ: return 0x7ff;
    case SYS_PORT_LISTEN: return 0x7;
    case SYS_SELF: return 0xf;
    default: return 0x1;
    }
}

// --- What is ours --------------------------------------------------------------------------------------------

#define PAGE 4096ul
#define ARENA 0x1000000000ul // far from everything else
#define SLOTS 8u
#define SLOT_BYTES 0x400000ul // from one to the next; each is at most half as long
#define LONG_MS 0xffffffffu

static const uint64_t text_words[64] = {0x600dc0de, 1, 2, 3}; // in read-only memory
static uint64_t fixed;                                        // address of a page that is mapped for reading only
static struct cap own, others[2], shared;                     // shared: a segment, null where we may be moved
static int64_t own_handle;
static _Atomic uint32_t done;
static _Atomic uint64_t errors;
static uint64_t blocked; // threads that will never return

static void wrong(const char *what, const uint64_t before[NREGS], const uint64_t after[NREGS])
{
    if (errors++ > 5)
        return;
    printf("hostile: WRONG: %s: call %lu(%lx %lx %lx %lx %lx %lx %lx, t %lx %lx %lx): %ld %lx\n", what, before[A7],
           before[A0], before[A1], before[A2], before[A3], before[A4], before[A5], before[A6], before[T0], before[T1],
           before[T2], (int64_t)after[A0], after[A1]);
}

// --- Arguments -----------------------------------------------------------------------------------------------

static const uint64_t bad_addresses[] = {
    0,
    1,
    0xfff,
    0x1000,
    0xffff, // never mapped
    0x80000000,
    0x80200000,
    0x10000000, // physical: firmware, kernel, console
    0xffffffff80200000,
    0xffffffff80300000, // the kernel's image
    0xffffffc000000000,
    0xffffffc080200000,
    0xffffffc080000000,
    0xffffffd000000000, // its view of memory
    0x3ffffff000,
    0x3ffffffff8,
    0x4000000000,
    0x4000000ff8,
    0x8000000000, // about the end of ours
    0x7fffffffffffffff,
    0x8000000000000000,
    0xffffffffffffffff,
    0xfffffffffffff000,
    0xfffffffffffffff8,
};
#define COUNT(a) (sizeof(a) / sizeof *(a))

static uint64_t slot_address(struct dice *d)
{
    return ARENA + below(d, SLOTS) * SLOT_BYTES;
}

// A place in the arena, which may be mapped or not; sometimes at odd ends.
static uint64_t arena_address(struct dice *d)
{
    uint64_t at = slot_address(d) + below(d, 8) * PAGE;
    switch (below(d, 4)) {
    case 0: return at + below(d, PAGE);
    case 1: return at - 1 - below(d, 8);
    default: return at;
    }
}

static bool is_bad(uint64_t address)
{
    return address < 0x10000 || address >= 0x4000000000;
}

static uint64_t address(struct dice *d)
{
    switch (below(d, 8)) {
    case 0:
    case 1: return bad_addresses[below(d, COUNT(bad_addresses))];
    case 2: return fixed + below(d, 2 * PAGE);
    case 3: return roll(d);
    default: return arena_address(d);
    }
}

// To read from, our own constants are as good as any.
static uint64_t source(struct dice *d)
{
    return below(d, 6) ? address(d) : (uint64_t)text_words + below(d, sizeof text_words);
}

static uint64_t length(struct dice *d)
{
    switch (below(d, 12)) {
    case 0: return 0;
    case 1: return 1 + below(d, 8);
    case 2: return PAGE;
    case 3: return 0 - below(d, 2 * PAGE); // wraps
    case 4: return roll(d);
    case 5: return (256ul << 20) + below(d, 3) - 1; // MESSAGE_MAX_BYTES
    case 6: return 1ul << below(d, 64);
    case 7: return 300000 + below(d, 100000); // more than one step of a local copy
    default: return below(d, 3 * PAGE);
    }
}

static uint64_t map_length(struct dice *d)
{
    switch (below(d, 10)) {
    case 0: return length(d);
    case 1: return (1ul << 30) - below(d, 3) * PAGE; // a whole segment: costs nothing before it is touched
    default: return (1 + below(d, SLOT_BYTES / 2 / PAGE)) * PAGE - below(d, 2);
    }
}

static struct cap capability(struct dice *d)
{
    struct cap cap = below(d, 3) ? own : others[below(d, 2)];
    switch (below(d, 8)) {
    case 0: {
        uint8_t bytes[sizeof cap];
        memcpy(bytes, &cap, sizeof cap);
        bytes[below(d, sizeof cap)] ^= 1u << below(d, 8);
        memcpy(&cap, bytes, sizeof cap);
        break;
    }
    case 1:
        for (unsigned i = 0; i < 2; i++)
            cap.port.w[i] = below(d, 4) ? roll(d) : 0;
        break;
    default: break;
    }
    return cap;
}

static uint64_t short_ms(struct dice *d)
{
    return below(d, 50) ? 1 : (1ul << 32) + below(d, 3); // the latter is refused
}

// --- Threads that block for ever ---------------------------------------------------------------------------

struct blocking {
    uint64_t r[NREGS];
};
static struct blocking blockings[24];
static uint8_t stacks[COUNT(blockings)][2048] __attribute__((aligned(16)));

static void blocked_main(struct blocking *b)
{
    call(b->r);
    for (;;) // it came back, as such calls may when buffers go away: ends like this
        sys_thread_exit(NULL);
}

static void block_one(struct dice *d)
{
    if (blocked == COUNT(blockings))
        return;
    struct blocking *b = &blockings[blocked];
    struct cap cap = own;
    memset(b, 0, sizeof *b);
    switch (below(d, 4)) {
    case 0:
        b->r[A7] = SYS_SLEEP;
        b->r[A0] = UINT64_MAX - below(d, 3);
        break;
    case 1:
        b->r[A7] = SYS_WAIT;
        b->r[A0] = slot_address(d);
        b->r[A2] = LONG_MS;
        break;
    case 2: // nobody serves it; or our server does, to whom we are one more client whose buffers go away
        if (below(d, 2))
            cap.port.w[0] = roll(d);
        b->r[A7] = SYS_TRANS;
        memcpy(b->r, &cap, sizeof cap);
        b->r[A5] = slot_address(d);
        b->r[A6] = below(d, SLOT_BYTES / 4);
        b->r[T0] = slot_address(d);
        b->r[T1] = below(d, SLOT_BYTES / 4);
        b->r[T2] = LONG_MS;
        break;
    default:
        b->r[A7] = SYS_GETREQ; // a rival of our server that never answers what it gets
        b->r[A0] = 1ul << (own_handle + 1 + below(d, 3));
        b->r[A1] = slot_address(d);
        b->r[A2] = below(d, SLOT_BYTES / 4);
        b->r[A3] = LONG_MS;
    }
    uint64_t r[NREGS] = {[A0] = (uint64_t)(uintptr_t)blocked_main,
                         [A1] = (uint64_t)(uintptr_t)(stacks[blocked] + sizeof stacks[0]),
                         [A2] = (uint64_t)(uintptr_t)b,
                         [A3] = 0,
                         [A7] = SYS_THREAD_CREATE};
    call(r);
    if ((int64_t)r[A0] > 0)
        blocked++;
}

// --- Transactions that begin well ------------------------------------------------------------------------------

// Mostly short ones; some of more than one step of a local copy (COPY_STEP), so that buffers go away halfway.
static uint64_t fair_length(struct dice *d)
{
    return below(d, 4) ? below(d, 3 * PAGE) : below(d, 4) ? below(d, 70000) : below(d, 900000);
}

static void fair_trans(struct dice *d, uint64_t r[NREGS])
{
    bool away = below(d, 40) == 0; // to a service on another node
    struct cap cap = away ? others[below(d, 2)] : own;
    memcpy(r, &cap, sizeof cap);
    r[A4] = below(d, 6); // OP_WRITE is 6: our terminal is to stay readable
    r[A5] = slot_address(d) + below(d, 3) * below(d, PAGE);
    r[A6] = fair_length(d);
    r[A7] = SYS_TRANS;
    r[T0] = slot_address(d) + below(d, 3) * below(d, PAGE);
    r[T1] = fair_length(d);
    r[T2] = 1 + below(d, 5);
}

// --- Calls -----------------------------------------------------------------------------------------------------

// Fills in the arguments of a call; false: this one not now.
static bool choose(struct dice *d, uint64_t r[NREGS])
{
    for (unsigned i = 0; i < NREGS; i++)
        r[i] = below(d, 4) ? roll(d) : address(d);
    // Half of the calls are of those with the most behind them.
    static const uint8_t deep[] = {SYS_TRANS,  SYS_TRANS,         SYS_TRANS,   SYS_TRANS,  SYS_GETREQ,
                                   SYS_PUTREP, SYS_MAP,           SYS_MAP,     SYS_UNMAP,  SYS_GROW,
                                   SYS_WAKE,   SYS_PUTREP_GETREQ, SYS_FORWARD, SYS_MAP_CAP};
    switch (r[A7] = below(d, 2) ? deep[below(d, sizeof deep)] : below(d, SYS_COUNT + 1)) {
    case SYS_TRANS: {
        if (below(d, 4)) {
            fair_trans(d, r);
            return true;
        }
        struct cap cap = capability(d);
        memcpy(r, &cap, sizeof cap);
        r[A5] = source(d);
        r[A6] = length(d);
        r[T0] = address(d);
        r[T1] = length(d);
        r[T2] = short_ms(d);
        // Calls that leave the process wait for others or for their time-out: few of them.
        return (cap.port.w[0] == own.port.w[0] && cap.port.w[1] == own.port.w[1]) || below(d, 20) == 0;
    }
    case SYS_GETREQ:
        r[A0] = below(d, 3) ? 1ul << own_handle : below(d, 3) ? 1ul << below(d, 20) : roll(d);
        r[A1] = below(d, 2) ? slot_address(d) : address(d);
        r[A2] = below(d, 2) ? below(d, SLOT_BYTES / 4) : length(d);
        r[A3] = short_ms(d);
        return below(d, 3) == 0;
    case SYS_PUTREP:
        r[A1] = below(d, 2) ? slot_address(d) : source(d);
        r[A2] = below(d, 2) ? fair_length(d) : length(d);
        return true;
    case SYS_PUTREP_GETREQ:
        r[A1] = below(d, 2) ? slot_address(d) : source(d);
        r[A2] = below(d, 2) ? below(d, PAGE + 2) : length(d);
        r[T0] = below(d, 4) ? 1ul << own_handle : roll(d);
        r[T1] = below(d, 2) ? slot_address(d) : address(d);
        r[T2] = below(d, 2) ? below(d, SLOT_BYTES / 4) : length(d);
        r[T3] = short_ms(d);
        return true;
    case SYS_PORT_LISTEN:
        if (below(d, 4) == 0)
            r[A0] = r[A1] = below(d, 3); // one that we have already
        return true;
    case SYS_PORT_CLOSE: // not that of our server
        r[A0] = below(d, 4) ? (uint64_t)own_handle + 1 + below(d, 20) : roll(d);
        return r[A0] != (uint64_t)own_handle;
    case SYS_THREAD_CREATE: // with any other pc it would end the process: see block_one
        if (below(d, 100) == 0)
            block_one(d);
        return false;
    case SYS_SLEEP: r[A0] = below(d, 200000); return below(d, 10) == 0;
    case SYS_WAIT:
        r[A0] = address(d);
        r[A1] = below(d, 2);
        r[A2] = short_ms(d);
        return r[A1] || below(d, 10) == 0;
    case SYS_WAKE: r[A0] = below(d, 2) ? slot_address(d) : address(d); return true;
    case SYS_MAP:
        r[A0] = below(d, 4) == 0 ? address(d) : below(d, 8) == 0 ? 0 : slot_address(d);
        r[A1] = map_length(d);
        r[A2] = below(d, 4) ? below(d, 32) : below(d, 4) ? below(d, 32) | MAP_GUARD(below(d, 32)) : roll(d);
        if (r[A1] > SLOT_BYTES / 2) // to take all memory is a right of a process without a limit, and no test of ours
            r[A2] &= ~(uint64_t)MAP_WRITE;
        return true;
    case SYS_UNMAP:
        r[A0] = below(d, 8) == 0 ? slot_address(d) : address(d);
        return r[A0] != fixed; // what the program stands on is never asked for: address() does not know it
    case SYS_GROW:
        r[A0] = below(d, 2) ? slot_address(d) : address(d);
        do
            r[A1] = map_length(d);
        while (r[A1] > SLOT_BYTES / 2 && r[A1] <= 1ul << 30);
        return r[A0] != fixed;
    case SYS_FORWARD: {
        struct cap cap = capability(d);
        memcpy(r, &cap, sizeof cap);
        r[A4] = below(d, 6); // no OP_WRITE to our terminal
        return true;
    }
    case SYS_MAP_CAP: {
        struct cap cap = below(d, 4) ? shared : capability(d);
        memcpy(r, &cap, sizeof cap);
        r[A4] = below(d, 4) ? slot_address(d) : address(d);
        r[A5] = below(d, 4) ? below(d, 16) * PAGE : length(d);
        r[A6] = below(d, 4) ? below(d, 16) * PAGE : length(d);
        r[T0] = below(d, 4) ? below(d, 64) : roll(d);
        return true;
    }
    case SYS_CANCEL: // of those that block for ever too: they end then
        r[A0] = below(d, 4) ? below(d, 40) : roll(d);
        r[A1] = below(d, 3);
        return true;
    case SYS_RANDOM:
        r[A0] = address(d);
        r[A1] = below(d, 2) ? below(d, 257) : length(d);
        return true;
    case SYS_COUNT: // and beyond
        r[A7] = SYS_COUNT + (below(d, 2) ? below(d, 50) : roll(d) >> 1);
        return true;
    case SYS_EXIT:
    case SYS_THREAD_EXIT: return false;
    default: return true;
    }
}

static _Atomic uint32_t results[SYS_COUNT + 1][32]; // [..][0]: success

static void check(const uint64_t before[NREGS], const uint64_t after[NREGS])
{
    uint64_t error = (int64_t)after[A0] < 0 ? 0 - after[A0] : 0;
    results[before[A7] < SYS_COUNT ? before[A7] : SYS_COUNT][error < 32 ? error : 31]++;
    uint32_t may = results_of(before[A7]);
    int64_t result = (int64_t)after[A0];
    for (unsigned i = 0; i < NREGS; i++)
        if (!(may >> i & 1) && before[i] != after[i]) {
            wrong("a register changed", before, after);
            break;
        }
    if (before[A7] >= SYS_COUNT && result != -E_CALL)
        wrong("a call that does not exist", before, after);
    // Nothing may succeed with memory that cannot be ours.
    if (before[A7] == SYS_RANDOM && before[A1] && is_bad(before[A0]) && result >= 0)
        wrong("random bytes to where nothing is ours", before, after);
    if (before[A7] == SYS_TRANS && before[A6] && is_bad(before[A5]) && result >= 0)
        wrong("a request from where nothing is ours", before, after);
    if (before[A7] == SYS_WAIT && is_bad(before[A0]) && result >= 0)
        wrong("a wait where nothing is ours", before, after);
    if (before[A7] == SYS_MAP && result >= 0 &&
        (is_bad((uint64_t)result) || (before[A2] & ~(uint64_t)MAP_ALL) || !(before[A2] & 7) ||
         (before[A0] & (PAGE - 1))))
        wrong("a mapping that may not be", before, after);
    if (before[A7] == SYS_MAP_CAP && result >= 0 && is_bad((uint64_t)result))
        wrong("a mapping that may not be", before, after);
    // What the kernel chose would fill our table of mappings.
    if ((before[A7] == SYS_MAP || before[A7] == SYS_MAP_CAP) && result >= 0 &&
        ((uint64_t)result < ARENA || (uint64_t)result >= ARENA + SLOTS * SLOT_BYTES))
        sys_unmap((uint64_t)result);
}

// --- The other threads -------------------------------------------------------------------------------------------

static void *mapper(void *seed)
{
    struct dice d = {(uint64_t)seed};
    while (!done) {
        uint64_t at = slot_address(&d);
        switch (below(&d, 4)) {
        case 0:
            if (below(&d, 2))
                sys_unmap(at);
            break;
        case 1: sys_grow(at, below(&d, SLOT_BYTES / 2)); break;
        default: {
            uint64_t flags = MAP_READ | (below(&d, 4) ? MAP_WRITE : 0) | (below(&d, 2) ? MAP_GROW_UP : 0) |
                             (below(&d, 8) ? 0 : MAP_EXEC);
            uint64_t pages = below(&d, 3) ? SLOT_BYTES / 2 / PAGE : 1 + below(&d, SLOT_BYTES / 2 / PAGE);
            sys_map(at, pages * PAGE, flags);
        }
        }
        if (below(&d, 16) == 0)
            sys_sleep(50000);
    }
    return NULL;
}

static void *server(void *seed)
{
    struct dice d = {(uint64_t)seed};
    struct request req;
    while (!done) {
        int64_t result = getreq(1ul << own_handle, (void *)slot_address(&d), SLOT_BYTES / 4, 5, &req);
        if (result < 0) {
            sys_sleep(20000); // most often its buffer is not there just now
            continue;
        }
        // From where it may be gone; then once more with nothing, for the client waits.
        while (below(&d, 3) == 0 && putrep_getreq(0, (void *)slot_address(&d), below(&d, PAGE), NULL, 1ul << own_handle,
                                                  (void *)slot_address(&d), SLOT_BYTES / 4, 5, &req) == 0)
            ;
        uint64_t len = below(&d, 8) ? fair_length(&d) : length(&d);
        if (putrep((int64_t)below(&d, 3) - 1, (void *)(slot_address(&d) + below(&d, 5000)), len, NULL) < 0)
            putrep(-E_IO, NULL, 0, NULL);
    }
    return NULL;
}

// So that requests come when the main thread happens to be the one that receives.
static void *client(void *seed)
{
    struct dice d = {(uint64_t)seed};
    uint64_t before[NREGS] = {0}, r[NREGS];
    while (!done) {
        fair_trans(&d, before);
        memcpy(r, before, sizeof r);
        call(r);
        check(before, r);
        if (below(&d, 4) == 0)
            sys_sleep(100000);
    }
    return NULL;
}

static void print_table(void)
{
    for (unsigned i = 0; i <= SYS_COUNT; i++) {
        printf("  call %2u:", i);
        for (unsigned e = 0; e < 32; e++)
            if (results[i][e])
                printf(" %s %u", e < 31 ? error_name(e) : "else", results[i][e]);
        printf("\n");
    }
}

// --- The whole -----------------------------------------------------------------------------------------------------

static bool set_up(void)
{
    uint8_t key[CAP_KEY_BYTES];
    struct port port;
    own_handle = port_listen(port_random(), &port);
    sys_random(key, sizeof key);
    own = cap_make(port, 0, RIGHT_ALL, key);
    int64_t at = sys_map(0, 2 * PAGE, MAP_READ);
    fixed = (uint64_t)at;
    return own_handle >= 0 && at > 0 && startup_cap("tty", &others[0]) == 0 && startup_cap("meet", &others[1]) == 0;
}

static bool untouched(void)
{
    const volatile uint64_t *zeros = (const volatile uint64_t *)fixed;
    for (size_t i = 0; i < 2 * PAGE / sizeof *zeros; i++)
        if (zeros[i])
            return false;
    const volatile uint64_t *words = text_words;
    return words[0] == 0x600dc0de && words[3] == 3 && words[63] == 0;
}

int main(int argc, char **argv)
{
    struct dice d = {argc > 1 ? strtoull(argv[1], NULL, 10) * 2 + 1 : 1};
    uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : 100000, called = 0;
    if (!set_up()) {
        printf("hostile: cannot begin\n");
        return 2;
    }
    struct cap seg;
    if (argc > 3 && strcmp(argv[3], "share") == 0 && startup_cap("seg", &seg) == 0 &&
        trans(&seg, OP_SEG_CREATE, (const uint64_t[4]){20 * PAGE}, NULL, 0, &shared, sizeof shared, NULL) < 0)
        return 2;
    struct thread *help[] = {thread_create(mapper, (void *)roll(&d), 0), thread_create(server, (void *)roll(&d), 0),
                             thread_create(client, (void *)roll(&d), 0)};
    while (called < count) {
        uint64_t before[NREGS], r[NREGS];
        if (!choose(&d, before))
            continue;
        memcpy(r, before, sizeof r);
        call(r);
        check(before, r);
        called++;
    }
    done = 1;
    for (size_t i = 0; i < COUNT(help); i++)
        if (help[i])
            thread_join(help[i]);
    if (!untouched()) {
        errors++;
        printf("hostile: WRONG: read-only memory was written\n");
    }
    if (strcmp(argv[argc - 1], "table") == 0)
        print_table();
    if (shared.port.w[0])
        cap_destroy(&shared);
    printf("hostile: %lu calls, %lu errors (%lu threads stay blocked)\n", called, errors, blocked);
    return errors != 0; // exit: with threads blocked everywhere
}
