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

int main(void)
{
    const struct CMUnitTest tests[] = {
        BED_TEST(what_is_entered_is_found_until_it_is_removed),
        BED_TEST(names_have_a_form_and_their_number_a_limit),
        BED_TEST(forged_and_widened_capabilities_are_refused),
    };
    return UNIT_RUN(tests);
}
