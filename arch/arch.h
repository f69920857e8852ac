// SPDX-License-Identifier: BSD-2-Clause
// The contract with the machine: all that core/, net/ and services/ use of it. Two folders keep it: arch/riscv/ for a
// hart in S-mode, arch/host/ for a process of Linux (tests, the simulator, the `rotifer` command). What is private to
// one of them stands in its arch_types.h, which a build finds by its include path (-Iarch/riscv or -Iarch/host).
//
// No function here blocks. struct hart, struct node and struct thread are core's. Callers: node lock held, where a
// function does not say otherwise.
#ifndef ARCH_ARCH_H
#define ARCH_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct node;
struct hart;
struct thread;

// Defines struct arch_lock, arch_aspace, arch_ctx and arch_hart, all zero when made. Their fields are arch's own, but
// core reads arch_aspace.tables (page tables below the root) and arch_hart.timer_at (as arch_timer_set was last told).
#include "arch_types.h"

// --- User registers: a guest is RISC-V on every machine ------------------------------------------
// All that U-mode can see of a hart. First member of struct thread; arch/riscv/offsets.h asserts the offsets for the
// assembly. FP state has a record of its own, which a thread gets at its first FP instruction (entry_fp_first): most
// threads never do one.
struct arch_fp {
    uint64_t f[32];
    uint32_t fcsr;
    uint32_t hart; // index + 1 of the hart whose FP registers hold this too; 0: no hart's do
};
struct arch_regs {
    uint64_t x[32]; // x[0] stays 0
    uint64_t pc;
    struct arch_fp *fp; // NULL: never used the FP unit, f0..f31 and fcsr are zero
};
enum { REG_RA = 1, REG_SP, REG_TP = 4, REG_T0, REG_T1, REG_T2 };
enum { REG_A0 = 10, REG_A1, REG_A2, REG_A3, REG_A4, REG_A5, REG_A6, REG_A7 };
enum { REG_T3 = 28, REG_T4, REG_T5, REG_T6 };
// Saves the live FP registers of a thread that ran on hart h, this hart, into its record: f[] and fcsr are valid
// afterwards. Called whenever a guest thread leaves its hart; cheap when it did not use the FP unit since. A thread for
// which this was not called may resume on this hart without a look at its address space and FP registers. f[] and fcsr
// of a thread that is on a hart may be stale. Code that writes them sets arch_fp.hart to 0; otherwise a hart whose
// registers still hold the old values would keep using those.
void arch_fp_save(struct hart *h, struct arch_regs *r);

// --- Time and harts ------------------------------------------------------------------------------
// Returns the monotonic time since boot. Callers: any context.
uint64_t arch_now_ns(void);
// Asks for entry_timer() on this hart at or soon after at_ns; UINT64_MAX: never.
void arch_timer_set(struct hart *h, uint64_t at_ns);
// Makes hart h enter the kernel soon, where entry_kick() runs, or leave its idle wait.
void arch_kick(struct hart *h);
// Returns the hart that executes the call. Callers: any context.
struct hart *arch_this_hart(void);

// --- The node lock (design D6) -------------------------------------------------------------------
// Take the lock, which this hart must not hold, and give it up: arch_unlock(). Callers: any context of the kernel.
void arch_lock(struct arch_lock *l);
void arch_unlock(struct arch_lock *l);

// --- Address spaces: what one process sees, [0, USER_END) ----------------------------------------
#define PROT_R 1u
#define PROT_W 2u
#define PROT_X 4u
// Makes an empty address space. Returns 0, or E_MEM: no page for its root. Page tables come from page_alloc(n).
int arch_aspace_init(struct node *n, struct arch_aspace *as);
// Frees all page tables, never the mapped pages. No thread of it runs; harts that still have it loaded leave it first.
void arch_aspace_free(struct node *n, struct arch_aspace *as);
// Maps one page at va, a multiple of PAGE_SIZE below USER_END, with the rights prot (PROT_*), in place of what was
// there. With PROT_X: code that was written to the page can be fetched on all harts. Returns 0, or E_MEM.
int arch_aspace_map(struct node *n, struct arch_aspace *as, uint64_t va, void *page, unsigned prot);
// Maps len bytes of adjacent pages with the rights prot, within one megapage (MEGAPAGE_BYTES) of the address space. A
// whole aligned megapage of memory becomes one translation. Returns 0, or E_MEM: some may be mapped.
int arch_aspace_map_run(struct node *n, struct arch_aspace *as, uint64_t va, void *page, uint64_t len, unsigned prot);
// Takes the right to write out of the translations of [va, va + len): every later write there faults, on all harts.
void arch_aspace_protect(struct node *n, struct arch_aspace *as, uint64_t va, uint64_t len);
// Removes the translations of [va, va + len), on all harts. (Of a megapage that is only touched, the rest may go too;
// the next access there faults it in again. arch_aspace_protect may remove such a megapage as well.)
void arch_aspace_unmap(struct node *n, struct arch_aspace *as, uint64_t va, uint64_t len);

// --- Contexts of tasks: S-mode with a stack ------------------------------------------------------
// Prepares *c: the first switch to it calls fn(arg) on the stack of size bytes at `stack`. fn must not return.
void arch_ctx_init(struct arch_ctx *c, void *stack, size_t size, void (*fn)(void *), void *arg);
// Frees what init took besides the stack itself.
void arch_ctx_free(struct arch_ctx *c);
// Saves the callee-saved state in *from and continues *to. The node lock goes along.
void arch_ctx_switch(struct arch_ctx *from, struct arch_ctx *to);

// --- The rest. Callers: any context --------------------------------------------------------------
// Prints c on the earliest console there is.
void arch_putc(char c);
// Ends the machine; QEMU, or the process of Linux, exits with this status.
_Noreturn void arch_stop(int status);
// Calls line() once for each frame of the stack, the innermost first.
void arch_backtrace(void (*line)(const char *text));
// Returns the ISA extensions that every hart has: ISA_BIT() of the single letters, and ISA_Z*.
uint64_t arch_isa(void);
#define ISA_BIT(letter) (1ull << ((letter) - 'a'))
#define ISA_RV64GC (ISA_BIT('i') | ISA_BIT('m') | ISA_BIT('a') | ISA_BIT('f') | ISA_BIT('d') | ISA_BIT('c'))
#define ISA_ZBA (1ull << 32)
#define ISA_ZBB (1ull << 33)
#define ISA_ZBS (1ull << 34)

#endif
