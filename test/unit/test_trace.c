// SPDX-License-Identifier: BSD-2-Clause
// The ring of events: are the last ones shown, oldest first?
#include "test/unit/unit.h"

static char lines[TRACE_SIZE + 1][200];
static unsigned count;
static void take(const char *text)
{
    assert_in_range(count, 0, TRACE_SIZE);
    snprintf(lines[count++], sizeof lines[0], "%s", text);
}

static void show(struct node *n, unsigned max)
{
    count = 0;
    trace_show(n, max, take);
}

static void the_last_events_are_shown_oldest_first(void **state)
{
    struct node *n = unit_node(state);
    for (uint32_t i = 0; i < 3 * TRACE_SIZE + 5; i++)
        trace(n, TRACE_REC, i, 0xabcdef, 2);
    show(n, 3);
    assert_int_equal(count, 3);
    assert_non_null(strstr(lines[0], " 302 "));
    assert_non_null(strstr(lines[2], " 304 "));
    assert_non_null(strstr(lines[2], "rec"));
    assert_non_null(strstr(lines[2], "abcdef"));
    show(n, 100000);
    assert_int_equal(count, TRACE_SIZE);
    assert_non_null(strstr(lines[0], " 205 "));
}

static void a_young_ring_shows_only_what_happened(void **state)
{
    struct node *n = unit_node(state);
    n->trace.count = 0;
    show(n, 10);
    assert_int_equal(count, 0);
    trace(n, TRACE_DROP, 1, 2, 3);
    show(n, 10);
    assert_int_equal(count, 1);
    show(n, 0);
    assert_int_equal(count, 0);
}

static void a_damaged_event_is_shown_without_harm(void **state)
{
    struct node *n = unit_node(state);
    n->trace.count = 1;
    n->trace.ev[0] = (struct trace_event){UINT64_MAX, UINT32_MAX, UINT32_MAX, UINT64_MAX, UINT64_MAX};
    show(n, 10);
    assert_int_equal(count, 1);
    assert_non_null(strstr(lines[0], "?"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(the_last_events_are_shown_oldest_first),
        UNIT_TEST(a_young_ring_shows_only_what_happened),
        UNIT_TEST(a_damaged_event_is_shown_without_harm),
    };
    return UNIT_RUN(tests);
}
