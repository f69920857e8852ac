// SPDX-License-Identifier: BSD-2-Clause
// Shared by the files that read the device tree, boards/dt*.c: the node where the walk is, and what it has found.
// Callers: dt_read(), on the boot hart.
#ifndef BOARDS_DT_PRIV_H
#define BOARDS_DT_PRIV_H

#include "boards/device.h"
#include "boards/dt.h"

#define DEPTH_MAX 16 // levels of the tree that we look at
#define CELLS_MAX 2u // of an address or a size: 64 bits

// The properties that the walk knows. It gathers them while it passes a node; to look one up is then to look into a
// table, not to search the node again.
#define PROPERTIES(X)                                                                                                  \
    X(P_ADDRESS_CELLS, "#address-cells")                                                                               \
    X(P_SIZE_CELLS, "#size-cells")                                                                                     \
    X(P_BOOTARGS, "bootargs")                                                                                          \
    X(P_COMPATIBLE, "compatible")                                                                                      \
    X(P_DEVICE_TYPE, "device_type")                                                                                    \
    X(P_INITRD_START, "linux,initrd-start")                                                                            \
    X(P_INITRD_END, "linux,initrd-end")                                                                                \
    X(P_INTERRUPTS, "interrupts")                                                                                      \
    X(P_ISA, "riscv,isa")                                                                                              \
    X(P_ISA_EXTENSIONS, "riscv,isa-extensions")                                                                        \
    X(P_MMU_TYPE, "mmu-type")                                                                                          \
    X(P_MODEL, "model")                                                                                                \
    X(P_PHANDLE, "phandle")                                                                                            \
    X(P_PHANDLE_OLD, "linux,phandle")                                                                                  \
    X(P_RANGES, "ranges")                                                                                              \
    X(P_REG, "reg")                                                                                                    \
    X(P_RNG_SEED, "rng-seed")                                                                                          \
    X(P_STATUS, "status")                                                                                              \
    X(P_STDOUT_PATH, "stdout-path")                                                                                    \
    X(P_TIMEBASE, "timebase-frequency")

enum property {
#define AS_NUMBER(number, name) number,
    PROPERTIES(AS_NUMBER) PROPERTY_COUNT
#undef AS_NUMBER
};
extern const char *const dt_property_name[PROPERTY_COUNT];

// Children of the root that have a meaning of their own, one bit each.
enum section { OTHER = 0, CPUS = 1, RESERVED = 2, CHOSEN = 4, ALIASES = 8 };

struct value {
    const uint8_t *at; // NULL: the node has no such property
    uint32_t len;
};

// What a node's children need to know about it.
struct level {
    uint32_t address_cells, size_cells; // 0: we cannot read those
    struct value ranges;
};

struct reader {
    const struct dt_request *q;
    struct machine *m;

    // Where the walk is: a node, the levels above it, and its own at level[depth].
    int node;
    unsigned depth;
    struct level level[DEPTH_MAX];
    struct value property[PROPERTY_COUNT];
    bool damaged; // the walk ended before the tree did

    // What the walk has found.
    enum section section;      // that the walk is in
    uint32_t sections;         // that it was in: only the first of a name counts
    struct machine_hart *hart; // that the walk is in; NULL: none that we use
    bool boot_found;           // harts[0] is the boot hart, as the tree has it
    const char *stdout_path;   // NULL: none
    int aliases;               // the node /aliases; -1: there is none
    struct range hole[64];     // not ours although it is memory
    unsigned nholes;
    bool firmware_reserved; // the tree says what the firmware keeps
};

// --- The node where the walk is: dt_node.c -------------------------------------------------------

// Returns its name, with a "?" in place of one that cannot be read.
const char *dt_name(const struct reader *r);
// Returns the property as a string, or NULL: absent, or without its final zero, and then a warning.
const char *dt_text(struct reader *r, enum property which);
// Returns the property as a number of one cell; `otherwise` if it is absent, or has another length, and then a warning.
uint32_t dt_number(struct reader *r, enum property which, uint32_t otherwise);
// True if one of the strings of the property is this.
bool dt_lists(const struct reader *r, enum property which, const char *string);
// True if status allows to use it; section 2.3.4: no status means okay.
bool dt_enabled(struct reader *r);
// True if device_type says so.
bool dt_has_type(struct reader *r, const char *type);
// Entry number i of `reg`, as the processor sees it. False if there is none, or none that we reach.
bool dt_reg(const struct reader *r, uint32_t i, struct range *out);
// Returns the number that n cells at p hold; 0 when n is neither 1 nor 2.
uint64_t dt_cells(const uint8_t *p, uint32_t n);

// --- Harts: dt_harts.c ---------------------------------------------------------------------------

// A child of /cpus: a hart, if it is of use.
void dt_visit_hart(struct reader *r);
// A child of a hart: its interrupt controller.
void dt_visit_hart_child(struct reader *r);
// When the walk has ended: what all harts have in common.
void dt_finish_harts(struct reader *r);

// --- Memory: dt_memory.c -------------------------------------------------------------------------

// A child of the root that is memory.
void dt_visit_memory(struct reader *r);
// A child of /reserved-memory.
void dt_visit_reserved(struct reader *r);
// /chosen: what was loaded beside the kernel.
void dt_read_initrd(struct reader *r);
// When the walk has ended: memory without what is not ours, sorted.
void dt_finish_memory(struct reader *r);

#endif
