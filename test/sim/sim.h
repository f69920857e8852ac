// SPDX-License-Identifier: BSD-2-Clause
// The simulator: the real core, net and services of many nodes in one process, under a seeded network and virtual time
// (design section 8). Nothing in a run depends on wall clock, addresses or the order of the host's allocator, so a seed
// replays exactly.
//
//   world (sim.c)      nodes, wires, frames, virtual time: what happens next
//   guests (guest.c)   simulated U-mode: programs whose whole state is registers and segments
//   orders (orders.c)  what the host command does: start, move, stun, kill, by real transactions
//   oracles (check.c)  what must be true after every event, and what must be left at the end
//   scenarios          one function each, by section; scenarios.c lists the sections, cast.c has what they share
#ifndef TEST_SIM_SIM_H
#define TEST_SIM_SIM_H

#include "arch/host/host.h"
#include "core/error.h"
#include "net/net.h"
#include "net/wire.h"
#include "test/sim/guest.h"

#include <stdio.h>

#define SIM_NODES 256
#define SIM_WIRES 256
#define SIM_GUESTS 300
#define SIM_FRAMES_MAX 5000u          // under way at one time: more is a storm; on a shared wire for each 16 ends
#define SIM_DATA_FRAME 1000u          // bytes: a frame of a long message, filled to the end
#define SIM_SKEW_NS (1000 * NS_PER_S) // between the clocks of two nodes: no protocol may compare them
#define SIM_FRAG_ETHERNET 1312u       // payload of a link that carries plain Ethernet frames

struct sim;

// --- What runs came to, added up over all of them: how much was tested
struct sim_totals {
    uint64_t runs, events, frames;
    uint64_t client_calls, moves;       // of guests, counted at their end
    uint64_t trans_local, trans_remote; // of nodes, counted when they lose power
};

// --- Randomness: SplitMix64 (Steele, Lea, Flood 2014) ------------------------------------------------
struct sim_rand {
    uint64_t s;
};
uint64_t sim_rand(struct sim_rand *r);
uint64_t sim_below(struct sim_rand *r, uint64_t limit);                // 0 for limit 0
uint64_t sim_between(struct sim_rand *r, uint64_t low, uint64_t high); // both included
bool sim_chance(struct sim_rand *r, unsigned percent);

// --- Wires ---------------------------------------------------------------------------------------------
struct sim_wire {
    unsigned index, nends;
    unsigned node[SIM_NODES]; // of each end; two for a cable, more for a shared segment
    struct sim_link *end[SIM_NODES];
    uint32_t payload_max;
    bool cut;         // swallows frames
    uint64_t free_ns; // when what was sent before is out
};
struct sim_link {
    struct link l; // first: send() gets its address
    struct sim *s;
    struct sim_wire *wire;
    unsigned end;
    char name[8];
};
struct sim_weather {    // of all wires
    unsigned loss, dup; // percent of the frames
    uint64_t delay_ns, jitter_ns, ns_per_byte;
};

// --- Nodes ---------------------------------------------------------------------------------------------
struct sim_counts {
    size_t procs, threads, segs, recs, ports;
};
struct sim_node {
    struct sim *s;
    struct node *n; // NULL: it has no power
    unsigned index, births;
    char name[16];
    uint64_t skew_ns;       // its clock - virtual time
    uint64_t run_at_ns;     // virtual time of its next step
    uint64_t busy_ns;       // until then it works on the last one
    uint64_t followed;      // trace events told
    size_t pages_empty;     // free before net and services came
    struct sim_counts idle; // with services and no guest
};

// --- Guests as the oracles see them --------------------------------------------------------------------
struct sim_guest {
    unsigned index;
    enum guest_program program;
    char name[16];  // also the process's: how the oracles recognize it wherever it is
    struct cap cap; // of the process
    ep_t ep;
    bool started, ended, may_be_lost, killed;
    bool may_fail;          // its calls may end with errors; a server may miss calls. Never twice, never wrong bytes
    int where;              // node on which it was seen last, in any state but ARRIVING
    int64_t status;         // ended
    struct guest_data data; // ended: the first page of its memory
};

// --- Orders: a task on node 0 that makes one transaction ------------------------------------------------
struct sim_order {
    struct sim *s;
    struct cap cap;
    uint32_t op;
    uint64_t arg[4];
    struct buf req, rep;
    uint64_t timeout_ms;
    unsigned node; // MIGRATE: look its process service up first
    bool migrate;
    struct cap target;
    // outcome
    bool done;
    int64_t status;
    uint64_t res[4], len;
};

struct sim_frame;
struct sim {
    uint64_t seed;
    struct sim_rand rand; // of the world; programs have their own seeds
    uint64_t now_ns;
    bool loud, follow; // tell what happens; tell every trace event
    const char *name;  // of the scenario
    struct sim_weather weather;
    struct sim_wire wire[SIM_WIRES];
    unsigned nwires;
    struct sim_node node[SIM_NODES];
    unsigned nnodes;
    size_t node_pages;
    struct sim_frame **heap; // frames under way, the next one first
    size_t nframes, heap_room;
    uint64_t frame_serial;
    uint64_t frames_sent, frames_lost, events;
    unsigned widest;                // most ends of a wire
    uint64_t frames_of[WIRE_KINDS]; // sent, of each enum wire_kind
    struct sim_node *apart[2];      // neither takes frames that the other sent, whichever way they come; NULL: none
    uint64_t data_frames;           // sent: requests with SIM_DATA_FRAME bytes of payload and more
    uint64_t data_lost_at;          // this one of them is lost; 0: none
    struct sim_totals *totals;      // of all runs; the caller's
    struct sim_guest guest[SIM_GUESTS];
    unsigned nguests;
    char trouble[200]; // what an oracle found first; empty: nothing
    bool moving;       // movers go on
    unsigned movers;   // tasks
    uint64_t moves, moves_refused, moves_failed;
    uint8_t ring_key[32];
    uint64_t next_port;
};

// --- World (sim.c)
struct sim *sim_new(const char *name, uint64_t seed, size_t node_pages, struct sim_totals *totals);
void sim_free(struct sim *s);
unsigned sim_add_node(struct sim *s); // off
struct sim_wire *sim_add_wire(struct sim *s, uint32_t payload_max, unsigned a, unsigned b);
void sim_wire_join(struct sim_wire *w, unsigned node); // one more end: a shared segment
void sim_ring(struct sim *s,
              unsigned nodes); // nodes, cables of differing frame sizes, all switched on
void sim_power_on(struct sim *s, unsigned node);
void sim_power_off(struct sim *s, unsigned node); // at once and silently, as a power cut
void sim_wire_set(struct sim *s, struct sim_wire *w, bool cut, bool carrier);
void sim_poke(struct sim_node *sn); // it has something to do: step it soon
void sim_step(struct sim *s);       // one event
// Runs until cond() or `ns` have passed, or an oracle spoke. Returns whether cond() became true. cond NULL: never.
bool sim_run(struct sim *s, uint64_t ns, bool (*cond)(struct sim *s, void *arg), void *arg);
void sim_dump(struct sim *s); // all that is known, for people
void sim_say(struct sim *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

// --- Orders (orders.c)
bool sim_order_start(struct sim *s, struct sim_order *o);
bool sim_order_done(struct sim *s, void *order);       // for sim_run()
int64_t sim_order(struct sim *s, struct sim_order *o); // and waits for the outcome
struct guest_spec;
struct sim_guest *sim_exec(struct sim *s, unsigned node,
                           const struct guest_spec *spec); // NULL: trouble
bool sim_cancel(struct sim *s); // cancels the call of a guest chosen at random; false: it is in none
int64_t sim_guest_order(struct sim *s, struct sim_guest *g, uint32_t op);
void sim_migrate_start(struct sim *s, struct sim_order *o, struct sim_guest *g, unsigned node);
int64_t sim_migrate(struct sim *s, struct sim_guest *g, unsigned node);
// Moves random guests to random nodes with pauses up to max_pause_ns until s->moving is false.
void sim_movers_start(struct sim *s, unsigned count, uint64_t max_pause_ns);
void sim_movers_stop(struct sim *s);                      // and waits
struct cap sim_server_cap(const struct guest_spec *spec); // what a client of this server presents
int64_t sim_quit(struct sim *s,
                 const struct guest_spec *server); // a server told to end, by its own port

// --- Oracles (check.c)
void sim_trouble(struct sim *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
struct sim_guest *sim_guest_of(struct sim *s, const struct proc *p); // NULL: not a guest
void sim_guest_done(struct node *n, struct proc *p);                 // node->guest_done
void sim_check_event(struct sim *s, struct sim_node *sn);
struct sim_counts sim_counts(struct node *n);
// All guests have ended and time has passed: nothing may be left. Powers all nodes off.
void sim_check_leaks(struct sim *s);
bool sim_all_ended(struct sim *s, void *arg); // arg: enum guest_program *, NULL = all

#endif
