// SPDX-License-Identifier: BSD-2-Clause
// What this node asks the ring. One timer stands at the earliest thing to do of all open questions: ask again, farther
// and at longer intervals; tell an answer that a passing frame brought; give up.
#include "net/question.h"
#include "core/panic.h"
#include "net/net_priv.h"
#include "net/place.h"
#include "net/route.h"
#include "net/silence.h"
#include <string.h>

// --- The table -------------------------------------------------------------------------------------

static struct subject ep_subject(ep_t ep)
{
    return (struct subject){.op = LOCATE_EP, .ep = ep};
}

static struct subject port_subject(struct port p)
{
    return (struct subject){.op = LOCATE_PORT, .port = p};
}

static struct question *question_of(struct net *net, const struct subject *about)
{
    if (net->nquestions == 0)
        return NULL; // nearly always: every frame comes by here
    for (unsigned i = 0; i < QUESTIONS_MAX; i++) {
        struct question *q = &net->questions[i];
        if (subject_eq(&q->about, about))
            return q;
    }
    return NULL;
}

static void drop(struct node *n, struct question *q)
{
    ASSERT(q->about.op != 0 && n->net->nquestions > 0);
    trace(n, TRACE_LOCATE, q->answered ? 2 : 0, q->about.ep, q->about.port.w[0]);
    n->net->nquestions--;
    *q = (struct question){0};
}

// --- Telling ---------------------------------------------------------------------------------------

// A node that was found has been found with all its endpoints.
static void tell(struct node *n, const struct subject *about)
{
    const struct found_hook *found = &n->net->found;
    if (about->op == LOCATE_PORT) {
        found->port(n, about->port);
        return;
    }
    found->ep(n, about->ep);
    if (route_find(n, about->ep))
        place_each_at(n, about->ep, found->ep);
}

// The question is closed first: a caller that is told may ask anew.
static void close_and_tell(struct node *n, struct question *q)
{
    struct subject was = q->about;
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
        if (q->about.op != 0 && q->due_ns < at)
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
    return round == 0 ? 2 : round == 1 ? 8 : round < ROUND_FAR ? 32 : WIRE_HOPS_MAX;
}

static struct wire_hdr header(struct node *n, const struct question *q)
{
    struct wire_hdr h = {.kind = WIRE_LOCATE, .op = q->about.op, .src_ep = node_ep(n), .arg = {q->about.ep, q->round}};
    h.cap.port = q->about.port;
    return h;
}

// What is asked for the first time does not wait, once over all distances. After that a search may run ahead of what
// the ring carries, and what a whole search has not found may not; nor may a process that asks for too much.
static enum flood_class class_of(struct node *n, const struct question *q)
{
    unsigned asked;
    (void)silence_known(n, &q->about, &asked);
    if (q->poor || (asked >= SILENCE_WHOLE && !q->check))
        return FLOOD_REPEAT;
    return q->round <= ROUND_FAR && (asked == 0 || q->check) ? FLOOD_NOW : FLOOD_SEARCH;
}

// false: it has to wait its turn.
static bool ask_all(struct node *n, struct question *q)
{
    struct wire_hdr h = header(n, q);
    if (!route_flood_allowed(n, &h, class_of(n, q)))
        return false;
    trace(n, TRACE_LOCATE, 1, q->about.ep, q->about.port.w[0]);
    if (q->round < ROUND_FAR)
        silence_begin(n, &q->about);
    else
        silence_asked(n, &q->about);
    route_flood(n, &h, NULL, 0, flood_limit(q->round));
    q->flooded_ns = node_now(n);
    q->round++;
    return true;
}

// false: there is no way to the node.
static bool ask_alone(struct node *n, const struct question *q, ep_t node)
{
    struct wire_hdr h = header(n, q);
    h.dst_node = node;
    if (!route_find(n, node))
        return false;
    trace(n, TRACE_LOCATE, 3, q->about.ep, q->about.port.w[0]);
    return route_send(n, &h, NULL, 0);
}

// Nodes that wait for the same turn do not all take it: each tries at a time of its own.
static uint64_t turn_ns(struct node *n, const struct question *q)
{
    enum flood_class class = class_of(n, q);
    if (class == FLOOD_NOW)
        return LOCATE_FIRST_NS;
    return route_flood_wait(n, class) + LOCATE_FIRST_NS + node_random64(n) % RING_TURN_NS;
}

// Asks, and sets when the question is due again. After too many floods lately it waits its turn.
static void ask_round(struct node *n, struct question *q)
{
    uint64_t now = node_now(n), end = q->asked_ns + LOCATE_GIVE_UP_NS;
    ep_t alone = q->at;
    q->at = EP_NONE;
    if (alone != EP_NONE && ask_alone(n, q, alone)) {
        q->due_ns = now + LOCATE_ALONE_NS;
    } else if (ask_all(n, q)) {
        q->due_ns = now + q->interval_ns;
        q->interval_ns = min_u64(2 * q->interval_ns, LOCATE_LAST_NS);
    } else {
        q->due_ns = now + turn_ns(n, q);
    }
    if (now < end && q->due_ns > end)
        q->due_ns = end;
}

// It has had its time, and either is answered by silence or nobody waits for it any more. A check is no search: its
// caller counts the times that nobody answered.
static bool over(struct node *n, const struct question *q)
{
    uint64_t now = node_now(n);
    if (now - q->asked_ns < LOCATE_GIVE_UP_NS)
        return false;
    return q->check || silence_whole(n, &q->about) || now - q->wanted_ns > LOCATE_WANTED_NS;
}

// Its time is over, and enough was asked: only the last answers may be on their way.
static bool listens(struct node *n, const struct question *q)
{
    unsigned asked;
    return node_now(n) - q->asked_ns >= LOCATE_GIVE_UP_NS && silence_known(n, &q->about, &asked) &&
           asked >= SILENCE_WHOLE && node_now(n) - q->flooded_ns < SILENCE_LISTEN_NS;
}

static void fire_one(struct node *n, struct question *q)
{
    if (q->answered)
        close_and_tell(n, q);
    else if (over(n, q))
        drop(n, q);
    else if (listens(n, q))
        q->due_ns = q->flooded_ns + SILENCE_LISTEN_NS;
    else
        ask_round(n, q);
}

static void fire(struct node *n, struct timer *t)
{
    (void)t;
    uint64_t now = node_now(n);
    // A caller that is told may ask anew. Such a question is due later, so the loop ends.
    for (unsigned i = 0; i < QUESTIONS_MAX; i++) {
        struct question *q = &n->net->questions[i];
        if (q->about.op != 0 && q->due_ns <= now)
            fire_one(n, q);
    }
    schedule(n);
}

// --- Room ------------------------------------------------------------------------------------------

static struct question *free_slot(struct net *net)
{
    for (unsigned i = 0; i < QUESTIONS_MAX; i++)
        if (net->questions[i].about.op == 0)
            return &net->questions[i];
    return NULL;
}

static bool has_too_many(const struct net *net, ep_t asker)
{
    unsigned own = 0;
    for (unsigned i = 0; i < QUESTIONS_MAX; i++)
        own += net->questions[i].about.op != 0 && net->questions[i].asker == asker;
    return asker != EP_NONE && own >= QUESTIONS_EACH;
}

static bool goes_before(const struct question *a, const struct question *b)
{
    return a->check != b->check ? b->check : a->asked_ns < b->asked_ns;
}

// The oldest question of those that were asked over all distances already is dropped: a caller that still waits asks
// again, and what was asked is not forgotten (silence). A check goes only for another check: by calling many ports a
// guest could else make owners look gone (services/proc/orphan.h). NULL: no question may be dropped.
static struct question *drop_one(struct node *n, bool check)
{
    struct question *first = NULL;
    for (unsigned i = 0; i < QUESTIONS_MAX; i++) {
        struct question *q = &n->net->questions[i];
        bool may_go = check || (!q->check && (q->round > ROUND_FAR || q->poor));
        if (may_go && (!first || goes_before(q, first)))
            first = q;
    }
    if (first)
        drop(n, first);
    return first;
}

// Counts a first question of the process. false: it has asked for too much lately.
static bool asker_pays(struct node *n, ep_t ep)
{
    uint64_t now = node_now(n);
    struct asker *a = NULL, *least = &n->net->askers[0];
    for (unsigned i = 0; i < ASKERS_MAX && !a; i++) {
        struct asker *other = &n->net->askers[i];
        if (other->ep == ep)
            a = other;
        else if (other->paid_ns < least->paid_ns)
            least = other;
    }
    if (ep == EP_NONE)
        return true;
    if (!a)
        *(a = least) = (struct asker){.ep = ep, .paid_ns = now};
    if (a->paid_ns < now)
        a->paid_ns = now;
    if (a->paid_ns - now > (ASKER_BURST - 1) * ASKER_PRICE_NS)
        return false;
    a->paid_ns += ASKER_PRICE_NS;
    return true;
}

// --- Asking ----------------------------------------------------------------------------------------

// The second round comes when an answer from nearby would be here.
static uint64_t first_wait_ns(const struct net *net)
{
    uint64_t ns = 4 * net->near_ns;
    if (net->near_ns == 0 || ns > LOCATE_FIRST_NS)
        return LOCATE_FIRST_NS;
    return ns < LOCATE_LEAST_NS ? LOCATE_LEAST_NS : ns;
}

// NULL: it has to wait. What was asked for before waits when the node has no room, what was not takes another's.
static struct question *room_for(struct node *n, const struct question *about, bool known)
{
    if (!about->check && has_too_many(n->net, about->asker))
        return NULL;
    struct question *q = free_slot(n->net);
    bool takes = about->check || about->asker == EP_NONE || !known;
    return q || !takes ? q : drop_one(n, about->check);
}

static void begin(struct node *n, struct question about)
{
    struct net *net = n->net;
    unsigned asked;
    bool known = silence_known(n, &about.about, &asked);
    struct question *q = room_for(n, &about, known);
    if (!q)
        return;
    *q = about;
    q->asked_ns = q->wanted_ns = node_now(n);
    q->interval_ns = first_wait_ns(net);
    if (known && !q->check) {
        q->round = ROUND_FAR + asked;
        q->interval_ns = asked >= SILENCE_WHOLE ? LOCATE_LAST_NS : q->interval_ns << min_u64(q->round, 6);
    }
    q->poor = !known && !q->check && !asker_pays(n, q->asker);
    net->nquestions++;
    ask_round(n, q);
    schedule(n);
}

static void ask(struct node *n, ep_t asker, const struct subject *about)
{
    struct question *q = question_of(n->net, about);
    if (asker == node_ep(n)) // a task of the kernel
        asker = EP_NONE;
    if (q)
        q->wanted_ns = node_now(n);
    else
        begin(n, (struct question){.about = *about, .asker = asker});
}

void question_ask(struct node *n, ep_t asker, ep_t ep)
{
    struct subject about = ep_subject(ep);
    if (ep != EP_NONE)
        ask(n, asker, &about);
}

void question_ask_server(struct node *n, ep_t asker, struct port p)
{
    struct subject about = port_subject(p);
    if (!port_is_null(p))
        ask(n, asker, &about);
}

void question_check_server(struct node *n, struct port p)
{
    struct subject about = port_subject(p);
    struct question *q = question_of(n->net, &about);
    if (port_is_null(p))
        return;
    if (q) {
        q->check = true;
        return;
    }
    ep_t at = place_node(n, place_server(n, p));
    begin(n, (struct question){.about = about, .check = true, .at = at == node_ep(n) ? EP_NONE : at});
}

void question_link_up(struct node *n)
{
    uint64_t now = node_now(n);
    silence_forget_all(n);
    for (unsigned i = 0; i < QUESTIONS_MAX; i++) {
        struct question *q = &n->net->questions[i];
        q->due_ns = now;
        q->interval_ns = LOCATE_FIRST_NS;
    }
    schedule(n);
}

static bool any_link_up(const struct net *net)
{
    for (unsigned i = 0; i < net->nlinks; i++)
        if (net->links[i]->up)
            return true;
    return false;
}

// Without a link the node is all there is.
static bool nowhere(struct node *n, const struct subject *about, uint64_t sought_ns)
{
    if (sought_ns <= LOCATE_GIVE_UP_NS)
        return false;
    return silence_whole(n, about) || !any_link_up(n->net);
}

bool question_nowhere(struct node *n, ep_t ep, uint64_t sought_ns)
{
    struct subject about = ep_subject(ep);
    return nowhere(n, &about, sought_ns);
}

bool question_nowhere_server(struct node *n, struct port port, uint64_t sought_ns)
{
    struct subject about = port_subject(port);
    return nowhere(n, &about, sought_ns);
}

// --- Answers ---------------------------------------------------------------------------------------

bool question_open(struct node *n, ep_t ep)
{
    struct subject about = ep_subject(ep);
    return ep != EP_NONE && question_of(n->net, &about);
}

bool question_open_server(struct node *n, struct port port)
{
    struct subject about = port_subject(port);
    return question_of(n->net, &about);
}

static void tell_soon(struct node *n, const struct subject *about)
{
    silence_forget(n, about);
    struct question *q = question_of(n->net, about);
    if (!q)
        return;
    q->answered = true;
    q->due_ns = node_now(n);
    timer_set(n, &n->net->question_timer, q->due_ns);
}

void question_answered(struct node *n, ep_t ep)
{
    if (ep == EP_NONE || (n->net->nquestions == 0 && n->net->nsilences == 0))
        return; // nearly always: every frame comes by here
    struct subject about = ep_subject(ep);
    tell_soon(n, &about);
}

void question_answered_server(struct node *n, struct port port)
{
    struct subject about = port_subject(port);
    tell_soon(n, &about);
}

// The last answer that was to a first round says how long answers from nearby take.
static void tell_now(struct node *n, const struct subject *about)
{
    silence_forget(n, about);
    struct question *q = question_of(n->net, about);
    if (!q)
        return;
    if (q->round == 1)
        n->net->near_ns = node_now(n) - q->flooded_ns;
    close_and_tell(n, q);
    schedule(n);
}

void question_close(struct node *n, ep_t ep)
{
    struct subject about = ep_subject(ep);
    if (ep != EP_NONE)
        tell_now(n, &about);
}

void question_close_server(struct node *n, struct port port)
{
    struct subject about = port_subject(port);
    tell_now(n, &about);
}

// The answer was to another node's question: this node asks once more, at once.
void question_answer_passes(struct node *n, const struct wire_hdr *h)
{
    struct subject about = h->op == LOCATE_EP ? ep_subject(h->arg[0]) : port_subject(h->cap.port);
    if (h->op != LOCATE_EP && h->op != LOCATE_PORT)
        return;
    silence_forget(n, &about);
    struct question *q = question_of(n->net, &about);
    if (!q || q->round <= ROUND_FAR)
        return;
    q->round = ROUND_FAR;
    q->interval_ns = first_wait_ns(n->net);
    q->due_ns = node_now(n);
    timer_set(n, &n->net->question_timer, q->due_ns);
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
    struct subject about = op == LOCATE_EP ? ep_subject(ep) : port_subject(port);
    const struct question *q = question_of(n->net, &about);
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
