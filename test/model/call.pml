/* SPDX-License-Identifier: BSD-2-Clause
   "At most once": a client's thread makes CALLS calls to a port that process S serves at node 0. S moves to node 1, or
   ends, or its node restarts, at any time; S2 serves the same port, and stays. The tables are those of core/txn.h; what
   nodes say of S when they do not have it, net/xfer.c. Frames are bits: delivered at any time, again and again, or not,
   until PACKET_LIFE has passed (AGE). LOSSES of them are lost; each is sent again. MUT: one rule broken (check.py). */
mtype:call_state = { CALL_NONE, CALL_SEND, CALL_WAIT, CALL_RECV };
mtype:rec_state = { REC_QUEUED, REC_FILL, REC_SERVE, REC_REPLY, REC_DONE };
mtype:proc_state = { PROC_RUN, PROC_MOVING, PROC_DOUBT, PROC_DEAD };
mtype:error = { E_NOTHERE, E_DIED };

mtype:call_state call = CALL_NONE;
byte s = 1, server, where, tries; /* the call's number; its server: 1 S, 2 S2; node where S is believed */
bool begun;
mtype:proc_state p = PROC_RUN; /* S, with its one record: */
byte at, seq, dseq; /* its node; number in the record, and in the descriptor of a move under way */
mtype:rec_state rec, drec, rec2; byte seq2; bool up2; /* rec2, seq2: S2's record */
mtype:proc_state says[2]; /* of S, which is not there: 0 never heard of it, PROC_MOVING it moved, PROC_DEAD it ended */
bool quiet[2]; /* the node has booted less than PACKET_LIFE ago */
#define AT(n, k) [(n) * 4 + (k)]
bool req[12], probe[8], reply[12], ack[8], working[4]; /* frames: to and from nodes 0, 1 and S2 (2), of call k */
bool not_ep[4], not_port[4], not_txn[4]; /* WIRE_NOTHERE: no such endpoint; not executed, and never will; gone */
byte ran[4]; mtype:error result[4]; byte losses = LOSSES, moves = MOVES, crashes = CRASHES;
/* claims: never true, but then spin prints their names */
bool at_most_once, not_here_is_true, died_is_true, replies_are_true, last_words_arrive, calls_end;
#define KILL(k) req AT(0, k) = 0; req AT(1, k) = 0; probe AT(0, k) = 0; probe AT(1, k) = 0 /* PACKET_LIFE has passed */
#define AGE KILL(1); KILL(2)
#define RUN(k) ran[k]++; assert(at_most_once || ran[k] == 1); assert(not_here_is_true || result[k] != E_NOTHERE)
#define END_CALL call = CALL_NONE; server = 0; tries = 0; begun = 0; s++
/* S is not it, and has not executed it: any other server of the port may, and if there is none the call ends. */
#define ANOTHER if :: up2 -> server = 2; tries = 1; req AT(2, s) = 1; begun = 0; call = CALL_SEND \
                   :: else -> result[s] = E_NOTHERE; assert(not_here_is_true || !ran[s]); END_CALL fi
#define ANSWERED assert(replies_are_true || ran[s]); END_CALL
#define DIED result[s] = E_DIED; assert(died_is_true || p == PROC_DEAD); \
  assert(last_words_arrive || !(says[at] == PROC_DEAD && seq == s && rec == REC_REPLY)); END_CALL

active proctype client() {
end: do
  :: d_step { s <= CALLS && call == CALL_NONE -> call = CALL_SEND; server = 1; tries = 1; req AT(where, s) = 1 }
  :: d_step { call == CALL_SEND && server == 1 && !req AT(where, s) -> req AT(where, s) = 1; tries = 2 }
  :: d_step { call == CALL_WAIT && server == 1 && !probe AT(where, s) -> probe AT(where, s) = 1; tries = 2 }
  :: d_step { server == 2 && !req AT(2, s) -> req AT(2, s) = 1 }
  :: d_step { call == CALL_SEND && server == 1 && working[s] -> call = CALL_WAIT; begun = 1 }
  :: d_step { server == 1 && reply AT(0, s) -> call = CALL_RECV; ack AT(at, s) = 1; ANSWERED }
  :: d_step { server == 2 && reply AT(2, s) -> call = CALL_RECV; ANSWERED }
  :: d_step { server == 1 && not_txn[s] -> DIED }
  :: d_step { server == 1 && not_port[s] && !begun -> ANOTHER }
  :: d_step { server == 1 && not_ep[s] && (!begun && tries == 1 || MUT == 5) -> ANOTHER }
  :: d_step { server == 1 && not_ep[s] && (begun || tries > 1) && MUT != 5 -> not_ep[s] = 0;
       if :: p == PROC_DEAD && says[at] != PROC_DEAD -> DIED :: else -> where = at fi } /* it is looked for: LOCATE */
  :: d_step { server == 1 && where == 0 && says[0] == PROC_MOVING && (req AT(0, s) || probe AT(0, s)) -> where = 1 }
  od }
#define DELETE rec = 0; seq = 0

/* A request at the node that has S. A process that moves is frozen: its node says "wait", and nothing changes. */
#define HERE(n) (at == n && (p == PROC_RUN || MUT == 1 && p == PROC_MOVING))
#define ENDED(n) (says[n] == PROC_DEAD && MUT != 6)
#define ASKED(n, k) (s == k && (req AT(n, k) || probe AT(n, k)))
#define IN(n, k) \
  :: d_step { HERE(n) && req AT(n, k) && (k > seq || MUT == 2 && k < seq) -> seq = k; rec = REC_QUEUED } \
  :: d_step { HERE(n) && req AT(n, k) && k == seq && rec == REC_DONE && MUT == 3 -> rec = REC_QUEUED } \
  :: d_step { HERE(n) && ASKED(n, k) && k == seq && (rec == REC_SERVE || MUT == 1 && rec == REC_QUEUED) \
       && !working[k] -> working[k] = 1 } \
  :: d_step { HERE(n) && ASKED(n, k) && k == seq && rec == REC_REPLY && !reply AT(0, k) -> reply AT(0, k) = 1 } \
  :: d_step { HERE(n) && probe AT(n, k) && k > seq && s == k && !not_txn[k] -> not_txn[k] = 1 } /* TXN_UNKNOWN */ \
  :: d_step { HERE(n) && ack AT(n, k) && k == seq && rec == REC_REPLY -> rec = REC_DONE } \
  /* ... and at a node that does not: it moved, it ended, or there never was such a process */ \
  :: d_step { says[n] == PROC_MOVING && req AT(n, k) && !req AT(1, k) && s == k -> req AT(1, k) = 1 } \
  :: d_step { says[n] == PROC_MOVING && probe AT(n, k) && !probe AT(1, k) && s == k -> probe AT(1, k) = 1 } \
  :: d_step { says[n] == PROC_MOVING && ack AT(n, k) && !ack AT(1, k) -> ack AT(1, k) = 1 } \
  :: d_step { ENDED(n) && ASKED(n, k) && !not_port[k] && (seq < k || seq == k && rec == REC_QUEUED) \
       -> not_port[k] = 1 } \
  :: d_step { ENDED(n) && ASKED(n, k) && seq >= k && rec == REC_REPLY && !reply AT(0, k) && MUT != 7 \
       -> reply AT(0, k) = 1 } /* its last words */ \
  :: d_step { ENDED(n) && ASKED(n, k) && !not_txn[k] && (seq > k || seq == k && (rec == REC_SERVE || rec == REC_FILL \
       || rec == REC_REPLY && MUT == 7)) -> not_txn[k] = 1 } \
  :: d_step { (says[n] == 0 || says[n] == PROC_DEAD && MUT == 6) && !(at == n && p != PROC_DEAD) && !quiet[n] \
       && ASKED(n, k) && !not_ep[k] -> not_ep[k] = 1 } \
  :: d_step { MUT == 4 && n == 0 && up2 && says[n] && req AT(n, k) && k > seq2 -> seq2 = k; rec2 = REC_SERVE; RUN(k) }
active proctype nodes() {
end: do
  IN(0,1) IN(0,2) IN(1,1) IN(1,2)
  :: d_step { p == PROC_RUN && rec == REC_QUEUED -> rec = REC_FILL }
  :: d_step { p == PROC_RUN && rec == REC_FILL -> rec = REC_SERVE; RUN(seq) }
  :: d_step { p == PROC_RUN && rec == REC_SERVE -> rec = REC_REPLY; reply AT(0, seq) = 1 }
  :: d_step { p == PROC_RUN && rec == REC_DONE && MUT != 8 -> KILL(1); KILL(seq); DELETE } /* after RECORD_LIFE */
  :: d_step { p == PROC_RUN && rec == REC_DONE && MUT == 8 -> DELETE }
  /* the move: frozen, descriptor, COMMIT */
  :: d_step { p == PROC_RUN && at == 0 && moves -> moves--; p = PROC_MOVING; drec = rec; dseq = seq;
       if :: MUT == 9 && (rec == REC_REPLY || rec == REC_DONE) -> drec = 0; dseq = 0 :: else fi }
  :: d_step { p == PROC_MOVING -> p = PROC_RUN } :: d_step { p == PROC_MOVING -> p = PROC_DOUBT } /* refused; or not */
  :: d_step { p == PROC_DOUBT -> p = PROC_RUN; at = 1; rec = drec; seq = dseq; says[1] = 0;
       if :: MUT == 10 -> says[0] = 0 :: else -> says[0] = PROC_MOVING fi }
  /* S ends; S2 comes */
  :: d_step { p == PROC_RUN -> p = PROC_DEAD; says[at] = PROC_DEAD }
  :: d_step { !up2 -> up2 = 1 }
  :: d_step { up2 && req AT(2, 1) && 1 > seq2 -> seq2 = 1; rec2 = REC_SERVE; RUN(1) }
  :: d_step { up2 && req AT(2, 2) && 2 > seq2 -> seq2 = 2; rec2 = REC_SERVE; RUN(2) }
  :: d_step { rec2 == REC_SERVE && s == seq2 && !reply AT(2, seq2) -> reply AT(2, seq2) = 1 }
  od }
#define LOSE(m) :: d_step { losses && m -> losses--; m = 0 }
#define CRASH(n) \
  :: d_step { crashes && (at == n && p != PROC_DEAD || says[n]) -> crashes--; says[n] = 0; quiet[n] = (MUT != 11); \
       if :: at == n && p != PROC_DEAD -> p = PROC_DEAD; DELETE :: else fi } \
  :: d_step { quiet[n] -> AGE; quiet[n] = 0 } \
  :: d_step { says[n] -> AGE; says[n] = 0 } /* remembered for PACKET_LIFE */
active proctype world() {
end: do
  LOSE(req AT(where, s)) LOSE(working[s]) LOSE(reply AT(0, s)) LOSE(reply AT(2, s)) LOSE(not_port[s]) LOSE(not_txn[s])
  CRASH(0) CRASH(1)
  od }
active proctype judge() { /* When nothing more can happen every call has ended. */
end: timeout -> assert(calls_end || s > CALLS) }
