// SPDX-License-Identifier: BSD-2-Clause
// What a blocking system call answers: put into the thread's registers when its wait ends. Called by core/call.c,
// serve.c, reply.c for guests only; tasks read their records.
#ifndef CORE_SYSCALL_H
#define CORE_SYSCALL_H

#include "core/txn.h"

void syscall_done_trans(struct thread *t);
void syscall_done_getreq(struct thread *t);
void syscall_done_putrep(struct thread *t);

#endif
