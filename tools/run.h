// SPDX-License-Identifier: BSD-2-Clause
// A run: one program that `rotifer run` starts on a node, once or in several copies, and stays with. The parts that
// make it up, in the order in which they are needed: offer.h (what it is given), start.h, watch.h (while it runs),
// ending.h.
//
// Callers: tasks of the command; nothing here locks, for tasks change only when one waits.
#ifndef TOOLS_RUN_H
#define TOOLS_RUN_H

#include "core/buf.h"
#include "services/grant.h"
#include "tools/program.h"

#define RUN_COPIES_MAX 4000u

struct run {
    // The command line
    const char *node;  // where it starts
    const char *files; // folder of ours that it may read; NULL: none
    bool quiet, detach;
    unsigned copies;
    struct grant grant[GRANTS_MAX]; // what it is given beyond that
    unsigned ngrants;
    struct program_file program;
    // Starting (start.c)
    struct cap owner;         // ours; null: nobody is
    struct cap proc;          // service that starts them
    struct buf desc;          // descriptor that all copies are made from
    unsigned begun, starters; // copies; tasks that start them
    int failure;              // exit status, when one could not be started; else EXIT_OK
    struct cap *process;      // copies of them; null: not started
    uint32_t pid;             // of the last one
    // While it runs (watch.c)
    bool interrupted; // Ctrl-C
    bool lost;        // no node knows it any more
    bool unread;      // nobody reads what it writes
    bool pausing;     // Ctrl-Z is being carried out
};

#endif
