// SPDX-License-Identifier: BSD-2-Clause
// Silence: what this node has asked the whole ring for and nobody has answered. Only this says that an endpoint or a
// port is nowhere: a question that could not be asked, or that was dropped for others, leaves nothing here and so is no
// answer. What was asked for often enough is asked for with less effort the next time (net/question.h).
// Callers: net/, node lock held.
#ifndef NET_SILENCE_H
#define NET_SILENCE_H

#include "core/types.h"

struct node;

// What a question is about.
struct subject {
    uint32_t op;      // LOCATE_EP, LOCATE_PORT; 0: nothing
    ep_t ep;          // LOCATE_EP
    struct port port; // LOCATE_PORT
};
// Returns true if both are about the same.
bool subject_eq(const struct subject *a, const struct subject *b);

// Questions to the whole ring without an answer, so many of them, are a search. At 30 % loss on a ring of eight a
// question reaches a node four links away with 0.90 (each link carries two copies: 1 - 0.3^2 = 0.91; 0.91^4 = 0.69;
// two ways round: 1 - 0.31^2), and one of its eight answers comes back with 0.89 (0.7^4 = 0.24; 1 - 0.76^8). Both:
// 0.80. So nine of them miss a server that is there with 0.2^9 = 5e-7, the eleven that a quiet ring has time for in
// LOCATE_GIVE_UP_NS with 2e-8.
#define SILENCE_WHOLE 9u
// The answer to the last of them had so long to come.
#define SILENCE_LISTEN_NS (500 * NS_PER_MS)
// And was asked for at most so long ago: a server that has started since is found after this at the latest. After
// that, one question more is enough.
#define SILENCE_KEPT_NS (60 * NS_PER_S)

// It begins to be asked for. Keeps it in mind, and in its place forgets what was not asked for for longest.
void silence_begin(struct node *n, const struct subject *about);
// The whole ring is being asked for it.
void silence_asked(struct node *n, const struct subject *about);
// It was heard of, or answered.
void silence_forget(struct node *n, const struct subject *about);
// The ring has changed.
void silence_forget_all(struct node *n);

// Returns true if it was asked for before, and there was no answer so far; *asked: how often the whole ring was asked,
// at most SILENCE_WHOLE + 1.
bool silence_known(struct node *n, const struct subject *about, unsigned *asked);
// Returns true if it is nowhere, as a whole search says.
bool silence_whole(struct node *n, const struct subject *about);

#endif
