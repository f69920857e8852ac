// SPDX-License-Identifier: BSD-2-Clause
// The terminal of `rotifer run`: what the process writes goes to standard output, what it reads comes from standard
// input. Neither may stop the loop: a node that does not answer is taken for dead. Callers: tasks of the command;
// nothing here locks.
#ifndef TOOLS_TTY_H
#define TOOLS_TTY_H

#include "core/types.h"
#include "tools/loop.h"

// Starts serving; *cap has READ and WRITE. broken(n) is called, once, when nobody reads standard output any more.
// Returns 0 or a negative error. Errors: as service_open().
int tty_start(struct node *n, struct loop *l, void (*broken)(struct node *n), struct cap *cap);

#endif
