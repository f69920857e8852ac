// SPDX-License-Identifier: BSD-2-Clause
// Rules that pick one frame out of all that pass: "the third request of COMMIT that n1 sends to n3". The frame's header
// is net/wire.h's; who sends and who receives are positions in the ring (tools/cable.h), learned from the frames.
//
// Callers: one thread; nothing here locks.
#ifndef TOOLS_FRAME_RULE_H
#define TOOLS_FRAME_RULE_H

#include "net/wire.h"
#include "tools/cable.h"

#define ANY_POSITION 0xffu

// --- What a frame is --------------------------------------------------------------------------------------

struct frame_facts {
    bool ours;        // its header passes wire_check(); else only the next two mean nothing, and no rule picks it
    uint8_t kind;     // enum wire_kind
    bool has_op;      // of a request, and of the frames that answer one which passed here
    uint32_t op;      // enum op_number, when it is a request to a service
    uint8_t from, to; // positions of the nodes that the frame is from and for; ANY_POSITION: not known
};

// What the frames so far have told. A node is known by the frames that it sends itself: those that come out of its own
// device and have crossed no link. An answer names its transaction but not what was asked, so the requests of late are
// kept, each in the slot that its identity hashes to.
#define ASKED_SLOTS 1024u
struct frame_memory {
    ep_t node[RING_NODES_MAX + 1];
    struct asked {
        ep_t client;
        uint64_t seq;
        uint32_t tid, op;
    } asked[ASKED_SLOTS];
};

// A frame of len bytes has come out of the device of the node at this position: remembers what it tells, and fills in
// *f.
void frame_read(struct frame_memory *m, const uint8_t *frame, size_t len, unsigned position, struct frame_facts *f);

// --- Rules ------------------------------------------------------------------------------------------------

enum {
    RULE_DROP = 1,  // the frame is lost
    RULE_TWICE = 2, // it is carried twice
    RULE_DELAY = 4, // it takes delay_ns more
    RULE_CUT = 8,   // the cable is cut before it
    RULE_KILL = 16, // the node `killed` is killed before it goes on
    RULE_PAUSE = 32 // the node `paused` is stopped before it goes on
};

struct frame_rule {
    uint64_t cables; // bit K: on cable K
    bool any_kind, any_op;
    uint8_t kind;
    uint32_t op;
    uint8_t from, to; // positions, or ANY_POSITION
    uint64_t nth;     // 1: the first that matches
    unsigned what;    // RULE_*
    uint8_t killed, paused;
    uint64_t delay_ns;
    uint64_t seen; // frames that matched so far
};

// Counts the frame when the rule is for this cable and matches. True when it is the one: once in the rule's life.
bool frame_rule_picks(struct frame_rule *r, unsigned cable_index, const struct frame_facts *f);

// --- Names ------------------------------------------------------------------------------------------------

// True when the text of len bytes names a kind of frame, as wire_kind_name() or as in net/wire.h, in capitals or not:
// "request-ack", "REQUEST_ACK".
bool frame_kind_named(const char *text, size_t len, uint8_t *kind);
// The operation that the text of len bytes names: OP_PROC_COMMIT, PROC_COMMIT, COMMIT (when there is one alone that
// ends so), or its number. Returns how many it could be: 1, and *op; 0, or more.
unsigned frame_op_named(const char *text, size_t len, uint32_t *op);
// Returns the operation's name, "PROC_COMMIT"; NULL when it has none.
const char *frame_op_name(uint32_t op);

#endif
