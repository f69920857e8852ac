// SPDX-License-Identifier: BSD-2-Clause
// Where things are. Three kinds of knowledge, in order of trust:
//
//   first hand   the node itself sent a frame (HEREIS, or any traffic): locate_heard
//   told         another node said so in answer to a request (MOVED): locate_learn_*
//   a hint       another node said so in answer to a question: locate_moved_hint. It may be old news of a process
//                that has moved twice, so it never replaces anything and the question stays open
//
// All of it may be wrong by the time it is used; then a "not here" or silence comes, and the user forgets it and asks.
// So nothing here needs an expiry but "moved to", which would make wrong answers for ever.
#include "net/locate.h"
#include "core/panic.h"
#include "core/port.h"
#include "net/net_priv.h"
#include <string.h>

// --- What lives here -----------------------------------------------------------------------------

// A process that still arrives is its source's until COMMIT; a dead one is nowhere.
static bool lives(const struct proc *p)
{
    return p->state != PROC_ARRIVING && p->state != PROC_DEAD;
}

static bool ep_is_here(struct node *n, ep_t ep)
{
    if (ep == node_ep(n))
        return true;
    const struct proc *p = proc_by_ep(n, ep);
    return p && lives(p);
}

// Endpoint here that serves the port, EP_NONE: none. A process's own port is served by the kernel that has the process
// (about), so it is here when the process is.
static ep_t server_here(struct node *n, struct port port)
{
    const struct port_entry *e = port_find(n, port);
    if (!e || !lives(e->proc) || (e->about && !lives(e->about)))
        return EP_NONE;
    return e->proc->ep;
}

// --- Caches: sets, the latest used first -----------------------------------------------------------

static struct ep_place *ep_set(struct net *net, ep_t ep)
{
    return net->eps[ep % EP_SETS];
}
static struct port_place *port_set(struct net *net, struct port p)
{
    return net->ports[p.w[0] % PORT_SETS];
}

// Way in the set that has the key; WAYS: none.
static unsigned ep_way(const struct ep_place *set, ep_t ep)
{
    unsigned w = 0;
    while (w < WAYS && set[w].ep != ep)
        w++;
    return w;
}

static unsigned port_way(const struct port_place *set, struct port p)
{
    unsigned w = 0;
    while (w < WAYS && !port_eq(set[w].port, p))
        w++;
    return w;
}

// Makes `place` the first of its set; what was at `way`, or the last when there was none, goes.
static void ep_put_first(struct ep_place *set, unsigned way, struct ep_place place)
{
    for (unsigned w = way < WAYS ? way : WAYS - 1; w > 0; w--)
        set[w] = set[w - 1];
    set[0] = place;
}

static void port_put_first(struct port_place *set, unsigned way, struct port_place place)
{
    for (unsigned w = way < WAYS ? way : WAYS - 1; w > 0; w--)
        set[w] = set[w - 1];
    set[0] = place;
}

static ep_t cached_ep(struct net *net, ep_t ep)
{
    struct ep_place *set = ep_set(net, ep);
    unsigned w = ep_way(set, ep);
    if (w == WAYS)
        return EP_NONE;
    struct ep_place place = set[w];
    ep_put_first(set, w, place);
    return place.node;
}

static void cache_ep(struct net *net, ep_t ep, ep_t node)
{
    struct ep_place *set = ep_set(net, ep);
    ep_put_first(set, ep_way(set, ep), (struct ep_place){.ep = ep, .node = node});
}

static void cache_port(struct net *net, struct port p, ep_t server, ep_t node)
{
    struct port_place *set = port_set(net, p);
    ep_put_first(ep_set(net, server), ep_way(ep_set(net, server), server),
                 (struct ep_place){.ep = server, .node = node});
    port_put_first(set, port_way(set, p), (struct port_place){.port = p, .server = server, .node = node});
}

ep_t locate_ep(struct node *n, ep_t ep)
{
    if (ep == EP_NONE)
        return EP_NONE;
    if (ep_is_here(n, ep))
        return node_ep(n);
    // Not locate_moved: what was forgotten because it led nowhere must stay forgotten.
    ep_t node = cached_ep(n->net, ep);
    return node == EP_NONE && route_find(n, ep) ? ep : node; // a node's own endpoint is where the node is
}

ep_t locate_port(struct node *n, struct port p)
{
    struct net *net = n->net;
    struct port_place *set = port_set(net, p);
    unsigned w = port_is_null(p) ? WAYS : port_way(set, p);
    if (w == WAYS)
        return EP_NONE;
    struct port_place place = set[w];
    port_put_first(set, w, place);
    if (locate_ep(n, place.server) == EP_NONE) // the larger, busier cache has lost it; newer knowledge stays
        cache_ep(net, place.server, place.node);
    return place.server;
}

void locate_forget_ep(struct node *n, ep_t ep)
{
    struct ep_place *set = ep_set(n->net, ep);
    unsigned w = ep_way(set, ep);
    if (ep != EP_NONE && w < WAYS)
        set[w] = (struct ep_place){0};
}

void locate_forget_port(struct node *n, struct port p)
{
    struct port_place *set = port_set(n->net, p);
    unsigned w = port_way(set, p);
    if (!port_is_null(p) && w < WAYS)
        set[w] = (struct port_place){0};
}

// --- "Moved to" ------------------------------------------------------------------------------------

static struct moved *moved_of(struct node *n, ep_t ep)
{
    if (ep == EP_NONE)
        return NULL;
    for (unsigned i = 0; i < MOVED_MAX; i++)
        if (n->net->moved[i].ep == ep)
            return &n->net->moved[i];
    return NULL;
}

ep_t locate_moved(struct node *n, ep_t ep)
{
    const struct moved *m = moved_of(n, ep);
    return m && node_now(n) < m->until_ns ? m->node : EP_NONE;
}

void locate_set_moved(struct node *n, ep_t ep, ep_t node)
{
    ASSERT(ep != EP_NONE && node != EP_NONE && node != node_ep(n));
    struct moved *m = moved_of(n, ep);
    if (!m) { // the one nearest its end makes room; a free one has 0
        m = &n->net->moved[0];
        for (unsigned i = 1; i < MOVED_MAX; i++)
            if (n->net->moved[i].until_ns < m->until_ns)
                m = &n->net->moved[i];
    }
    *m = (struct moved){.ep = ep, .node = node, .until_ns = node_now(n) + MOVED_LIFE_NS};
    cache_ep(n->net, ep, node);
}

void locate_clear_moved(struct node *n, ep_t ep)
{
    struct moved *m = moved_of(n, ep);
    if (m)
        *m = (struct moved){0};
}

// --- Questions -------------------------------------------------------------------------------------

static struct question *question_of(struct net *net, uint32_t op, ep_t ep, struct port p)
{
    if (net->nquestions == 0)
        return NULL; // nearly always: every frame comes by here
    for (unsigned i = 0; i < QUESTIONS_MAX; i++) {
        struct question *q = &net->questions[i];
        if (q->op == op && q->ep == ep && port_eq(q->port, p))
            return q;
    }
    return NULL;
}

static struct question *question_about_ep(struct net *net, ep_t ep)
{
    return ep == EP_NONE ? NULL : question_of(net, LOCATE_EP, ep, (struct port){{0, 0}});
}

static struct question *question_about_port(struct net *net, struct port p)
{
    return question_of(net, LOCATE_PORT, EP_NONE, p);
}

static void question_close(struct node *n, struct question *q)
{
    ASSERT(q->op != 0 && n->net->nquestions > 0);
    trace(n, TRACE_LOCATE, q->answered ? 2 : 0, q->ep, q->port.w[0]);
    n->net->nquestions--;
    *q = (struct question){0};
}

// A node was found again: so were all the endpoints that it has.
static void tell_all_at(struct node *n, ep_t node)
{
    for (unsigned s = 0; s < EP_SETS; s++) {
        struct ep_place set[WAYS]; // a copy: who is told looks things up, and that reorders the set
        memcpy(set, n->net->eps[s], sizeof(set));
        for (unsigned w = 0; w < WAYS; w++)
            if (set[w].node == node)
                net_found_ep(n, set[w].ep);
    }
}

static void tell(struct node *n, uint32_t op, ep_t ep, struct port p)
{
    if (op == LOCATE_PORT) {
        net_found_port(n, p);
        return;
    }
    net_found_ep(n, ep);
    if (route_find(n, ep))
        tell_all_at(n, ep);
}

// The timer stands at the earliest thing to do.
static void questions_schedule(struct node *n)
{
    struct net *net = n->net;
    uint64_t at = UINT64_MAX;
    for (unsigned i = 0; i < QUESTIONS_MAX; i++) {
        const struct question *q = &net->questions[i];
        if (q->op != 0 && q->due_ns < at)
            at = q->due_ns;
    }
    if (at == UINT64_MAX)
        timer_cancel(n, &net->question_timer);
    else
        timer_set(n, &net->question_timer, at);
}

// Near things are found without waking the whole ring.
static unsigned flood_limit(unsigned round)
{
    return round == 0 ? 2 : round == 1 ? 8 : WIRE_HOPS_MAX;
}

static void question_flood(struct node *n, struct question *q)
{
    struct wire_hdr h = {.kind = WIRE_LOCATE, .op = q->op, .src_ep = node_ep(n)};
    h.arg[0] = q->ep;
    h.cap.port = q->port;
    trace(n, TRACE_LOCATE, 1, q->ep, q->port.w[0]);
    route_flood(n, &h, NULL, 0, flood_limit(q->round));
    q->round++;
}

// false: there is no way to it.
static bool question_to_one(struct node *n, const struct question *q, ep_t node)
{
    struct wire_hdr h = {.kind = WIRE_LOCATE, .op = q->op, .src_ep = node_ep(n), .dst_node = node, .arg = {q->ep}};
    h.cap.port = q->port;
    if (!route_find(n, node))
        return false;
    trace(n, TRACE_LOCATE, 3, q->ep, q->port.w[0]);
    return route_send(n, &h, NULL, 0);
}

// Asks, and says when it is to be looked at again. Too many floods lately: the question waits its turn.
static void question_ask(struct node *n, struct question *q)
{
    uint64_t now = node_now(n), end = q->asked_ns + LOCATE_GIVE_UP_NS;
    ep_t alone = q->at;
    q->at = EP_NONE;
    q->due_ns = now + LOCATE_FIRST_NS;
    if (alone != EP_NONE && question_to_one(n, q, alone)) {
        q->due_ns = now + LOCATE_ALONE_NS;
    } else if (route_flood_allowed(n)) {
        q->due_ns = now + q->interval_ns;
        q->interval_ns *= 2;
        question_flood(n, q);
    }
    if (q->due_ns > end)
        q->due_ns = end;
}

static void question_due(struct node *n, struct question *q)
{
    if (q->answered) {
        struct question was = *q;
        question_close(n, q);
        tell(n, was.op, was.ep, was.port);
    } else if (node_now(n) - q->asked_ns >= LOCATE_GIVE_UP_NS) {
        question_close(n, q);
    } else {
        question_ask(n, q);
    }
}

static void questions_fire(struct node *n, struct timer *t)
{
    (void)t;
    uint64_t now = node_now(n);
    // Who is told may ask anew: such a question is due later, so the loop ends.
    for (unsigned i = 0; i < QUESTIONS_MAX; i++) {
        struct question *q = &n->net->questions[i];
        if (q->op != 0 && q->due_ns <= now)
            question_due(n, q);
    }
    questions_schedule(n);
}

static bool goes_before(const struct question *a, const struct question *b)
{
    return a->check != b->check ? b->check : a->asked_ns < b->asked_ns;
}

// A free slot, or that of the oldest question, which is dropped: who still wants to know asks again. A check goes only
// for another check: by calling many ports a guest could else make owners look gone (services/proc/orphan.h).
static struct question *question_slot(struct node *n)
{
    struct question *first = &n->net->questions[0];
    for (unsigned i = 0; i < QUESTIONS_MAX; i++) {
        struct question *q = &n->net->questions[i];
        if (q->op == 0)
            return q;
        if (goes_before(q, first))
            first = q;
    }
    question_close(n, first);
    return first;
}

static void question_open(struct node *n, struct question about)
{
    struct question *q = question_slot(n);
    *q = about;
    q->asked_ns = node_now(n);
    q->interval_ns = LOCATE_FIRST_NS;
    n->net->nquestions++;
    question_ask(n, q);
    questions_schedule(n);
}

void locate_ask_ep(struct node *n, ep_t ep)
{
    if (ep != EP_NONE && !question_about_ep(n->net, ep))
        question_open(n, (struct question){.op = LOCATE_EP, .ep = ep});
}

void locate_ask_port(struct node *n, struct port p)
{
    if (!port_is_null(p) && !question_about_port(n->net, p))
        question_open(n, (struct question){.op = LOCATE_PORT, .port = p});
}

void locate_check_port(struct node *n, struct port p)
{
    struct question *q = question_about_port(n->net, p);
    if (port_is_null(p))
        return;
    if (q) {
        q->check = true;
        return;
    }
    ep_t at = locate_ep(n, locate_port(n, p));
    question_open(
        n, (struct question){.op = LOCATE_PORT, .port = p, .check = true, .at = at == node_ep(n) ? EP_NONE : at});
}

void locate_link_up(struct node *n)
{
    uint64_t now = node_now(n);
    for (unsigned i = 0; i < QUESTIONS_MAX; i++) {
        struct question *q = &n->net->questions[i];
        q->due_ns = now;
        q->interval_ns = LOCATE_FIRST_NS;
    }
    questions_schedule(n);
}

// --- Learning --------------------------------------------------------------------------------------

// Who waits is told from the timer, not from here: xfer is in the middle of a frame.
static void answered(struct node *n, struct question *q)
{
    if (!q)
        return;
    q->answered = true;
    q->due_ns = node_now(n);
    timer_set(n, &n->net->question_timer, q->due_ns);
}

// Nothing is learned about what is here: that is known, and a frame that says otherwise is old or forged.
static bool worth_learning(struct node *n, ep_t ep, ep_t node)
{
    return ep != EP_NONE && node != EP_NONE && node != node_ep(n) && !ep_is_here(n, ep);
}

void locate_learn_ep(struct node *n, ep_t ep, ep_t node)
{
    if (!worth_learning(n, ep, node))
        return;
    cache_ep(n->net, ep, node);
    answered(n, question_about_ep(n->net, ep));
}

void locate_learn_port(struct node *n, struct port p, ep_t server, ep_t node)
{
    if (port_is_null(p) || !worth_learning(n, server, node))
        return;
    cache_port(n->net, p, server, node);
    answered(n, question_about_port(n->net, p));
}

// A node's own endpoint takes no place in the cache: the route says where it is.
void locate_heard(struct node *n, ep_t ep, ep_t node)
{
    if (ep != node)
        locate_learn_ep(n, ep, node);
    answered(n, question_about_ep(n->net, node));
}

// --- Answers ---------------------------------------------------------------------------------------

static void send_answer(struct node *n, const struct wire_hdr *q, struct wire_hdr *a, const struct piece *p,
                        unsigned npieces)
{
    a->op = q->op;
    a->seq = q->seq;
    a->src_ep = node_ep(n);
    a->dst_ep = q->src_ep;
    a->dst_node = q->src_node;
    a->cap.port = q->cap.port;
    route_send(n, a, p, npieces); // the question has just shown the way
}

static void say_hereis(struct node *n, const struct wire_hdr *q, ep_t ep)
{
    struct wire_hdr a = {.kind = WIRE_HEREIS, .arg = {ep}};
    send_answer(n, q, &a, NULL, 0);
}

static bool answer_ep(struct node *n, const struct wire_hdr *q)
{
    ep_t ep = q->arg[0];
    if (ep_is_here(n, ep)) {
        say_hereis(n, q, ep);
        return true;
    }
    ep_t node = locate_moved(n, ep);
    if (node != EP_NONE && node != q->src_node) {
        struct wire_hdr a = {.kind = WIRE_MOVED, .arg = {ep, node}};
        send_answer(n, q, &a, NULL, 0);
    }
    return false; // whoever has it answers for himself
}

static bool answer_port(struct node *n, const struct wire_hdr *q)
{
    ep_t server = server_here(n, q->cap.port);
    if (server != EP_NONE)
        say_hereis(n, q, server);
    return server != EP_NONE;
}

static struct piece own_name(struct node *n)
{
    return (struct piece){.ptr = n->net->name, .len = strlen(n->net->name)};
}

static void answer_nodes(struct node *n, const struct wire_hdr *q)
{
    struct wire_hdr a = {.kind = WIRE_HEREIS, .arg = {node_ep(n)}};
    struct piece name = own_name(n);
    a.payload = (uint32_t)name.len;
    send_answer(n, q, &a, &name, 1);
}

bool locate_answer(struct node *n, const struct wire_hdr *h)
{
    ASSERT(h->kind == WIRE_LOCATE);
    switch (h->op) {
    case LOCATE_EP: return answer_ep(n, h);
    case LOCATE_PORT: return answer_port(n, h);
    default: answer_nodes(n, h); return false;
    }
}

static void nodes_answer(struct node *n, const struct wire_hdr *h, const struct piece *p, unsigned npieces);

static void hereis_ep(struct node *n, const struct wire_hdr *h)
{
    ep_t ep = h->arg[0];
    if (ep != h->src_node && worth_learning(n, ep, h->src_node))
        cache_ep(n->net, ep, h->src_node);
    struct question *q = question_about_ep(n->net, ep);
    if (!q)
        return;
    q->answered = true;
    question_close(n, q);
    questions_schedule(n);
    tell(n, LOCATE_EP, ep, h->cap.port);
}

// Of several servers the first to answer is taken: the nearest or least busy one.
static void hereis_port(struct node *n, const struct wire_hdr *h)
{
    struct question *q = question_about_port(n->net, h->cap.port);
    if (!q)
        return;
    locate_learn_port(n, h->cap.port, h->arg[0], h->src_node);
    q->answered = true;
    question_close(n, q);
    questions_schedule(n);
    net_found_port(n, h->cap.port);
}

void locate_hereis(struct node *n, const struct wire_hdr *h, const struct piece *p, unsigned npieces)
{
    switch (h->op) {
    case LOCATE_EP: hereis_ep(n, h); break;
    case LOCATE_PORT: hereis_port(n, h); break;
    default: nodes_answer(n, h, p, npieces); break;
    }
}

void locate_moved_hint(struct node *n, const struct wire_hdr *h)
{
    ep_t ep = h->arg[0];
    if (!question_about_ep(n->net, ep) || !worth_learning(n, ep, h->arg[1]))
        return;
    ep_t known = locate_ep(n, ep); // who was thought to have it may say that he has not
    if (known != EP_NONE && known != h->src_node)
        return;
    cache_ep(n->net, ep, h->arg[1]);
    net_found_ep(n, ep);
}

// --- All nodes -------------------------------------------------------------------------------------

static bool nodes_first_time(struct nodes_query *nq, ep_t node)
{
    for (unsigned i = 0; i < nq->count; i++)
        if (nq->nodes[i] == node)
            return false;
    if (nq->count == NODES_SEEN_MAX)
        return false; // better a long list than one with repetitions
    nq->nodes[nq->count++] = node;
    return true;
}

// The name is for people and their terminals, and came from outside.
static void name_copy(char *name, size_t size, const struct piece *p, unsigned npieces)
{
    size_t at = 0;
    for (unsigned i = 0; i < npieces; i++) {
        const uint8_t *from = p[i].ptr;
        for (size_t k = 0; k < p[i].len && at + 1 < size; k++)
            name[at++] = from[k] > ' ' && from[k] < 0x7f ? (char)from[k] : '?';
    }
    name[at] = '\0';
}

static void nodes_answer(struct node *n, const struct wire_hdr *h, const struct piece *p, unsigned npieces)
{
    struct nodes_query *nq = &n->net->nodes;
    if (!nq->seen || !nodes_first_time(nq, h->src_node))
        return;
    struct net_node who = {.node = h->src_node, .hops = h->hops + 1u};
    name_copy(who.name, sizeof(who.name), p, npieces);
    nq->seen(n, nq->arg, &who);
}

static void nodes_fire(struct node *n, struct timer *t)
{
    struct nodes_query *nq = LIST_ENTRY(t, struct nodes_query, timer);
    struct wire_hdr h = {.kind = WIRE_LOCATE, .op = LOCATE_NODES, .src_ep = node_ep(n)};
    if (route_flood_allowed(n))
        route_flood(n, &h, NULL, 0, WIRE_HOPS_MAX);
    timer_set(n, t, node_now(n) + nq->interval_ns);
    nq->interval_ns *= 2;
    if (nq->interval_ns > NODES_LAST_NS)
        nq->interval_ns = NODES_LAST_NS;
}

void net_nodes_ask(struct node *n, void (*seen)(struct node *n, void *arg, const struct net_node *who), void *arg)
{
    struct nodes_query *nq = &n->net->nodes;
    ASSERT(seen && !nq->seen); // one question at a time
    struct net_node self = {.node = node_ep(n)};
    struct piece name = own_name(n);
    name_copy(self.name, sizeof(self.name), &name, 1);
    nq->count = 0;
    nq->seen = seen;
    nq->arg = arg;
    nq->interval_ns = NODES_FIRST_NS;
    nodes_fire(n, &nq->timer);
    seen(n, arg, &self); // last: it may stop the query
}

void net_nodes_stop(struct node *n)
{
    timer_cancel(n, &n->net->nodes.timer);
    n->net->nodes.seen = NULL;
}

// --- Begin and end ---------------------------------------------------------------------------------

void locate_init(struct node *n)
{
    timer_init(&n->net->question_timer, questions_fire);
    timer_init(&n->net->nodes.timer, nodes_fire);
    memcpy(n->net->name, n->name, sizeof(n->net->name));
    n->net->name[sizeof(n->net->name) - 1] = '\0';
}

void locate_fini(struct node *n)
{
    timer_cancel(n, &n->net->question_timer);
    timer_cancel(n, &n->net->nodes.timer);
}
