// SPDX-License-Identifier: BSD-2-Clause
// What a RISC-V hart keeps in core's records (arch/arch.h): private to arch/riscv/. Included by arch/arch.h alone.
#ifndef ARCH_RISCV_ARCH_TYPES_H
#define ARCH_RISCV_ARCH_TYPES_H

#include <stdbool.h>
#include <stdint.h>

struct thread;
struct arch_fp;

// hart.c explains the protocol; trap.S has its short way.
struct arch_lock {
    volatile uint32_t held;    // 0, or the mark of the hart that holds it
    volatile uint32_t overdue; // harts that have waited for too long: the others let them go first
};

// Sv39. The lower half is the process's; the upper half is the kernel's, the same in all.
#define ASPACE_INLINE 4u
struct arch_aspace {
    uint64_t *root;                          // [N] page table root (kernel address), NULL before init
    uint64_t satp;                           // [N] the register's value for it
    uint32_t loaded_on;                      // atomic: mask of harts whose satp names it
    uint32_t tables;                         // [N] page tables below the root
    uint32_t ninline;                        // [N] entries ever made in lowest tables; above ASPACE_INLINE: many
    bool megapages;                          // [N] leaves of 2 MiB were made in the tables above those
    uint64_t *inline_entries[ASPACE_INLINE]; // [N] the entries, while few: cleared, they leave tables of zeros behind
};

struct arch_ctx {
    uint64_t reg[14]; // [N] ra, sp, s0..s11
};

// First member of struct hart; trap.S uses fields by offset (offsets.h). Zero at first; arch_hart_init().
struct arch_hart {
    uint64_t hartid;            // [I] as the firmware counts
    uint64_t timer_at;          // [h] ns the timer is set to; UINT64_MAX: not set
    struct arch_aspace *aspace; // [N] what satp names; NULL = kernel only
    struct arch_fp *fp_owner;   // [h] the record whose values the FP registers hold
    struct thread *ready;       // [h] its address space and FP registers are in place; NULL: trap_switch must see to it
    void *stack_top;            // [I]
    uint64_t scratch;           // [h] one register, on the way in
    uint32_t stale;             // [N] STALE_*: what this hart, idle now, flushes before it leaves the idle loop
    uint32_t idle;              // [N] in wfi, or on the way into or out of it
    uint32_t kicked;            // [N] an interrupt is on the way to it
    volatile uint32_t asleep;   // atomic: waits for the lock in wfi
    volatile uint64_t asleep_ns; // since when it has waited; valid while asleep
    volatile uint32_t leave;     // set by the holder of the lock, which waits: give up the address space at once
};

#endif
