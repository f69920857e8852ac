// SPDX-License-Identifier: BSD-2-Clause
// Node service: status, measurements, trace, power.
//
// OP_NODE_STATUS  reply: struct node_status. READ
// OP_NODE_NULL    Does nothing: the null transaction to a privileged task. arg[0] = bytes of zeros wanted as reply. No
//                 right needed
// OP_NODE_BENCH   Runs a measurement (services/bench.c). arg[0] = enum node_bench, arg[1] = rounds. reply: uint64_t[],
//                 nanoseconds of each round. READ; E_STATE: this node has no network (BENCH_ECHO)
// OP_NODE_TRACE   reply: text, the last trace events. READ
// OP_NODE_STOP    Powers off with status arg[0]. DESTROY
#ifndef SERVICES_PROTOCOL_NODE_H
#define SERVICES_PROTOCOL_NODE_H

#include "core/types.h"
#include "services/protocol/numbers.h"

enum node_bench {
    BENCH_ECHO = 1,  // frame ping-pong of the bare driver with the neighbour on link arg[2], payload arg[3]
    BENCH_TRANS = 2, // null transactions to the capability given in the request, arg[3] bytes each way
};
struct node_status {
    char name[32];
    uint64_t ep;
    uint64_t uptime_ns;
    uint32_t harts; // that run: the firmware may take its time, or fail, to start one
    uint32_t links; // entries of link[] in use: of more (a board may have 8: NET_LINKS_MAX) the first four
    uint64_t pages_total, pages_free;
    uint32_t procs, threads, segs, recs;
    uint64_t syscalls, switches, trans_local, trans_remote, retries, dups;
    struct {
        char name[8];
        uint32_t up, payload_max;
        uint64_t tx, rx, tx_drop, rx_bad;
    } link[4];
};

#endif
