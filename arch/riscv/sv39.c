// SPDX-License-Identifier: BSD-2-Clause
// Address spaces. Priv = Privileged Architecture 1.12, chapter 4.
//
// What the emulator makes dear decides here: a change of satp or an sfence.vma costs 4-12 us. So
// satp is written only when it changes, and a translation that was not there, or had fewer rights,
// is not flushed: Priv 4.2.1 lets a hart fault on it all the same; then the same entry is mapped
// again, and that flushes.
//
// Harts that are idle are not interrupted for a flush; they do it when they go on
// (arch_hart.stale).
#include "arch/riscv/sv39.h"

#include "arch/riscv/boot.h"
#include "arch/riscv/csr.h"
#include "arch/riscv/sbi.h"
#include "core/config.h"
#include "core/entry.h"
#include "core/error.h"
#include "core/node.h"
#include "core/words.h"

#define ENTRIES 512u
#define TABLE_ALIGN __attribute__((aligned(4096)))

uint64_t kernel_root[ENTRIES] TABLE_ALIGN; // filled by entry.S
uint64_t image_root[ENTRIES] TABLE_ALIGN;
static uint64_t image_tables[IMAGE_TABLES][ENTRIES] TABLE_ALIGN;
uint64_t image_pa; // set by entry.S

extern uint8_t _start[], _etext[], _erodata[], _end[]; // linker/kernel.ld
extern uint8_t hart_stacks[HARTS_MAX][STACK_GUARD + STACK_SIZE];

static unsigned entry_of(uint64_t va, unsigned level)
{
    return (unsigned)(va >> (12 + 9 * level)) % ENTRIES; // Priv 4.4.1: 9 bits a level
}
static uint64_t pte_of(uint64_t pa, uint64_t bits)
{
    return pa >> PAGE_SHIFT << PTE_PPN_SHIFT | bits;
}
static uint64_t pte_pa(uint64_t pte)
{
    return (pte << 10 >> 20) << PAGE_SHIFT; // bits 53..10; those above are reserved
}
static uint64_t *pte_table(uint64_t pte)
{
    return (uint64_t *)(pte_pa(pte) + DIRECT_BASE);
}
static uint64_t satp_of(const uint64_t *root)
{
    return SATP_SV39 | arch_phys(root) >> PAGE_SHIFT;
}

uint64_t arch_phys(const void *p)
{
    uint64_t va = (uint64_t)(uintptr_t)p;
    return va >= IMAGE_BASE ? va - IMAGE_BASE + image_pa : va - DIRECT_BASE;
}

void *arch_direct(uint64_t pa, uint64_t len)
{
    uint64_t end = (uint64_t)DIRECT_GIB << 30;
    return pa < end && len <= end - pa ? (void *)(pa + DIRECT_BASE) : NULL;
}

void arch_image(uint64_t *pa, uint64_t *len)
{
    *pa = image_pa;
    *len = (uint64_t)(_end - _start);
}

static void flush_all(void)
{
    __asm__ volatile("sfence.vma" ::: "memory"); // Priv 4.2.1
}
static void flush_page(uint64_t va)
{
    __asm__ volatile("sfence.vma %0, zero" ::"r"(va) : "memory");
}
static void fence_i(void)
{
    __asm__ volatile("fence.i" ::: "memory"); // Unprivileged, chapter "Zifencei"
}

// --- The image -----------------------------------------------------------------------------------

static uint64_t image_rights(const uint8_t *page)
{
    const uint64_t base = PTE_V | PTE_A | PTE_G;
    if (page < _etext)
        return base | PTE_R | PTE_X;
    if (page < _erodata)
        return base | PTE_R;
    for (unsigned i = 0; i < HARTS_MAX; i++)
        if (page == hart_stacks[i])
            return 0; // guard: an overflow faults instead of writing over the next one's stack
    return base | PTE_R | PTE_W | PTE_D;
}

void sv39_protect(void)
{
    for (uint8_t *page = _start; page < _end; page += PAGE_SIZE) {
        uint64_t number = (uint64_t)(page - _start) >> PAGE_SHIFT;
        uint64_t rights = image_rights(page);
        image_tables[number / ENTRIES][number % ENTRIES] =
            rights ? pte_of(arch_phys(page), rights) : 0;
    }
    // Entry 0 would be the 2 MiB below IMAGE_BASE.
    for (unsigned i = 0; i < IMAGE_TABLES; i++)
        image_root[1 + i] = pte_of(arch_phys(image_tables[i]), PTE_V);
    flush_all();
}

// --- Harts' view ---------------------------------------------------------------------------------

static uint32_t bit_of(const struct hart *h)
{
    return 1u << h->index;
}

static void load_root(struct node *n, uint64_t satp)
{
    csr_write(satp, satp);
    flush_all();
    n->stat.aspace_loads++;
}

void sv39_load(struct hart *h, struct arch_aspace *as)
{
    struct arch_aspace *old = h->arch.aspace;
    if (old == as)
        return;
    if (old)
        __atomic_fetch_and(&old->loaded_on, ~bit_of(h), __ATOMIC_RELEASE);
    __atomic_fetch_or(&as->loaded_on, bit_of(h), __ATOMIC_RELEASE);
    h->arch.aspace = as;
    load_root(h->node, as->satp);
    fence_i(); // code may have been mapped while it was not loaded here
}

void sv39_leave(struct hart *h)
{
    struct arch_aspace *as = h->arch.aspace;
    h->arch.leave = 0;
    if (!as)
        return;
    load_root(h->node, satp_of(kernel_root));
    h->arch.aspace = NULL;
    h->arch.ready = NULL;
    __atomic_fetch_and(&as->loaded_on, ~bit_of(h), __ATOMIC_RELEASE);
}

void sv39_catch_up(struct hart *h)
{
    if (h->arch.stale & STALE_TLB)
        flush_all();
    if (h->arch.stale & STALE_CODE)
        fence_i();
    h->arch.stale = 0;
}

// Marks the idle ones among the other harts that have as loaded; answers the ids of the rest.
static uint64_t others(struct node *n, const struct arch_aspace *as, uint32_t stale)
{
    uint64_t ids = 0;
    uint32_t mask = as->loaded_on & ~bit_of(this_hart());
    for (unsigned i = 0; mask >> i; i++) {
        struct hart *h = &n->harts[i];
        if (!(mask >> i & 1))
            continue;
        if (h->arch.idle)
            h->arch.stale |= stale;
        else
            ids |= 1ull << h->arch.hartid;
    }
    return ids;
}

static bool loaded_here(const struct arch_aspace *as)
{
    return (as->loaded_on & bit_of(this_hart())) != 0;
}

static void flush(struct node *n, struct arch_aspace *as, uint64_t va, uint64_t len)
{
    if (loaded_here(as)) {
        if (len > 8 * PAGE_SIZE)
            flush_all();
        else
            for (uint64_t off = 0; off < len; off += PAGE_SIZE)
                flush_page(va + off);
    }
    uint64_t ids = others(n, as, STALE_TLB);
    if (ids)
        sbi_remote_sfence_vma(ids, va, len);
}

// --- arch.h --------------------------------------------------------------------------------------

int arch_aspace_init(struct node *n, struct arch_aspace *as)
{
    *as = (struct arch_aspace){.root = page_take_kept(n, KEPT_ROOT)};
    bool ready = as->root != NULL;
    if (!ready)
        as->root = page_alloc_raw(n);
    if (!as->root)
        return -E_MEM;
    as->satp = satp_of(as->root);
    if (ready)
        return 0;
    words_clear(as->root, PAGE_SIZE / 2);
    words_copy(as->root + ENTRIES / 2, kernel_root + ENTRIES / 2, PAGE_SIZE / 2);
    return 0;
}

static void leave_everywhere(struct node *n, struct arch_aspace *as)
{
    struct hart *here = this_hart();
    if (here->arch.aspace == as)
        sv39_leave(here);
    uint32_t mask = as->loaded_on;
    for (unsigned i = 0; mask >> i; i++)
        if (mask >> i & 1) {
            n->harts[i].arch.leave = 1;
            arch_kick(&n->harts[i]);
        }
    // They are idle or wait for the lock that we hold: both look at `leave`.
    while (__atomic_load_n(&as->loaded_on, __ATOMIC_ACQUIRE))
        ;
}

// Frees the tables below this one and empties it.
static void free_tables(struct node *n, struct arch_aspace *as, uint64_t *table, unsigned level,
                        unsigned entries)
{
    for (unsigned i = 0; i < entries && as->tables > 0; i++) {
        if (!(table[i] & PTE_V))
            continue;
        uint64_t *below = pte_table(table[i]);
        table[i] = 0;
        as->tables--;
        if (level > 1)
            free_tables(n, as, below, level - 1, ENTRIES);
        if (level > 1 || as->nfew <= ASPACE_FEW)
            page_keep(n, KEPT_ZERO, below); // all entries that it had are gone
        else
            page_drop(n, below);
    }
}

void arch_aspace_free(struct node *n, struct arch_aspace *as)
{
    if (!as->root)
        return;
    leave_everywhere(n, as);
    for (uint32_t i = 0; i < as->nfew && as->nfew <= ASPACE_FEW; i++)
        *as->few[i] = 0;
    free_tables(n, as, as->root, 2, ENTRIES / 2);
    ASSERT(as->tables == 0);
    page_keep(n, KEPT_ROOT, as->root);
    as->root = NULL;
}

// The entry for va in the lowest table; NULL: no table there (make: and no memory for one).
static uint64_t *find(struct node *n, struct arch_aspace *as, uint64_t va, bool make)
{
    uint64_t *table = as->root;
    for (unsigned level = 2; level > 0; level--) {
        uint64_t *pte = &table[entry_of(va, level)];
        if (!(*pte & PTE_V)) {
            void *page = make ? page_alloc(n) : NULL;
            if (!page)
                return NULL;
            as->tables++;
            // Its zeros before itself, as other harts walk these tables right now.
            __atomic_store_n(pte, pte_of(arch_phys(page), PTE_V), __ATOMIC_RELEASE);
        }
        table = pte_table(*pte);
    }
    return &table[entry_of(va, 0)];
}

static uint64_t user_rights(unsigned prot)
{
    uint64_t bits = PTE_V | PTE_U | PTE_A;
    if (prot & (PROT_R | PROT_W)) // W alone is reserved: Priv 4.3.1
        bits |= PTE_R;
    if (prot & PROT_W)
        bits |= PTE_W | PTE_D;
    if (prot & PROT_X)
        bits |= PTE_X;
    return bits;
}

static void make_fetchable(struct node *n, struct arch_aspace *as)
{
    fence_i();
    uint64_t ids = others(n, as, STALE_CODE);
    if (ids)
        sbi_remote_fence_i(ids);
}

int arch_aspace_map(struct node *n, struct arch_aspace *as, uint64_t va, void *page, unsigned prot)
{
    ASSERT(as->root != NULL);
    ASSERT(va % PAGE_SIZE == 0 && va < USER_END);
    if (!(prot &
          (PROT_R | PROT_W | PROT_X))) { // an entry without rights would mean a further table
        arch_aspace_unmap(n, as, va, PAGE_SIZE);
        return 0;
    }
    uint64_t *pte = find(n, as, va, true);
    if (!pte)
        return -E_MEM;
    uint64_t old = *pte;
    uint64_t new = pte_of(arch_phys(page), user_rights(prot));
    if ((prot & PROT_X) && old != new)
        make_fetchable(n, as);
    __atomic_store_n(pte, new, __ATOMIC_RELEASE);
    if (!(old & PTE_V)) {
        if (as->nfew < ASPACE_FEW)
            as->few[as->nfew] = pte;
        if (as->nfew <= ASPACE_FEW)
            as->nfew++;
        return 0;
    }
    if (pte_pa(old) == pte_pa(new) &&
        (old & ~new) == 0) { // no right lost: who faults will come here
        if (loaded_here(as))
            flush_page(va);
    } else {
        flush(n, as, va, PAGE_SIZE);
    }
    return 0;
}

void arch_aspace_unmap(struct node *n, struct arch_aspace *as, uint64_t va, uint64_t len)
{
    ASSERT(va % PAGE_SIZE == 0 && va <= USER_END && len <= USER_END - va);
    if (!as->root)
        return;
    bool changed = false;
    for (uint64_t at = va; at < va + len;) {
        uint64_t *pte = find(n, as, at, false);
        if (!pte) { // nothing in the 2 MiB around it
            at = (at | (ENTRIES * PAGE_SIZE - 1)) + 1;
            continue;
        }
        changed |= (*pte & PTE_V) != 0;
        *pte = 0;
        at += PAGE_SIZE;
    }
    if (changed)
        flush(n, as, va, len);
}

void arch_aspace_protect(struct node *n, struct arch_aspace *as, uint64_t va, uint64_t len)
{
    ASSERT(va % PAGE_SIZE == 0 && va <= USER_END && len <= USER_END - va);
    if (!as->root)
        return;
    bool changed = false;
    for (uint64_t at = va; at < va + len;) {
        uint64_t *pte = find(n, as, at, false);
        if (!pte) {
            at = (at | (ENTRIES * PAGE_SIZE - 1)) + 1;
            continue;
        }
        if (*pte & PTE_W) {
            // In one store: other harts walk these tables, and set bits of their own in them (Priv 4.3.1, scheme with
            // hardware updates of A and D). Those are preset, so nothing of theirs is lost.
            __atomic_store_n(pte, *pte & ~(uint64_t)(PTE_W | PTE_D), __ATOMIC_RELEASE);
            changed = true;
        }
        at += PAGE_SIZE;
    }
    if (changed)
        flush(n, as, va, len);
}
