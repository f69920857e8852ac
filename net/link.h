// SPDX-License-Identifier: BSD-2-Clause
// A link: one Ethernet port of a node, between a driver (boards/, tools/, the simulator) and net/. The driver fills in
// a struct link, gives it to net_link_add() (net/net.h), says what comes in by net_input(), and sends by l->send().
// Callers: node lock held.
#ifndef NET_LINK_H
#define NET_LINK_H

#include "core/buf.h"
#include "net/wire.h"

struct link_status; // core/transport.h
struct node;

struct link {
    const char *name;     // [I] "net0"
    uint8_t mac[6];       // [I]
    uint32_t payload_max; // [I] largest payload behind the wire header, multiple of 8, <= WIRE_PAYLOAD_MAX
    bool up;              // [N] carrier
    // Sends header (copied) and payload pieces. The driver may go on reading the pieces after the return: it
    // holds their pages (page_hold) until they are out. No answer: a full queue or dead wire drops the
    // frame and counts it.
    void (*send)(struct link *l, const struct wire_hdr *h, const struct piece *p, unsigned npieces);
    void *driver;      // [I]
    struct node *node; // set by net_link_add
    unsigned index;    // set by net_link_add
    struct {           // counted by net/; tx_drop by the driver too, for frames that it lost
        uint64_t tx, rx, tx_drop, rx_bad, tx_bytes, rx_bytes;
    } stat;
    struct { // link_echo: numbers of the last one sent and come back (equal: it is back), and when
        uint64_t sent, back, sent_ns, back_ns;
    } echo;
};

// The address of every station on a wire.
extern const uint8_t link_mac_everyone[6];

// Returns link number i of the node, counted in the order in which they were added; NULL: there are fewer.
struct link *link_at(struct node *n, unsigned i);

// Sends h as it is, but for the source MAC, EtherType and version, with npieces pieces of payload. A frame that is too
// long for the link, or finds it down, is dropped and counted.
void link_put(struct node *n, struct link *l, struct wire_hdr *h, const struct piece *p, unsigned npieces);

// Measures the limit of the link: sends one ECHO frame with `payload` bytes (at most l->payload_max). Its return wakes
// task_wait(l); l->echo says when it went and whether it is back. For make bench.
void link_echo(struct node *n, struct link *l, uint32_t payload);

// The same, and waits until it is back. i: number of the link. Returns 0; or E_ARG: there is no such link, or payload
// is too long for it; E_TIMEOUT: it was lost. Callers: tasks (may sleep).
int link_echo_wait(struct node *n, unsigned i, uint32_t payload);

// Fills in *out with what link number i is and has done. False if there are fewer links.
bool link_status(struct node *n, unsigned i, struct link_status *out);

// Takes in an ECHO or ECHO_BACK frame with npieces pieces of payload: turned round, or noted in l->echo. Returns false:
// the frame is of another kind, and nothing was done.
bool link_echo_input(struct node *n, struct link *l, const struct wire_hdr *h, const struct piece *p, unsigned npieces);

#endif
