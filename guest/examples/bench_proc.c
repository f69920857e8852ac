// SPDX-License-Identifier: BSD-2-Clause
// What a process costs from its making to its end, in instructions: bench_null.c says how they are counted.
//
//   bench_proc ROUNDS [data]    with --grant proc:exec --grant seg:create; starts so many processes, one after the
//                               other
//
// Each is made from one descriptor by the node's process service. Its text (a page) and, with "data", its data (a page)
// are filled from segments that are here already: the text is shared, the data a copy as soon as it writes there, which
// it does. Then it ends with a status; its owner, which is this program, is told, and it is gone.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/desc_format.h"
#include "guest/lib/rotifer.h"
#include "services/protocol.h"

#define PAGE 4096u
#define TEXT 0x10000u
#define DATA 0x11000u
#define STATUS 42

// nop; nop; li a0, STATUS; li a7, SYS_EXIT; ecall
static uint32_t program[] = {0x00000013, 0x00000013, 0x02a00513, 0x01000893, 0x00000073};
// lui t0, DATA; sd t0, 0(t0)
static const uint32_t write_data[] = {0x000112b7, 0x0052b023};

static struct cap proc_service, seg_service;

static inline uint64_t instructions(void)
{
    uint64_t n;
    __asm__ volatile("rdinstret %0" : "=r"(n));
    return n;
}

static void need(int64_t status, const char *what)
{
    if (status >= 0)
        return;
    printf("bench_proc: %s: %s\n", what, error_string(status));
    exit(1);
}

static struct cap make_segment(const void *bytes, size_t len)
{
    struct cap c;
    const uint64_t args[4] = {PAGE}, at[4] = {0};
    need(trans(&seg_service, OP_SEG_CREATE, args, NULL, 0, &c, sizeof c, NULL), "seg");
    need(trans(&c, OP_WRITE, at, bytes, len, NULL, 0, NULL), "seg write");
    return c;
}

// --- The descriptor ------------------------------------------------------------------------------

static uint8_t desc[4096] __attribute__((aligned(8)));
static size_t desc_len = sizeof(struct desc_hdr);
static uint32_t desc_sections;

static void section(uint32_t tag, const void *p, size_t len)
{
    struct desc_sec s = {.tag = tag, .len = len};
    memcpy(desc + desc_len, &s, sizeof s);
    memcpy(desc + desc_len + sizeof s, p, len);
    desc_len += sizeof s + len;
    desc_sections++;
}

static void seal(void)
{
    struct desc_hdr h = {.magic = DESC_MAGIC,
                         .version = DESC_VERSION,
                         .arch = DESC_ARCH_RISCV64,
                         .len = desc_len,
                         .sections = desc_sections};
    uint64_t sum = DESC_MAGIC;
    memcpy(desc, &h, sizeof h);
    for (size_t off = 0; off < desc_len; off += 8) {
        uint64_t word;
        memcpy(&word, desc + off, sizeof word);
        sum = desc_sum_word(sum, word);
    }
    h.checksum = sum;
    memcpy(desc, &h, sizeof h);
}

static void make_descriptor(const struct cap *owner, bool with_data)
{
    struct desc_proc p = {.owner = *owner, .name = "one page", .next_tid = 2};
    struct desc_seg text = {.len = PAGE, .source_len = PAGE}, data = text;
    struct desc_map at_text = {.va = TEXT, .len = PAGE, .flags = MAP_READ | MAP_EXEC};
    struct desc_map at_data = {.va = DATA, .len = PAGE, .seg = 1, .flags = MAP_READ | MAP_WRITE};
    struct desc_start t = {.tid = 1, .pc = TEXT};
    if (with_data)
        memcpy(program, write_data, sizeof write_data);
    text.source = make_segment(program, sizeof program);
    section(DESC_PROC, &p, sizeof p);
    section(DESC_SEG, &text, sizeof text);
    if (with_data) {
        data.source = make_segment("data", 4);
        section(DESC_SEG, &data, sizeof data);
    }
    section(DESC_MAP, &at_text, sizeof at_text);
    if (with_data)
        section(DESC_MAP, &at_data, sizeof at_data);
    section(DESC_THRD, &t, sizeof t);
    seal();
}

// --- One life ------------------------------------------------------------------------------------

static int64_t handle;

static void life(void)
{
    struct request told;
    struct cap process;
    struct trans_result r;
    need(trans(&proc_service, OP_PROC_EXEC, NULL, desc, desc_len, &process, sizeof process, &r), "exec");
    need(getreq(1ull << handle, NULL, 0, 0, &told), "getreq");
    if (told.op != OP_PROC_WAIT_EVENT || told.args[0] != EVENT_ENDED || told.args[2] != STATUS) {
        printf("bench_proc: told %u, %lu, status %ld\n", told.op, told.args[0], (int64_t)told.args[2]);
        exit(1);
    }
    need(putrep(0, NULL, 0, NULL), "putrep");
}

int main(int argc, char **argv)
{
    uint64_t rounds = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
    struct port put;
    uint8_t key[CAP_KEY_BYTES];
    if (rounds == 0) {
        fprintf(stderr, "usage: bench_proc ROUNDS [data]\n");
        return 2;
    }
    need(startup_cap("proc", &proc_service), "proc");
    need(startup_cap("seg", &seg_service), "seg");
    sys_random(key, sizeof key);
    handle = port_listen(port_random(), &put);
    struct cap owner = cap_make(put, 0, RIGHT_ALL, key);
    make_descriptor(&owner, argc > 2 && strcmp(argv[2], "data") == 0);
    for (int i = 0; i < 5; i++)
        life(); // first times are different: pages are filled, tasks are started
    uint64_t start = instructions();
    __asm__ volatile("slti x0, x0, 1"); // tools/plugin/count.c counts from here
    for (uint64_t i = 0; i < rounds; i++)
        life();
    __asm__ volatile("slti x0, x0, 2");
    printf("bench_proc: %lu instructions from exec to the end told\n", (instructions() - start) / rounds);
    return 0;
}
