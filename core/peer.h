// SPDX-License-Identifier: BSD-2-Clause
// The peer of one half of a transaction: how long it has been silent, and since when it is looked for. It lies in the
// call and in the record, so that a search goes on where the process goes on. core/ notes the signs of life; net/ looks
// the peer up, and gives it up after a whole search in vain (net/question.h).
//
// Pure functions of plain data; times are of the node's clock.
// Callers: whoever owns the record; nothing here locks.
#ifndef CORE_PEER_H
#define CORE_PEER_H

#include "core/config.h"
#include <stdbool.h>
#include <stdint.h>

struct peer {
    uint64_t heard_ns;  // its last sign of life, or the start of the transaction; 0: it is on this node, so far
    uint64_t sought_ns; // since when it is looked for; 0: it is not
};

// The peer gave a sign of life: the search for it has ended.
static inline void peer_heard(struct peer *p, uint64_t now_ns)
{
    p->heard_ns = now_ns;
    p->sought_ns = 0;
}

// The peer is looked for. A search under way goes on: it is given up so long after it began.
static inline void peer_seek(struct peer *p, uint64_t now_ns)
{
    if (p->sought_ns == 0)
        p->sought_ns = now_ns;
}

// Ends the search without a sign of life: another peer is looked for from now on.
static inline void peer_seek_end(struct peer *p)
{
    p->sought_ns = 0;
}

// Returns for how long, in ns, the peer has been looked for; 0: it is not looked for.
static inline uint64_t peer_seek_ns(const struct peer *p, uint64_t now_ns)
{
    return p->sought_ns == 0 ? 0 : now_ns - p->sought_ns;
}

// Returns true if the peer has been silent for so long that it must be looked for, and it is not looked for yet.
static inline bool peer_silent(const struct peer *p, uint64_t now_ns)
{
    return p->sought_ns == 0 && now_ns - p->heard_ns > SILENCE_MAX_NS;
}

#endif
