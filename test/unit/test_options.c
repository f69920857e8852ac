// SPDX-License-Identifier: BSD-2-Clause
// The parser of command lines: what is accepted, where it goes, and the sentence about what is not.
#include "test/unit/unit.h"
#include "tools/options.h"

static struct {
    bool all, quiet;
    const char *node, *memory, *what;
    uint64_t copies, level;
    struct option_list env;
    struct option_rest words;
} got;
static const char *env[3];

static const char *wrong_memory(const char *text)
{
    return strcmp(text, "64M") == 0 ? NULL : "is no size";
}

static const struct option options[] = {
    {.name = "all", .letter = 'a', .kind = OPTION_FLAG, .flag = &got.all},
    {.name = "quiet", .letter = 'q', .kind = OPTION_FLAG, .flag = &got.quiet},
    {.name = "node", .kind = OPTION_TEXT, .text = &got.node, .value = "NODE"},
    {.name = "mem", .kind = OPTION_TEXT, .text = &got.memory, .value = "SIZE", .wrong = wrong_memory},
    {.name = "copies",
     .kind = OPTION_NUMBER,
     .number = &got.copies,
     .value = "N",
     .unit = "copies",
     .min = 1,
     .max = 4000},
    {.name = "env", .kind = OPTION_LIST, .list = &got.env, .value = "K=V"},
    {.name = NULL},
};
static const struct option proc_level[] = {
    {.name = "PROC", .kind = OPTION_TEXT, .text = &got.what},
    {.name = "LEVEL", .kind = OPTION_NUMBER, .number = &got.level, .max = 7, .optional = true},
    {.name = NULL},
};
static const struct option program[] = {
    {.name = "PROGRAM", .kind = OPTION_REST, .rest = &got.words},
    {.name = NULL},
};

static char why[OPTION_SENTENCE];

// Reads a line of words that are separated by one blank; nothing was given before.
static bool parse(const struct option *operands, const char *line)
{
    static char text[512];
    char *argv[16];
    int argc = 0;
    memset(&got, 0, sizeof got);
    got.env = (struct option_list){.value = env, .most = 3};
    why[0] = 0;
    snprintf(text, sizeof text, "name%s%s", line[0] ? " " : "", line);
    for (char *w = strtok(text, " "); w; w = strtok(NULL, " "))
        argv[argc++] = w;
    argv[argc] = NULL;
    return options_parse(options, operands, argc, argv, why);
}

#define assert_right(operands, line) assert_true(parse(operands, line))
#define assert_wrong(operands, line, sentence)                                                                         \
    do {                                                                                                               \
        assert_false(parse(operands, line));                                                                           \
        assert_string_equal(why, sentence);                                                                            \
    } while (0)

static void flags_are_given_by_letter_or_word(void **state)
{
    (void)state;
    assert_right(NULL, "");
    assert_false(got.all);
    assert_right(NULL, "-a --quiet");
    assert_true(got.all && got.quiet);
    assert_right(NULL, "--all");
    assert_true(got.all && !got.quiet);
}

static void a_value_is_the_next_word_or_behind_an_equals_sign(void **state)
{
    (void)state;
    assert_right(NULL, "--node n2");
    assert_string_equal(got.node, "n2");
    assert_right(NULL, "--node=n3 --copies=12");
    assert_string_equal(got.node, "n3");
    assert_int_equal(got.copies, 12);
    assert_right(NULL, "--node=");
    assert_string_equal(got.node, "");
    assert_right(NULL, "--node --all"); // as with getopt: a value may look like an option
    assert_string_equal(got.node, "--all");
    assert_false(got.all);
    assert_right(NULL, "--node n1 --node n2"); // the last one counts
    assert_string_equal(got.node, "n2");
}

static void a_list_takes_each_value(void **state)
{
    (void)state;
    assert_right(NULL, "--env A=1 --env=B=2");
    assert_int_equal(got.env.count, 2);
    assert_string_equal(env[0], "A=1");
    assert_string_equal(env[1], "B=2");
    assert_wrong(NULL, "--env a --env b --env c --env d", "--env 'd' is one more than the 3 there may be");
}

static void numbers_have_digits_and_a_range(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "0", "4001", "-1", "+1", "1x", "x", "0x10", "1.5", "18446744073709551616", "99999999999999999999999", ""};
    uint64_t v = 5;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char line[64], sentence[128];
        snprintf(line, sizeof line, "--copies=%s", wrong[i]);
        snprintf(sentence, sizeof sentence, "--copies is a number from 1 to 4000 copies, not '%s'", wrong[i]);
        assert_wrong(NULL, line, sentence);
        assert_int_equal(got.copies, 0);
    }
    assert_right(NULL, "--copies 4000");
    assert_right(NULL, "--copies 0001");
    assert_int_equal(got.copies, 1);
    assert_true(option_number("18446744073709551615", 0, UINT64_MAX, &v));
    assert_true(v == UINT64_MAX);
    assert_false(option_number(" 1", 0, 9, &v));
    assert_false(option_number("1 ", 0, 9, &v));
    assert_true(v == UINT64_MAX); // what is no number is not stored
}

static void what_is_wrong_is_said_with_the_value(void **state)
{
    (void)state;
    assert_wrong(NULL, "--nod n1", "there is no option '--nod'");
    assert_wrong(NULL, "--nodes=n1", "there is no option '--nodes'");
    assert_wrong(NULL, "-x", "there is no option '-x'");
    assert_wrong(NULL, "-aq", "there is no option '-aq'");
    assert_wrong(NULL, "--node", "--node needs a value: NODE");
    assert_wrong(NULL, "--all=yes", "--all takes no value, but 'yes' was given");
    assert_wrong(NULL, "--mem lots", "--mem: 'lots' is no size");
    assert_right(NULL, "--mem 64M");
    assert_wrong(NULL, "n1", "'n1' is one word too many");
    assert_wrong(proc_level, "lua 3 n1", "'n1' is one word too many");
    assert_wrong(proc_level, "", "PROC is missing");
    assert_wrong(proc_level, "lua 8", "LEVEL is a number from 0 to 7, not '8'");
}

static void operands_stand_anywhere_among_options(void **state)
{
    (void)state;
    assert_right(proc_level, "--all lua -q 7 --node n1");
    assert_true(got.all && got.quiet);
    assert_string_equal(got.what, "lua");
    assert_int_equal(got.level, 7);
    assert_right(proc_level, "lua");
    assert_int_equal(got.level, 0);
    assert_right(proc_level, "-- --all"); // behind --, nothing is an option
    assert_string_equal(got.what, "--all");
    assert_false(got.all);
    assert_right(proc_level, "-"); // and alone it is a word
    assert_string_equal(got.what, "-");
}

static void what_stands_behind_a_program_is_the_programs(void **state)
{
    (void)state;
    assert_right(program, "-q lua --all x -- y");
    assert_true(got.quiet && !got.all);
    assert_int_equal(got.words.count, 5);
    assert_string_equal(got.words.word[0], "lua");
    assert_string_equal(got.words.word[1], "--all");
    assert_string_equal(got.words.word[4], "y");
    assert_null(got.words.word[5]);
    assert_right(program, "-- -q");
    assert_int_equal(got.words.count, 1);
    assert_string_equal(got.words.word[0], "-q");
    assert_wrong(program, "-q", "PROGRAM is missing");
}

static bool asks(const struct option *operands, int argc, char *const argv[])
{
    return options_ask_help(options, operands, argc, argv);
}

static void help_is_asked_for_before_the_programs_words(void **state)
{
    (void)state;
    char *const help[] = {"run", "--node", "n1", "--help", NULL}, *const short_help[] = {"run", "-h", NULL};
    char *const programs[] = {"run", "lua", "--help", NULL}, *const value[] = {"run", "--node", "-h", "x", NULL};
    char *const behind[] = {"run", "--", "--help", NULL}, *const operand[] = {"kill", "lua", "--help", NULL};
    assert_true(asks(program, 4, help) && asks(program, 2, short_help));
    assert_false(asks(program, 3, programs));
    assert_false(asks(program, 4, value));
    assert_false(asks(program, 3, behind));
    assert_true(asks(proc_level, 3, operand));
}

static void a_long_value_is_cut_in_the_sentence(void **state)
{
    (void)state;
    char value[400], *argv[] = {"name", value, NULL};
    memset(value, 'v', sizeof value - 1);
    value[sizeof value - 1] = 0;
    assert_false(options_parse(options, NULL, 2, argv, why));
    assert_int_equal(strlen(why), OPTION_SENTENCE - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_are_given_by_letter_or_word),
        cmocka_unit_test(a_value_is_the_next_word_or_behind_an_equals_sign),
        cmocka_unit_test(a_list_takes_each_value),
        cmocka_unit_test(numbers_have_digits_and_a_range),
        cmocka_unit_test(what_is_wrong_is_said_with_the_value),
        cmocka_unit_test(operands_stand_anywhere_among_options),
        cmocka_unit_test(what_stands_behind_a_program_is_the_programs),
        cmocka_unit_test(help_is_asked_for_before_the_programs_words),
        cmocka_unit_test(a_long_value_is_cut_in_the_sentence),
    };
    return UNIT_RUN(tests);
}
