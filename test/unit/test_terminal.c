// SPDX-License-Identifier: BSD-2-Clause
// A terminal, with a device of the test's behind it: bytes as they are, as at `rotifer run`, and typed by hand, as at a
// console. What several terminals on one screen do is in test_shell.c.
#include "test/unit/service_bed.h"

#include "core/cap.h"
#include "services/terminal/terminal.h"

#define RING 8192u

static struct {
    struct terminal terminal;
    char ring[RING];
    bool gone;
    struct cap cap;
    // What came out
    char out[4096];
    size_t out_len, take; // take: bytes at a time
    int64_t out_error;
    // What the device has for readers
    const char *in; // NULL: nothing yet
    size_t wanted;
    int in_error;
} dev;

static int64_t put(struct node *n, struct terminal *t, const char *bytes, size_t len)
{
    (void)n;
    (void)t;
    static bool again; // every second time: nothing now
    if (dev.out_error)
        return dev.out_error;
    if ((again = !again))
        return 0;
    size_t took = len < dev.take ? len : dev.take;
    assert_true(dev.out_len + took <= sizeof dev.out);
    memcpy(dev.out + dev.out_len, bytes, took);
    dev.out_len += took;
    return (int64_t)took;
}

static int want(struct node *n, struct terminal *t, size_t max)
{
    dev.wanted = max;
    if (dev.in_error)
        return dev.in_error;
    if (!dev.in)
        return 0;
    size_t len = strlen(dev.in);
    if (len == 0)
        terminal_end_input(n, t);
    terminal_input(n, t, dev.in, len < max ? len : max);
    dev.in += len < max ? len : max;
    return 0;
}

static const struct terminal_ops raw = {.put = put, .want = want};

static struct terminal *find(struct node *n, const struct request *r)
{
    (void)n;
    (void)r;
    return dev.gone ? NULL : &dev.terminal;
}
static int key_of(struct node *n, const struct request *r, uint8_t key[16])
{
    (void)n;
    (void)r;
    memset(key, 7, 16);
    return 0;
}
static int64_t run_read(struct node *n, struct request *r)
{
    return terminal_read(n, r, find);
}
static int64_t run_write(struct node *n, struct request *r)
{
    return terminal_write(n, &dev.terminal, r);
}
static const struct operation ops[] = {
    {OP_READ, "read", RIGHT_READ, false, OP_BLOCKS, run_read},
    {OP_WRITE, "write", RIGHT_WRITE, false, OP_SLOW, run_write},
    {0, NULL, 0, false, OP_NONBLOCKING, NULL},
};
static const struct service service = {
    .name = "dev", .ops = ops, .key = key_of, .buffer_pages = 4, .tasks = 2, .tasks_max = 4};

static int setup(void **state)
{
    const struct host_options o = {.clock = unit_clock, .seed = 1};
    struct port get = {{1, 2}}, put_port;
    static const uint8_t key[16] = {7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7};
    if (bed_setup_with(state, &o) < 0 || service_open(unit_node(state), &service, get, &put_port) < 0)
        return -1;
    memset(&dev, 0, sizeof dev);
    dev.take = sizeof dev.out;
    terminal_init(&dev.terminal, &raw, TERMINAL_KEYS, dev.ring, sizeof dev.ring);
    dev.cap = cap_make(put_port, 1, RIGHT_ALL, key);
    return 0;
}

static int64_t write_text(struct node *n, const char *text, size_t len)
{
    return bed_call(n, dev.cap, OP_WRITE, 0, 0, text, len, NULL, 0);
}

// --- Written ----------------------------------------------------------------------------------------------

static void raw_body(struct node *n, void *arg)
{
    static const char text[] = "\x1b[2J\a\r\n\xff\0 end";
    (void)arg;
    dev.take = 3;
    assert_int_equal(write_text(n, text, sizeof text), 0);
    assert_int_equal(bed_result.res[0], sizeof text);
    assert_int_equal(dev.out_len, sizeof text);
    assert_memory_equal(dev.out, text, sizeof text);
}
static void bytes_pass_as_they_are_however_few_the_device_takes(void **state)
{
    bed_run(unit_node(state), raw_body, NULL);
}

static void write_error_body(struct node *n, void *arg)
{
    (void)arg;
    dev.out_error = -E_IO;
    assert_int_equal(write_text(n, "x", 1), -E_IO);
    assert_int_equal(write_text(n, "", 0), 0); // nothing is written to it
}
static void an_error_of_the_device_is_the_writers(void **state)
{
    bed_run(unit_node(state), write_error_body, NULL);
}

// --- Typed ------------------------------------------------------------------------------------------------

static int64_t read_text(struct node *n, char *text, size_t max)
{
    memset(text, 0, max + 1);
    return bed_call(n, dev.cap, OP_READ, 0, max, NULL, 0, text, max);
}

static void want_body(struct node *n, void *arg)
{
    char text[64];
    (void)arg;
    dev.in = "hello\nworld";
    assert_int_equal(read_text(n, text, 5), 0);
    assert_string_equal(text, "hello");
    assert_int_equal(dev.wanted, 5); // what is left belongs to somebody else
    assert_int_equal(read_text(n, text, 63), 0);
    assert_string_equal(text, "\nworld");
    assert_int_equal(read_text(n, text, 63), -E_EOF);
    assert_int_equal(read_text(n, text, 63), -E_EOF); // it is asked again each time
    assert_int_equal(read_text(n, text, 0), 0);
    dev.in_error = -E_IO;
    assert_int_equal(read_text(n, text, 63), -E_IO);
}
static void a_reader_asks_the_device_for_no_more_than_it_wants(void **state)
{
    bed_run(unit_node(state), want_body, NULL);
}

struct reader {
    int64_t status;
    char text[64];
};
static void reader_body(struct node *n, void *arg)
{
    struct reader *r = arg;
    r->status = read_text(n, r->text, 63);
}

static void what_comes_late_wakes_the_reader_that_is_still_there(void **state)
{
    struct node *n = unit_node(state);
    struct reader gone = {.status = 1}, next = {.status = 1};
    struct bed_client a = {.body = reader_body, .arg = &gone}, b = {.body = reader_body, .arg = &next};
    bed_begin(n, &a);
    assert_false(a.done);
    host_node_enter(n);
    task_free(n, a.task);
    bed_begin(n, &b);
    host_node_enter(n);
    terminal_input(n, &dev.terminal, "late", 4);
    bed_step(n);
    assert_true(b.done);
    assert_int_equal(next.status, 0);
    assert_string_equal(next.text, "late");
}

static void a_reader_is_told_when_the_terminal_ends(void **state)
{
    struct node *n = unit_node(state);
    struct reader r = {.status = 1};
    struct bed_client c = {.body = reader_body, .arg = &r};
    bed_begin(n, &c);
    host_node_enter(n);
    dev.gone = true;
    terminal_end(n, &dev.terminal);
    bed_step(n);
    assert_true(c.done);
    assert_int_equal(r.status, -E_OBJECT);
}

// Replies of more than a page, and such as begin at the ring's end and go on at its beginning.
static void wrap_body(struct node *n, void *arg)
{
    static char text[RING + 1], in[6001];
    (void)arg;
    for (unsigned round = 0; round < 8; round++) {
        for (unsigned i = 0; i < 6000; i++)
            in[i] = (char)('A' + (i + round) % 53);
        terminal_input(n, &dev.terminal, in, 6000);
        assert_int_equal(terminal_space(&dev.terminal), RING - 6000);
        size_t first = round % 2 ? 100 : 5000;
        assert_int_equal(read_text(n, text, first), 0);
        assert_int_equal(bed_result.len, first);
        assert_memory_equal(text, in, first);
        assert_int_equal(read_text(n, text, RING), 0);
        assert_int_equal(bed_result.len, 6000 - first);
        assert_memory_equal(text, in + first, 6000 - first);
    }
    for (unsigned i = 0; i < 2; i++)
        terminal_input(n, &dev.terminal, in, 6000); // what finds no room is lost
    assert_int_equal(terminal_space(&dev.terminal), 0);
    assert_int_equal(read_text(n, text, RING), 0);
    assert_int_equal(bed_result.len, RING);
    assert_memory_equal(text + 6000, in, RING - 6000);
}
static void long_replies_are_whole_wherever_the_ring_comes_round(void **state)
{
    bed_run(unit_node(state), wrap_body, NULL);
}

// --- Typed by hand ------------------------------------------------------------------------------------------

static void type(struct node *n, const char *text)
{
    terminal_input(n, &dev.terminal, text, strlen(text));
}

static void cooked_body(struct node *n, void *arg)
{
    char text[64];
    (void)arg;
    terminal_init(&dev.terminal, &raw, TERMINAL_COOKED, dev.ring, 16);
    type(n, "abx\x7f"
            "c\rsecond\n");
    assert_int_equal(read_text(n, text, 63), 0);
    assert_string_equal(text, "abc\n");
    assert_int_equal(read_text(n, text, 63), 0);
    assert_string_equal(text, "second\n");
    type(n, "0123456789abcdefgh\n"); // the last place is for the newline
    assert_int_equal(read_text(n, text, 63), 0);
    assert_string_equal(text, "0123456789abcde\n");
    type(n, "\b\x7fpart\x04\x04");
    assert_int_equal(read_text(n, text, 63), 0);
    assert_string_equal(text, "part");
    assert_int_equal(read_text(n, text, 63), -E_EOF);
    type(n, "half");
    terminal_set_mode(n, &dev.terminal, TERMINAL_KEYS); // and is keys now
    type(n, "\x7f");
    assert_int_equal(read_text(n, text, 63), 0);
    assert_string_equal(text, "half\x7f");
}
static void lines_typed_by_hand_are_given_when_they_end(void **state)
{
    bed_run(unit_node(state), cooked_body, NULL);
}

static void lines_body(struct node *n, void *arg)
{
    char text[64];
    (void)arg;
    terminal_init(&dev.terminal, &raw, TERMINAL_LINES, dev.ring, 16);
    type(n, "a\nb\nc");
    assert_int_equal(read_text(n, text, 63), 0);
    assert_string_equal(text, "a\n");
    assert_int_equal(read_text(n, text, 1), 0);
    assert_string_equal(text, "b");
    assert_int_equal(read_text(n, text, 63), 0);
    assert_string_equal(text, "\n");
    assert_int_equal(read_text(n, text, 63), 0);
    assert_string_equal(text, "c");
}
static void lines_that_were_edited_elsewhere_are_given_one_at_a_time(void **state)
{
    bed_run(unit_node(state), lines_body, NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, bed_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bytes_pass_as_they_are_however_few_the_device_takes),
        TEST(an_error_of_the_device_is_the_writers),
        TEST(a_reader_asks_the_device_for_no_more_than_it_wants),
        TEST(what_comes_late_wakes_the_reader_that_is_still_there),
        TEST(a_reader_is_told_when_the_terminal_ends),
        TEST(long_replies_are_whole_wherever_the_ring_comes_round),
        TEST(lines_typed_by_hand_are_given_when_they_end),
        TEST(lines_that_were_edited_elsewhere_are_given_one_at_a_time),
    };
    return UNIT_RUN(tests);
}
