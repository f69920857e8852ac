// SPDX-License-Identifier: BSD-2-Clause
// What net/ may ask and tell of transactions, and what it is asked. Core knows that something is due, and keeps all
// that is known of a transaction; net/ knows how it is sent, and keeps nothing. So a `struct thread *` (whose call it
// is) and a `struct rec *` are names here: net/ sees none of their fields, and changes them by these functions alone.
//
//   core asks      core/transport.h: request, request_ack, reply, cancel ...
//   net reads      a view of the call or record, good until the next function that may change it
//   net tells      what a frame said: txn_*_in, txn_*_acked; whom it found or gave up: txn_server_*, txn_client_*
//
// Callers: net/, node lock held. Arguments that came in a frame were checked for form (wire_check), not for truth.
#ifndef CORE_TXN_NET_H
#define CORE_TXN_NET_H

#include "core/buf.h"
#include "core/peer.h"
#include "core/progress.h"
#include "core/txn.h"
#include "core/types.h"

struct rec;

// --- What frames carry ------------------------------------------------------------------------------------------

struct txn_id { // which transaction: the same in every frame of it
    ep_t client;
    uint32_t tid; // of the client's thread
    uint32_t inc; // incarnation of the client when the call began. A client that is started again from an older state
                  // uses numbers again, but under another incarnation
    uint64_t seq; // which of that thread's transactions
};
// Returns < 0, 0, > 0: transaction (inc, seq) of a client's thread began before (other_inc, other_seq), is it, began
// after it.
static inline int txn_order(uint32_t inc, uint64_t seq, uint32_t other_inc, uint64_t other_seq)
{
    if (inc != other_inc)
        return inc < other_inc ? -1 : 1;
    return seq < other_seq ? -1 : seq > other_seq;
}
struct txn_request { // header of a request, the same in every fragment
    struct txn_id id;
    uint32_t op;
    uint64_t total;
    struct cap cap;
    uint64_t arg[4];
    bool local;            // no frame of it was ever sent: its client is on this node, and always was since it began
    struct thread *caller; // the client thread when it is on this node, else NULL
};
struct txn_reply { // header of a reply, the same in every fragment
    int64_t status;
    uint64_t res[4];
    uint64_t total;
};
struct forward { // in place of a reply: "call this instead"
    struct cap cap;
    uint32_t op;
    uint64_t arg[4];
};

// --- The client half, to be sent --------------------------------------------------------------------------------

struct call_view {
    struct txn_request request;
    ep_t server;                // EP_NONE: it is looked for
    uint32_t server_inc;        // incarnation of the server that the client believes in
    uint32_t ask;               // number of the look-up
    bool sent_any;              // a frame of it went to this server
    bool never;                 // if the node that was asked says "not here", the server cannot have begun
    bool begun;                 // a server may have begun: errors then say "may have been executed"
    uint64_t deadline_ns;       // the client gives up then; UINT64_MAX: never
    const struct buf *data;     // of the request
    struct progress *sent;      // of the request: to be changed by progress_cut and progress_sent
    const struct progress *got; // of the reply
    struct peer *peer;          // the server: to be changed by the functions of core/peer.h
};
// Fills *v from t's call. t is in state CALL.
void txn_call_view(struct thread *t, struct call_view *v);

enum call_says {
    CALL_SAYS_DATA,   // the request's fragments that were not acknowledged
    CALL_SAYS_HEADER, // the request without data: the server said wait
    CALL_SAYS_PROBE,  // "are you working on it?"
    CALL_SAYS_REST,   // what of the reply is here, then a probe, which asks for the rest
    CALL_SAYS_CANCEL, // the client has had enough
};
// Returns true if t's call is in the middle of its request: a server was asked to take in its data.
bool txn_call_fills(const struct thread *t);
// Returns true if t's call is in the middle of its reply.
bool txn_call_receives(const struct thread *t);
// A frame of t's call goes to its server, at this node, now: copies of it may be under way from here on. Returns what
// it says.
enum call_says txn_call_sends(struct node *n, struct thread *t, ep_t node);

// Returns the thread whose transaction this is; NULL: it does not wait for that, or its process is frozen.
struct thread *txn_call_find(struct node *n, struct txn_id id);
// The call goes to this endpoint, which serves its port.
void txn_server_found(struct thread *t, ep_t server);
// The server cannot have begun, nor will it: the call looks for another.
void txn_server_forget(struct node *n, struct thread *t);
// The call ends with this error (E_DIED..., positive); E_CANCEL instead of E_DIED when the client has cancelled it.
void txn_refused(struct node *n, struct thread *t, int error);
// What the call waits for was found: it is taken up again, from a timer.
void txn_kick_call(struct node *n, struct thread *t);
// A server of the port was found: so are all calls that look for one.
void txn_kick_port(struct node *n, struct port port);
// The endpoint was found: all calls to it and records of it are taken up again, from timers.
void txn_kick_peer(struct node *n, ep_t peer);

// --- The client half, told what a frame says --------------------------------------------------------------------

// Acknowledgement of request id from endpoint `server`, in its incarnation `inc`, which has begun `fill` times (modulo
// 64) to take it in: p is there; wait, working: as in its
// flags. Returns 0, or
// E_OBJECT: there is no such call (any more): tell the server.
int txn_request_acked(struct node *n, struct txn_id id, ep_t server, uint32_t inc, unsigned fill,
                      const struct progress *p, bool wait, bool working);
// A fragment of the reply to request id, frag bytes each, at byte off; src: pieces of kernel memory. Returns 1:
// complete, acknowledge as done; 0: acknowledge *got. E_STATE: frozen, say "wait". E_OBJECT: there is no such call (any
// more): acknowledge as done, it was.
int txn_reply_in(struct node *n, struct txn_id id, ep_t server, const struct txn_reply *h, uint64_t off, uint32_t frag,
                 const struct buf *src, struct progress *got);
// A forward in place of the reply to request id. Returns 1. Errors: as txn_reply_in().
int txn_forward_in(struct node *n, struct txn_id id, ep_t server, const struct forward *f);

// --- The server half, told what a frame says --------------------------------------------------------------------

// What this node knows of a transaction whose server is not here: whether a frame of it was accepted.
enum txn_trace_left {
    TXN_NEVER_HAD, // no frame of it can have been
    TXN_HAD,       // one was, and the server has ended: it may have been executed
    TXN_LAST_WORD, // the server has ended, and its reply is still there: it has been sent again
    TXN_FORGOTTEN, // too much had to be remembered: it may have been
};
// Returns what is known here of request id to the endpoint `server`, which does not live here.
enum txn_trace_left txn_left_behind(struct node *n, ep_t server, struct txn_id id);

enum txn_verdict {
    TXN_TAKE,    // the record is in FILL: the payload may be stored (txn_request_data), then acknowledge
    TXN_ACK,     // acknowledge only (queued, or working)
    TXN_REPLY,   // the reply is there: it has been sent again
    TXN_BUSY,    // process stunned or no memory for a record: say "wait"
    TXN_OLD,     // an old duplicate: say nothing
    TXN_NOTHERE, // no such endpoint or port here
    TXN_UNKNOWN, // a probe for a transaction of which nothing is known
};
// A request fragment or probe arrived for endpoint dst (EP_NONE: the server is found by port). Returns the verdict;
// with TXN_TAKE and TXN_ACK, *out is the record.
enum txn_verdict txn_request_in(struct node *n, ep_t dst, const struct txn_request *q, bool probe, struct rec **out);
// A cancel of q arrived for endpoint dst. left_ns: how long its client waits for an answer (0: no limit). waits false:
// it does not wait at all. begun: a server had it. Returns the verdict; with TXN_ACK, *out is the record: say
// "working".
enum txn_verdict txn_cancel_in(struct node *n, ep_t dst, const struct txn_request *q, uint64_t left_ns, bool waits,
                               bool begun, struct rec **out);
// Stores a fragment of the request, frag bytes each, at byte off; src: pieces of kernel memory. Returns 1 when the
// request is complete now (its server runs), 0 when not. E_ARG: it goes past the end; or the error of the server's
// buffer.
int txn_request_data(struct node *n, struct rec *r, uint64_t off, uint32_t frag, const struct buf *src);
// Acknowledgement of the reply to request id; done: the client has it all, or does not want it any more.
void txn_reply_acked(struct node *n, ep_t server, struct txn_id id, const struct progress *p, bool wait, bool done);
// The client of request id to `server` stands still, its node says.
void txn_client_still(struct node *n, ep_t server, struct txn_id id);
// The client's node says that the client does not wait for id any more.
void txn_client_denies(struct node *n, ep_t server, struct txn_id id);
// The client of a record in FILL or REPLY was found nowhere for LOCATE_GIVE_UP_NS: it is dead.
void txn_client_lost(struct node *n, struct rec *r);

// --- The server half, to be sent --------------------------------------------------------------------------------

struct rec_view {
    ep_t server;
    uint32_t inc; // the server's incarnation
    struct txn_id id;
    enum rec_state state;
    unsigned fills;             // times that it began to take in the request anew
    uint64_t total;             // bytes of the request
    const struct progress *got; // of the request
    struct progress *sent;      // of the reply: to be changed by progress_cut and progress_sent
    struct peer *peer;          // the client: to be changed by the functions of core/peer.h
};
// Fills *v from the record.
void txn_rec_view(struct rec *r, struct rec_view *v);
// Fills in the reply of a record that is not in FORWARD, and where its data lies.
void txn_rec_reply(const struct rec *r, struct txn_reply *reply, struct buf *data);
// Fills in the forward of a record in FORWARD.
void txn_rec_forward(const struct rec *r, struct forward *f);

#endif
