// SPDX-License-Identifier: BSD-2-Clause
// Orphans: processes whose owner is gone. They are found, and end as if somebody had killed them. Whose owner is null
// (nobody) is no orphan: it was wanted so.
//
// An owner is there while somebody, anywhere, serves its port; what it does, or whether it is stunned, does not matter,
// and it is not asked itself: its kernel answers for it (net/locate.c). So the question is about a port, once for all
// the processes that have this owner:
//
//   owner's port             what is done                                          gone when
//   served on this node      nothing
//   served here, until       one search of ORPHAN_ENDED_NS, at once                that finds nobody
//   its server ended, or
//   closed it
//   not served here          a search of LOCATE_GIVE_UP_NS each ORPHAN_ASK_NS;     ORPHAN_MISSES in a row
//                            it begins with who was found last: two frames         found nobody
//
// A process that stops, moves or is changed is left alone until that is over. All of it is done by the reaper
// (reaper.c).
#ifndef SERVICES_ORPHAN_H
#define SERVICES_ORPHAN_H

#include "core/node.h"

void orphan_start(struct node *n);
void orphan_stop(struct node *n);
// The process has ended (DEAD): nobody serves here any more what it served.
void orphan_server_ended(struct node *n, const struct proc *p);
// Does what is due. Does not block. Answers when to come again, UINT64_MAX: not until one of the above.
uint64_t orphan_sweep(struct node *n);
// Searches in a row that did not find who serves this port; 0: there is no doubt.
unsigned orphan_missed(struct node *n, struct port port);

#endif
