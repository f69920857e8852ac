// SPDX-License-Identifier: BSD-2-Clause
// A command is a node of the ring for as long as it runs: own endpoint, own services, a cable to the host daemon's
// switch. What it does is one task, written in blocking style.
#ifndef TOOLS_COMMAND_H
#define TOOLS_COMMAND_H

#include "tools/loop.h"

// Joins the ring of the run directory, runs fn(n, arg) as a task, and leaves again. Returns what fn returned, or
// EXIT_FAILED after saying why it could not join. Not to be nested.
int command_run(int (*fn)(struct node *n, void *arg), void *arg);
// The loop of the running command, for services that wait for descriptors.
struct loop *command_loop(void);
// SIGINT or SIGTERM: fn(n) is called instead of ending the command with EXIT_INTERRUPT. The second one always ends.
void command_on_interrupt(void (*fn)(struct node *n));
// SIGTSTP (Ctrl-Z): fn(n) is called instead of stopping at once. Whoever it tells stops the command: raise(SIGSTOP). A
// command that stands still is silent on the ring, as a node whose cable is cut.
void command_on_stop(void (*fn)(struct node *n));

// What host nodes have in common: a node called name with the ring's key; NULL, after saying why.
struct node *command_node(const char *name, const uint8_t key[32], uint64_t bytes, bool quiet);
// SIGINT and SIGTERM come in through the loop from now on.
void command_signals(struct loop *l, void (*got)(void *arg, short events), int *fd);

#endif
