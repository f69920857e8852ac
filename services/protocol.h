// SPDX-License-Identifier: BSD-2-Clause
// The operations of all services: numbers, words, bytes. Requests and replies of transactions; what a number means is
// the same everywhere. Words: arg[0..3] in the request, res[0..3] in the reply.
#ifndef SERVICES_PROTOCOL_H
#define SERVICES_PROTOCOL_H

#include "core/types.h"

// --- Standard operations: every object answers them -------------------------------------------------
enum op_standard {
    OP_INFO = 1,     // reply: one line of text for people. READ
    OP_STATUS = 2,   // reply: text, several lines. READ
    OP_RESTRICT = 3, // arg[0] = rights to keep. reply: 32-byte capability. no right needed
    OP_DESTROY = 4,  // DESTROY. E_OP: an object that cannot be
    // What can be read like a file (segments, host files, terminals: design D4). READ.
    //   arg[0] offset, arg[1] most bytes wanted. reply: bytes from that offset; shorter at the end or at a hole.
    //   res[0] = zero bytes that follow the bytes given and are not sent (a hole). Status E_EOF at the end.
    OP_READ = 5,
    OP_WRITE = 6, // arg[0] offset. request: bytes. res[0] = bytes written. WRITE
    OP_SIZE = 7,  // res[0] = bytes. READ
    // Draws a new key: every older capability of this object, whoever holds it and wherever it is kept, is refused from
    // now on (E_CAP). reply: the new one, with all rights. What was admitted before goes on. A name in a directory,
    // also in the boot directory, keeps the old one: enter the new one if its readers shall have it. OWNER. E_OP: the
    // object has no key of its own.
    OP_ROTATE = 8,
};

// --- Segment service --------------------------------------------------------------------------------
enum op_seg {
    // Object 0: arg[0] length. reply: capability. CREATE. Such a segment lives until OP_DESTROY, may be mapped by who
    // has the capability (SYS_MAP_CAP), and be shared so. With a request of 32 bytes, a capability of a segment of this
    // node with READ: it begins as a copy of that one from arg[1] on (copy-on-write; arg[0] 0: to its end). E_NOTHERE
    // the source is not of this node.
    OP_SEG_CREATE = 32,
    // Which pages are written from now on? res[0] = number of this mark. Replaces an earlier one. CONTROL
    OP_SEG_MARK = 33,
    // arg[0] = that number. reply: struct seg_run[], the bytes written since, in order, page multiples; what they are
    // now is read afterwards. These count as not written from now on: the next call tells what was written after this
    // one. res[0] = length of the segment, res[1] = runs. E_STATE it is not the present mark: all may have been
    // written. CONTROL
    OP_SEG_WRITTEN = 34,
    OP_SEG_UNMARK = 35, // arg[0] = that number: nobody wants to know any more. E_STATE. CONTROL
};

struct seg_run {
    uint64_t off, len;
};

// --- Process service: object 0 on a node's process port ----------------------------------------------
enum op_proc {
    // Start a process from a descriptor whose segments are filled from capabilities.
    //   request: descriptor. reply: capability of the process. res[0] = pid. EXEC. Its endpoint 0: a new process, else
    //   that of a checkpoint, which runs again whether it was stunned or not.
    OP_PROC_EXEC = 48,
    // reply: array of struct proc_entry. READ
    OP_PROC_LIST = 49,
    // Hand-off, target side (services/proc/migrate.h). arg[0] = hand-off number (random, never 0).
    //   OFFER: request: descriptor. arg[1] = pages of contents that will come (0: not known). Target checks, reserves
    //     everything, pulls the segments, answers when ready. res[0] = bytes pulled, res[1] = pages, res[2] = target
    //     node, res[3] = the target's number for it. EXEC
    //   COMMIT: arg[1] = that number. The one instant of ownership. 0: it runs here (stunned if it was), from now on.
    //     E_REFUSED: it never ran here, and never will. E_DOUBT: too long ago, not known any more. Any other error, of
    //     whatever origin, proves nothing. EXEC
    //   ABORT: forget the offer. 0 also when it is not known. E_STATE: it was committed. EXEC
    OP_PROC_OFFER = 50,
    OP_PROC_COMMIT = 51,
    OP_PROC_ABORT = 52,
    // On the capability of a process (its own control port: good wherever it is)
    // E_NOTHERE to any of these: it left while the order waited, nothing was executed; ask again, it will be found.
    OP_PROC_STUN = 56, // returns when it is stopped; 0 also when it was. It stays so through a move. CONTROL
    //   arg[0]: a code for its owner, who is told (EVENT_STUNNED); arg[1] = 1: who is not told, for the order is his
    // 0 also when it runs. In doubt: by this order only, and whoever gives it knows why. CONTROL
    //   request: none, or a descriptor, as OP_PROC_SET: then it goes on as the descriptor says, and only if that is
    //   applied.
    OP_PROC_RESUME = 57,
    OP_PROC_GET = 58,     // stunned: reply: descriptor; its segments name capabilities to read. CONTROL
    OP_PROC_MIGRATE = 59, // request: capability with EXEC of the target's process service.
    //   res[0] = bytes moved, res[1] = freeze (ns), res[2] = pages, res[3] = target node. CONTROL
    // A stunned process is changed to what a descriptor says, whole, and stays stunned; or nothing changes and the
    // error says why (OP_PROC_CHECK: in words). Segments that the descriptor names by the capabilities that OP_PROC_GET
    // gave are kept, not copied; others are filled as by OP_PROC_EXEC. Whose identity is another, who has run since
    // OP_PROC_GET, whose transactions in progress were altered, is refused (core/desc.h: desc_change_check). request:
    // descriptor. CONTROL
    OP_PROC_SET = 62,
    // Would that be applied? Or, asked of object 0 (the node): could this be started? Changes nothing.
    //   request: descriptor. res[0] = 0, or the number of the error; reply: the reason in words. CONTROL
    OP_PROC_CHECK = 63,
    OP_PROC_SET_COMMENT = 64, // request: at most 31 printable bytes. CONTROL; E_ARG
    // arg[0] = bytes of memory that it may have mapped, 0 = any. CONTROL; E_LIMIT it has more already
    OP_PROC_SET_LIMIT = 65,
    // arg[0] = 0..7, the highest first (4 at first): at once, and wherever it goes. arg[1] = 1 + the highest that it
    // may ever be given from now on, 0: as it is. CONTROL, and OWNER for arg[1]; E_ARG; E_LIMIT above what it may be
    // given
    OP_PROC_SET_PRIORITY = 66,
    OP_PROC_SET_OWNER = 60,  // request: capability. CONTROL
    OP_PROC_WAIT_EVENT = 61, // owner's side: sent BY the kernel TO the owner: see enum owner_event
};
struct proc_entry {
    uint64_t ep;
    uint32_t pid, state; // enum proc_state
    uint32_t threads, segments;
    uint64_t pages, moves;
    struct cap cap; // all rights the asker's capability had
    char name[32];
    char comment[32];
};

// What the kernel tells the owner: op OP_PROC_WAIT_EVENT on the owner capability.
//   arg[0] enum owner_event, arg[1] endpoint of the process
//   ENDED: arg[2] = exit status (int64)
//   FAULT: arg[2] = fault_kind | tid << 32, arg[3] = address; request: struct owner_fault. It is stunned, at the
//     instruction that faulted, and waits for the answer.
//   STUNNED: somebody ordered it (OP_PROC_STUN). arg[2] = the code of the order; request: struct owner_fault, of which
//     only `process` is filled in.
//   REFUSED: the descriptor of the answer was not applied. arg[2] = number of the error. It is as it was, and waits.
//   The descriptor is to be had by OP_PROC_GET on owner_fault.process. The answer to these three is the status:
//   enum owner_answer. A negative one, or none within 10 s, ends the process; after STUNNED, none leaves it stunned.
//   DOUBT: arg[2] = node that may run it.
enum owner_event { EVENT_ENDED = 1, EVENT_FAULT, EVENT_DOUBT, EVENT_STUNNED, EVENT_REFUSED };
enum owner_answer {
    OWNER_END = 0,    // the process ends
    OWNER_RESUME = 1, // it goes on as it is: after a fault, with the instruction that faulted
    OWNER_CHANGE = 2, // it goes on as the descriptor says that is the reply, whole; or the owner is told REFUSED
    OWNER_KEEP = 3,   // it stays stunned, until somebody orders otherwise
};
struct owner_fault {
    uint64_t cause, addr, pc, ra, sp;
    int64_t error; // -E_FAULT; -E_MEM, -E_LIMIT: the access was right, there was no page for it
    struct cap process;
    char what[64]; // "write to 0x10078, mapped r-x"
};

// --- Directory: names -> capabilities -------------------------------------------------------------------
enum op_dir {
    OP_DIR_LOOKUP = 80, // request: name (no zero needed). reply: capability. READ; E_NAME
    OP_DIR_ENTER = 81,  // request: name, zero byte, 32-byte capability. Replaces. CREATE; E_LIMIT, E_ARG
    OP_DIR_REMOVE = 82, // request: name. DESTROY; E_NAME
    OP_DIR_LIST = 83,   // reply: array of struct dir_entry. READ
};
struct dir_entry {
    char name[32];
    struct cap cap;
};
// Every node has a boot directory. Its get-port derives from the ring key and the node's name (cap_derive(ring_key,
// "boot-directory", name)) and so does the key of its capability (object 0), so that who has the ring key finds and may
// use it. Entries made at boot: "proc" (EXEC|READ|CONTROL...), "seg", "console", "node", "bootfs" (READ; a directory of
// the files loaded beside the image: services/bootfs.h).
#define DIR_LABEL "boot-directory"
#define DIR_KEY_LABEL "boot-directory-key"

// --- Terminal and console: OP_READ, OP_WRITE as above; a read gives one line at most -------------------
//
// The console (object 0) prints lines between the node's own, and gives lines that were typed. When somebody sits there
// (services/console.h: console_attach) it has a screen, and makes terminals for programs, an object each. Terminals
// share the screen: the one in front writes as it likes; lines of the others have their name in front. Who reads the
// keys decides what a key means, and for whom (services/shell/shell.h). Without a screen: E_STATE.
enum op_console {
    OP_CONSOLE_KEYS = 112, // reply: bytes as typed, at most arg[1]; waits for the first. CONTROL
    // request: what is being typed, shown behind the front's unfinished line; arg[0] = where the cursor is in it
    // (bytes). arg[1] = enum console_show. CONTROL
    OP_CONSOLE_SHOW = 113,
    OP_CONSOLE_OPEN = 114, // request: name. reply: capability of a new terminal. CREATE; E_LIMIT
    OP_CONSOLE_LOG = 115,  // reply: text: what the node has said last. READ
    // On a terminal. OP_DESTROY: it is no more; its readers are told E_OBJECT
    OP_CONSOLE_TYPE = 116,  // request: bytes for who reads it; none: end of input. CONTROL; E_LIMIT no room for them
    OP_CONSOLE_FRONT = 117, // arg[0] = 1: this one is in front from now on. 0: not any more. CONTROL
};
enum console_show {
    SHOW_TYPED = 0,
    SHOW_ENTERED = 1, // it is complete: the line stays, a new one begins
    SHOW_CLEAR = 2,   // the screen is emptied first
};

// --- Node: status and bench ------------------------------------------------------------------------------
enum op_node {
    OP_NODE_STATUS = 96, // reply: struct node_status. READ
    // Does nothing: the null transaction to a privileged task. arg[0] = bytes of zeros wanted as reply. no right needed
    OP_NODE_NULL = 97,
    OP_NODE_BENCH =
        98, // runs a measurement (services/bench.c): arg[0] = enum node_bench, arg[1] = rounds; reply: uint64_t[] ns
    OP_NODE_TRACE = 99, // reply: text, the last trace events. READ
    OP_NODE_STOP = 100, // power off with status arg[0]. DESTROY
};
enum node_bench {
    BENCH_ECHO = 1,  // frame ping-pong of the bare driver with the neighbour on link arg[2], payload arg[3]
    BENCH_TRANS = 2, // null transactions to the capability given in the request, arg[3] bytes each way
};
struct node_status {
    char name[32];
    uint64_t ep;
    uint64_t uptime_ns;
    uint32_t harts; // that run: the firmware may take its time, or fail, to start one
    uint32_t links;
    uint64_t pages_total, pages_free;
    uint32_t procs, threads, segs, recs;
    uint64_t syscalls, switches, trans_local, trans_remote, retries, dups;
    struct {
        char name[8];
        uint32_t up, payload_max;
        uint64_t tx, rx, tx_drop, rx_bad;
    } link[4];
};

#endif
