// SPDX-License-Identifier: BSD-2-Clause
// A process in words (proc_status.c).
// Callers: node lock held; tasks (may sleep).
#ifndef SERVICES_PROC_PROC_STATUS_H
#define SERVICES_PROC_PROC_STATUS_H

#include <stdint.h>

struct node;
struct request;

struct proc;

// The reply is a description of p for people, several lines. Returns 0, or E_MEM, E_LIMIT: the reply is too long.
int64_t proc_status(struct node *n, struct request *r, const struct proc *p);

#endif
