// SPDX-License-Identifier: BSD-2-Clause
// A command of `rotifer` is a file, tools/cmd_NAME.c, that defines one `const struct command command_NAME`: its tables
// of options and operands, its help, and what runs. mk/host.mk gathers the files by their names; no list knows them.
//
// No group has the name of a command: `rotifer help WORD` is about one of the two.
//
// A command with two words (cmd_ring_up.c, command_ring_up) is typed as two: rotifer ring up.
//
// Callers: one thread; nothing here locks.
#ifndef TOOLS_COMMAND_H
#define TOOLS_COMMAND_H

#include "tools/options.h"

#include <stdio.h>

// What commands are about. Help shows them in this order; a group without commands is not shown.
#define COMMAND_GROUPS(X)                                                                                              \
    X(RING, "ring", "a ring of QEMU nodes on this machine: start, stop, look at")                                      \
    X(NODE, "node", "the nodes of the ring")                                                                           \
    X(LINK, "links", "the links between nodes: speed, faults, captures")                                               \
    X(PROCESS, "process", "programs that run on the nodes, wherever they move")                                        \
    X(STORE, "store", "processes that are kept on disk")                                                               \
    X(DEBUG, "debug", "a debugger on a process")                                                                       \
    X(SHOW, "show", "what happened")

enum group {
#define X(name, word, what) GROUP_##name,
    COMMAND_GROUPS(X)
#undef X
        GROUPS,
    GROUP_INTERNAL = GROUPS, // started by other commands: help does not list it
};

struct command {
    const char *name; // as typed: "ps", "ring up"
    enum group group;
    const char *what; // one line of the list
    const char *help; // for `rotifer help NAME`, between usage and options: sentences, broken into lines there
    const char *next; // what to type next; NULL: nothing in particular
    const struct option *options;  // NULL: none
    const struct option *operands; // NULL: none
    // Runs it; options and operands lie where the tables say. Returns the exit status (say.h).
    int (*run)(void);
};

extern const struct command *const command_table[]; // ends with NULL; sorted by name

// The command that argv[0], or argv[0] and argv[1], name; *words: how many of them. NULL: none.
const struct command *command_named(int argc, char *const argv[], int *words);
// Reads the command line argv (argv[0]: last word of the command's name), answers --help, or runs the command. Returns
// the exit status.
int command_start(const struct command *c, int argc, char *const argv[]);

// --- Help (help.c) ----------------------------------------------------------------------------------------

const char *group_word(enum group g);                 // Returns the group's name as it is typed: "process"
void help_all(FILE *to);                              // the groups with the names of their commands: one screen
void help_group(FILE *to, enum group g);              // its commands, a line each
void help_command(FILE *to, const struct command *c); // usage, what it does, its options
// `rotifer help WORD...`: the group or the command of that name. Returns the exit status.
int help_about(int argc, char *const argv[]);

#endif
