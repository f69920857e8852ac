// SPDX-License-Identifier: BSD-2-Clause
// A QEMU plugin: how often was each instruction executed between two marks? The marks are instructions that do nothing
// and that no compiler writes: slti x0, x0, 1 begins, slti x0, x0, 2 ends. guest/examples/bench_null.c has them.
//
//   qemu-system-riscv64 ... -plugin build/count.so,out=FILE[,all=on]     all: from power on until QEMU ends
//
// FILE, when QEMU ends: a line "ADDRESS COUNT KIND" for each instruction that was executed so. KIND: "satp"
// it writes that register, "sfence" it is sfence.vma (both empty the emulator's translation cache, which is what costs
// time there), "sret" it leaves the kernel, "-" anything else.
// tools/where.py makes a table of it.
//
// The interface is QEMU's (docs/devel/tcg-plugins.rst); declared here, as distributions do not ship its header.
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
typedef uint64_t qemu_plugin_id_t;
struct qemu_info;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
EXPORT int qemu_plugin_version = 1;
EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, void (*cb)(qemu_plugin_id_t, struct qemu_plugin_tb *));
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, int op_add_u64, void *ptr, uint64_t add);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, void (*cb)(unsigned vcpu, void *arg),
                                            int flags, void *arg);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, void (*cb)(qemu_plugin_id_t, void *), void *arg);

#define SLOTS (1u << 20) // different instructions of a run; open addressing, never full
static struct slot {
    uint64_t pc, count, begun, within; // count: of all time. begun: at the last begin mark
    const char *kind;
} * slots;
static unsigned used;
static bool counting, all;
static const char *out = "count.out";

static struct slot *slot_of(uint64_t pc)
{
    size_t i = (size_t)(pc * 0x9e3779b97f4a7c15ull >> 44);
    while (slots[i].pc && slots[i].pc != pc)
        i = (i + 1) % SLOTS;
    if (!slots[i].pc && ++used > SLOTS / 2) {
        fprintf(stderr, "count.so: more than %u different instructions\n", SLOTS / 2);
        exit(1);
    }
    slots[i].pc = pc;
    return &slots[i];
}

static void on_begin(unsigned vcpu, void *arg)
{
    (void)vcpu;
    (void)arg;
    for (size_t i = 0; i < SLOTS; i++)
        slots[i].begun = slots[i].count;
    counting = true;
}

static void on_end(unsigned vcpu, void *arg)
{
    (void)vcpu;
    (void)arg;
    for (size_t i = 0; counting && i < SLOTS; i++)
        slots[i].within += slots[i].count - slots[i].begun;
    counting = false;
}

static const char *kind_of(uint32_t word)
{
    if ((word & 0xfff0007fu) == 0x18000073u && (word & 0x7000u)) // csrrw and its like, CSR 0x180
        return "satp";
    if (word == 0x10200073u)
        return "sret";
    return (word & 0xfe007fffu) == 0x12000073u ? "sfence" : "-";
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        uint32_t word = 0;
        memcpy(&word, qemu_plugin_insn_data(insn), qemu_plugin_insn_size(insn) == 4 ? 4 : 2);
        if (word == 0x00102013u)
            qemu_plugin_register_vcpu_insn_exec_cb(insn, on_begin, 0, NULL);
        else if (word == 0x00202013u)
            qemu_plugin_register_vcpu_insn_exec_cb(insn, on_end, 0, NULL);
        struct slot *s = slot_of(qemu_plugin_insn_vaddr(insn));
        s->kind = kind_of(word);
        qemu_plugin_register_vcpu_insn_exec_inline(insn, 0, &s->count, 1);
    }
}

static void at_exit(qemu_plugin_id_t id, void *arg)
{
    (void)id;
    (void)arg;
    FILE *f = fopen(out, "w");
    if (!f) {
        perror(out);
        return;
    }
    for (size_t i = 0; i < SLOTS; i++) {
        uint64_t count = all ? slots[i].count : slots[i].within;
        if (count)
            fprintf(f, "%" PRIx64 " %" PRIu64 " %s\n", slots[i].pc, count, slots[i].kind);
    }
    fclose(f);
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++)
        if (strncmp(argv[i], "out=", 4) == 0)
            out = strdup(argv[i] + 4);
        else if (strcmp(argv[i], "all=on") == 0)
            all = true;
    slots = calloc(SLOTS, sizeof *slots);
    if (!slots)
        return 1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, at_exit, NULL);
    return 0;
}
