// SPDX-License-Identifier: BSD-2-Clause
// Grants as people type them, and as info shows them.
#include "test/unit/unit.h"

#include "services/grant.h"

#include <string.h>

static void a_grant_without_rights_is_to_read(void **state)
{
    struct grant g;
    (void)state;
    assert_null(grant_parse("node", &g));
    assert_string_equal(g.name, "node");
    assert_string_equal(g.what, "node");
    assert_string_equal(g.node, "");
    assert_int_equal(g.rights, RIGHT_READ);
}

static void rights_and_the_node_are_said_by_name(void **state)
{
    struct grant g;
    (void)state;
    assert_null(grant_parse("proc@n2:exec,control", &g));
    assert_string_equal(g.name, "proc@n2");
    assert_string_equal(g.what, "proc");
    assert_string_equal(g.node, "n2");
    assert_int_equal(g.rights, RIGHT_EXEC | RIGHT_CONTROL);
    assert_null(grant_parse("x:all", &g));
    assert_int_equal(g.rights, RIGHT_ALL);
    assert_null(grant_parse("x:read,write,create,destroy,exec,control,owner", &g));
    assert_int_equal(g.rights, 0xbf);
    assert_null(grant_parse_meet("us@n3", &g));
    assert_string_equal(g.name, "meet");
    assert_string_equal(g.what, "us");
    assert_string_equal(g.node, "n3");
}

static void what_is_no_grant_is_refused(void **state)
{
    static const char *const bad[] = {
        "",       ":",     ":read",     "x:",     "x:fly",  "x:read,", "x:,read", "x:read,,write",
        "x:READ", "x:rea", "x:reads",   "@",      "x@",     "@n1",     "x@:read", "tty",
        "files",  "meet",  "meet:read", "tty@n1", "file:a", "a\033",   "\x9b",    "01234567890123456789012345678901"};
    struct grant g;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (!grant_parse(bad[i], &g))
            fail_msg("'%s' was taken for a grant", bad[i]);
    assert_null(grant_parse("0123456789012345678901234567890", &g));
    assert_non_null(grant_parse_meet("", &g));
    assert_non_null(grant_parse_meet("a@", &g));
    assert_non_null(grant_parse_meet("a\nb", &g));
}

static void a_note_is_never_longer_than_its_room(void **state)
{
    char note[NAME_MAX_LEN] = "";
    struct grant g;
    (void)state;
    assert_null(grant_parse("proc:exec,read", &g));
    grant_note(note, &g);
    assert_string_equal(note, "+proc:rx");
    assert_null(grant_parse_meet("us", &g));
    grant_note(note, &g);
    assert_string_equal(note, "+proc:rx +meet:us");
    for (unsigned i = 0; i < GRANTS_MAX; i++) {
        assert_null(grant_parse("node", &g));
        grant_note(note, &g);
        assert_true(strlen(note) < sizeof note);
    }
    assert_string_equal(note, "+proc:rx +meet:us +node:r +..");
    memset(note, 0, sizeof note);
    assert_null(grant_parse("0123456789012345678901234567890:all", &g));
    grant_note(note, &g);
    assert_string_equal(note, "+..");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_grant_without_rights_is_to_read),
        cmocka_unit_test(rights_and_the_node_are_said_by_name),
        cmocka_unit_test(what_is_no_grant_is_refused),
        cmocka_unit_test(a_note_is_never_longer_than_its_room),
    };
    return UNIT_RUN(tests);
}
