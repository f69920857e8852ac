// SPDX-License-Identifier: BSD-2-Clause
// What the process service keeps, on node->services->proc. Private to services/proc/.
#ifndef SERVICES_PROC_PROC_PRIV_H
#define SERVICES_PROC_PROC_PRIV_H

#include "core/node.h"
#include "services/protocol.h"
#include "services/service.h"
#include "services/services.h"

#define ENDED_MAX 32u // ports

struct orphans { // orphan.c
    struct pool pool;
    struct list watches; // [N] struct watch: owners' ports that nobody here serves
    unsigned asking;     // [N] of these, searches under way
    struct ended {       // [N] ports whose last server here ended or closed them; the oldest is overwritten
        struct port port;
        uint64_t at_ns;
    } ended[ENDED_MAX];
    unsigned next_ended; // [N]
    uint64_t scan_ns;    // [N] when owners are looked through next; UINT64_MAX: no process has one
};

struct proc_service {
    const struct policy *policy_before; // [I] node->policy when this service does not run
    struct port put;                    // [I]
    uint8_t key[16];                    // [N] of object 0
    uint8_t key_was[16];                // [N] before the last rotation: good for the end of moves only
    uint32_t handle;                    // [I] control ports are served on it too
    uint64_t promised;                  // [N] pages that fills under way may still take (instantiate.c)
    struct list orders;                 // [N] struct order: moves and changes under way (order.c)
    struct pool pool_move, pool_change;
    struct list doubts; // [N] struct move: those whose COMMIT was sent (migrate.c)
    // offer.c
    struct pool pool_offer;
    struct list offers;    // [N] struct offer: moves to here
    unsigned ncommitted;   // [N] of these, those that ran
    uint64_t offer_serial; // [N] number of the last offer of this boot
    uint64_t offer_forgot; // [N] numbers up to this one: nothing is known any more
    // owner.c
    struct pool pool_report;
    struct list reports; // [N] struct report: each has a task
    unsigned nreports;   // [N]
    struct list waiting; // [N] struct report: to be made again
    unsigned nwaiting;   // [N]
    // reaper.c
    struct thread *reaper; // [I]
    struct timer sweep;    // [N] wakes the reaper when an offer gets too old, an owner is to be asked after
    struct orphans orphans;
};

#endif
