// SPDX-License-Identifier: BSD-2-Clause
// What the files behind the process service share.
#ifndef SERVICES_PROC_H
#define SERVICES_PROC_H

#include "core/node.h"

struct request;

// The reply is a description of p for people, several lines (proc_status.c). 0, E_MEM, E_LIMIT.
int64_t proc_status(struct node *n, struct request *r, const struct proc *p);

void migrate_start(struct node *n);
void migrate_stop(struct node *n);
void offer_start(struct node *n);
void offer_stop(struct node *n);

#endif
