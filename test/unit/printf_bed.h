// SPDX-License-Identifier: BSD-2-Clause
// The guests' printf, strtod and strtof (guest/lib) beside this machine's: their sources are included here, with each
// function called guest_NAME. Files are stood in for by a struct with what printf.c uses of picolibc's; nothing is
// printed.
#ifndef TEST_UNIT_PRINTF_BED_H
#define TEST_UNIT_PRINTF_BED_H

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <strings.h>
#include <wchar.h>

struct guest_file {
    int (*put)(char c, struct guest_file *file);
    unsigned flags;
};

#define FILE struct guest_file
#define __SWR 1u
#define __SERR 2u
#undef stdout
#undef stderr
#define stdout (&guest_out)
#define stderr (&guest_err)
static FILE guest_out = {.flags = __SWR}, guest_err = {.flags = __SWR};

#define vfprintf guest_vfprintf
#define vprintf guest_vprintf
#define fprintf guest_fprintf
#define printf guest_printf
#define vsnprintf guest_vsnprintf
#define vsprintf guest_vsprintf
#define snprintf guest_snprintf
#define sprintf guest_sprintf
#define fwrite guest_fwrite
#define fputs guest_fputs
#define puts guest_puts
#define strtod guest_strtod
#define strtof guest_strtof
#define nan guest_nan
#define atof guest_atof

int vfprintf(FILE *file, const char *fmt, va_list ap);
int vprintf(const char *fmt, va_list ap);
int fprintf(FILE *file, const char *fmt, ...);
int printf(const char *fmt, ...);
int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap);
int vsprintf(char *buf, const char *fmt, va_list ap);
int snprintf(char *buf, size_t size, const char *fmt, ...);
int sprintf(char *buf, const char *fmt, ...);
size_t fwrite(const void *bytes, size_t size, size_t n, FILE *file);
int fputs(const char *text, FILE *file);
int puts(const char *text);
double strtod(const char *restrict text, char **restrict end);
float strtof(const char *restrict text, char **restrict end);
double nan(const char *tag);

#include "guest/lib/decimal.c"
#include "guest/lib/printf.c"
// Both have a struct of this name.
#define decimal decimal_of_strtod
#include "guest/lib/strtod.c"
#undef decimal

// What printf.c asks of the rest of the library.
void stdio_lock(void) {}
void tty_put(const char *bytes, size_t len)
{
    (void)bytes, (void)len;
}
bool tty_is_output(const FILE *f)
{
    return f == stdout || f == stderr;
}
int tty_flush(void)
{
    return 0;
}
int tty_unlock(void)
{
    return 0;
}

#undef FILE
#undef stdout
#undef stderr
#undef vfprintf
#undef vprintf
#undef fprintf
#undef printf
#undef vsnprintf
#undef vsprintf
#undef snprintf
#undef sprintf
#undef fwrite
#undef fputs
#undef puts
#undef strtod
#undef strtof
#undef nan
#undef atof

// xorshift64* (Vigna 2014).
static inline uint64_t bed_rand(uint64_t *s)
{
    *s ^= *s >> 12;
    *s ^= *s << 25;
    *s ^= *s >> 27;
    return *s * 2685821657736338717ull;
}

#endif
