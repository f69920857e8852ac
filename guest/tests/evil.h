// SPDX-License-Identifier: BSD-2-Clause
// What evil.c and hog.c share: the services that a program finds, a port of its own, and a descriptor made by hand.
#ifndef GUEST_TESTS_EVIL_H
#define GUEST_TESTS_EVIL_H

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "core/desc_format.h"
#include "guest/lib/rotifer.h"
#include "services/protocol.h"

#define PAGE 4096ul

static inline const char *outcome(int64_t status)
{
    return status < 0 ? error_string(status) : "ok";
}

// A service that we were granted; a capability of nothing, after saying why, when we were not.
static inline struct cap service(const char *name)
{
    struct cap cap = {0};
    int64_t e = startup_cap(name, &cap);
    if (e < 0)
        printf("evil: %s: %s\n", name, outcome(e));
    return cap;
}

// A port of our own, and a capability for it.
static inline int64_t own_port(struct cap *cap)
{
    static const uint8_t key[CAP_KEY_BYTES] = {1};
    struct port put;
    int64_t handle = port_listen(port_random(), &put);
    *cap = cap_make(put, 1, RIGHT_ALL, key);
    return handle;
}

// --- A descriptor: one page, one thread that sleeps for ever ---------------------------------------------------------

struct plan {
    const char *name;
    uint64_t ep;       // 0: as the kernel draws it
    struct cap source; // of the page; null: zeros
};

struct descriptor {
    unsigned char bytes[2048];
    uint64_t len;
    uint32_t sections;
};

static inline void put_section(struct descriptor *d, uint32_t tag, const void *section, uint64_t len)
{
    struct desc_sec head = {.tag = tag, .len = len};
    memcpy(d->bytes + d->len, &head, sizeof head);
    memcpy(d->bytes + d->len + sizeof head, section, len);
    d->len += sizeof head + len;
    d->sections++;
}

// The checksum is of all words, its own field taken as 0.
static inline uint64_t checksum(const struct descriptor *d)
{
    uint64_t sum = DESC_MAGIC;
    for (uint64_t at = 0; at < d->len; at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, d->bytes + at, sizeof word);
        sum = desc_sum_word(sum, at == offsetof(struct desc_hdr, checksum) ? 0 : word);
    }
    return sum;
}

static inline void put_header(struct descriptor *d)
{
    struct desc_hdr head = {.magic = DESC_MAGIC,
                            .version = DESC_VERSION,
                            .arch = DESC_ARCH_RISCV64,
                            .len = d->len,
                            .sections = d->sections};
    memcpy(d->bytes, &head, sizeof head);
    head.checksum = checksum(d);
    memcpy(d->bytes, &head, sizeof head);
}

#define SLEEP_STATE 6u // enum thread_state: THREAD_SLEEP, which guests do not know

static inline void describe(struct descriptor *d, const struct plan *plan)
{
    struct desc_proc proc = {.next_tid = 2, .ep = plan->ep};
    struct desc_seg seg = {.source = plan->source, .len = PAGE};
    struct desc_map map = {.va = 0x10000, .len = PAGE, .flags = MAP_READ};
    static struct desc_thread thread;
    if (plan->ep) // of a checkpoint: it brings its control port along
        proc.ctl_get[0] = 1, proc.ctl_get[1] = clock_ns();
    seg.source_len = plan->source.port.w[0] ? PAGE : 0;
    strncpy(proc.name, plan->name, sizeof proc.name - 1);
    thread = (struct desc_thread){.tid = 1, .state = SLEEP_STATE, .pc = map.va, .wake_left_ns = UINT64_MAX};
    *d = (struct descriptor){.len = sizeof(struct desc_hdr)};
    put_section(d, DESC_PROC, &proc, sizeof proc);
    put_section(d, DESC_SEG, &seg, sizeof seg);
    put_section(d, DESC_MAP, &map, sizeof map);
    put_section(d, DESC_THRD, &thread, sizeof thread);
    put_header(d);
}

// Asks a process service to start it; *pid, when not NULL, is its number.
static inline int64_t exec_plan(const struct cap *proc, const struct plan *plan, uint64_t *pid)
{
    struct descriptor d;
    struct trans_result r = {0};
    struct cap cap;
    describe(&d, plan);
    int64_t e = trans(proc, OP_PROC_EXEC, NULL, d.bytes, d.len, &cap, sizeof cap, &r);
    if (pid)
        *pid = r.res[0];
    return e;
}

#endif
