// SPDX-License-Identifier: BSD-2-Clause
// The standard operations, which every object of every service answers: told, restricted, rotated, destroyed, or
// refused by name. And what a thief can do with a capability that he changed, or that was withdrawn.
#include "test/unit/service_bed.h"

#include "core/cap.h"
#include "services/console.h"

static int setup(void **state)
{
    static const struct host_options o = {.clock = unit_clock, .seed = 1};
    return bed_setup_with(state, &o);
}
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, bed_teardown)

static int64_t op(struct node *n, struct cap c, uint32_t number)
{
    return bed_call(n, c, number, 0, 0, NULL, 0, NULL, 0);
}
static int64_t info(struct node *n, struct cap c)
{
    char text[PAGE_SIZE];
    return bed_call(n, c, OP_INFO, 0, 0, NULL, 0, text, sizeof text);
}
static struct cap restricted(struct node *n, struct cap c, uint32_t keep)
{
    struct cap weak;
    assert_int_equal(bed_call(n, c, OP_RESTRICT, keep, 0, NULL, 0, &weak, sizeof weak), 0);
    assert_int_equal(cap_rights(&weak), cap_rights(&c) & keep);
    return weak;
}
static struct cap segment(struct node *n)
{
    struct cap c;
    assert_int_equal(bed_call(n, bed_lookup(n, "seg"), OP_SEG_CREATE, PAGE_SIZE, 0, NULL, 0, &c, sizeof c), 0);
    return c;
}

static const char *const names[] = {"seg", "console", "node", "proc"};
#define NAMES (sizeof names / sizeof names[0])

// --- Each object in turn -----------------------------------------------------------------------------------------

static void told_body(struct node *n, void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < NAMES + 2; i++) {
        struct cap c = i < NAMES    ? bed_lookup(n, names[i])
                       : i == NAMES ? segment(n)
                                    : dir_root_cap(n->ring_key, n->name, RIGHT_ALL);
        char text[PAGE_SIZE];
        assert_int_equal(bed_call(n, c, OP_INFO, 0, 0, NULL, 0, text, sizeof text), 0);
        assert_true(bed_result.len > 0);
        assert_int_equal(bed_call(n, c, OP_STATUS, 0, 0, NULL, 0, text, sizeof text), 0);
        assert_true(bed_result.len > 0);
        struct cap none = restricted(n, c, 0);
        assert_int_equal(op(n, none, OP_INFO), -E_RIGHTS);
        assert_int_equal(op(n, none, OP_STATUS), -E_RIGHTS);
        assert_int_equal(op(n, none, OP_DESTROY), -E_RIGHTS);
        assert_int_equal(op(n, none, OP_ROTATE), -E_RIGHTS);
        assert_int_equal(op(n, none, 0), -E_OP);
        assert_int_equal(op(n, restricted(n, c, RIGHT_ALL & ~RIGHT_OWNER), OP_ROTATE), -E_RIGHTS);
        if (i == NAMES)
            assert_int_equal(op(n, c, OP_DESTROY), 0);
        else
            assert_true(op(n, c, OP_DESTROY) == -E_OP || i == 0); // seg: no such object to destroy
    }
}
static void every_object_answers_the_standard_operations(void **state)
{
    bed_run(unit_node(state), told_body, NULL);
}

static void forged_body(struct node *n, void *arg)
{
    (void)arg;
    struct cap good = segment(n);
    for (unsigned i = 0; i < NAMES + 1; i++) {
        struct cap c = i < NAMES ? bed_lookup(n, names[i]) : good;
        for (unsigned bit = 8 * offsetof(struct cap, obj_rights); bit < 8 * sizeof c; bit++) {
            struct cap forged = c;
            ((uint8_t *)&forged)[bit / 8] ^= (uint8_t)(1u << bit % 8);
            int64_t e = info(n, forged);
            bool object = cap_obj(&forged) != cap_obj(&c); // there may be none with that number
            assert_true(e == -E_CAP || (object && e == -E_OBJECT));
        }
        for (unsigned bit = 0; bit < 8 * sizeof c.port; bit++) {
            struct cap forged = c;
            ((uint8_t *)&forged)[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_int_equal(info(n, forged), -E_NOTHERE);
        }
    }
    assert_int_equal(op(n, good, OP_DESTROY), 0);
}
static void no_capability_with_a_turned_bit_is_accepted(void **state)
{
    bed_run(unit_node(state), forged_body, NULL);
}

// --- Rotation ------------------------------------------------------------------------------------------------------

static struct cap rotated(struct node *n, struct cap c)
{
    struct cap fresh;
    assert_int_equal(bed_call(n, c, OP_ROTATE, 0, 0, NULL, 0, &fresh, sizeof fresh), 0);
    assert_int_equal(cap_rights(&fresh), RIGHT_ALL);
    assert_int_equal(fresh.obj_rights, c.obj_rights | RIGHT_ALL);
    return fresh;
}

static void rotate_body(struct node *n, void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < NAMES + 1; i++) {
        struct cap old = i < NAMES ? bed_lookup(n, names[i]) : segment(n);
        struct cap weak = restricted(n, old, RIGHT_READ);
        struct cap owner = restricted(n, old, RIGHT_OWNER);
        struct cap fresh = rotated(n, owner);
        assert_int_equal(info(n, old), -E_CAP);
        assert_int_equal(info(n, weak), -E_CAP);
        assert_int_equal(op(n, weak, OP_RESTRICT), -E_CAP);
        assert_int_equal(op(n, owner, OP_ROTATE), -E_CAP);
        assert_int_equal(info(n, fresh), 0);
        assert_int_equal(info(n, restricted(n, fresh, RIGHT_READ)), 0);
        if (i < NAMES) { // the name keeps what was entered
            assert_int_equal(info(n, bed_lookup(n, names[i])), -E_CAP);
        } else {
            struct cap other = segment(n); // one object's key is no other's
            assert_int_equal(op(n, rotated(n, other), OP_DESTROY), 0);
            assert_int_equal(info(n, fresh), 0);
            assert_int_equal(op(n, fresh, OP_DESTROY), 0);
        }
        if (i == 0) { // for the segments of the last round
            char entry[4 + sizeof fresh] = "seg";
            memcpy(entry + 4, &fresh, sizeof fresh);
            assert_int_equal(bed_call(n, dir_root_cap(n->ring_key, n->name, RIGHT_ALL), OP_DIR_ENTER, 0, 0, entry,
                                      sizeof entry, NULL, 0),
                             0);
        }
    }
    struct cap dir = dir_root_cap(n->ring_key, n->name, RIGHT_ALL), found;
    struct cap fresh = rotated(n, dir);
    assert_int_equal(bed_call(n, dir, OP_DIR_LOOKUP, 0, 0, "seg", 3, &found, sizeof found), -E_CAP);
    assert_int_equal(bed_call(n, fresh, OP_DIR_LOOKUP, 0, 0, "seg", 3, &found, sizeof found), 0);
}
static void a_rotated_capability_is_dead_and_so_is_all_that_came_of_it(void **state)
{
    bed_run(unit_node(state), rotate_body, NULL);
}

static size_t put(struct node *n, const char *bytes, size_t len)
{
    (void)n;
    (void)bytes;
    return len;
}
static void terminal_body(struct node *n, void *arg)
{
    (void)arg;
    struct cap console = bed_lookup(n, "console"), a, b;
    assert_int_equal(console_attach(n, put, NULL), 0);
    assert_int_equal(bed_call(n, console, OP_CONSOLE_OPEN, 0, 0, "a", 1, &a, sizeof a), 0);
    assert_int_equal(bed_call(n, console, OP_CONSOLE_OPEN, 0, 0, "b", 1, &b, sizeof b), 0);
    struct cap fresh = rotated(n, a);
    assert_int_equal(info(n, a), -E_CAP);
    assert_int_equal(info(n, b), 0);
    assert_int_equal(info(n, console), 0);
    console = rotated(n, console);
    assert_int_equal(info(n, b), 0);
    assert_int_equal(op(n, fresh, OP_DESTROY), 0);
    assert_int_equal(op(n, b, OP_DESTROY), 0);
}
static void a_terminal_is_rotated_alone(void **state)
{
    bed_run(unit_node(state), terminal_body, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_object_answers_the_standard_operations),
        TEST(no_capability_with_a_turned_bit_is_accepted),
        TEST(a_rotated_capability_is_dead_and_so_is_all_that_came_of_it),
        TEST(a_terminal_is_rotated_alone),
    };
    return UNIT_RUN(tests);
}
