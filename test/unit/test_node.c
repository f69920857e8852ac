// SPDX-License-Identifier: BSD-2-Clause
// A node's beginning and end, and its randomness.
#include "test/unit/unit.h"

#include "core/cap.h"
#include "core/log.h"

// Pages as host_node_new gives them, so that node_init and node_fini can be called by hand.
static int again(struct node *n)
{
    node_fini(n);
    return node_init(n);
}

static void the_end_gives_back_every_page(void **state)
{
    struct node *n = unit_node(state);
    struct proc *p;
    assert_int_equal(proc_create(n, EP_NONE, &p), 0);
    node_fini(n);
    assert_int_equal(page_free_count(n), n->pages.total);
    assert_int_equal(node_init(n), 0);
}

static void without_memory_for_any_part_it_does_not_begin_and_keeps_nothing(void **state)
{
    struct node *n = unit_node(state);
    node_fini(n);
    for (long i = 0;; i++) {
        n->pages.fail_after = i;
        int err = node_init(n);
        bool was_reached = n->pages.fail_after < 0;
        if (!was_reached) {
            assert_int_equal(err, 0);
            assert_true(i >= 2); // page of zeros, kernel process
            n->pages.fail_after = -1;
            return;
        }
        assert_int_equal(err, -E_MEM);
        assert_int_equal(page_free_count(n), n->pages.total);
    }
}

static void its_kernel_process_runs_and_is_named(void **state)
{
    struct node *n = unit_node(state);
    assert_int_equal(n->kproc->state, PROC_RUN);
    assert_string_equal(n->kproc->name, "kernel");
    assert_ptr_equal(proc_by_ep(n, node_ep(n)), n->kproc);
    assert_true(port_eq(n->seg_put, cap_put_port(n->seg_get)));
    assert_true(unit_all_bytes(n->zero_page, 0, PAGE_SIZE));
}

static void reborn_it_has_another_endpoint(void **state)
{
    struct node *n = unit_node(state);
    ep_t before = node_ep(n);
    struct port seg_before = n->seg_put;
    assert_int_equal(again(n), 0);
    assert_int_not_equal(node_ep(n), before);
    assert_false(port_eq(n->seg_put, seg_before));
}

static void the_same_seed_gives_the_same_node_and_another_another(void **state)
{
    (void)state;
    struct node *a = host_node_new("a", 64, &(struct host_options){.seed = 5});
    struct node *b = host_node_new("b", 64, &(struct host_options){.seed = 5});
    struct node *c = host_node_new("c", 64, &(struct host_options){.seed = 6});
    struct node *d = host_node_new("d", 64, NULL), *e = host_node_new("e", 64, NULL);
    assert_int_equal(node_ep(a), node_ep(b));
    assert_int_equal(node_random64(a), node_random64(b));
    assert_int_not_equal(node_ep(a), node_ep(c));
    assert_int_not_equal(node_ep(d), node_ep(e));
    struct node *all[] = {a, b, c, d, e};
    for (int i = 0; i < 5; i++)
        host_node_free(all[i]);
}

static void random_bytes_differ_each_time_and_have_every_length(void **state)
{
    struct node *n = unit_node(state);
    uint8_t a[1000], b[1000], edge[1002];
    node_random(n, a, sizeof a);
    node_random(n, b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
    for (size_t len = 0; len <= 1000; len += 37) {
        memset(edge, 0x55, sizeof edge);
        node_random(n, edge + 1, len);
        assert_int_equal(edge[0], 0x55);
        assert_int_equal(edge[len + 1], 0x55);
    }
    // All 256 values turn up in 10,000 bytes, unless something is very wrong.
    bool seen[256] = {0};
    for (int i = 0; i < 10; i++) {
        node_random(n, a, sizeof a);
        for (size_t k = 0; k < sizeof a; k++)
            seen[a[k]] = true;
    }
    for (int i = 0; i < 256; i++)
        assert_true(seen[i]);
}

// Fast key erasure: the key that made some bytes is gone when they are given out.
static void the_key_is_another_after_every_draw(void **state)
{
    struct node *n = unit_node(state);
    uint8_t key[32], out[300];
    memcpy(key, n->random.key, sizeof key);
    node_random(n, out,
                RANDOM_CHUNK); // more than is left of the last draw, if anything of it was given out
    node_random(n, out, 1);
    assert_memory_not_equal(key, n->random.key, sizeof key);
    assert_true(unit_all_bytes(n->random.bytes, 0, RANDOM_CHUNK - n->random.left)); // given out, forgotten
    node_random(n, out, sizeof out);
    for (size_t i = 0; i + 8 <= sizeof out; i++)
        assert_memory_not_equal(out + i, n->random.key, 8);
}

static char logged[400];
static void take_log(struct node *n, const char *line)
{
    (void)n;
    snprintf(logged, sizeof logged, "%s", line);
}

static void a_log_line_is_cut_and_never_overruns(void **state)
{
    struct node *n = unit_node(state);
    char longer[500];
    memset(longer, 'x', sizeof longer);
    longer[499] = 0;
    n->log = take_log;
    node_log(n, "%d of %s", 3, "four");
    assert_string_equal(logged, "3 of four");
    node_log(n, "%s", longer);
    assert_int_equal(strlen(logged), 199);
    n->log = NULL;
    node_log(n, "nobody listens");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(the_end_gives_back_every_page),
        UNIT_TEST(without_memory_for_any_part_it_does_not_begin_and_keeps_nothing),
        UNIT_TEST(its_kernel_process_runs_and_is_named),
        UNIT_TEST(reborn_it_has_another_endpoint),
        cmocka_unit_test(the_same_seed_gives_the_same_node_and_another_another),
        UNIT_TEST(random_bytes_differ_each_time_and_have_every_length),
        UNIT_TEST(the_key_is_another_after_every_draw),
        UNIT_TEST(a_log_line_is_cut_and_never_overruns),
    };
    return UNIT_RUN(tests);
}
