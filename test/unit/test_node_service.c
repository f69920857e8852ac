// SPDX-License-Identifier: BSD-2-Clause
// The node service: status, trace and measurements; and that services start whole or not at all.
#include "test/unit/service_bed.h"

#include "core/transport.h"

#define PAGE 4096u

static void services_start_survives_every_failed_allocation(void **state)
{
    (void)state;
    const struct host_options o = {.clock = unit_clock, .seed = 1, .log = bed_keep_log};
    struct node *n = host_node_new("n1", BED_PAGES, &o);
    struct unit before = unit_counts(n), after;
    int e = -1;
    for (long i = 0; e < 0; i++) {
        n->pages.fail_after = i;
        e = services_start(n);
        n->pages.fail_after = -1;
        assert_true(e == 0 || e == -E_MEM);
        if (e == 0)
            services_stop(n);
        after = unit_counts(n);
        assert_memory_equal(&before, &after, sizeof before);
    }
    host_node_free(n);
}

static int echo(struct node *n, unsigned link, uint32_t payload)
{
    if (link != 1)
        return -E_ARG;
    task_sleep(n, payload);
    return 0;
}
static bool links(struct node *n, unsigned i, struct link_status *out)
{
    (void)n;
    *out = (struct link_status){.name = "net0"};
    return i == 0;
}
static const struct transport bare_links = {.link_status = links, .link_echo = echo};

static void node_body(struct node *n, void *arg)
{
    (void)arg;
    struct cap c = bed_lookup(n, "node"), weak;
    static uint8_t big[3 * PAGE], got[3 * PAGE];
    memset(got, 1, sizeof got);
    assert_int_equal(bed_call(n, c, OP_RESTRICT, 0, 0, NULL, 0, &weak, sizeof weak), 0);
    assert_int_equal(bed_call(n, weak, OP_NODE_NULL, 0, 0, NULL, 0, NULL, 0), 0);
    assert_int_equal(bed_call(n, weak, OP_NODE_NULL, sizeof got, 0, big, sizeof big, got, sizeof got), 0);
    assert_int_equal(bed_result.len, sizeof got);
    assert_true(unit_all_bytes(got, 0, sizeof got));
    struct node_status st;
    assert_int_equal(bed_call(n, weak, OP_NODE_STATUS, 0, 0, NULL, 0, &st, sizeof st), -E_RIGHTS);
    n->transport = &bare_links;
    assert_int_equal(bed_call(n, c, OP_NODE_STATUS, 0, 0, NULL, 0, &st, sizeof st), 0);
    n->transport = NULL;
    assert_string_equal(st.name, "n1");
    assert_int_equal(st.ep, node_ep(n));
    assert_int_equal(st.pages_total, BED_PAGES);
    assert_int_equal(st.links, 1);
    assert_string_equal(st.link[0].name, "net0");
    static char text[30000];
    trace(n, TRACE_DROP, 1, 2, 3);
    assert_int_equal(bed_call(n, c, OP_NODE_TRACE, 0, 0, NULL, 0, text, sizeof text - 1), 0);
    assert_non_null(strstr(text, "drop"));
    assert_int_equal(text[bed_result.len - 1], '\n');
    uint64_t ns[16];
    assert_int_equal(bed_call4(n, c, OP_NODE_BENCH, (uint64_t[4]){BENCH_TRANS, 10, 0, 0}, &c, sizeof c, ns, sizeof ns),
                     0);
    assert_int_equal(bed_result.len, 10 * sizeof ns[0]);
    assert_int_equal(
        bed_call4(n, c, OP_NODE_BENCH, (uint64_t[4]){BENCH_TRANS, 3, 0, 100000}, &c, sizeof c, ns, sizeof ns), 0);
    assert_int_equal(bed_result.len, 3 * sizeof ns[0]);
    assert_int_equal(bed_call4(n, c, OP_NODE_BENCH, (uint64_t[4]){BENCH_TRANS, 0, 0, 0}, &c, sizeof c, ns, sizeof ns),
                     -E_ARG);
    assert_int_equal(bed_call4(n, c, OP_NODE_BENCH, (uint64_t[4]){BENCH_ECHO, 3, 1, 64}, NULL, 0, ns, sizeof ns),
                     -E_STATE);
    n->transport = &bare_links;
    assert_int_equal(bed_call4(n, c, OP_NODE_BENCH, (uint64_t[4]){BENCH_ECHO, 3, 1, 64}, NULL, 0, ns, sizeof ns), 0);
    assert_int_equal(bed_result.len, 3 * sizeof ns[0]);
    assert_int_equal(ns[2], 64);
    assert_int_equal(bed_call4(n, c, OP_NODE_BENCH, (uint64_t[4]){BENCH_ECHO, 3, 0, 64}, NULL, 0, ns, sizeof ns),
                     -E_ARG);
    assert_int_equal(bed_call4(n, c, OP_NODE_BENCH, (uint64_t[4]){9, 3, 0, 64}, NULL, 0, ns, sizeof ns), -E_ARG);
    n->transport = NULL;
}
static void a_node_tells_its_status_and_measures(void **state)
{
    bed_run(unit_node(state), node_body, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(services_start_survives_every_failed_allocation),
        BED_TEST(a_node_tells_its_status_and_measures),
    };
    return UNIT_RUN(tests);
}
