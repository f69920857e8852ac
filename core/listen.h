// SPDX-License-Identifier: BSD-2-Clause
// Serving a port: SYS_PORT_LISTEN and SYS_PORT_CLOSE (abi.h) for a process, and what hangs on a port that closes.
// Callers: node lock held.
#ifndef CORE_LISTEN_H
#define CORE_LISTEN_H

#include "core/types.h"

struct node;
struct proc;

// p serves the port whose secret is get from now on. *put: what clients call it by. Returns its handle, 0 or more, or
// E_ARG: get is null; E_EXISTS: p serves it already; E_LIMIT: PROC_PORTS_MAX are served; E_MEM.
int port_listen(struct node *n, struct proc *p, struct port get, struct port *put);
// p serves the port with this handle no more. Requests that wait there are told E_NOTHERE, and policy->port_closed is
// called: other processes here may still serve the port. Returns 0, or E_ARG: there is no such handle.
int port_close(struct node *n, struct proc *p, uint32_t handle);

#endif
