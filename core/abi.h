// SPDX-License-Identifier: BSD-2-Clause
// The system calls: the whole contract between a guest and the kernel.
//
// `ecall` with the number in a7. Arguments in a0..a6 and t0..t6; results in the registers named below; every other
// register keeps its value. a0 is 0 (or a count) on success and the negative of a number of error.h otherwise. A call
// either completes at once or leaves all of its progress in the thread's record (design D1), so a thread may be stunned
// and moved in the middle of any of them.
#ifndef CORE_ABI_H
#define CORE_ABI_H

#include "core/types.h"

enum sys_number {
    // Does nothing. a0 = 0.
    SYS_NULL = 0,

    // One transaction, executed at most once. Blocks until the reply is complete.
    //   in:  a0..a3 capability, a4 operation, a5 request address, a6 request length (bytes),
    //        t0 reply buffer address, t1 its capacity (bytes), t2 time-out (ms, 0 = none),
    //        t3..t6 four words of arguments
    //   out: a0 status given by the server (>= 0, or its negative error) or the kernel's error,
    //        a1 reply length (bytes), a2..a5 four words of results
    //   E_ARG no port, a length over MESSAGE_MAX_BYTES, or a time-out over 2^32 - 1 ms; E_FAULT; E_NOTHERE; E_DIED;
    //   E_TIMEOUT; E_TOOBIG reply longer than the capacity (the request was executed); E_MEM no page for the reply
    //   (the request was executed); E_LIMIT after THREAD_SEQ_MAX calls of this thread; E_CANCEL, E_WITHDRAWN after a
    //   SYS_CANCEL.
    SYS_TRANS = 1,

    // Receive the next request on any of this process's ports named in the mask.
    //   in:  a0 mask of port handles, a1 buffer address, a2 capacity (bytes), a3 time-out (ms, 0 = none)
    //   out: a0 0, a1 request length (bytes), a2 handle, a3 operation, a4..a7 four argument words,
    //        t0 obj_rights, t1 check[0] | check[1] << 32, t2 check[2]
    //   E_ARG unknown handle or none, a capacity over MESSAGE_MAX_BYTES, or a time-out over 2^32 - 1 ms; E_STATE the
    //   thread owes a reply; E_FAULT; E_TIMEOUT; E_CANCEL after a SYS_CANCEL. A request longer than the capacity is
    //   refused to its client with E_TOOBIG and not delivered.
    SYS_GETREQ = 2,

    // Reply to the request that this thread received last.
    //   in:  a0 status, a1 reply address, a2 reply length (bytes), a3..a6 four words of results
    //   out: a0 0.  E_STATE no request is open; E_ARG; E_FAULT (the request stays open).
    SYS_PUTREP = 3,

    // Serve the port F(get-port).  in: a0, a1 get-port.  out: a0 handle (0..15: PROC_PORTS_MAX), a1, a2 put-port.
    //   E_ARG all zero; E_LIMIT too many ports; E_EXISTS this process listens to it already; E_MEM.
    SYS_PORT_LISTEN = 4,
    // Stop serving.  in: a0 handle. Requests that wait are told E_NOTHERE.  E_ARG.
    SYS_PORT_CLOSE = 5,

    // New thread.  in: a0 pc, a1 sp, a2 its a0, a3 its tp.  out: a0 thread number.  E_LIMIT, E_MEM.
    SYS_THREAD_CREATE = 6,
    // End this thread.  in: a0 address of a 32-bit word to set to 0 and wake (0 = none).
    // The last thread ends the process with status 0. Does not return.
    SYS_THREAD_EXIT = 7,
    // End this thread's slice, if another thread is ready.  out: a0 0.
    SYS_YIELD = 8,
    // Wait.  in: a0 nanoseconds. The rest of the time goes along when the process moves.  out: a0 0.  E_CANCEL.
    SYS_SLEEP = 9,
    // If the 32-bit word at a0 equals a1, wait until woken or for a2 ms (0 = for ever).  out: a0 0.
    //   E_AGAIN it does not; E_TIMEOUT; E_FAULT; E_ARG not aligned, or a time-out over 2^32 - 1 ms; E_CANCEL.
    SYS_WAIT = 10,
    // Wake up to a1 threads of this process that wait at address a0.  out: a0 number woken.
    SYS_WAKE = 11,

    // New segment of zeros.  in: a0 wanted address (0 = the kernel chooses), a1 length (bytes, rounded
    // up to pages), a2 MAP_* flags.  out: a0 address.  E_ARG, E_OVERLAP, E_LIMIT, E_MEM.
    SYS_MAP = 12,
    // Remove the whole mapping that starts at a0, and its segment with the last mapping.  E_ARG.
    SYS_UNMAP = 13,
    // Give the mapping that starts at a0 the length a1 (bytes).  E_ARG, E_OVERLAP, E_MEM, E_LIMIT.
    SYS_GROW = 14,

    // out: a0 nanoseconds of the process's clock: never goes back, not even by a move.
    SYS_TIME = 15,
    // End the process.  in: a0 status (int). Does not return.
    SYS_EXIT = 16,
    // Unpredictable bytes.  in: a0 address, a1 length (<= 256).  E_FAULT, E_ARG, E_MEM.
    SYS_RANDOM = 17,
    // out: a0 thread number, a1 process number, a2 the process's endpoint, a3 endpoint of the node that it runs on now
    // (differs after a move).
    SYS_SELF = 18,

    // PUTREP, then at once GETREQ: what a server does at the end of its loop, with one entry into the kernel.
    //   in:  a0 status, a1 reply address, a2 reply length (bytes, at most REPLY_COPY_MAX = 4096), a3..a6 results;
    //        t0 mask, t1 buffer address, t2 capacity, t3 time-out (ms) as for GETREQ
    //   out: as GETREQ. E_TOOBIG the reply is longer: nothing was done, use the two calls. E_STATE, E_ARG, E_FAULT as
    //        for PUTREP; E_MEM no page for the reply; E_ARG also a time-out over 2^32 - 1 ms (the request stays open).
    //        An error of the GETREQ part comes after the reply went out.
    SYS_PUTREP_GETREQ = 19,

    // Hand the request that this thread received last on to another server, and be done with it: the client's kernel
    // calls that capability instead, with the bytes of the client's request as they are in its memory then, and the
    // reply goes straight to the client, which does not notice. Its time-out goes on.
    //   in:  a0..a3 capability, a4 operation, t3..t6 four words of arguments
    //   out: a0 0.  E_STATE no request is open; E_ARG the capability has no port.
    //   What the client may see: E_LIMIT forwarded more than FORWARDS_MAX times; E_NOTHERE nobody serves that port.
    SYS_FORWARD = 20,

    // Map a segment of this node that one has a capability for.
    //   in:  a0..a3 capability, a4 wanted address (0 = the kernel chooses), a5 offset in the segment (bytes, page
    //        multiple), a6 length (bytes, rounded up to pages; 0 = to the segment's end), t0 MAP_* flags
    //   out: a0 address
    //   Without MAP_COPY the segment is shared: every process that has it mapped sees what any of them writes, at once.
    //   It needs READ, and WRITE for MAP_WRITE. A process that shares a segment stays on its node (E_SHARED to a move)
    //   until it is the only one to have it. SYS_WAIT and SYS_WAKE go by process and address, not by segment: to wait
    //   for one another, processes use transactions.
    //   E_NOTHERE the segment is not of this node; E_OBJECT; E_CAP; E_RIGHTS; E_STATE it is the private memory of a
    //   process (MAP_COPY works); E_ARG; E_OVERLAP; E_LIMIT; E_MEM.
    SYS_MAP_CAP = 21,
    // End what another thread of this process (or an own one's wait) is blocked in.
    //   in:  a0 thread number, a1 grace (ms; 0 = as long as the call's own time-out lets)
    //   out: a0 0.  E_OBJECT no such thread; E_STATE it is blocked in nothing that can be cancelled; E_ARG a number or
    //        time over 2^32 - 1.
    //   A TRANS: its server is told, and may still answer, in the grace time: then that is the result. Else it ends
    //   with E_CANCEL, or with E_WITHDRAWN when no server had taken it. A GETREQ, SLEEP or WAIT ends with E_CANCEL at
    //   once.
    SYS_CANCEL = 22,
    // Has the client of the request that this thread serves cancelled it (or gone)?
    //   in:  a0 CANCEL_ASK; CANCEL_SHIELD from now on this thread is only told when it asks; CANCEL_OPEN (as it is at
    //        first): what it is blocked in, its own TRANS, SLEEP or WAIT, is cancelled, once for each request
    //   out: a0 1 yes, 0 no.  E_ARG.
    SYS_CANCELLED = 23,
    SYS_COUNT
};

enum { CANCEL_ASK = 0, CANCEL_SHIELD = 1, CANCEL_OPEN = 2 };

#define MAP_READ 1u
#define MAP_WRITE 2u
#define MAP_EXEC 4u
#define MAP_GROW_UP 8u    // SYS_GROW may lengthen it
#define MAP_GROW_DOWN 16u // a stack: grows downward on a fault below it
// The first page of every 2^log2 bytes of the mapping is a guard: any access to it is a fault. Many stacks then
// share one mapping and still cannot run into each other. log2: 13..30; not together with growing.
#define MAP_GUARD(log2) ((uint32_t)(log2) << 8)
#define MAP_GUARD_LOG2(flags) ((flags) >> 8 & 63) // 0: none
// SYS_MAP_CAP only: a segment of one's own whose contents are those of the other at this moment (copy-on-write). Needs
// READ, whatever MAP_* flags. Nobody is shared with.
#define MAP_COPY 32u
#define MAP_RIGHTS (MAP_READ | MAP_WRITE | MAP_EXEC)
#define MAP_ALL (MAP_RIGHTS | MAP_GROW_UP | MAP_GROW_DOWN | MAP_GUARD(63))

// What a new process finds at the address in a0 of its first thread. Strings and arrays lie in the same segment;
// addresses are guest addresses.
struct startup {
    uint64_t magic;       // STARTUP_MAGIC
    uint64_t argc, argv;  // argv: array of argc + 1 addresses of strings, the last one 0
    uint64_t envp;        // array of addresses of "NAME=value" strings, the last one 0
    uint64_t ncaps, caps; // array of struct startup_cap
    uint64_t heap_base;   // address of the mapping (MAP_GROW_UP) that malloc grows
    uint64_t stack_top;
};
struct startup_cap {
    char name[32];
    struct cap cap;
};
#define STARTUP_MAGIC 0x31505453544f52ull // "ROTSTP1"
// Names of capabilities in the startup block: "tty" the terminal, "files", "file:NAME"; "meet" the directory in which
// it meets others; and what it was granted, by the names of services: "proc", "seg@n2" (services/grant.h).

#endif
