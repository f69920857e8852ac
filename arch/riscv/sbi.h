// SPDX-License-Identifier: BSD-2-Clause
// Calls to the firmware. Sections are those of the RISC-V Supervisor Binary Interface Specification 2.0. Errors
// (section 3) are negative; functions without a result ignore what cannot fail for our arguments.
//
// hartids: a mask of hart ids 0..63 (HART_IDS).
// Callers: any context.
#ifndef ARCH_RISCV_SBI_H
#define ARCH_RISCV_SBI_H

#include <stdbool.h>
#include <stdint.h>

struct sbi_info {
    uint32_t version;        // section 4.1: major << 24 | minor
    uint64_t implementation; // section 4.2: 1 = OpenSBI
    bool dbcn, time, ipi, rfence, hsm, srst;
};
extern struct sbi_info sbi; // [I] after sbi_init

// Asks once what the firmware has. Callers: boot hart, before any other function here but sbi_putchar.
void sbi_init(void);

// 5.2, legacy console: prints c.
void sbi_putchar(char c);
// 12.3 DBCN: prints c. Returns 0 or an SBI error.
long sbi_debug_putchar(char c);
// 6.1 TIME: a timer interrupt on this hart when the time register reaches at_ticks; takes a pending one back.
void sbi_set_timer(uint64_t at_ticks);
// 7.1 IPI: a software interrupt on the harts of hartids.
void sbi_send_ipi(uint64_t hartids);
// 8.1 RFENCE: fence.i on the harts of hartids, before this returns.
void sbi_remote_fence_i(uint64_t hartids);
// 8.2 RFENCE: sfence.vma for [va, va + len) on the harts of hartids, before this returns.
void sbi_remote_sfence_vma(uint64_t hartids, uint64_t va, uint64_t len);
// 9.1 HSM: the hart with this hartid begins at physical address `at` with a0 = its id, a1 = opaque (any number), and
// satp = 0. Returns 0 or an SBI error.
long sbi_hart_start(uint64_t hartid, uint64_t at, uint64_t opaque);
// 10.1 SRST, or 5.9: switches the machine off. Returns only when that failed, with an SBI error.
long sbi_shutdown(bool failed);

#endif
