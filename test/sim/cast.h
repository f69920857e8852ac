// SPDX-License-Identifier: BSD-2-Clause
// What scenarios share: the cast (who serves, who calls), the weather, and what must have come true at the end.
#ifndef TEST_SIM_CAST_H
#define TEST_SIM_CAST_H

#include "test/sim/sim.h"

#define LIVE_NS (600 * NS_PER_S) // after the faults stop, all is done within this
// After that, nothing is left: longer than every lifetime of core/config.h.
#define SETTLE_NS (100 * NS_PER_S)
_Static_assert(SETTLE_NS > RECORD_LIFE_NS && SETTLE_NS > MOVED_LIFE_NS + 30 * NS_PER_S, "");

// --- Parts: each server gets a port of its own
struct guest_spec server_spec(struct sim *s, unsigned threads);
struct guest_spec nest_spec(struct sim *s, const struct guest_spec *behind);
struct guest_spec front_spec(struct sim *s, const struct guest_spec *behind);
struct guest_spec client_spec(struct sim *s, unsigned id, const struct guest_spec *server, uint64_t calls,
                              uint64_t max_len);
struct guest_spec sleeper_spec(struct sim *s, uint64_t pause_ns); // has no end

// --- A server and clients of it, each on the next node
struct cast {
    struct guest_spec server_spec;
    struct sim_guest *server, *client[8];
    unsigned nclients;
    uint64_t calls;
};
bool cast_start(struct sim *s, struct cast *c, unsigned server_node, unsigned threads, unsigned nclients,
                uint64_t calls, uint64_t max_len);
void cast_end(struct sim *s, struct cast *c); // waits, ends the server, looks at what is left

// --- Weather of all wires: percent of the frames; the longest delay
void weather(struct sim *s, unsigned loss, unsigned dup, uint64_t jitter_ns);
void clear_weather(struct sim *s);
// Cuts all wires of a node, or mends them.
void isolate(struct sim *s, unsigned node, bool cut);

// --- What must have come true; each speaks by sim_trouble()
void clients_end(struct sim *s);
void all_end(struct sim *s);
// The server executed each call of this client once.
void check_client(struct sim *s, const struct sim_guest *server, unsigned id, uint64_t calls);
void check_server(struct sim *s, const struct sim_guest *server);
// Waits until all guests have ended and nothing can be under way any more, and looks at what is left.
void finish(struct sim *s);

// --- A guest now
struct proc *proc_of(struct sim *s, const struct sim_guest *g);                   // NULL: no longer where it was
const struct guest_data *guest_data_of(struct sim *s, const struct sim_guest *g); // its first page

bool in_doubt(struct sim *s, void *guest); // for sim_run()

#endif
