// SPDX-License-Identifier: BSD-2-Clause
// One way of a cable with the relay in it, between two real sockets: what goes in, what comes out and when, and that
// the counts add up. Time is a number here.
#include "test/unit/unit.h"
#include "tools/relay_way.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

#define NOW (5 * NS_PER_S)
#define WAY 2u // n1 -> n2: l2

static struct way w;
static int sender = -1, receiver = -1;
static char directory[] = "/tmp/way.XXXXXX";

// --- A cable ----------------------------------------------------------------------------------------------

static struct sockaddr_un address(const char *name)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof a.sun_path, "%s", name);
    return a;
}

static int bound(const char *name)
{
    struct sockaddr_un a = address(name);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    (void)unlink(name);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

static int set_up(void **state)
{
    (void)state;
    strcpy(directory + sizeof directory - 7, "XXXXXX");
    if (!mkdtemp(directory) || chdir(directory) != 0 || !cables_lay(2))
        return -1;
    sender = bound("r1.end");
    receiver = bound("l2.end");
    way_init(&w, WAY, 2);
    assert_string_equal(w.names.end, "l2.end");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    way_set_cut(&w, true); // frees what is under way
    close(sender);
    close(receiver);
    if (w.fd >= 0)
        close(w.fd);
    static const char *const files[] = {"r1.end", "l2.end", "l2.relay"};
    for (unsigned i = 0; i < sizeof files / sizeof files[0]; i++)
        (void)unlink(files[i]);
    for (unsigned i = 0; i < 6; i++) // the names of a ring of two
        (void)unlink(cable_way(i, 2).name);
    return chdir("/") == 0 && rmdir(directory) == 0 ? 0 : -1;
}

static bool sends(const char *text)
{
    struct sockaddr_un a = address("l2");
    return sendto(sender, text, strlen(text), MSG_DONTWAIT, (struct sockaddr *)&a, sizeof a) >= 0;
}

// What the receiver has got: one letter a frame.
static const char *received(void)
{
    static char all[4096];
    size_t len = 0;
    char frame[64];
    for (ssize_t n; (n = recv(receiver, frame, sizeof frame, MSG_DONTWAIT)) > 0;)
        all[len++] = frame[0];
    all[len] = 0;
    return all;
}

static uint8_t buffer[WAY_FRAME_BYTES];

static void take_one(const struct fault_verdict *v)
{
    size_t len = way_take(&w, buffer);
    assert_true(len > 0);
    way_put(&w, buffer, len, v);
}

static const struct fault_verdict pass = {.copies = 1, .due_ns = {NOW, NOW}};

// Each letter is sent, and taken in with its verdict.
static void send_all(const char *letters, const struct fault_verdict *v)
{
    char one[2] = {0, 0};
    for (; *letters; letters++) {
        one[0] = *letters;
        assert_true(sends(one));
        take_one(v);
    }
}

static bool adds_up(void)
{
    const struct way_counts *c = &w.counts;
    return c->frames + c->doubled == c->passed + c->lost + c->dropped + c->cut + c->nobody + w.waiting;
}

// --- Tests ------------------------------------------------------------------------------------------------

static void the_relay_moves_in_and_out_and_nothing_is_lost(void **state)
{
    (void)state;
    assert_true(sends("a"));
    assert_true(way_set(&w, true));
    assert_true(sends("b"));
    take_one(&pass);
    (void)way_flush(&w, NOW);
    assert_true(sends("c"));
    assert_true(way_set(&w, false));
    assert_true(sends("d")); // straight, past c
    take_one(&pass);
    (void)way_flush(&w, NOW);
    assert_string_equal(received(), "abdc");
    assert_int_equal(way_take(&w, buffer), 0);
    assert_true(adds_up() && w.counts.frames == 2);
}

static void frames_go_on_in_order_when_they_are_due(void **state)
{
    (void)state;
    const struct fault_verdict late = {.copies = 1, .due_ns = {NOW + 10}}, later = {.copies = 1, .due_ns = {NOW + 20}};
    assert_true(way_set(&w, true));
    send_all("ab", &late);
    send_all("c", &pass);
    send_all("d", &later);
    send_all("e", &late);
    assert_int_equal(way_flush(&w, NOW), NOW + 10);
    assert_string_equal(received(), "c");
    assert_int_equal(way_flush(&w, NOW + 10), NOW + 20);
    assert_string_equal(received(), "abe");
    assert_int_equal(way_flush(&w, NOW + 30), UINT64_MAX);
    assert_string_equal(received(), "d");
    send_all("f", &pass);
    (void)way_flush(&w, NOW + 30);
    assert_string_equal(received(), "f");
    assert_true(adds_up() && w.waiting == 0);
}

static void a_frame_that_is_held_back_is_overtaken_so_often(void **state)
{
    (void)state;
    const struct fault_verdict behind2 = {.copies = 1, .behind = 2, .due_ns = {NOW}},
                               behind3 = {.copies = 1, .behind = 3, .due_ns = {NOW}};
    assert_true(way_set(&w, true));
    send_all("a", &pass);
    send_all("B", &behind2);
    send_all("C", &behind3);
    send_all("defg", &pass);
    (void)way_flush(&w, NOW);
    assert_string_equal(received(), "adeBfCg");
    assert_int_equal(w.held, 0);
    assert_int_equal(w.counts.held, 2);
    assert_true(adds_up());
}

static void a_frame_that_nothing_overtakes_goes_on_after_a_while(void **state)
{
    (void)state;
    const struct fault_verdict behind = {.copies = 1, .behind = 1, .due_ns = {NOW}};
    assert_true(way_set(&w, true));
    send_all("aB", &behind);
    assert_int_equal(way_flush(&w, NOW), NOW + FAULT_HOLD_NS);
    assert_string_equal(received(), "");
    assert_int_equal(way_flush(&w, NOW + FAULT_HOLD_NS), UINT64_MAX);
    assert_string_equal(received(), "aB");
    assert_true(adds_up() && w.held == 0);
}

static void doubled_and_lost_frames_are_counted(void **state)
{
    (void)state;
    const struct fault_verdict twice = {.copies = 2, .due_ns = {NOW, NOW + 10}}, lost = {.copies = 0};
    assert_true(way_set(&w, true));
    send_all("ab", &twice);
    send_all("c", &lost);
    w.counts.lost++; // by the relay, which knows why
    (void)way_flush(&w, NOW + 10);
    assert_string_equal(received(), "abab");
    assert_int_equal(w.counts.doubled, 2);
    assert_true(adds_up());
}

static void a_cut_loses_what_is_under_way_and_what_comes(void **state)
{
    (void)state;
    const struct fault_verdict late = {.copies = 1, .behind = 4, .due_ns = {NOW + 10}};
    assert_true(way_set(&w, true));
    send_all("ab", &late);
    way_set_cut(&w, true);
    send_all("c", &pass);
    (void)way_flush(&w, NOW + NS_PER_S);
    way_set_cut(&w, false);
    send_all("d", &pass);
    (void)way_flush(&w, NOW + NS_PER_S);
    assert_string_equal(received(), "d");
    assert_int_equal(w.counts.cut, 3);
    assert_true(adds_up() && w.held == 0);
}

// As without the relay: whose queue is full makes the sender wait.
static void a_slow_receiver_loses_nothing(void **state)
{
    (void)state;
    unsigned sent = 0, got = 0;
    assert_true(way_set(&w, true));
    while (sent < 3 * WAY_FRAMES_MAX) {
        bool full = !sends("x");
        sent += !full;
        for (size_t len; way_has_room(&w) && (len = way_take(&w, buffer)) > 0;)
            way_put(&w, buffer, len, &pass);
        (void)way_flush(&w, NOW);
        if (full && !way_has_room(&w))
            break;
    }
    assert_false(way_has_room(&w));
    assert_in_range(sent, WAY_FRAMES_MAX, 3 * WAY_FRAMES_MAX - 1); // the sender was told to wait
    for (uint64_t now = NOW; got < sent; now += NS_PER_MS) {
        got += (unsigned)strlen(received());
        for (size_t len; way_has_room(&w) && (len = way_take(&w, buffer)) > 0;)
            way_put(&w, buffer, len, &pass);
        (void)way_flush(&w, now);
        assert_true(now < NOW + 100 * NS_PER_S);
    }
    assert_true(adds_up() && w.counts.passed == sent && w.counts.nobody == 0);
}

static void a_receiver_that_is_gone_and_comes_back(void **state)
{
    (void)state;
    assert_true(way_set(&w, true));
    close(receiver);
    send_all("a", &pass);
    (void)way_flush(&w, NOW);
    assert_int_equal(w.counts.nobody, 1);
    receiver = bound("l2.end"); // as QEMU does: unlink, bind
    send_all("b", &pass);
    (void)way_flush(&w, NOW);
    assert_string_equal(received(), "b");
    assert_true(adds_up());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define WITH_CABLE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
        WITH_CABLE(the_relay_moves_in_and_out_and_nothing_is_lost),
        WITH_CABLE(frames_go_on_in_order_when_they_are_due),
        WITH_CABLE(a_frame_that_is_held_back_is_overtaken_so_often),
        WITH_CABLE(a_frame_that_nothing_overtakes_goes_on_after_a_while),
        WITH_CABLE(doubled_and_lost_frames_are_counted),
        WITH_CABLE(a_cut_loses_what_is_under_way_and_what_comes),
        WITH_CABLE(a_slow_receiver_loses_nothing),
        WITH_CABLE(a_receiver_that_is_gone_and_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
