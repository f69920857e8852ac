// SPDX-License-Identifier: BSD-2-Clause
// Orphans: processes whose owner is gone. They are found, and end as if they had been killed. A process whose owner is
// null is no orphan: it was started so.
//
// An owner is there while a process on any node serves its port. What that process does, or whether it is stunned, does
// not matter, and it is not asked itself: its kernel answers for it (net/). So the question is about a port, once for
// all the processes that have this owner:
//
//   owner's port             what is done                                          gone when
//   served on this node      nothing
//   served here, until       one search of ORPHAN_ENDED_NS, at once                that finds no server
//   its server ended, or
//   closed it
//   not served here          a search of LOCATE_GIVE_UP_NS each ORPHAN_ASK_NS;     searches found no server for the
//                            it begins with the node found last: two frames        process's grace (core/config.h)
//   ... and a node answers   the search ends ORPHAN_ENDED_NS later                 it found no other server
//   that its server there
//   ended, or closed it
//
// So there is silence, after which a process lives on for its grace, and an end that a node has seen, which it does not
// survive. A process that stops, moves or is changed is left alone until that is over. A copy in doubt is left alone
// for as long as its owner is silent, for the doubt ends by itself (migrate.h); with an owner that has ended it goes,
// in silence, and the copy that may run elsewhere is judged there. All of it is done by the reaper (reaper.c).
// Callers: node lock held; nothing here blocks.
#ifndef SERVICES_ORPHAN_H
#define SERVICES_ORPHAN_H

#include "core/node.h"

// Makes the list of watches. Callers: the process service's start.
void orphan_start(struct node *n);
// Frees the watches. Callers: the process service's stop, when no task runs.
void orphan_stop(struct node *n);
// policy.port_found (core/node.h): another node serves this port. Callers: core.
void orphan_port_found(struct node *n, struct port port);
// policy.port_closed (core/node.h): a process of this node closed this port. If no other one here serves it, its owner
// is searched for at once. Callers: core.
void orphan_port_closed(struct node *n, struct port port);
// policy.port_ended (core/node.h). Returns true if this node has seen the port's last server end, or close it, within
// MOVED_LIFE_NS. Callers: core.
bool orphan_port_ended(struct node *n, struct port port);
// policy.port_gone (core/node.h): another node says so. Callers: core.
void orphan_port_gone(struct node *n, struct port port);
// Returns for how long, in ns, the owner of this process may be silent.
uint64_t orphan_grace(const struct node *n, const struct proc *p);
// The process has ended (DEAD): what it served is not served here any more.
void orphan_server_ended(struct node *n, const struct proc *p);
// Does what is due: scans, searches, ends orphans. Returns when to come again (ns), UINT64_MAX: not until a hook, or
// proc_watch_owner (control.h), says so.
uint64_t orphan_sweep(struct node *n);
// Returns how many searches in a row found no server of this port; 0: there is no doubt.
unsigned orphan_missed(struct node *n, struct port port);

#endif
