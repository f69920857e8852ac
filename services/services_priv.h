// SPDX-License-Identifier: BSD-2-Clause
// All that the services of one node know, hung on node->services (design D5: no globals).
#ifndef SERVICES_SERVICES_PRIV_H
#define SERVICES_SERVICES_PRIV_H

#include "services/protocol.h"
#include "services/service.h"

#define SERVICES_MAX 12 // ours, and those of who embeds the node (the host command: files, terminal, owner)

// A service of this node with the tasks that run it.
struct running {
    const struct service *s; // [I]
    uint64_t mask;           // [I] handles it receives on
    int handle;              // [I] the one that service_open made, or -1
    struct list workers;     // [N]
    unsigned count;          // [N] tasks
    unsigned slow;           // [N] of these, in an operation that is not OP_NONBLOCKING
    uint64_t needed_ns;      // [N] when it last had no more tasks than it needed
};
struct worker {          // a task in the loop, and the request it works on
    struct list link;    // [N] running->workers
    struct running *of;  // [I]
    struct thread *task; // [I]
    bool extra;          // [I] started while others were slow; ends when it is not needed any more
    struct seg *buffer;  // [I] where requests' bytes land; holds one ref
    uint64_t bytes_ns;   // [N] when the last request with bytes came
    struct request r;    // [N]
};

// A capability that was found genuine, and under which key.
struct genuine {
    struct cap cap;
    uint64_t key[2];
};
#define GENUINE 8

#define CONSOLE_LINE 160 // bytes of a line printed (node_log cuts at 200); longer ones are cut into several
#define CONSOLE_RING 1024
struct console_line {            // printed when it ends or is full
    char text[CONSOLE_LINE + 1]; // [N]
    unsigned len;                // [N]
    bool seen;                   // [N] it stands on the screen already, unfinished
};
struct console {
    struct console_line line;    // [N] of object 0; without a screen also printed when it has lain for a while
    struct timer flush;          // [N]
    struct screen *screen;       // [N] one page; NULL: nobody sits here
    struct list ttys;            // [N] struct tty: terminals (console.c)
    unsigned nttys;              // [N]
    uint32_t last_tty;           // [N] number of the one made last
    struct tty *front;           // [N] NULL: none
    char ring[CONSOLE_RING];     // [N] typed and not yet read
    unsigned head, count, ready; // [N] oldest; in the ring; of these, in lines that have ended
    unsigned ends;               // [N] times that "end of input" was typed and not yet told
};

struct bootfs {
    struct port put;     // [I]
    uint8_t key[16];     // [I] of all its objects
    const void *archive; // [N] services/cpio.h; NULL: none was given
    uint64_t len;
    unsigned files; // in it
    struct pool pool_image;
    struct list images; // [N] struct image: parts of files as segments, the one used last first
    unsigned nimages;   // [N]
};

struct orphans {
    struct pool pool;
    struct list watches; // [N] struct watch: owners' ports that nobody here serves
    unsigned asking;     // [N] of these, searches under way
    uint64_t scan_ns;    // [N] when owners are looked through next; UINT64_MAX: nobody has one
};

struct services {
    struct node *node;                         // [I]
    struct running running[SERVICES_MAX];      // [N]
    unsigned nrunning;                         // [N]
    struct running *by_handle[PROC_PORTS_MAX]; // [N] who receives on it; the first, if several do
    unsigned started;                          // [N] entries of list.c whose start was called
    struct pool pool_worker, pool_made, pool_name, pool_move, pool_offer, pool_report, pool_tty;
    struct genuine genuine[GENUINE]; // [N] by object number
    struct worker inline_worker;     // [N] of what is answered on the spot (inline.c): no task, no buffer
    struct pool pool_change;
    // [I] Memory is short: gives back what is only kept to be quick (bootfs.c). NULL: this image keeps nothing.
    void (*shrink)(struct node *n);
    // Segment service
    uint8_t seg_key[16]; // [N] of object 0
    struct list made;    // [N] struct made: segments that live until OP_DESTROY
    unsigned nmade;      // [N]
    // Directory
    uint8_t dir_key[16]; // [N]
    struct list names;   // [N] struct name
    unsigned nnames;     // [N]
    // Console
    struct port console_put;
    uint8_t console_key[16]; // [N]
    struct console console;
    // Store, shell
    struct bootfs bootfs;
    struct shell *shell;               // [I] one page; NULL: none was started (shell.h)
    int (*shell_open)(struct node *n); // [I] NULL: this image has none, and none of its code is linked
    // Node
    struct port node_put;
    uint8_t node_key[16];                                         // [N]
    int (*echo)(struct node *n, unsigned link, uint32_t payload); // [I] bench.h
    void (*link_status)(struct node *n, struct node_status *st);  // [I] node.h
    // Process service and hand-off
    struct port proc_put;
    uint8_t proc_key[16];     // [N] of object 0
    uint8_t proc_key_was[16]; // [N] before the last rotation: good for the end of hand-offs only
    uint32_t proc_handle;     // [I] control ports are served on it too
    uint64_t promised;        // [N] pages that fills under way may still take
    struct list orders;       // [N] struct order: moves and changes under way (order.c)
    struct list offers;       // [N] struct offer: hand-offs to here (offer.c)
    unsigned ncommitted;      // [N] of these, those that ran
    uint64_t offer_serial;    // [N] number of the last offer of this boot
    uint64_t offer_forgot;    // [N] numbers up to this one: nothing is known any more
    // Owners (owner.c)
    struct list reports;    // [N] struct report
    unsigned nreports;      // [N]
    struct thread *reaper;  // [I]
    struct timer sweep;     // [N] wakes the reaper when an offer gets too old, an owner is to be asked after
    struct orphans orphans; // (orphan.c)
};
_Static_assert(sizeof(struct services) <= PAGE_SIZE, "allocated as one page");

// list.c calls NAME_service_start and NAME_service_stop of each. A start makes lists and pools first, so that its stop
// (which frees what the service holds) finds them even when the start failed. E_MEM, E_LIMIT.
int seg_service_start(struct node *n);
void seg_service_stop(struct node *n);
int dir_service_start(struct node *n);
void dir_service_stop(struct node *n);
int console_service_start(struct node *n);
void console_service_stop(struct node *n);
int bootfs_service_start(struct node *n);
void bootfs_service_stop(struct node *n);
int shell_service_start(struct node *n);
void shell_service_stop(struct node *n);
int node_service_start(struct node *n);
void node_service_stop(struct node *n);
int proc_service_start(struct node *n);
void proc_service_stop(struct node *n);

// bootfs.c: bytes [off, off + len) of a file, from byte `at` of the first page of a segment on, zeros around them. The
// same segment each time, while nobody forgets it: to be shared, not to be written. Pages of the archive that lie right
// are in it as they are. E_OBJECT, E_OP, E_CAP, E_RIGHTS, E_EOF beyond the end, E_MEM.
int bootfs_image(struct node *n, const struct cap *file, uint64_t off, uint64_t len, uint64_t at, struct seg **out);
// Memory is short: forgets these segments. Who shares pages with them keeps those.
void bootfs_forget(struct node *n);

// dir.c: enters, or replaces, a name. E_ARG, E_LIMIT, E_MEM.
int dir_enter(struct node *n, const char *name, const struct cap *cap);

// service.c: the operation of this number, the service's own or a standard one; NULL: none.
const struct operation *service_operation(const struct service *s, uint32_t number);
// service.c: does the capability of w's request allow the operation? 0, E_OBJECT, E_CAP, E_RIGHTS.
int64_t service_admit(struct node *n, const struct worker *w, const struct operation *op);
// service.c: cap_verify, the quicker when it was asked before.
int service_verify(struct node *n, const struct cap *c, const uint64_t key[2], uint32_t need);
// inline.c: node->inline_call.
bool service_inline(struct node *n, struct task_inline *q);
// service.c: ends all tasks of all services.
void service_close_all(struct node *n);
// service.c: OP_ROTATE, for a service whose rekey may wait, in an entry of its own with OP_BLOCKS.
int64_t service_rotate(struct node *n, struct request *r);

#endif
