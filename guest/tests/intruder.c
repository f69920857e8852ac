// SPDX-License-Identifier: BSD-2-Clause
// One of several programs that do not trust each other (test/ring/integrity.py). Each has things of its own, some of
// which the others may read: memory, registers, segments, an object that it serves. Each tries at random to get at what
// it was not given: by forged, widened, restricted and stale capabilities, by orders to processes, by descriptors. Each
// attempt must be refused, and at the end everything must be as it was.
//
//   intruder INDEX PROGRAMS CALLS SEED [FILE]
//
// with --meet (the same for all), --grant proc --grant node --grant dir --grant seg:create. It prints a line for each
// hole that it finds, and at the end "intruder INDEX: N calls, H holes".
#include <stdlib.h>

#include "guest/tests/dice.h"
#include "guest/tests/evil.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define PROGRAMS_MAX 16u
#define CALL_MS 20000
#define SECRET_WORDS 8192u
#define OP_TELL 200u   // of the object that each serves: needs READ
#define OP_CHANGE 201u // needs CONTROL, which is never given away

static unsigned self_index, programs;
static uint64_t calls, holes;
static struct dice dice;

// --- What came of it -----------------------------------------------------------------------------------------------

#define ERROR(e) (1ull << (e))
// The capability is refused, or what it names has ended.
#define FALSE_CAP (ERROR(E_CAP) | ERROR(E_OBJECT) | ERROR(E_NOTHERE) | ERROR(E_DIED))
#define NO_RIGHT (ERROR(E_RIGHTS) | ERROR(E_OBJECT) | ERROR(E_NOTHERE) | ERROR(E_DIED))

static void hole(const char *what, int64_t status)
{
    if (holes++ < 5)
        printf("intruder %u: HOLE: %s: %s\n", self_index, what, outcome(status));
}

static void refused(const char *what, int64_t status, uint64_t allowed)
{
    if (status >= 0 || !(allowed >> -status & 1))
        hole(what, status);
}

static int64_t call(const struct cap *cap, uint32_t op, const uint64_t args[4], const void *req, size_t len, void *rep,
                    size_t room)
{
    calls++;
    return trans_timeout(cap, op, args, req, len, rep, room, CALL_MS, NULL);
}

static int64_t bare(const struct cap *cap, uint32_t op)
{
    return call(cap, op, NULL, NULL, 0, NULL, 0);
}

// --- What it has ---------------------------------------------------------------------------------------------------

static uint64_t memory[SECRET_WORDS];
static struct cap proc, node, dir, seg, meet, tty, file; // given
static struct cap private_seg, public_seg, object;       // its own; of the last two others get READ
static uint8_t object_key[CAP_KEY_BYTES];
static struct port object_port;
static int64_t object_handle;
static _Atomic uint32_t changed; // others have changed the object
static char status_before[512];

static uint64_t secret(unsigned index, uint64_t i)
{
    return (index + 1) * 0x9e3779b97f4a7c15u + i * 0xbf58476d1ce4e5b9u;
}

static void fill(uint64_t *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        words[i] = secret(self_index, i);
}

static bool is_of(const uint64_t *words, size_t count, unsigned index)
{
    for (size_t i = 0; i < count; i++)
        if (words[i] != secret(index, i))
            return false;
    return true;
}

static void *serve(void *arg)
{
    static char room[PAGE];
    struct request r;
    (void)arg;
    while (getreq(1ull << object_handle, room, sizeof room, 0, &r) == 0) {
        int64_t e = request_check(&r, object_port, object_key, r.op == OP_CHANGE ? RIGHT_CONTROL : RIGHT_READ);
        if (e == 0 && r.op == OP_CHANGE)
            changed = 1;
        const uint64_t res[4] = {self_index};
        (void)putrep(e == 0 && r.op != OP_TELL && r.op != OP_CHANGE ? -E_OP : e, NULL, 0, res);
    }
    return NULL;
}

static void must(int64_t status, const char *what)
{
    if (status >= 0)
        return;
    printf("intruder %u: cannot begin: %s: %s\n", self_index, what, error_string(status));
    exit(2);
}

static struct cap make_segment(void)
{
    static uint64_t page[PAGE / sizeof(uint64_t)];
    struct cap c;
    fill(page, COUNT(page));
    must(call(&seg, OP_SEG_CREATE, (const uint64_t[4]){PAGE}, NULL, 0, &c, sizeof c), "segment");
    must(call(&c, OP_WRITE, NULL, page, sizeof page, NULL, 0), "contents");
    return c;
}

static void check_segment(const struct cap *c, const char *what)
{
    static uint64_t page[PAGE / sizeof(uint64_t)];
    int64_t e = call(c, OP_READ, (const uint64_t[4]){0, PAGE}, NULL, 0, page, sizeof page);
    if (e < 0 || !is_of(page, COUNT(page), self_index))
        hole(what, e);
}

// --- Other processes, and itself -----------------------------------------------------------------------------------

static struct proc_entry processes[64];
static size_t nprocesses;

static void list_processes(void)
{
    struct trans_result r = {0};
    calls++;
    int64_t e = trans_timeout(&proc, OP_PROC_LIST, NULL, NULL, 0, processes, sizeof processes, CALL_MS, &r);
    nprocesses = e < 0 ? 0 : r.reply_len / sizeof processes[0];
}

// What others could have changed of it: the lines that tell its owner, its priority and its limit.
static void own_status(char text[512])
{
    static char all[65536];
    struct self self;
    sys_self(&self);
    list_processes();
    text[0] = 0;
    for (size_t i = 0; i < nprocesses; i++)
        if (processes[i].ep == self.endpoint)
            (void)cap_status(&processes[i].cap, all, sizeof all);
    for (char *line = strtok(all, "\n"); line; line = strtok(NULL, "\n"))
        if (strstr(line, "owner") || strstr(line, "priority") || strstr(line, "limit") || strstr(line, "granted"))
            strncat(text, line, 511 - strlen(text));
}

// --- Others' things ------------------------------------------------------------------------------------------------

static struct cap others_seg[PROGRAMS_MAX], others_object[PROGRAMS_MAX];

static void publish(const char *kind, unsigned index, const struct cap *c)
{
    char name[16];
    snprintf(name, sizeof name, "%s%u", kind, index);
    must(dir_enter(NULL, name, c), name);
}

static bool find(const char *kind, unsigned index, struct cap *c)
{
    char name[16];
    snprintf(name, sizeof name, "%s%u", kind, index);
    return dir_lookup(NULL, name, c) == 0;
}

static void wait_for_all(const char *kind, struct cap found[PROGRAMS_MAX])
{
    for (unsigned i = 0, tries = 0; i < programs; i++)
        while (!find(kind, i, &found[i])) {
            if (tries++ > 60000)
                must(-E_TIMEOUT, kind);
            sleep_ms(5);
        }
}

static void set_up(const char *file_name)
{
    char name[40];
    struct cap weak;
    must(startup_cap("proc", &proc), "proc");
    must(startup_cap("node", &node), "node");
    must(startup_cap("dir", &dir), "dir");
    must(startup_cap("seg", &seg), "seg");
    must(startup_cap("meet", &meet), "meet");
    must(startup_cap("tty", &tty), "tty");
    snprintf(name, sizeof name, "file:%s", file_name);
    if (file_name[0])
        must(startup_cap(name, &file), name);
    fill(memory, COUNT(memory));
    private_seg = make_segment();
    public_seg = make_segment();
    sys_random(object_key, sizeof object_key);
    object_handle = port_listen(port_random(), &object_port);
    must(object_handle, "port");
    object = cap_make(object_port, 1 + self_index, RIGHT_ALL, object_key);
    if (!thread_create(serve, NULL, 0))
        must(-E_MEM, "thread");
    must(cap_restrict(&public_seg, RIGHT_READ, &weak), "restrict");
    publish("s", self_index, &weak);
    weak = cap_make(object_port, 1 + self_index, RIGHT_READ, object_key);
    publish("o", self_index, &weak);
    wait_for_all("s", others_seg);
    wait_for_all("o", others_object);
    own_status(status_before);
}

// --- Attempts ------------------------------------------------------------------------------------------------------

static unsigned another(void)
{
    return (self_index + 1 + (unsigned)below(&dice, programs - 1)) % programs;
}

// A capability that it has, of whatever kind.
static const struct cap *any_cap(void)
{
    const struct cap *const fixed[] = {&proc, &node,        &dir,        &seg,    &meet,
                                       &tty,  &private_seg, &public_seg, &object, file.port.w[0] ? &file : &tty};
    switch (below(&dice, 4)) {
    case 0: return &others_seg[another()];
    case 1: return &others_object[another()];
    case 2: return nprocesses ? &processes[below(&dice, nprocesses)].cap : &proc;
    default: return fixed[below(&dice, COUNT(fixed))];
    }
}

static const uint32_t any_op[] = {OP_INFO,      OP_STATUS,      OP_RESTRICT,    OP_DESTROY,    OP_READ,
                                  OP_WRITE,     OP_SIZE,        OP_ROTATE,      OP_SEG_CREATE, OP_SEG_MARK,
                                  OP_PROC_STUN, OP_PROC_RESUME, OP_PROC_GET,    OP_DIR_LOOKUP, OP_DIR_ENTER,
                                  OP_DIR_MEET,  OP_NODE_STOP,   OP_NODE_STATUS, OP_CHANGE,     OP_TELL};

static const char bytes[64];

// 96 bits of check field, 8 of rights, 24 of object number: whichever are turned. The port is left as it is: a wrong
// one is nobody's, and to look for it takes the ring seconds.
static void forged(void)
{
    const struct cap *genuine = any_cap();
    struct cap c = *genuine;
    for (uint64_t n = 1 + below(&dice, 3); n > 0; n--) {
        unsigned bit = 128 + (unsigned)below(&dice, 128);
        ((uint8_t *)&c)[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    if (memcmp(&c, genuine, sizeof c) == 0) // turned and turned back
        return;
    static char reply[4096];
    uint32_t op = any_op[below(&dice, COUNT(any_op))];
    const uint64_t args[4] = {0, below(&dice, 64)};
    refused("forged", call(&c, op, args, bytes, below(&dice, sizeof bytes), reply, sizeof reply),
            FALSE_CAP | ERROR(E_OP));
}

static void widened(void)
{
    const struct cap *const weak[] = {&proc, &node, &dir, &meet, &others_seg[another()], &others_object[another()]};
    struct cap c =
        nprocesses && below(&dice, 3) == 0 ? processes[below(&dice, nprocesses)].cap : *weak[below(&dice, COUNT(weak))];
    uint32_t lacks = ~c.obj_rights & RIGHT_ALL & (uint32_t)(1 + below(&dice, 255));
    if (lacks == 0)
        return;
    c.obj_rights |= lacks;
    refused("widened", bare(&c, below(&dice, 2) ? OP_INFO : OP_ROTATE), FALSE_CAP | ERROR(E_OP));
}

static void restricted(void)
{
    struct cap c, again;
    uint32_t keep = below(&dice, 2) ? RIGHT_READ : 0;
    calls += 2;
    if (cap_restrict(&private_seg, keep, &c) < 0 || (c.obj_rights & RIGHT_ALL) != keep)
        hole("restricted to less", 0);
    if (cap_restrict(&c, RIGHT_ALL, &again) < 0 || (again.obj_rights & RIGHT_ALL) != keep)
        hole("restricted to more", 0);
    refused("write what is to read", call(&c, OP_WRITE, NULL, bytes, sizeof bytes, NULL, 0), ERROR(E_RIGHTS));
    refused("mark what is to read", bare(&c, OP_SEG_MARK), ERROR(E_RIGHTS));
    refused("destroy what is to read", bare(&c, OP_DESTROY), ERROR(E_RIGHTS));
    if (keep == 0)
        refused("read what is to nothing", bare(&c, OP_SIZE), ERROR(E_RIGHTS));
    c = others_seg[another()];
    refused("write to another's segment", call(&c, OP_WRITE, NULL, bytes, sizeof bytes, NULL, 0), NO_RIGHT);
    refused("destroy another's segment", bare(&c, OP_DESTROY), NO_RIGHT);
    refused("take another's segment", bare(&c, OP_ROTATE), NO_RIGHT);
    refused("change another's object", bare(&others_object[another()], OP_CHANGE), NO_RIGHT);
}

static void stale(void)
{
    struct cap c = make_segment(), fresh;
    calls++;
    if (cap_rotate(&c, &fresh) < 0)
        hole("rotate its own", 0);
    refused("read by what was withdrawn", bare(&c, OP_SIZE), ERROR(E_CAP));
    refused("write by what was withdrawn", call(&c, OP_WRITE, NULL, bytes, sizeof bytes, NULL, 0), ERROR(E_CAP));
    check_segment(&fresh, "what was rotated");
    (void)bare(&fresh, OP_DESTROY);
    refused("read what was destroyed", bare(&fresh, OP_SIZE), ERROR(E_OBJECT) | ERROR(E_CAP));
}

static void order(void)
{
    static const uint32_t ops[] = {OP_PROC_STUN,      OP_PROC_RESUME,       OP_PROC_GET,         OP_PROC_MIGRATE,
                                   OP_PROC_SET,       OP_PROC_SET_LIMIT,    OP_PROC_SET_COMMENT, OP_PROC_SET_OWNER,
                                   OP_PROC_SET_OWNER, OP_PROC_SET_PRIORITY, OP_DESTROY,          OP_ROTATE};
    static char reply[PAGE];
    if (nprocesses == 0 || below(&dice, 50) == 0)
        list_processes();
    if (nprocesses == 0)
        return;
    uint32_t op = ops[below(&dice, COUNT(ops))];
    const uint64_t args[4] = {1 + below(&dice, 7)};
    const struct cap *to = op == OP_PROC_SET_OWNER ? &object : &proc; // or where a process is to go
    refused("order to a process",
            call(&processes[below(&dice, nprocesses)].cap, op, args, to, sizeof *to, reply, sizeof reply), NO_RIGHT);
}

static void descriptor(void)
{
    static const uint32_t ops[] = {OP_PROC_EXEC, OP_PROC_OFFER, OP_PROC_COMMIT, OP_PROC_ABORT};
    struct descriptor d;
    struct plan plan = {.name = "intruded"};
    struct cap c;
    if (nprocesses && below(&dice, 2)) // under the endpoint of another
        plan.ep = processes[below(&dice, nprocesses)].ep;
    describe(&d, &plan);
    if (below(&dice, 2))
        d.bytes[below(&dice, d.len)] ^= (unsigned char)(1u << below(&dice, 8));
    const uint64_t args[4] = {roll(&dice), roll(&dice)};
    refused("descriptor", call(&proc, ops[below(&dice, COUNT(ops))], args, d.bytes, d.len, &c, sizeof c), NO_RIGHT);
}

// To read another's public segment is allowed, and to write to a copy: the segment itself must not show it.
static void mapped(void)
{
    unsigned whose = another();
    uint64_t elsewhere = ERROR(E_NOTHERE) | ERROR(E_OBJECT);
    calls += 2;
    int64_t at = sys_map_cap(&others_seg[whose], 0, 0, 0, MAP_READ | MAP_WRITE);
    refused("map another's segment to write", at, ERROR(E_RIGHTS) | elsewhere);
    if (at > 0) { // so that it is seen, too
        *(volatile uint64_t *)at = 0;
        (void)sys_unmap((uint64_t)at);
    }
    at = sys_map_cap(&others_seg[whose], 0, 0, 0, MAP_READ | MAP_WRITE | MAP_COPY);
    if (at <= 0)
        return;
    if (!is_of((const uint64_t *)at, PAGE / sizeof(uint64_t), whose))
        hole("another's segment is changed", 0);
    memset((void *)at, 0x55, PAGE);
    (void)sys_unmap((uint64_t)at);
}

static void directory(void)
{
    static const char *const names[] = {"node", "proc", "seg", "console", "bootfs"};
    const char *name = names[below(&dice, COUNT(names))];
    struct cap c, m;
    calls += 3;
    if (dir_lookup(&dir, name, &c) < 0 || (c.obj_rights & RIGHT_ALL & ~RIGHT_READ)) {
        hole("more than to read from a directory that it may read", 0);
        return; // what comes now would end the node, and with it whoever could tell
    }
    refused("enter in the boot directory", dir_enter(&dir, name, &object), NO_RIGHT);
    refused("remove from the boot directory", dir_remove(&dir, name), NO_RIGHT);
    refused("make a meeting", call(&dir, OP_DIR_MEET, NULL, "x", 1, &m, sizeof m), NO_RIGHT);
    refused("destroy a service", bare(&c, OP_DESTROY), NO_RIGHT);
    refused("take a service", bare(&c, OP_ROTATE), NO_RIGHT | ERROR(E_OP));
    refused("switch the node off", bare(&node, OP_NODE_STOP), NO_RIGHT);
    m = meet;
    m.obj_rights ^= (uint32_t)(1 + below(&dice, 40)) << 8; // another meeting
    refused("look into another meeting", dir_lookup(&m, "sums", &c), FALSE_CAP);
}

static void devices(void)
{
    struct cap c = below(&dice, 2) || !file.port.w[0] ? tty : file;
    uint32_t turn = 1 + (uint32_t)below(&dice, 60);
    refused("steer a terminal", bare(&tty, below(&dice, 2) ? OP_CONSOLE_TYPE : OP_CONSOLE_FRONT),
            NO_RIGHT | ERROR(E_OP));
    c.obj_rights ^= turn << 8; // another file, or another's terminal
    refused("write to another's", call(&c, OP_WRITE, NULL, "intruded\n", 9, NULL, 0), FALSE_CAP | ERROR(E_OP));
    if (file.port.w[0])
        refused("write to a file", call(&file, OP_WRITE, NULL, bytes, sizeof bytes, NULL, 0), NO_RIGHT | ERROR(E_OP));
}

// --- Registers: each has a value of its own while others run on this hart ------------------------------------------

static void registers(void)
{
    uint64_t pattern = roll(&dice), wrong = 0;
    __asm__ volatile(".irp n, 2,3,4,5,6,7,8,9,10,11\n addi s\\n, %1, \\n\n .endr\n"
                     ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
                     " addi t1, %1, \\n\n fmv.d.x f\\n, t1\n .endr\n"
                     " li t0, 20000\n"
                     "1: addi t0, t0, -1\n bnez t0, 1b\n"
                     ".irp n, 2,3,4,5,6,7,8,9,10,11\n addi t1, %1, \\n\n xor t1, t1, s\\n\n or %0, %0, t1\n .endr\n"
                     ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
                     " fmv.x.d t1, f\\n\n addi t2, %1, \\n\n xor t1, t1, t2\n or %0, %0, t1\n .endr\n"
                     : "+&r"(wrong)
                     : "r"(pattern)
                     : "t0", "t1", "t2", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "f0", "f1", "f2",
                       "f3", "f4", "f5", "f6", "f7", "f8", "f9", "f10", "f11", "f12", "f13", "f14", "f15", "f16", "f17",
                       "f18", "f19", "f20", "f21", "f22", "f23", "f24", "f25", "f26", "f27", "f28", "f29", "f30",
                       "f31");
    if (wrong)
        hole("a register is changed", 0);
}

static void own_things(void)
{
    if (!is_of(memory, COUNT(memory), self_index))
        hole("its memory is changed", 0);
    check_segment(&private_seg, "its segment is changed");
    check_segment(&public_seg, "its public segment is changed");
    if (changed)
        hole("its object is changed", 0);
    registers();
}

static void at_the_end(void)
{
    static char status[512];
    own_things();
    own_status(status);
    if (strcmp(status, status_before) != 0) {
        hole("its owner, priority or limit is changed", 0);
        printf("intruder %u: was %s, is %s\n", self_index, status_before, status);
    }
}

int main(int argc, char **argv)
{
    static void (*const attempts[])(void) = {forged, forged,     forged, widened,   restricted, stale,
                                             order,  descriptor, mapped, directory, devices};
    static struct cap done[PROGRAMS_MAX];
    self_index = argc > 4 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
    programs = argc > 4 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
    if (programs < 2 || programs > PROGRAMS_MAX || self_index >= programs) {
        fprintf(stderr, "usage: intruder INDEX PROGRAMS CALLS SEED [FILE]\n");
        return 2;
    }
    uint64_t most = strtoull(argv[3], NULL, 10);
    dice.x = (strtoull(argv[4], NULL, 10) * PROGRAMS_MAX + self_index) * 2 + 1;
    set_up(argc > 5 ? argv[5] : "");
    for (uint64_t turn = 0; calls < most; turn++) {
        attempts[below(&dice, COUNT(attempts))]();
        if (turn % 64 == 0)
            own_things();
    }
    publish("d", self_index, &object);
    wait_for_all("d", done); // till then others try
    at_the_end();
    (void)bare(&private_seg, OP_DESTROY);
    (void)bare(&public_seg, OP_DESTROY);
    printf("intruder %u: %lu calls, %lu holes\n", self_index, calls, holes);
    return holes != 0;
}
