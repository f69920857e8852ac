// SPDX-License-Identifier: BSD-2-Clause
// The first instructions of a process, and of each further thread.

    .section .text.start, "ax"

// In:  a0 = the startup block, sp = top of the stack, tp = 0.
//
// 1. gp: the middle of the small variables. Before that, no access to them may go through it.
// 2. tp: the first thread's block of thread-local variables (start() fills it).
// 3. sp: aligned to 16 (RISC-V ELF psABI, "Integer Calling Convention").
// 4. C. ra = 0 and fp = 0 end a debugger's walk up the stack here.
    .globl _start
    .type _start, @function
_start:
    // 1.
    .option push
    .option norelax
    la      gp, __global_pointer$
    .option pop
    // 2.
    la      tp, tls_first
    // 3.
    andi    sp, sp, -16
    // 4.
    li      ra, 0
    li      fp, 0
    tail    start
    .size _start, . - _start

// In:  a0 = struct thread *, sp and tp as thread_create gave them.
    .text
    .globl thread_entry
    .type thread_entry, @function
thread_entry:
    // 1.
    .option push
    .option norelax
    la      gp, __global_pointer$
    .option pop
    // 4.
    li      ra, 0
    li      fp, 0
    tail    thread_main
    .size thread_entry, . - thread_entry
