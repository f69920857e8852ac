// SPDX-License-Identifier: BSD-2-Clause
// What the files of net/ share among themselves: the tables of one node's network half. Each table is one file's, which
// its heading names; the others go by that file's header.
//
// All tables have a fixed size: a node's memory does not grow with the ring, and nothing that comes over a wire makes
// the kernel allocate. struct net lies in a run of pages taken once, at boot.
#ifndef NET_NET_PRIV_H
#define NET_NET_PRIV_H

#include "core/config.h"
#include "core/node.h"
#include "net/link.h"
#include "net/nodes.h"
#include "net/silence.h"

#define LINKS_MAX 16

// --- Routes (route.c) ---------------------------------------------------------------------------
#define ROUTES_MAX 256 // nodes known at a time; the one not heard for longest makes room
#define ROUTES_HASH 128
// Frame of 1,500 bytes behind the MACs: what any Ethernet carries. Assumed of a way of which nothing is known.
#define ROUTE_PAYLOAD_SAFE ((1500u + 14u - (unsigned)sizeof(struct wire_hdr)) & ~7u)
// A longer way replaces the present one when nothing came by that for so long.
#define ROUTE_STALE_NS (2 * NS_PER_S)
// An equally long way does so after this: by then the copies of one flood have all arrived, so two equal ways round a
// ring do not take turns.
#define ROUTE_QUIET_NS (100 * NS_PER_MS)
// A route found so lately is not suspected. Each of many calls that wait for one dead node suspects its route, and all
// that silence lies before the first of them had a new route looked for: the second must not throw that away.
#define ROUTE_NEW_NS RETRY_MAX_NS

struct route {
    ep_t node;         // EP_NONE: free
    struct link *link; // the way there ...
    uint8_t mac[6];    // ... and the neighbour on it
    uint16_t hops;     // links to cross, >= 1
    uint16_t next;     // hash chain: index + 1, 0 ends it
    uint32_t payload;  // largest that the whole way carries, as far as known
    uint64_t heard_ns; // a frame of the node came by this way
    uint64_t since_ns; // it is the way since
};

// Floods heard, one window for each source: every node floods with numbers of its own that only go up.
#define FLOOD_SOURCES 256
struct flood {
    ep_t node;         // EP_NONE: free
    uint64_t newest;   // highest number heard
    uint64_t mask;     // bit i: number newest - i was heard
    uint64_t heard_ns; // older than PACKET_LIFE_NS: the window means nothing any more
};
// Own floods: so many at once, then so many a second, whatever asks (mechanisms.md row 26). What can wait leaves half
// of that to what cannot.
#define FLOOD_BURST 64u
#define FLOODS_PER_S 200u
// All floods that cross this node's links, own and others', so many a second over time. What can wait waits until this
// much is free, so the ring carries no more of it the more nodes there are, and each has the same chance of a turn.
#define RING_FLOODS_PER_S 12u
#define RING_AHEAD_NS (2 * NS_PER_S)   // a search may take so much in advance; a repetition nothing
#define RING_DEBT_NS (10 * NS_PER_S)   // most that is remembered of what could not wait
#define RING_TURN_NS (640 * NS_PER_MS) // a node that waits its turn tries at a random time within this after it is free

// --- Places (place.c) ---------------------------------------------------------------------------
// Caches in sets of 4, the latest used first in its set. Keys are random numbers: no hash needed.
#define WAYS 4
#define EP_SETS 128   // 512 endpoints
#define PORT_SETS 32  // 128 ports
#define MOVED_MAX 128 // moves from here within MOVED_LIFE_NS; beyond that, callers ask the ring
struct ep_place {
    ep_t ep, node;
};
struct port_place {
    struct port port;
    ep_t server, node;
};
struct moved {
    ep_t ep, node;
    uint64_t until_ns;
};

// --- Silence (silence.c) ------------------------------------------------------------------------
#define SILENCE_SETS 64 // 256 subjects
struct silence {
    struct subject about; // op 0: free
    unsigned asked;       // of the whole ring, SILENCE_WHOLE + 1 at most
    uint64_t asked_ns;    // last
};

// --- Questions (question.c) ---------------------------------------------------------------------
#define QUESTIONS_MAX 64
#define QUESTIONS_EACH 8u // of one process
// Most time between two rounds: a search has 13 of them, and then half a second to listen.
#define LOCATE_LAST_NS (640 * NS_PER_MS)
// The second round is four times the time of an answer from nearby after the first one, but not less than this.
#define LOCATE_LEAST_NS (1 * NS_PER_MS)
// A node that is asked alone has so long to answer, then the ring is asked too: a way to it may be known and cut.
#define LOCATE_ALONE_NS RETRY_MAX_NS
// What nobody has asked for again in so long is not looked for any more: a caller asks every RETRY_WAIT_NS at least.
#define LOCATE_WANTED_NS (RETRY_WAIT_NS + RETRY_MAX_NS)
#define DOUBT_HINT_NS (200 * NS_PER_MS) // of asking, until the answer of a copy in doubt is better than none
struct found_hook {                     // whom answers are told (question_on_found)
    void (*ep)(struct node *n, ep_t ep);
    void (*port)(struct node *n, struct port port);
};
struct question {
    struct subject about; // op 0: free
    unsigned round;       // how far and how often it is asked for
    bool answered;        // by a passing frame: told from the timer
    bool check;           // of question_check_server: its caller does not ask again, so it is not dropped for others
    bool poor;            // its process has asked for too much lately: it waits its turn
    ep_t at;              // this node is asked first, and alone; EP_NONE: all are
    ep_t asker;           // process; EP_NONE: the node itself
    uint64_t asked_ns, wanted_ns, flooded_ns, due_ns, interval_ns;
};
// What is asked for the first time is asked at once: so many things in a row for one process, then one in ASKER_PRICE.
#define ASKERS_MAX 32
#define ASKER_BURST 16u
#define ASKER_PRICE_NS (2 * NS_PER_S)
struct asker {
    ep_t ep;          // EP_NONE: free
    uint64_t paid_ns; // its first questions are paid for up to this time
};

// --- All nodes (nodes.c) -------------------------------------------------------------------------
#define NODES_SEEN_MAX 512
#define NODES_FIRST_NS (50 * NS_PER_MS)
#define NODES_LAST_NS (1 * NS_PER_S)
struct nodes_query {
    void (*seen)(struct node *n, void *arg, const struct net_node *who); // NULL: no query
    void *arg;
    uint64_t interval_ns;
    struct timer timer;
    unsigned count;
    ep_t nodes[NODES_SEEN_MAX]; // reported
};

// --- Sent on (waiters.c) -------------------------------------------------------------------------
#define SENT_ON_MAX 32
struct sent_on {
    ep_t node, from, to; // node EP_NONE: free
    uint32_t tid, kind;
    uint64_t at_ns;
};

// --- Waiters (waiters.c) ------------------------------------------------------------------------
#define WAITERS_MAX 64
struct waiter {
    ep_t server, client, node; // server EP_NONE: free
    uint32_t tid, inc, server_inc, ask;
    uint64_t seq;
};

struct net {
    struct link *links[LINKS_MAX];
    unsigned nlinks;

    struct route routes[ROUTES_MAX];
    uint16_t route_heads[ROUTES_HASH]; // index + 1
    struct flood floods[FLOOD_SOURCES];
    uint64_t flood_seq;     // of this node's last flood
    uint64_t flood_paid_ns; // floods are paid for up to this time (FLOODS_PER_S)
    uint64_t ring_paid_ns;  // and those of the whole ring (RING_FLOODS_PER_S)

    struct ep_place eps[EP_SETS][WAYS];
    struct port_place ports[PORT_SETS][WAYS];
    struct moved moved[MOVED_MAX];
    struct silence silences[SILENCE_SETS][WAYS];
    unsigned nsilences; // in use
    struct question questions[QUESTIONS_MAX];
    unsigned nquestions; // open
    struct asker askers[ASKERS_MAX];
    uint64_t near_ns; // an answer from nearby takes so long; 0: not known yet
    struct timer question_timer;
    struct found_hook found;
    struct nodes_query nodes;
    struct waiter waiters[WAITERS_MAX];
    unsigned next_waiter;
    struct sent_on sent_on[SENT_ON_MAX];
    unsigned next_sent_on;
    uint64_t version_said_ns; // an unknown version was logged last; 0: never
    // This node's name for answers: here and not in struct node, for drivers send from pages of the pool.
    char name[NAME_MAX_LEN];
};
#define NET_PAGES PAGES_FOR(sizeof(struct net))
_Static_assert(sizeof(struct net) <= 64 * KIB, "a small node can spare it");

// Why a frame was dropped: argument a of TRACE_DROP; b is its source node, c its kind.
enum net_drop {
    DROP_FORM = 1, // wire_check; c is the address of its sentence
    DROP_ALIEN,    // for another MAC: a wire that shows everything
    DROP_HOPS,     // has crossed as many links as it may
    DROP_NO_ROUTE,
    DROP_BOUNCE, // would go back where it came from
    DROP_LINK,   // the link is down, or carries no frame so long
};

#endif
