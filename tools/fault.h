// SPDX-License-Identifier: BSD-2-Clause
// What a faulty wire does to a frame: lose it, carry it twice, let others overtake it, be slow. One struct fault_line
// is one way of one cable. Nothing here sends anything: a frame and the time go in, what is to be done comes out.
//
// What happens to the I-th frame since fault_start() depends on the settings, their seed, the way and I alone. The same
// number of random values is drawn for each frame, whatever is set, so that a second setting does not change what the
// first one picks. (Due times depend on the clock as well, and with a rate on the frames before.)
//
//   loss     the frame does not arrive
//   dup      it arrives twice; each copy takes a time of its own
//   reorder  it is held back until 1 to 4 frames that came later have been passed on, or for FAULT_HOLD_NS
//   delay    it takes so long
//   jitter   and on top of that a random time, of Lomax's distribution (Pareto's, beginning at 0) with exponent 2: the
//            mean is what was set, the median 0.41 of it; one in a hundred takes 9 times as much, one in ten thousand
//            99 times (the most there is). So frames overtake each other, by a lot now and then
//   rate     it occupies the wire for as long as its bytes take, and the next waits; a lost frame has occupied it too
//
// Callers: one thread; nothing here locks. All functions are pure but for the line they are given.
#ifndef TOOLS_FAULT_H
#define TOOLS_FAULT_H

#include "core/types.h"

#define FAULT_ALL 1000000u               // loss, dup, reorder: of so many frames
#define FAULT_TIME_MAX_NS 60000000000ull // of delay and jitter: a minute
#define FAULT_RATE_MIN 1000u             // bits a second: below that a full frame takes minutes
#define FAULT_HOLD_NS 20000000ull        // a frame that is held back goes on after 20 ms when none comes
#define FAULT_BEHIND_MAX 4u              // frames that may overtake one that is held back
#define FAULT_SEED 1u                    // when none was given

struct fault_settings {
    uint32_t loss, dup, reorder; // of FAULT_ALL frames
    uint64_t delay_ns, jitter_ns;
    uint64_t rate_bits; // a second; 0: no limit
    uint64_t seed;
};

struct fault_line {
    struct fault_settings set;
    uint64_t random;  // state of the generator
    uint64_t free_ns; // until then the wire is occupied (rate)
};

struct fault_verdict {
    unsigned copies;    // 0: lost; 2: doubled
    unsigned behind;    // held back until so many frames have overtaken it; 0: it is not
    uint64_t due_ns[2]; // when each copy arrives: not before now
};

// True when the settings do anything to a frame.
bool fault_any(const struct fault_settings *s);
// The line begins afresh with these settings; way: its number, so that no two lines of one seed do the same.
void fault_start(struct fault_line *l, const struct fault_settings *s, unsigned way_index);
// What happens to a frame of len bytes that is sent at now_ns.
void fault_judge(struct fault_line *l, size_t len, uint64_t now_ns, struct fault_verdict *v);

#endif
