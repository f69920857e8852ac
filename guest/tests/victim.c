// SPDX-License-Identifier: BSD-2-Clause
// Does a little of everything that a program can do, with results known beforehand, and counts what is wrong, while
// somebody (shaker.c) stops it at random instants, takes its descriptor, and lets it go on from that. Two of it serve
// each other. Nothing here knows of that, or allows for it.
//
//   victim NAME OTHER      serves as NAME, calls OTHER, until it is told to stop; both with the same --meet
#include "guest/tests/victim.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/lib/rotifer.h"

static const char *name, *other;
static atomic_bool quiet, stopping;
static _Atomic uint32_t clients_left = VICTIM_CLIENTS;
static _Atomic uint64_t errors;

__attribute__((format(printf, 1, 2))) static void wrong(const char *format, ...)
{
    va_list ap;
    if (++errors > 20)
        return;
    stdio_lock();
    printf("victim %s: ", name);
    va_start(ap, format);
    vprintf(format, ap);
    va_end(ap);
    printf("\n");
    stdio_unlock();
}

// xorshift64* (Vigna 2014)
static uint64_t next(uint64_t *s)
{
    *s ^= *s >> 12;
    *s ^= *s << 25;
    *s ^= *s >> 27;
    return *s * 2685821657736338717u;
}

// Between two rounds. Mostly it sleeps: were all threads always ready, whoever stops them would wait for his turn.
static void rest(uint64_t *seed)
{
    uint64_t r = next(seed);
    if (r % 8 == 0)
        sys_yield();
    else
        sys_sleep(r % 3000000);
}

// --- Registers -------------------------------------------------------------------------------------------------------

// Each round holds a pattern in all registers of a kind while it counts down, enters the kernel or not, and looks
// whether all of them are as they were. Mostly short; now and then longer than a thread's turn on a hart.
static uint64_t spins(uint64_t *seed)
{
    uint64_t r = next(seed);
    return r % 512 == 0 ? 15000000 : r >> 10 & 0x3fff;
}

// clang-format off
#define ALL32(X) \
    X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) \
    X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) \
    X(16) X(17) X(18) X(19) X(20) X(21) X(22) X(23) \
    X(24) X(25) X(26) X(27) X(28) X(29) X(30) X(31)
// clang-format on
#define FLD(i) "fld f" #i ", 8*" #i "(%[in])\n\t"
#define FSD(i) "fsd f" #i ", 8*" #i "(%[out])\n\t"

static void float_registers(uint64_t *seed)
{
    uint64_t in[32], out[32], csr = next(seed) & 0x1f, seen, spin = spins(seed);
    uint64_t call = next(seed) & 1;
    static const uint8_t modes[] = {0, 1, 2, 3, 4}; // of rounding; 5 and 6 are reserved
    csr |= (uint64_t)modes[next(seed) % sizeof modes] << 5;
    for (int i = 0; i < 32; i++)
        in[i] = next(seed);
    __asm__ volatile("fscsr %[csr]\n\t" ALL32(FLD) "beqz %[call], 1f\n\t"
                                                   "li a7, 8\n\t" // SYS_YIELD
                                                   "ecall\n"
                                                   "1:\taddi %[spin], %[spin], -1\n\t"
                                                   "bgtz %[spin], 1b\n\t" ALL32(FSD) "frcsr %[seen]\n\t"
                                                                                     "fscsr zero"
                     : [seen] "=&r"(seen), [spin] "+r"(spin)
                     : [in] "r"(in), [out] "r"(out), [csr] "r"(csr), [call] "r"(call)
                     : "memory", "a0", "a7", "f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9", "f10", "f11",
                       "f12", "f13", "f14", "f15", "f16", "f17", "f18", "f19", "f20", "f21", "f22", "f23", "f24", "f25",
                       "f26", "f27", "f28", "f29", "f30", "f31");
    for (int i = 0; i < 32; i++)
        if (in[i] != out[i])
            wrong("f%d was %016lx, is %016lx", i, in[i], out[i]);
    if (seen != csr)
        wrong("fcsr was %lx, is %lx", csr, seen);
}

// Those that code compiled for this function does not need. x8 + i in turn: s0 is the frame's.
// clang-format off
#define HELD(X) \
    X(t1, 0) X(t2, 1) X(t3, 2) X(t4, 3) X(t5, 4) X(t6, 5) \
    X(a1, 6) X(a2, 7) X(a3, 8) X(a4, 9) X(a5, 10) X(a6, 11) \
    X(s2, 12) X(s3, 13) X(s4, 14) X(s5, 15) X(s6, 16) X(s7, 17) X(s8, 18) X(s9, 19) X(s10, 20) X(s11, 21)
// clang-format on
#define LD(r, i) "ld " #r ", 8*" #i "(a0)\n\t"
#define SD(r, i) "sd " #r ", 8*" #i "(a0)\n\t"
#define NAME(r, i) #r,

static void integer_registers(uint64_t *seed)
{
    uint64_t block[22 + 1], in[22];
    for (int i = 0; i < 22; i++)
        in[i] = block[i] = next(seed);
    register uint64_t t0 __asm__("t0") = spins(seed);
    register uint64_t *a0 __asm__("a0") = block;
    __asm__ volatile(HELD(LD) "1:\taddi t0, t0, -1\n\t"
                              "bgtz t0, 1b\n\t" HELD(SD)
                     : "+r"(t0), "+r"(a0)
                     :
                     : "memory", "t1", "t2", "t3", "t4", "t5", "t6", "a1", "a2", "a3", "a4", "a5", "a6", "s2", "s3",
                       "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11");
    static const char *const names[] = {HELD(NAME)};
    for (int i = 0; i < 22; i++)
        if (block[i] != in[i])
            wrong("%s was %016lx, is %016lx", names[i], in[i], block[i]);
}

static void registers(uint64_t *seed)
{
    float_registers(seed);
    integer_registers(seed);
    rest(seed);
}

// --- Arithmetic ------------------------------------------------------------------------------------------------------

// 1/3 in each rounding mode: to nearest, to zero, down, up, to nearest with ties away.
static const uint64_t thirds[] = {0x3fd5555555555555, 0x3fd5555555555555, 0x3fd5555555555555, 0x3fd5555555555556,
                                  0x3fd5555555555555};

static void arithmetic(uint64_t *seed)
{
    uint64_t mode = next(seed) % 5, got;
    double one = 1, three = 3, third;
    __asm__ volatile("fsrm %1" : "=r"(got) : "r"(mode));
    for (int i = 0; i < 50; i++) {
        __asm__ volatile("fdiv.d %0, %1, %2" : "=f"(third) : "f"(one), "f"(three));
        memcpy(&got, &third, sizeof got);
        if (got != thirds[mode])
            wrong("1/3 is %016lx with rounding mode %lu", got, mode);
    }
    __asm__ volatile("fsrm zero");
    // The sum of the first n squares, and pi^2/6 from both ends.
    uint64_t n = 100 + next(seed) % 400, squares = 0;
    double up = 0, down = 0;
    for (uint64_t i = 1; i <= n; i++) {
        squares += i * i;
        up += 1.0 / ((double)i * (double)i);
        double j = (double)(n + 1 - i);
        down += 1.0 / (j * j);
    }
    if (squares != n * (n + 1) * (2 * n + 1) / 6)
        wrong("the first %lu squares add up to %lu", n, squares);
    if (up - down > 1e-12 || down - up > 1e-12 || up > 1.6449340668482264)
        wrong("a series is %.17g from one end and %.17g from the other", up, down);
    rest(seed);
}

// --- Memory ----------------------------------------------------------------------------------------------------------

enum { BLOCKS = 24 };

static void allocate(uint64_t *seed)
{
    static struct {
        uint64_t *at, words, pattern;
    } block[BLOCKS]; // of this one thread
    unsigned i = next(seed) % BLOCKS;
    for (uint64_t w = 0; w < block[i].words; w++)
        if (block[i].at[w] != block[i].pattern + w) {
            wrong("word %lu of a block of %lu changed", w, block[i].words);
            break;
        }
    free(block[i].at);
    block[i].words = 1 + next(seed) % 600;
    block[i].pattern = next(seed);
    block[i].at = malloc(block[i].words * sizeof(uint64_t));
    if (!block[i].at) {
        wrong("no memory for %lu words", block[i].words);
        block[i].words = 0;
    }
    for (uint64_t w = 0; w < block[i].words; w++)
        block[i].at[w] = block[i].pattern + w;
    if (i < 4)
        rest(seed);
}

static void map(uint64_t *seed)
{
    uint64_t pages = 1 + next(seed) % 8, pattern = next(seed);
    int64_t at = sys_map(0, pages * 4096, MAP_READ | MAP_WRITE);
    if (at < 0) {
        wrong("map: %s", error_string(at));
        return;
    }
    volatile uint64_t *word = (volatile uint64_t *)at;
    for (uint64_t p = 0; p < pages; p++) {
        if (word[512 * p] != 0)
            wrong("new memory is not zero");
        word[512 * p] = pattern ^ p;
    }
    rest(seed);
    for (uint64_t p = 0; p < pages; p++)
        if (word[512 * p] != (pattern ^ p))
            wrong("page %lu of a new mapping changed", p);
    int64_t e = sys_unmap((uint64_t)at);
    if (e < 0)
        wrong("unmap: %s", error_string(e));
}

// --- Monitors --------------------------------------------------------------------------------------------------------

static struct {
    struct mutex mutex;
    struct cond not_full, not_empty;
    uint64_t slot[4], put, got; // counts; slot[i % 4]
} buffer;

static void put(uint64_t *seed)
{
    (void)seed;
    mutex_lock(&buffer.mutex);
    while (buffer.put - buffer.got == 4)
        if (cond_wait_timeout(&buffer.not_full, &buffer.mutex, 60000) < 0)
            wrong("a consumer did nothing for a minute");
    buffer.slot[buffer.put % 4] = buffer.put * buffer.put;
    buffer.put++;
    cond_signal(&buffer.not_empty);
    mutex_unlock(&buffer.mutex);
}

static void get(uint64_t *seed)
{
    mutex_lock(&buffer.mutex);
    while (buffer.put == buffer.got && !stopping)
        cond_wait(&buffer.not_empty, &buffer.mutex);
    if (buffer.put != buffer.got) {
        if (buffer.slot[buffer.got % 4] != buffer.got * buffer.got)
            wrong("item %lu of the buffer is %lu", buffer.got, buffer.slot[buffer.got % 4]);
        buffer.got++;
        cond_signal(&buffer.not_full);
    }
    mutex_unlock(&buffer.mutex);
    if (buffer.got % 4 == 0)
        rest(seed);
}

static struct sem ping_sem, pong_sem;
static uint64_t ball; // written by ping in even turns, by pong in odd ones

static void ping(uint64_t *seed)
{
    if (ball++ % 2)
        wrong("ping out of turn");
    sem_up(&pong_sem);
    sem_down(&ping_sem);
    rest(seed);
}

static void pong(uint64_t *seed)
{
    (void)seed;
    sem_down(&pong_sem);
    if (ball++ % 2 == 0 && !stopping)
        wrong("pong out of turn");
    sem_up(&ping_sem);
}

// --- Time ------------------------------------------------------------------------------------------------------------

static void doze(uint64_t *seed)
{
    static struct cond never;
    static struct mutex mutex;
    uint64_t ns = next(seed) % 8000000, before = clock_ns();
    if (ns % 2) {
        sleep_ns(ns);
    } else {
        ns = 1000000 * (1 + ns / 2000000);
        mutex_lock(&mutex);
        if (cond_wait_timeout(&never, &mutex, ns / 1000000) != -E_TIMEOUT)
            wrong("a wait for nothing ended before its time");
        mutex_unlock(&mutex);
    }
    uint64_t after = clock_ns();
    if (after < before || after - before < ns)
        wrong("slept for %lu ns from %lu to %lu", ns, before, after);
}

// --- Calling ---------------------------------------------------------------------------------------------------------

static struct cap other_cap;

struct client {
    unsigned number;
    uint64_t count;
    uint8_t *out, *back;
};

static void add(struct client *c, uint64_t *seed, uint64_t timeout_ms)
{
    const uint64_t a = next(seed), b = next(seed);
    const uint64_t args[4] = {a, b, c->number, ++c->count};
    struct trans_result r = {0};
    int64_t e = trans_timeout(&other_cap, VICTIM_ADD, args, NULL, 0, NULL, 0, timeout_ms, &r);
    if (e < 0)
        wrong("call %lu of client %u: %s", c->count, c->number, error_string(e));
    else if (r.res[0] != a + b || r.res[1] != a * b || r.res[2] != c->count || r.reply_len)
        wrong("call %lu of client %u: wrong answer", c->count, c->number);
}

static void turn(struct client *c, uint64_t *seed)
{
    static const uint64_t most[] = {16, 5000, 20000, VICTIM_BYTES_MAX};
    uint64_t len = next(seed) % most[next(seed) % 64 ? next(seed) % 3 : 3], sum = 0;
    const uint64_t key = next(seed) & 0xff, args[4] = {key, 0, c->number, ++c->count};
    struct trans_result r = {0};
    for (uint64_t i = 0; i < len; i += 1 + i / 64) // every byte of the first, then fewer
        c->out[i] = (uint8_t)next(seed);
    for (uint64_t i = 0; i < len; i++)
        sum += c->out[i];
    memset(c->back, 0, len);
    int64_t e = trans(&other_cap, VICTIM_TURN, args, c->out, len, c->back, VICTIM_BYTES_MAX, &r);
    if (e < 0) {
        wrong("call %lu with %lu bytes: %s", c->count, len, error_string(e));
        return;
    }
    if (r.reply_len != len || r.res[0] != sum)
        wrong("call %lu with %lu bytes: %lu came back", c->count, len, r.reply_len);
    for (uint64_t i = 0; i < len; i++)
        if (c->back[i] != (c->out[i] ^ key)) {
            wrong("call %lu: byte %lu of %lu is wrong", c->count, i, len);
            break;
        }
}

static _Atomic uint64_t called[VICTIM_CLIENTS];

static void *client(void *arg)
{
    struct client c = {.number = (unsigned)(uintptr_t)arg};
    uint64_t seed = 77 + c.number;
    c.out = calloc(2, VICTIM_BYTES_MAX);
    c.back = c.out + VICTIM_BYTES_MAX;
    while (c.out && !quiet) {
        if (c.number == 0)
            add(&c, &seed, 0);
        else if (c.number == 1)
            add(&c, &seed, 60000);
        else
            turn(&c, &seed);
        if (++called[c.number] % 4 == 0)
            rest(&seed);
    }
    if (!c.out)
        wrong("no memory for a client");
    free(c.out);
    clients_left--;
    return NULL;
}

// Of the kernel: a service there answers.
static void look_up(uint64_t *seed)
{
    struct cap cap;
    int64_t e = dir_lookup(NULL, next(seed) & 1 ? other : "no such name", &cap);
    if (e == 0 ? memcmp(&cap, &other_cap, sizeof cap) != 0 : e != -E_NAME)
        wrong("look up: %s", error_string(e));
    rest(seed);
}

// --- Serving ---------------------------------------------------------------------------------------------------------

static int64_t handle;
static struct mutex served_mutex;
static uint64_t served[VICTIM_CLIENTS];
static struct sem told_to_stop;

// Each call is executed once: the clients count theirs, and none makes a second before the first is answered.
static void note(const struct request *req)
{
    uint64_t who = req->args[2];
    if (who >= VICTIM_CLIENTS) {
        wrong("a call from client %lu", who);
        return;
    }
    mutex_lock(&served_mutex);
    if (req->args[3] != served[who] + 1)
        wrong("call %lu of client %lu was executed after %lu", req->args[3], who, served[who]);
    served[who] = req->args[3];
    mutex_unlock(&served_mutex);
}

static int64_t serve(const struct request *req, uint8_t *bytes)
{
    uint64_t res[4] = {0};
    switch (req->op) {
    case VICTIM_ADD:
        note(req);
        res[0] = req->args[0] + req->args[1];
        res[1] = req->args[0] * req->args[1];
        res[2] = req->args[3];
        return putrep(0, NULL, 0, res);
    case VICTIM_TURN:
        note(req);
        for (uint64_t i = 0; i < req->len; i++) {
            res[0] += bytes[i];
            bytes[i] ^= (uint8_t)req->args[0];
        }
        return putrep(0, bytes, req->len, res);
    case VICTIM_QUIET:
        quiet = true;
        res[0] = clients_left;
        return putrep(0, NULL, 0, res);
    case VICTIM_STOP: {
        int64_t e = putrep(0, NULL, 0, NULL);
        sem_up(&told_to_stop);
        return e;
    }
    default: return putrep(-E_OP, NULL, 0, NULL);
    }
}

static void *server(void *arg)
{
    uint8_t *bytes = malloc(VICTIM_BYTES_MAX);
    (void)arg;
    if (!bytes)
        wrong("no memory for a server");
    while (bytes) {
        struct request req;
        int64_t e = getreq(1ull << handle, bytes, VICTIM_BYTES_MAX, 0, &req);
        if (e == 0)
            e = serve(&req, bytes);
        if (e < 0)
            wrong("serving: %s", error_string(e));
    }
    return NULL;
}

// --- All of it -------------------------------------------------------------------------------------------------------

static struct work {
    const char *what;
    void (*round)(uint64_t *seed);
    struct thread *thread;
    uint64_t rounds;
} works[] = {
    {.what = "registers", .round = registers},
    {.what = "arithmetic", .round = arithmetic},
    {.what = "malloc", .round = allocate},
    {.what = "map", .round = map},
    {.what = "put", .round = put},
    {.what = "get", .round = get},
    {.what = "ping", .round = ping},
    {.what = "pong", .round = pong},
    {.what = "sleep", .round = doze},
    {.what = "look up", .round = look_up},
};
#define WORKS (sizeof works / sizeof *works)

static void *work(void *arg)
{
    struct work *w = arg;
    uint64_t seed = 1000 + (uint64_t)(w - works);
    while (!stopping) {
        w->round(&seed);
        w->rounds++;
    }
    return NULL;
}

// They stop at different points of their rounds: so that nobody waits for a partner who has gone.
static void release_all(void)
{
    stopping = true;
    sem_up(&ping_sem);
    sem_up(&pong_sem);
    mutex_lock(&buffer.mutex);
    buffer.got = buffer.put; // room for what the producer has still to put
    cond_broadcast(&buffer.not_empty);
    cond_broadcast(&buffer.not_full);
    mutex_unlock(&buffer.mutex);
}

static int find_other(void)
{
    for (int i = 0; i < 30000; i++) {
        if (dir_lookup(NULL, other, &other_cap) == 0)
            return 0;
        sleep_ms(1);
    }
    printf("victim: %s did not come\n", other);
    return -1;
}

static int begin(void)
{
    struct port put;
    uint8_t key[CAP_KEY_BYTES];
    handle = port_listen(port_random(), &put);
    sys_random(key, sizeof key);
    struct cap cap = cap_make(put, 0, RIGHT_ALL, key);
    int64_t e = handle < 0 ? handle : dir_enter(NULL, name, &cap);
    if (e < 0) {
        printf("victim: %s\n", error_string(e));
        return -1;
    }
    for (int i = 0; i < 2; i++)
        if (!thread_create(server, NULL, 0))
            return -1;
    return find_other();
}

static int report(void)
{
    for (size_t i = 0; i < WORKS; i++) {
        printf("victim %s: %s: %lu\n", name, works[i].what, works[i].rounds);
        if (works[i].rounds == 0)
            wrong("%s: nothing was done", works[i].what);
    }
    for (int i = 0; i < VICTIM_CLIENTS; i++) {
        printf("victim %s: client %d: %lu calls made, %lu served\n", name, i, (unsigned long)called[i], served[i]);
        if (called[i] == 0 || served[i] == 0)
            wrong("client %d: nothing was done", i);
    }
    printf("victim %s: %lu errors\n", name, (unsigned long)errors);
    return errors ? 1 : 0;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: victim NAME OTHER\n");
        return 2;
    }
    name = argv[1];
    other = argv[2];
    if (begin() < 0)
        return 1;
    for (unsigned i = 0; i < VICTIM_CLIENTS; i++)
        if (!thread_create(client, (void *)(uintptr_t)i, 0))
            wrong("no thread for a client");
    for (size_t i = 0; i < WORKS; i++)
        if (!(works[i].thread = thread_create(work, &works[i], 0)))
            wrong("no thread for %s", works[i].what);
    printf("victim %s: ready\n", name);
    sem_down(&told_to_stop);
    release_all();
    for (size_t i = 0; i < WORKS; i++)
        if (works[i].thread)
            thread_join(works[i].thread);
    dir_remove(NULL, name);
    return report();
}
