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
    uint8_t hops;      // links to cross, >= 1
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
// Own floods: so many at once, then so many a second, whatever asks (mechanisms.md row 26).
#define FLOOD_BURST 64u
#define FLOODS_PER_S 200u

// --- Places (place.c) ---------------------------------------------------------------------------
// Caches in sets of 4, the latest used first in its set. Keys are random numbers: no hash needed.
#define WAYS 4
#define EP_SETS 128   // 512 endpoints
#define PORT_SETS 32  // 128 ports
#define MOVED_MAX 128 // hand-offs from here within MOVED_LIFE_NS; beyond that, callers ask the ring
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

// --- Questions (question.c) ---------------------------------------------------------------------
#define QUESTIONS_MAX 64
// A node that is asked alone has so long to answer, then the ring is asked too: a way to it may be known and cut.
#define LOCATE_ALONE_NS RETRY_MAX_NS
#define DOUBT_HINT_NS (200 * NS_PER_MS) // of asking, until the answer of a copy in doubt is better than none
struct found_hook {                     // whom answers are told (question_on_found)
    void (*ep)(struct node *n, ep_t ep);
    void (*port)(struct node *n, struct port port);
};
struct question {
    uint32_t op;    // LOCATE_EP, LOCATE_PORT; 0: free
    unsigned round; // floods sent
    bool answered;  // by a passing frame: told from the timer
    bool check;     // of question_check_server: its caller does not ask again, so it is not dropped for others
    ep_t at;        // this node is asked first, and alone; EP_NONE: all are
    ep_t ep;
    struct port port;
    uint64_t asked_ns, due_ns, interval_ns;
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

// --- Waiters (waiters.c) ------------------------------------------------------------------------
#define WAITERS_MAX 64
struct waiter {
    ep_t server, client, node; // server EP_NONE: free
    uint32_t tid;
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

    struct ep_place eps[EP_SETS][WAYS];
    struct port_place ports[PORT_SETS][WAYS];
    struct moved moved[MOVED_MAX];
    struct question questions[QUESTIONS_MAX];
    unsigned nquestions; // open
    struct timer question_timer;
    struct found_hook found;
    struct nodes_query nodes;
    struct waiter waiters[WAITERS_MAX];
    unsigned next_waiter;
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
