// SPDX-License-Identifier: BSD-2-Clause
// The process service: processes made from descriptors, stunned, described, changed, resumed.
#include "test/unit/process_bed.h"

#include "core/life.h"
#include "core/seg.h"
#include "core/thread.h"

// --- EXEC -----------------------------------------------------------------------------------------------------------

static void exec_body(struct node *n, void *arg)
{
    struct plan p = plan();
    struct cap src = source_make(n), c;
    p.source = src;
    p.len = 600 * PAGE;
    p.source_off = 10;
    p.source_len = 510 * PAGE - 10;
    p.dest_off = PAGE + 10;
    assert_int_equal(exec(n, &p, &c), 0);
    struct proc *q = the_proc(n);
    assert_int_equal(bed_result.res[0], q->pid);
    assert_int_equal(q->state, PROC_RUN);
    assert_string_equal(q->name, "guest");
    struct seg *s = q->maps[0]->seg;
    assert_int_equal(s->pages, 6); // the hole did not travel
    uint8_t b;
    for (uint64_t off = 0; off < p.len; off += 7) {
        uint64_t from = off - PAGE; // source byte that belongs here
        bool data = off >= PAGE + 10 && from < 510 * PAGE && (from < 3 * PAGE || from >= 507 * PAGE);
        assert_int_equal(seg_read(n, s, off, &b, 1), 0);
        assert_int_equal(b, data ? (from < 3 * PAGE ? from : from - 507 * PAGE) % 251 : 0);
    }
    char text[100] = "";
    assert_int_equal(bed_call(n, c, OP_INFO, 0, 0, NULL, 0, text, sizeof text - 1), 0);
    assert_non_null(strstr(text, "(guest) on n1: run, 1 threads, 6 pages"));
    assert_int_equal(bed_call(n, c, OP_STATUS, 0, 0, NULL, 0, text, sizeof text - 1), -E_TOOBIG);
    struct proc_entry e[2];
    struct cap weak;
    assert_int_equal(bed_call(n, bed_lookup(n, "proc"), OP_RESTRICT, RIGHT_READ, 0, NULL, 0, &weak, sizeof weak), 0);
    assert_int_equal(bed_call(n, weak, OP_PROC_LIST, 0, 0, NULL, 0, e, sizeof e), 0);
    assert_int_equal(bed_result.len, sizeof e[0]);
    assert_int_equal(e[0].ep, q->ep);
    assert_int_equal(cap_rights(&e[0].cap), RIGHT_READ);
    assert_int_equal(bed_call(n, e[0].cap, OP_INFO, 0, 0, NULL, 0, text, sizeof text - 1), 0);
    assert_int_equal(bed_call(n, e[0].cap, OP_DESTROY, 0, 0, NULL, 0, NULL, 0), -E_RIGHTS);
    assert_int_equal(bed_call(n, c, OP_PROC_LIST, 0, 0, NULL, 0, e, sizeof e),
                     -E_OP); // a process has no list
    assert_int_equal(bed_call(n, bed_lookup(n, "proc"), OP_PROC_STUN, 0, 0, NULL, 0, NULL, 0), -E_OP);
    assert_int_equal(bed_call(n, c, OP_DESTROY, 0, 0, NULL, 0, NULL, 0), 0);
    task_sleep(n, NS_PER_MS);
    assert_null(the_proc(n));
    assert_int_equal(bed_call(n, c, OP_INFO, 0, 0, NULL, 0, text, sizeof text - 1), -E_NOTHERE);
    assert_int_equal(bed_call(n, src, OP_DESTROY, 0, 0, NULL, 0, NULL, 0), 0);
    (void)arg;
}
static void exec_fills_segments_from_another_segment_and_destroy_leaves_nothing(void **state)
{
    struct node *n = unit_node(state);
    for (int i = 0; i < 3; i++)
        bed_run(n, exec_body, NULL); // the tasks' buffers have got their first pages
    struct unit before = bed_count(n);
    bed_run(n, exec_body, NULL);
    struct unit after = bed_count(n);
    bed_assert_same(&before, &after);
}

static void bad_body(struct node *n, void *arg)
{
    (void)arg;
    struct plan p = plan();
    struct maker m;
    struct cap c;
    struct cap proc = bed_lookup(n, "proc");
#define REFUSED(error, change)                                                                                         \
    do {                                                                                                               \
        make(&m, &p);                                                                                                  \
        struct desc_hdr *h = (struct desc_hdr *)m.b;                                                                   \
        (void)h;                                                                                                       \
        change;                                                                                                        \
        assert_int_equal(bed_call(n, proc, OP_PROC_EXEC, 0, 0, m.b, m.len, &c, sizeof c), -(error));                   \
        assert_null(the_proc(n));                                                                                      \
    } while (0)
    REFUSED(E_MAGIC, h->magic++);
    REFUSED(E_MAGIC, m.len = 8);
    REFUSED(E_MAGIC, m.len = 0);
    REFUSED(E_VERSION, h->version++);
    REFUSED(E_ARCH, h->arch = 62);
    REFUSED(E_ARCH, h->isa = 1ull << 60);
    REFUSED(E_CHECKSUM, m.b[m.len - 1]++);
    REFUSED(E_FORMAT, m.len -= 8);
    REFUSED(E_FORMAT, desc_seal(m.b, m.len, m.sections - 1));
    uint32_t unknown = 77;
    REFUSED(E_VERSION, add(&m, unknown, "", 0); desc_seal(m.b, m.len, m.sections));
    assert_true(bed_was_logged("an unknown section that may not be skipped"));
    struct desc_map again = {.va = 0x11000, .len = PAGE, .flags = MAP_READ};
    REFUSED(E_FORMAT, add(&m, DESC_MAP, &again, sizeof again); desc_seal(m.b, m.len, m.sections));
    p.len = PAGE + 1;
    REFUSED(E_LIMIT, );
    p = plan();
    p.ep = n->kproc->ep; // known to all, and its secret to nobody
    p.false_ep = true;
    REFUSED(E_ARG, );
    assert_true(bed_was_logged("its endpoint is not that of its control port"));
    p = plan();
    p.source = bed_dir_cap(n); // a directory cannot be read like a file
    p.source_len = PAGE;
    REFUSED(E_OP, );
    p.source = (struct cap){.port = {{1, 2}}}; // nobody
    REFUSED(E_NOTHERE, );
    p.source = seg_make(n, 3 * PAGE);
    p.source_len = 3 * PAGE + 1; // shorter than promised
    REFUSED(E_EOF, );
    p.source.check[0]++;
    p.source_len = PAGE;
    REFUSED(E_CAP, );
    p.source.check[0]--;
    assert_int_equal(bed_call(n, p.source, OP_DESTROY, 0, 0, NULL, 0, NULL, 0), 0);
    REFUSED(E_OBJECT, );
    p.source = (struct cap){.port = {{1, 2}}};
    p.len = p.source_len = 1 * 512 * MIB; // more than the node has
    REFUSED(E_MEM, );
}
static void a_bad_descriptor_is_refused_by_name_and_leaves_nothing(void **state)
{
    struct node *n = unit_node(state);
    for (int i = 0; i < 2; i++)
        bed_run(n, bad_body, NULL);
    struct unit before = bed_count(n);
    bed_run(n, bad_body, NULL);
    struct unit after = bed_count(n);
    bed_assert_same(&before, &after);
}

struct oom {
    struct cap src;
    long fail_after;
    int64_t status;
};
static void oom_body(struct node *n, void *arg)
{
    struct oom *o = arg;
    struct plan p = plan();
    struct maker m;
    struct cap c, proc = bed_lookup(n, "proc");
    p.source = o->src;
    p.source_len = 510 * PAGE;
    p.len = 600 * PAGE;
    make(&m, &p);
    n->pages.fail_after = o->fail_after;
    o->status = bed_call(n, proc, OP_PROC_EXEC, 0, 0, m.b, m.len, &c, sizeof c);
    if (n->pages.fail_after >= 0)
        o->fail_after = -1; // it never came to that
    n->pages.fail_after = -1;
    if (o->status == 0)
        assert_int_equal(bed_call(n, c, OP_DESTROY, 0, 0, NULL, 0, NULL, 0), 0);
    else
        assert_null(the_proc(n));
}
static void oom_source_body(struct node *n, void *arg)
{
    ((struct oom *)arg)->src = source_make(n);
}

static void exec_survives_every_failed_allocation(void **state)
{
    struct node *n = unit_node(state);
    struct oom o;
    bed_run(n, oom_source_body, &o);
    for (int i = 0; i < 10; i++) {
        o.fail_after = -1;
        bed_run(n, oom_body, &o);
        assert_int_equal(o.status, 0);
    }
    struct unit before = bed_count(n), after;
    int refused = 0;
    for (long i = 0; i < 1000; i++) {
        o.fail_after = i;
        bed_run(n, oom_body, &o);
        assert_true(o.status == 0 || o.status == -E_MEM);
        refused += o.status != 0;
        after = bed_count(n);
        bed_assert_same(&before, &after);
        if (o.fail_after < 0)
            break;
    }
    assert_int_equal(o.fail_after, -1);
    assert_true(refused > 0);
}

// --- Stun, get, resume ----------------------------------------------------------------------------------------------

static void stun_body(struct node *n, void *arg)
{
    (void)arg;
    struct plan p = plan();
    struct maker m;
    struct cap c, again;
    static uint8_t desc[8192], desc2[8192];
    assert_int_equal(exec(n, &p, &c), 0);
    struct proc *q = the_proc(n);
    assert_int_equal(bed_call(n, c, OP_PROC_GET, 0, 0, NULL, 0, desc, sizeof desc),
                     -E_STATE); // it runs
    assert_int_equal(bed_call(n, c, OP_PROC_STUN, 0, 0, NULL, 0, NULL, 0), 0);
    assert_int_equal(q->state, PROC_STUNNED);
    assert_int_equal(bed_call(n, c, OP_PROC_STUN, 0, 0, NULL, 0, NULL, 0),
                     0); // twice is as good as once
    assert_int_equal(bed_call(n, c, OP_PROC_GET, 0, 0, NULL, 0, desc, sizeof desc), 0);
    size_t len = bed_result.len;
    const char *why;
    struct desc_info info;
    struct buf b = buf_kernel(desc, len);
    assert_int_equal(desc_check(n, &b, ISA_RV64GC, &info, &why), 0);
    assert_int_equal(bed_call(n, c, OP_PROC_GET, 0, 0, NULL, 0, desc2, sizeof desc2), 0);
    assert_int_equal(bed_result.len, len);
    assert_int_equal(bed_call(n, bed_lookup(n, "proc"), OP_PROC_EXEC, 0, 0, desc, len, &again, sizeof again),
                     -E_EXISTS);
    struct cap owner = bed_lookup(n, "console");
    assert_int_equal(bed_call(n, c, OP_PROC_SET_OWNER, 0, 0, &owner, sizeof owner, NULL, 0), 0);
    assert_memory_equal(&q->owner, &owner, sizeof owner);
    owner = (struct cap){0};
    assert_int_equal(bed_call(n, c, OP_PROC_SET_OWNER, 0, 0, &owner, sizeof owner, NULL, 0), 0);
    assert_int_equal(bed_call(n, c, OP_PROC_SET_OWNER, 0, 0, &owner, 5, NULL, 0), -E_ARG);
    assert_int_equal(bed_call(n, c, OP_PROC_RESUME, 0, 0, NULL, 0, NULL, 0), 0);
    assert_int_equal(q->state, PROC_RUN);
    assert_int_equal(bed_call(n, c, OP_PROC_RESUME, 0, 0, NULL, 0, NULL, 0), 0);
    assert_int_equal(bed_call(n, c, OP_DESTROY, 0, 0, NULL, 0, NULL, 0), 0);
    task_sleep(n, NS_PER_MS);
    // A checkpoint comes back to life under its own name, and runs.
    uint64_t number = cap_obj(&c);
    p.ep = 0x1234567800000000u | number;
    p.stunned = true;
    make(&m, &p);
    assert_int_equal(bed_call(n, bed_lookup(n, "proc"), OP_PROC_EXEC, 0, 0, m.b, m.len, &again, sizeof again), 0);
    q = the_proc(n);
    assert_int_equal(q->ep, cap_put_port(plan_secret(&p)).w[0]);
    assert_int_equal(q->state, PROC_RUN);
    assert_int_equal(bed_call(n, again, OP_DESTROY, 0, 0, NULL, 0, NULL, 0), 0);
}
static int64_t exec_with(struct node *n, struct cap proc, uint32_t priority, uint32_t limit, struct cap *out)
{
    struct plan p = plan();
    struct maker m;
    p.priority = priority;
    p.priority_limit = limit;
    make(&m, &p);
    return bed_call(n, proc, OP_PROC_EXEC, 0, 0, m.b, m.len, out, sizeof *out);
}

static struct cap restricted(struct node *n, struct cap c, uint32_t rights)
{
    struct cap out;
    assert_int_equal(bed_call(n, c, OP_RESTRICT, rights, 0, NULL, 0, &out, sizeof out), 0);
    return out;
}

static void control_body(struct node *n, void *arg)
{
    (void)arg;
    struct cap c, control, owner = bed_lookup(n, "console");
    assert_int_equal(exec_with(n, bed_lookup(n, "proc"), 1 + 7, 1 + 7, &c), 0); // the client is the kernel
    assert_int_equal(the_proc(n)->priority, 7);
    control = restricted(n, c, RIGHT_CONTROL);
    assert_int_equal(bed_call(n, control, OP_PROC_SET_OWNER, 0, 0, &owner, sizeof owner, NULL, 0), -E_RIGHTS);
    assert_int_equal(bed_call(n, control, OP_PROC_STUN, 0, 0, NULL, 0, NULL, 0), 0);
    static uint8_t desc[16384];
    assert_int_equal(bed_call(n, control, OP_PROC_GET, 0, 0, NULL, 0, desc, sizeof desc), 0);
    struct desc_proc *d = (struct desc_proc *)(void *)(desc + sizeof(struct desc_hdr) + sizeof(struct desc_sec));
    const struct desc_hdr *h = (const struct desc_hdr *)(const void *)desc;
    d->owner = owner;
    desc_seal(desc, h->len, h->sections);
    assert_int_equal(bed_call(n, control, OP_PROC_SET, 0, 0, desc, h->len, NULL, 0), -E_RIGHTS);
    assert_int_equal(bed_call(n, control, OP_PROC_RESUME, 0, 0, desc, h->len, NULL, 0), -E_RIGHTS);
    assert_int_equal(bed_call(n, c, OP_PROC_SET, 0, 0, desc, h->len, NULL, 0), 0);
    assert_memory_equal(&the_proc(n)->owner, &owner, sizeof owner);
    owner = (struct cap){0};
    assert_int_equal(bed_call(n, c, OP_PROC_SET_OWNER, 0, 0, &owner, sizeof owner, NULL, 0), 0);
    assert_int_equal(bed_call(n, c, OP_DESTROY, 0, 0, NULL, 0, NULL, 0), 0);
    task_sleep(n, NS_PER_MS);
}
static void control_does_not_become_owner(void **state)
{
    bed_run(unit_node(state), control_body, NULL);
}

static void a_process_is_stunned_described_and_resumed(void **state)
{
    bed_run(unit_node(state), stun_body, NULL);
}

// --- Changed by a descriptor ----------------------------------------------------------------------------------------

struct changer {
    struct cap c;
    uint8_t desc[16384];
    size_t len;
};
static struct changer changer;

static void *desc_body(uint32_t tag)
{
    uint64_t off = sizeof(struct desc_hdr);
    for (;;) {
        struct desc_sec *sec = (struct desc_sec *)(void *)(changer.desc + off);
        if (sec->tag == tag)
            return sec + 1;
        off += sizeof *sec + ((sec->len + 7) & ~7ull);
    }
}
static void desc_fetch(struct node *n)
{
    assert_int_equal(bed_call(n, changer.c, OP_PROC_GET, 0, 0, NULL, 0, changer.desc, sizeof changer.desc), 0);
    changer.len = bed_result.len;
}
static int64_t desc_send(struct node *n, uint32_t op)
{
    struct desc_hdr h;
    memcpy(&h, changer.desc, sizeof h);
    desc_seal(changer.desc, changer.len, h.sections);
    return bed_call(n, changer.c, op, 0, 0, changer.desc, changer.len, NULL, 0);
}
static void desc_check_says(struct node *n, int error, const char *words)
{
    char text[128] = "";
    struct desc_hdr h;
    memcpy(&h, changer.desc, sizeof h);
    desc_seal(changer.desc, changer.len, h.sections);
    assert_int_equal(bed_call(n, changer.c, OP_PROC_CHECK, 0, 0, changer.desc, changer.len, text, sizeof text), 0);
    assert_int_equal(bed_result.res[0], error);
    assert_string_equal(text, words);
}

static void change_body(struct node *n, void *arg)
{
    (void)arg;
    struct plan p = plan();
    assert_int_equal(exec(n, &p, &changer.c), 0);
    ep_t ep = the_proc(n)->ep;
    assert_int_equal(bed_call(n, changer.c, OP_PROC_STUN, 0, 0, NULL, 0, NULL, 0), 0);
    desc_fetch(n);
    assert_int_equal(desc_send(n, OP_PROC_SET), 0);
    assert_int_equal(the_proc(n)->ep, ep);
    assert_int_equal(the_proc(n)->state, PROC_STUNNED);
    struct desc_thread *t = desc_body(DESC_THRD);
    t->x[20] = 4711;
    desc_check_says(n, 0, "success");
    assert_int_equal(thread_find(the_proc(n), 1)->regs.x[20], 0);
    assert_int_equal(desc_send(n, OP_PROC_SET), 0);
    assert_int_equal(thread_find(the_proc(n), 1)->regs.x[20], 4711);
    assert_true(the_proc(n)->stay_stunned);
    struct desc_proc *d = desc_body(DESC_PROC);
    d->ep++;
    desc_check_says(n, E_ARG, "endpoint, control port, key, incarnation or moves are not this process's");
    assert_int_equal(desc_send(n, OP_PROC_SET), -E_ARG);
    d->ep--;
    // Memory from elsewhere: a source that is gone is found out when it is asked, and nothing has changed.
    struct desc_seg *s = desc_body(DESC_SEG), was = *s;
    s->source = bed_lookup(n, "seg");
    s->source.obj_rights |= 0x123400;
    t->x[20] = 1;
    assert_true(desc_send(n, OP_PROC_SET) < 0);
    assert_int_equal(thread_find(the_proc(n), 1)->regs.x[20], 4711);
    assert_int_equal(the_proc(n)->ep, ep);
    *s = was;
    assert_int_equal(desc_send(n, OP_PROC_RESUME), 0);
    assert_int_equal(the_proc(n)->state, PROC_RUN);
    assert_int_equal(desc_send(n, OP_PROC_RESUME), -E_STATE);
    assert_int_equal(bed_call(n, changer.c, OP_PROC_STUN, 0, 0, NULL, 0, NULL, 0), 0);
    assert_int_equal(desc_send(n, OP_PROC_RESUME), -E_STATE); // taken before it ran
    desc_check_says(n, E_STATE, "the process has run since this descriptor was taken");
    // Comment and limit.
    assert_int_equal(bed_call(n, changer.c, OP_PROC_SET_COMMENT, 0, 0, "for a test", 10, NULL, 0), 0);
    assert_string_equal(the_proc(n)->comment, "for a test");
    assert_int_equal(bed_call(n, changer.c, OP_PROC_SET_COMMENT, 0, 0, "\033[2J", 4, NULL, 0), -E_ARG);
    char longer[32];
    memset(longer, 'x', sizeof longer);
    assert_int_equal(bed_call(n, changer.c, OP_PROC_SET_COMMENT, 0, 0, longer, 32, NULL, 0), -E_ARG);
    assert_int_equal(bed_call(n, changer.c, OP_PROC_SET_LIMIT, 1, 0, NULL, 0, NULL, 0), -E_LIMIT);
    assert_int_equal(bed_call(n, changer.c, OP_PROC_SET_LIMIT, 16 * MIB, 0, NULL, 0, NULL, 0), 0);
    assert_int_equal(the_proc(n)->mem_limit, 16 * MIB);
    assert_int_equal(bed_call(n, changer.c, OP_DESTROY, 0, 0, NULL, 0, NULL, 0), 0);
    task_sleep(n, NS_PER_MS);
    assert_null(the_proc(n));
}
static void a_stunned_process_is_changed_whole_or_not_at_all(void **state)
{
    bed_run(unit_node(state), change_body, NULL);
}

static void change_without_memory_body(struct node *n, void *arg)
{
    (void)arg;
    struct plan p = plan();
    assert_int_equal(exec(n, &p, &changer.c), 0);
    assert_int_equal(bed_call(n, changer.c, OP_PROC_STUN, 0, 0, NULL, 0, NULL, 0), 0);
    desc_fetch(n);
    static uint8_t was[sizeof changer.desc];
    unsigned refused = 0;
    bool failed = true;
    // Its own segment is kept; every second time it is fetched by transaction instead, so that this path is in it too.
    for (uint64_t i = 0; failed && i < 1000; i++) {
        size_t len = changer.len;
        memcpy(was, changer.desc, len);
        struct desc_seg *s = desc_body(DESC_SEG);
        if (i % 2)
            s->source_len -= PAGE_SIZE;
        struct desc_thread *t = desc_body(DESC_THRD);
        t->x[20] = i + 1;
        n->pages.fail_after = (long)i / 2;
        int64_t status = desc_send(n, OP_PROC_SET);
        failed = n->pages.fail_after < 0; // a transaction may have come through all the same
        n->pages.fail_after = -1;
        desc_fetch(n);
        if (status == 0) {
            assert_int_equal(thread_find(the_proc(n), 1)->regs.x[20], i + 1);
            continue;
        }
        assert_int_equal(status, -E_MEM);
        assert_int_equal(len, changer.len);
        assert_memory_equal(was, changer.desc, len);
        refused++;
    }
    assert_false(failed);
    assert_true(refused > 0);
    assert_int_equal(bed_call(n, changer.c, OP_DESTROY, 0, 0, NULL, 0, NULL, 0), 0);
}
static void a_change_survives_every_failed_allocation(void **state)
{
    bed_run(unit_node(state), change_without_memory_body, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROCESS_TEST(exec_fills_segments_from_another_segment_and_destroy_leaves_nothing),
        PROCESS_TEST(a_bad_descriptor_is_refused_by_name_and_leaves_nothing),
        PROCESS_TEST(exec_survives_every_failed_allocation),
        PROCESS_TEST(control_does_not_become_owner),
        PROCESS_TEST(a_process_is_stunned_described_and_resumed),
        PROCESS_TEST(a_stunned_process_is_changed_whole_or_not_at_all),
        PROCESS_TEST(a_change_survives_every_failed_allocation),
    };
    return UNIT_RUN(tests);
}
