// SPDX-License-Identifier: BSD-2-Clause
// What a program that is started gets from this command: capabilities for its terminal, a directory and files, and the
// date in its environment.
#ifndef TOOLS_OFFER_H
#define TOOLS_OFFER_H

#include "tools/run.h"

// Adds all of it to run->program. nobody_reads(n): see tty_start(). Returns true, or false after saying what it cannot
// have. Callers: the task of the command, before the descriptor is made; files_start() was called.
bool offer_all(struct node *n, struct run *run, void (*nobody_reads)(struct node *n));

#endif
