// SPDX-License-Identifier: BSD-2-Clause
// Whose FP registers a hart has (Priv 3.1.6.6 and 4.1.1, sstatus.FS).
//
// A thread that never touched the unit runs with it Off; its first FP instruction traps, and from then on it has a
// struct arch_fp. A thread that leaves its hart has f[] up to date (arch_fp_save); the hart keeps the values as well.
// They are loaded again only if somebody else used the unit there, or the thread did elsewhere since (arch_fp.hart
// names the last hart that loaded them; it is 0 in a new record, so that one at the address of an old one is not taken
// for it).
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

// Prepares the unit for r, which runs next. Called only if something may have changed.
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

// An illegal instruction: was it the first FP instruction of this thread? Any illegal instruction gets here once; if it
// is another kind it traps again, now with the unit on.
bool fp_first_use(struct hart *h, struct thread *t)
{
    if (t->regs.fp || !(arch_isa() & ISA_BIT('d')))
        return false;
    if (entry_fp_first(h, t))
        fp_switch(h, &t->regs);
    return true;
}
