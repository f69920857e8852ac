// SPDX-License-Identifier: BSD-2-Clause
// Random requests to every service of a node, with capabilities that are good, or have one bit turned: operations,
// words, bytes, and descriptors of processes that are right but for a few words. Two threads ask; a third one answers,
// with nonsense, whoever is sent to us (as owner, as source of a segment).
//
//   plague SEED COUNT        with all services granted (test/ring/hostile.py). The last line is
//                            "plague: N requests, E errors".
//
// Checked: nothing succeeds with a capability that has one bit turned; the directory answers all the time. What was
// made (names, segments, processes) is removed again at the end: the node's counts are whoever started us's to compare.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/desc_format.h"
#include "guest/lib/rotifer.h"
#include "guest/tests/dice.h"
#include "services/protocol.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define PAGE 4096ul
#define BYTES_MAX 32768u // of requests and replies

// --- What is there -------------------------------------------------------------------------------------------------

// Left out: OP_NODE_STOP, OP_ROTATE of the services' own objects (others need them), and the boot directory's own
// names.
static const struct target {
    const char *name;
    uint32_t ops[16];
} targets[] = {
    {"dir", {OP_DIR_LOOKUP, OP_DIR_ENTER, OP_DIR_REMOVE, OP_DIR_LIST}},
    {"seg", {OP_SEG_CREATE, OP_READ, OP_WRITE, OP_SIZE, OP_SEG_MARK, OP_SEG_WRITTEN, OP_SEG_UNMARK}},
    {"proc", {OP_PROC_EXEC, OP_PROC_LIST, OP_PROC_OFFER, OP_PROC_COMMIT, OP_PROC_ABORT, OP_PROC_GET, OP_PROC_STUN}},
    {"console",
     {OP_CONSOLE_KEYS, OP_CONSOLE_SHOW, OP_CONSOLE_OPEN, OP_CONSOLE_LOG, OP_CONSOLE_TYPE, OP_CONSOLE_FRONT, OP_READ}},
    {"node", {OP_NODE_STATUS, OP_NODE_NULL, OP_NODE_BENCH, OP_NODE_TRACE}},
    {"bootfs", {OP_DIR_LOOKUP, OP_DIR_LIST, OP_READ, OP_SIZE}},
};
static const uint32_t standard[] = {OP_INFO, OP_STATUS, OP_RESTRICT, OP_DESTROY, OP_READ, OP_SIZE, 0, 255, 1u << 31};
static const uint32_t seg_ops[] = {OP_READ,       OP_WRITE,      OP_SIZE, OP_SEG_MARK, OP_SEG_WRITTEN,
                                   OP_SEG_UNMARK, OP_SEG_CREATE, OP_INFO, OP_STATUS,   OP_RESTRICT};
static const uint32_t proc_ops[] = {OP_PROC_STUN,      OP_PROC_RESUME,  OP_PROC_GET,         OP_PROC_SET,
                                    OP_PROC_CHECK,     OP_PROC_MIGRATE, OP_PROC_SET_COMMENT, OP_PROC_SET_LIMIT,
                                    OP_PROC_SET_OWNER, OP_INFO,         OP_STATUS,           OP_RESTRICT,
                                    OP_PROC_STUN,      OP_PROC_EXEC,    OP_PROC_OFFER};

static struct cap services[COUNT(targets)], own;
static int64_t own_handle;
static _Atomic uint32_t done;
static _Atomic uint64_t errors, requests;

static void wrong(const char *what, uint64_t a, uint64_t b)
{
    if (errors++ < 5)
        printf("plague: WRONG: %s (%lx, %lx)\n", what, a, b);
}

static struct cap *service(const char *name)
{
    for (size_t i = 0; i < COUNT(targets); i++)
        if (strcmp(targets[i].name, name) == 0)
            return &services[i];
    exit(9);
}

// --- One request -----------------------------------------------------------------------------------------------------

struct asker { // a thread that asks
    struct dice d;
    struct cap segs[4], victims[3];
    uint64_t mark;
    uint64_t offer;      // number of the last one, 0: none
    uint64_t offers[64]; // of all since they were withdrawn last
    size_t noffers;
    uint64_t offer_serial;   // what the target called it
    struct trans_result out; // of the last request
    unsigned char req[BYTES_MAX], rep[BYTES_MAX];
};

static uint64_t word(struct dice *d)
{
    switch (below(d, 8)) {
    case 0: return 0;
    case 1: return roll(d);
    case 2: return 0 - below(d, 3 * PAGE);
    case 3: return 1ul << below(d, 64);
    case 4: return PAGE * below(d, 20);
    default: return below(d, 40);
    }
}

// Not cap_destroy(): nothing here may wait for ever.
static void destroy(const struct cap *cap)
{
    (void)trans_timeout(cap, OP_DESTROY, NULL, NULL, 0, NULL, 0, 200, NULL);
}

static struct cap turned(struct dice *d, const struct cap *cap)
{
    unsigned char bytes[sizeof *cap];
    struct cap out;
    memcpy(bytes, cap, sizeof bytes);
    bytes[below(d, sizeof bytes)] ^= 1u << below(d, 8);
    memcpy(&out, bytes, sizeof out);
    return out;
}

// What was offered and is not committed the node would keep for half a minute, for a source that is slow.
static void withdraw(struct asker *a)
{
    for (size_t i = 0; i < a->noffers; i++) {
        const uint64_t args[4] = {a->offers[i]};
        (void)trans_timeout(service("proc"), OP_PROC_ABORT, args, NULL, 0, NULL, 0, 200, NULL);
    }
    a->noffers = 0;
}

static int64_t ask(struct asker *a, const struct cap *cap, uint32_t op, const uint64_t args[4], size_t len)
{
    struct dice *d = &a->d;
    bool turn = below(d, 12) == 0;
    struct cap c = turn ? turned(d, cap) : *cap;
    size_t room = below(d, 4) ? sizeof a->rep : below(d, sizeof a->rep);
    uint64_t ms = 1 + below(d, below(d, 30) ? 10 : 400);
    requests++;
    if (op == OP_PROC_OFFER && args) {
        if (a->noffers == COUNT(a->offers))
            withdraw(a);
        a->offers[a->noffers++] = args[0];
    }
    int64_t status = trans_timeout(&c, op, args, a->req, len, a->rep, room, ms, &a->out);
    if (turn && status >= 0)
        wrong("a capability with one bit turned", op, (uint64_t)status);
    return turn ? -E_CAP : status;
}

static size_t some_bytes(struct asker *a)
{
    size_t len = below(&a->d, 4) ? below(&a->d, 200) : below(&a->d, sizeof a->req);
    for (size_t i = 0; i < len; i += 8) {
        uint64_t w = word(&a->d);
        memcpy(a->req + i, &w, len - i < 8 ? len - i : 8);
    }
    return len;
}

// Names that nobody else uses.
static size_t a_name(struct asker *a)
{
    memcpy(a->req, "plague-0", 8);
    a->req[7] = (unsigned char)('0' + below(&a->d, 8));
    a->req[8] = below(&a->d, 10) ? 0 : (unsigned char)roll(&a->d);
    return 9;
}

static void to_service(struct asker *a)
{
    struct dice *d = &a->d;
    size_t which = below(d, COUNT(targets));
    const struct target *t = &targets[which];
    uint32_t op = t->ops[below(d, COUNT(t->ops))];
    uint64_t args[4] = {word(d), word(d), word(d), word(d)};
    if (op == 0 || below(d, 5) == 0)
        op = standard[below(d, COUNT(standard))];
    size_t len = some_bytes(a);
    if (op == OP_DIR_ENTER || op == OP_DIR_REMOVE || op == OP_CONSOLE_OPEN) {
        len = a_name(a) - (op != OP_DIR_ENTER);
        if (op == OP_DIR_ENTER) {
            memcpy(a->req + len, &own, sizeof own);
            len += sizeof own - (below(d, 10) == 0);
        }
    }
    if (op == OP_NODE_BENCH) {
        args[1] = below(d, 20); // of more rounds it would only take longer
        memcpy(a->req, &own, sizeof own);
        len = below(d, 4) ? sizeof own : len;
    }
    int64_t status = ask(a, &services[which], op, args, len);
    if (op != OP_SEG_CREATE || status < 0 || a->out.reply_len < sizeof(struct cap))
        return;
    struct cap *slot = &a->segs[below(d, COUNT(a->segs))], made;
    memcpy(&made, a->rep, sizeof made);
    if (slot->port.w[0])
        destroy(slot);
    *slot = made;
}

static void to_segment(struct asker *a)
{
    struct dice *d = &a->d;
    struct cap *seg = &a->segs[below(d, COUNT(a->segs))], fresh;
    if (!seg->port.w[0])
        return;
    if (below(d, 30) == 0 && cap_rotate(seg, &fresh) == 0) {
        struct cap old = *seg;
        *seg = fresh;
        if (ask(a, &old, OP_SIZE, NULL, 0) >= 0)
            wrong("a capability that was withdrawn", 0, 0);
        return;
    }
    uint32_t op = seg_ops[below(d, COUNT(seg_ops))];
    uint64_t args[4] = {word(d), word(d), word(d), word(d)};
    if (below(d, 2))
        args[0] = a->mark;
    int64_t status = ask(a, seg, op, args, some_bytes(a));
    if (op == OP_SEG_MARK && status >= 0)
        a->mark = a->out.res[0];
    if (op == OP_SEG_CREATE && status >= 0 && a->out.reply_len >= sizeof(struct cap)) { // a copy
        memcpy(&fresh, a->rep, sizeof fresh);
        destroy(&fresh);
    }
}

// --- Descriptors -----------------------------------------------------------------------------------------------------

static void seal(unsigned char *b, size_t len, uint32_t sections)
{
    struct desc_hdr hdr = {
        .magic = DESC_MAGIC, .version = DESC_VERSION, .arch = DESC_ARCH_RISCV64, .len = len, .sections = sections};
    uint64_t sum = DESC_MAGIC, word;
    memcpy(b, &hdr, sizeof hdr);
    for (size_t at = 0; at + sizeof word <= len; at += sizeof word) {
        memcpy(&word, b + at, sizeof word);
        sum = desc_sum_word(sum, word);
    }
    memcpy(b + offsetof(struct desc_hdr, checksum), &sum, sizeof sum);
}

static size_t section(unsigned char *b, size_t at, uint32_t tag, const void *p, size_t len)
{
    struct desc_sec s = {.tag = tag, .len = len};
    memcpy(b + at, &s, sizeof s);
    memcpy(b + at + sizeof s, p, len);
    return at + sizeof s + len;
}

static size_t put_memory(struct asker *a, size_t at, uint64_t segs)
{
    struct dice *d = &a->d;
    for (uint64_t i = 0; i < segs; i++) {
        struct desc_seg s = {.len = (1 + below(d, 16)) * PAGE};
        if (below(d, 3) == 0) {
            s.source = below(d, 2) ? own : a->segs[below(d, COUNT(a->segs))];
            s.source_len = below(d, s.len);
        }
        at = section(a->req, at, DESC_SEG, &s, sizeof s);
    }
    for (uint64_t i = 0; i < segs; i++) {
        struct desc_map m = {
            .va = 0x100000 + i * 0x100000, .len = PAGE, .seg = (uint32_t)i, .flags = MAP_ALL & below(d, 64)};
        at = section(a->req, at, DESC_MAP, &m, sizeof m);
    }
    return at;
}

// A thread in any state; what it computes with is chance.
static size_t put_thread(struct asker *a, size_t at, uint64_t tid)
{
    struct dice *d = &a->d;
    struct desc_thread t = {.tid = (uint32_t)tid,
                            .state = (uint32_t)below(d, below(d, 8) ? 8 : 12),
                            .pc = 0x100000 + below(d, 3) * 0x100000,
                            .fp_used = (uint32_t)below(d, 2),
                            .seq = below(d, 5),
                            .wake_left_ns = below(d, 3) ? UINT64_MAX : word(d),
                            .wait_va = 0x100000};
    for (unsigned i = 1; i < 32; i++)
        t.x[i] = below(d, 4) ? 0 : word(d);
    t.call.deadline_left_ns = UINT64_MAX;
    t.serve.mask = below(d, 4);
    t.serve.buf = (struct desc_buf){.kind = (uint32_t)below(d, 2), .at = 0x100000, .len = below(d, 2 * PAGE)};
    if (t.state == 2) { // in a transaction, with us
        t.call.state = (uint32_t)(1 + below(d, 3));
        t.call.seq = t.seq;
        t.call.cap = own;
        t.call.op = (uint32_t)below(d, 9);
        t.call.req = t.serve.buf;
        t.call.rep = t.serve.buf;
    }
    return section(a->req, at, DESC_THRD, &t, sizeof t);
}

static void mutate(struct dice *d, unsigned char *b, size_t len)
{
    for (uint64_t n = below(d, 4); n > 0; n--) {
        size_t at = sizeof(struct desc_hdr) + below(d, len - sizeof(struct desc_hdr));
        uint64_t w = word(d);
        if (below(d, 2))
            b[at] ^= (unsigned char)(1u << below(d, 8));
        else if (at / 8 * 8 + 8 <= len)
            memcpy(b + at / 8 * 8, &w, sizeof w);
    }
}

static size_t descriptor(struct asker *a, uint64_t ep)
{
    struct dice *d = &a->d;
    struct desc_proc p = {
        .ep = ep, .next_tid = 9, .stunned = (uint32_t)below(d, 2), .mem_limit = below(d, 3) ? 0 : word(d)};
    uint64_t segs = 1 + below(d, 3), threads = 1 + below(d, 3), ports = below(d, 2);
    size_t at = sizeof(struct desc_hdr);
    memcpy(p.name, "plague-made", 12);
    if (below(d, 3) == 0)
        p.owner = own;
    for (unsigned i = 0; i < 2; i++)
        p.ctl_get[i] = ep ? roll(d) : 0;
    at = section(a->req, at, DESC_PROC, &p, sizeof p);
    at = put_memory(a, at, segs);
    struct desc_port port = {.handle = 0, .get = {roll(d), roll(d)}};
    if (ports)
        at = section(a->req, at, DESC_PORT, &port, sizeof port);
    for (uint64_t i = 1; i <= threads; i++)
        at = put_thread(a, at, i);
    if (below(d, 2))
        mutate(d, a->req, at);
    seal(a->req, at, (uint32_t)(1 + 2 * segs + ports + threads));
    if (below(d, 16) == 0)
        mutate(d, a->req, at);
    return at;
}

static void to_make(struct asker *a)
{
    struct dice *d = &a->d;
    size_t len = descriptor(a, below(d, 6) ? 0 : roll(d));
    struct cap *slot = &a->victims[below(d, COUNT(a->victims))];
    int64_t status = ask(a, service("proc"), OP_PROC_EXEC, NULL, len);
    if (status < 0 || a->out.reply_len < sizeof *slot)
        return;
    if (slot->port.w[0])
        destroy(slot);
    memcpy(slot, a->rep, sizeof *slot);
}

static void to_hand_over(struct asker *a)
{
    struct dice *d = &a->d;
    uint64_t args[4] = {0};
    if (a->offer == 0 || below(d, 3) == 0) {
        args[0] = a->offer = roll(d);
        args[1] = word(d);
        size_t len = descriptor(a, roll(d));
        if (ask(a, service("proc"), OP_PROC_OFFER, args, len) >= 0)
            a->offer_serial = a->out.res[3];
        return;
    }
    args[0] = below(d, 8) ? a->offer : word(d);
    args[1] = below(d, 8) ? a->offer_serial : word(d);
    (void)ask(a, service("proc"), below(d, 2) ? OP_PROC_COMMIT : OP_PROC_ABORT, args, below(d, 4) ? 0 : some_bytes(a));
    a->offer = below(d, 4) ? 0 : a->offer;
}

static void to_process(struct asker *a)
{
    struct dice *d = &a->d;
    struct cap *p = &a->victims[below(d, COUNT(a->victims))];
    uint64_t args[4] = {word(d), word(d), word(d), word(d)};
    uint32_t op = proc_ops[below(d, COUNT(proc_ops))];
    size_t len = some_bytes(a);
    if (!p->port.w[0])
        return;
    struct desc_hdr hdr;
    if (op == OP_PROC_SET || op == OP_PROC_CHECK) { // what it is, but for a few words
        if (ask(a, p, OP_PROC_STUN, NULL, 0) < 0 || ask(a, p, OP_PROC_GET, NULL, 0) < 0 ||
            a->out.reply_len < sizeof hdr)
            return;
        len = a->out.reply_len;
        memcpy(a->req, a->rep, len);
        memcpy(&hdr, a->req, sizeof hdr);
        mutate(d, a->req, len);
        seal(a->req, len, hdr.sections);
    } else if (op == OP_PROC_MIGRATE || op == OP_PROC_SET_OWNER) {
        // As a target we would answer COMMIT with nonsense, and the process be held for as long as that can mean
        // something.
        const struct cap *to = op == OP_PROC_SET_OWNER && below(d, 2) ? &own : service("proc");
        memcpy(a->req, to, sizeof *to);
        len = sizeof *to;
    }
    (void)ask(a, p, op, args, len);
}

// --- The threads -----------------------------------------------------------------------------------------------------

static struct asker askers[2];
static uint64_t count;

static void *asker_main(void *arg)
{
    struct asker *a = arg;
    struct cap c;
    for (uint64_t i = 0; requests < count; i++) {
        switch (below(&a->d, 10)) {
        case 0:
        case 1: to_make(a); break;
        case 2: to_hand_over(a); break;
        case 3:
        case 4: to_process(a); break;
        case 5:
        case 6: to_segment(a); break;
        default: to_service(a);
        }
        if (i % 64 == 0 && dir_lookup(service("dir"), "proc", &c) < 0)
            wrong("the directory does not know the process service", i, 0);
    }
    for (size_t i = 0; i < COUNT(a->segs); i++)
        if (a->segs[i].port.w[0])
            destroy(&a->segs[i]);
    withdraw(a);
    return NULL;
}

static void *server_main(void *seed)
{
    static unsigned char bytes[2 * PAGE];
    struct dice d = {(uint64_t)seed};
    struct request req;
    while (!done)
        if (getreq(1ul << own_handle, bytes, sizeof bytes, 5, &req) == 0)
            putrep((int64_t)below(&d, 4) - 1, bytes, below(&d, 2) ? below(&d, PAGE) : 0,
                   (const uint64_t[4]){word(&d), word(&d), word(&d), word(&d)});
    return NULL;
}

// --- Before and after ------------------------------------------------------------------------------------------------

enum { ARRIVING = 0, DEAD = 6 }; // proc_entry.state: core/proc.h
static struct proc_entry first[200], last[4000];

static size_t list(struct proc_entry *to, size_t size)
{
    struct trans_result out;
    return trans(service("proc"), OP_PROC_LIST, NULL, NULL, 0, to, size, &out) < 0 ? 0 : out.reply_len / sizeof *to;
}

static bool was_there(ep_t ep, size_t before)
{
    for (size_t i = 0; i < before; i++)
        if (first[i].ep == ep)
            return true;
    return false;
}

// Whatever has begun since then is ours: so our caller promises.
static void end_processes(size_t before)
{
    for (unsigned left = 1, tries = 0; left && tries < 1000; tries++) {
        left = 0;
        size_t now = list(last, sizeof last);
        for (size_t i = 0; i < now; i++) {
            // One that is dead is kept until its owner has been told, and some have an owner that is nowhere.
            if (was_there(last[i].ep, before) || last[i].state == DEAD)
                continue;
            left++;
            if (last[i].state == ARRIVING) // its offer was withdrawn; what it still pulls comes from us
                continue;
            int64_t status = trans_timeout(&last[i].cap, OP_DESTROY, NULL, NULL, 0, NULL, 0, 200, NULL);
            if (tries == 999)
                printf("plague: %s (%lx), state %u, does not end: %s\n", last[i].name, last[i].ep, last[i].state,
                       error_string(status));
        }
        if (left)
            sleep_ms(2);
        if (tries == 999)
            wrong("processes that do not end", left, now);
    }
}

static void end_names(void)
{
    char name[] = "plague-0";
    for (char c = '0'; c < '8'; c++) {
        name[7] = c;
        (void)dir_remove(service("dir"), name);
    }
}

int main(int argc, char **argv)
{
    struct dice d = {argc > 1 ? strtoull(argv[1], NULL, 10) * 2 + 1 : 1};
    struct port port;
    uint8_t key[CAP_KEY_BYTES] = {1};
    count = argc > 2 ? strtoull(argv[2], NULL, 10) : 5000;
    own_handle = port_listen(port_random(), &port);
    own = cap_make(port, 0, RIGHT_ALL, key);
    for (size_t i = 0; i < COUNT(targets); i++)
        if (startup_cap(targets[i].name, &services[i]) < 0) {
            printf("plague: --grant %s:all is missing\n", targets[i].name);
            return 2;
        }
    size_t before = list(first, sizeof first);
    struct thread *server = thread_create(server_main, (void *)roll(&d), 0), *asks[COUNT(askers)];
    for (size_t i = 0; i < COUNT(askers); i++) {
        askers[i].d.x = roll(&d);
        asks[i] = thread_create(asker_main, &askers[i], 0);
    }
    for (size_t i = 0; i < COUNT(askers); i++)
        thread_join(asks[i]);
    end_processes(before);
    end_names();
    done = 1;
    thread_join(server);
    printf("plague: %lu requests, %lu errors\n", requests, errors);
    return errors != 0;
}
