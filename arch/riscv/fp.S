// SPDX-License-Identifier: BSD-2-Clause
// Guests' FP registers. The kernel is compiled for integer registers only, so these hold the state of
// hart.arch.fp_owner across traps. Called with sstatus.FS not Off; both a0 = struct arch_fp.

#include "arch/riscv/offsets.h"

    .option arch, +d
    .text

    .global fp_store
fp_store:
    frcsr t0
    sw t0, FP_FCSR(a0)
    .irp i, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    fsd f\i, FP_F(\i)(a0)
    .endr
    ret

    .global fp_load
fp_load:
    lwu t0, FP_FCSR(a0)
    fscsr t0
    .irp i, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    fld f\i, FP_F(\i)(a0)
    .endr
    ret
