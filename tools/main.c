// SPDX-License-Identifier: BSD-2-Clause
// rotifer: a ring of nodes on your own machine, and what runs on it.
#include "tools/cmds.h"
#include "tools/hostd.h"
#include "tools/say.h"

#include <stdio.h>
#include <string.h>

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *arguments, *what; // NULL: internal
} commands[] = {
    {"ring", cmd_ring, "up [N] | down | status", "start, stop, look at a ring of QEMU nodes"},
    {"nodes", cmd_nodes, "", "the nodes that answer: memory, processes, links, uptime"},
    {"ps", cmd_ps, "[-a]", "the processes of all nodes"},
    {"run", cmd_run, "[--node N] PROGRAM [ARG...]", "run a program on a node; its terminal is here"},
    {"migrate", cmd_migrate, "PROC NODE", "move a running process to another node"},
    {"stun", cmd_stun, "PROC", "stop a process, whole, where it is"},
    {"resume", cmd_resume, "PROC", "let a stunned process go on"},
    {"priority", cmd_priority, "PROC LEVEL", "who comes first when harts are short: 0..7"},
    {"kill", cmd_kill, "PROC", "end a process"},
    {"info", cmd_info, "PROC", "all that its kernel tells about a process"},
    {"trace", cmd_trace, "NODE", "the last events of a node"},
    {"bench", cmd_bench, "", "null transactions against the limit of the link"},
    {"hostd", hostd_main, NULL, NULL},
};
#define COMMANDS (sizeof commands / sizeof commands[0])

static void help(FILE *to)
{
    fputs("usage: rotifer COMMAND ...\n\n", to);
    for (unsigned i = 0; i < COMMANDS; i++) {
        char left[64];
        if (!commands[i].what)
            continue;
        snprintf(left, sizeof left, "%s %s", commands[i].name, commands[i].arguments);
        fprintf(to, "  %-32s  %s\n", left, commands[i].what);
    }
    fputs("\nPROC is a process's name or the beginning of its number (rotifer ps). Each command has --help.\n"
          "The ring lives in the directory that ROTIFER_RUN names, else in run/ beside the build directory.\n"
          "First: rotifer ring up\n",
          to);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        help(stderr);
        return EXIT_USAGE;
    }
    for (unsigned i = 0; i < COMMANDS; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        help(stdout);
        return EXIT_OK;
    }
    fail("there is no command '%s'. Try: rotifer --help", argv[1]);
    return EXIT_USAGE;
}
