// SPDX-License-Identifier: BSD-2-Clause
// Process descriptor, the format: everything that a process is besides the contents of its segments. The same bytes
// start a program, travel when a process moves and head a checkpoint. Little endian, fixed widths, no address of any
// kernel: peers are named by endpoint, segments by capability, threads by number.
//
//   struct desc_hdr | section | section | ...          each section: struct desc_sec, then len bytes,
//                                                      padded to a multiple of 8
//   in this order: PROC once; SEG 0..n (those of maps, then those of replies); MAP 0..n; PORT 0..n; THRD 1..n, by
//   ascending number (struct desc_thread, or, of one that has not run yet, struct desc_start); REC 0..n (with a short
//   reply's bytes behind it), those that wait in the queue last, oldest first
//
// Unknown sections are refused unless DESC_SKIPPABLE is set. Guests that start programs include this header too: it
// needs nothing of a kernel. What a kernel does with a descriptor is in desc.h.
#ifndef CORE_DESC_FORMAT_H
#define CORE_DESC_FORMAT_H

#include "core/config.h"
#include "core/types.h"

#define DESC_MAGIC 0x31435345444f52ull // "RODESC1"
// 2: MAP_GUARD among the flags of a map. 3: runs and fault of the process. 4: forwards of a call, a record in FORWARD.
// 5: cancels. 6: another checksum. 7: priority. 8: a control port is another function of its secret; struct desc_start.
// 9: incarnations, and the places below. From 9 on a descriptor outlives its kernel: fields are only ever added at the
// end of a section's struct, sections behind the others, and a kernel reads all versions from DESC_VERSION_OLDEST on.
// What an older one does not say is 0.
#define DESC_VERSION 9u
#define DESC_VERSION_OLDEST 9u
#define DESC_ARCH_RISCV64 243u // ELF e_machine of RISC-V

struct desc_hdr {
    uint64_t magic;
    uint32_t version, arch;
    uint64_t isa;      // extensions the code may use (arch.h ISA_*); 0 for rv64gc only
    uint64_t len;      // bytes of all, this header included
    uint64_t checksum; // of all bytes, this field taken as 0: desc.c
    uint32_t sections, zero;
};
struct desc_sec {
    uint32_t tag, flags;
    uint64_t len;
};
#define DESC_SKIPPABLE 1u
enum { DESC_PROC = 1, DESC_SEG, DESC_MAP, DESC_PORT, DESC_THRD, DESC_REC };

struct desc_proc {
    uint64_t ep; // 0: a new process, the kernel draws endpoint, control port and key
    uint64_t ctl_get[2];
    uint8_t key[16];
    struct cap owner;
    uint64_t clock_ns;  // process clock when it stopped
    uint64_t mem_limit; // bytes, 0 = the node's default
    uint64_t moves;
    uint32_t next_tid, stunned;        // stunned: it was stopped by somebody and stays so where it arrives
    uint32_t priority, priority_limit; // 1 + level; 0 = as for a new process
    uint64_t runs;                     // times it went on before this moment (desc_change.c)
    uint32_t fault_kind, fault_tid;    // what stopped it (struct proc_fault); kind 0: nothing
    int64_t fault_error;
    uint64_t fault_cause, fault_addr, fault_pc;
    char name[NAME_MAX_LEN], comment[NAME_MAX_LEN]; // plain text (text.h)
    uint64_t orphan_grace_ns;                       // its owner may be silent for so long; 0 = as the node says
    uint32_t incarnation;                           // lives of this process before this one
    // Places: zero in what this kernel writes, and refused if they are not. A kernel that does not know what they ask
    // for must not run the process without it.
    uint32_t personality; // which system calls its code makes; 0: this kernel's
    uint64_t generation;  // granted by a store to the one copy that may speak for the process
    uint64_t limits[8];   // of its account, by kind
    struct cap debugger;  // told of stops and faults before the owner
    uint32_t private_seg; // 1 + index of the SEG section that its personality keeps; 0: none
    uint32_t zero;
};
struct desc_seg {
    struct cap source;               // null: nothing to fill from, all zeros
    uint64_t source_off, source_len; // bytes to fill from the source, at the start of the segment
    uint64_t dest_off;               // where in the segment they go
    uint64_t len;                    // of the segment, page multiple
};
struct desc_map {
    uint64_t va, len, off;
    uint32_t seg; // index of the SEG section, from 0
    uint32_t flags;
};
struct desc_port {
    uint32_t handle, zero;
    uint64_t get[2];
};
struct desc_buf {
    uint32_t kind, zero; // 0 none, 1 guest address
    uint64_t at, len;
};
struct desc_progress {
    uint64_t base, mask;
    uint32_t frag, zero;
};
struct desc_call { // struct call
    uint32_t state, begun, busy, op;
    uint32_t forwards, cancelled;
    uint64_t seq;
    struct cap cap;
    uint64_t arg[4];
    struct desc_buf req, rep;
    uint64_t server;
    struct desc_progress sent, got;
    uint64_t rep_total;
    int64_t status;
    uint64_t res[4];
    uint64_t deadline_left_ns;
    uint32_t fill, zero;      // times that the server began to take the request in anew, modulo 64, as far as is known
    uint32_t inc, server_inc; // incarnation of the client when the call began; of the server, as far as it is known
};
struct desc_serve { // struct serve
    uint64_t mask;
    struct desc_buf buf;
    uint32_t open, shielded; // which record it works on is said by the record (server_tid)
};
struct desc_thread {
    uint32_t tid, state; // enum thread_state; RUN is stored as READY
    uint64_t x[32], pc, f[32], fcsr;
    uint32_t fp_used;
    uint32_t held; // place: a debugger holds this thread
    uint64_t seq;
    uint64_t wake_left_ns; // UINT64_MAX = none
    uint64_t wait_va;
    struct desc_call call; // CALL: its own transaction; else zeros
    struct desc_serve serve;
};
struct desc_start { // THRD of this length: a thread that begins, its other registers are 0
    uint32_t tid, zero;
    uint64_t pc, sp, a0;
};
struct desc_rec {
    uint64_t client;
    uint32_t tid, state; // enum rec_state
    uint64_t seq;
    uint32_t handle, op;
    struct cap cap;
    uint64_t arg[4];
    uint64_t req_len;
    uint32_t server_tid, has_copy; // has_copy: rep_len bytes follow this struct
    uint32_t cancel;               // SERVE: CANCEL_* of rec.h
    uint32_t inc;                  // incarnation of the client when the transaction began
    uint64_t cancel_left_ns;       // UINT64_MAX = no limit
    struct desc_progress got, sent;
    int64_t status;
    uint64_t res[4];
    uint64_t rep_len;
    uint32_t reply_seg; // 1 + index of the SEG section that holds the reply; 0: none does
    uint32_t fills;     // times that what had come of the request was thrown away, modulo 64
    uint64_t reply_off; // where in it
};
_Static_assert(sizeof(struct desc_hdr) == 48, "");
_Static_assert(sizeof(struct desc_proc) == 352, "");
_Static_assert(sizeof(struct desc_seg) == 64, "");
_Static_assert(sizeof(struct desc_map) == 32, "");
_Static_assert(sizeof(struct desc_port) == 24, "");
_Static_assert(sizeof(struct desc_start) == 32, "");

// Adds a word to the sum of a descriptor: over its words from the first on, the field `checksum` taken as 0. The sum
// begins with DESC_MAGIC. It finds accidents, not malice: a client that may give a kernel a descriptor may give it any.
// Returns the new sum. Callers: anybody.
static inline uint64_t desc_sum_word(uint64_t sum, uint64_t word)
{
    sum = (sum ^ word) * 0x9e3779b97f4a7c15ull; // Fibonacci hashing (TAOCP 3, 6.4)
    return sum ^ sum >> 29;
}

#endif
