// SPDX-License-Identifier: BSD-2-Clause
// An owner that is a program like any other: it adopts processes (owned.c), is told of their faults by the kernel, says
// what it heard, and answers: end, go on changed, stay.
//
//   owner NAME      serves under NAME where it meets others (--meet), until it is killed;
//                   --grant proc:read,control,destroy
#include "guest/tests/owner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/desc_format.h"
#include "guest/lib/rotifer.h"
#include "services/protocol.h"

enum { CHILDREN = 32, EVENT = CHILDREN + 1, DESC_ROOM = 64 * 1024 };

static struct child {
    char what[16];
    uint64_t pid, asked;
    struct cap cap;
} child[CHILDREN];
static unsigned children;
static struct port put_port;
static uint8_t key[CAP_KEY_BYTES];
static _Alignas(8) uint8_t desc[DESC_ROOM];
static uint64_t desc_len;

static int64_t find(uint64_t pid, struct cap *out)
{
    static struct proc_entry list[64];
    struct trans_result r;
    struct cap proc;
    int64_t e = startup_cap("proc", &proc);
    if (e == 0)
        e = trans(&proc, OP_PROC_LIST, NULL, NULL, 0, list, sizeof list, &r);
    for (size_t i = 0; e == 0 && i < r.reply_len / sizeof list[0]; i++)
        if (list[i].pid == pid) {
            *out = list[i].cap;
            return 0;
        }
    return e < 0 ? e : -E_OBJECT;
}

static int64_t adopt(const struct request *req, const char *what)
{
    struct child *c = &child[children % CHILDREN];
    *c = (struct child){.pid = req->args[0]};
    memcpy(c->what, what, req->len < sizeof c->what ? req->len : sizeof c->what - 1);
    struct cap owner = cap_make(put_port, 1 + children % CHILDREN, RIGHT_CONTROL, key);
    int64_t e = find(c->pid, &c->cap);
    if (e == 0)
        e = trans(&c->cap, OP_PROC_SET_OWNER, NULL, &owner, sizeof owner, NULL, 0, NULL);
    children += e == 0;
    return e;
}

// --- The descriptor of a child ---------------------------------------------------------------------------------------

static int64_t fetch(const struct owner_fault *f)
{
    struct trans_result r;
    int64_t e = trans(&f->process, OP_PROC_GET, NULL, NULL, 0, desc, sizeof desc, &r);
    desc_len = r.reply_len;
    return e;
}

static struct desc_sec *section(uint32_t tag)
{
    for (uint64_t off = sizeof(struct desc_hdr); off < desc_len;) {
        struct desc_sec *s = (struct desc_sec *)(desc + off);
        if (s->tag == tag)
            return s;
        off += sizeof *s + ((s->len + 7) & ~7ull);
    }
    printf("owner: no section %u\n", tag);
    exit(1);
}

// Puts a section in front of the first one with this tag.
static void insert(uint32_t tag, const void *body, uint64_t len, uint32_t before)
{
    struct desc_sec s = {.tag = tag, .len = len};
    uint8_t *at = (uint8_t *)section(before);
    memmove(at + sizeof s + len, at, (size_t)(desc + desc_len - at));
    memcpy(at, &s, sizeof s);
    memcpy(at + sizeof s, body, len);
    desc_len += sizeof s + len;
    ((struct desc_hdr *)desc)->sections++;
}

static uint32_t count(uint32_t tag)
{
    uint32_t n = 0;
    for (uint64_t off = sizeof(struct desc_hdr); off < desc_len;) {
        const struct desc_sec *s = (const struct desc_sec *)(desc + off);
        n += s->tag == tag;
        off += sizeof *s + ((s->len + 7) & ~7ull);
    }
    return n;
}

// The first MAP section that lies above: sections of one kind are in no order that matters.
static void add_page(void)
{
    const struct desc_map m = {.va = OWNER_PAGE, .len = 4096, .seg = count(DESC_SEG), .flags = MAP_READ | MAP_WRITE};
    const struct desc_seg s = {.len = 4096};
    uint32_t after = count(DESC_PORT) ? DESC_PORT : DESC_THRD;
    insert(DESC_MAP, &m, sizeof m, after);
    insert(DESC_SEG, &s, sizeof s, DESC_MAP);
}

static void answer_question(void)
{
    struct desc_thread *t = (struct desc_thread *)(section(DESC_THRD) + 1);
    t->x[10] = 42;
    t->pc += 4;
}

// --- The kernel tells ------------------------------------------------------------------------------------------------

// Length and checksum of what is in desc now (core/desc_format.h).
static void seal(void)
{
    struct desc_hdr *h = (struct desc_hdr *)desc;
    h->len = desc_len;
    h->checksum = 0;
    uint64_t sum = DESC_MAGIC;
    for (uint64_t i = 0; i < desc_len / 8; i++)
        sum = desc_sum_word(sum, ((const uint64_t *)desc)[i]);

    h->checksum = sum;
}

// The descriptor is that of the instant: the thread stands before the instruction that faulted.
static void look(const struct child *c, const struct owner_fault *f, uint32_t tid)
{
    int64_t e = fetch(f);
    if (e < 0) {
        printf("owner: %s: descriptor: %s\n", c->what, error_string(e));
        return;
    }
    for (uint64_t off = sizeof(struct desc_hdr); off < desc_len;) {
        const struct desc_sec *s = (const struct desc_sec *)(desc + off);
        const struct desc_thread *t = (const struct desc_thread *)(s + 1);
        if (s->tag == DESC_THRD && t->tid == tid)
            printf("owner: %s: descriptor: %s\n", c->what,
                   t->pc == f->pc && t->x[2] == f->sp ? "the same pc and sp" : "WRONG");
        off += sizeof *s + ((s->len + 7) & ~7ull);
    }
}

static int64_t decide(struct child *c, const struct owner_fault *f)
{
    bool change = strcmp(c->what, "missing") == 0 || strcmp(c->what, "question") == 0 || strcmp(c->what, "wrong") == 0;
    if (strcmp(c->what, "keep") == 0)
        return putrep(OWNER_KEEP, NULL, 0, NULL);
    if (strcmp(c->what, "refuse") == 0)
        return putrep(-E_RIGHTS, NULL, 0, NULL);
    if (!change)
        return putrep(OWNER_END, NULL, 0, NULL);
    int64_t e = fetch(f);
    if (e < 0) {
        printf("owner: get: %s\n", error_string(e));
        return putrep(OWNER_END, NULL, 0, NULL);
    }
    if (strcmp(c->what, "missing") == 0)
        add_page();
    else if (strcmp(c->what, "question") == 0)
        answer_question();
    else
        ((struct desc_proc *)(section(DESC_PROC) + 1))->ep++;
    seal();
    return putrep(OWNER_CHANGE, desc, desc_len, NULL);
}

static int64_t event(const struct request *req, const void *bytes)
{
    uint64_t number = req->obj_rights >> 8;
    struct child *c = &child[number - 1];
    struct owner_fault f;
    if (number < 1 || number > CHILDREN)
        return putrep(-E_OBJECT, NULL, 0, NULL);
    memcpy(&f, bytes, sizeof f);
    switch (req->args[0]) {
    case EVENT_FAULT:
        printf("owner: %s: kind %lu cause %lu address 0x%lx: %s\n", c->what, req->args[2] & 0xffffffff, f.cause,
               req->args[3], f.what);
        look(c, &f, (uint32_t)(req->args[2] >> 32));
        return decide(c, &f);
    case EVENT_ENDED:
        printf("owner: %s: ended: %s\n", c->what, error_string((int64_t)req->args[2]));
        return putrep(0, NULL, 0, NULL);
    case EVENT_STUNNED:
        printf("owner: %s: stunned, code %lu\n", c->what, req->args[2]);
        return putrep(OWNER_KEEP, NULL, 0, NULL);
    case EVENT_REFUSED:
        printf("owner: %s: refused: %s\n", c->what, error_string((int64_t)req->args[2]));
        return putrep(OWNER_END, NULL, 0, NULL);
    default: return putrep(-E_ARG, NULL, 0, NULL);
    }
}

static int64_t back(const struct request *req)
{
    static const struct cap nobody;
    for (unsigned i = 0; i < CHILDREN; i++)
        if (child[i].pid == req->args[0])
            trans(&child[i].cap, OP_PROC_SET_OWNER, NULL, &nobody, sizeof nobody, NULL, 0, NULL);
    return putrep(0, NULL, 0, NULL);
}

int main(int argc, char **argv)
{
    static uint64_t bytes[512];
    int64_t handle = port_listen(port_random(), &put_port);
    sys_random(key, sizeof key);
    struct cap cap = cap_make(put_port, 0, RIGHT_ALL, key);
    int64_t e = argc == 2 && handle >= 0 ? dir_enter(NULL, argv[1], &cap) : -E_ARG;
    if (e < 0) {
        printf("owner: %s\n", error_string(e));
        return 1;
    }
    printf("owner: ready\n");
    for (;;) {
        struct request req;
        e = getreq(1ull << handle, bytes, sizeof bytes, 0, &req);
        if (e == 0 && (e = request_check(&req, put_port, key, RIGHT_CONTROL)) < 0)
            e = putrep(e, NULL, 0, NULL);
        else if (e == 0 && req.op == OP_PROC_WAIT_EVENT)
            e = event(&req, bytes);
        else if (e == 0 && req.op == OWNER_ADOPT)
            e = putrep(adopt(&req, (const char *)bytes), NULL, 0, NULL);
        else if (e == 0)
            e = req.op == OWNER_BACK ? back(&req) : putrep(-E_OP, NULL, 0, NULL);
        if (e < 0)
            printf("owner: %s\n", error_string(e));
    }
}
