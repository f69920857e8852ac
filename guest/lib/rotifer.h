// SPDX-License-Identifier: BSD-2-Clause
// Rotifer for guest programs: everything that standard C does not have.
//
// A program is standard C (picolibc: printf, malloc, files to read) plus this header. Link with librotifer.a. Your
// process may be stunned, moved to another node and resumed between any two of its instructions, also in the middle of
// any function here: you need not do anything about it, and nothing here fails because of it.
//
// Results: unless said otherwise a function returns a value >= 0 on success and the negative of a number of
// core/error.h otherwise: error_string(result) gives the sentence. Lengths are in bytes; times say their unit in their
// name; a time-out of 0 ms means "wait for ever".
#ifndef GUEST_LIB_ROTIFER_H
#define GUEST_LIB_ROTIFER_H

#include <stdnoreturn.h>

#include "core/abi.h"
#include "core/error.h"
#include "core/types.h"

// --- Start ---------------------------------------------------------------------------------------

// The startup block: arguments, environment and capabilities that this process was started with.
const struct startup *startup_block(void);
// Copies the capability with this name ("tty", "dir", "owner", ...) to *out.  E_NAME.
int64_t startup_cap(const char *name, struct cap *out);

// --- Transactions --------------------------------------------------------------------------------

struct trans_result {
    uint64_t reply_len; // bytes received
    uint64_t res[4];    // four words from the server
};

// Sends a request to the object that `cap` names and waits for the reply. Executed at most once.
//   args     four words, or NULL for four zeros
//   req, rep buffers of any size up to MESSAGE_MAX_BYTES; NULL with length 0
//   out      receives reply length and words; may be NULL
// Returns the server's status: >= 0, or a negative error of the server's or the kernel's. Which of
// the kernel's errors mean "not executed" and which "may have been executed" is said in
// core/error.h.
int64_t trans(const struct cap *cap, uint32_t op, const uint64_t args[4], const void *req, size_t req_len, void *rep,
              size_t rep_cap, struct trans_result *out);
// The same, but gives up with E_TIMEOUT after timeout_ms: the request may have been executed.
int64_t trans_timeout(const struct cap *cap, uint32_t op, const uint64_t args[4], const void *req, size_t req_len,
                      void *rep, size_t rep_cap, uint64_t timeout_ms, struct trans_result *out);

// --- Serving -------------------------------------------------------------------------------------

struct request {
    uint64_t len;        // bytes received
    uint64_t handle;     // which of our ports: what port_listen returned
    uint32_t op;         // operation
    uint32_t obj_rights; // of the capability presented: object << 8 | rights. NOT YET CHECKED
    uint32_t check[3];   // its check field
    uint64_t args[4];
};

// Serves the port F(get_port) from now on; *put_port receives it (may be NULL). Returns a handle,
// 0..63. Whoever knows get_port can serve in our place: draw it with port_random and tell nobody.
//   E_LIMIT too many ports; E_EXISTS this process listens to it already; E_MEM.
int64_t port_listen(struct port get_port, struct port *put_port);
// Stops serving.  E_ARG no such handle.
int64_t port_close(int64_t handle);
// A get-port nobody else knows.
struct port port_random(void);

// Waits for a request on any port whose handle's bit is set in `mask`, puts its bytes at buf.
// Each thread that serves owes a putrep before its next getreq.
//   E_ARG; E_STATE the thread owes a reply; E_FAULT; E_TIMEOUT.
int64_t getreq(uint64_t mask, void *buf, size_t cap, uint64_t timeout_ms, struct request *out);
// Answers the request that this thread received last. status: >= 0, or a negative error, which
// becomes the result of the client's trans. res: four words, or NULL for zeros.  E_STATE; E_ARG;
// E_FAULT.
int64_t putrep(int64_t status, const void *rep, size_t rep_len, const uint64_t res[4]);

// Hands the request that this thread received last on to another server, whose reply goes straight to the client: this
// thread is free at once. Operation and words may be others; the bytes are the client's, as they are in its memory when
// they are sent: do not rely on what you have seen of them.
//   E_STATE; E_ARG. What the client may see: E_LIMIT forwarded more than 8 times; E_NOTHERE.
int64_t forward(const struct cap *cap, uint32_t op, const uint64_t args[4]);

// putrep, then getreq: the end of a server's loop with one entry into the kernel. Errors of both; an error of the
// getreq part comes after the reply went out.
int64_t putrep_getreq(int64_t status, const void *rep, size_t rep_len, const uint64_t res[4], uint64_t mask, void *buf,
                      size_t cap, uint64_t timeout_ms, struct request *out);

// --- Capabilities --------------------------------------------------------------------------------

#define CAP_KEY_BYTES 16 // a server keeps one such secret, from sys_random, for each object

// A capability for object `obj` (0..CAP_OBJ_MAX) of the server of put_port, with these RIGHT_* bits, signed with the
// key: SipHash-2-4-128 over port and obj_rights, first 96 bits.
struct cap cap_make(struct port put_port, uint32_t obj, uint32_t rights, const uint8_t key[CAP_KEY_BYTES]);
// 0; E_CAP the check field does not fit; E_RIGHTS a bit of `need` is missing. Tell the client which.
int64_t cap_check(const struct cap *cap, const uint8_t key[CAP_KEY_BYTES], uint32_t need);
// The same for the capability with which a request came in to put_port.
int64_t request_check(const struct request *req, struct port put_port, const uint8_t key[CAP_KEY_BYTES], uint32_t need);

// Of any object: the standard operations (services/protocol/common.h). A capability for the same object with
// those of its rights that are in `keep`.
int64_t cap_restrict(const struct cap *cap, uint32_t keep, struct cap *out);
// Withdraws every capability of the object, this one too; *out is the only one that is good from now on.
//   E_RIGHTS not RIGHT_OWNER; E_OP the object cannot be.
int64_t cap_rotate(const struct cap *cap, struct cap *out);
int64_t cap_destroy(const struct cap *cap); // E_RIGHTS not RIGHT_DESTROY; E_OP the object cannot be
// One line (info) or several (status) about the object, cut to size - 1 bytes, with a final zero. Returns its
// length.  E_RIGHTS not RIGHT_READ.
int64_t cap_info(const struct cap *cap, char *text, size_t size);
int64_t cap_status(const struct cap *cap, char *text, size_t size);

// --- Directory: names for capabilities -----------------------------------------------------------
// `dir` may be NULL: the directory named "dir" in the startup block. Names: 1..31 bytes.

int64_t dir_lookup(const struct cap *dir, const char *name, struct cap *out); // E_NAME
int64_t dir_enter(const struct cap *dir, const char *name,
                  const struct cap *cap);                    // replaces. E_LIMIT
int64_t dir_remove(const struct cap *dir, const char *name); // E_NAME

// --- Threads -------------------------------------------------------------------------------------

#define THREAD_SLOT_DEFAULT ((size_t)32 * 1024)

struct thread; // of this process; opaque

// Runs fn(arg) in a new thread with a stack of stack_bytes and its own set of _Thread_local variables. 0: as much as
// fits THREAD_SLOT_DEFAULT beside these and a guard page, about 27 KiB. Memory is taken as the stack is used. A stack
// that overflows into its guard page ends the process with a fault; a single frame of more than 4 KiB can step over it.
// NULL and errno = ENOMEM or EAGAIN (a limit: PROC_THREADS_MAX threads) on failure.
struct thread *thread_create(void *(*fn)(void *), void *arg, size_t stack_bytes);
// Waits until the thread has ended, frees its stack, returns what fn returned. Once for each thread.
void *thread_join(struct thread *thread);
// Ends the calling thread as if fn had returned `result`. In the first thread: others run on.
noreturn void thread_exit(void *result);
// The calling thread; NULL in the first one.
struct thread *thread_self(void);

// --- Monitors ------------------------------------------------------------------------------------
// Zeroed memory is a valid unlocked mutex, a condition nobody waits for, and a semaphore of 0.
// Uncontended operations make no system call.

struct mutex {
    _Atomic uint32_t state; // 0 free, 1 taken, 2 taken and others may wait
};
void mutex_lock(struct mutex *m); // not recursive
bool mutex_trylock(struct mutex *m);
void mutex_unlock(struct mutex *m);

struct cond {
    _Atomic uint32_t sequence; // changes with every signal
    _Atomic uint32_t waiters;
};
// Gives up the mutex, waits, takes it again. May return without a signal: test your condition in a loop.
void cond_wait(struct cond *c, struct mutex *m);
// 0, or E_TIMEOUT after timeout_ms; the mutex is taken either way.
int64_t cond_wait_timeout(struct cond *c, struct mutex *m, uint64_t timeout_ms);
void cond_signal(struct cond *c);    // wakes one
void cond_broadcast(struct cond *c); // wakes all

struct sem {
    _Atomic uint32_t count;
    _Atomic uint32_t waiters;
};
void sem_init(struct sem *s, uint32_t count);
void sem_down(struct sem *s); // waits for count > 0, takes one
void sem_up(struct sem *s);

// --- Time and chance -----------------------------------------------------------------------------

// Nanoseconds of the process's clock: never goes back, not even by a move. time() and gettimeofday() give the date when
// the process was started with EPOCH_NS in its environment.
uint64_t clock_ns(void);
void sleep_ns(uint64_t ns);
void sleep_ms(uint64_t ms);

// --- Terminal ------------------------------------------------------------------------------------

// stdout and stderr share one buffer, sent to "tty" in one transaction when a stdio call leaves a newline in it, when
// it is full, before stdin is read, and at exit. Without a "tty", output goes nowhere and input is at its end. Each
// stdio call is atomic; to keep several together:
void stdio_lock(void); // recursive
void stdio_unlock(void);

// --- System calls as they are (core/abi.h says what each does) -----------------------------------

int64_t sys_null(void);
// Ends what another thread of this process (sys_self says its number) is blocked in. A trans: its server is told and
// may still answer, for grace_ms (0 = for as long as the call's own time-out lets); else it ends with E_CANCEL, or with
// E_WITHDRAWN when no server had begun.  E_OBJECT; E_STATE it is blocked in nothing.
int64_t sys_cancel(uint64_t thread, uint64_t grace_ms);
// 1: the client of the request that this thread serves does not want it any more; 0: it does. mode: CANCEL_ASK;
// CANCEL_SHIELD: from now on a cancel ends none of this thread's own calls and waits; CANCEL_OPEN: again it does.
int64_t sys_cancelled(uint64_t mode);
int64_t sys_thread_create(void (*pc)(void), void *sp, uint64_t a0, void *tp);
noreturn void sys_thread_exit(_Atomic uint32_t *word);
int64_t sys_yield(void);
int64_t sys_sleep(uint64_t ns);
int64_t sys_wait(_Atomic uint32_t *word, uint32_t expected, uint64_t timeout_ms);
int64_t sys_wake(_Atomic uint32_t *word, uint64_t count);
int64_t sys_map(uint64_t address, uint64_t len, uint64_t flags);
// Maps a segment of this node: shared, or with MAP_COPY a copy of one's own. Returns the address.
int64_t sys_map_cap(const struct cap *seg, uint64_t address, uint64_t offset, uint64_t len, uint64_t flags);
int64_t sys_unmap(uint64_t address);
int64_t sys_grow(uint64_t address, uint64_t new_len);
uint64_t sys_time(void);
noreturn void sys_exit(int status);
int64_t sys_random(void *buf, size_t len); // len <= 256

struct self {
    uint64_t thread;
    uint64_t process;
    ep_t endpoint; // of the process: never changes
    ep_t node;     // it runs on now: differs after a move
};
void sys_self(struct self *out);

#endif
