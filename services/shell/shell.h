// SPDX-License-Identifier: BSD-2-Clause
// The shell: at the console of a node people start programs from its boot file system, stop them, look at them, resume
// them. The shell has no rights of its own: all it does are transactions with the services that are in the boot
// directory, and it is told how its programs end as any owner is.
//
// Two tasks. One reads keys and edits the line (edit.h), whatever the other does, so that Ctrl-C is always heard. The
// other takes finished lines, one by one. A program in front gets the lines that are typed; the rest is the shell's.
#ifndef SERVICES_SHELL_H
#define SERVICES_SHELL_H

struct node;

// Starts it. The console needs a screen (console_attach): on a node whose console is a file, and on a host, there is
// nobody to type. Returns 0, or E_MEM; E_LIMIT: too many services or ports; E_NOTHERE: this image has no shell.
// Callers: boards and tests, node lock held, after services_start, once.
int shell_open(struct node *n);

#endif
