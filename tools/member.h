// SPDX-License-Identifier: BSD-2-Clause
// A member of the ring: this process as a node of it, for as long as a command runs. It has an endpoint and services of
// its own and a cable to the host daemon's switch; what the command does is one task, written in blocking style.
// Callers: one thread; nothing here locks.
#ifndef TOOLS_MEMBER_H
#define TOOLS_MEMBER_H

#include "tools/loop.h"

// Joins the ring of the run directory, runs fn(n, arg) as a task, and leaves again. Returns what fn returned, or after
// saying why it could not join EXIT_NO_RING or EXIT_FAILED. Callers: once in the life of a process.
int member_run(int (*fn)(struct node *n, void *arg), void *arg);
// Returns the loop of the running command, for services that wait for descriptors.
struct loop *member_loop(void);
// SIGINT or SIGTERM: fn(n) is called instead of ending the command with EXIT_INTERRUPT. The second one always ends.
void member_on_interrupt(void (*fn)(struct node *n));
// SIGTSTP (Ctrl-Z): fn(n) is called instead of stopping at once. What fn begins ends with raise(SIGSTOP): a command
// that stands still is silent on the ring, as a node whose cable is cut.
void member_on_stop(void (*fn)(struct node *n));

// What host nodes have in common. Returns a node called name with the ring's key and `bytes` of memory, or NULL after
// saying why. quiet: its log is shown only when ROTIFER_LOG is set.
struct node *member_node(const char *name, const uint8_t key[32], uint64_t bytes, bool quiet);
// SIGINT, SIGTERM and SIGHUP come in through the loop from now on: got(NULL, events), which reads *fd, a signalfd.
void member_signals(struct loop *l, void (*got)(void *arg, short events), int *fd);

#endif
