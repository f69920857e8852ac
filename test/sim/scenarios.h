// SPDX-License-Identifier: BSD-2-Clause
// The scenarios, by section: one file each, scenarios_SECTION.c.
#ifndef TEST_SIM_SCENARIOS_H
#define TEST_SIM_SCENARIOS_H

#include "test/sim/sim.h"

#define FAULT_SEEDS 4u

// A scenario that fails today, because the code is wrong and nobody has mended it yet (docs/tests.md, "Known faults").
struct known_fault {
    const char *sentence;        // what is wrong
    const char *says;            // is in what the oracle says; a failure that says something else is a failure
    uint64_t seeds[FAULT_SEEDS]; // that show it; the first 0 ends them
};

struct scenario {
    const char *name;
    const char *claim; // one TAP line: what is right
    void (*play)(struct sim *s);
    unsigned seeds;                  // runs in the suite: 1 to this
    const struct known_fault *fault; // NULL: the claim holds
    bool slow;                       // takes long, or shows what another shows: only in a longer suite
};

// Each section ends with name NULL.
extern const struct scenario scenarios_calls[], scenarios_links[], scenarios_moves[], scenarios_faults[];
extern const struct scenario scenarios_ends[], scenarios_owners[], scenarios_long[];
extern const struct scenario scenarios_loss[], scenarios_truth[], scenarios_stopped[], scenarios_doubt[];
extern const struct scenario scenarios_crowd[], scenarios_large[], scenarios_forged[];

// All sections, in the order in which the suite plays them; ends with NULL.
extern const struct scenario *const scenario_sections[];
const struct scenario *scenario_find(const char *name); // NULL: nothing is called so

// One long run in which everything happens at random.
void scenario_long(struct sim *s);

#endif
