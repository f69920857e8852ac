/* SPDX-License-Identifier: BSD-2-Clause
   The move of a process from a source to a target: the two tables and the numbered reasons of services/proc/migrate.h.
   A message is a bit: once set it may be delivered at any time, again and again, in any order, or never; the network
   loses LOSSES of them altogether. A partition is delay. There is no clock: what a time-out does may happen any time.
   Two moves are ordered; the target boots again BOOTS times, the source fails FAILS times. MUT: one rule broken. */
#define T 3 /* a try is the id of one move: 1, 2; the source never uses an id again */

mtype:proc_state = { PROC_ARRIVING, PROC_RUN, PROC_STUNNING, PROC_STUNNED, PROC_MOVING, PROC_DOUBT, PROC_DEAD };
mtype:offer_state = { OFFER_PULLING, OFFER_READY, OFFER_COMMITTED };

mtype:proc_state src = PROC_RUN, tgt; /* the copies; 0: none */
mtype:offer_state off[T]; /* the target's records; 0: none */
byte id, boot = 1, to[T]; /* which boot of the target an id is for: its process port is new with each */
byte number[T], serial, forgot; /* the target's count of offers, and which of them it may have forgotten */
bool offer[T], ready[T], commit[T], ok[T], refused[T], doubt[T]; /* messages: OFFER, COMMIT; their answers */
bool further, ran_there, told, by_owner, gave_up; /* further: it left the target again, for a third node */
bool owner_silent, tell; /* the owner of the process does not answer; EVENT_DOUBT is on its way */
byte losses = LOSSES, boots = BOOTS, fails = FAILS;

bool one_copy_runs, no_doubt_is_left, no_offer_is_left, silence_ends_nothing; /* claims: never true, but printed */
#define ONE assert(one_copy_runs || (src == PROC_RUN) + (tgt == PROC_RUN) + further <= 1 \
  && (src != PROC_RUN || !ran_there || by_owner))
#define ANSWERS(k) (to[k] == boot || MUT == 4) /* reason 5 */

active proctype source() {
end: do
  :: d_step { src == PROC_RUN && !ran_there && id < T - 1 -> id++; src = PROC_STUNNING }
  :: d_step { src == PROC_STUNNING -> src = PROC_STUNNED }
  :: d_step { src == PROC_STUNNED -> src = PROC_MOVING; to[id] = boot; offer[id] = 1 }
  :: d_step { src == PROC_MOVING && ready[id] -> src = PROC_DOUBT; commit[id] = 1 }
  :: d_step { src == PROC_MOVING -> src = PROC_RUN; ONE } /* OFFER failed; COMMIT was never sent: reason 2 */
  :: d_step { src == PROC_DOUBT && ok[id] -> src = 0 }
  :: d_step { src == PROC_DOUBT && refused[id] -> src = PROC_RUN; ONE } /* reason 2 */
  :: d_step { src == PROC_DOUBT && !told && !tell -> tell = 1 } /* E_DOUBT, or asked for long: it asks on */
  :: d_step { src == PROC_DOUBT && !commit[id] && !ok[id] && !refused[id] && !doubt[id] && !gave_up -> commit[id] = 1 }
  :: d_step { MUT == 2 && src == PROC_DOUBT -> src = PROC_RUN; ONE } /* reason 4 */
  :: d_step { MUT == 6 && src == PROC_DOUBT && !gave_up -> gave_up = 1 }
  :: d_step { MUT == 9 && src == PROC_RUN && id && ready[id] && !commit[id] -> commit[id] = 1 } /* reason 2 */
  od }

#define TARGET(k) \
  :: d_step { offer[k] && ANSWERS(k) && !off[k] && !number[k] && !tgt && !further -> \
       off[k] = OFFER_PULLING; serial++; number[k] = serial; tgt = PROC_ARRIVING } /* OFFER: executed at most once */ \
  :: d_step { MUT == 10 && offer[k] && !off[k] && number[k] && !tgt -> off[k] = OFFER_PULLING; tgt = PROC_ARRIVING } \
  :: d_step { off[k] == OFFER_PULLING -> \
       if :: src -> off[k] = OFFER_READY; ready[k] = 1; if :: MUT == 1 -> tgt = PROC_RUN :: else fi; ONE \
          :: else -> off[k] = 0; tgt = 0 fi } /* its memory was at the source */ \
  :: d_step { (off[k] == OFFER_PULLING || off[k] == OFFER_READY && MUT != 7) -> off[k] = 0; /* ABORT; OFFER_LIFE */ \
       if :: MUT == 5 -> tgt = PROC_RUN; ran_there = 1 :: else -> tgt = 0 fi; ONE } \
  :: d_step { commit[k] && ANSWERS(k) && off[k] == OFFER_READY -> off[k] = OFFER_COMMITTED; tgt = PROC_RUN; \
       ran_there = 1; ok[k] = 1; ONE } /* the one instant */ \
  :: d_step { commit[k] && ANSWERS(k) && off[k] == OFFER_READY -> off[k] = 0; tgt = 0; refused[k] = 1 } \
  :: d_step { commit[k] && ANSWERS(k) && off[k] == OFFER_COMMITTED && !ok[k] && MUT != 8 -> ok[k] = 1 } \
  :: d_step { off[k] == OFFER_COMMITTED && FORGETS -> off[k] = 0; forgot = number[k] } /* COMMITTED_MAX later ones */ \
  :: d_step { commit[k] && ANSWERS(k) && !off[k] && (number[k] || MUT == 4) && (number[k] > forgot || MUT == 3) \
       && !refused[k] -> refused[k] = 1 } /* reason 3 */ \
  :: d_step { commit[k] && ANSWERS(k) && !off[k] && number[k] && number[k] <= forgot && !doubt[k] -> doubt[k] = 1 }

active proctype target() {
end: do
  TARGET(1) TARGET(2)
  :: d_step { tgt == PROC_RUN -> tgt = 0 } :: d_step { further -> further = 0 } /* it ends there */
  :: d_step { tgt == PROC_RUN -> tgt = 0; further = 1; ONE }
  od }

/* Told of the doubt, the owner may end it: the copy goes; or it resumes, when the owner knows that the target's boot is
   over and that no other has the process from there: an order of its own, for RESUME resumes no copy in doubt. */
#define NEVER_RAN_THERE (to[id] != boot && !further && tgt != PROC_RUN)
active proctype owner() {
end: do
  :: d_step { tell -> tell = 0; told = 1 }
  :: d_step { !owner_silent && !told && !tell -> owner_silent = 1 }
  :: d_step { told && !owner_silent && src == PROC_DOUBT -> src = 0 } /* OP_DESTROY */
  :: d_step { told && !owner_silent && src == PROC_DOUBT && NEVER_RAN_THERE -> by_owner = 1; src = PROC_RUN; ONE }
  :: d_step { MUT == 11 && src == PROC_DOUBT -> by_owner = 1; src = PROC_RUN; ONE } /* OP_PROC_RESUME */
  :: d_step { MUT == 12 && src == PROC_DOUBT && owner_silent -> src = PROC_DEAD; assert(silence_ends_nothing) }
  od }

#define LOSE(m) :: d_step { losses && m -> losses--; m = 0 }
active proctype world() {
end: do
  LOSE(offer[id]) LOSE(ready[id]) LOSE(commit[id]) LOSE(ok[id]) LOSE(refused[id]) LOSE(doubt[id])
  :: d_step { boots -> boots--; boot++; tgt = 0; serial = 0; forgot = 0; /* the target boots again */
       off[1] = 0; number[1] = 0; off[2] = 0; number[2] = 0 }
  :: d_step { fails && src -> fails--; src = 0 } /* the source fails */
  od }

/* When nothing more can happen: no doubt is left between two nodes of which none was restarted, unless the target has
   said that it does not know any more, and the owner was told; and no offer waits for a COMMIT. */
active proctype judge() {
end: timeout -> assert(no_doubt_is_left || src != PROC_DOUBT || told && (to[id] != boot || doubt[id]));
  assert(no_offer_is_left || tgt != PROC_ARRIVING) }
