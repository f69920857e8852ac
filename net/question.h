// SPDX-License-Identifier: BSD-2-Clause
// Questions: this node asks the ring who has an endpoint or serves a port, by flooding with growing hop counts.
// Broadcasts per second are bounded: one question about a thing at a time, however many threads wait for it
// (mechanisms.md row 26); and how many the ring carries, however many nodes ask (RING_FLOODS_PER_S). A question ends
// with the answer, which is told by question_on_found, or by itself: after LOCATE_GIVE_UP_NS, and when the whole ring
// was asked often enough (net/silence.h). What is asked for the first time is asked at once, unless its process has
// asked for many such things lately.
// Callers: net/, node lock held.
#ifndef NET_QUESTION_H
#define NET_QUESTION_H

#include "core/types.h"

struct node;
struct wire_hdr;

// No question is open. Once, from net_init.
void question_init(struct node *n);
// Stops the timer of open questions.
void question_fini(struct node *n);
// The user of this node's network gives the functions that learn of an answer; what was found is known by then (place).
void question_on_found(struct node *n, void (*ep)(struct node *n, ep_t ep),
                       void (*port)(struct node *n, struct port port));

// --- Asking

// Asks who has the endpoint, for the process `asker` (EP_NONE: for the node itself). While a question about it is open,
// nothing more is sent. When the process has too many open questions, or the node has and this one may wait, nothing
// happens: a caller that waits asks again, at least every RETRY_MAX_NS.
void question_ask(struct node *n, ep_t asker, ep_t ep);
// Asks who serves the port; likewise.
void question_ask_server(struct node *n, ep_t asker, struct port port);
// Returns true if no node has the endpoint that a caller has looked for in vain for sought_ns: that is longer than
// LOCATE_GIVE_UP_NS, and a whole search of this node is unanswered. A question that was dropped or had to wait is no
// answer.
bool question_nowhere(struct node *n, ep_t ep, uint64_t sought_ns);
// Returns true if no node serves the port; likewise.
bool question_nowhere_server(struct node *n, struct port port, uint64_t sought_ns);
// Asks whether the port is still served. The server that is known is asked alone, and the ring only when it does not
// answer at once. Answered as question_ask_server; what the caches know is not taken for an answer.
void question_check_server(struct node *n, struct port port);
// A link came up: open questions are asked again at once, and what was asked for in vain before means nothing.
void question_link_up(struct node *n);

// --- Answers

// Returns true if a question about the endpoint is open.
bool question_open(struct node *n, ep_t ep);
// Returns true if a question about who serves the port is open.
bool question_open_server(struct node *n, struct port port);
// A passing frame has said where the endpoint is. A question about it is answered, and told from a timer: the caller is
// in the middle of a frame.
void question_answered(struct node *n, ep_t ep);
// A passing frame has said who serves the port; likewise.
void question_answered_server(struct node *n, struct port port);
// The answer to the question about the endpoint has come, and is told at once. Nothing if none is open.
void question_close(struct node *n, ep_t ep);
// The answer to the question about the port; likewise.
void question_close_server(struct node *n, struct port port);
// HEREIS h for another node goes by: what it answers is somewhere.
void question_answer_passes(struct node *n, const struct wire_hdr *h);
// Tells that the endpoint may have been found. The question stays open.
void question_hint(struct node *n, ep_t ep);
// Tells that a server of the port may have been found, likewise.
void question_hint_server(struct node *n, struct port port);
// Returns true if the question (op: LOCATE_EP of ep, LOCATE_PORT of port) is open, and for so long that the node that
// has what is looked for would have answered: then the answer of a copy in doubt is taken, as a hint.
bool question_hesitates(struct node *n, uint32_t op, ep_t ep, struct port port);

#endif
