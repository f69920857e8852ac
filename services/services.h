// SPDX-License-Identifier: BSD-2-Clause
// What the services of one node keep, hung on node->services (design D5: no globals). Each service's start allocates
// the service's own part with service_state; the struct is private to the service's files. A new service adds its
// pointer here, and its start and stop (docs/README.md, "Where to add things").
// Callers: node lock held.
#ifndef SERVICES_SERVICES_H
#define SERVICES_SERVICES_H

#include <stdbool.h>
#include <stddef.h>

struct node;
struct task_inline;

struct services {
    // [I] NULL: this image has not this service, or it has not started yet.
    struct seg_service *seg;   // seg.c
    struct dir_service *dir;   // dir.c
    struct console *console;   // console.c
    struct node_service *node; // node.c
    struct bootfs *bootfs;     // bootfs.c
    struct proc_service *proc; // proc/proc_priv.h
    struct shell *shell;       // shell/shell_priv.h. NULL also: nobody sits at this node (shell_open)

    // Hooks: how one service, or core's boot, reaches another that this image need not have.
    int (*shell_open)(struct node *n); // [I] shell/shell.h. NULL: this image has no shell
    // [I] Memory is short: gives back what is only kept to be quick (bootfs.c). NULL: this image keeps nothing.
    void (*shrink)(struct node *n);
};

// policy.inline_call (core/node.h): executes the request q inline if its operation allows it. Returns true if q is
// answered. Callers: core, by the policy of list.c or of the process service.
bool service_inline(struct node *n, struct task_inline *q);

// Returns `size` zeroed bytes that stay until the services of the node stop, or NULL: no memory. At most half a page.
// Callers: NAME_service_start.
void *service_state(struct node *n, size_t size);

// list.c calls NAME_service_start and NAME_service_stop of each service that mk/services.mk lists. A start makes lists
// and pools first, so that its stop finds them even when the start failed; when it found no memory for its state, the
// stop finds NULL and does nothing. Each seg_service_start, dir_service_start, console_service_start,
// bootfs_service_start, shell_service_start, node_service_start and proc_service_start returns 0; or E_MEM, E_LIMIT:
// too many ports or services. Each seg_service_stop, dir_service_stop, console_service_stop, bootfs_service_stop,
// shell_service_stop, node_service_stop and proc_service_stop frees what its service holds. Callers: list.c.
int seg_service_start(struct node *n);
void seg_service_stop(struct node *n);
int dir_service_start(struct node *n);
void dir_service_stop(struct node *n);
int console_service_start(struct node *n);
void console_service_stop(struct node *n);
int bootfs_service_start(struct node *n);
void bootfs_service_stop(struct node *n);
int shell_service_start(struct node *n);
void shell_service_stop(struct node *n);
int node_service_start(struct node *n);
void node_service_stop(struct node *n);
int proc_service_start(struct node *n);
void proc_service_stop(struct node *n);

#endif
