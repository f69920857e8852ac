// SPDX-License-Identifier: BSD-2-Clause
// What nobody has answered: sets of WAYS entries; the one asked for longest ago makes room.
#include "net/silence.h"
#include "core/port.h"
#include "net/net_priv.h"
#include <string.h>

bool subject_eq(const struct subject *a, const struct subject *b)
{
    return a->op == b->op && a->ep == b->ep && port_eq(a->port, b->port);
}

// Keys are random numbers.
static struct silence *set_of(struct net *net, const struct subject *about)
{
    return net->silences[(about->ep ^ about->port.w[0]) % SILENCE_SETS];
}

static struct silence *find(struct net *net, const struct subject *about)
{
    if (net->nsilences == 0)
        return NULL; // nearly always: every frame comes by here
    struct silence *set = set_of(net, about);
    for (unsigned w = 0; w < WAYS; w++)
        if (subject_eq(&set[w].about, about))
            return &set[w];
    return NULL;
}

static struct silence *make_room(struct net *net, const struct subject *about)
{
    struct silence *set = set_of(net, about), *oldest = &set[0];
    for (unsigned w = 0; w < WAYS; w++) {
        if (set[w].about.op == 0) {
            net->nsilences++;
            return &set[w];
        }
        if (set[w].asked_ns < oldest->asked_ns)
            oldest = &set[w];
    }
    return oldest;
}

void silence_begin(struct node *n, const struct subject *about)
{
    if (!find(n->net, about))
        *make_room(n->net, about) = (struct silence){.about = *about, .asked_ns = node_now(n)};
}

void silence_asked(struct node *n, const struct subject *about)
{
    silence_begin(n, about); // others may have taken its place
    struct silence *s = find(n->net, about);
    uint64_t now = node_now(n);
    if (s->asked >= SILENCE_WHOLE && now - s->asked_ns > SILENCE_KEPT_NS)
        s->asked = SILENCE_WHOLE - 1; // what was a search then: this question makes it one again
    if (s->asked <= SILENCE_WHOLE)
        s->asked++;
    s->asked_ns = now;
}

void silence_forget(struct node *n, const struct subject *about)
{
    struct silence *s = find(n->net, about);
    if (!s)
        return;
    n->net->nsilences--;
    *s = (struct silence){0};
}

void silence_forget_all(struct node *n)
{
    memset(n->net->silences, 0, sizeof(n->net->silences));
    n->net->nsilences = 0;
}

bool silence_known(struct node *n, const struct subject *about, unsigned *asked)
{
    const struct silence *s = find(n->net, about);
    *asked = s ? s->asked : 0;
    return s != NULL;
}

// The last question counts when there was time for its answer.
bool silence_whole(struct node *n, const struct subject *about)
{
    const struct silence *s = find(n->net, about);
    if (!s)
        return false;
    uint64_t age_ns = node_now(n) - s->asked_ns;
    return age_ns <= SILENCE_KEPT_NS && s->asked >= SILENCE_WHOLE + (age_ns < SILENCE_LISTEN_NS ? 1u : 0u);
}
