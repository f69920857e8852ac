// SPDX-License-Identifier: BSD-2-Clause
// A run while it runs. The main task sleeps on the owner's report; whatever else may end the run wakes it there.
#include "tools/watch.h"
#include "core/cap.h"
#include "core/config.h"
#include "core/error.h"
#include "core/node.h"
#include "core/panic.h"
#include "core/task.h"
#include "tools/find.h"
#include "tools/member.h"
#include "tools/owner.h"
#include "tools/say.h"

#include <signal.h>
#include <stdio.h>

#define KILL_TIMEOUT_MS 30000        // an order waits for a move to end
#define ENDED_TIMEOUT_MS 5000        // and then its owner hears of the end
#define LOOK_AFTER_NS (3 * NS_PER_S) // between two looks whether the process is still anywhere
#define LOOK_TIMEOUT_MS 60000        // longer than it takes to find out that nobody serves a port
#define LOST_AFTER 3                 // looks in a row that found it nowhere, while all nodes answered
#define LAST_WORD_NS (2 * NS_PER_S)  // a fault was reported: how long to wait for "ended"

static struct run *running; // that signals are for; NULL: none yet

static void interrupt(struct node *n)
{
    running->interrupted = true;
    task_wake(n, owner_so_far());
}

void watch_begin(struct run *run)
{
    ASSERT(!running);
    running = run;
    member_on_interrupt(interrupt);
}

void watch_nobody_reads(struct node *n)
{
    ASSERT(running);
    running->unread = true;
    task_wake(n, owner_so_far());
}

// --- Ctrl-Z: it stops with us -------------------------------------------------------------------------------

// To each copy; those that have ended, or cannot be reached now, are left out.
static void order_all(struct node *n, const struct run *run, uint32_t op, uint64_t arg1, const struct cap *cap)
{
    const uint64_t arg[4] = {0, arg1, 0, 0};
    for (unsigned i = 0; i < run->copies; i++)
        if (!cap_is_null(&run->process[i]))
            (void)task_trans(n, &run->process[i], op, arg, cap ? buf_kernel(cap, sizeof *cap) : buf_none(), buf_none(),
                             KILL_TIMEOUT_MS, NULL);
}

// Stopped, we are as silent as a dead owner, and a terminal that does not answer. So meanwhile nobody owns it, and it
// is stunned: nothing is lost, however long it takes.
static void pause_main(struct node *n, void *arg)
{
    struct run *run = arg;
    static const struct cap nobody;
    order_all(n, run, OP_PROC_STUN, 1, NULL);
    order_all(n, run, OP_PROC_SET_OWNER, 0, &nobody);
    if (!run->quiet)
        warn("%s is stunned; fg or bg lets it go on", run->program.name);
    fflush(NULL);
    raise(SIGSTOP);
    order_all(n, run, OP_PROC_SET_OWNER, 0, &run->owner);
    order_all(n, run, OP_PROC_RESUME, 0, NULL);
    run->pausing = false;
}

static void pause_it(struct node *n)
{
    if (running->pausing)
        return;
    running->pausing = task_spawn(n, "pause", pause_main, running) != NULL;
}

// --- The end ----------------------------------------------------------------------------------------------

// A node that loses power tells no owner anything. So look, now and then, whether the process is anywhere. That it was
// not found proves nothing while a node is silent, for it may run there, behind a cut or stopped. It is lost when every
// node that runs has answered and none has it, in some looks in a row; or when nothing was heard of it for its grace.
static bool look_finds(struct node *n, const struct cap *process)
{
    int64_t s = task_trans(n, process, OP_INFO, NULL, buf_none(), buf_none(), LOOK_TIMEOUT_MS, NULL);
    return s != -E_NOTHERE && s != -E_DIED && s != -E_OBJECT;
}

static void watch_main(struct node *n, void *arg)
{
    struct run *run = arg;
    unsigned at = run->copies - 1; // of several, one after the other, as they end
    uint64_t grace = run->program.orphan_grace_ns ? run->program.orphan_grace_ns : ORPHAN_GRACE_NS;
    uint64_t heard = node_now(n);
    for (unsigned nowhere = 0; nowhere < LOST_AFTER && node_now(n) - heard < grace;) {
        task_sleep(n, LOOK_AFTER_NS);
        uint64_t begun = node_now(n);
        if (look_finds(n, &run->process[at])) {
            nowhere = 0;
            heard = begun;
            continue;
        }
        nowhere = find_all_answer(n) ? nowhere + 1 : 0;
        if (nowhere && at > 0) {
            at--;
            nowhere = 0;
        }
    }
    run->lost = true;
    task_wake(n, owner_so_far());
}

void watch_kill(struct node *n, const struct run *run)
{
    unsigned told = 0;
    for (unsigned i = 0; i < run->copies; i++) {
        if (cap_is_null(&run->process[i]))
            continue;
        int64_t s = task_trans(n, &run->process[i], OP_DESTROY, NULL, buf_none(), buf_none(), KILL_TIMEOUT_MS, NULL);
        if (s < 0 && s != -E_NOTHERE && s != -E_DIED && s != -E_OBJECT)
            fail_error(s, "%s %06x could not be killed", run->program.name, (unsigned)cap_obj(&run->process[i]));
        told += s >= 0;
    }
    // Their kernel tells the owner, and would go on trying if we left without an answer.
    for (unsigned i = 0; told && !run->detach && i < ENDED_TIMEOUT_MS && !owner_so_far()->over; i++)
        task_sleep(n, NS_PER_MS);
}

// Wakes the main task when a report that should follow does not.
static void last_word(struct node *n, void *arg)
{
    task_sleep(n, LAST_WORD_NS);
    owner_so_far()->over = true;
    task_wake(n, arg);
}

void watch_until_end(struct node *n, struct run *run)
{
    struct owner_report *o = owner_so_far();
    bool patience = true;
    ASSERT(run == running && run->process);
    member_on_stop(pause_it);
    (void)task_spawn(n, "watch", watch_main, run);
    while (!o->over && !run->interrupted && !run->lost && !run->unread) {
        if (o->faulted && patience) {
            patience = false;
            (void)task_spawn(n, "last word", last_word, o);
        }
        task_wait(n, o);
    }
    // Of a single one that ended or is lost there is nothing left to kill.
    if (o->ended < run->copies && (run->interrupted || run->unread || (run->copies > 1 && !run->lost)))
        watch_kill(n, run);
}
