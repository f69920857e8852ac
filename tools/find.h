// SPDX-License-Identifier: BSD-2-Clause
// Finding what people name: nodes, their services, processes. Called from tasks; all of it blocks.
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
// Nodes that answer, sorted by name; the asking one is among them. Waits a little for stragglers, not at all when every
// node that `ring up` started has answered.
unsigned find_nodes(struct node *n, struct found_node out[FIND_NODES_MAX]);
// A node of the ring, or one of the short-lived nodes that commands are?
bool find_is_command(const char *node_name);

// Capability that the node's boot directory has under this name. 0 or a negative error.
int64_t find_service(struct node *n, const char *node, const char *service, struct cap *out);
// As above; when it fails, says why, and which nodes there are when there is none of that name. false: said.
bool find_service_or_say(struct node *n, const char *node, const char *service, struct cap *out);
int64_t find_status(struct node *n, const char *node, struct node_status *out);
// Name of the node with this endpoint, from the last find_nodes; "?" when unknown.
const char *find_node_name(ep_t node);

struct found_proc {
    struct proc_entry e;
    char node[32];
};
// Processes of all nodes, or of one, sorted by node and number. *out is malloc()ed. A process that is just moving may
// be there twice.
unsigned find_procs(struct node *n, const char *only_node, struct found_proc **out);
// The one process that `what` names: its name, or the beginning of its number in hex. false, after saying why not.
bool find_proc(struct node *n, const char *what, struct found_proc *out);

#endif
