// SPDX-License-Identifier: BSD-2-Clause
// The sections, in the order in which the suite plays them. Safety is watched by the oracles after every event; a
// scenario says what happens, and what must have come true when the faults have stopped (liveness), in bounded
// virtual time.
#include "test/sim/scenarios.h"

#include <string.h>

const struct scenario *const scenario_sections[] = {
    scenarios_calls,  scenarios_links, scenarios_moves, scenarios_faults, scenarios_ends,
    scenarios_owners, scenarios_long,  scenarios_loss,  scenarios_truth,  scenarios_stopped,
    scenarios_doubt,  scenarios_crowd, scenarios_large, scenarios_forged, NULL,
};

const struct scenario *scenario_find(const char *name)
{
    for (const struct scenario *const *section = scenario_sections; *section; section++)
        for (const struct scenario *sc = *section; sc->name; sc++)
            if (strcmp(name, sc->name) == 0)
                return sc;
    return NULL;
}
