// SPDX-License-Identifier: BSD-2-Clause
// What the files behind the process service share.
#ifndef SERVICES_PROC_H
#define SERVICES_PROC_H

#include "core/node.h"

struct request;

// The process's own control port is served from now on. Before it becomes RUN. E_MEM.
int proc_serve(struct node *n, struct proc *p);
// Stops serving it and destroys it; those who wait for it are woken, and find it gone. The only caller of proc_destroy
// in services/. silent: it lives elsewhere, or never ran.
void proc_drop(struct node *n, struct proc *p, bool silent);

// The reply is a description of p for people, several lines (proc_status.c). 0, E_MEM, E_LIMIT.
int64_t proc_status(struct node *n, struct request *r, const struct proc *p);

void migrate_start(struct node *n);
void migrate_stop(struct node *n);
void offer_start(struct node *n);
void offer_stop(struct node *n);

#endif
