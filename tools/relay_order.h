// SPDX-License-Identifier: BSD-2-Clause
// What the relay is told, as one line of text. The command makes the line out of its own command line and reads it
// itself first: what is wrong with it is said before anything is done. The relay reads it again, for it comes in
// through a socket.
//
//   CABLE [WORD...]      words are separated by one blank
//
//   CABLE                "-": all; "n1,n2": the one between these two; "host,n1"
//   loss=P dup=P reorder=P    per cent of the frames, with up to four decimals: 10, 0.01
//   delay=T jitter=T     2ms, 500us, 1.5s; at most a minute
//   rate=R               bits a second: 10M, 56K, 1G; 0: no limit
//   seed=N               a number
//   cut                  no frame goes through, in both directions
//   cut-from=NODE        none that this end of the cable sends
//   partition=N,N...     of all cables those between one of these and one of the others are cut
//   heal                 nothing is cut any more
//   clear                as if nothing had ever been set: faults, cuts, rules
//   at=FRAME do=WHAT     the frame, as kind=K,op=O,from=N,to=N,n=I; what, one or more of drop, twice, delay:T, cut,
//                        kill:N, pause:N with a comma between them
//   capture              frames are written to the file whose descriptor comes along
//   capture-end          no more
//
// Callers: one thread; nothing here locks. Pure. A fuzz target.
#ifndef TOOLS_RELAY_ORDER_H
#define TOOLS_RELAY_ORDER_H

#include "tools/fault.h"
#include "tools/frame_rule.h"
#include "tools/options.h"

#define RELAY_ORDER_MAX 1024u // bytes of the line

enum {
    ORDER_LOSS = 1,
    ORDER_DUP = 2,
    ORDER_REORDER = 4,
    ORDER_DELAY = 8,
    ORDER_JITTER = 16,
    ORDER_RATE = 32,
    ORDER_SEED = 64,
    ORDER_FAULTS = 127, // all of the above
    ORDER_CUT = 128,
    ORDER_CUT_FROM = 256,
    ORDER_PARTITION = 512,
    ORDER_HEAL = 1024,
    ORDER_CLEAR = 2048,
    ORDER_AT = 4096,
    ORDER_CAPTURE = 8192,
    ORDER_CAPTURE_END = 16384,
    ORDER_DO = 32768 // only on the way: an order that was read has it with ORDER_AT or not at all
};

struct relay_order {
    uint64_t cables;           // bit K: cable K
    bool all;                  // no cable was named
    unsigned given;            // ORDER_*
    struct fault_settings set; // those that `given` names
    unsigned cut_from;         // position
    uint64_t side;             // partition: bit I: position I
    struct frame_rule rule;
};

// Reads a line of len bytes for a ring of so many nodes. Returns true, or false and a sentence without its full stop in
// `why`.
bool relay_order_read(const char *line, size_t len, unsigned nodes, struct relay_order *o, char why[OPTION_SENTENCE]);

#endif
