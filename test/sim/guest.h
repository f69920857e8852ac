// SPDX-License-Identifier: BSD-2-Clause
// Simulated U-mode. A program is a small state machine; pc selects its step. ENTIRE state: the thread's registers and
// the process's segments, nothing on the host's side, so that the real migration moves it.
//
// Memory of every program:
//   DATA   one page: struct guest_data
//   REQ(i), REP(i)  message buffers of thread i
#ifndef TEST_SIM_GUEST_H
#define TEST_SIM_GUEST_H

#include "core/node.h"

#define GUEST_DATA 0x100000ull
#define GUEST_BUFFER (256 * KIB)
#define GUEST_REQ(i) (0x1000000ull + (uint64_t)(i)*0x100000)
#define GUEST_REP(i) (0x1000000ull + (uint64_t)(i)*0x100000 + GUEST_BUFFER)
#define GUEST_THREADS 4u
#define GUEST_CLIENTS 64u // ids of clients that a server counts
#define GUEST_NESTED 32u  // a nested server calls on behalf of client id as client id + this

#define GUEST_MARKED 8u // clients whose calls are marked one by one
#define GUEST_MARKS 256u
#define GUEST_EVENTS 8u

enum guest_program {
    GUEST_CLIENT,
    GUEST_SERVER,
    GUEST_NEST,
    GUEST_FRONT, // a server that forwards each request to another
    GUEST_FUTEX,
    GUEST_SLEEPER,
    GUEST_SEEKER, // each thread calls a port of its own, which nobody serves, again and again
    GUEST_PROGRAMS
};

#define GUEST_OP_ADD 200u  // arg: client id, call number, reply length, time to work (ns)
#define GUEST_OP_QUIT 201u // the server ends

#define GUEST_MAGIC 0x74736575472e5221ull
struct guest_data {
    uint64_t magic;
    uint64_t errors, first_status, first_call; // client: calls that failed or whose reply was wrong
    uint64_t calls;                            // client: calls made. futex: turns taken. sleeper: sleeps
    uint64_t total, sum;                       // server: requests executed, sum of their call numbers
    uint64_t doubles, gaps, corrupt;           // server
    uint64_t last[GUEST_CLIENTS];              // server: highest call number executed of each client, + 1
    uint64_t count[GUEST_CLIENTS];             // server: requests of each client
    // Of calls that may be cancelled: numbers below GUEST_MARKS, ids below GUEST_MARKED. A bit a call.
    uint64_t odd, odd_status;       // client: errors that no cancel explains
    uint64_t good[4], never[4];     // client: a reply came; "not executed" was said
    uint64_t done[GUEST_MARKED][4]; // server: executed
    uint64_t events[GUEST_EVENTS];  // server: what it was told as an owner, by enum owner_event
    uint32_t turn;
    uint32_t left_threads;
};

struct guest_spec {
    enum guest_program program;
    unsigned id;       // of a client, 0..GUEST_NESTED - 1
    uint64_t count;    // client: calls. futex: turns. sleeper: sleeps
    uint64_t max_len;  // longest message
    uint64_t pause_ns; // most time between calls
    uint64_t work_ns;  // most time that the server is asked to work
    uint64_t seed;
    unsigned threads; // server, seeker
    bool may_fail;    // for the oracles: see struct sim_guest
    uint64_t get[2];  // server: its get-port. seeker: the first port that it calls
    struct cap cap;   // client, nested server: whom to call
    struct cap owner; // null: nobody
};

// Registers of the first thread.
void guest_registers(const struct guest_spec *spec, uint64_t x[32], uint64_t *pc);
unsigned guest_threads(const struct guest_spec *spec);
// host_options.guest_run: thread t runs until its next system call or fault.
void guest_run(struct node *n, struct thread *t);
const char *guest_step_name(uint64_t pc);

#endif
