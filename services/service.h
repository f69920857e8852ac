// SPDX-License-Identifier: BSD-2-Clause
// Services: privileged tasks reached only by transactions. A service is a table of operations, run by the loop of
// service.c; how a new one is added is in docs/README.md ("Where to add things").
//
// A request's life:  getreq -> operation found -> object's key found (service.key) -> capability verified with the
// operation's rights -> run -> putrep -> after -> what the request held is released.
// Callers: node lock held; tasks, unless a function says otherwise.
#ifndef SERVICES_SERVICE_H
#define SERVICES_SERVICE_H

#include "core/node.h"
#include "core/task.h"

// Starts the services of this image (SERVICES_ALL in mk/services.mk, or make's SERVICES=...). Returns 0, or the
// error of the service that could not start: E_MEM, E_LIMIT; then nothing is left behind. Callers: the boot or the
// host, before tasks run.
int services_start(struct node *n);
// True if the service is in this image, and started. Of a service that is not, nothing else may be called. Callers: any
// context that holds the node lock.
bool services_have(const struct node *n, const char *name);
// Ends the tasks of all services and frees what they hold; then node_fini. Callers: the host, while no task runs.
void services_stop(struct node *n);

#define REQUEST_HOLDS 4

struct request {
    struct task_request in;
    struct buf data; // the request's bytes, in.len of them
    // Filled in by the operation
    uint64_t res[4];
    struct buf reply; // where the reply's bytes lie; valid until the reply has reached the client
    void (*after)(struct node *n, struct request *r); // called when the reply is out, or NULL
    void *after_arg;
    // With a negative status: the object has left this node, and nothing was done. Its client is not answered: it makes
    // the same call again, where the object is now.
    bool elsewhere;
    // Released by the loop when the reply is out, so that no error path of an operation has to
    struct seg *held[REQUEST_HOLDS]; // request_hold
    void *page;                      // request_page
    struct cap cap;                  // reply_cap
};

// How long an operation takes, and what it may wait for.
enum op_time {
    // Executed inline, in the caller's system call, under the node lock (inline.c). So it does not block, has a request
    // and a reply of at most one page, no `after`, and does not touch its caller's process.
    OP_INLINE,
    OP_NONBLOCKING, // does not block
    OP_SLOW,        // may block on its client: meanwhile another task takes requests
    // May block on other servers, which may call this service themselves. Some tasks are always kept free of these
    // operations, and one too many is refused with E_LIMIT: else two nodes could wait for each other for ever.
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
    // Finds the key against which the presented capability is checked: 0, or a negative error: E_OBJECT; E_NOTHERE: the
    // object has left this node (request.elsewhere).
    int (*key)(struct node *n, const struct request *r, uint8_t key[16]);
    // Gives the object that the request names this new key (OP_ROTATE). 0, or a negative error: nothing has changed.
    // NULL: objects of this service cannot be rotated.
    int (*rekey)(struct node *n, struct request *r, const uint8_t key[16]);
    // Executes an operation OP_INLINE_OR_BLOCKS of a guest of this node inline (inline.c), as its run would: *status.
    // It may make threads ready. False if it would have to wait for something; then nothing has changed, and a task
    // gets the request.
    bool (*inline_call)(struct node *n, struct request *r, int64_t *status);
    uint32_t buffer_pages; // for a request's bytes
    uint32_t tasks;        // that are always there
    uint32_t tasks_max;    // while operations that may block are under way
};

// Serves port `get`: listens and starts s->tasks tasks. Returns the handle (>= 0) and *put, or E_MEM, or E_LIMIT: too
// many services or ports. s must not be served already. Callers: NAME_service_start.
int service_open(struct node *n, const struct service *s, struct port get, struct port *put);
// Returns the capability with no more than the rights in `keep` (RIGHT_* bits), when a service of this node has its
// object; else as it is. Callers: any context that holds the node lock; does not block.
struct cap service_restrict(struct node *n, const struct cap *c, uint32_t keep);
// The loop alone, for a task that the caller started: getreq, verify, dispatch, putrep, for ever. Several tasks may run
// it on the same handles. mask: handles, a bit each. The task is the service's from then on: services_stop ends it.
void service_loop(struct node *n, const struct service *s, uint64_t mask);
// cap_verify, the quicker when it was asked before: a few capabilities that were found genuine are remembered.
// need: rights. Returns 0, or E_CAP, E_RIGHTS. Callers: any context that holds the node lock.
int service_verify(struct node *n, const struct cap *c, const uint64_t key[2], uint32_t need);
// OP_ROTATE, for a service whose rekey may wait: it has an entry of its own, with OP_BLOCKS. Returns 0, or E_OP: its
// objects cannot be rotated, or what rekey returned.
int64_t service_rotate(struct node *n, struct request *r);

// --- For operations (request.c). They run in the loop's task, or inline -------------------------------

// Takes over the caller's reference of s; released when the reply is out, or by request_release. At most REQUEST_HOLDS.
void request_hold(struct request *r, struct seg *s);
// Releases a segment that the request holds.
void request_release(struct node *n, struct request *r, struct seg *s);
// Returns one zeroed page for the operation's use until the reply is out, the same one each time; NULL: no memory.
void *request_page(struct node *n, struct request *r);
// Copies the request's bytes. Returns 0, or E_ARG: there are not exactly len of them; or an error of buf_read.
int request_bytes(struct node *n, const struct request *r, void *dst, size_t len);
// The reply is one capability. Returns 0.
int64_t reply_cap(struct request *r, struct cap c);
// The reply is a text, cut after a page. Returns 0, or E_MEM; E_ARG: fmt cannot be printed.
int64_t reply_text(struct node *n, struct request *r, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
// The reply is a copy of these bytes, at most a page. Returns 0, or E_MEM.
int64_t reply_bytes(struct node *n, struct request *r, const void *p, size_t len);
// Adds these bytes to the reply, which then lies in a segment of its own. Returns 0, or E_MEM; E_LIMIT: 16 MiB.
int64_t reply_append(struct node *n, struct request *r, const void *p, size_t len);
// Adds a line of text, cut after 158 bytes. Returns 0, or E_ARG: fmt cannot be printed; E_MEM and E_LIMIT as
// reply_append().
int64_t reply_line(struct node *n, struct request *r, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
// Releases all that the request holds, and makes the record empty for the next one.
void request_end(struct node *n, struct request *r);

#endif
