// SPDX-License-Identifier: BSD-2-Clause
// Time: the time register, and for an interrupt at a time stimecmp (Sstc) or the firmware (SBI TIME).
//
// Both conversions are a 64 x 64 bit multiplication by a constant worked out once, so neither overflows nor divides.
// The interrupt is silenced in sie, not in the device: that costs no call of the firmware.
#include "arch/riscv/boot.h"
#include "arch/riscv/csr.h"
#include "arch/riscv/hart.h"
#include "arch/riscv/sbi.h"
#include "core/config.h"
#include "core/panic.h"

static struct {
    uint64_t boot_ticks;     // time register at timer_configure
    uint64_t ns_per_tick32;  // times 2^32
    uint64_t ticks_per_ns64; // times 2^64
    bool sstc;
} timer;

// Returns whether the firmware lets S-mode write stimecmp. It must set menvcfg.STCE ("Sstc" 0.5.4, section 2), which
// S-mode cannot read. Otherwise the write is an illegal instruction: so stvec points behind the attempt.
static bool stimecmp_works(void)
{
    uint64_t works = 0, old;
    __asm__ volatile("    csrr %1, stvec\n"
                     "    la t0, 1f\n"
                     "    csrw stvec, t0\n"
                     "    li t0, -1\n"
                     "    csrw 0x14d, t0\n" // CSR_STIMECMP
                     "    li %0, 1\n"
                     "    .balign 4\n"
                     "1:  csrw stvec, %1\n"
                     : "+&r"(works), "=&r"(old)::"t0", "memory");
    csr_clear(sstatus, SSTATUS_SPIE | SSTATUS_SPP); // what the trap has set
    return works != 0;
}

void timer_configure(uint64_t timebase_hz, bool sstc)
{
    ASSERT(timebase_hz >= 1000 && timebase_hz < NS_PER_S);
    timer.ns_per_tick32 = (NS_PER_S << 32) / timebase_hz;
    // (timebase_hz << 64) / NS_PER_S in two digits of 32 bits: the compiler's division of 128 bits takes a page of the
    // image.
    uint64_t first = ((uint64_t)timebase_hz << 32) / NS_PER_S, rest = ((uint64_t)timebase_hz << 32) % NS_PER_S;
    timer.ticks_per_ns64 = first << 32 | (rest << 32) / NS_PER_S;
    timer.sstc = sstc && stimecmp_works();
    timer.boot_ticks = csr_read(time);
}

bool arch_uses_sstc(void)
{
    return timer.sstc;
}

uint64_t arch_ticks(void)
{
    return csr_read(time);
}

uint64_t arch_cycles(void)
{
    return csr_read(cycle);
}

uint64_t arch_now_ns(void)
{
    uint64_t ticks = csr_read(time) - timer.boot_ticks;
    return (uint64_t)((unsigned __int128)ticks * timer.ns_per_tick32 >> 32);
}

void arch_timer_set(struct hart *h, uint64_t at_ns)
{
    if (at_ns == h->arch.timer_at)
        return;
    h->arch.timer_at = at_ns;
    if (at_ns == UINT64_MAX) {
        csr_clear(sie, INT_TIMER);
        return;
    }
    // Rounded up: never before its time.
    uint64_t ticks = (uint64_t)((unsigned __int128)at_ns * timer.ticks_per_ns64 >> 64) + 1 + timer.boot_ticks;
    if (timer.sstc)
        csr_write(CSR_STIMECMP, ticks);
    else
        sbi_set_timer(ticks);
    csr_set(sie, INT_TIMER);
}

void timer_fired(struct hart *h)
{
    csr_clear(sie, INT_TIMER);
    h->arch.timer_at = UINT64_MAX;
}
