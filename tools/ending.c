// SPDX-License-Identifier: BSD-2-Clause
// How a run ended, from what its owner was told.
#include "tools/ending.h"
#include "core/entry.h"
#include "core/error.h"
#include "core/panic.h"
#include "tools/owner.h"
#include "tools/say.h"

#include <signal.h>
#include <stdio.h>

// What Linux would have sent.
static int signal_of(uint32_t fault_kind)
{
    switch (fault_kind) {
    case FAULT_READ:
    case FAULT_WRITE:
    case FAULT_EXEC: return SIGSEGV;
    case FAULT_BREAK: return SIGTRAP;
    case FAULT_MISALIGNED:
    case FAULT_ACCESS: return SIGBUS;
    default: return SIGILL;
    }
}

static void print_place(const struct run *run, const char *what, uint64_t pc)
{
    char name[80];
    uint64_t off;
    if (program_file_function(&run->program, pc, name, sizeof name, &off))
        fprintf(stderr, "  %-11s %#llx  %s+%#llx\n", what, (unsigned long long)pc, name, (unsigned long long)off);
    else
        fprintf(stderr, "  %-11s %#llx\n", what, (unsigned long long)pc);
}

static int end_by_fault(const struct run *run, const struct owner_report *o)
{
    warn("%s %06x, thread %u: %s (scause %llu)", run->program.name, run->pid, o->tid, o->fault.what,
         (unsigned long long)o->fault.cause);
    print_place(run, "at", o->fault.pc);
    print_place(run, "called from", o->fault.ra);
    fprintf(stderr, "  %-11s %#llx\n", "sp", (unsigned long long)o->fault.sp);
    return 128 + signal_of(o->fault_kind);
}

int ending_status(const struct run *run)
{
    const struct owner_report *o = owner_so_far();
    ASSERT(!run->detach && (o->over || run->interrupted || run->unread || run->lost));
    if (run->interrupted)
        return EXIT_INTERRUPT;
    if (run->unread)
        return 128 + SIGPIPE;
    if (o->faulted)
        return end_by_fault(run, o);
    if (o->last == EVENT_DOUBT) {
        warn("%s %06x: %s", run->program.name, run->pid, error_string(E_DOUBT));
        return EXIT_LOST;
    }
    if (o->last != EVENT_ENDED) {
        warn("%s %06x is lost: no node knows it any more. Its node may have lost power; try: rotifer nodes",
             run->program.name, run->pid);
        return EXIT_LOST;
    }
    if (o->status == -E_CANCEL) {
        if (!run->quiet)
            warn("%s %06x was killed", run->program.name, run->pid);
        return EXIT_KILLED;
    }
    int status = (int)(o->status & 0xff); // as a shell shows it
    if (!run->quiet && status)
        warn("%s %06x ended with status %d", run->program.name, run->pid, status);
    return status;
}
