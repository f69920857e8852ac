// SPDX-License-Identifier: BSD-2-Clause
// Lines for people: what a node has to say goes to its console or, on a host, to a file.
// Callers: any code of core and the rooms above, node lock held.
#ifndef CORE_LOG_H
#define CORE_LOG_H

struct node;

// Writes one line of at most 199 bytes, as printf() would, without a newline at its end; what is longer is cut. Text
// from outside must be plain (text.h). Nothing happens when the node has no log.
void node_log(struct node *n, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
