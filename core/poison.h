// SPDX-License-Identifier: BSD-2-Clause
// Marks memory that is free in one of our own allocators, so that AddressSanitizer, which knows malloc only, reports
// its use. Without the sanitizer these are nothing.
#ifndef CORE_POISON_H
#define CORE_POISON_H

#include <stddef.h>

#ifdef __has_feature // clang's name for what gcc defines
#if __has_feature(address_sanitizer)
#define POISON_WORKS 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define POISON_WORKS 1
#endif

#ifdef POISON_WORKS
// poison() marks len bytes at p as free: from then on any access of compiled code to them is reported. unpoison() takes
// the mark away. Both do nothing without the sanitizer, whose functions are __asan_poison_memory_region and
// __asan_unpoison_memory_region (<sanitizer/asan_interface.h>).
// Callers: allocators (page.c, pool.c), for memory that is theirs.
void __asan_poison_memory_region(const volatile void *p, size_t len);
void __asan_unpoison_memory_region(const volatile void *p, size_t len);
static inline void poison(const void *p, size_t len)
{
    __asan_poison_memory_region(p, len);
}
static inline void unpoison(const void *p, size_t len)
{
    __asan_unpoison_memory_region(p, len);
}
#else
static inline void poison(const void *p, size_t len)
{
    (void)p, (void)len;
}
static inline void unpoison(const void *p, size_t len)
{
    (void)p, (void)len;
}
#endif

#endif
