// SPDX-License-Identifier: BSD-2-Clause
// The commands that people type. argv[0] is the command's own name; each answers the exit status.
#ifndef TOOLS_CMDS_H
#define TOOLS_CMDS_H

int cmd_ring(int argc, char **argv);    // ring.c
int cmd_nodes(int argc, char **argv);   // cmd_nodes.c
int cmd_trace(int argc, char **argv);   // cmd_nodes.c
int cmd_ps(int argc, char **argv);      // cmd_ps.c
int cmd_run(int argc, char **argv);     // cmd_run.c
int cmd_migrate(int argc, char **argv); // cmd_proc.c
int cmd_kill(int argc, char **argv);
int cmd_stun(int argc, char **argv);
int cmd_priority(int argc, char **argv);
int cmd_resume(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_bench(int argc, char **argv); // cmd_bench.c

#endif
