// SPDX-License-Identifier: BSD-2-Clause
// One mistake of your choice. The kernel ends the process and tells its owner what happened and where; node and
// neighbours do not notice.
//
//   fault illegal       an instruction that no RISC-V has
//   fault null          a load through a NULL pointer
//   fault write         a store into the program's own text, which is mapped read and execute
//   fault execute       a jump into data
//   fault kernel        a load from the kernel's half of the address space
//   fault stack         recursion without end: the stack grows until something is in its way
//   fault thread        the same in a second thread, whose stack has neighbours: a guard page is in the way
//   fault memory        more memory than there is
//   fault privileged    an instruction for the kernel only
//   fault break         a breakpoint with no debugger about
//   fault div           a division by zero: no fault on RISC-V, the quotient is -1
//   fault misaligned    a load from an odd address: hardware or firmware makes it work, or a fault
//   fault atomic        an atomic addition to an odd address: a fault everywhere
//   fault abort         abort(): status 134
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/lib/rotifer.h"

static volatile uint64_t data[4] = {0x1122334455667788, 0x99aabbccddeeff00};

static void illegal(void)
{
    __asm__ volatile(".4byte 0xffffffff");
}

static void null(void)
{
    volatile uint64_t *p = NULL;
    __asm__ volatile("" : "+r"(p)); // the compiler shall not know
    printf("read %lx\n", *p);
}

static void write_text(void)
{
    volatile uint32_t *p = (volatile uint32_t *)(uintptr_t)write_text;
    __asm__ volatile("" : "+r"(p));
    *p = 0;
}

static void execute(void)
{
    void (*f)(void) = (void (*)(void))(uintptr_t)data;
    __asm__ volatile("" : "+r"(f));
    f();
}

static void kernel(void)
{
    volatile uint64_t *p = (volatile uint64_t *)0xffffffff80200000;
    printf("read %lx\n", *p);
}

static uint64_t recurse(uint64_t depth)
{
    volatile char frame[1024];
    if (depth == UINT64_MAX) // never: but a compiler that knew would refuse the recursion
        return 0;
    frame[depth % sizeof frame] = (char)depth;
    __asm__ volatile("" : "+r"(depth));
    return recurse(depth + 1) + (uint64_t)frame[0];
}

static void stack(void)
{
    printf("result %lu\n", recurse(0));
}

static void *run_away(void *arg)
{
    stack();
    return arg;
}

static void thread(void)
{
    struct thread *t = thread_create(run_away, NULL, 0);
    if (t)
        thread_join(t);
    else
        perror("fault: thread_create");
}

// malloc says NULL when the process may have no more. A node may promise more than it has: then the first touch of a
// page that it has not is a fault.
static void memory(void)
{
    enum { MIB = 1 << 20 };
    unsigned taken = 0;
    for (char *p; (p = malloc(MIB)) != NULL; taken++)
        memset(p, 1, MIB);
    printf("malloc returned NULL after %u MiB\n", taken);
}

static void privileged(void)
{
    uint64_t x;
    __asm__ volatile("csrr %0, sstatus" : "=r"(x));
    printf("sstatus %lx\n", x);
}

static void breakpoint(void)
{
    __asm__ volatile("ebreak");
}

static void divide(void)
{
    int64_t quotient, rest; // in C a division by zero may be anything: so in assembly
    __asm__ volatile("div %0, %2, %3\n\trem %1, %2, %3" : "=&r"(quotient), "=&r"(rest) : "r"(1l), "r"(0l));
    printf("1 / 0 = %ld, 1 %% 0 = %ld\n", quotient, rest);
}

static void misaligned(void)
{
    const volatile char *p = (const volatile char *)data + 1;
    uint64_t x;
    __asm__ volatile("ld %0, (%1)" : "=r"(x) : "r"(p) : "memory");
    printf("read %lx, %s\n", x, x == 0x0011223344556677 ? "right" : "WRONG");
}

static void atomic(void)
{
    __asm__ volatile("amoadd.d zero, zero, (%0)" ::"r"((uintptr_t)data + 1) : "memory");
}

static const struct {
    const char *name;
    void (*make)(void);
    const char *what;
} mistakes[] = {
    {"illegal", illegal, "an instruction that no RISC-V has"},
    {"null", null, "a load through a null pointer"},
    {"write", write_text, "a store into code"},
    {"execute", execute, "a jump into data"},
    {"kernel", kernel, "a load from the kernel's half"},
    {"stack", stack, "recursion without end"},
    {"thread", thread, "the same in a second thread"},
    {"memory", memory, "more memory than there is"},
    {"privileged", privileged, "an instruction for the kernel only"},
    {"break", breakpoint, "a breakpoint without a debugger"},
    {"div", divide, "a division by zero: not a fault here"},
    {"misaligned", misaligned, "a load from an odd address: not a fault here"},
    {"atomic", atomic, "an atomic addition to an odd address"},
    {"abort", abort, "abort(): status 134"},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof mistakes / sizeof *mistakes; i++)
        if (strcmp(argv[1], mistakes[i].name) == 0) {
            printf("fault: %s\n", argv[1]);
            mistakes[i].make();
            printf("fault: still alive\n");
            return 0;
        }
    fprintf(stderr, "usage: fault MISTAKE, one of:\n");
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++)
        fprintf(stderr, "  %-12s %s\n", mistakes[i].name, mistakes[i].what);
    return 2;
}
