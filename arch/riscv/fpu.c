// SPDX-License-Identifier: BSD-2-Clause
// The FP registers of a hart, and the thread that they belong to (Priv 3.1.6.6 and 4.1.1, sstatus.FS).
//
// A thread that never touched the unit runs with it Off; its first FP instruction traps, and from then on it has a
// struct arch_fp. A thread that leaves its hart has f[] up to date (arch_fp_save); the hart keeps the values as well.
// They are loaded again only if another thread used the unit of that hart since, or this thread that of another hart.
// arch_fp.hart names the last hart that loaded them. It is 0 in a new record, so that a record at the address of a
// freed one is not taken for that.
#include "arch/riscv/csr.h"
#include "arch/riscv/hart.h"
#include "core/entry.h"
#include "core/panic.h"

static void fs_set(uint64_t fs)
{
    csr_clear(sstatus, SSTATUS_FS);
    csr_set(sstatus, fs);
}

void arch_fp_save(struct hart *h, struct arch_regs *r)
{
    ASSERT(h == this_hart());
    if (r->fp && h->arch.fp_owner == r->fp && (csr_read(sstatus) & SSTATUS_FS) == FS_DIRTY) {
        fp_store(r->fp);
        fs_set(FS_CLEAN);
    }
    h->arch.ready = NULL;
}

void fp_switch(struct hart *h, struct arch_regs *r)
{
    struct arch_fp *fp = r->fp;
    if (!fp) {
        fs_set(FS_OFF);
    } else if (h->arch.fp_owner != fp || fp->hart != h->index + 1) {
        fs_set(FS_DIRTY); // any state but Off, to be allowed to
        fp_load(fp);
        h->arch.fp_owner = fp;
        fp->hart = h->index + 1;
        fs_set(FS_CLEAN);
    } else if ((csr_read(sstatus) & SSTATUS_FS) == FS_OFF) {
        fs_set(FS_CLEAN);
    }
}

// Any illegal instruction of a thread without FP registers gets here once; if it was no FP instruction it traps again,
// now with the unit on.
bool fp_first_use(struct hart *h, struct thread *t)
{
    if (t->regs.fp || !(arch_isa() & ISA_BIT('d')))
        return false;
    if (entry_fp_first(h, t))
        fp_switch(h, &t->regs);
    return true;
}
