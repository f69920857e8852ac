// SPDX-License-Identifier: BSD-2-Clause
// The first instructions: boot header, boot hart, further harts.
//
// boot: a0 = hart id, a1 = physical address of the device tree, satp = 0 (RISC-V boot conventions of Linux,
// Documentation/riscv/boot.rst; the firmware keeps the same). The image may lie at any physical address that is a
// multiple of 2 MiB.
//   1. Nothing may interrupt, nothing is known: interrupts off, tp = gp = 0, arguments into s0, s1. Only the first hart
//      continues with 2.; every other hart that comes in here goes to 6. Firmware without HSM sends all harts. Older
//      OpenSBI (1.1, say) tells a hart "start" before it writes down where: a hart that looks just then starts here
//      (sbi_hsm_hart_start sets the state, then next_addr; newer versions do it the other way round).
//   2. Clear .bss.
//   3. Page table: all of memory at DIRECT_BASE, the image at IMAGE_BASE.
//   4. Paging on. There is no identity mapping: the instruction after the write to satp faults, and stvec holds the
//      virtual address to continue at.
//   5. The stack of hart 0, and kmain(hart id, device tree).
//
// hart_entry: a further hart, started by sbi_hart_start. a0 = hart id.
//   6. As 1.; its struct hart is in hart_by_id, or will be.
//   7. As 4.
//   8. Its own stack, and hart_main(hart).
//
// Through legacy SBI putchar, "Rot" appears step by step: R entered, o memory is ours, t paging is on. What is missing
// tells where a board hangs.

#include "arch/riscv/offsets.h"

#define SATP_MODE_SV39 8

// Prints one character; a0, a7 are lost.
.macro mark char
    li a7, 1 // SBI 5.2, legacy console putchar
    li a0, \char
    ecall
.endm

// Continues at `where`, at its virtual address, with paging on. kernel_root is complete. t0, t1 are lost.
.macro paging_on where
    lla t0, \where
    lla t1, _start
    sub t0, t0, t1
    li t1, IMAGE_BASE
    add t0, t0, t1
    csrw stvec, t0
    lla t0, kernel_root
    srli t0, t0, 12
    li t1, SATP_MODE_SV39
    slli t1, t1, 60
    or t0, t0, t1
    sfence.vma
    csrw satp, t0
    unimp // never: the fetch faults
.endm

// --- Boot header: Linux, Documentation/riscv/boot-image-header.rst, version 0.2 ------------------
    .section .head, "ax"
    .option push
    .option norvc
    .option norelax
header:
    j boot
    nop
    .dword 0x200000   // text_offset from the start of memory
    .dword image_size // with .bss
    .dword 0          // flags: little endian
    .word 2           // version 0.2
    .word 0
    .dword 0
    .ascii "RISCV\0\0\0"
    .ascii "RSC\005"
    .word 0
    .option pop

    .option norelax

// --- 1. ------------------------------------------------------------------------------------------
boot:
    csrw sie, zero
    csrci sstatus, 2 // SIE
    li gp, 0
    li tp, 0
    mv s0, a0
    mv s1, a1
    lla t0, boot_taken
    li t1, 1
    amoswap.w.aq t1, t1, (t0)
    bnez t1, hart_entry
    mark 'R'

// --- 2. ------------------------------------------------------------------------------------------
    lla t0, _edata
    lla t1, _end
1:  sd zero, 0(t0)
    addi t0, t0, 8
    bltu t0, t1, 1b
    lla s2, _start // physical, as long as paging is off
    lla t0, image_pa
    sd s2, 0(t0)
    mark 'o'

// --- 3. ------------------------------------------------------------------------------------------
    // Gigapages, root entries 256.. = physical 0..
    lla s3, kernel_root
    li t0, DIRECT_GIB
    li t1, (PTE_V | PTE_R | PTE_W | PTE_A | PTE_D | PTE_G)
    li t2, 1 << (30 - 12 + PTE_PPN_SHIFT)
    li t3, 256 * 8
    add t3, t3, s3
1:  sd t1, 0(t3)
    add t1, t1, t2
    addi t3, t3, 8
    addi t0, t0, -1
    bnez t0, 1b

    // Second-last root entry -> image_root; its entries 1.. = the image, all rights until sv39_protect().
    lla t0, image_root
    srli t1, t0, 12
    slli t1, t1, PTE_PPN_SHIFT
    ori t1, t1, PTE_V
    li t2, 510 * 8
    add t2, t2, s3
    sd t1, 0(t2)
    srli t1, s2, 12
    slli t1, t1, PTE_PPN_SHIFT
    ori t1, t1, (PTE_V | PTE_R | PTE_W | PTE_X | PTE_A | PTE_D | PTE_G)
    li t2, 1 << (21 - 12 + PTE_PPN_SHIFT)
    li t3, IMAGE_TABLES
1:  sd t1, 8(t0)
    add t1, t1, t2
    addi t0, t0, 8
    addi t3, t3, -1
    bnez t3, 1b

// --- 4. ------------------------------------------------------------------------------------------
    paging_on boot_high
    .balign 4
boot_high:
    mark 't'
    lla t0, early_trap
    csrw stvec, t0

// --- 5. ------------------------------------------------------------------------------------------
    lla sp, hart_stacks
    li t0, STACK_GUARD + STACK_SIZE
    add sp, sp, t0
    mv a0, s0
    mv a1, s1
    li s0, 0 // ends the chain of frames
    call kmain
1:  wfi
    j 1b

// A trap before the first hart has its stvec: all that can be done is to say so.
    .balign 4
early_trap:
    mark '!'
1:  wfi
    j 1b

// --- 6. ------------------------------------------------------------------------------------------
    .global hart_entry
hart_entry:
    csrw sie, zero
    csrci sstatus, 2
    li gp, 0
    li t0, HART_IDS
1:  bgeu a0, t0, 1b // cannot be: arch_hart_start() starts none of those
    lla t0, hart_by_id
    slli t1, a0, 3
    add t0, t0, t1
1:  ld s1, (t0)
    beqz s1, 1b
    fence r, rw // the pointer before what it points to

// --- 7. ------------------------------------------------------------------------------------------
    paging_on hart_high
    .balign 4
hart_high:

// --- 8. ------------------------------------------------------------------------------------------
    mv tp, s1
    ld sp, HART_STACK_TOP(tp)
    mv a0, s1
    li s0, 0
    tail hart_main

// Not in .bss: other harts may look before that is cleared.
    .data
    .balign 8
boot_taken:
    .dword 0
    .global hart_by_id
hart_by_id:
    .fill HART_IDS, 8, 0
