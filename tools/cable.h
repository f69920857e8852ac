// SPDX-License-Identifier: BSD-2-Clause
// The cables of a ring: host - n1 - n2 - ... - nN - host. Position 0 is the host daemon, position I the node nI; cable
// K joins position K with the next one. A cable has two ways: way 2K leads from position K to the next, way 2K + 1
// back.
//
// Each end of a cable is a unix socket, and who sends to it sends to a name. The socket and the name are two things:
//
//   l2.end     the socket, bound by its owner and by nobody else: device 1 of n2
//   l2         a symbolic link, the name that n1 sends to: to l2.end, or, while something is to happen to the frames on
//              that way, to
//   l2.relay   a socket of the relay, which passes on to l2.end what is left of them
//
// A datagram's destination is looked up for every single frame, so replacing the link moves the relay into a cable and
// out of it again while the ring runs, and a node that is started again binds its socket without knowing of either. A
// cable with no relay in it costs one more step in a look-up (docs/tools.md).
//
// Callers: one thread; nothing here locks. Names are relative to the run directory (rundir_enter).
#ifndef TOOLS_CABLE_H
#define TOOLS_CABLE_H

#include "tools/rundir.h"

#define CABLES_MAX (RING_NODES_MAX + 1)
#define WAYS_MAX (2 * CABLES_MAX)
#define POSITION_NAME 8 // bytes of a position's name, final zero included

// A node has two network devices: 0 towards the next, 1 towards the previous node.
struct ring_socket_names {
    char local[2][16], remote[2][16];
    uint8_t mac[2][6];
};
// Returns the names and MAC addresses for a position (0 to nodes) of a ring of so many nodes.
struct ring_socket_names ring_sockets(unsigned position, unsigned nodes);

// The name of a position: "host", "n3".
void position_name(unsigned position, char out[POSITION_NAME]);
// True when the text of len bytes names a position of a ring of so many nodes: *position.
bool position_named(const char *text, size_t len, unsigned nodes, unsigned *position);

struct cable_way {
    unsigned from, to; // positions
    char name[16];     // that the sender sends to
    char end[16];      // the receiver's socket
    char relay[16];    // the relay's
};
// Returns way number `way` (0 to 2 * nodes + 1) of a ring of so many nodes.
struct cable_way cable_way(unsigned way, unsigned nodes);
// The frames of this way go through the relay from now on, or straight. The name is there at every moment. Returns
// true, or false (errno).
bool cable_point(const struct cable_way *w, bool through_relay);
// All ways of a ring of so many nodes lead straight. Returns true, or false (errno).
bool cables_lay(unsigned nodes);

#endif
