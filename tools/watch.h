// SPDX-License-Identifier: BSD-2-Clause
// A run while it runs: Ctrl-C, Ctrl-Z, a reader that is gone, an end that is told and one that nobody can tell.
#ifndef TOOLS_WATCH_H
#define TOOLS_WATCH_H

#include "tools/run.h"

// From now on Ctrl-C is for this run. Callers: before it is started, for an interrupt between the start and its answer
// would leave an orphan.
void watch_begin(struct run *run);
// Nobody reads standard output any more: the run ends. Callers: a task of the terminal, after watch_begin().
void watch_nobody_reads(struct node *n);
// Blocks until the last copy has ended, or a reason to end them all has come (run->interrupted, unread, lost; of
// several, the first that failed): then kills what is left. Meanwhile Ctrl-Z stuns it. Callers: the task of the
// command, after start_all().
void watch_until_end(struct node *n, struct run *run);
// Kills what runs of it, and waits 5 s at most until its owner, the command, has heard of all ends. Callers: the task
// of the command.
void watch_kill(struct node *n, const struct run *run);

#endif
