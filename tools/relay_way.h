// SPDX-License-Identifier: BSD-2-Clause
// One way of a cable with the relay in it: the socket that frames come in by, those that are under way, and what became
// of all of them.
//
//   frames + doubled = passed + lost + dropped + cut + nobody + waiting
//
// When the receiver's queue is full, frames wait here, in order, and when WAY_FRAMES_MAX wait no more are taken in: the
// sender's queue fills, and it waits as it would without the relay. So nothing is lost but what is meant to be.
//
// Callers: one thread, in the run directory; nothing here locks.
#ifndef TOOLS_RELAY_WAY_H
#define TOOLS_RELAY_WAY_H

#include "tools/cable.h"
#include "tools/fault.h"

#define WAY_FRAMES_MAX 1024u
#define WAY_FRAME_BYTES 69632u // QEMU's own limit

struct way_counts {
    uint64_t frames, bytes; // that the sender sent
    uint64_t passed;        // copies that the receiver's socket took
    uint64_t lost;          // by `loss`
    uint64_t doubled;       // frames that became two, by `dup` or by a rule
    uint64_t held;          // frames that others were to overtake, by `reorder`
    uint64_t dropped;       // by a rule
    uint64_t cut;           // copies that met a cut
    uint64_t nobody;        // copies whose receiver was not there
    uint64_t too_long;      // longer than any frame: not counted among frames
};

struct way {
    struct cable_way names;
    unsigned index;
    int fd;  // the relay's socket; -1: never needed yet
    bool in; // the relay is in this way
    bool cut;
    struct fault_line line;
    struct way_counts counts;
    struct under_way *first, **last; // by due time, those of one time by number
    uint64_t last_due_ns;            // of the last one, or later
    unsigned waiting, held;          // how many are under way; how many of them wait to be overtaken
    uint64_t number;                 // of the newest frame
    uint64_t again_ns;               // the receiver's queue was full: not before this time
};

// Makes way number `index` of a ring of so many nodes; the relay is not in it.
void way_init(struct way *w, unsigned index, unsigned nodes);
// Moves the relay into the way, or out of it; frames that are under way then still arrive. Returns true, or false
// (errno).
bool way_set(struct way *w, bool in);
// Takes the next frame in. Returns its length in bytes; 0: there is none now.
size_t way_take(struct way *w, uint8_t frame[WAY_FRAME_BYTES]);
// True when another frame may be taken in.
bool way_has_room(const struct way *w);
// A frame of len bytes goes on as the verdict says.
void way_put(struct way *w, const uint8_t *frame, size_t len, const struct fault_verdict *v);
// Cut or not, from now on. What is under way is lost with a cut.
void way_set_cut(struct way *w, bool cut);
// Hands over what is due at now_ns. Returns when there is something to do again, UINT64_MAX: nothing is under way.
uint64_t way_flush(struct way *w, uint64_t now_ns);

#endif
