// SPDX-License-Identifier: BSD-2-Clause
// The whole of what the machine gives. core/, net/ and services/ use nothing else of it, so they compile for the host
// too (arch/host/ implements this page with ucontext and malloc).
//
// Rules: everything here runs with the node lock held, except arch_lock() itself and arch_putc(), arch_now_ns().
// Nothing here megapages. `struct hart`, `struct node` are core's (core/hart.h, core/node.h).
#ifndef ARCH_RISCV_ARCH_H
#define ARCH_RISCV_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct node;
struct hart;
struct thread;

// --- User registers ------------------------------------------------------------------------------
// All that U-mode can see of a hart. First member of struct thread; offsets are asserted in
// arch/riscv/offsets.h for the assembly. x[0] stays 0. FP state has a record of its own, which a
// thread gets when it first uses the unit (entry_fp_first): most never do.
struct arch_fp {
    uint64_t f[32];
    uint32_t fcsr;
    uint32_t hart; // hart index + 1 whose FP registers are these too, 0 = only f[] has them
};
struct arch_regs {
    uint64_t x[32];
    uint64_t pc;
    struct arch_fp *fp; // NULL: never touched the FP unit, f0..f31 and fcsr are zero
};
// f[] and fcsr are valid only when the thread is on no hart (arch_fp_save). Who writes them then sets hart to 0, or a
// hart that still has the old values would go on with them.
#define REG_RA 1
#define REG_SP 2
#define REG_TP 4
#define REG_T0 5
#define REG_T1 6
#define REG_T2 7
#define REG_A0 10
#define REG_A1 11
#define REG_A2 12
#define REG_A3 13
#define REG_A4 14
#define REG_A5 15
#define REG_A6 16
#define REG_A7 17
#define REG_T3 28
#define REG_T4 29
#define REG_T5 30
#define REG_T6 31

// Puts the live FP registers of a thread that ran on this hart into its record. Called on that hart whenever a guest
// thread leaves it, for whatever reason; cheap when the unit was not touched since. Afterwards f[] and fcsr are right.
// (Whom this was not called for may go on there without a look at its address space.)
void arch_fp_save(struct hart *h, struct arch_regs *r);

// --- Time and harts ------------------------------------------------------------------------------
uint64_t arch_now_ns(void); // monotonic since boot
// Asks for entry_timer() on this hart at or soon after at_ns (UINT64_MAX: never).
void arch_timer_set(struct hart *h, uint64_t at_ns);
// Makes another hart enter the kernel soon (entry_kick() runs there), or leave its idle wait.
void arch_kick(struct hart *h);
struct hart *arch_this_hart(void);

// --- Lock: the node lock is one of these (design D6) ---------------------------------------------
struct arch_lock {
    volatile uint32_t held;    // 0, or who holds it; hart.c
    volatile uint32_t overdue; // harts that have waited for too long: the others let them go first
};
void arch_lock(struct arch_lock *l);
void arch_unlock(struct arch_lock *l);

// --- Address spaces: Sv39, lower half; the upper half is the kernel's and the same in all --------
#define ASPACE_INLINE 4u
struct arch_aspace {
    uint64_t *root;                          // page table root (kernel address), NULL before init
    uint64_t satp;                           // the register's value for it
    uint32_t loaded_on;                      // mask of harts whose satp names it
    uint32_t tables;                         // page tables below the root
    uint32_t ninline;                        // entries ever made in the lowest tables; more than ASPACE_INLINE: many
    bool megapages;                          // entries of 2 MiB were made in the tables above those
    uint64_t *inline_entries[ASPACE_INLINE]; // these: who clears them leaves tables of zeros behind
};
#define PROT_R 1u
#define PROT_W 2u
#define PROT_X 4u
// E_MEM when no page for the table. Tables come from page_alloc(n).
int arch_aspace_init(struct node *n, struct arch_aspace *as);
// Frees all tables (never the mapped pages). No thread of it runs; harts that still have it loaded are made to leave it
// first.
void arch_aspace_free(struct node *n, struct arch_aspace *as);
// Maps one page at va (page-aligned, below USER_END), replacing what was there. Presets A and D (D only with PROT_W):
// boards fault where QEMU sets them. Makes code written there fetchable (fence.i on all harts before the first fetch)
// when prot has PROT_X. E_MEM.
int arch_aspace_map(struct node *n, struct arch_aspace *as, uint64_t va, void *page, unsigned prot);
// The same for len bytes of pages that lie in a row, as page and va do, within 2 MiB from a multiple of that on. All of
// these 2 MiB, of a page at a multiple of 2 MiB: one translation, in place of all that were there.
int arch_aspace_map_run(struct node *n, struct arch_aspace *as, uint64_t va, void *page, uint64_t len, unsigned prot);
// Whoever writes to [va, va + len) from now on faults: takes the right to write out of its translations, and flushes.
// Nobody writes through an old translation when this returns.
void arch_aspace_protect(struct node *n, struct arch_aspace *as, uint64_t va, uint64_t len);
// Removes the translations of [va, va + len) and flushes them on all harts that have it loaded. (Of a translation of 2
// MiB that is only touched, the rest may go too, here and above: then it is faulted in again.)
void arch_aspace_unmap(struct node *n, struct arch_aspace *as, uint64_t va, uint64_t len);

// --- Privileged tasks: S-mode contexts with a stack ----------------------------------------------
struct arch_ctx {
    uint64_t reg[14]; // ra, sp, s0..s11; the host uses ptr instead
    void *ptr;
};
// After the first switch to *c, fn(arg) runs on the stack that ends at stack + size. fn never returns.
void arch_ctx_init(struct arch_ctx *c, void *stack, size_t size, void (*fn)(void *), void *arg);
// Frees what init took besides the stack itself (nothing on RISC-V).
void arch_ctx_free(struct arch_ctx *c);
// Saves the callee-saved state in *from and goes on with *to. The node lock goes along.
void arch_ctx_switch(struct arch_ctx *from, struct arch_ctx *to);

// --- The rest ------------------------------------------------------------------------------------
void arch_putc(char c);                              // the earliest console there is
_Noreturn void arch_stop(int status);                // ends the machine; QEMU exits with status
void arch_backtrace(void (*line)(const char *text)); // one call a frame, innermost first
// Bits of ISA extensions present on every hart: bit (letter - 'a') for the single letters; ISA_Z*.
uint64_t arch_isa(void);
#define ISA_BIT(letter) (1ull << ((letter) - 'a'))
#define ISA_RV64GC (ISA_BIT('i') | ISA_BIT('m') | ISA_BIT('a') | ISA_BIT('f') | ISA_BIT('d') | ISA_BIT('c'))
#define ISA_ZBA (1ull << 32)
#define ISA_ZBB (1ull << 33)
#define ISA_ZBS (1ull << 34)

// What is private to this architecture in struct hart. Zero at first; hart_init() of arch/riscv/hart.h.
struct arch_hart {
    uint64_t hartid;             // [I] as the firmware counts
    uint64_t timer_at;           // [h] ns the timer is set to, to skip setting it to the same
    struct arch_aspace *aspace;  // [N] what satp names; NULL = kernel only
    struct arch_fp *fp_owner;    // [h] whose FP registers are live on this hart
    struct thread *ready;        // [h] whose address space and FP registers are in place, NULL = to be seen
    void *stack_top;             // [I]
    uint64_t scratch;            // [h] one register, on the way in
    uint32_t stale;              // [N] STALE_*: to be flushed before this hart, idle now, goes on
    uint32_t idle;               // [N] in wfi, or on the way into or out of it
    uint32_t kicked;             // [N] an interrupt is on the way to it
    volatile uint32_t asleep;    // waits for the lock in wfi
    volatile uint64_t asleep_ns; // since when it has waited
    volatile uint32_t leave;     // the hart that asks holds the lock: give up the address space at once
};

#endif
