// SPDX-License-Identifier: BSD-2-Clause
// Names of cables, and the symbolic links that say where a frame goes.
#include "tools/cable.h"
#include "core/panic.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

// --- Positions --------------------------------------------------------------------------------------------

void position_name(unsigned position, char out[POSITION_NAME])
{
    ASSERT(position <= RING_NODES_MAX);
    if (position)
        snprintf(out, POSITION_NAME, "n%u", position);
    else
        snprintf(out, POSITION_NAME, HOST_NODE);
}

bool position_named(const char *text, size_t len, unsigned nodes, unsigned *position)
{
    char name[POSITION_NAME];
    ASSERT(nodes <= RING_NODES_MAX);
    for (unsigned i = 0; i <= nodes; i++) {
        position_name(i, name);
        if (strlen(name) == len && memcmp(name, text, len) == 0) {
            *position = i;
            return true;
        }
    }
    return false;
}

// --- Sockets ----------------------------------------------------------------------------------------------

// The name of a device: 'r' (towards the next) or 'l', and the position; the host daemon's is "h".
static void device_name(char side, unsigned position, char out[16])
{
    if (position)
        snprintf(out, 16, "%c%u", side, position);
    else
        snprintf(out, 16, "%ch", side);
}

static unsigned next_to(unsigned position, unsigned nodes)
{
    return position == nodes ? 0 : position + 1;
}

static unsigned before(unsigned position, unsigned nodes)
{
    return position == 0 ? nodes : position - 1;
}

static void end_name(const char *name, const char *suffix, char out[16])
{
    snprintf(out, 16, "%.4s.%s", name, suffix);
}

struct ring_socket_names ring_sockets(unsigned position, unsigned nodes)
{
    struct ring_socket_names s;
    char me[16];
    ASSERT(position <= nodes && nodes <= RING_NODES_MAX);
    device_name('r', position, me);
    end_name(me, "end", s.local[0]);
    device_name('l', next_to(position, nodes), s.remote[0]);
    device_name('l', position, me);
    end_name(me, "end", s.local[1]);
    device_name('r', before(position, nodes), s.remote[1]);
    for (unsigned side = 0; side < 2; side++) {
        uint8_t mac[6] = {0x02, 0, 0, 0, (uint8_t)side, (uint8_t)(position ? position : 0xfe)};
        memcpy(s.mac[side], mac, 6);
    }
    return s;
}

// --- Ways -------------------------------------------------------------------------------------------------

struct cable_way cable_way(unsigned way, unsigned nodes)
{
    unsigned a = way / 2, b = next_to(a, nodes);
    bool back = way % 2 != 0;
    ASSERT(nodes <= RING_NODES_MAX && a <= nodes);
    struct cable_way w = {.from = back ? b : a, .to = back ? a : b};
    device_name(back ? 'r' : 'l', w.to, w.name);
    end_name(w.name, "end", w.end);
    end_name(w.name, "relay", w.relay);
    return w;
}

// By way of a second link: a sender finds the old one or the new one, never none.
bool cable_point(const struct cable_way *w, bool through_relay)
{
    char fresh[16];
    end_name(w->name, "new", fresh);
    (void)unlink(fresh);
    return symlink(through_relay ? w->relay : w->end, fresh) == 0 && rename(fresh, w->name) == 0;
}

bool cables_lay(unsigned nodes)
{
    for (unsigned way = 0; way < 2 * (nodes + 1); way++) {
        struct cable_way w = cable_way(way, nodes);
        if (!cable_point(&w, false))
            return false;
    }
    return true;
}
