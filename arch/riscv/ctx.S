// SPDX-License-Identifier: BSD-2-Clause
// Switch between tasks, and between a task and the loop of its hart. What a C function may expect to find again after a
// call, and no more: ra, sp, s0..s11 (RISC-V ELF psABI, integer calling convention).

#include "arch/riscv/offsets.h"

    .text
    .global arch_ctx_switch // (from, to)
arch_ctx_switch:
    sd ra, CTX_REG(0)(a0)
    sd sp, CTX_REG(1)(a0)
    sd s0, CTX_REG(2)(a0)
    sd s1, CTX_REG(3)(a0)
    sd s2, CTX_REG(4)(a0)
    sd s3, CTX_REG(5)(a0)
    sd s4, CTX_REG(6)(a0)
    sd s5, CTX_REG(7)(a0)
    sd s6, CTX_REG(8)(a0)
    sd s7, CTX_REG(9)(a0)
    sd s8, CTX_REG(10)(a0)
    sd s9, CTX_REG(11)(a0)
    sd s10, CTX_REG(12)(a0)
    sd s11, CTX_REG(13)(a0)
    ld ra, CTX_REG(0)(a1)
    ld sp, CTX_REG(1)(a1)
    ld s0, CTX_REG(2)(a1)
    ld s1, CTX_REG(3)(a1)
    ld s2, CTX_REG(4)(a1)
    ld s3, CTX_REG(5)(a1)
    ld s4, CTX_REG(6)(a1)
    ld s5, CTX_REG(7)(a1)
    ld s6, CTX_REG(8)(a1)
    ld s7, CTX_REG(9)(a1)
    ld s8, CTX_REG(10)(a1)
    ld s9, CTX_REG(11)(a1)
    ld s10, CTX_REG(12)(a1)
    ld s11, CTX_REG(13)(a1)
    ret

    // Where a new context begins: arch_ctx_init put the function into s1 and its argument into s2. The function may not
    // return: there is nothing to return to.
    .global ctx_begin
ctx_begin:
    mv a0, s2
    jalr s1
    la a0, ctx_returned
    call panic

    .section .rodata
ctx_returned:
    .asciz "the function of a task context returned"
