// SPDX-License-Identifier: BSD-2-Clause
// Services: privileged tasks reached only by transactions. Each is one file: a table of operations, run by the loop of
// service.c.
//
// A request's life:  getreq -> operation found -> object's key found (service.key) -> capability verified with the
// operation's rights -> run -> putrep -> after -> what it held is given up.
#ifndef SERVICES_SERVICE_H
#define SERVICES_SERVICE_H

#include "core/node.h"
#include "core/task.h"

// Starts the services of this image (the list is SERVICES in mk/services.mk). E_MEM: nothing is left behind.
int services_start(struct node *n);
// Is the service in this image, and started? Of one that is not, only this may be asked.
bool services_have(const struct node *n, const char *name);
// Host: frees what they hold. No task is running. Then node_fini.
void services_stop(struct node *n);

#define REQUEST_HOLDS 4

struct request {
    struct task_request in;
    struct buf data; // the request's bytes, in.len of them
    // to be filled in by the operation
    uint64_t res[4];
    struct buf reply; // where the reply's bytes lie; valid until the reply has reached the client
    void (*after)(struct node *n, struct request *r); // called when the reply is out, or NULL
    void *after_arg;
    // Given up by the loop when the reply is out, so that no error path of an operation has to
    struct seg *held[REQUEST_HOLDS]; // request_hold
    void *page;                      // request_page
    struct cap cap;                  // reply_cap
};

// How long an operation takes, and on whom it waits.
enum op_time {
    // Executed inline, in the caller's system call, under the node lock (inline.c). So it does not block, has a request
    // and a reply of at most one page, no `after`, and does not touch its caller's process.
    OP_INLINE,
    OP_NONBLOCKING, // does not block
    OP_SLOW,        // may block on its client: meanwhile another task takes requests
    // May block on others, who may call this service themselves. Some tasks are always kept free of these, and one too
    // many is refused with E_LIMIT: else two nodes could wait for each other for ever.
    OP_BLOCKS,
    OP_INLINE_OR_BLOCKS, // OP_BLOCKS; but for a guest of this node service.inline_call is asked first
};
struct operation {
    uint32_t number;
    const char *name;
    uint32_t rights; // needed on the presented capability
    bool retry_safe; // executing it twice is as good as once
    enum op_time time;
    int64_t (*run)(struct node *n, struct request *r); // status >= 0 or negative error
};
struct service {
    const char *name;
    const struct operation *ops; // ends with name NULL. Standard operations need no entry: service.c has all of them
    // Finds the key against which the presented capability is checked: 0, or a negative error (E_OBJECT).
    int (*key)(struct node *n, const struct request *r, uint8_t key[16]);
    // Gives the object that the request names this new key (OP_ROTATE). 0, or a negative error: nothing has changed.
    // NULL: objects of this service cannot be rotated.
    int (*rekey)(struct node *n, const struct request *r, const uint8_t key[16]);
    // Carries out an operation OP_INLINE_OR_BLOCKS of a guest of this node on the spot (inline.c), as its run would:
    // *status. It may make threads ready. false: it would have to wait for something, and nothing has changed: a task
    // gets the request.
    bool (*inline_call)(struct node *n, struct request *r, int64_t *status);
    uint32_t buffer_pages; // for a request's bytes
    uint32_t tasks;        // that are always there
    uint32_t tasks_max;    // while operations that are not quick are under way
};

// Serves port `get`: listens and starts s->tasks tasks. *put and the handle (>= 0), or E_MEM, E_LIMIT.
int service_open(struct node *n, const struct service *s, struct port get, struct port *put);
// The loop alone, for a task that somebody started: getreq, verify, dispatch, putrep, for ever. Several tasks may run
// it on the same handles. The task is the service's from then on: services_stop ends it.
void service_loop(struct node *n, const struct service *s, uint64_t mask);
// cap_verify, the quicker when it was asked before: a few capabilities that were found genuine are remembered.
// need: rights. Returns 0, or E_CAP, E_RIGHTS.
int service_verify(struct node *n, const struct cap *c, const uint64_t key[2], uint32_t need);
// OP_ROTATE, for a service whose rekey may wait: it has an entry of its own, with OP_BLOCKS. Returns 0, or E_OP: its
// objects cannot be rotated, or what rekey returned.
int64_t service_rotate(struct node *n, struct request *r);

// --- For operations (request.c) ---------------------------------------------------------------------
// Takes over the caller's reference of s; given up when the reply is out, or by request_release.
void request_hold(struct request *r, struct seg *s);
void request_release(struct node *n, struct request *r, struct seg *s);
// One zeroed page for the operation's use until the reply is out; the same one each time. NULL: no memory.
void *request_page(struct node *n, struct request *r);
// The request's bytes, exactly len of them. E_ARG.
int request_bytes(struct node *n, const struct request *r, void *dst, size_t len);
// The reply is one capability. Returns 0.
int64_t reply_cap(struct request *r, struct cap c);
// The reply is a text (cut after a page) / a copy of these bytes (at most a page). 0, E_MEM.
int64_t reply_text(struct node *n, struct request *r, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int64_t reply_bytes(struct node *n, struct request *r, const void *p, size_t len);
// Adds to the reply, which lies in a segment of its own then. 0, E_MEM, E_LIMIT.
int64_t reply_append(struct node *n, struct request *r, const void *p, size_t len);
int64_t reply_line(struct node *n, struct request *r, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
// Gives up all that the request holds.
void request_end(struct node *n, struct request *r);

#endif
