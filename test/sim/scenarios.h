// SPDX-License-Identifier: BSD-2-Clause
#ifndef TEST_SIM_SCENARIOS_H
#define TEST_SIM_SCENARIOS_H

#include "test/sim/sim.h"

struct scenario {
    const char *name;
    const char *claim; // one TAP line
    void (*play)(struct sim *s);
    unsigned seeds; // runs in the suite
};
extern const struct scenario scenarios[]; // ends with name NULL

// One long run in which everything happens at random.
void scenario_long(struct sim *s);

#endif
