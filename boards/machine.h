// SPDX-License-Identifier: BSD-2-Clause
// The machine as its device tree describes it: harts, memory, boot arguments, and a list of devices. Plain data,
// written by dt_read() alone; what a device's properties mean is its driver's to say (boards/driver.h).
#ifndef BOARDS_MACHINE_H
#define BOARDS_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/config.h"

#define RANGES_MAX 32
#define DEVICES_MAX 64
#define ADDRESS_MAX (128ull << 30) // arch/riscv maps no more of physical memory: DIRECT_GIB

struct driver;
struct machine;

struct range {
    uint64_t from, to; // physical; `to` is behind the last byte
};

struct machine_hart {
    uint64_t hartid;
    uint64_t isa; // ISA_* of arch/arch.h
    bool sstc;
    uint32_t phandle; // of its interrupt controller node, by which the PLIC names the hart; 0: it has none
};

// A node of the tree that is enabled, has registers that we reach, and is `compatible` with a driver of ours.
struct device {
    struct machine *machine;
    const struct driver *driver;
    const char *name; // the node's, in the tree, which stays where it is
    int node;         // where the node begins in the tree: for device_property()
    uint32_t irq;     // first cell of `interrupts`; 0: none
    uint64_t pa, len; // first entry of `reg`, as the processor sees it: pa + len <= ADDRESS_MAX
};

struct machine {
    char model[64];
    char bootargs[512];
    uint64_t timebase_hz;                 // 1000 .. 999,999,999
    struct machine_hart harts[HARTS_MAX]; // that we can use; [0] is the boot hart
    unsigned nharts;                      // at least 1
    uint64_t isa;                         // common to all of them
    bool sstc;                            // all of them have it
    struct range ram[RANGES_MAX];         // that is ours to give: sorted, apart, in whole pages
    unsigned nram;
    uint64_t ram_bytes;                 // of the machine, reserved parts included
    struct range initrd;                // what was loaded beside the kernel; empty: nothing
    struct device devices[DEVICES_MAX]; // in the order of the tree
    unsigned ndevices;
    const struct device *console; // the one that /chosen names; NULL: none of `devices`
    uint8_t rng_seed[64];
    uint32_t rng_seed_len;

    const void *fdt;                // the tree
    void (*warn)(const char *text); // takes a line for people
    unsigned warnings;              // lines so far: there is a limit
};

#endif
