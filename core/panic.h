// SPDX-License-Identifier: BSD-2-Clause
// The kernel's own mistakes: a condition that must hold, and the end when it does not. Implemented by boards/panic.c in
// a kernel, by arch/host in a process of Linux.
// Callers: any context, with or without the node lock.
#ifndef CORE_PANIC_H
#define CORE_PANIC_H

// Prints what, where and the last trace events, and stops the machine. fmt as printf.
_Noreturn void panic(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

// Stops the machine: the condition in this line of the file does not hold.
_Noreturn void assert_failed(const char *file, int line);

// In an image the texts of the conditions would take one byte of sixteen; file and line name them too.
#ifdef ASSERT_WITHOUT_TEXT
#define ASSERT(cond) ((cond) ? (void)0 : assert_failed(__FILE__, __LINE__))
#else
#define ASSERT(cond) ((cond) ? (void)0 : panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #cond))
#endif

#endif
