// SPDX-License-Identifier: BSD-2-Clause
// The shell from the bottom up: the line editor, fed with bytes; lines as words; terminals that share a screen; and the
// whole, with somebody who types and guests that are their registers.
#include "test/unit/service_bed.h"

#include "core/abi.h"
#include "core/entry.h"
#include "core/thread.h"
#include "services/bootfs.h"
#include "services/console.h"
#include "services/shell/args.h"
#include "services/shell/shell.h"
#include "services/terminal/edit.h"
#include "services/terminal/width.h"
#include "test/unit/files_bed.h"

// --- The line editor ----------------------------------------------------------------------------------------------

static struct edit e;
static enum edit_event last;

static int fresh_line(void **state)
{
    (void)state;
    edit_init(&e);
    return 0;
}

static void keys(const char *bytes)
{
    for (; *bytes; bytes++)
        last = edit_key(&e, *bytes);
}

// The line with the cursor as '|'.
static void assert_line(const char *expected)
{
    char got[EDIT_LINE_MAX + 2];
    snprintf(got, sizeof got, "%.*s|%s", (int)e.cursor, e.text, e.text + e.cursor);
    assert_string_equal(got, expected);
    assert_int_equal(strlen(e.text), e.len);
}

#define LEFT "\x1b[D"
#define RIGHT "\x1b[C"
#define UP "\x1b[A"
#define DOWN "\x1b[B"

static void what_is_typed_goes_in_at_the_cursor(void **state)
{
    (void)state;
    keys("ac" LEFT "b");
    assert_line("ab|c");
    assert_int_equal(last, EDIT_CHANGED);
    keys(LEFT LEFT LEFT LEFT);
    assert_line("|abc");
    assert_int_equal(last, EDIT_REFUSED);
    keys(RIGHT "\x1bOC");
    assert_line("ab|c");
    keys("\x01");
    assert_line("|abc");
    keys("\x05");
    assert_line("abc|");
    keys("\x1b[H"
         "x"
         "\x1b[F"
         "y"
         "\x1b[1~"
         "\x1b[4~"
         "\x02"
         "\x06");
    assert_line("xabcy|");
}

static void each_key_deletes_what_it_should(void **state)
{
    (void)state;
    keys("one two  three\x7f\b");
    assert_line("one two  thr|");
    keys("\x17");
    assert_line("one two  |");
    keys("\x17");
    assert_line("one |");
    keys("x" LEFT LEFT "\x1b[3~");
    assert_line("one|x");
    keys(LEFT "\x04");
    assert_line("on|x");
    keys("\x0b");
    assert_line("on|");
    keys("yz" LEFT "\x15");
    assert_line("|z");
    keys("\x7f");
    assert_int_equal(last, EDIT_REFUSED);
    keys("\x05\x0b");
    assert_int_equal(last, EDIT_REFUSED);
}

static void keys_with_a_meaning_are_told_apart(void **state)
{
    (void)state;
    keys("\x04");
    assert_int_equal(last, EDIT_END);
    keys("a\x03");
    assert_int_equal(last, EDIT_INTERRUPT);
    keys("\x1a");
    assert_int_equal(last, EDIT_SUSPEND);
    keys("\t");
    assert_int_equal(last, EDIT_COMPLETE);
    keys("\x0c");
    assert_int_equal(last, EDIT_CLEAR);
    keys("\r");
    assert_int_equal(last, EDIT_LINE);
    edit_reset(&e);
    keys("\n"); // the second half of one Enter
    assert_int_equal(last, EDIT_NOTHING);
    keys("\n");
    assert_int_equal(last, EDIT_LINE);
    assert_line("|");
}

static void sequences_that_mean_nothing_leave_nothing(void **state)
{
    (void)state;
    keys("a\x1b[1;5X\x1b[200~\x1b[I\x1bOP\x1bx\x1b[?25h\x01\x02"
         "b");
    assert_line("b|a");
    keys("\x1b[1;5C"); // with Ctrl held: as without
    assert_line("ba|");
    // Strings, as terminals answer with them: ended by BEL, by ESC \\, by another string, by a key that is a control.
    keys("\x1b]0;evil\x07"
         "c\x1bP1$r0m\x1b\\"
         "d\x1b_one\x1b^two\x1b\\"
         "e\x1bXlost\x01"
         "f\x1b]never ends\r");
    assert_int_equal(last, EDIT_LINE);
    assert_line("f|bacde");
}

static void characters_of_several_bytes_stay_whole(void **state)
{
    (void)state;
    keys("a\xc3\xa9z" LEFT LEFT "x");
    assert_line("ax|\xc3\xa9z");
    keys(RIGHT "\x7f");
    assert_line("ax|z");
    keys("e\xcc\x81" LEFT); // a mark goes along with what it is drawn over
    assert_line("ax|e\xcc\x81z");
    keys(RIGHT RIGHT LEFT "\x7f");
    assert_line("ax|z");
}

static void characters_take_the_columns_that_a_terminal_gives_them(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned width;
    } all[] = {{"a", 1},
               {"\xc3\xa9", 1},         // é
               {"\xcc\x81", 0},         // the accent alone
               {"\xe6\x97\xa5", 2},     // a character of Japan
               {"\xef\xbc\xa1", 2},     // A, as wide as those
               {"\xef\xbd\xb1", 1},     // and one of theirs, half as wide
               {"\xf0\x9f\x98\x80", 2}, // a face
               {"\xf0\xa0\x80\x80", 2}, // beyond the first plane
               {"\xe2\x82\xac", 1},     // the euro
               {"\xe2\x80\x8b", 0},     // a blank without width
               {"\x80", 1},             // no UTF-8
               {"\xff", 1}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        size_t bytes, len = strlen(all[i].text);
        assert_int_equal(char_width(all[i].text, len, &bytes), all[i].width);
        assert_int_equal(bytes, len);
    }
    assert_int_equal(text_width("x\xe6\x97\xa5"
                                "e\xcc\x81",
                                7),
                     4);
    assert_int_equal(text_width("", 0), 0);
}

static void a_full_line_takes_no_more_and_can_be_ended(void **state)
{
    (void)state;
    for (unsigned i = 0; i < EDIT_LINE_MAX; i++) {
        keys("x");
        assert_int_equal(last, EDIT_CHANGED);
    }
    keys("y");
    assert_int_equal(last, EDIT_REFUSED);
    assert_int_equal(e.len, EDIT_LINE_MAX);
    assert_false(edit_insert(&e, "y", 1));
    keys("\r");
    assert_int_equal(last, EDIT_LINE);
}

static void enter(const char *line)
{
    keys(line);
    edit_remember(&e);
    edit_reset(&e);
}

static void the_history_gives_lines_back(void **state)
{
    (void)state;
    enter("first");
    enter("second");
    enter("second"); // not twice
    enter("");
    keys("half" UP);
    assert_line("second|");
    keys(UP);
    assert_line("first|");
    keys(UP);
    assert_int_equal(last, EDIT_REFUSED);
    assert_line("first|");
    keys(DOWN "\x0e");
    assert_line("half|"); // what was being typed is still there
    keys(DOWN);
    assert_int_equal(last, EDIT_REFUSED);
    edit_reset(&e);
    for (unsigned i = 0; i < 3 * EDIT_HISTORY; i++) {
        char line[8];
        snprintf(line, sizeof line, "n%u", i);
        enter(line);
    }
    for (unsigned i = 0; i < 2 * EDIT_HISTORY; i++)
        keys("\x10");
    assert_line("n32|"); // sixteen are kept
}

static void random_keys_never_break_the_line(void **state)
{
    (void)state;
    struct unit_rand r = {7};
    for (unsigned i = 0; i < 200000; i++) {
        enum edit_event event = edit_key(&e, (char)(unit_below(&r, 3) ? unit_below(&r, 32) : unit_rand(&r)));
        assert_true(e.cursor <= e.len && e.len <= EDIT_LINE_MAX && e.text[e.len] == 0);
        if (event == EDIT_LINE) {
            edit_remember(&e);
            edit_reset(&e);
        }
    }
}

static void complete(const char *const *names)
{
    struct completion c;
    completion_begin(&e, &c);
    for (; *names; names++)
        completion_offer(&c, *names);
    last = completion_apply(&e, &c) ? EDIT_CHANGED : EDIT_REFUSED;
}

static void completion_inserts_what_is_certain(void **state)
{
    (void)state;
    static const char *const names[] = {"adder_client", "adder_server", "hello", NULL};
    keys("he");
    complete(names);
    assert_line("hello |");
    keys("ad");
    complete(names);
    assert_line("hello adder_|");
    complete(names);
    assert_int_equal(last, EDIT_REFUSED); // either
    keys("s");
    complete(names);
    assert_line("hello adder_server |");
    keys("zz");
    complete(names);
    assert_int_equal(last, EDIT_REFUSED);
    assert_line("hello adder_server zz|");
    struct completion c;
    completion_begin(&e, &c);
    assert_false(c.first);
    edit_reset(&e);
    keys("  x");
    completion_begin(&e, &c);
    assert_true(c.first);
}

// --- Words --------------------------------------------------------------------------------------------------------

static void assert_words(const char *line, bool background, unsigned count, const char *const *expected)
{
    struct args w;
    assert_null(args_split(&w, line));
    assert_int_equal(w.background, background);
    assert_int_equal(w.count, count);
    for (unsigned i = 0; i < count; i++)
        assert_string_equal(w.word[i], expected[i]);
    assert_null(w.word[count]);
}
#define WORDS(line, background, ...)                                                                                   \
    do {                                                                                                               \
        const char *const expected[] = {__VA_ARGS__, NULL};                                                            \
        assert_words(line, background, sizeof expected / sizeof expected[0] - 1, expected);                            \
    } while (0)

static void a_line_is_split_into_words(void **state)
{
    (void)state;
    WORDS("run lua demo.lua 3", false, "run", "lua", "demo.lua", "3");
    WORDS("  a\t b  ", false, "a", "b");
    WORDS("run lua &", true, "run", "lua");
    WORDS("run lua&", true, "run", "lua");
    WORDS("run lua & # and a word on it", true, "run", "lua");
    WORDS("echo 'a b' \"c 'd'\" e\\ f", false, "echo", "a b", "c 'd'", "e f");
    WORDS("echo '' \"\" x''y", false, "echo", "", "", "xy");
    WORDS("echo '\\' \"\\\"\" \\&", false, "echo", "\\", "\"", "&");
    WORDS("echo a#b '#' # c", false, "echo", "a#b", "#");
    assert_words("", false, 0, NULL);
    assert_words(" # nothing", false, 0, NULL);
}

static const char *split_error(const char *line)
{
    static struct args w;
    const char *why = args_split(&w, line);
    return why ? why : "";
}

static void a_line_that_cannot_be_split_says_why(void **state)
{
    (void)state;
    assert_non_null(strstr(split_error("echo 'a"), "quote"));
    assert_non_null(strstr(split_error("echo \"a'"), "quote"));
    assert_non_null(strstr(split_error("echo \\"), "nothing behind"));
    assert_non_null(strstr(split_error("&"), "no command"));
    assert_non_null(strstr(split_error("a & b"), "end of the line"));
    assert_non_null(strstr(split_error("a & &"), "end of the line"));
    char many[ARGS_LINE + 8];
    for (unsigned i = 0; i < 2 * (ARGS_MAX + 1); i += 2)
        memcpy(many + i, "x ", 3);
    assert_non_null(strstr(split_error(many), "32 words"));
    memset(many, 'x', sizeof many);
    many[ARGS_LINE] = 0;
    assert_non_null(strstr(split_error(many), "too long"));
    many[ARGS_LINE - 1] = 0;
    assert_string_equal(split_error(many), "");
}

// --- Somebody sits here ---------------------------------------------------------------------------------------------

static struct {
    char text[65536]; // all that came to the terminal
    size_t len, seen; // seen: what the test has looked at
    size_t room;      // bytes that the terminal takes before it is full
} tty;
static char room_event;

static size_t terminal_put(struct node *n, const char *bytes, size_t len)
{
    (void)n;
    size_t take = len < tty.room ? len : tty.room;
    assert_true(tty.len + take < sizeof tty.text);
    memcpy(tty.text + tty.len, bytes, take);
    tty.len += take;
    tty.room -= take;
    return take;
}

// The terminal as a person sees it: what was erased or overwritten is not there. One row at a time.
static const char *seen(void)
{
    static char out[65536];
    static char row[1024];
    size_t len = 0, width = 0, at = 0;
    for (size_t i = tty.seen; i < tty.len; i++) {
        char c = tty.text[i];
        if (c == '\r') {
            at = 0;
        } else if (c == '\b') {
            at -= at > 0;
        } else if (c == '\n') {
            memcpy(out + len, row, width);
            len += width;
            out[len++] = '\n';
            width = at = 0;
        } else if (c == 0x1b) {
            unsigned number = 0;
            for (i += 2; tty.text[i] >= '0' && tty.text[i] <= '9'; i++)
                number = number * 10 + (unsigned)(tty.text[i] - '0');
            if (tty.text[i] == 'K')
                width = at;
            else if (tty.text[i] == 'C')
                at += number;
        } else {
            row[at++] = c;
            width = at > width ? at : width;
        }
    }
    memcpy(out + len, row, width);
    out[len + width] = 0;
    return out;
}

static const char *seen_bytes(void)
{
    tty.text[tty.len] = 0;
    return tty.text + tty.seen;
}

static void look_away(void)
{
    tty.seen = tty.len;
}

static void assert_seen(const char *text)
{
    if (!strstr(seen(), text))
        print_error("expected \"%s\", seen:\n%s\n", text, seen());
    assert_non_null(strstr(seen(), text));
}

static void assert_not_seen(const char *text)
{
    assert_null(strstr(seen(), text));
}

static void type(struct node *n, const char *s)
{
    host_node_enter(n);
    for (; *s; s++)
        console_input(n, *s);
    bed_step(n);
}

// Guests sleep, a second at a time. One whose turn has come makes this call, or faults.
static struct {
    uint64_t call, a0;
    bool fault;
    unsigned turns;
} guest;

static void guest_run(struct node *n, struct thread *t)
{
    bool now = guest.turns > 0 && --guest.turns == 0;
    t->regs.x[REG_A7] = now ? guest.call : SYS_SLEEP;
    t->regs.x[REG_A0] = now ? guest.a0 : NS_PER_S;
    if (now && guest.fault)
        entry_fault(&n->harts[0], t, FAULT_READ, 0x10, 13);
    else
        entry_syscall(&n->harts[0], t);
}

static bool keep_log(struct node *n, const char *line)
{
    return console_log(n, line);
}
static void log_line(struct node *n, const char *line)
{
    (void)keep_log(n, line);
}

static int setup_console(void **state)
{
    const struct host_options o = {.clock = unit_clock, .seed = 1, .log = log_line, .guest_run = guest_run};
    memset(&tty, 0, sizeof tty);
    memset(&guest, 0, sizeof guest);
    tty.room = sizeof tty.text;
    if (bed_setup_with(state, &o) < 0)
        return -1;
    return console_attach(unit_node(state), terminal_put, &room_event);
}

#define CONSOLE_TEST(f) cmocka_unit_test_setup_teardown(f, setup_console, bed_teardown)

// --- Terminals that share the screen --------------------------------------------------------------------------------

static struct cap open_terminal(struct node *n, const char *name)
{
    struct cap c;
    assert_int_equal(bed_call(n, bed_lookup(n, "console"), OP_CONSOLE_OPEN, 0, 0, name, strlen(name), &c, sizeof c), 0);
    return c;
}
static void put_text(struct node *n, struct cap c, const char *s)
{
    assert_int_equal(bed_call(n, c, OP_WRITE, 0, 0, s, strlen(s), NULL, 0), 0);
    assert_int_equal(bed_result.res[0], strlen(s));
}
static void show(struct node *n, const char *s, size_t cursor, uint64_t how)
{
    assert_int_equal(bed_call(n, bed_lookup(n, "console"), OP_CONSOLE_SHOW, cursor, how, s, strlen(s), NULL, 0), 0);
}
static void front(struct node *n, struct cap c, bool yes)
{
    assert_int_equal(bed_call(n, c, OP_CONSOLE_FRONT, yes, 0, NULL, 0, NULL, 0), 0);
}

static void screen_body(struct node *n, void *arg)
{
    (void)arg;
    struct cap a = open_terminal(n, "a"), b = open_terminal(n, "b");
    show(n, "n1> ru", 6, SHOW_TYPED);
    put_text(n, a, "from a\nhalf");
    assert_string_equal(seen(), "a| from a\nn1> ru");
    put_text(n, b, "from b\n");
    put_text(n, a, " a line\n");
    assert_string_equal(seen(), "a| from a\nb| from b\na| half a line\nn1> ru");
    show(n, "n1> run", 7, SHOW_ENTERED);
    assert_string_equal(seen(), "a| from a\nb| from b\na| half a line\nn1> run\n");
    look_away();
    front(n, a, true); // no name in front of its lines now
    put_text(n, a, "your name? ");
    show(n, "Ada", 3, SHOW_TYPED);
    put_text(n, b, "b again\n");
    assert_string_equal(seen(), "b| b again\nyour name? Ada");
    show(n, "Ada", 3, SHOW_ENTERED);
    put_text(n, a, "hello Ada\n> ");
    assert_string_equal(seen(), "b| b again\nyour name? Ada\nhello Ada\n> ");
    front(n, b, true); // what a had not finished stays
    put_text(n, b, "b: ");
    put_text(n, a, "a in the back\n");
    assert_string_equal(seen(), "b| b again\nyour name? Ada\nhello Ada\n> \na| a in the back\nb: ");
    put_text(n, b, "\x1b[2J\a\tx\n"); // guests do not steer the terminal
    assert_seen("b: \\x1b[2J\\x07\tx\n");
    look_away();
    put_text(n, a, "last words");
    assert_int_equal(bed_call(n, a, OP_DESTROY, 0, 0, NULL, 0, NULL, 0), 0);
    assert_string_equal(seen(), "a| last words\n");
    assert_int_equal(bed_call(n, a, OP_WRITE, 0, 0, "x", 1, NULL, 0), -E_OBJECT);
    assert_int_equal(bed_call(n, b, OP_DESTROY, 0, 0, NULL, 0, NULL, 0), 0);
}
static void terminals_share_the_screen_line_by_line(void **state)
{
    bed_run(unit_node(state), screen_body, NULL);
}

static void row_body(struct node *n, void *arg)
{
    (void)arg;
    show(n, "abc", 3, SHOW_TYPED);
    show(n, "abcd", 4, SHOW_TYPED);
    assert_memory_equal(tty.text, "abcd", 4); // a character costs that character
    assert_int_equal(tty.len, 4);
    show(n, "abc", 3, SHOW_TYPED);
    assert_string_equal(tty.text, "abcd\b \b");
    show(n, "abc", 1, SHOW_TYPED);
    assert_string_equal(tty.text, "abcd\b \b\r\x1b[1C");
    char wide[201];
    memset(wide, 'w', 200);
    wide[200] = 0;
    show(n, wide, 200, SHOW_TYPED); // a window of it, with the end
    assert_true(strlen(seen()) <= 79);
    memcpy(wide, "begin", 5);
    show(n, wide, 0, SHOW_TYPED);
    assert_memory_equal(seen(), "beginwww", 8);
    show(n, "", 0, SHOW_TYPED);
    assert_string_equal(seen(), "");
    struct cap c = bed_lookup(n, "console");
    char toolong[300] = {0};
    assert_int_equal(bed_call(n, c, OP_CONSOLE_SHOW, 0, 0, toolong, sizeof toolong, NULL, 0), -E_ARG);
}
static void the_row_is_drawn_with_few_bytes_and_never_wraps(void **state)
{
    bed_run(unit_node(state), row_body, NULL);
}

// Whatever is typed, and wherever the cursor is: the row fits the screen, and the cursor stands in it.
static void any_row_body(struct node *n, void *arg)
{
    static const char *const pieces[] = {"a", "b", "\xc3\xa9", "\xcc\x81", "\xe6\x97\xa5", "\xf0\x9f\x98\x80", "\xff"};
    struct unit_rand r = {11};
    struct cap c = open_terminal(n, "prog");
    (void)arg;
    front(n, c, true);
    for (unsigned round = 0; round < 300; round++) {
        char text[256], asked[160];
        size_t len = 0, cursor = 0, want = unit_below(&r, 200), before = unit_below(&r, 100);
        while (len < want) {
            const char *piece = pieces[unit_below(&r, sizeof pieces / sizeof pieces[0])];
            memcpy(text + len, piece, strlen(piece));
            len += strlen(piece);
            cursor = unit_below(&r, 3) ? cursor : len;
        }
        for (size_t i = 0; i < before; i++)
            asked[i] = "ab\n"[unit_below(&r, 20) ? unit_below(&r, 2) : 2];
        assert_int_equal(bed_call(n, c, OP_WRITE, 0, 0, asked, before, NULL, 0), 0);
        look_away();
        assert_int_equal(bed_call(n, bed_lookup(n, "console"), OP_CONSOLE_SHOW, cursor, SHOW_CLEAR, text, len, NULL, 0),
                         0);
        const char *row = strstr(seen(), "\x1b") ? "" : seen();
        assert_true(text_width(row, strlen(row)) <= 79);
        const char *placed = strrchr(seen_bytes(), '\r'); // \r ESC [ n C puts the cursor into column n
        unsigned column = placed && placed[1] == 0x1b && placed[2] == '[' ? (unsigned)strtoul(placed + 3, NULL, 10) : 0;
        assert_true(column <= text_width(row, strlen(row)));
        tty.len = tty.seen = 0;
        tty.room = sizeof tty.text;
    }
    assert_int_equal(bed_call(n, c, OP_DESTROY, 0, 0, NULL, 0, NULL, 0), 0);
}
static void the_row_fits_whatever_is_typed(void **state)
{
    bed_run(unit_node(state), any_row_body, NULL);
}

static void tty_read_body(struct node *n, void *arg)
{
    (void)n;
    struct cap c = open_terminal(n, "prog");
    char text[64] = {0};
    (void)arg;
    assert_int_equal(bed_call(n, c, OP_CONSOLE_TYPE, 0, 0, "one\ntwo\n", 8, NULL, 0), 0);
    assert_int_equal(bed_call(n, c, OP_READ, 0, 63, NULL, 0, text, 63), 0);
    assert_string_equal(text, "one\n");
    assert_int_equal(bed_call(n, c, OP_READ, 0, 2, NULL, 0, text, 63), 0);
    assert_int_equal(bed_result.len, 2);
    assert_int_equal(bed_call(n, c, OP_CONSOLE_TYPE, 0, 0, NULL, 0, NULL, 0), 0); // end of input
    assert_int_equal(bed_call(n, c, OP_READ, 0, 63, NULL, 0, text, 63), 0);
    assert_int_equal(bed_call(n, c, OP_READ, 0, 63, NULL, 0, text, 63), -E_EOF);
    static char many[1025];
    assert_int_equal(bed_call(n, c, OP_CONSOLE_TYPE, 0, 0, many, sizeof many, NULL, 0), -E_LIMIT);
    assert_int_equal(bed_call(n, c, OP_CONSOLE_KEYS, 0, 1, NULL, 0, text, 1), -E_OP);
    assert_int_equal(bed_call(n, c, OP_CONSOLE_OPEN, 0, 0, "x", 1, &c, sizeof c), -E_OP);
    struct cap console = bed_lookup(n, "console"), x;
    assert_int_equal(bed_call(n, console, OP_READ, 0, 63, NULL, 0, text, 63),
                     -E_STATE); // keys are read
    assert_int_equal(bed_call(n, console, OP_CONSOLE_TYPE, 0, 0, "x", 1, NULL, 0), -E_OP);
    assert_int_equal(bed_call(n, console, OP_CONSOLE_OPEN, 0, 0, "\x1b", 1, &x, sizeof x), -E_ARG);
    assert_int_equal(bed_call(n, console, OP_DESTROY, 0, 0, NULL, 0, NULL, 0), -E_OP);
    assert_int_equal(bed_call(n, c, OP_DESTROY, 0, 0, NULL, 0, NULL, 0), 0);
}
static void a_program_reads_lines_from_its_terminal(void **state)
{
    bed_run(unit_node(state), tty_read_body, NULL);
}

struct waiting {
    struct cap cap;
    int64_t status;
    char text[32];
};
static void wait_body(struct node *n, void *arg)
{
    struct waiting *w = arg;
    w->status = bed_call(n, w->cap, OP_READ, 0, sizeof w->text - 1, NULL, 0, w->text, sizeof w->text - 1);
}
static void open_body(struct node *n, void *arg)
{
    *(struct cap *)arg = open_terminal(n, "prog");
}
static void type_body(struct node *n, void *arg)
{
    struct waiting *w = arg;
    assert_int_equal(bed_call(n, w->cap, OP_CONSOLE_TYPE, 0, 0, "line\n", 5, NULL, 0), 0);
}
static void close_body(struct node *n, void *arg)
{
    assert_int_equal(bed_call(n, *(struct cap *)arg, OP_DESTROY, 0, 0, NULL, 0, NULL, 0), 0);
}

static void a_line_is_not_given_to_a_reader_that_is_gone(void **state)
{
    struct node *n = unit_node(state);
    struct waiting gone = {.status = 1}, next = {.status = 1};
    struct bed_client a = {.body = wait_body, .arg = &gone}, b = {.body = wait_body, .arg = &next};
    bed_run(n, open_body, &gone.cap);
    next.cap = gone.cap;
    bed_begin(n, &a);
    host_node_enter(n);
    task_free(n, a.task); // killed while it waits
    bed_begin(n, &b);
    bed_run(n, type_body, &next);
    bed_step(n);
    assert_true(b.done);
    assert_int_equal(next.status, 0);
    assert_string_equal(next.text, "line\n");
    bed_run(n, close_body, &gone.cap);
}

static void a_reader_is_told_when_its_terminal_goes(void **state)
{
    struct node *n = unit_node(state);
    struct waiting w = {.status = 1};
    struct bed_client c = {.body = wait_body, .arg = &w};
    bed_run(n, open_body, &w.cap);
    bed_begin(n, &c);
    bed_run(n, close_body, &w.cap);
    bed_step(n);
    assert_true(c.done);
    assert_int_equal(w.status, -E_OBJECT);
}

static void long_body(struct node *n, void *arg)
{
    static char text[5000];
    memset(text, 'x', sizeof text);
    for (unsigned i = 99; i < sizeof text; i += 100)
        text[i] = '\n';
    (void)arg;
    assert_int_equal(bed_call(n, bed_lookup(n, "console"), OP_WRITE, 0, 0, text, sizeof text, NULL, 0), 0);
}
static void a_slow_terminal_loses_nothing(void **state)
{
    struct node *n = unit_node(state);
    struct bed_client a = {.body = long_body}, b = {.body = long_body};
    tty.room = 10;
    bed_begin(n, &a);
    bed_begin(n, &b);
    assert_false(a.done);
    for (unsigned i = 0; i < 5000 && !(a.done && b.done); i++) {
        host_node_enter(n);
        tty.room = 7;
        task_wake(n, &room_event);
        bed_step(n);
    }
    assert_true(a.done && b.done);
    assert_int_equal(tty.len, 2 * (5000 + 50)); // \r\n for \n
    tty.room = sizeof tty.text;
}

// --- The shell ------------------------------------------------------------------------------------------------------

static struct bed_cpio archive;

static int setup_shell(void **state)
{
    struct bed_elf elf;
    if (setup_console(state) < 0)
        return -1;
    bed_elf(&elf);
    archive.len = 0;
    bed_file(&archive, "demo.lua", "print(1)\nprint(2)\n", 18);
    bed_file(&archive, "prog", &elf, sizeof elf);
    bed_file(&archive, "program2", &elf, sizeof elf);
    elf.h.machine = 62;
    bed_file(&archive, "wrong", &elf, sizeof elf);
    bed_end(&archive);
    if (bootfs_give(unit_node(state), archive.bytes, archive.len) || shell_open(unit_node(state)) < 0)
        return -1;
    bed_step(unit_node(state));
    return 0;
}
static int teardown_shell(void **state)
{
    struct node *n = unit_node(state);
    LIST_FOR (l, &n->procs) {
        struct proc *p = LIST_ENTRY(l, struct proc, link);
        if (p != n->kproc)
            proc_finish(n, p, 0);
    }
    return bed_teardown(state);
}
#define SHELL_TEST(f) cmocka_unit_test_setup_teardown(f, setup_shell, teardown_shell)

// Types a line and gives what came of it.
static const char *enter_line(struct node *n, const char *line)
{
    look_away();
    type(n, line);
    type(n, "\r");
    return seen();
}

static void the_shell_prompts_and_explains_itself(void **state)
{
    struct node *n = unit_node(state);
    assert_seen("Type help.");
    assert_seen("\nn1> ");
    enter_line(n, "help");
    assert_seen("run NAME [ARG]... [&]");
    assert_seen("Ctrl-Z stuns");
    for (const char *s = seen(); *s; s += strcspn(s, "\n"), s += *s == '\n')
        assert_true(strcspn(s, "\n") < 80); // no line wraps
    enter_line(n, "help stun");
    assert_seen("stun PROC");
    assert_seen("between two instructions"); // more than help says
    enter_line(n, "hepl");
    assert_seen("hepl: neither a command nor a file on this node. Try: help, ls\nn1> ");
    enter_line(n, "stun");
    assert_seen("No process runs here.");
    enter_line(n, "stun a b");
    assert_seen("usage: stun PROC");
    enter_line(n, "ls demo.lua");
    assert_seen("ls stands alone");
    enter_line(n, "stun nobody");
    assert_seen("no process here has this name");
    enter_line(n, "echo 'a  b' c");
    assert_seen("\na  b c\nn1> ");
    enter_line(n, "echo 'a");
    assert_seen("a quote is not closed");
}

static void every_command_that_needs_no_process_answers(void **state)
{
    struct node *n = unit_node(state);
    enter_line(n, "ls");
    assert_seen("demo.lua                       18 bytes  file\n");
    assert_seen("bytes  program\n");
    enter_line(n, "cat demo.lua");
    assert_seen("print(1)\nprint(2)\nn1> ");
    enter_line(n, "cat prog");
    assert_seen("prog is a program");
    enter_line(n, "ps");
    assert_seen("No process runs here");
    enter_line(n, "dir");
    assert_seen("process service of n1");
    assert_seen("boot files of n1: 4 files");
    enter_line(n, "mem");
    assert_seen("KiB are free");
    enter_line(n, "uptime");
    assert_seen("up 1.000 s, 1 hart, 0 links");
    enter_line(n, "trace three");
    assert_seen("three: not a number of lines. e.g. trace 5\nn1> ");
    enter_line(n, "trace 3");
    assert_seen("1.000000 ");
    enter_line(n, "log");
    assert_not_seen("usage");
}

static void what_cannot_run_says_why(void **state)
{
    struct node *n = unit_node(state);
    enter_line(n, "run nothing");
    assert_seen("nothing: there is no such program on this node");
    enter_line(n, "run demo.lua");
    assert_seen("demo.lua is a Lua program. Try: lua demo.lua");
    enter_line(n, "run wrong");
    assert_seen("wrong cannot run: it is a program for another processor");
}

static void a_program_in_front_ends_and_its_status_is_told(void **state)
{
    struct node *n = unit_node(state);
    guest.call = SYS_EXIT;
    guest.turns = 1;
    enter_line(n, "prog");
    assert_string_equal(seen() + strlen(seen()) - 9, "prog\nn1> "); // well: no words
    guest.turns = 1;
    guest.a0 = 3;
    enter_line(n, "run prog a b");
    assert_seen("ended with status 3\nn1> ");
    guest.turns = 1;
    guest.fault = true;
    enter_line(n, "prog");
    assert_seen(" died: read from 0x10, a null pointer\n"
                "  thread 1, at start+0x0, pc 0x10010; called from 0x0\n"
                "  Which line that is, on your machine:\n"
                "  riscv64-unknown-elf-addr2line -fpe build/guest/prog.elf 0x10010\nn1> ");
}

static void a_program_in_the_background_is_managed_by_name(void **state)
{
    struct node *n = unit_node(state);
    enter_line(n, "run prog &");
    assert_seen("runs in the background\nn1> ");
    enter_line(n, "prog &");
    assert_seen("prog.2 ");
    enter_line(n, "ps");
    assert_seen("prog ");
    assert_seen("prog.2 ");
    enter_line(n, "stun prog");
    assert_seen("is stunned");
    enter_line(n, "ps");
    assert_seen("stunned");
    enter_line(n, "info prog");
    assert_seen("segment 0x0000010000");
    assert_seen("thread 1: sleep, pc 0x10010");
    enter_line(n, "resume prog");
    assert_seen("goes on in the background");
    enter_line(n, "kill prog.2");
    bed_step(n);
    assert_seen("was killed\nn1> ");
    guest.call = SYS_EXIT;
    guest.turns = 1;
    look_away();
    type(n, "half");
    for (unsigned i = 0; i < 100 && !strstr(seen(), "ended"); i++)
        bed_pass(n, NS_PER_S);
    assert_seen(" ended\nn1> half"); // what is typed stays
}

static void the_keys_of_a_program_in_front_kill_and_stun_it(void **state)
{
    struct node *n = unit_node(state);
    enter_line(n, "prog");
    assert_not_seen("n1> p\nn1> ");
    type(n, "\x03");
    bed_step(n);
    assert_seen("was killed\nn1> ");
    enter_line(n, "prog");
    type(n, "\x1a");
    bed_step(n);
    assert_seen("is stunned. Look at it: info prog");
    enter_line(n, "ps");
    assert_seen("stunned");
    enter_line(n, "fg prog");
    assert_not_seen("\nn1> ");
    type(n, "a line for it\r");
    assert_not_seen("n1> a line");
    type(n, "\x03");
    bed_step(n);
    assert_seen("was killed\nn1> ");
    enter_line(n, "fg prog");
    assert_seen("no process here");
}

static void lines_typed_ahead_are_carried_out_in_turn(void **state)
{
    struct node *n = unit_node(state);
    look_away();
    type(n, "echo one\recho two\recho three\recho four\recho five\recho six\rrest");
    bed_step(n);
    assert_seen("echo one\none\nn1> echo two\ntwo\nn1> echo three\nthree\n");
    assert_seen("n1> echo six\nsix\nn1> rest");
    type(n, "\x03");
    enter_line(n, "echo x\x03\x15"
                  "echo y");
    assert_seen("\ny\n");
}

static void tab_completes_commands_files_and_processes(void **state)
{
    struct node *n = unit_node(state);
    look_away();
    type(n, "upt\t");
    assert_seen("uptime ");
    type(n, "\x15"
            "cat de\t");
    assert_seen("cat demo.lua ");
    type(n, "\x15"
            "prog\t");
    assert_seen("  prog  program2\n");
    type(n, "\x15"
            "prog &\r");
    look_away();
    type(n, "stun p\t\r");
    assert_seen("is stunned");
    type(n, "\x1b[A");
    assert_seen("n1> stun prog");
}

static void many_programs_leave_nothing_behind(void **state)
{
    struct node *n = unit_node(state);
    guest.call = SYS_EXIT;
    for (unsigned i = 0; i < 4; i++) { // the teardown counts
        guest.turns = 1;
        enter_line(n, "prog demo.lua nothing x");
        tty.len = tty.seen = 0;
    }
    bed_pass(n, 120 * NS_PER_S);
    size_t pages = page_free_count(n);
    for (unsigned i = 0; i < 50; i++) {
        guest.turns = 1;
        enter_line(n, i % 2 ? "prog demo.lua" : "prog &");
        bed_pass(n, NS_PER_S);
        tty.len = tty.seen = 0;
    }
    bed_pass(n, 120 * NS_PER_S);
    assert_int_equal(page_free_count(n), pages);
}

static void without_memory_the_shell_says_so_and_goes_on(void **state)
{
    struct node *n = unit_node(state);
    guest.call = SYS_EXIT;
    guest.turns = 1;
    enter_line(n, "prog");
    for (long i = 0; i < 60; i++) {
        guest.turns = 1;
        n->pages.fail_after = i;
        enter_line(n, "prog a b c");
        n->pages.fail_after = -1;
        bed_pass(n, 60 * NS_PER_S);
        enter_line(n, "\x03");
        enter_line(n, "echo still here");
        bed_pass(n, NS_PER_S);
        assert_seen("still here\n");
        tty.len = tty.seen = 0;
    }
}

#define EDIT_TEST(f) cmocka_unit_test_setup(f, fresh_line)
int main(void)
{
    const struct CMUnitTest tests[] = {
        EDIT_TEST(what_is_typed_goes_in_at_the_cursor),
        EDIT_TEST(each_key_deletes_what_it_should),
        EDIT_TEST(keys_with_a_meaning_are_told_apart),
        EDIT_TEST(sequences_that_mean_nothing_leave_nothing),
        EDIT_TEST(characters_of_several_bytes_stay_whole),
        EDIT_TEST(characters_take_the_columns_that_a_terminal_gives_them),
        EDIT_TEST(a_full_line_takes_no_more_and_can_be_ended),
        EDIT_TEST(the_history_gives_lines_back),
        EDIT_TEST(random_keys_never_break_the_line),
        EDIT_TEST(completion_inserts_what_is_certain),
        cmocka_unit_test(a_line_is_split_into_words),
        cmocka_unit_test(a_line_that_cannot_be_split_says_why),
        CONSOLE_TEST(terminals_share_the_screen_line_by_line),
        CONSOLE_TEST(the_row_is_drawn_with_few_bytes_and_never_wraps),
        CONSOLE_TEST(the_row_fits_whatever_is_typed),
        CONSOLE_TEST(a_program_reads_lines_from_its_terminal),
        CONSOLE_TEST(a_line_is_not_given_to_a_reader_that_is_gone),
        CONSOLE_TEST(a_reader_is_told_when_its_terminal_goes),
        CONSOLE_TEST(a_slow_terminal_loses_nothing),
        SHELL_TEST(the_shell_prompts_and_explains_itself),
        SHELL_TEST(every_command_that_needs_no_process_answers),
        SHELL_TEST(what_cannot_run_says_why),
        SHELL_TEST(a_program_in_front_ends_and_its_status_is_told),
        SHELL_TEST(a_program_in_the_background_is_managed_by_name),
        SHELL_TEST(the_keys_of_a_program_in_front_kill_and_stun_it),
        SHELL_TEST(lines_typed_ahead_are_carried_out_in_turn),
        SHELL_TEST(tab_completes_commands_files_and_processes),
        SHELL_TEST(many_programs_leave_nothing_behind),
        SHELL_TEST(without_memory_the_shell_says_so_and_goes_on),
    };
    return UNIT_RUN(tests);
}
