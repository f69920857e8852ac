// SPDX-License-Identifier: BSD-2-Clause
// What a node remembers of processes that ended here.
#include "core/ended.h"
#include "core/node.h"
#include "core/panic.h"

void ended_forgot(struct node *n, uint64_t until_ns)
{
    if (until_ns > n->ended.unsure_until_ns)
        n->ended.unsure_until_ns = until_ns;
}

void ended_note(struct node *n, ep_t server, ep_t client, uint32_t tid, uint32_t inc, uint64_t seq)
{
    struct ended *e = &n->ended;
    ASSERT(server != EP_NONE && e->next < ENDED_MAX);
    struct ended_key *k = &e->keys[e->next];
    e->next = (e->next + 1) % ENDED_MAX;
    if (k->until_ns > node_now(n))
        ended_forgot(n, k->until_ns);
    *k = (struct ended_key){.server = server,
                            .client = client,
                            .tid = tid,
                            .inc = inc,
                            .seq = seq,
                            .until_ns = node_now(n) + RECORD_LIFE_NS};
}

// A thread has one record at a server, so one key; of a server that was started again from a checkpoint, and ended
// again, the last one counts.
const struct ended_key *ended_find(struct node *n, ep_t server, ep_t client, uint32_t tid)
{
    const struct ended_key *found = NULL;
    for (unsigned i = 0; i < ENDED_MAX; i++) {
        const struct ended_key *k = &n->ended.keys[i];
        if (k->server == server && k->client == client && k->tid == tid && k->until_ns > node_now(n) &&
            (!found || k->until_ns >= found->until_ns))
            found = k;
    }
    return found;
}

bool ended_unsure(struct node *n)
{
    return node_now(n) < n->ended.unsure_until_ns;
}
