// SPDX-License-Identifier: BSD-2-Clause
// A hart in the kernel. Interrupts are off here (sstatus.SIE = 0, always): they come from U-mode as traps, and in the
// idle loop wfi returns when one is pending (Priv 3.3.3: also when it is off in sstatus).
#include "arch/riscv/hart.h"

#include <stdio.h>

#include "arch/riscv/boot.h"
#include "arch/riscv/csr.h"
#include "arch/riscv/sbi.h"
#include "arch/riscv/sv39.h"
#include "core/config.h"
#include "core/entry.h"
#include "core/node.h"
#include "core/panic.h"

// The lowest page of each is a guard (sv39_protect).
uint8_t hart_stacks[HARTS_MAX][STACK_GUARD + STACK_SIZE] __attribute__((aligned(4096)));
uint8_t panic_stack[STACK_SIZE] __attribute__((aligned(16)));
uint64_t panic_owner; // struct hart of the first to fault in the kernel, see trap.S

static struct arch_config config;

void trap_entry(void);
_Noreturn void trap_out(void);
void hart_entry(void);
extern struct hart *hart_by_id[HART_IDS]; // entry.S: a hart that starts finds its record by its id

struct hart *arch_this_hart(void)
{
    return this_hart();
}

uint64_t arch_isa(void)
{
    return config.isa;
}

// --- The lock ------------------------------------------------------------------------------------
// The lock is a word: 0, or the mark of the hart that holds it (the low half of its address), with LOCK_SLEPT_FOR added
// while harts sleep for the lock. trap.S has the first attempt to take it and the usual way to give it up.
//
// The first hart to come takes a free lock. A strict queue would be slower, most of all where harts are threads of an
// emulator and the first in the queue may not be running. But harts that go in and out all the time could keep another
// one out for seconds. So a hart that has waited for LOCK_PATIENCE is overdue, and while one is, the others do not even
// try.
//
// A hart that has waited for LOCK_SPIN sleeps. On a board the lock is seldom held for so long. On an emulator with
// fewer cores than harts, a hart that spins takes the core away from the hart that holds the lock.
//
// No hart sleeps for ever: while one sleeps, the flag is in the word, or another hart that waits is awake. A hart that
// gives up a word with the flag wakes one sleeper. The sleeper takes the lock and sets the flag if more harts sleep, or
// it sleeps again and sets the flag.

#define LOCK_SLEPT_FOR 1u
#define LOCK_PATIENCE_NS (2 * NS_PER_MS)
#define LOCK_SPIN_NS 20000u

static uint32_t lock_mark(const struct hart *h)
{
    return (uint32_t)(uintptr_t)h;
}

static bool holds(const struct arch_lock *l, const struct hart *h)
{
    return (l->held & ~LOCK_SLEPT_FOR) == lock_mark(h);
}

// Returns the hart, other than me, that has slept for the longest; NULL: none sleeps.
static struct hart *first_asleep(const struct hart *me)
{
    struct node *n = me->node;
    struct hart *first = NULL;
    for (unsigned i = 0; i < n->nharts; i++) {
        struct hart *h = &n->harts[i];
        if (h != me && h->arch.asleep && (!first || h->arch.asleep_ns < first->arch.asleep_ns))
            first = h;
    }
    return first;
}

static bool lock_try(struct arch_lock *l, const struct hart *h)
{
    uint32_t unheld = 0, mark = lock_mark(h) | (first_asleep(h) ? LOCK_SLEPT_FOR : 0);
    return __atomic_compare_exchange_n(&l->held, &unheld, mark, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

// Sleeps until woken, or interrupted otherwise. The holder cannot miss this hart, which notes that it sleeps before it
// sets the flag.
static void lock_sleep(struct arch_lock *l, struct hart *h, uint64_t since_ns)
{
    h->arch.asleep_ns = since_ns;
    __atomic_store_n(&h->arch.asleep, 1, __ATOMIC_SEQ_CST);
    uint32_t held = l->held;
    if (held != 0 && __atomic_compare_exchange_n(&l->held, &held, held | LOCK_SLEPT_FOR, false, __ATOMIC_SEQ_CST,
                                                 __ATOMIC_RELAXED)) {
        uint64_t enabled = csr_read(sie);
        csr_write(sie, INT_SOFT); // a timer that is due would end each wfi at once
        __asm__ volatile("wfi" ::: "memory");
        csr_write(sie, enabled);
        csr_clear(sip, INT_SOFT); // lock_wait sets it again if it was a kick
    }
    // All harts must see this before lock_try looks for others that sleep: a holder that took this hart for asleep woke
    // no other, so this hart must set the flag for them.
    __atomic_store_n(&h->arch.asleep, 0, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void lock_wake(void)
{
    const struct hart *h = first_asleep(this_hart());
    if (h)
        sbi_send_ipi(1ull << h->arch.hartid);
}

// A hart that waits must still leave an address space when asked: the holder may be waiting for just that.
void lock_wait(struct arch_lock *l)
{
    struct hart *h = this_hart();
    uint64_t since = arch_now_ns();
    bool overdue = false;
    while (l->held || (l->overdue && !overdue) || !lock_try(l, h)) {
        if (h->arch.leave)
            sv39_leave(h);
        uint64_t waited = arch_now_ns() - since;
        if (!overdue && waited > LOCK_PATIENCE_NS) {
            overdue = true;
            __atomic_fetch_add(&l->overdue, 1, __ATOMIC_RELAXED);
        }
        if (waited > LOCK_SPIN_NS)
            lock_sleep(l, h, since);
    }
    if (overdue)
        __atomic_fetch_sub(&l->overdue, 1, __ATOMIC_RELAXED);
    if (h->arch.kicked) // a kick may have ended a sleep: interrupts() has still to serve it
        csr_set(sip, INT_SOFT);
}

void arch_lock(struct arch_lock *l)
{
    ASSERT(!holds(l, this_hart()));
    lock_wait(l);
}

void arch_unlock(struct arch_lock *l)
{
    ASSERT(holds(l, this_hart()));
    if (__atomic_exchange_n(&l->held, 0, __ATOMIC_ACQ_REL) & LOCK_SLEPT_FOR)
        lock_wake();
}

// --- Interrupts ----------------------------------------------------------------------------------

void arch_kick(struct hart *h)
{
    if (h->arch.kicked && !h->arch.leave)
        return;
    h->arch.kicked = 1;
    sbi_send_ipi(1ull << h->arch.hartid);
}

// Serves all interrupts that are pending, so that one trap is enough for several.
static void interrupts(struct hart *h)
{
    uint64_t pending = csr_read(sip) & csr_read(sie);
    if (pending & INT_SOFT) {
        csr_clear(sip, INT_SOFT); // before the flag: a kick from now on is sent again
        h->arch.kicked = 0;
        entry_kick(h);
    }
    if (pending & INT_TIMER) {
        timer_fired(h);
        entry_timer(h);
    }
    if (pending & INT_EXTERNAL)
        entry_external(h);
}

// --- The way out ---------------------------------------------------------------------------------

void trap_idle(struct hart *h)
{
    h->arch.idle = 1;
    arch_unlock(&h->node->lock);
    __asm__ volatile("wfi" ::: "memory");
    if (h->arch.leave)
        sv39_leave(h);
    arch_lock(&h->node->lock);
    h->arch.idle = 0;
    if (h->arch.stale)
        sv39_catch_up(h);
    interrupts(h);
}

void trap_switch(struct hart *h, struct thread *t)
{
    sv39_load(h, &t->proc->aspace);
    fp_switch(h, &t->regs);
    h->arch.ready = t;
}

void trap_switch_to(struct hart *h, struct thread *next, struct thread *was)
{
    if (was->regs.fp && h->arch.fp_owner == was->regs.fp)
        arch_fp_save(h, &was->regs);
    if (h->arch.aspace != &next->proc->aspace)
        sv39_load(h, &next->proc->aspace);
    if (next->regs.fp || h->arch.fp_owner)
        fp_switch(h, &next->regs);
    h->arch.ready = next;
}

// --- The way in ----------------------------------------------------------------------------------

static enum fault_kind kind_of(uint64_t cause)
{
    switch (cause) {
    case CAUSE_LOAD_PAGE: return FAULT_READ;
    case CAUSE_STORE_PAGE: return FAULT_WRITE;
    case CAUSE_FETCH_PAGE: return FAULT_EXEC;
    case CAUSE_ILLEGAL: return FAULT_ILLEGAL;
    case CAUSE_BREAK: return FAULT_BREAK;
    case CAUSE_FETCH_MISALIGNED:
    case CAUSE_LOAD_MISALIGNED:
    case CAUSE_STORE_MISALIGNED: return FAULT_MISALIGNED;
    case CAUSE_FETCH_ACCESS:
    case CAUSE_LOAD_ACCESS:
    case CAUSE_STORE_ACCESS: return FAULT_ACCESS;
    default: return FAULT_OTHER;
    }
}

void trap_other(struct hart *h, struct thread *t, uint64_t cause, uint64_t value)
{
    if (cause & CAUSE_INTERRUPT)
        interrupts(h);
    else if (cause != CAUSE_ILLEGAL || !fp_first_use(h, t))
        entry_fault(h, t, kind_of(cause), value, cause);
}

static void print_line(const char *text)
{
    while (*text)
        arch_putc(*text++);
    arch_putc('\n');
}

void trap_kernel(uint64_t cause, uint64_t pc, uint64_t value, uint64_t sp, uint64_t fp)
{
    print_line("\nfault in the kernel:");
    backtrace_from(pc, fp, print_line);
    uint64_t guard = (uint64_t)(uintptr_t)hart_stacks[this_hart()->index];
    const char *what = value >= guard && value < guard + STACK_GUARD ? ", hart stack overflow" : "";
    panic("cause %lu%s, pc %016lx, stval %016lx, sp %016lx", (unsigned long)cause, what, (unsigned long)pc,
          (unsigned long)value, (unsigned long)sp);
}

// --- Starting ------------------------------------------------------------------------------------

void arch_hart_init(struct hart *h, struct node *n, unsigned index, uint64_t hartid)
{
    ASSERT((uint64_t)(int64_t)(int32_t)lock_mark(h) == (uint64_t)(uintptr_t)h); // trap.S: leave_kernel
    *h = (struct hart){.node = n, .index = index};
    h->arch.hartid = hartid;
    h->arch.timer_at = UINT64_MAX;
    h->arch.stack_top = hart_stacks[index] + sizeof hart_stacks[index];
}

static void hart_setup(struct hart *h)
{
    __asm__ volatile("mv tp, %0" ::"r"(h));
    csr_write(sscratch, h);
    csr_write(stvec, trap_entry);
    csr_clear(sstatus, SSTATUS_SIE | SSTATUS_SPIE | SSTATUS_SPP | SSTATUS_FS | SSTATUS_VS | SSTATUS_SUM | SSTATUS_MXR);
    csr_clear(sip, INT_SOFT);
    csr_write(sie, INT_SOFT | INT_EXTERNAL);
    // Guests may read cycle, time and instret (Priv 4.1.5): benchmarks count instructions with them. They are this
    // hart's own and jump when a process moves; SYS_TIME does not.
    csr_write(scounteren, 7);
}

void arch_early_init(struct hart *boot)
{
    hart_setup(boot);
    sbi_init();
    sv39_protect();
}

void arch_configure(const struct arch_config *c)
{
    config = *c;
    timer_configure(c->timebase_hz, c->sstc);
}

bool arch_hart_start(struct hart *h)
{
    if (!sbi.hsm || !sbi.ipi || !sbi.rfence)
        return false;
    ASSERT(h->arch.hartid < HART_IDS);
    __atomic_store_n(&hart_by_id[h->arch.hartid], h, __ATOMIC_RELEASE);
    return sbi_hart_start(h->arch.hartid, arch_phys((const void *)(uintptr_t)hart_entry), 0) == 0;
}

void hart_main(struct hart *h)
{
    hart_setup(h);
    arch_lock(&h->node->lock);
    entry_hart_online(h->node, h);
    trap_out();
}

void arch_enter(struct hart *h)
{
    // The stack from its top again: nothing below is needed any more.
    __asm__ volatile("mv sp, %0\n    mv a0, %1\n    li s0, 0\n    tail hart_main" ::"r"(h->arch.stack_top), "r"(h)
                     : "a0", "memory");
    __builtin_unreachable();
}

const char *arch_firmware(void)
{
    static char text[48];
    snprintf(text, sizeof text, "%s, SBI %u.%u%s", sbi.implementation == 1 ? "OpenSBI" : "firmware", sbi.version >> 24,
             sbi.version & 0xffffffu, sbi.dbcn ? " with debug console" : "");
    return text;
}

// --- Stopping ------------------------------------------------------------------------------------

static void (*stop_device)(int status);

void arch_stop_device(void (*stop)(int status))
{
    stop_device = stop;
}

void arch_stop(int status)
{
    if (stop_device)
        stop_device(status);
    sbi_shutdown(status != 0);
    print_line("The firmware cannot switch off. Stopped.");
    for (;;)
        __asm__ volatile("wfi");
}
