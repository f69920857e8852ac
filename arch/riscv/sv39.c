// SPDX-License-Identifier: BSD-2-Clause
// Address spaces. Priv = Privileged Architecture 1.12, chapter 4.
//
// On an emulator a change of satp or an sfence.vma costs 4-12 us, which decides how this is done: satp is written only
// when it changes, and a translation that was not there, or had fewer rights, is not flushed. Priv 4.2.1 lets a hart
// fault on it all the same; then the same entry is mapped again, and that flushes.
//
// Harts that are idle are not interrupted for a flush: they do it when they leave the idle loop (arch_hart.stale).
//
// A megapage may be one translation: a leaf in the middle one of three levels, in the place of a table (Priv 4.4.1).
// Code that changes a part of it first makes a table of it again (split), or removes the whole leaf if there is no page
// for a table; the next access faults it in again.
#include "arch/riscv/sv39.h"

#include "arch/riscv/boot.h"
#include "arch/riscv/csr.h"
#include "arch/riscv/sbi.h"
#include "core/config.h"
#include "core/error.h"
#include "core/node.h"
#include "core/panic.h"
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
static bool is_leaf(uint64_t pte)
{
    return (pte & (PTE_R | PTE_W | PTE_X)) != 0; // Priv 4.3.1, table 4.5
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
        image_tables[number / ENTRIES][number % ENTRIES] = rights ? pte_of(arch_phys(page), rights) : 0;
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

// For the other harts that have `as` loaded: notes `stale` in those that are idle, and returns the ids of the rest.
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

// The same after an entry that names a table has changed: an sfence.vma with an address flushes leaves only (Priv
// 4.2.1). Idle harts may still know the old table, but they use no address of a guest until they flush.
static void flush_table(struct node *n, struct arch_aspace *as)
{
    if (loaded_here(as))
        flush_all();
    uint64_t ids = others(n, as, STALE_TLB);
    if (ids)
        sbi_remote_sfence_vma(ids, 0, UINT64_MAX);
}

// --- arch.h --------------------------------------------------------------------------------------

int arch_aspace_init(struct node *n, struct arch_aspace *as)
{
    *as = (struct arch_aspace){.root = page_take_cached(n, CACHED_ROOT)};
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
    // Those harts are idle, or wait for the lock that this hart holds: in both states they look at `leave`.
    while (__atomic_load_n(&as->loaded_on, __ATOMIC_ACQUIRE))
        ;
}

// Frees the tables below this one and empties it.
static void free_tables(struct node *n, struct arch_aspace *as, uint64_t *table, unsigned level, unsigned entries)
{
    for (unsigned i = 0; i < entries && as->tables > 0; i++) {
        if ((table[i] & (PTE_V | PTE_R | PTE_W | PTE_X)) != PTE_V)
            continue; // empty, or a leaf
        uint64_t *below = pte_table(table[i]);
        table[i] = 0;
        as->tables--;
        if (level > 1)
            free_tables(n, as, below, level - 1, ENTRIES);
        if (level > 1 ? !as->megapages : as->ninline <= ASPACE_INLINE)
            page_cache(n, CACHED_ZERO, below); // all entries that it had are gone
        else
            page_drop(n, below);
    }
}

void arch_aspace_free(struct node *n, struct arch_aspace *as)
{
    if (!as->root)
        return;
    leave_everywhere(n, as);
    for (uint32_t i = 0; i < as->ninline && as->ninline <= ASPACE_INLINE; i++)
        *as->inline_entries[i] = 0;
    free_tables(n, as, as->root, 2, ENTRIES / 2);
    ASSERT(as->tables == 0);
    page_cache(n, CACHED_ROOT, as->root);
    as->root = NULL;
}

// Returns the table that *pte names; if it names none, a new one (make). NULL: none, or no memory.
static inline uint64_t *table_at(struct node *n, struct arch_aspace *as, uint64_t *pte, bool make)
{
    if (!(*pte & PTE_V)) {
        void *page = make ? page_alloc(n) : NULL;
        if (!page)
            return NULL;
        as->tables++;
        // The zeros in the page must be seen before the entry is: other harts walk these tables at this moment.
        __atomic_store_n(pte, pte_of(arch_phys(page), PTE_V), __ATOMIC_RELEASE);
    }
    return pte_table(*pte);
}

// Returns the entry for the megapage around va: it names a table, is a leaf, or is empty. NULL: there is no table for
// the entry (make: and no memory for one).
static inline uint64_t *middle(struct node *n, struct arch_aspace *as, uint64_t va, bool make)
{
    uint64_t *table = table_at(n, as, &as->root[entry_of(va, 2)], make);
    return table ? &table[entry_of(va, 1)] : NULL;
}

// Makes a table of the leaf *mid, with the same translations. False: no memory.
static bool split(struct node *n, struct arch_aspace *as, uint64_t *mid)
{
    uint64_t *table = page_alloc_raw(n);
    if (!table)
        return false;
    for (uint64_t i = 0; i < ENTRIES; i++)
        table[i] = *mid + (i << PTE_PPN_SHIFT);
    as->tables++;
    as->ninline = ASPACE_INLINE + 1;
    __atomic_store_n(mid, pte_of(arch_phys(table), PTE_V), __ATOMIC_RELEASE);
    flush_table(n, as); // no hart has one translation of an address from here and one from there
    return true;
}

// Returns the entry for va in the lowest table, which is made if there is none, or only a leaf. NULL: no memory.
static uint64_t *find(struct node *n, struct arch_aspace *as, uint64_t va)
{
    uint64_t *mid = middle(n, as, va, true);
    if (!mid || (is_leaf(*mid) && !split(n, as, mid)))
        return NULL;
    uint64_t *table = table_at(n, as, mid, true);
    return table ? &table[entry_of(va, 0)] : NULL;
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

// Notes that an entry of a lowest table was made: as long as they are few, arch_aspace_free clears just these.
static void remember(struct arch_aspace *as, uint64_t *pte)
{
    if (as->ninline < ASPACE_INLINE)
        as->inline_entries[as->ninline] = pte;
    if (as->ninline <= ASPACE_INLINE)
        as->ninline++;
}

// Writes `new` to the entry; when this returns, no hart uses the old translation of any address in [va, va + len).
static void put(struct node *n, struct arch_aspace *as, uint64_t *pte, uint64_t new, uint64_t va, uint64_t len)
{
    uint64_t old = *pte;
    __atomic_store_n(pte, new, __ATOMIC_RELEASE);
    if (!(old & PTE_V))
        return;
    if (pte_pa(old) == pte_pa(new) && (old & ~new) == 0) { // no right lost: a hart that faults comes here
        if (loaded_here(as))
            flush_page(va);
    } else {
        flush(n, as, va, len);
    }
}

int arch_aspace_map(struct node *n, struct arch_aspace *as, uint64_t va, void *page, unsigned prot)
{
    ASSERT(as->root != NULL);
    ASSERT(va % PAGE_SIZE == 0 && va < USER_END);
    if (!(prot & (PROT_R | PROT_W | PROT_X))) { // an entry without rights would mean a further table
        arch_aspace_unmap(n, as, va, PAGE_SIZE);
        return 0;
    }
    uint64_t *pte = find(n, as, va);
    if (!pte)
        return -E_MEM;
    uint64_t new = pte_of(arch_phys(page), user_rights(prot));
    if ((prot & PROT_X) && *pte != new)
        make_fetchable(n, as);
    if (*pte & PTE_V) {
        put(n, as, pte, new, va, PAGE_SIZE);
    } else {
        remember(as, pte);
        __atomic_store_n(pte, new, __ATOMIC_RELEASE);
    }
    return 0;
}

// Makes one leaf for the whole megapage at va.
static int map_megapage(struct node *n, struct arch_aspace *as, uint64_t va, uint64_t new)
{
    uint64_t *mid = middle(n, as, va, true);
    if (!mid)
        return -E_MEM;
    uint64_t old = *mid;
    as->megapages = true;
    as->ninline = ASPACE_INLINE + 1; // they may be in the table that goes
    if (!(old & PTE_V) || is_leaf(old)) {
        put(n, as, mid, new, va, MEGAPAGE_BYTES);
        return 0;
    }
    __atomic_store_n(mid, new, __ATOMIC_RELEASE);
    flush_table(n, as); // before the page that was the table is used for anything else
    as->tables--;
    page_drop(n, pte_table(old));
    return 0;
}

int arch_aspace_map_run(struct node *n, struct arch_aspace *as, uint64_t va, void *page, uint64_t len, unsigned prot)
{
    ASSERT(as->root != NULL);
    ASSERT(va % PAGE_SIZE == 0 && len % PAGE_SIZE == 0 && va < USER_END);
    ASSERT(len > 0 && va % MEGAPAGE_BYTES + len <= MEGAPAGE_BYTES);
    if (!(prot & (PROT_R | PROT_W | PROT_X))) {
        arch_aspace_unmap(n, as, va, len);
        return 0;
    }
    if (prot & PROT_X)
        make_fetchable(n, as);
    uint64_t new = pte_of(arch_phys(page), user_rights(prot));
    if (len == MEGAPAGE_BYTES && arch_phys(page) % MEGAPAGE_BYTES == 0)
        return map_megapage(n, as, va, new);
    uint64_t *pte = find(n, as, va); // those behind it are in the same table
    if (!pte)
        return -E_MEM;
    as->ninline = ASPACE_INLINE + 1;
    for (uint64_t i = 0; i < len >> PAGE_SHIFT; i++)
        put(n, as, &pte[i], new + (i << PTE_PPN_SHIFT), va + (i << PAGE_SHIFT), PAGE_SIZE);
    return 0;
}

// The part of [at, end) in the 2 MiB around at.
static uint64_t part_end(uint64_t at, uint64_t end)
{
    uint64_t next = (at | (MEGAPAGE_BYTES - 1)) + 1;
    return next < end ? next : end;
}

// Returns the lowest table for [at, end), which lies within one megapage, and in *mid the entry above it. NULL: there
// is none, or *mid is a leaf for just that, or a leaf that could not be split and is removed (no memory).
static uint64_t *table_of_part(struct node *n, struct arch_aspace *as, uint64_t at, uint64_t end, uint64_t **mid)
{
    *mid = middle(n, as, at, false);
    if (!*mid || !(**mid & PTE_V))
        return NULL;
    if (!is_leaf(**mid))
        return pte_table(**mid);
    if (end - at == MEGAPAGE_BYTES)
        return NULL;
    if (split(n, as, *mid))
        return pte_table(**mid);
    **mid = 0;
    flush(n, as, at & ~(MEGAPAGE_BYTES - 1), MEGAPAGE_BYTES);
    return NULL;
}

void arch_aspace_unmap(struct node *n, struct arch_aspace *as, uint64_t va, uint64_t len)
{
    ASSERT(va % PAGE_SIZE == 0 && va <= USER_END && len <= USER_END - va);
    if (!as->root)
        return;
    bool changed = false;
    for (uint64_t at = va, end; at < va + len; at = end) {
        uint64_t *mid;
        end = part_end(at, va + len);
        uint64_t *table = table_of_part(n, as, at, end, &mid);
        if (!table && mid && *mid) {
            *mid = 0;
            changed = true;
        }
        for (; table && at < end; at += PAGE_SIZE) {
            uint64_t *pte = &table[entry_of(at, 0)];
            changed |= (*pte & PTE_V) != 0;
            *pte = 0;
        }
    }
    if (changed)
        flush(n, as, va, len);
}

// Takes the right to write out of an entry; returns whether it was there. In one store, for other harts walk these
// tables. They may set A and D in them (Priv 4.3.1, scheme with hardware updates), but those are preset, so no update
// is lost.
static bool take_write(uint64_t *pte)
{
    if (!(*pte & PTE_W))
        return false;
    __atomic_store_n(pte, *pte & ~(uint64_t)(PTE_W | PTE_D), __ATOMIC_RELEASE);
    return true;
}

void arch_aspace_protect(struct node *n, struct arch_aspace *as, uint64_t va, uint64_t len)
{
    ASSERT(va % PAGE_SIZE == 0 && va <= USER_END && len <= USER_END - va);
    if (!as->root)
        return;
    bool changed = false;
    for (uint64_t at = va, end; at < va + len; at = end) {
        uint64_t *mid;
        end = part_end(at, va + len);
        uint64_t *table = table_of_part(n, as, at, end, &mid);
        if (!table && mid)
            changed |= take_write(mid);
        for (; table && at < end; at += PAGE_SIZE)
            changed |= take_write(&table[entry_of(at, 0)]);
    }
    if (changed)
        flush(n, as, va, len);
}
