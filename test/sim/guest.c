// SPDX-License-Identifier: BSD-2-Clause
// Simulated U-mode: the steps of each program.
#include "test/sim/guest.h"

#include "arch/host/host.h"
#include "core/abi.h"
#include "core/entry.h"
#include "core/thread.h"
#include "services/protocol.h"

#include <string.h>

// pc of a step. The values mean nothing to anybody else.
enum step {
    C_NEXT = 0x10000,
    C_BACK,
    S_LISTEN,
    S_LISTENED,
    S_SPAWNED,
    S_THREAD,
    S_WAIT,
    S_GOT,
    S_WORKED,
    S_REPLY,
    S_REPLIED,
    S_QUIT,
    N_BACK,
    F_START,
    F_STARTED,
    F_LOOP,
    F_WOKE,
    F_WAITED,
    Z_NEXT,
    Z_TIMED,
    Z_SLEPT,
    Z_CHECK,
    K_START,
    K_THREAD,
    K_CALL,
    K_BACK,
};

#define A(i) (t->regs.x[REG_A0 + (i)])
// Callee-saved registers: system calls leave them alone.
static uint64_t *s_reg(struct thread *t, unsigned i)
{
    return &t->regs.x[i < 2 ? 8 + i : 16 + i];
}
#define S(i) (*s_reg(t, (i)))

static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

// --- Memory, as a hart sees it ----------------------------------------------------------------------------

// Kernel address of the page at va, NULL when a hart would fault there with this access.
static uint8_t *page_of(struct node *n, struct proc *p, uint64_t va, bool write)
{
    (void)n;
    return arch_host_page(&p->aspace, va, write ? PROT_W : PROT_R);
}

// Are all pages of [va, va + len) there? If not, this was a page fault: the kernel has been entered, and the step is
// tried again.
static bool touch(struct node *n, struct thread *t, uint64_t va, uint64_t len, bool write)
{
    for (uint64_t at = va & ~PAGE_MASK; at < va + len; at += PAGE_SIZE) {
        if (page_of(n, t->proc, at, write))
            continue;
        entry_fault(&n->harts[0], t, write ? FAULT_WRITE : FAULT_READ, at < va ? va : at, 0);
        return false;
    }
    return true;
}

static struct guest_data *data_of(struct node *n, struct thread *t)
{
    return (struct guest_data *)(void *)page_of(n, t->proc, GUEST_DATA, true);
}

// What the bytes at offset off of a message are, by the message's key.
static uint64_t word_at(uint64_t key, uint64_t off)
{
    return key ^ (off + 8) * 0x9e3779b97f4a7c15u;
}

typedef bool word_fn(uint8_t *at, uint64_t word, size_t len);
static bool word_put(uint8_t *at, uint64_t word, size_t len)
{
    memcpy(at, &word, len);
    return true;
}
static bool word_same(uint8_t *at, uint64_t word, size_t len)
{
    return memcmp(at, &word, len) == 0;
}

// Calls fn for each word of the message at va, all of whose pages are there.
static bool each_word(struct node *n, struct thread *t, uint64_t va, uint64_t len, uint64_t key, word_fn *fn)
{
    uint8_t *page = NULL;
    for (uint64_t off = 0; off < len; off += 8) {
        uint64_t at = va + off;
        if (!page || !(at & PAGE_MASK))
            page = page_of(n, t->proc, at, false);
        if (!page || !fn(page + (at & PAGE_MASK), word_at(key, off), len - off < 8 ? (size_t)(len - off) : 8))
            return false;
    }
    return true;
}

static uint64_t request_key(uint64_t id, uint64_t call)
{
    return mix(id << 32 ^ call ^ 0x5157u);
}
static uint64_t reply_key(uint64_t id, uint64_t call)
{
    return mix(id << 32 ^ call ^ 0x5259u);
}

// --- The one system call of a run --------------------------------------------------------------------------

static void sys(struct node *n, struct thread *t, uint64_t number, enum step next)
{
    A(7) = number;
    t->regs.pc = next;
    entry_syscall(&n->harts[0], t);
}

static void sys_sleep(struct node *n, struct thread *t, uint64_t ns, enum step next)
{
    A(0) = ns;
    sys(n, t, SYS_SLEEP, next);
}

static void sys_exit(struct node *n, struct thread *t, uint64_t status)
{
    A(0) = status;
    sys(n, t, SYS_EXIT, 0);
}

// Most messages are small, some fill a page or more, a few are as long as they may be.
static uint64_t length(uint64_t r, uint64_t max)
{
    uint64_t kind = r % 32, len = r >> 8;
    if (kind < 16)
        len %= 65;
    else if (kind < 24)
        len %= 3000;
    else if (kind < 28)
        len %= 9000;
    else if (kind < 31)
        len %= 40000;
    else
        len = max - len % 64;
    return len < max ? len : max;
}

static void call(struct node *n, struct thread *t, const struct cap *cap, const uint64_t arg[4], uint64_t req_len,
                 uint64_t rep_len, unsigned thread, enum step next)
{
    memcpy(&A(0), cap, sizeof *cap);
    A(4) = GUEST_OP_ADD;
    A(5) = GUEST_REQ(thread);
    A(6) = req_len;
    t->regs.x[REG_T0] = GUEST_REP(thread);
    t->regs.x[REG_T1] = rep_len;
    t->regs.x[REG_T2] = 0;
    memcpy(&t->regs.x[REG_T3], arg, 4 * sizeof arg[0]);
    sys(n, t, SYS_TRANS, next);
}

// --- Client: s0 id, s1 call, s2 calls, s3 seed, s4..s7 capability, s8 longest message, s9 most pause, s10 most work,
// s11 length of the present reply ------------------------------------------------------------------------------

static void client_error(struct guest_data *d, int64_t status, uint64_t number)
{
    if (d->errors++ == 0) {
        d->first_status = (uint64_t)status;
        d->first_call = number;
    }
}

static void mark(uint64_t bits[4], uint64_t number)
{
    if (number < GUEST_MARKS)
        bits[number / 64] |= 1ull << number % 64;
}

static void client_next(struct node *n, struct thread *t)
{
    uint64_t r = mix(S(3) ^ S(1) * 0x9e3779b97f4a7c15u);
    uint64_t len = length(r, S(8)), rep_len = length(mix(r), S(8));
    if (!touch(n, t, GUEST_REQ(0), len, true))
        return;
    if (S(1) == S(2)) {
        sys_exit(n, t, data_of(n, t)->errors);
        return;
    }
    each_word(n, t, GUEST_REQ(0), len, request_key(S(0), S(1)), word_put);
    S(11) = rep_len;
    struct cap cap;
    memcpy(&cap, &S(4), sizeof cap);
    uint64_t work = S(10) && mix(r ^ 1) % 4 == 0 ? mix(r ^ 2) % S(10) : 0;
    const uint64_t arg[4] = {S(0), S(1), rep_len, work};
    call(n, t, &cap, arg, len, rep_len, 0, C_BACK);
}

static void client_back(struct node *n, struct thread *t)
{
    if ((int64_t)A(0) == 0 && A(1) == S(11) && !touch(n, t, GUEST_REP(0), S(11), false))
        return;
    struct guest_data *d = data_of(n, t);
    d->calls++;
    if ((int64_t)A(0) == 0)
        mark(d->good, S(1));
    if ((int64_t)A(0) == -E_WITHDRAWN || (int64_t)A(0) == -E_NOTHERE)
        mark(d->never, S(1));
    if ((int64_t)A(0) < 0 && (int64_t)A(0) != -E_WITHDRAWN && (int64_t)A(0) != -E_CANCEL) {
        d->odd++;
        d->odd_status = A(0);
    }
    if ((int64_t)A(0) < 0)
        client_error(d, (int64_t)A(0), S(1));
    else if (A(1) != S(11) || A(2) != S(0) || A(3) != S(1))
        client_error(d, 1000, S(1)); // the reply to another call
    else if (!each_word(n, t, GUEST_REP(0), S(11), reply_key(S(0), S(1)), word_same))
        client_error(d, 1001, S(1)); // the wrong bytes
    S(1)++;
    if (S(9))
        sys_sleep(n, t, mix(S(3) ^ S(1)) % S(9), C_NEXT);
    else
        t->regs.pc = C_NEXT;
}

// --- Server: s0 thread, s1 s2 get-port, s3 threads, s4 call, s5 length of the request, s6 id, s7 reply length,
// s8..s11 nested: capability of the server behind. Both kinds of server -----------------------------------------

static void server_listen(struct node *n, struct thread *t)
{
    A(0) = S(1);
    A(1) = S(2);
    sys(n, t, SYS_PORT_LISTEN, S_LISTENED);
}

// Threads 1.. are made one after the other; each starts as a copy of this one's registers would: by its a0 and memory.
static void server_spawn(struct node *n, struct thread *t)
{
    if (S(3) <= 1) {
        t->regs.pc = S_WAIT;
        return;
    }
    S(3)--;
    A(0) = S_THREAD;
    A(1) = 0;
    A(2) = S(3);
    A(3) = 0;
    sys(n, t, SYS_THREAD_CREATE, S_SPAWNED);
}

static void server_wait(struct node *n, struct thread *t)
{
    A(0) = 1; // handle 0
    A(1) = GUEST_REQ(S(0));
    A(2) = GUEST_BUFFER;
    A(3) = 0;
    sys(n, t, SYS_GETREQ, S_GOT);
}

static void server_note(struct guest_data *d, uint64_t id, uint64_t number, bool intact)
{
    if (id >= GUEST_CLIENTS) {
        d->corrupt++;
        return;
    }
    d->total++;
    d->sum += number;
    d->corrupt += !intact;
    d->doubles += number + 1 <= d->last[id];
    d->gaps += number > d->last[id];
    if (number + 1 > d->last[id])
        d->last[id] = number + 1;
    d->count[id]++;
    if (id < GUEST_MARKED)
        mark(d->done[id], number);
}

static void server_got(struct node *n, struct thread *t)
{
    if ((int64_t)A(0) < 0) {
        data_of(n, t)->errors++;
        t->regs.pc = S_WAIT;
        return;
    }
    if (A(3) == GUEST_OP_QUIT) {
        A(0) = 0;
        A(2) = 0;
        sys(n, t, SYS_PUTREP, S_QUIT);
        return;
    }
    if (A(3) == OP_PROC_WAIT_EVENT) { // it owns a process, and is told of it
        data_of(n, t)->events[A(4) % GUEST_EVENTS]++;
        A(0) = OWNER_KEEP;
        A(2) = 0;
        sys(n, t, SYS_PUTREP, S_REPLIED);
        return;
    }
    if (!touch(n, t, GUEST_REQ(S(0)), A(1), false))
        return;
    uint64_t work = A(7);
    S(5) = A(1);
    S(6) = A(4);
    S(4) = A(5);
    S(7) = A(6);
    bool intact = each_word(n, t, GUEST_REQ(S(0)), S(5), request_key(S(6), S(4)), word_same);
    server_note(data_of(n, t), S(6), S(4), intact);
    if (work)
        sys_sleep(n, t, work, S_WORKED);
    else
        t->regs.pc = S_WORKED;
}

static void server_worked(struct node *n, struct thread *t)
{
    struct cap cap;
    memcpy(&cap, &S(8), sizeof cap);
    if (cap_is_null(&cap)) {
        t->regs.pc = S_REPLY;
        return;
    }
    if (S(3) == 0) { // a front
        memcpy(&A(0), &cap, sizeof cap);
        A(4) = GUEST_OP_ADD;
        t->regs.x[REG_T3] = S(6);
        t->regs.x[REG_T4] = S(4);
        t->regs.x[REG_T5] = S(7);
        t->regs.x[REG_T6] = 0;
        sys(n, t, SYS_FORWARD, S_REPLIED);
        return;
    }
    uint64_t id = S(6) + GUEST_NESTED;
    if (!touch(n, t, GUEST_REQ(S(0)), S(5), true))
        return;
    each_word(n, t, GUEST_REQ(S(0)), S(5), request_key(id, S(4)), word_put);
    const uint64_t arg[4] = {id, S(4), S(7), 0};
    call(n, t, &cap, arg, S(5), S(7), (unsigned)S(0), N_BACK);
}

static void nested_back(struct node *n, struct thread *t)
{
    if ((int64_t)A(0) == 0 && A(1) == S(7) && !touch(n, t, GUEST_REP(S(0)), S(7), false))
        return;
    uint64_t id = S(6) + GUEST_NESTED;
    if ((int64_t)A(0) < 0 || A(1) != S(7) || A(2) != id || A(3) != S(4) ||
        !each_word(n, t, GUEST_REP(S(0)), S(7), reply_key(id, S(4)), word_same))
        client_error(data_of(n, t), (int64_t)A(0), S(4));
    t->regs.pc = S_REPLY;
}

static void server_reply(struct node *n, struct thread *t)
{
    if (!touch(n, t, GUEST_REP(S(0)), S(7), true))
        return;
    each_word(n, t, GUEST_REP(S(0)), S(7), reply_key(S(6), S(4)), word_put);
    A(0) = 0;
    A(1) = GUEST_REP(S(0));
    A(2) = S(7);
    A(3) = S(6);
    A(4) = S(4);
    A(5) = data_of(n, t)->total;
    A(6) = data_of(n, t)->sum;
    sys(n, t, SYS_PUTREP, S_REPLIED);
}

static void server_replied(struct node *n, struct thread *t)
{
    if ((int64_t)A(0) != 0)
        data_of(n, t)->errors++;
    t->regs.pc = S_WAIT;
}

// The new thread's registers are zero but for what SYS_THREAD_CREATE was told: the rest is in memory. A nested server
// has one thread, so only the number matters.
static void server_thread(struct thread *t)
{
    S(0) = A(0);
    t->regs.pc = S_WAIT;
}

// --- Futex pair: two threads take turns. s0 which one, s2 turns, s1 taken ---------------------------------------

static void futex_start(struct node *n, struct thread *t)
{
    A(0) = F_LOOP;
    A(1) = 0;
    A(2) = S(2); // arrives in a0 of the second thread
    A(3) = 1;    // and this in tp
    sys(n, t, SYS_THREAD_CREATE, F_STARTED);
}

#define TURN_VA (GUEST_DATA + offsetof(struct guest_data, turn))

static void futex_loop(struct node *n, struct thread *t)
{
    if (t->regs.x[REG_TP] == 1) { // second thread, first step
        S(0) = 1;
        S(2) = A(0);
        t->regs.x[REG_TP] = 0;
    }
    struct guest_data *d = data_of(n, t);
    if (S(1) == S(2)) {
        A(0) = 0;
        sys(n, t, SYS_THREAD_EXIT, 0);
        return;
    }
    if (d->turn != S(0)) {
        A(0) = TURN_VA;
        A(1) = d->turn;
        A(2) = 0;
        sys(n, t, SYS_WAIT, F_WAITED);
        return;
    }
    S(1)++;
    d->calls++;
    d->turn = 1 - (uint32_t)S(0);
    A(0) = TURN_VA;
    A(1) = 1;
    sys(n, t, SYS_WAKE, F_WOKE);
}

static void futex_woke(struct node *n, struct thread *t)
{
    if (mix(S(1)) % 4 == 0)
        sys_sleep(n, t, mix(S(1) + 1) % (2 * NS_PER_MS), F_LOOP);
    else
        sys(n, t, SYS_YIELD, F_LOOP);
}

static void futex_waited(struct node *n, struct thread *t)
{
    int64_t r = (int64_t)A(0);
    if (r != 0 && r != -E_AGAIN)
        data_of(n, t)->errors++;
    t->regs.pc = F_LOOP;
}

// --- Sleeper: s1 done, s2 count, s4 time before, s5 how long, s9 longest ---------------------------------------------

static void sleeper_next(struct node *n, struct thread *t)
{
    if (S(1) == S(2))
        sys_exit(n, t, data_of(n, t)->errors);
    else
        sys(n, t, SYS_TIME, Z_TIMED);
}

static void sleeper_timed(struct node *n, struct thread *t)
{
    if (A(0) < S(4))
        data_of(n, t)->errors++; // the clock went back
    S(4) = A(0);
    S(5) = mix(S(3) ^ S(1)) % S(9);
    sys_sleep(n, t, S(5), Z_SLEPT);
}

static void sleeper_check(struct node *n, struct thread *t)
{
    struct guest_data *d = data_of(n, t);
    d->errors += A(0) < S(4) + S(5); // woken too early, or the clock went back
    S(4) = A(0);
    d->calls++;
    S(1)++;
    t->regs.pc = Z_NEXT;
}

// --- Seeker: s1 s2 port, s3 threads to be made ----------------------------------------------------------------------

static void seeker_start(struct node *n, struct thread *t)
{
    if (S(3) <= 1) {
        t->regs.pc = K_CALL;
        return;
    }
    S(3)--;
    A(0) = K_THREAD;
    A(1) = 0;
    A(2) = S(1) + S(3); // arrives in a0
    A(3) = S(2);        // and this in tp
    sys(n, t, SYS_THREAD_CREATE, K_START);
}

static void seeker_thread(struct thread *t)
{
    S(1) = A(0);
    S(2) = t->regs.x[REG_TP];
    t->regs.pc = K_CALL;
}

static void seeker_call(struct node *n, struct thread *t)
{
    const struct cap cap = {.port = {{S(1), S(2)}}};
    const uint64_t arg[4] = {0};
    call(n, t, &cap, arg, 0, 0, 0, K_BACK);
}

static void seeker_back(struct node *n, struct thread *t)
{
    struct guest_data *d = data_of(n, t);
    d->calls++;
    if ((int64_t)A(0) != -E_NOTHERE)
        client_error(d, (int64_t)A(0), d->calls);
    t->regs.pc = K_CALL;
}

// --- The whole -------------------------------------------------------------------------------------------------------

void guest_run(struct node *n, struct thread *t)
{
    if (!touch(n, t, GUEST_DATA, PAGE_SIZE, true)) // every step may look at it
        return;
    switch ((enum step)t->regs.pc) {
    case C_NEXT: client_next(n, t); break;
    case C_BACK: client_back(n, t); break;
    case S_LISTEN: server_listen(n, t); break;
    case S_LISTENED:
    case S_SPAWNED: server_spawn(n, t); break;
    case S_THREAD: server_thread(t); break;
    case S_WAIT: server_wait(n, t); break;
    case S_GOT: server_got(n, t); break;
    case S_WORKED: server_worked(n, t); break;
    case S_REPLY: server_reply(n, t); break;
    case S_REPLIED: server_replied(n, t); break;
    case S_QUIT: sys_exit(n, t, 0); break;
    case N_BACK: nested_back(n, t); break;
    case F_START: futex_start(n, t); break;
    case F_STARTED:
    case F_LOOP: futex_loop(n, t); break;
    case F_WOKE: futex_woke(n, t); break;
    case F_WAITED: futex_waited(n, t); break;
    case Z_NEXT: sleeper_next(n, t); break;
    case Z_TIMED: sleeper_timed(n, t); break;
    case Z_SLEPT: sys(n, t, SYS_TIME, Z_CHECK); break;
    case Z_CHECK: sleeper_check(n, t); break;
    case K_START: seeker_start(n, t); break;
    case K_THREAD: seeker_thread(t); break;
    case K_CALL: seeker_call(n, t); break;
    case K_BACK: seeker_back(n, t); break;
    default: entry_fault(&n->harts[0], t, FAULT_EXEC, t->regs.pc, 0); break; // ran into the void
    }
}

const char *guest_step_name(uint64_t pc)
{
    static const char *const names[] = {
        "client next",   "client back", "listen",      "listened",     "spawned",      "thread",        "wait",
        "got",           "worked",      "reply",       "replied",      "quit",         "nested back",   "futex start",
        "futex started", "futex loop",  "futex woke",  "futex waited", "sleeper next", "sleeper timed", "sleeper slept",
        "sleeper check", "seek",        "seek thread", "seek call",    "seek back",
    };
    return pc >= C_NEXT && pc - C_NEXT < sizeof names / sizeof names[0] ? names[pc - C_NEXT] : "?";
}

unsigned guest_threads(const struct guest_spec *spec)
{
    return spec->program == GUEST_SERVER && spec->threads > 1 ? spec->threads : 1;
}

void guest_registers(const struct guest_spec *spec, uint64_t x[32], uint64_t *pc)
{
    static const enum step start[GUEST_PROGRAMS] = {C_NEXT, S_LISTEN, S_LISTEN, S_LISTEN, F_START, Z_NEXT, K_START};
    uint64_t s[12] = {0};
    bool front = spec->program == GUEST_FRONT, nest = spec->program == GUEST_NEST;
    bool serves = spec->program == GUEST_SERVER || nest || front;
    if (serves) {
        s[1] = spec->get[0];
        s[2] = spec->get[1];
        s[3] = front ? 0 : guest_threads(spec);
        if (nest || front)
            memcpy(&s[8], &spec->cap, sizeof spec->cap);
    } else if (spec->program == GUEST_SEEKER) {
        s[1] = spec->get[0];
        s[2] = spec->get[1];
        s[3] = spec->threads;
    } else {
        s[0] = spec->program == GUEST_CLIENT ? spec->id : 0;
        s[2] = spec->count;
        s[3] = spec->seed;
        s[9] = spec->pause_ns;
    }
    if (spec->program == GUEST_CLIENT) {
        memcpy(&s[4], &spec->cap, sizeof spec->cap);
        s[8] = spec->max_len;
        s[10] = spec->work_ns;
    }
    memset(x, 0, 32 * sizeof x[0]);
    for (unsigned i = 0; i < 12; i++)
        x[i < 2 ? 8 + i : 16 + i] = s[i];
    *pc = start[spec->program];
}
