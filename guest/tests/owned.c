// SPDX-License-Identifier: BSD-2-Clause
// Makes a mistake of your choice, after asking owner.c to be its owner; with some of them the owner repairs it, and
// this says what came of it.
//
//   owned NAME MISTAKE      NAME: under which owner.c is to be found, by the same --meet
#include "guest/tests/owner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/lib/rotifer.h"

static volatile uint64_t data[4] = {1, 2, 3, 4};

static void illegal(void)
{
    __asm__ volatile(".4byte 0xffffffff");
}
static void unmapped(void)
{
    *(volatile uint64_t *)0x700000000;
}
static void text(void)
{
    volatile uint32_t *p = (volatile uint32_t *)(uintptr_t)text;
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
    void (*f)(void) = (void (*)(void))0xffffffff80200000;
    __asm__ volatile("" : "+r"(f));
    f();
}
static uint64_t deeper(uint64_t depth)
{
    volatile char frame[1024];
    if (depth == UINT64_MAX)
        return 0;
    frame[depth % sizeof frame] = (char)depth;
    __asm__ volatile("" : "+r"(depth));
    return deeper(depth + 1) + (uint64_t)frame[0];
}
static void stack(void)
{
    printf("%lu\n", deeper(0));
}
static void privileged(void)
{
    __asm__ volatile("csrr zero, sstatus" ::: "memory");
}
// A node promises more than it has: all of it is mapped, and then touched.
static void memory(void)
{
    enum { MIB = 1 << 20 };
    for (char *p; (p = malloc(MIB)) != NULL;)
        memset(p, 1, MIB);
}
static void breakpoint(void)
{
    __asm__ volatile("ebreak");
}
static void atomic(void)
{
    __asm__ volatile("amoadd.d zero, zero, (%0)" ::"r"((uintptr_t)data + 1) : "memory");
}

// The architecture gives these results, and no fault (unprivileged specification, 7.2).
static void divide(void)
{
    int64_t q, r, oq, orest;
    __asm__ volatile("div %0, %4, zero\n\trem %1, %4, zero\n\tdiv %2, %5, %6\n\trem %3, %5, %6"
                     : "=&r"(q), "=&r"(r), "=&r"(oq), "=&r"(orest)
                     : "r"(7l), "r"(INT64_MIN), "r"(-1l));
    printf("owned: 7/0 = %ld, 7%%0 = %ld; min/-1 = %s, min%%-1 = %ld\n", q, r, oq == INT64_MIN ? "min" : "?", orest);
}

// The owner maps the page that is missing.
static void missing(void)
{
    volatile uint64_t *p = (volatile uint64_t *)OWNER_PAGE;
    __asm__ volatile("" : "+r"(p));
    *p = *p + 5;
    printf("owned: the page is there: %lu\n", *p);
}

// The owner puts 42 into a0 and goes on behind it.
static void question(void)
{
    register uint64_t a0 __asm__("a0") = 0;
    __asm__ volatile(".option push\n\t.option norvc\n\tebreak\n\t.option pop" : "+r"(a0));
    printf("owned: the answer is %lu\n", a0);
}

// None: it lives until somebody ends it.
static void idle(void)
{
    printf("owned: idle\n");
    for (;;)
        sleep_ms(1000);
}

static const struct {
    const char *name;
    void (*make)(void);
} mistakes[] = {
    {"illegal", illegal},   {"privileged", privileged}, {"unmapped", unmapped}, {"text", text},
    {"execute", execute},   {"kernel", kernel},         {"stack", stack},       {"memory", memory},
    {"break", breakpoint},  {"atomic", atomic},         {"divide", divide},     {"missing", missing},
    {"question", question}, {"wrong", breakpoint},      {"refuse", breakpoint}, {"keep", breakpoint},
    {"idle", idle},
};

int main(int argc, char **argv)
{
    struct cap owner;
    struct self self;
    int64_t e = argc == 3 ? dir_lookup(NULL, argv[1], &owner) : -E_ARG;
    sys_self(&self);
    const uint64_t args[4] = {self.process};
    if (e == 0)
        e = trans(&owner, OWNER_ADOPT, args, argv[2], strlen(argv[2]), NULL, 0, NULL);
    if (e < 0) {
        printf("owned: %s\n", error_string(e));
        return 2;
    }
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++)
        if (strcmp(argv[2], mistakes[i].name) == 0)
            mistakes[i].make();
    printf("owned: alive\n");
    trans(&owner, OWNER_BACK, args, NULL, 0, NULL, 0, NULL);
    return 0;
}
