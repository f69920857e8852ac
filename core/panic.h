// SPDX-License-Identifier: BSD-2-Clause
// The kernel's own mistakes: a condition that must hold, and the end when it does not. Implemented by boards/panic.c in
// a kernel, by arch/host in a process of Linux.
// Callers: any context, with or without the node lock.
#ifndef CORE_PANIC_H
#define CORE_PANIC_H

// Prints what, where and the last trace events, and stops the machine. fmt as printf.
_Noreturn void panic(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define ASSERT(cond) ((cond) ? (void)0 : panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #cond))

#endif
