// SPDX-License-Identifier: BSD-2-Clause
// A thief at work, and an owner who takes back. Every forgery must be refused by name, here and over the wire.
//
//   caps        with --grant seg:create --grant proc:all of a node; status 0 when all went as it must
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/lib/rotifer.h"
#include "services/protocol.h"

static unsigned checks, errors;

#define MUST(got, want)                                                                                                \
    do {                                                                                                               \
        int64_t g = (got), w = (want);                                                                                 \
        checks++;                                                                                                      \
        if (g != w) {                                                                                                  \
            errors++;                                                                                                  \
            printf("caps: line %d: %s, not %s\n", __LINE__, g < 0 ? error_string(g) : "success",                       \
                   w < 0 ? error_string(w) : "success");                                                               \
        }                                                                                                              \
    } while (0)

static int64_t size_of(const struct cap *cap)
{
    return trans(cap, OP_SIZE, NULL, NULL, 0, NULL, 0, NULL);
}
static int64_t write_to(const struct cap *cap)
{
    return trans(cap, OP_WRITE, NULL, "x", 1, NULL, 0, NULL);
}

// --- A segment of the node's segment service ---------------------------------------------------------

static struct cap make_segment(void)
{
    struct cap seg, c = {0};
    struct trans_result out;
    const uint64_t args[4] = {4096};
    MUST(startup_cap("seg", &seg), 0);
    MUST(trans(&seg, OP_SEG_CREATE, args, NULL, 0, &c, sizeof c, &out), 0);
    return c;
}

static void segment(void)
{
    struct cap c = make_segment(), other = make_segment(), weak, fresh;
    MUST(size_of(&c), 0);
    // 96 bits of check field, 8 of rights, 24 of number: whatever is turned, it is noticed.
    for (unsigned bit = 128; bit < 256; bit++) {
        struct cap forged = c;
        ((uint8_t *)&forged)[bit / 8] ^= (uint8_t)(1u << bit % 8);
        int64_t e = size_of(&forged);
        MUST(e == -E_OBJECT && bit >= 136 && bit < 160 ? -E_CAP : e, -E_CAP);
    }
    MUST(cap_restrict(&c, RIGHT_READ, &weak), 0);
    MUST(size_of(&weak), 0);
    MUST(write_to(&weak), -E_RIGHTS);
    weak.obj_rights |= RIGHT_ALL; // widened
    MUST(write_to(&weak), -E_CAP);
    weak = c; // the check field of one object on another
    weak.obj_rights = other.obj_rights;
    MUST(size_of(&weak), -E_CAP);
    MUST(cap_restrict(&c, RIGHT_READ | RIGHT_WRITE, &weak), 0);
    MUST(cap_rotate(&weak, &fresh), -E_RIGHTS);
    MUST(cap_rotate(&c, &fresh), 0);
    MUST(size_of(&c), -E_CAP);
    MUST(write_to(&weak), -E_CAP);
    MUST(cap_rotate(&c, &weak), -E_CAP);
    MUST(cap_destroy(&c), -E_CAP);
    MUST(write_to(&fresh), 0);
    MUST(size_of(&other), 0);
    MUST(cap_destroy(&fresh), 0);
    MUST(size_of(&fresh), -E_OBJECT);
    MUST(cap_destroy(&other), 0);
}

// --- This process ------------------------------------------------------------------------------------

static bool find_self(const struct cap *proc, struct cap *out)
{
    static struct proc_entry list[512];
    struct trans_result result;
    struct self self;
    sys_self(&self);
    MUST(trans(proc, OP_PROC_LIST, NULL, NULL, 0, list, sizeof list, &result), 0);
    for (size_t i = 0; i < result.reply_len / sizeof list[0]; i++)
        if (list[i].ep == self.endpoint) {
            *out = list[i].cap;
            return true;
        }
    return false;
}

static void process(void)
{
    struct cap proc, me, weak, fresh;
    char text[200];
    MUST(startup_cap("proc", &proc), 0);
    if (!find_self(&proc, &me)) { // it runs elsewhere than its directory is
        printf("caps: not on the node of its directory\n");
        return;
    }
    MUST(cap_info(&me, text, sizeof text) > 0, true);
    MUST(cap_restrict(&me, RIGHT_READ, &weak), 0);
    MUST(cap_destroy(&weak), -E_RIGHTS);
    MUST(cap_rotate(&me, &fresh), 0);
    MUST(cap_info(&weak, text, sizeof text), -E_CAP);
    MUST(cap_destroy(&me), -E_CAP);
    MUST(cap_status(&fresh, text, sizeof text) > 0, true);
    MUST(cap_status(&fresh, text, 0), -E_ARG);
}

// --- A port of our own, and one who sits down on its public name -----------------------------------------

#define CALLS 200u
static uint8_t key[CAP_KEY_BYTES];
static struct port put, squat_put;
static int64_t handle, squat_handle;
static unsigned served, stolen;

static void *honest(void *unused)
{
    (void)unused;
    struct request req;
    while (served < CALLS && getreq(1ull << handle, NULL, 0, 0, &req) == 0) {
        served++;
        putrep(request_check(&req, put, key, RIGHT_READ), NULL, 0, NULL);
    }
    return NULL;
}

static void *squatter(void *unused)
{
    (void)unused;
    struct request req;
    while (getreq(1ull << squat_handle, NULL, 0, 0, &req) == 0) {
        putrep(0, NULL, 0, NULL);
        if (req.op == OP_DESTROY)
            break;
        stolen++;
    }
    return NULL;
}

static void port(void)
{
    struct port got;
    handle = port_listen(port_random(), &put);
    squat_handle = port_listen(put, &squat_put); // the public name where the secret belongs
    MUST(squat_handle < 0, 0);
    MUST(memcmp(&put, &squat_put, sizeof put) == 0, 0); // F(P) is another port
    MUST(port_listen(put, &got), -E_EXISTS);
    sys_random(key, sizeof key);
    struct thread *a = thread_create(honest, NULL, 0), *b = thread_create(squatter, NULL, 0);
    struct cap good = cap_make(put, 1, RIGHT_READ, key), bad = cap_make(put, 1, 0, key);
    for (unsigned i = 0; i < CALLS; i++)
        MUST(trans(i % 2 ? &bad : &good, 200, NULL, NULL, 0, NULL, 0, NULL), i % 2 ? -E_RIGHTS : 0);
    thread_join(a);
    struct cap end = cap_make(squat_put, 0, 0, key);
    MUST(trans(&end, OP_DESTROY, NULL, NULL, 0, NULL, 0, NULL), 0);
    thread_join(b);
    MUST(served, CALLS);
    MUST(stolen, 0);
    MUST(port_close(handle), 0);
    MUST(port_close(squat_handle), 0);
}

int main(void)
{
    segment();
    process();
    port();
    printf("caps: %u checks, %u errors\n", checks, errors);
    return errors != 0;
}
