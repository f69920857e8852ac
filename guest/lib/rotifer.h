// SPDX-License-Identifier: BSD-2-Clause
// Rotifer for guest programs: everything that standard C does not have.
//
// A program is standard C (picolibc: printf, malloc, files to read) plus this header. Link with librotifer.a. Your
// process may be stunned, moved to another node and resumed between any two of its instructions, also in the middle of
// any function here: you need not do anything about it, and nothing here fails because of it.
//
// Results: unless said otherwise a function returns a value >= 0 on success and the negative of a number of
// core/error.h otherwise: error_string(result) gives the sentence. Lengths are in bytes; times say their unit in their
// name; a time-out of 0 ms means "wait for ever". A function that makes a transaction also returns the errors that its
// server or the kernel has for it (trans); named are those of its own, or that it is worth to look for.
// Callers: any thread of the process, from the first constructor to the last destructor.
#ifndef GUEST_LIB_ROTIFER_H
#define GUEST_LIB_ROTIFER_H

#include <stdnoreturn.h>

#include "core/abi.h"
#include "core/error.h"
#include "core/types.h"

// --- Start ---------------------------------------------------------------------------------------

// Returns the startup block: arguments, environment and capabilities that this process was started with. Never NULL.
const struct startup *startup_block(void);
// Copies the capability with this name to *out: "tty", "files", "meet", and what was granted ("proc", "node", "seg@n2",
// ...: services/grant.h); "seg" finds "seg@n2" too. Returns 0, or E_GRANT: it was not given to this program.
int64_t startup_cap(const char *name, struct cap *out);

// --- Transactions --------------------------------------------------------------------------------

struct trans_result {
    uint64_t reply_len; // bytes received
    uint64_t res[4];    // four words from the server
};

// Sends a request to the object that `cap` names and waits for the reply. Executed at most once.
//   cap      aligned or not
//   op       the operation: the server's numbers (services/protocol.h for the kernel's services)
//   args     four words, or NULL for four zeros
//   req, rep buffers of any size up to MESSAGE_MAX_BYTES; NULL with length 0
//   out      receives reply length and words; may be NULL
// Returns the server's status: >= 0, or a negative error of the server's or the kernel's:
//   E_ARG a length over MESSAGE_MAX_BYTES, or a null capability; E_FAULT a buffer; E_NOTHERE, E_DIED, E_TIMEOUT,
//   E_TOOBIG, E_LIMIT, E_MEM; E_CANCEL, E_WITHDRAWN after a sys_cancel.
// Which of them mean "not executed" and which "may have been executed" is said in core/error.h.
int64_t trans(const struct cap *cap, uint32_t op, const uint64_t args[4], const void *req, size_t req_len, void *rep,
              size_t rep_cap, struct trans_result *out);
// The same, but gives up after timeout_ms. Returns as trans, or E_TIMEOUT then: the request may have been executed.
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

// Serves the port F(get_port) from now on; *put_port receives it (may be NULL). A process that knows get_port can serve
// in our place: draw it with port_random and tell nobody. Returns a handle, 0..15 (PROC_PORTS_MAX), or
//   E_ARG all zero; E_LIMIT too many ports; E_EXISTS this process listens to it already; E_MEM.
int64_t port_listen(struct port get_port, struct port *put_port);
// Stops serving the port with this handle, which port_listen returned. Clients that wait are told E_NOTHERE. Returns 0,
// or E_ARG: no such handle.
int64_t port_close(int64_t handle);
// Returns a get-port nobody else knows: 128 bits from sys_random.
struct port port_random(void);

// Waits for a request on any port whose handle's bit is set in `mask`, puts its bytes at buf. Each thread that serves
// owes a putrep before its next getreq. A request longer than cap is not delivered: its client is told E_TOOBIG.
// Returns 0, or, and *out is as it was:
//   E_ARG a handle that is not served, or none; E_STATE the thread owes a reply; E_FAULT buf; E_TIMEOUT; E_CANCEL.
int64_t getreq(uint64_t mask, void *buf, size_t cap, uint64_t timeout_ms, struct request *out);
// Answers the request that this thread received last. status: >= 0, or a negative error, which becomes the result of
// the client's trans. rep: rep_len bytes, which are free again when it returns. res: four words, or NULL for zeros.
// Returns 0, or
//   E_STATE no request is open; E_ARG over MESSAGE_MAX_BYTES; E_FAULT rep (the request stays open).
int64_t putrep(int64_t status, const void *rep, size_t rep_len, const uint64_t res[4]);

// Hands the request that this thread received last on to another server, whose reply goes straight to the client: this
// thread is free at once. Operation and words may be others; the bytes are the client's, as they are in its memory when
// they are sent: do not rely on what you have seen of them. op and args as of trans. Returns 0, or
//   E_STATE no request is open; E_ARG a null capability.
// What the client may see: E_LIMIT forwarded more than 8 times (FORWARDS_MAX); E_NOTHERE nobody serves that port.
int64_t forward(const struct cap *cap, uint32_t op, const uint64_t args[4]);

// putrep, then getreq: the end of a server's loop with one entry into the kernel. Returns 0, or an error of either, as
// putrep and getreq have them; an error of the getreq part comes after the reply went out.
int64_t putrep_getreq(int64_t status, const void *rep, size_t rep_len, const uint64_t res[4], uint64_t mask, void *buf,
                      size_t cap, uint64_t timeout_ms, struct request *out);

// --- Capabilities --------------------------------------------------------------------------------

#define CAP_KEY_BYTES 16 // a server keeps one such secret, from sys_random, for each object

// Returns a capability for object `obj` (0..CAP_OBJ_MAX) of the server of put_port, with these RIGHT_* bits, signed
// with the key: SipHash-2-4-128 over port and obj_rights, first 96 bits (Aumasson, Bernstein: SipHash, 2012).
struct cap cap_make(struct port put_port, uint32_t obj, uint32_t rights, const uint8_t key[CAP_KEY_BYTES]);
// Is the capability genuine under the object's key, and does it have all the rights in `need` (RIGHT_* bits)? Returns
// 0, or E_CAP: the check field does not fit; E_RIGHTS: a bit of `need` is missing. Tell the client which.
int64_t cap_check(const struct cap *cap, const uint8_t key[CAP_KEY_BYTES], uint32_t need);
// The same for the capability with which a request came in to put_port. need: RIGHT_* bits. Returns as cap_check.
int64_t request_check(const struct request *req, struct port put_port, const uint8_t key[CAP_KEY_BYTES], uint32_t need);

// Of any object: the standard operations (services/protocol/common.h). Each is one transaction.

// *out: a capability for the same object with those of its rights that are in `keep` (RIGHT_* bits). Returns 0 or more,
// or E_FORMAT: the reply was no capability.
int64_t cap_restrict(const struct cap *cap, uint32_t keep, struct cap *out);
// Withdraws every capability of the object, this one too; *out is the only one that is good from now on. Returns 0 or
// more, or E_RIGHTS: without RIGHT_OWNER; E_OP: the object has no such operation; E_FORMAT: the reply was no
// capability.
int64_t cap_rotate(const struct cap *cap, struct cap *out);
// Destroys the object. Returns 0 or more, or E_RIGHTS: without RIGHT_DESTROY; E_OP: the object has no such operation.
int64_t cap_destroy(const struct cap *cap);
// One line (cap_info) or several (cap_status) about the object, cut to size - 1 bytes, with a final zero: empty after
// an error. Returns its length, or E_RIGHTS: without RIGHT_READ; E_ARG: size is 0, and nothing was written; E_MEM: no
// memory to receive it, and nothing was written.
int64_t cap_info(const struct cap *cap, char *text, size_t size);
int64_t cap_status(const struct cap *cap, char *text, size_t size);

// --- Directory: names for capabilities -----------------------------------------------------------
// `dir` may be NULL: the directory in which this program meets others (--meet NAME, "meet" in the startup block);
// E_GRANT when it was given none. Names: 1..31 bytes; E_ARG for others. Each is one transaction.

// *out: the capability that is entered under this name. Returns 0 or more, or E_NAME: there is none; E_ARG: the name;
// E_FORMAT: the reply was no capability.
int64_t dir_lookup(const struct cap *dir, const char *name, struct cap *out);
// Enters cap under this name, in place of what was there. Returns 0 or more, or E_LIMIT: the directory is full;
// E_RIGHTS; E_NAME, E_ARG: as above.
int64_t dir_enter(const struct cap *dir, const char *name, const struct cap *cap);
// Takes the name out. Returns 0 or more, or E_NAME: there is none; E_RIGHTS; E_ARG: the name.
int64_t dir_remove(const struct cap *dir, const char *name);

// --- Threads -------------------------------------------------------------------------------------

#define THREAD_SLOT_DEFAULT ((size_t)32 * 1024)

struct thread; // of this process; opaque

// Runs fn(arg) in a new thread with a stack of stack_bytes and its own set of _Thread_local variables. 0: as much as
// fits THREAD_SLOT_DEFAULT beside these and a guard page, about 27 KiB. Memory is taken as the stack is used. A stack
// that overflows into its guard page ends the process with a fault; a single frame of more than 4 KiB can step over it.
// Returns the thread, good until it is joined; or NULL, and errno is ENOMEM, or EAGAIN: a limit (PROC_THREADS_MAX
// threads, the process's memory, a stack of 1 GiB).
struct thread *thread_create(void *(*fn)(void *), void *arg, size_t stack_bytes);
// Waits until the thread has ended and frees its stack. Once for each thread: afterwards it is another's, or nobody's.
// Returns what fn returned.
void *thread_join(struct thread *thread);
// Ends the calling thread as if fn had returned `result`. In the first thread: others run on. An unfinished line of
// output is sent. Does not return.
noreturn void thread_exit(void *result);
// Returns the calling thread; NULL in the first one.
struct thread *thread_self(void);

// --- Monitors ------------------------------------------------------------------------------------
// Zeroed memory is a valid unlocked mutex, a condition nobody waits for, and a semaphore of 0. Uncontended operations
// make no system call. They work between threads of one process, not between processes that share a segment. Monitors
// as B. Lampson and D. Redell have them in Mesa ("Experience with Processes and Monitors in Mesa", 1980): a signal is a
// hint, and the thread that waited tests its condition again.

struct mutex {
    _Atomic uint32_t state; // 0 free, 1 taken, 2 taken and others may wait
};
// Takes the mutex; blocks while another thread has it. Not recursive: the holder would wait for itself.
void mutex_lock(struct mutex *m);
// Takes the mutex if it is free. Returns true: it is the caller's now; false: it was taken.
bool mutex_trylock(struct mutex *m);
// Gives it back, and wakes a thread that waits for it. The caller has it; an unlocked mutex stays unlocked.
void mutex_unlock(struct mutex *m);

struct cond {
    _Atomic uint32_t sequence; // changes with every signal
    _Atomic uint32_t waiters;
};
// Gives up the mutex, which the caller has, waits for a signal, takes it again. May return without a signal: test your
// condition in a loop.
void cond_wait(struct cond *c, struct mutex *m);
// The same, for timeout_ms at most. Returns 0, or E_TIMEOUT; the mutex is taken either way.
int64_t cond_wait_timeout(struct cond *c, struct mutex *m, uint64_t timeout_ms);
// cond_signal wakes one thread that waits, if any does; cond_broadcast all of them. Change the condition with the mutex
// held, or a thread that has just tested it misses the signal. The signal itself needs no mutex.
void cond_signal(struct cond *c);
void cond_broadcast(struct cond *c);

struct sem {
    _Atomic uint32_t count;
    _Atomic uint32_t waiters;
};
// sem_init makes it a semaphore of `count`, which no thread uses yet. sem_down waits for count > 0 and takes one.
// sem_up adds one, and wakes a thread that waits; a count of UINT32_MAX would wrap round to 0. (E. W. Dijkstra, EWD
// 123, 1965.)
void sem_init(struct sem *s, uint32_t count);
void sem_down(struct sem *s);
void sem_up(struct sem *s);

// --- Time and chance -----------------------------------------------------------------------------

// Returns nanoseconds of the process's clock: never goes back, not even by a move. time() and gettimeofday() give the
// date when the process was started with EPOCH_NS in its environment.
uint64_t clock_ns(void);
// sleep_ns blocks for ns nanoseconds at least, sleep_ms for ms milliseconds. A cancel ends it before (sys_cancel).
void sleep_ns(uint64_t ns);
void sleep_ms(uint64_t ms);

// --- Terminal ------------------------------------------------------------------------------------

// stdout and stderr share one buffer, sent to "tty" in one transaction when a stdio call leaves a newline in it, when
// it is full, before stdin is read, and at exit. Without a "tty", output goes nowhere and input is at its end. Each
// stdio call is atomic. To keep several together: stdio_lock before the first, stdio_unlock behind the last, which
// sends what is due. A thread that has the lock may take it again, but not join one that has yet to end: that takes it
// too. stdio_unlock by a thread that has not: nothing happens, and errno is EPERM.
void stdio_lock(void);
void stdio_unlock(void);

// --- System calls as they are (core/abi.h says what each does) -----------------------------------

// address, len, offset: bytes, in this process's memory or the segment.

// Does nothing: the time of one system call. Returns 0.
int64_t sys_null(void);
// Ends what another thread of this process (sys_self says its number) is blocked in. A trans: its server is told and
// may still answer, for grace_ms (0 = for as long as the call's own time-out lets); else it ends with E_CANCEL, or with
// E_WITHDRAWN when no server had begun. Returns 0, or E_OBJECT: no such thread; E_STATE: it is blocked in nothing.
int64_t sys_cancel(uint64_t thread, uint64_t grace_ms);
// Returns 1: the client of the request that this thread serves does not want it any more; 0: it does; or E_ARG: mode,
// which is CANCEL_ASK; CANCEL_SHIELD: from now on a cancel ends none of this thread's own calls and waits; or
// CANCEL_OPEN: again it does.
int64_t sys_cancelled(uint64_t mode);
// A new thread, which begins at pc with these sp, a0 and tp. thread_create makes stack and variables for one. Returns
// its number, or E_LIMIT: PROC_THREADS_MAX, or the process's memory limit; E_MEM.
int64_t sys_thread_create(void (*pc)(void), void *sp, uint64_t a0, void *tp);
// Ends the calling thread without a look at stdio; *word (NULL: none) becomes 0, and threads that wait for it are
// woken. The last thread ends the process with status 0. Does not return.
noreturn void sys_thread_exit(_Atomic uint32_t *word);
// Lets others that are ready run first. Returns 0.
int64_t sys_yield(void);
// Blocks for ns nanoseconds; the rest of the time goes along when the process moves. Returns 0, or E_CANCEL
// (sys_cancel).
int64_t sys_sleep(uint64_t ns);
// Blocks if *word equals `expected`, until a sys_wake, for timeout_ms at most (0: for ever). Returns 0: woken; or
// E_AGAIN: it does not; E_TIMEOUT; E_CANCEL; E_FAULT, E_ARG: word is not mapped, or not aligned. May return 0 for a
// wake that was meant for an earlier wait at this address: test in a loop. (Linux: futex, in its simplest form.)
int64_t sys_wait(_Atomic uint32_t *word, uint32_t expected, uint64_t timeout_ms);
// Wakes up to `count` threads of this process that wait at word. Returns how many it were.
int64_t sys_wake(_Atomic uint32_t *word, uint64_t count);
// Maps len bytes of zeros, rounded up to pages, at address (0: the kernel chooses); flags: MAP_*. Returns the address,
// or E_ARG, E_OVERLAP, E_LIMIT, E_MEM.
int64_t sys_map(uint64_t address, uint64_t len, uint64_t flags);
// Maps a segment of this node, from offset on: shared, or with MAP_COPY a copy of the process's own. address, len and
// flags as SYS_MAP_CAP of core/abi.h says. Returns the address, or E_NOTHERE, E_OBJECT, E_CAP, E_RIGHTS, E_STATE,
// E_ARG, E_OVERLAP, E_LIMIT, E_MEM, as said there.
int64_t sys_map_cap(const struct cap *seg, uint64_t address, uint64_t offset, uint64_t len, uint64_t flags);
// Takes away the whole mapping that starts at address. Returns 0, or E_ARG: none does.
int64_t sys_unmap(uint64_t address);
// Gives the mapping that starts at address, with MAP_GROW_UP, the length new_len. Returns 0, or E_ARG: there is none;
// E_OVERLAP: another is in the way; E_LIMIT; E_MEM.
int64_t sys_grow(uint64_t address, uint64_t new_len);
// Returns nanoseconds of the process's clock: clock_ns.
uint64_t sys_time(void);
// Ends the process, without atexit's functions. status: for its owner; negative: an error. Does not return.
noreturn void sys_exit(int status);
// Fills buf with len bytes, 256 at most, that nobody can predict. Returns 0, or E_ARG: len; E_FAULT: buf.
int64_t sys_random(void *buf, size_t len);

struct self {
    uint64_t thread;
    uint64_t process;
    ep_t endpoint; // of the process: never changes
    ep_t node;     // it runs on now: differs after a move
};
// *out: the calling thread, its process, and where it is now.
void sys_self(struct self *out);

#endif
