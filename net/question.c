// SPDX-License-Identifier: BSD-2-Clause
// What this node asks the ring. One timer stands at the earliest thing to do of all open questions: ask again, farther
// and at longer intervals; tell an answer that a passing frame brought; give up.
#include "net/question.h"
#include "core/panic.h"
#include "net/net_priv.h"
#include "net/place.h"
#include "net/route.h"
#include <string.h>

// --- The table -------------------------------------------------------------------------------------

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

static struct question *about_ep(struct net *net, ep_t ep)
{
    return ep == EP_NONE ? NULL : question_of(net, LOCATE_EP, ep, (struct port){{0, 0}});
}

static struct question *about_port(struct net *net, struct port p)
{
    return question_of(net, LOCATE_PORT, EP_NONE, p);
}

static void drop(struct node *n, struct question *q)
{
    ASSERT(q->op != 0 && n->net->nquestions > 0);
    trace(n, TRACE_LOCATE, q->answered ? 2 : 0, q->ep, q->port.w[0]);
    n->net->nquestions--;
    *q = (struct question){0};
}

// --- Telling ---------------------------------------------------------------------------------------

// A node that was found has been found with all its endpoints.
static void tell(struct node *n, const struct question *q)
{
    const struct found_hook *found = &n->net->found;
    if (q->op == LOCATE_PORT) {
        found->port(n, q->port);
        return;
    }
    found->ep(n, q->ep);
    if (route_find(n, q->ep))
        place_each_at(n, q->ep, found->ep);
}

// The question is closed first: a caller that is told may ask anew.
static void close_and_tell(struct node *n, struct question *q)
{
    struct question was = *q;
    q->answered = true;
    drop(n, q);
    tell(n, &was);
}

// --- Asking ----------------------------------------------------------------------------------------

// The timer stands at the earliest thing to do.
static void schedule(struct node *n)
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

static void ask_all(struct node *n, struct question *q)
{
    struct wire_hdr h = {.kind = WIRE_LOCATE, .op = q->op, .src_ep = node_ep(n)};
    h.arg[0] = q->ep;
    h.cap.port = q->port;
    trace(n, TRACE_LOCATE, 1, q->ep, q->port.w[0]);
    route_flood(n, &h, NULL, 0, flood_limit(q->round));
    q->round++;
}

// false: there is no way to the node.
static bool ask_alone(struct node *n, const struct question *q, ep_t node)
{
    struct wire_hdr h = {.kind = WIRE_LOCATE, .op = q->op, .src_ep = node_ep(n), .dst_node = node, .arg = {q->ep}};
    h.cap.port = q->port;
    if (!route_find(n, node))
        return false;
    trace(n, TRACE_LOCATE, 3, q->ep, q->port.w[0]);
    return route_send(n, &h, NULL, 0);
}

// Asks, and sets when the question is due again. After too many floods lately it waits its turn.
static void ask_round(struct node *n, struct question *q)
{
    uint64_t now = node_now(n), end = q->asked_ns + LOCATE_GIVE_UP_NS;
    ep_t alone = q->at;
    q->at = EP_NONE;
    q->due_ns = now + LOCATE_FIRST_NS;
    if (alone != EP_NONE && ask_alone(n, q, alone)) {
        q->due_ns = now + LOCATE_ALONE_NS;
    } else if (route_flood_allowed(n)) {
        q->due_ns = now + q->interval_ns;
        q->interval_ns *= 2;
        ask_all(n, q);
    }
    if (q->due_ns > end)
        q->due_ns = end;
}

static void fire_one(struct node *n, struct question *q)
{
    if (q->answered) {
        close_and_tell(n, q);
    } else if (node_now(n) - q->asked_ns >= LOCATE_GIVE_UP_NS) {
        drop(n, q);
    } else {
        ask_round(n, q);
    }
}

static void fire(struct node *n, struct timer *t)
{
    (void)t;
    uint64_t now = node_now(n);
    // A caller that is told may ask anew. Such a question is due later, so the loop ends.
    for (unsigned i = 0; i < QUESTIONS_MAX; i++) {
        struct question *q = &n->net->questions[i];
        if (q->op != 0 && q->due_ns <= now)
            fire_one(n, q);
    }
    schedule(n);
}

static bool goes_before(const struct question *a, const struct question *b)
{
    return a->check != b->check ? b->check : a->asked_ns < b->asked_ns;
}

// A free slot, or that of the oldest question, which is dropped: a caller that still waits asks again. A check goes
// only for another check: by calling many ports a guest could else make owners look gone (services/proc/orphan.h).
static struct question *make_room(struct node *n)
{
    struct question *first = &n->net->questions[0];
    for (unsigned i = 0; i < QUESTIONS_MAX; i++) {
        struct question *q = &n->net->questions[i];
        if (q->op == 0)
            return q;
        if (goes_before(q, first))
            first = q;
    }
    drop(n, first);
    return first;
}

static void begin(struct node *n, struct question about)
{
    struct question *q = make_room(n);
    *q = about;
    q->asked_ns = node_now(n);
    q->interval_ns = LOCATE_FIRST_NS;
    n->net->nquestions++;
    ask_round(n, q);
    schedule(n);
}

void question_ask(struct node *n, ep_t ep)
{
    if (ep != EP_NONE && !about_ep(n->net, ep))
        begin(n, (struct question){.op = LOCATE_EP, .ep = ep});
}

void question_ask_server(struct node *n, struct port p)
{
    if (!port_is_null(p) && !about_port(n->net, p))
        begin(n, (struct question){.op = LOCATE_PORT, .port = p});
}

void question_check_server(struct node *n, struct port p)
{
    struct question *q = about_port(n->net, p);
    if (port_is_null(p))
        return;
    if (q) {
        q->check = true;
        return;
    }
    ep_t at = place_node(n, place_server(n, p));
    begin(n, (struct question){.op = LOCATE_PORT, .port = p, .check = true, .at = at == node_ep(n) ? EP_NONE : at});
}

void question_link_up(struct node *n)
{
    uint64_t now = node_now(n);
    for (unsigned i = 0; i < QUESTIONS_MAX; i++) {
        struct question *q = &n->net->questions[i];
        q->due_ns = now;
        q->interval_ns = LOCATE_FIRST_NS;
    }
    schedule(n);
}

// --- Answers ---------------------------------------------------------------------------------------

bool question_open(struct node *n, ep_t ep)
{
    return about_ep(n->net, ep) != NULL;
}

bool question_open_server(struct node *n, struct port port)
{
    return about_port(n->net, port) != NULL;
}

static void tell_soon(struct node *n, struct question *q)
{
    if (!q)
        return;
    q->answered = true;
    q->due_ns = node_now(n);
    timer_set(n, &n->net->question_timer, q->due_ns);
}

void question_answered(struct node *n, ep_t ep)
{
    tell_soon(n, about_ep(n->net, ep));
}

void question_answered_server(struct node *n, struct port port)
{
    tell_soon(n, about_port(n->net, port));
}

static void tell_now(struct node *n, struct question *q)
{
    if (!q)
        return;
    close_and_tell(n, q);
    schedule(n);
}

void question_close(struct node *n, ep_t ep)
{
    tell_now(n, about_ep(n->net, ep));
}

void question_close_server(struct node *n, struct port port)
{
    tell_now(n, about_port(n->net, port));
}

void question_hint(struct node *n, ep_t ep)
{
    ASSERT(question_open(n, ep));
    n->net->found.ep(n, ep);
}

void question_hint_server(struct node *n, struct port port)
{
    ASSERT(question_open_server(n, port));
    n->net->found.port(n, port);
}

bool question_hesitates(struct node *n, uint32_t op, ep_t ep, struct port port)
{
    const struct question *q = question_of(n->net, op, ep, port);
    return q && node_now(n) - q->asked_ns >= DOUBT_HINT_NS;
}

// --- Begin and end ---------------------------------------------------------------------------------

void question_init(struct node *n)
{
    timer_init(&n->net->question_timer, fire);
}

void question_fini(struct node *n)
{
    timer_cancel(n, &n->net->question_timer);
}

void question_on_found(struct node *n, void (*ep)(struct node *n, ep_t ep),
                       void (*port)(struct node *n, struct port port))
{
    ASSERT(ep && port && !n->net->found.ep);
    n->net->found = (struct found_hook){.ep = ep, .port = port};
}
