// SPDX-License-Identifier: BSD-2-Clause
// Finding what people name: nodes, their services, processes.
//
// Callers: the task of a command (member_run); all of it blocks. What could not be found, it has said already when it
// returns an exit status (say.h).
#ifndef TOOLS_FIND_H
#define TOOLS_FIND_H

#include "services/protocol.h"

struct node;

#define FIND_NODES_MAX 64
#define FIND_PROCS_MAX 8192
#define FIND_TIMEOUT_MS 10000 // a service that was just seen answers by then, or something is wrong

struct found_node {
    char name[32];
    ep_t ep;
    unsigned hops;
};
// Nodes that answer, sorted by name, the asking one among them; hops: links that the answer crossed. Waits for 2 s at
// most, and only while a node that `ring up` started runs and has not answered. Returns how many.
unsigned find_nodes(struct node *n, struct found_node out[FIND_NODES_MAX]);
// Says which of the nodes that `ring up` started did not answer the last find_nodes. True when there was one.
bool find_say_missing(void);
// True when each node that `ring up` started has just answered, but for those whose process on this machine has ended:
// then what no node knows is nowhere. False when a node is silent, or nothing is known of what was started.
bool find_all_answer(struct node *n);
// True when it is the name of one of the short-lived nodes that commands are.
bool find_is_command(const char *node_name);

// Capability that the node's boot directory has under this name. Returns 0 or a negative error: E_FORMAT, it was no
// capability; those of the directory (E_NAME: it has no such service) and of a transaction.
int64_t find_service(struct node *n, const char *node, const char *service, struct cap *out);
// As find_service(), after looking whether the node answers. Returns EXIT_OK, EXIT_NOBODY or EXIT_REFUSED.
int find_service_or_say(struct node *n, const char *node, const char *service, struct cap *out);
// Errors: as find_service(). Returns 0 or more, or a negative error.
int64_t find_status(struct node *n, const char *node, struct node_status *out);

struct found_proc {
    struct proc_entry e;
    char node[32];
};
// Processes of all nodes, or of one, sorted by node and number; *out is malloc()ed, NULL when nothing could be listed,
// *count entries. A process that is just moving may be there twice. Returns EXIT_OK, or EXIT_FAILED; EXIT_NOBODY or
// EXIT_REFUSED when the list is there but a node's part of it is missing.
int find_procs(struct node *n, const char *only_node, struct found_proc **out, unsigned *count);
// The one process that `what` names: its name, or the beginning of its number in hex. Returns EXIT_OK; EXIT_NOBODY:
// there is none; EXIT_USAGE: it names more than one; EXIT_FAILED.
int find_proc(struct node *n, const char *what, struct found_proc *out);

#endif
