// SPDX-License-Identifier: BSD-2-Clause
// The console: lines in both directions, and that readers who wait keep nobody from being served.
#include "test/unit/service_bed.h"

#include "services/console.h"

struct reader {
    int64_t status;
    char text[64];
};
static void read_body(struct node *n, void *arg)
{
    struct reader *r = arg;
    memset(r->text, 0, sizeof r->text);
    r->status =
        bed_call(n, bed_lookup(n, "console"), OP_READ, 0, sizeof r->text - 1, NULL, 0, r->text, sizeof r->text - 1);
}
static void type(struct node *n, const char *s)
{
    host_node_enter(n);
    for (; *s; s++)
        console_input(n, *s);
}
static void print_body(struct node *n, void *arg)
{
    const char *s = arg;
    assert_int_equal(bed_call(n, bed_lookup(n, "console"), OP_WRITE, 0, 0, s, strlen(s), NULL, 0), 0);
    assert_int_equal(bed_result.res[0], strlen(s));
}

static void a_service_that_waits_for_long_still_takes_requests(void **state)
{
    struct node *n = unit_node(state);
    struct reader r;
    struct bed_client c = {.body = read_body, .arg = &r}, w = {.body = print_body, .arg = "hello\n"};
    bed_begin(n, &c);
    bed_pass(n, 60 * NS_PER_S);
    bed_begin(n, &w);
    bed_pass(n, 0);
    assert_true(w.done);
    type(n, "one\r");
    bed_finish(n, &c);
}

static void print_for(struct node *n, unsigned seconds)
{
    for (unsigned i = 0; i < seconds; i++) {
        bed_run(n, print_body, "again\n");
        bed_pass(n, NS_PER_S);
    }
}

// One request a second, which goes to who has waited longest: none of them ever has nothing to do for long.
static void what_a_service_needed_once_goes_though_requests_keep_coming(void **state)
{
    static char large[6 * PAGE_SIZE];
    struct node *n = unit_node(state);
    struct reader r[5];
    struct bed_client c[5];
    memset(large, '-', sizeof large - 1);
    print_for(n, 20);
    struct unit before = unit_counts(n);
    for (int i = 0; i < 5; i++) {
        c[i] = (struct bed_client){.body = read_body, .arg = &r[i]};
        bed_begin(n, &c[i]);
        bed_pass(n, 0);
    }
    assert_true(n->pool_thread.used > before.threads + 5);
    for (int i = 0; i < 5; i++)
        type(n, "one\r");
    for (int i = 0; i < 5; i++) {
        bed_finish(n, &c[i]);
        bed_run(n, print_body, large);
    }
    assert_true(n->pool_thread.used > before.threads);
    print_for(n, 20);
    assert_int_equal(n->pool_thread.used, before.threads);
    assert_int_equal(n->pool_seg.used, before.segs);
    assert_int_equal(page_free_count(n), before.free_pages);
}

#define READERS 10 // tasks_max of the console, less those kept free

static void readers_that_wait_keep_nobody_from_writing(void **state)
{
    struct node *n = unit_node(state);
    struct reader r[READERS + 1];
    struct bed_client c[READERS + 1];
    for (int i = 0; i <= READERS; i++) {
        c[i] = (struct bed_client){.body = read_body, .arg = &r[i]};
        bed_begin(n, &c[i]);
        bed_pass(n, 0);
    }
    assert_true(c[READERS].done);
    assert_int_equal(r[READERS].status, -E_LIMIT); // some tasks are always kept free
    assert_false(c[0].done || c[READERS - 1].done);
    bed_pass(n, 60 * NS_PER_S); // and stay so
    bed_run(n, print_body, "hello\n");
    assert_true(bed_was_logged("hello"));
    type(n, "one\rtwx\bo\r");
    bed_finish(n, &c[0]);
    bed_finish(n, &c[1]);
    assert_string_equal(r[0].text, "one\n");
    assert_string_equal(r[1].text, "two\n");
    for (int i = 2; i < READERS; i++) {
        type(n, "x\r");
        bed_finish(n, &c[i]);
    }
}

static void the_console_reads_lines(void **state)
{
    struct node *n = unit_node(state);
    struct reader r;
    struct bed_client c = {.body = read_body, .arg = &r};
    bed_begin(n, &c);
    type(n, "ab");
    bed_pass(n, NS_PER_S);
    assert_false(c.done); // not a line yet
    type(n, "\b\b\b\bcd\n");
    bed_finish(n, &c);
    assert_string_equal(r.text, "cd\n");
    type(n, "x\x04"); // gives what there is
    bed_run(n, read_body, &r);
    assert_string_equal(r.text, "x");
    type(n, "\x04");
    bed_run(n, read_body, &r);
    assert_int_equal(r.status, -E_EOF);
    for (int i = 0; i < 5000; i++) // more than there is room for: the line can still be ended
        type(n, "y");
    type(n, "\n");
    size_t len = 0;
    do {
        bed_run(n, read_body, &r);
        assert_int_equal(r.status, 0);
        len += strlen(r.text);
    } while (r.text[strlen(r.text) - 1] != '\n');
    assert_int_equal(len, 1024);
}

static void the_console_prints_lines_and_shows_what_would_steer_a_terminal(void **state)
{
    struct node *n = unit_node(state);
    bed_run(n, print_body, "par");
    assert_false(bed_was_logged("par"));
    bed_run(n, print_body, "tial\r\nprompt> ");
    assert_true(bed_was_logged("partial"));
    assert_false(bed_was_logged("prompt"));
    bed_pass(n, NS_PER_S);
    assert_true(bed_was_logged("prompt> "));
    bed_run(n, print_body, "\x1b[2Jgr\xc3\xbc\x7f\a\n");
    assert_true(bed_was_logged("\\x1b[2Jgr\xc3\xbc\\x7f\\x07"));
    bed_run(n, print_body, "C1 \x9b[2J \xc2\x9b[2J \xc3\x9b \xe2\x82\x9b \xf0\x9f\x98\x80\x9b\n");
    assert_true(bed_was_logged("C1 \\x9b[2J \xc2\\x9b[2J \xc3\x9b \xe2\x82\x9b \xf0\x9f\x98\x80\\x9b"));
    char wide[1000];
    memset(wide, 'w', sizeof wide);
    memcpy(wide + sizeof wide - 5, "end\n", 5);
    bed_run(n, print_body, wide);
    assert_true(bed_was_logged("wend"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BED_TEST(a_service_that_waits_for_long_still_takes_requests),
        BED_TEST(readers_that_wait_keep_nobody_from_writing),
        BED_TEST(what_a_service_needed_once_goes_though_requests_keep_coming),
        BED_TEST(the_console_reads_lines),
        BED_TEST(the_console_prints_lines_and_shows_what_would_steer_a_terminal),
    };
    return UNIT_RUN(tests);
}
