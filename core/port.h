// SPDX-License-Identifier: BSD-2-Clause
// Ports that are served on this node: put-port -> (process, handle). Several processes may serve one port; the one with
// a waiting thread is preferred. Processes that are DEAD or ARRIVING are not found.
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

int port_add(struct node *n, struct port put, struct proc *server, uint32_t handle, struct proc *about);
void port_remove(struct node *n, struct port put, const struct proc *server, const struct proc *about);
// What was the control port of `from` is that of `to`.
void port_about(struct node *n, struct port put, const struct proc *from, struct proc *to);
struct port_entry *port_find(struct node *n, struct port put); // NULL: not served here

#endif
