// SPDX-License-Identifier: BSD-2-Clause
// The shell: who sits at the console of a node can start programs from its store, stop them, look at them, resume them.
// It has no rights of its own: all it does are transactions with the services that are in the boot directory, and it is
// told how its programs end as any owner is.
//
// Two tasks. One reads keys and edits the line (edit.h), whatever the other does, so that Ctrl-C is always heard. The
// other takes finished lines, one by one. A program in front gets the lines that are typed; the rest is the shell's.
#ifndef SERVICES_SHELL_H
#define SERVICES_SHELL_H

struct node;

// Starts it. After services_start, once. The console needs a screen (console_attach). Nobody calls this on nodes whose
// console is a file, or on a host: there would be nobody to type. E_MEM, E_LIMIT.
int shell_open(struct node *n);

#endif
