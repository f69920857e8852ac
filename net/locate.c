// SPDX-License-Identifier: BSD-2-Clause
// Where things are, as frames say it. Three kinds of knowledge, in order of trust:
//
//   first hand   the node itself sent a frame (HEREIS, or any traffic): locate_heard
//   told         another node said so in answer to a request (MOVED): locate_learn
//   a hint       another node said so in answer to a question: locate_moved_hint. It may be old news of a process
//                that has moved twice, so it never replaces anything and the question stays open
#include "net/locate.h"
#include "core/panic.h"
#include "net/net_priv.h"
#include "net/place.h"
#include "net/question.h"
#include "net/route.h"

// --- Sending ---------------------------------------------------------------------------------------

bool locate_send(struct node *n, struct wire_hdr *h, const struct piece *p, unsigned npieces)
{
    if (route_send(n, h, p, npieces))
        return true;
    if (h->dst_node != node_ep(n)) // there is nothing to look for on the way from here to here
        question_ask(n, EP_NONE, h->dst_node);
    return false;
}

void locate_forward(struct node *n, struct link *l, const struct wire_hdr *h, const struct piece *p, unsigned npieces)
{
    if (h->kind == WIRE_HEREIS)
        question_answer_passes(n, h);
    if (!route_forward(n, l, h, p, npieces))
        question_ask(n, EP_NONE, h->dst_node);
}

// A question that was asked before is answered the more often, up to eight times: an answer goes one way only, and on a
// bad one each copy has little chance (SILENCE_WHOLE). To one node these cost less than another flood costs all.
static unsigned answers_to(const struct wire_hdr *q)
{
    return 1u << min_u64(q->arg[1], 3);
}

void locate_reply(struct node *n, const struct wire_hdr *q, struct wire_hdr *a, const struct piece *p, unsigned npieces)
{
    ASSERT(q->kind == WIRE_LOCATE);
    _Static_assert((int)LOCATE_EP == NOTHERE_EP && (int)LOCATE_PORT == NOTHERE_PORT, "op says what, in both");
    a->op = q->op;
    a->seq = q->seq;
    a->src_ep = node_ep(n);
    a->dst_ep = q->src_ep;
    a->dst_node = q->src_node;
    a->cap.port = q->cap.port;
    for (unsigned copies = answers_to(q); copies > 0; copies--)
        locate_send(n, a, p, npieces); // the question has just shown the way
}

// --- Learning --------------------------------------------------------------------------------------

void locate_learn(struct node *n, ep_t ep, ep_t node)
{
    if (place_note(n, ep, node))
        question_answered(n, ep);
}

void locate_learn_server(struct node *n, struct port port, ep_t server, ep_t node)
{
    if (place_note_server(n, port, server, node))
        question_answered_server(n, port);
}

// A node's own endpoint takes no place in the cache: the route says where it is.
void locate_heard(struct node *n, ep_t ep, ep_t node)
{
    if (ep != node)
        locate_learn(n, ep, node);
    question_answered(n, node);
}

// --- Answering other nodes -------------------------------------------------------------------------

static void say_hereis(struct node *n, const struct wire_hdr *q, ep_t ep, bool doubt)
{
    struct wire_hdr a = {.kind = WIRE_HEREIS, .arg = {ep, doubt}};
    locate_reply(n, q, &a, NULL, 0);
}

static bool answer_ep(struct node *n, const struct wire_hdr *q)
{
    ep_t ep = q->arg[0];
    if (place_is_here(n, ep)) {
        bool doubt = place_in_doubt(n, ep);
        say_hereis(n, q, ep, doubt);
        return !doubt;
    }
    ep_t node = place_moved(n, ep);
    if (node != EP_NONE && node != q->src_node) {
        struct wire_hdr a = {.kind = WIRE_MOVED, .arg = {ep, node}};
        locate_reply(n, q, &a, NULL, 0);
    }
    return false; // the node that has it answers for itself
}

static bool answer_port(struct node *n, const struct wire_hdr *q)
{
    ep_t server = place_server_here(n, q->cap.port);
    bool doubt = server != EP_NONE && place_server_in_doubt(n, q->cap.port);
    if (server != EP_NONE) {
        say_hereis(n, q, server, doubt);
    } else if (n->policy->port_ended && n->policy->port_ended(n, q->cap.port)) {
        struct wire_hdr a = {.kind = WIRE_NOTHERE, .arg = {0, WIRE_LOCATE}};
        locate_reply(n, q, &a, NULL, 0); // another node may serve it: the question goes on
    }
    return server != EP_NONE && !doubt;
}

bool locate_answer(struct node *n, const struct wire_hdr *h)
{
    ASSERT(h->kind == WIRE_LOCATE && (h->op == LOCATE_EP || h->op == LOCATE_PORT));
    return h->op == LOCATE_EP ? answer_ep(n, h) : answer_port(n, h);
}

// --- Answers of other nodes ------------------------------------------------------------------------

static void hereis_ep(struct node *n, const struct wire_hdr *h)
{
    ep_t ep = h->arg[0];
    if (h->arg[1]) { // a copy in doubt
        if (question_hesitates(n, LOCATE_EP, ep, (struct port){{0, 0}}) && place_node(n, ep) == EP_NONE &&
            place_note(n, ep, h->src_node))
            question_hint(n, ep);
        return;
    }
    if (ep != h->src_node)
        (void)place_note(n, ep, h->src_node);
    if (n->policy->ep_found && ep != h->src_node)
        n->policy->ep_found(n, ep, h->src_node);
    question_close(n, ep);
}

// Of several servers the first to answer is taken: the nearest or least busy one.
static void hereis_port(struct node *n, const struct wire_hdr *h)
{
    if (!question_open_server(n, h->cap.port))
        return;
    if (h->arg[1]) { // a copy in doubt
        if (question_hesitates(n, LOCATE_PORT, EP_NONE, h->cap.port) && place_server(n, h->cap.port) == EP_NONE &&
            place_note_server(n, h->cap.port, h->arg[0], h->src_node))
            question_hint_server(n, h->cap.port);
        return;
    }
    (void)place_note_server(n, h->cap.port, h->arg[0], h->src_node);
    question_close_server(n, h->cap.port);
}

void locate_hereis(struct node *n, const struct wire_hdr *h)
{
    ASSERT(h->kind == WIRE_HEREIS && (h->op == LOCATE_EP || h->op == LOCATE_PORT));
    if (h->op == LOCATE_EP)
        hereis_ep(n, h);
    else
        hereis_port(n, h);
}

void locate_moved_hint(struct node *n, const struct wire_hdr *h)
{
    ep_t ep = h->arg[0];
    if (!question_open(n, ep))
        return;
    ep_t known = place_node(n, ep); // the node that was thought to have it may say that it has not
    if (known != EP_NONE && known != h->src_node)
        return;
    if (place_note(n, ep, h->arg[1]))
        question_hint(n, ep);
}
