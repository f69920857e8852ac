// SPDX-License-Identifier: BSD-2-Clause
// Calls to the firmware. Sections are those of the RISC-V Supervisor Binary Interface Specification
// 2.0. Errors (section 3) are negative; functions without a result ignore what cannot fail for our
// arguments.
#ifndef ARCH_RISCV_SBI_H
#define ARCH_RISCV_SBI_H

#include <stdbool.h>
#include <stdint.h>

// Asks once what the firmware has. Before any other function, except sbi_putchar.
void sbi_init(void);

struct sbi_info {
    uint32_t version;        // section 4.1: major << 24 | minor
    uint64_t implementation; // section 4.2: 1 = OpenSBI
    bool dbcn, time, ipi, rfence, hsm, srst;
};
extern struct sbi_info sbi; // [I] after sbi_init

void sbi_putchar(char c);              // 5.2 legacy
long sbi_debug_putchar(char c);        // 12.3 DBCN
void sbi_set_timer(uint64_t at_ticks); // 6.1 TIME; also takes the pending interrupt back
// Masks name hart ids 0..63 (HART_IDS).
void sbi_send_ipi(uint64_t hartids);                                     // 7.1
void sbi_remote_fence_i(uint64_t hartids);                               // 8.1
void sbi_remote_sfence_vma(uint64_t hartids, uint64_t va, uint64_t len); // 8.2
// The hart begins at physical address `at` with a0 = its id, a1 = opaque, satp = 0.
long sbi_hart_start(uint64_t hartid, uint64_t at, uint64_t opaque); // 9.1
long sbi_shutdown(bool failed);                                     // 10.1; returns only when it failed

#endif
