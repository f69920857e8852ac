// SPDX-License-Identifier: BSD-2-Clause
// Control and status registers of S-mode, as far as we use them. "Priv" is the RISC-V Instruction Set Manual, Volume
// II: Privileged Architecture, version 1.12.
#ifndef ARCH_RISCV_CSR_H
#define ARCH_RISCV_CSR_H

#include "arch/riscv/offsets.h"

// sstatus, Priv 4.1.1. SUM stays 0: the kernel reaches guests' pages through its own map only. VS stays Off: no thread
// can use the vector registers, so nothing leaks through them.
#define SSTATUS_SIE (1ul << 1)
#define SSTATUS_SPIE (1ul << 5)
#define SSTATUS_VS (3ul << 9)
#define SSTATUS_SUM (1ul << 18)
#define SSTATUS_MXR (1ul << 19)
#define SSTATUS_FS_SHIFT 13 // Priv 3.1.6.6: state of the FP unit
#define SSTATUS_FS (3ul << SSTATUS_FS_SHIFT)
#define FS_OFF (0ul << SSTATUS_FS_SHIFT)
#define FS_CLEAN (2ul << SSTATUS_FS_SHIFT)
#define FS_DIRTY (3ul << SSTATUS_FS_SHIFT)

// sip and sie, Priv 4.1.3
#define INT_SOFT (1ul << 1)
#define INT_TIMER (1ul << 5)
#define INT_EXTERNAL (1ul << 9)

// scause, Priv table 4.2
#define CAUSE_INTERRUPT (1ul << 63)
#define CAUSE_FETCH_MISALIGNED 0
#define CAUSE_FETCH_ACCESS 1
#define CAUSE_ILLEGAL 2
#define CAUSE_BREAK 3
#define CAUSE_LOAD_MISALIGNED 4
#define CAUSE_LOAD_ACCESS 5
#define CAUSE_STORE_MISALIGNED 6
#define CAUSE_STORE_ACCESS 7
#define CAUSE_FETCH_PAGE 12
#define CAUSE_LOAD_PAGE 13
#define CAUSE_STORE_PAGE 15

// satp, Priv 4.1.11
#define SATP_SV39 (8ul << 60)

// stimecmp, "Sstc" extension 0.5.4; by number, for assemblers that do not know the name
#define CSR_STIMECMP 0x14d

#define csr_read(name)                                                                                                 \
    ({                                                                                                                 \
        uint64_t value_;                                                                                               \
        __asm__ volatile("csrr %0, " CSR_NAME(name) : "=r"(value_)::"memory");                                         \
        value_;                                                                                                        \
    })
#define csr_write(name, value) __asm__ volatile("csrw " CSR_NAME(name) ", %0" ::"rK"((uint64_t)(value)) : "memory")
#define csr_set(name, bits) __asm__ volatile("csrs " CSR_NAME(name) ", %0" ::"rK"((uint64_t)(bits)) : "memory")
#define csr_clear(name, bits) __asm__ volatile("csrc " CSR_NAME(name) ", %0" ::"rK"((uint64_t)(bits)) : "memory")
#define CSR_NAME(name) CSR_STRING(name)
#define CSR_STRING(name) #name

// Returns the hart that executes this: tp always holds it in the kernel. No variable may keep it across a switch of
// tasks, after which the task may be on another hart. Callers: any context.
static inline struct hart *this_hart(void)
{
    struct hart *h;
    __asm__ volatile("mv %0, tp" : "=r"(h));
    return h;
}

#endif
