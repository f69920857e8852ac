// SPDX-License-Identifier: BSD-2-Clause
// A link: one Ethernet port of a node, between a driver (boards/, tools/, the simulator) and net/.
// Callers: node lock held.
#ifndef NET_LINK_H
#define NET_LINK_H

#include "core/buf.h"
#include "net/wire.h"

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
    struct { // net_echo: numbers of the last one sent and come back (equal: it is back), and when
        uint64_t sent, back, sent_ns, back_ns;
    } echo;
};

// Hands the link to the node, which keeps it for ever. Returns 0, or E_LIMIT: the node has LINKS_MAX links.
int net_link_add(struct node *n, struct link *l);
// A frame came in: its header, and `payload_len` bytes behind it in `npieces` pieces. All of it is only read, and only
// until the return. Its bytes are not trusted.
void net_input(struct node *n, struct link *l, const struct wire_hdr *h, const struct piece *p, unsigned npieces,
               uint64_t payload_len);
// The driver has changed l->up.
void net_link_changed(struct node *n, struct link *l);

#endif
