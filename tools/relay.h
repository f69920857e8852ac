// SPDX-License-Identifier: BSD-2-Clause
// The relay: one process for the ring, which stands in those cables where something is to happen to frames, and in no
// others. The first `rotifer link` that sets something starts it; it ends with the ring.
//
// It takes orders (relay_order.h) at a socket, relay.sock: SOCK_SEQPACKET, one packet each way. `capture` brings a
// descriptor along (SCM_RIGHTS). Both ends are one program on one machine, so the answer is a struct.
//
// Callers: one thread, in the run directory; nothing here locks.
#ifndef TOOLS_RELAY_H
#define TOOLS_RELAY_H

#include "tools/options.h"
#include "tools/relay_order.h"
#include "tools/relay_way.h"

#define RELAY_SOCKET "relay.sock"
#define RELAY_RULES_MAX 16u
#define RELAY_PATH_MAX 256u

struct relay_status {
    uint32_t nodes, rules;
    uint64_t capture_frames, capture_bytes; // written
    char capture[RELAY_PATH_MAX];           // the file's name; "": none is written
    char capture_error[64];                 // why the last capture ended by itself; "": it did not
    struct fault_settings cable[CABLES_MAX];
    struct relay_way_status {
        uint8_t in, cut;
        uint32_t waiting;
        struct way_counts counts;
    } way[WAYS_MAX];
    struct frame_rule rule[RELAY_RULES_MAX];
};

struct relay_answer {
    uint32_t size; // of this struct: a command that was built anew meanwhile finds out
    bool done;
    char why[OPTION_SENTENCE]; // not done: the reason, a sentence without its full stop
    struct relay_status status;
};

// Runs the relay of a ring of so many nodes until SIGTERM. Returns the exit status.
int relay_run(unsigned nodes);

// --- For commands (relay_ask.c) ---------------------------------------------------------------------------

// Sends an order, with a descriptor unless fd is -1, and waits for the answer. When no relay runs and `start` is true,
// or when one has run and was killed, it is started first. Returns EXIT_OK; EXIT_NO_RING; EXIT_FAILED; or EXIT_REFUSED:
// the relay said why not; all after saying so. Not `start`, and none is needed: EXIT_OK, and a->size is 0.
int relay_ask(const char *order, int fd, bool start, struct relay_answer *a);
// How many nodes the ring of the run directory has: *nodes. Returns EXIT_OK, or EXIT_NO_RING after saying why.
int relay_ring(unsigned *nodes);
// Puts what is set on a cable into words: "loss 10 %, dup 10 %, cut from n1". Returns false: nothing is set.
bool relay_cable_text(const struct relay_status *s, unsigned cable_index, char *text, size_t size);

#endif
