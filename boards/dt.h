// SPDX-License-Identifier: BSD-2-Clause
// What the device tree says, read once. Property names and formats: Devicetree Specification 0.4; bindings of single
// devices as in Linux, Documentation/devicetree/bindings.
//
// The tree comes from outside. Whatever is wrong in it gives a warning and a safe default (a hart, a memory range or a
// device less), never a crash. Compiles for the host too, for tests with the trees of real boards.
#ifndef BOARDS_DT_H
#define BOARDS_DT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/config.h"

#define DT_MAX_BYTES (2 * MIB)
#define DT_RANGES_MAX 32
#define DT_VIRTIO_MAX 32
#define DT_ADDRESS_MAX (128ull << 30) // arch.h maps no more of physical memory

struct range {
    uint64_t from, to; // physical, to is behind the last byte
};

struct dt_hart {
    uint64_t hartid;
    uint64_t isa; // ISA_* of arch.h
    bool sstc;
    bool has_context; // of the interrupt controller, for S-mode
    uint32_t context;
    uint32_t phandle; // of its interrupt controller node
};

enum uart_kind { UART_NONE, UART_NS16550, UART_SIFIVE };
struct dt_uart {
    enum uart_kind kind;
    uint64_t pa;
    uint32_t shift; // registers are 1 << shift bytes apart
    uint32_t width; // and that many bytes wide: 1 or 4
    uint32_t irq;   // 0 = none
};

struct dt_device {
    uint64_t pa, len;
    uint32_t irq;
};

struct machine {
    char model[64];
    char bootargs[512];
    uint64_t timebase_hz;
    struct dt_hart harts[HARTS_MAX]; // that we can use; [0] is the boot hart
    unsigned nharts;
    uint64_t isa; // common to all of them
    bool sstc;
    struct range ram[DT_RANGES_MAX]; // that is ours to give, sorted, in whole pages
    unsigned nram;
    uint64_t ram_bytes;    // of the machine, reserved parts included
    struct range initrd;   // what was loaded beside the kernel; empty: nothing
    struct dt_device plic; // len 0 = none
    uint32_t plic_irqs;    // highest number
    struct dt_uart uart;
    struct dt_device virtio[DT_VIRTIO_MAX]; // virtio,mmio slots, empty ones too
    unsigned nvirtio;
    uint64_t test_pa; // sifive,test0: 0 = none
    uint8_t rng_seed[64];
    uint32_t rng_seed_len;
};

struct dt_request {
    const void *fdt; // readable for DT_MAX_BYTES, or as far as its header says
    uint64_t fdt_pa;
    uint64_t boot_hartid;
    struct range image; // where the kernel lies
    void (*warn)(const char *text);
};

// Answers false only when there is no tree at all; *m then has what can be assumed without.
bool dt_read(const struct dt_request *q, struct machine *m);

// Value of NAME=value in the boot arguments, cut at the next blank; false: not there, or longer than size - 1.
bool dt_bootarg(const struct machine *m, const char *name, char *value, size_t size);
// Is NAME, alone, one of the boot arguments?
bool dt_bootflag(const struct machine *m, const char *name);

#endif
