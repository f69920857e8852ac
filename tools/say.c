// SPDX-License-Identifier: BSD-2-Clause
// Sentences on stderr, and numbers as people read them.
#include "tools/say.h"
#include "core/config.h"
#include "core/error.h"
#include "core/panic.h"

#include <stdarg.h>
#include <stdio.h>

static void say(const char *fmt, va_list ap)
{
    fflush(stdout); // what was said before stays before
    fputs("rotifer: ", stderr);
    vfprintf(stderr, fmt, ap);
}

int fail(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say(fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    return EXIT_FAILED;
}

int fail_as(int status, const char *fmt, ...)
{
    va_list ap;
    ASSERT(status != EXIT_OK);
    va_start(ap, fmt);
    say(fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    return status;
}

void warn(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say(fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
}

static bool nobody_answered(int64_t error)
{
    return error == -E_NOTHERE || error == -E_DIED || error == -E_TIMEOUT;
}

int fail_error(int64_t error, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say(fmt, ap);
    va_end(ap);
    fprintf(stderr, ": %s (%s)\n", error_string((long)error), error_name((long)error));
    return nobody_answered(error > 0 ? -error : error) ? EXIT_NOBODY : EXIT_REFUSED;
}

int usage_error(const char *command, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say(fmt, ap);
    va_end(ap);
    fprintf(stderr, ". Try: rotifer help%s%s\n", command ? " " : "", command ? command : "");
    return EXIT_USAGE;
}

#define TEXTS 8
#define TEXT_SIZE 40

static char *next_text(void)
{
    static char texts[TEXTS][TEXT_SIZE];
    static unsigned turn;
    return texts[turn++ % TEXTS];
}

const char *with_commas(uint64_t v)
{
    char *end = next_text() + TEXT_SIZE - 1;
    *end = 0;
    for (unsigned digits = 0;; digits++) {
        if (digits && digits % 3 == 0)
            *--end = ',';
        *--end = (char)('0' + v % 10);
        v /= 10;
        if (v == 0)
            return end;
    }
}

const char *duration(uint64_t ns)
{
    char *t = next_text();
    if (ns < 10000)
        snprintf(t, TEXT_SIZE, "%llu ns", (unsigned long long)ns);
    else if (ns < NS_PER_MS)
        snprintf(t, TEXT_SIZE, "%.1f us", (double)ns / 1e3);
    else if (ns < NS_PER_S)
        snprintf(t, TEXT_SIZE, "%.2f ms", (double)ns / 1e6);
    else
        snprintf(t, TEXT_SIZE, "%.2f s", (double)ns / 1e9);
    return t;
}

const char *page_size_text(uint64_t n_pages)
{
    char *t = next_text();
    snprintf(t, TEXT_SIZE, "%.1f MiB", (double)(n_pages * PAGE_SIZE) / (double)MIB);
    return t;
}
