// SPDX-License-Identifier: BSD-2-Clause
// Network links, between the drivers that find them and net/.
#include "boards/net_links.h"

#include <string.h>

#include "core/log.h"
#include "core/node.h"
#include "core/panic.h"

struct found {
    struct link *link;
    void (*start)(struct link *l);
};
static struct found found[NET_LINKS_MAX];
static unsigned nfound;
static char names[NET_LINKS_MAX][8];
_Static_assert(NET_LINKS_MAX <= 10, "one digit in a name");

const char *net_links_found(struct link *l, void (*start)(struct link *l))
{
    ASSERT(l->send && l->driver && start && l->payload_max % 8 == 0 && l->payload_max <= WIRE_PAYLOAD_MAX);
    if (nfound == NET_LINKS_MAX)
        return "too many links";
    if (l->mac[0] & 1) // IEEE 802-2014, 8.2.2: I/G bit
        return "its MAC address is that of a group";
    found[nfound++] = (struct found){l, start};
    return NULL;
}

static void sort_by_mac(void)
{
    for (unsigned i = 1; i < nfound; i++)
        for (unsigned k = i; k > 0 && memcmp(found[k].link->mac, found[k - 1].link->mac, 6) < 0; k--) {
            struct found x = found[k];
            found[k] = found[k - 1];
            found[k - 1] = x;
        }
}

void net_links_start(struct node *n)
{
    sort_by_mac();
    for (unsigned i = 0; i < nfound; i++) {
        struct link *l = found[i].link;
        memcpy(names[i], "net0", 5);
        names[i][3] = (char)('0' + i);
        l->name = names[i];
        if (net_link_add(n, l) == 0)
            found[i].start(l);
        else
            node_log(n, "%s: the node has too many links", l->name);
    }
}
