// SPDX-License-Identifier: BSD-2-Clause
// A faulty wire: what it does to each frame, how often, and that a seed says which.
#include "test/unit/unit.h"
#include "tools/fault.h"

#define FRAMES 100000u
#define NOW (5 * NS_PER_S)

static struct fault_line line;
static struct fault_verdict v;

static void start(struct fault_settings s, unsigned way)
{
    fault_start(&line, &s, way);
}

static void nothing_set_passes_each_frame_at_once(void **state)
{
    (void)state;
    start((struct fault_settings){.seed = 7}, 0);
    assert_false(fault_any(&line.set));
    for (unsigned i = 0; i < 1000; i++) {
        fault_judge(&line, 1500, NOW, &v);
        assert_int_equal(v.copies, 1);
        assert_int_equal(v.behind, 0);
        assert_int_equal(v.due_ns[0], NOW);
    }
}

static void a_seed_says_what_happens_to_each_frame(void **state)
{
    (void)state;
    const struct fault_settings s = {
        .loss = 100000, .dup = 100000, .reorder = 50000, .jitter_ns = NS_PER_MS, .seed = 7};
    static struct fault_verdict first[1000];
    unsigned other_seed = 0, other_way = 0;
    struct fault_settings t = s;
    start(s, 3);
    for (unsigned i = 0; i < 1000; i++)
        fault_judge(&line, i, NOW, &first[i]);
    start(s, 3);
    for (unsigned i = 0; i < 1000; i++) {
        fault_judge(&line, 9000 - i, NOW, &v); // the frame itself plays no part
        assert_memory_equal(&v, &first[i], sizeof v);
    }
    start(s, 2);
    for (unsigned i = 0; i < 1000; i++) {
        fault_judge(&line, i, NOW, &v);
        other_way += v.copies != first[i].copies;
    }
    t.seed = 8;
    start(t, 3);
    for (unsigned i = 0; i < 1000; i++) {
        fault_judge(&line, i, NOW, &v);
        other_seed += v.copies != first[i].copies;
    }
    assert_true(other_way > 100 && other_seed > 100);
}

static void one_setting_changes_nothing_of_what_another_picks(void **state)
{
    (void)state;
    struct fault_settings s = {.loss = 100000, .seed = 7};
    static bool lost[1000];
    start(s, 0);
    for (unsigned i = 0; i < 1000; i++) {
        fault_judge(&line, 192, NOW, &v);
        lost[i] = v.copies == 0;
    }
    s.dup = 500000, s.reorder = 300000, s.jitter_ns = NS_PER_S;
    start(s, 0);
    for (unsigned i = 0; i < 1000; i++) {
        fault_judge(&line, 192, NOW, &v);
        assert_int_equal(v.copies == 0, lost[i]);
    }
}

static void so_many_of_all_frames_are_lost_doubled_held_back(void **state)
{
    (void)state;
    unsigned lost = 0, doubled = 0, held = 0, behind[FAULT_BEHIND_MAX + 1] = {0};
    start((struct fault_settings){.loss = 100000, .dup = 200000, .reorder = 50000, .seed = 1}, 1);
    for (unsigned i = 0; i < FRAMES; i++) {
        fault_judge(&line, 192, NOW, &v);
        lost += v.copies == 0;
        doubled += v.copies == 2;
        held += v.behind > 0;
        assert_true(v.behind <= FAULT_BEHIND_MAX);
        behind[v.behind]++;
    }
    assert_in_range(lost, FRAMES / 10 - 600, FRAMES / 10 + 600);                // six standard deviations
    assert_in_range(doubled, FRAMES * 18 / 100 - 750, FRAMES * 18 / 100 + 750); // of those that are not lost
    assert_in_range(held, FRAMES / 20 - 420, FRAMES / 20 + 420);
    for (unsigned i = 1; i <= FAULT_BEHIND_MAX; i++)
        assert_in_range(behind[i], FRAMES / 80 - 220, FRAMES / 80 + 220);
}

static void all_and_none_are_exact(void **state)
{
    (void)state;
    start((struct fault_settings){.loss = FAULT_ALL, .seed = 1}, 0);
    for (unsigned i = 0; i < 10000; i++) {
        fault_judge(&line, 192, NOW, &v);
        assert_int_equal(v.copies, 0);
    }
    start((struct fault_settings){.dup = FAULT_ALL, .seed = 1}, 0);
    for (unsigned i = 0; i < 10000; i++) {
        fault_judge(&line, 192, NOW, &v);
        assert_int_equal(v.copies, 2);
    }
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void jitter_has_a_long_tail(void **state)
{
    (void)state;
    static uint64_t late[FRAMES];
    start((struct fault_settings){.delay_ns = 2 * NS_PER_MS, .jitter_ns = NS_PER_MS, .seed = 3}, 0);
    for (unsigned i = 0; i < FRAMES; i++) {
        fault_judge(&line, 192, NOW, &v);
        assert_true(v.due_ns[0] >= NOW + 2 * NS_PER_MS);
        late[i] = v.due_ns[0] - NOW - 2 * NS_PER_MS;
    }
    qsort(late, FRAMES, sizeof late[0], by_value);
    assert_in_range(late[FRAMES / 2], 400000, 430000);              // sqrt(2) - 1 = 0.414
    assert_in_range(late[FRAMES / 100 * 99], 8500000, 9500000);     // sqrt(100) - 1
    assert_in_range(late[FRAMES / 1000 * 999], 26000000, 36000000); // sqrt(1000) - 1 = 30.6
    assert_in_range(late[FRAMES - 1], 40000000, 99 * NS_PER_MS);    // never more than 99 times
    assert_in_range(late[0], 0, 100);
}

static void the_copies_of_a_doubled_frame_take_times_of_their_own(void **state)
{
    (void)state;
    unsigned differ = 0;
    start((struct fault_settings){.dup = FAULT_ALL, .jitter_ns = NS_PER_MS, .seed = 3}, 0);
    for (unsigned i = 0; i < 1000; i++) {
        fault_judge(&line, 192, NOW, &v);
        differ += v.due_ns[0] != v.due_ns[1];
    }
    assert_true(differ > 990);
}

static void a_rate_lets_frames_out_one_after_the_other(void **state)
{
    (void)state;
    start((struct fault_settings){.rate_bits = 10000000, .delay_ns = NS_PER_MS, .seed = 1}, 0);
    for (unsigned i = 1; i <= 100; i++) { // 1250 bytes are 10000 bits: a millisecond each
        fault_judge(&line, 1250, NOW, &v);
        assert_int_equal(v.due_ns[0], NOW + i * NS_PER_MS + NS_PER_MS);
    }
    fault_judge(&line, 1250, NOW + NS_PER_S, &v); // the wire has been free for long
    assert_int_equal(v.due_ns[0], NOW + NS_PER_S + 2 * NS_PER_MS);
}

static void a_lost_frame_has_occupied_the_wire(void **state)
{
    (void)state;
    start((struct fault_settings){.rate_bits = 10000000, .loss = 500000, .seed = 1}, 0);
    for (unsigned i = 1; i <= 100; i++)
        fault_judge(&line, 1250, NOW, &v);
    assert_int_equal(line.free_ns, NOW + 100 * NS_PER_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_set_passes_each_frame_at_once),
        cmocka_unit_test(a_seed_says_what_happens_to_each_frame),
        cmocka_unit_test(one_setting_changes_nothing_of_what_another_picks),
        cmocka_unit_test(so_many_of_all_frames_are_lost_doubled_held_back),
        cmocka_unit_test(all_and_none_are_exact),
        cmocka_unit_test(jitter_has_a_long_tail),
        cmocka_unit_test(the_copies_of_a_doubled_frame_take_times_of_their_own),
        cmocka_unit_test(a_rate_lets_frames_out_one_after_the_other),
        cmocka_unit_test(a_lost_frame_has_occupied_the_wire),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
