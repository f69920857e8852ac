/* SPDX-License-Identifier: BSD-2-Clause
   A process stops at a fault and its owner, on another node, is told (services/proc/owner.c, services/protocol/proc.h).
   The owner answers, or is silent for as long as it likes, or ends; frames are bits as in move.pml. The process moves
   meanwhile: what has to be reported goes along. It ends for two reasons only: its owner says so, or a node that knew
   the owner says that it is gone. */
mtype:proc_state = { PROC_RUN, PROC_STUNNED, PROC_MOVING, PROC_DEAD };
mtype:stop_reason = { STOP_NONE, STOP_FAULT };
mtype:error = { E_NOTHERE };

mtype:proc_state p = PROC_RUN;
mtype:stop_reason to_report = STOP_NONE;
bool owner_up = 1, silent, told;
bool event, resume, end_it; /* messages: EVENT_FAULT; OWNER_RESUME, OWNER_END */
mtype:error gone; /* the answer of the owner's node when it has ended: not executed */
byte losses = LOSSES, moves = 1, faults = 2, silences = 2;
bool only_its_owner_ends_it, the_owner_is_heard; /* claims: never true, but spin prints their names */
#define CLEAR event = 0; resume = 0; end_it = 0; told = 0

active proctype process() {
end: do
  :: d_step { p == PROC_RUN && faults && !gone -> faults--; p = PROC_STUNNED; to_report = STOP_FAULT; CLEAR }
  :: d_step { p == PROC_STUNNED && to_report == STOP_FAULT && !event && !(MUT == 2 && told) -> event = 1; told = 1 }
  :: d_step { p == PROC_STUNNED && resume -> p = PROC_RUN; to_report = STOP_NONE; CLEAR }
  :: d_step { p == PROC_STUNNED && end_it -> p = PROC_DEAD }
  :: d_step { p == PROC_STUNNED && gone == E_NOTHERE -> p = PROC_DEAD; assert(only_its_owner_ends_it || !owner_up) }
  :: d_step { MUT == 1 && p == PROC_STUNNED && event -> p = PROC_DEAD; assert(only_its_owner_ends_it || !owner_up) }
  :: d_step { p == PROC_STUNNED && moves -> moves--; p = PROC_MOVING }
  :: d_step { p == PROC_MOVING -> p = PROC_STUNNED; told = 0; event = 0;
       if :: MUT == 3 -> to_report = STOP_NONE :: else fi }
  od }
active proctype owner() {
end: do
  :: d_step { owner_up && event && !silent && !resume && !end_it -> resume = 1 }
  :: d_step { owner_up && event && !silent && !resume && !end_it -> end_it = 1 }
  :: d_step { owner_up && !silent && silences -> silences--; silent = 1 } :: d_step { silent -> silent = 0 }
  :: d_step { owner_up && !silent -> owner_up = 0 }
  :: d_step { !owner_up && event && !gone -> gone = E_NOTHERE }
  :: d_step { MUT == 4 && silent && event && !gone -> gone = E_NOTHERE }
  od }
active proctype world() {
end: do
  :: d_step { losses && event -> losses--; event = 0 } :: d_step { losses && resume -> losses--; resume = 0 }
  od }
active proctype judge() {
end: timeout -> assert(the_owner_is_heard || p != PROC_STUNNED) }
