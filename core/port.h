// SPDX-License-Identifier: BSD-2-Clause
// Ports that are served on this node: put-port -> (process, handle). Several processes may serve one port; the one with
// a waiting thread is preferred. Processes that are DEAD or ARRIVING are not found.
// Callers: node lock held; nothing here blocks.
#ifndef CORE_PORT_H
#define CORE_PORT_H

#include "core/proc.h"

struct port_entry {
    struct list link;   // [N] hash chain
    struct port put;    // [I]
    struct proc *proc;  // [I] server
    uint32_t handle;    // [I]
    struct proc *about; // [N] the process whose control port this is, else NULL
};

// server serves the port put from now on, as its handle. about: the process whose control port it is, else NULL.
// Returns 0, or E_MEM. That there is no such entry yet is the caller's to know (port_listen).
int port_add(struct node *n, struct port put, struct proc *server, uint32_t handle, struct proc *about);
// Removes the entry of port_add(put, server, about); none: nothing happens.
void port_remove(struct node *n, struct port put, const struct proc *server, const struct proc *about);
// What was the control port of `from` is that of `to`.
void port_about(struct node *n, struct port put, const struct proc *from, struct proc *to);
// Returns the entry of a process that serves the port: one with a thread in getreq, else the first. NULL: not served
// here. Good until a port entry is removed.
struct port_entry *port_find(struct node *n, struct port put);

#endif
