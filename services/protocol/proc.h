// SPDX-License-Identifier: BSD-2-Clause
// Process service: the node's process port (object 0), a control port of each process, and what owners are told.
//
// On the node's process port:
// OP_PROC_EXEC    Starts a process from a descriptor whose segments are filled from capabilities. request: descriptor.
//                 reply: capability of the process. res[0] = pid. Endpoint 0 in the descriptor: a new process; else
//                 that of a checkpoint, which runs again whether it was stunned or not; E_ARG: it is not the image of
//                 the secret of its control port. E_LIMIT: a priority, or a limit, above the starter's own. EXEC
// OP_PROC_LIST    reply: array of struct proc_entry. READ
// OP_PROC_CHECK   Could this descriptor be started here? Reply as OP_PROC_CHECK of a process, below. CONTROL
// OP_PROC_SLOT, OP_PROC_OFFER, OP_PROC_COMMIT, OP_PROC_ABORT: a move, at the target (services/proc/migrate.h). arg[0] =
// number of the
//                 move (random, never 0). EXEC
//   SLOT          A place for this move is kept for 30 s, or until OFFER. E_LIMIT: all are taken; ask again
//   OFFER         request: descriptor. arg[1] = pages of contents that will come (0: not known). The target checks,
//                 reserves everything, pulls the segments, and answers when ready. res[0] = bytes pulled, res[1] =
//                 pages, res[2] = target node, res[3] = the target's number for the offer
//   COMMIT        arg[1] = that number. The one instant of ownership. 0: the process runs here (stunned if it was),
//                 from now on. E_REFUSED: it never ran here, and never will. E_DOUBT: too long ago, not known any
//                 more. Any other error, of whatever origin, proves nothing
//   ABORT         Forget the offer. 0 also when it is not known. E_STATE: it was committed
//
// On the capability of a process, which is good wherever the process is. An order that meets a move waits until it is
// over and goes along with the process. A copy in doubt (E_DOUBT) takes OP_DESTROY and OP_PROC_NEVER_RAN only. CONTROL,
// if nothing else is said.
// OP_PROC_STUN          Returns when the process is stopped; 0 also when it was. It stays so through a move. arg[0] = a
//                       code for its owner, who is told EVENT_STUNNED. arg[1] = 1: do not notify the owner (the caller
//                       is the owner)
// OP_PROC_RESUME        0 also when it runs. request: none; or a descriptor, as OP_PROC_SET: then the process resumes
//                       as the descriptor says, and only if that is applied
// OP_PROC_NEVER_RAN     The copy here is in doubt (services/proc/migrate.h), and the caller knows that the other one
//                       does not run, nor ever will: it resumes here. Refused when the ring knows better. E_EXISTS:
//                       another node has it, and this copy is gone. E_DOUBT: the target can be reached, or another node
//                       has it: the doubt ends by itself. E_STATE: it is in no doubt
// OP_PROC_GET           Of a stunned process. reply: descriptor; its segments name capabilities to read. E_STATE
// OP_PROC_MIGRATE       request: capability with EXEC of the target's process service. res[0] = bytes moved, res[1] =
//                       time frozen (ns), res[2] = pages, res[3] = target node. Errors: migrate_send
// OP_PROC_SET           A stunned process is changed to what a descriptor says, whole, and stays stunned; or nothing
//                       changes and the error says why (OP_PROC_CHECK: in words). Segments that the descriptor names by
//                       the capabilities that OP_PROC_GET gave are kept, not copied; others are filled as by
//                       OP_PROC_EXEC. A descriptor is refused if it has another identity, if the process has run since
//                       OP_PROC_GET, or if transactions in progress were altered (core/desc.h: desc_change_check).
//                       request: descriptor
// OP_PROC_CHECK         Would that be applied? Changes nothing. request: descriptor. res[0] = 0, or the number of the
//                       error; reply: the reason in words
// OP_PROC_SET_COMMENT   request: at most 31 printable bytes
// OP_PROC_SET_LIMIT     arg[0] = bytes of memory that it may have mapped, 0 = any. E_LIMIT: it has more already
// OP_PROC_SET_PRIORITY  arg[0] = 0..7; a larger number is more urgent and runs first (4 at first): at once, and
//                       wherever the process goes. arg[1] = 1 + the largest that it may ever be given from now on, 0:
//                       as it is. OWNER for arg[1]; E_LIMIT: above what it may be given
// OP_PROC_SET_OWNER     request: capability. OWNER: an owner is given a capability with all rights (owner_fault), so
//                       that with CONTROL alone one could take them. For the same reason a descriptor (OP_PROC_SET,
//                       OP_PROC_RESUME) may name another owner, or a higher limit of the priority, only with OWNER
//
// On the owner capability, sent by the kernel: OP_PROC_WAIT_EVENT. arg[0] = enum owner_event, arg[1] = endpoint of the
// process, then
//   EVENT_ENDED    arg[2] = exit status (int64)
//   EVENT_FAULT    arg[2] = fault_kind | tid << 32, arg[3] = address; request: struct owner_fault. The process is
//                  stunned, at the instruction that faulted, and waits for the answer
//   EVENT_STUNNED  Somebody ordered it (OP_PROC_STUN). arg[2] = the code of the order; request: struct owner_fault, of
//                  which only `process` is filled in
//   EVENT_REFUSED  The descriptor of the answer was not applied. arg[2] = number of the error. The process is as it
//                  was, and waits
//   EVENT_DOUBT    arg[2] = node that may run it
// An owner that does not answer within 10 s, or cannot be found, is told again, after pauses that grow to 30 s, for the
// grace that the process gives it (struct desc_proc, orphan_grace_ns): it may hear of an event more than once.
// The answer to FAULT, STUNNED and REFUSED is the status: enum owner_answer. A negative one, or none in all the grace,
// ends the process; after STUNNED, none leaves it stunned. The descriptor is to be had by OP_PROC_GET on
// owner_fault.process.
#ifndef SERVICES_PROTOCOL_PROC_H
#define SERVICES_PROTOCOL_PROC_H

#include "core/types.h"
#include "services/protocol/numbers.h"

struct proc_entry {
    uint64_t ep;
    uint32_t pid, state; // enum proc_state
    uint32_t threads, segments;
    uint64_t pages, moves;
    struct cap cap; // all rights that the asker's capability has
    char name[32];
    char comment[32];
};

enum owner_event { EVENT_ENDED = 1, EVENT_FAULT, EVENT_DOUBT, EVENT_STUNNED, EVENT_REFUSED };
enum owner_answer {
    OWNER_END = 0,    // the process ends
    OWNER_RESUME = 1, // it resumes as it is: after a fault, with the instruction that faulted
    OWNER_CHANGE = 2, // it resumes as the descriptor says that is the reply, whole; or the owner is told REFUSED
    OWNER_KEEP = 3,   // it stays stunned, until somebody orders otherwise
};
struct owner_fault {
    uint64_t cause, addr, pc, ra, sp;
    int64_t error; // -E_FAULT; -E_MEM, -E_LIMIT: the access was right, there was no page for it
    struct cap process;
    char what[64]; // "write to 0x10078, mapped r-x"
};

#endif
