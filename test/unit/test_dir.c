// SPDX-License-Identifier: BSD-2-Clause
// The directory of a node: names, their form and number, and who may do what.
#include "test/unit/service_bed.h"

#include "core/cap.h"

static int64_t enter(struct node *n, const char *name, struct cap c)
{
    char b[128];
    size_t len = strlen(name) + 1;
    memcpy(b, name, len);
    memcpy(b + len, &c, sizeof c);
    return bed_call(n, bed_dir_cap(n), OP_DIR_ENTER, 0, 0, b, len + sizeof c, NULL, 0);
}

static void dir_body(struct node *n, void *arg)
{
    (void)arg;
    struct cap c = bed_lookup(n, "seg"), d;
    (void)bed_lookup(n, "proc");
    (void)bed_lookup(n, "node");
    (void)bed_lookup(n, "console");
    assert_int_equal(enter(n, "mine", c), 0);
    d = bed_lookup(n, "mine");
    assert_memory_equal(&c, &d, sizeof c);
    d = bed_lookup(n, "node");
    assert_int_equal(enter(n, "mine", d), 0); // replaces
    c = bed_lookup(n, "mine");
    assert_memory_equal(&c, &d, sizeof c);
    struct dir_entry list[8];
    assert_int_equal(bed_call(n, bed_dir_cap(n), OP_DIR_LIST, 0, 0, NULL, 0, list, sizeof list), 0);
    assert_int_equal(bed_result.len, 6 * sizeof list[0]);
    assert_string_equal(list[5].name, "mine");
    assert_int_equal(bed_call(n, bed_dir_cap(n), OP_DIR_REMOVE, 0, 0, "mine", 4, NULL, 0), 0);
    assert_int_equal(bed_call(n, bed_dir_cap(n), OP_DIR_REMOVE, 0, 0, "mine", 4, NULL, 0), -E_NAME);
    assert_int_equal(bed_call(n, bed_dir_cap(n), OP_DIR_LOOKUP, 0, 0, "mine", 4, &c, sizeof c), -E_NAME);
}
static void what_is_entered_is_found_until_it_is_removed(void **state)
{
    bed_run(unit_node(state), dir_body, NULL);
}

static void dir_names_body(struct node *n, void *arg)
{
    (void)arg;
    struct cap c = bed_lookup(n, "seg");
    assert_int_equal(enter(n, "", c), -E_ARG);
    assert_int_equal(enter(n, "0123456789012345678901234567890", c), 0);       // 31
    assert_int_equal(enter(n, "01234567890123456789012345678901", c), -E_ARG); // 32
    assert_int_equal(enter(n, "bell\a", c), -E_ARG);
    assert_int_equal(enter(n, "\xc3\xa9", c), -E_ARG);
    char b[4 + sizeof c] = "a\0b"; // two zero bytes before the capability
    assert_int_equal(bed_call(n, bed_dir_cap(n), OP_DIR_ENTER, 0, 0, b, sizeof b, NULL, 0), -E_ARG);
    assert_int_equal(bed_call(n, bed_dir_cap(n), OP_DIR_ENTER, 0, 0, b, 10, NULL, 0), -E_ARG);
    assert_int_equal(bed_call(n, bed_dir_cap(n), OP_DIR_LOOKUP, 0, 0, NULL, 0, &c, sizeof c), -E_ARG);
    char name[16];
    int64_t status = 0;
    unsigned i = 0;
    for (; status == 0 && i < 1000; i++) {
        snprintf(name, sizeof name, "x%u", i);
        status = enter(n, name, c);
    }
    assert_int_equal(status, -E_LIMIT);
    assert_int_equal(enter(n, "x0", c), 0); // replacing needs no room
}
static void names_have_a_form_and_their_number_a_limit(void **state)
{
    bed_run(unit_node(state), dir_names_body, NULL);
}

static void rights_body(struct node *n, void *arg)
{
    (void)arg;
    struct cap c = dir_root_cap(n->ring_key, n->name, RIGHT_READ), weak;
    assert_int_equal(bed_call(n, c, OP_DIR_LOOKUP, 0, 0, "seg", 3, &weak, sizeof weak), 0);
    assert_int_equal(bed_call(n, c, OP_DIR_REMOVE, 0, 0, "seg", 3, NULL, 0), -E_RIGHTS);
    c.obj_rights |= RIGHT_DESTROY; // widened
    assert_int_equal(bed_call(n, c, OP_DIR_REMOVE, 0, 0, "seg", 3, NULL, 0), -E_CAP);
    c = bed_dir_cap(n);
    c.obj_rights += 1u << 8; // another object
    assert_int_equal(bed_call(n, c, OP_DIR_LOOKUP, 0, 0, "seg", 3, &weak, sizeof weak), -E_OBJECT);
    uint8_t other[32] = {9};
    c = dir_root_cap(other, n->name, RIGHT_ALL); // another ring: nobody serves that port
    assert_int_equal(bed_call(n, c, OP_DIR_LOOKUP, 0, 0, "seg", 3, &weak, sizeof weak), -E_NOTHERE);
    c = bed_dir_cap(n);
    assert_int_equal(bed_call(n, c, 12345, 0, 0, NULL, 0, NULL, 0), -E_OP);
    assert_int_equal(bed_call(n, c, OP_RESTRICT, RIGHT_READ, 0, NULL, 0, &weak, sizeof weak), 0);
    assert_int_equal(cap_rights(&weak), RIGHT_READ);
    struct cap found;
    assert_int_equal(bed_call(n, weak, OP_DIR_LOOKUP, 0, 0, "seg", 3, &found, sizeof found), 0);
    assert_int_equal(bed_call(n, weak, OP_DIR_REMOVE, 0, 0, "seg", 3, NULL, 0), -E_RIGHTS);
    assert_int_equal(bed_call(n, weak, OP_RESTRICT, RIGHT_ALL, 0, NULL, 0, &weak, sizeof weak), 0);
    assert_int_equal(cap_rights(&weak), RIGHT_READ); // rights only go away
    char text[100] = "";
    assert_int_equal(bed_call(n, c, OP_INFO, 0, 0, NULL, 0, text, sizeof text - 1), 0);
    assert_non_null(strstr(text, "dir service of n1"));
}
static void forged_and_widened_capabilities_are_refused(void **state)
{
    bed_run(unit_node(state), rights_body, NULL);
}

// A capability of the boot directory finds no more rights in it than it has itself.
static void restricted_body(struct node *n, void *arg)
{
    (void)arg;
    struct cap reader = dir_root_cap(n->ring_key, n->name, RIGHT_READ), all = bed_lookup(n, "node"), c;
    assert_int_equal(cap_rights(&all), RIGHT_ALL);
    assert_int_equal(bed_call(n, reader, OP_DIR_LOOKUP, 0, 0, "node", 4, &c, sizeof c), 0);
    assert_int_equal(cap_rights(&c), RIGHT_READ);
    assert_int_equal(bed_call(n, c, OP_INFO, 0, 0, NULL, 0, (char[200]){0}, 200), 0); // it is genuine
    assert_int_equal(bed_call(n, c, OP_NODE_STOP, 0, 0, NULL, 0, NULL, 0), -E_RIGHTS);
    struct dir_entry list[8];
    assert_int_equal(bed_call(n, reader, OP_DIR_LIST, 0, 0, NULL, 0, list, sizeof list), 0);
    assert_true(bed_result.len >= 5 * sizeof list[0]);
    for (size_t i = 0; i < bed_result.len / sizeof list[0]; i++)
        assert_int_equal(cap_rights(&list[i].cap), RIGHT_READ);
    // A forged one is not made genuine on its way through the directory.
    struct cap forged = all;
    forged.check[0] ^= 1;
    assert_int_equal(enter(n, "forged", forged), 0);
    assert_int_equal(bed_call(n, reader, OP_DIR_LOOKUP, 0, 0, "forged", 6, &c, sizeof c), 0);
    assert_int_equal(bed_call(n, c, OP_INFO, 0, 0, NULL, 0, (char[200]){0}, 200), -E_CAP);
}
static void the_boot_directory_gives_no_right_that_its_reader_lacks(void **state)
{
    bed_run(unit_node(state), restricted_body, NULL);
}

static int64_t meet(struct node *n, const char *name, struct cap *out)
{
    return bed_call(n, bed_dir_cap(n), OP_DIR_MEET, 0, 0, name, strlen(name), out, sizeof *out);
}

static int64_t enter_in(struct node *n, struct cap dir, const char *name, struct cap c)
{
    char b[128];
    size_t len = strlen(name) + 1;
    memcpy(b, name, len);
    memcpy(b + len, &c, sizeof c);
    return bed_call(n, dir, OP_DIR_ENTER, 0, 0, b, len + sizeof c, NULL, 0);
}

static void meeting_body(struct node *n, void *arg)
{
    (void)arg;
    struct cap a, again, b, c, seg = bed_lookup(n, "seg");
    assert_int_equal(meet(n, "", &a), -E_ARG);
    assert_int_equal(meet(n, "a", &a), 0);
    assert_int_equal(meet(n, "a", &again), 0);
    assert_memory_equal(&a, &again, sizeof a);
    assert_int_equal(meet(n, "b", &b), 0);
    assert_int_equal(cap_rights(&a), DIR_MEETING_RIGHTS);
    assert_int_equal(bed_call(n, a, OP_DIR_LOOKUP, 0, 0, "seg", 3, &c, sizeof c), -E_NAME); // it begins empty
    assert_int_equal(enter_in(n, a, "seg", seg), 0);
    assert_int_equal(bed_call(n, a, OP_DIR_LOOKUP, 0, 0, "seg", 3, &c, sizeof c), 0);
    assert_memory_equal(&c, &seg, sizeof c); // what a program gives away it gives as it is
    assert_int_equal(bed_call(n, b, OP_DIR_LOOKUP, 0, 0, "seg", 3, &c, sizeof c), -E_NAME);
    assert_int_equal(bed_call(n, a, OP_DIR_REMOVE, 0, 0, "seg", 3, NULL, 0), 0);
    c = bed_lookup(n, "seg");
    assert_memory_equal(&c, &seg, sizeof c); // the boot directory's is untouched
    assert_int_equal(bed_call(n, a, OP_DIR_MEET, 0, 0, "x", 1, &c, sizeof c), -E_OP);
    c = dir_root_cap(n->ring_key, n->name, RIGHT_READ);
    assert_int_equal(bed_call(n, c, OP_DIR_MEET, 0, 0, "x", 1, &c, sizeof c), -E_RIGHTS);
    c = bed_dir_cap(n); // its key is not that of another object
    c.obj_rights = a.obj_rights;
    assert_int_equal(bed_call(n, c, OP_DIR_LOOKUP, 0, 0, "seg", 3, &c, sizeof c), -E_CAP);
    char name[16];
    int64_t status = 0;
    unsigned i = 0;
    for (; status == 0 && i < 1000; i++) {
        snprintf(name, sizeof name, "x%u", i);
        status = enter_in(n, a, name, seg);
    }
    assert_int_equal(status, -E_LIMIT);
    assert_int_equal(i, 65);
    assert_int_equal(enter_in(n, b, "x", seg), 0); // that is no affair of the others
}
static void meetings_are_apart_from_each_other_and_from_the_boot_directory(void **state)
{
    bed_run(unit_node(state), meeting_body, NULL);
}

static void gives_way_body(struct node *n, void *arg)
{
    (void)arg;
    struct cap first, second, c;
    char name[16];
    assert_int_equal(meet(n, "first", &first), 0);
    assert_int_equal(meet(n, "second", &second), 0);
    for (unsigned i = 0; i < 30; i++) {
        snprintf(name, sizeof name, "m%u", i);
        assert_int_equal(meet(n, name, &c), 0);
    }
    assert_int_equal(bed_call(n, first, OP_DIR_LOOKUP, 0, 0, "x", 1, &c, sizeof c), -E_NAME); // used: the newest now
    assert_int_equal(meet(n, "one more", &c), 0);
    assert_int_equal(bed_call(n, first, OP_DIR_LOOKUP, 0, 0, "x", 1, &c, sizeof c), -E_NAME);
    assert_int_equal(bed_call(n, second, OP_DIR_LOOKUP, 0, 0, "x", 1, &c, sizeof c), -E_OBJECT);
    assert_int_equal(meet(n, "second", &c), 0);
    assert_memory_not_equal(&c, &second, sizeof c); // another directory, whose members the old one's do not meet
}
static void the_meeting_that_was_used_longest_ago_gives_way(void **state)
{
    bed_run(unit_node(state), gives_way_body, NULL);
}

static void no_key_body(struct node *n, void *arg)
{
    (void)arg;
    static const uint8_t zero[32];
    struct cap c = dir_root_cap(zero, n->name, RIGHT_ALL);
    assert_int_equal(bed_call(n, c, OP_DIR_LOOKUP, 0, 0, "seg", 3, &c, sizeof c), -E_NOTHERE);
    (void)bed_lookup(n, "seg");
}
static void a_node_without_a_ring_key_draws_one(void **state)
{
    bed_run(unit_node(state), no_key_body, NULL);
}
static int setup_without_key(void **state)
{
    const struct host_options o = {.clock = unit_clock, .seed = 1, .log = bed_keep_log};
    return bed_setup_with(state, &o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BED_TEST(what_is_entered_is_found_until_it_is_removed),
        BED_TEST(names_have_a_form_and_their_number_a_limit),
        BED_TEST(forged_and_widened_capabilities_are_refused),
        BED_TEST(the_boot_directory_gives_no_right_that_its_reader_lacks),
        BED_TEST(meetings_are_apart_from_each_other_and_from_the_boot_directory),
        BED_TEST(the_meeting_that_was_used_longest_ago_gives_way),
        cmocka_unit_test_setup_teardown(a_node_without_a_ring_key_draws_one, setup_without_key, bed_teardown),
    };
    return UNIT_RUN(tests);
}
