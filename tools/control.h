// SPDX-License-Identifier: BSD-2-Clause
// One order to one process: it is found by what was typed, the order is sent to its own control port, wherever it is,
// and what came of it is said. The commands kill, stun, resume, priority, info and migrate are this.
//
// Callers: the task of a command (member_run); all of it blocks.
#ifndef TOOLS_CONTROL_H
#define TOOLS_CONTROL_H

#include "core/task.h"
#include "tools/find.h"
#include "tools/json.h"
#include "tools/options.h"

#define CONTROL_TIMEOUT_MS 30000

// What the process is called on the command line, and how the answer is printed: part of each such command.
struct control {
    const char *what; // name, or beginning of the number
    bool json;
};

// The command line of commands that take PROC and --json and nothing else, and what was typed there.
extern struct control control_line;
extern const struct option control_options[], control_operands[];

// Runs order(n, process) as the command's task, for the process that c names. Returns the exit status.
int control_run(const struct control *c, int (*order)(struct node *n, const struct found_proc *p));
// The order op with arguments arg (four words; NULL: zeros), and what is said when it was carried out: "stunned".
// Returns EXIT_OK, EXIT_NOBODY or EXIT_REFUSED.
int control_send(struct node *n, const struct found_proc *p, uint32_t op, const uint64_t *arg, const char *done);
// The process did not do as it was told. error: as of fail_error(). Returns as fail_error().
int control_fails(const struct found_proc *p, int64_t error);

// An object on standard output in which the process's number, name and node stand; the caller adds to it until
// control_json_end() closes it.
void control_json(struct json *j, const struct found_proc *p);
void control_json_end(struct json *j);

#endif
