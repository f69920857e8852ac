// SPDX-License-Identifier: BSD-2-Clause
// Every limit, in one place, with its arithmetic.
#ifndef CORE_CONFIG_H
#define CORE_CONFIG_H

#include <stdint.h>

// Said at boot, and by `rotifer --version`.
#define ROTIFER_VERSION "0.1"

#define PAGE_SHIFT 12
#define PAGE_SIZE 4096ul
#define PAGE_MASK (PAGE_SIZE - 1)
#define PAGES_FOR(bytes) (((bytes) + PAGE_MASK) >> PAGE_SHIFT)

// A megapage: what one translation of the level above maps. Its pages lie in a row, from a multiple of its length on.
#define MEGAPAGE_SHIFT 21
#define MEGAPAGE_BYTES (1ul << MEGAPAGE_SHIFT)
#define MEGAPAGE_PAGES (MEGAPAGE_BYTES / PAGE_SIZE)

#define KIB 1024ull
#define MIB (1024ull * KIB)
#define NS_PER_MS 1000000ull
#define NS_PER_S 1000000000ull

#define HARTS_MAX 8
#define NAME_MAX_LEN 32 // bytes of a node, process or directory entry name, final zero included

// Guest addresses: the first 64 KiB stay unmapped so that small offsets from NULL fault; the end is the top of the
// lower half of Sv39.
#define USER_BASE 0x10000ull
#define USER_END 0x4000000000ull

// Segment: one directory page of 512 pointers to leaf pages of 512 page pointers = 1 GiB.
#define SEG_MAX_BYTES (512ull * 512 * PAGE_SIZE)
#define PROC_MAPS_MAX 32  // segments of one process
#define PROC_PORTS_MAX 16 // ports one process listens to: a bit each in the getreq mask
#define PROC_THREADS_MAX 4096
#define THREAD_SEQ_MAX (1ull << 63)   // number of a thread's last transaction: there are no more after it
#define THREAD_COST_BYTES 1024ull     // of a thread, held against the process's limit: its record, a share of tables
#define MESSAGE_MAX_BYTES (256 * MIB) // one request or reply

// A reply up to this size is copied into the at-most-once record, so that the server can go on at once; a longer one
// keeps the server in putrep until the client has it all (D2).
#define REPLY_COPY_MAX PAGE_SIZE

// Times that a call may be handed on from server to server: a chain longer than this is most likely a ring.
#define FORWARDS_MAX 8

// A client that timed out or ended reads no answer; what its server calls meanwhile has so long to come to an end.
#define CANCEL_LEAVE_NS (1 * NS_PER_S)

// A local copy goes in steps of this many bytes, each one event of the kernel (D1).
#define COPY_STEP (256 * KIB)

// Descriptor: fixed part + maps + ports + threads + records. 4,096 threads of < 1 KiB bound it.
#define DESC_MAX_BYTES (8 * MIB)

// Times of the transaction protocol. A request is retransmitted RETRY_FIRST after it was sent, then twice as late each
// time up to RETRY_MAX. A peer that gave no sign of life for SILENCE_MAX is looked for afresh (locate); when a
// whole search finds nothing, LOCATE_GIVE_UP at least, it is taken for dead (net/silence.h).
#define RETRY_FIRST_NS (20 * NS_PER_MS)
#define RETRY_MAX_NS (500 * NS_PER_MS)
// A server that said "wait" says so when it goes on, too; its client asks at last this seldom, for that may be lost.
#define RETRY_WAIT_NS (2500 * NS_PER_MS)
#define PROBE_NS (1 * NS_PER_S) // "still working?" while waiting for a reply
#define SILENCE_MAX_NS (4 * NS_PER_S)
#define LOCATE_FIRST_NS (10 * NS_PER_MS)
#define LOCATE_GIVE_UP_NS (5 * NS_PER_S)
// Delta-t: a record of a finished transaction is kept for the lifetime of a packet + the time its client goes on
// retransmitting + the time an acknowledgement is held back, then dropped by timer.
#define PACKET_LIFE_NS (10 * NS_PER_S)
#define RECORD_LIFE_NS (PACKET_LIFE_NS + SILENCE_MAX_NS + LOCATE_GIVE_UP_NS + 1 * NS_PER_S)
// A client or server whose data does not come, or is not taken, for so long lets the thread at the other end go: it
// stands still. Four retransmissions, 300 ms.
#define STILL_RETRY_NS (8 * RETRY_FIRST_NS)
// Timers that fire in one event of the kernel (design D1): each takes a record or call up, some 2,000 instructions.
#define TIMERS_A_RUN 24
// The client of a request that waits in a queue is asked after when it was silent for so long.
#define QUEUED_ASK_NS (5 * NS_PER_S)
// A queued request is dropped, not executed, when nothing was heard of its client or its node for so long: to search
// for the clients of thousands of such would take the ring's questions from others.
#define QUEUED_LIFE_NS (60 * NS_PER_S)
// Longest reply that is pinned for a client that stands still; a server waits in putrep for one that is longer.
#define PIN_MAX_BYTES (8 * MIB)
#define PINNED_MAX 16 // of one process at a time; the next server waits
// A process that has ended keeps replies that it gave and no client has acknowledged for so long at most: a client may
// be stunned meanwhile. LAST_WORDS_MAX: such processes a node; beyond that, their clients are told that they died.
#define LAST_WORDS_NS (60 * NS_PER_S)
#define LAST_WORDS_MAX 64u
#define MOVED_LIFE_NS (60 * NS_PER_S) // "moved to" left behind by a move

// A process whose owner is gone is ended (services/proc/orphan.h). An owner on another node is asked after every
// ORPHAN_ASK. Silence proves nothing: the way to it may be cut, or its node stopped by a debugger or a closed lid. So a
// process lives on through ORPHAN_GRACE of silence, which is longer than a switch takes to boot, a cable to be found
// and a person to be fetched, and short enough that what nobody will ever ask for again does not hold a night's memory.
// It is counted in searches that failed, from the first to the last: so a cut shorter than this ends no process, nor
// does a node that sleeps and wakes up. A node may be given another grace (boot argument orphan-grace), and a process
// its own (struct desc_proc).
#define ORPHAN_ASK_NS (10 * NS_PER_S)
#define ORPHAN_GRACE_NS (600 * NS_PER_S)
#define ORPHAN_GRACE_MAX_S 31536000ull // a year
// Of an owner whose end its node has seen it is known. The ring is asked for another that serves its port,
// for long enough that a question which is lost six times in a row is heard the seventh time: it is asked LOCATE_FIRST
// after the first time, then twice as late each time; the seventh 630 ms after the first.
#define ORPHAN_ENDED_NS (1 * NS_PER_S)

#define SLICE_NS (10 * NS_PER_MS) // a thread's turn on a hart while others wait

// Priorities of guests: 0..7; a larger number is more urgent and runs first. A guest of a lower level does not starve:
// of the slices that are given out while lower levels wait, every (PRIO_LEND + 1)st is lent to one of them.
#define PRIO_LEVELS 8
#define PRIO_DEFAULT 4
#define PRIO_LEND 16
#define PRIO_CHAIN_MAX 8 // servers in a row that inherit a client's

#define TASK_STACK_PAGES 4

#endif
