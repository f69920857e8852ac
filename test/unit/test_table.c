// SPDX-License-Identifier: BSD-2-Clause
// Tables for people and for programs, and the JSON that the latter are made of.
#include "test/unit/unit.h"
#include "tools/table.h"

static char *text; // what was written, until the next begin()
static size_t text_len;
static FILE *out;

static FILE *begin(void)
{
    free(text);
    text = NULL;
    out = open_memstream(&text, &text_len);
    assert_non_null(out);
    return out;
}

static const char *written(void)
{
    fclose(out);
    return text;
}

// --- JSON -------------------------------------------------------------------------------------------------

static const char *json_of(const char *bytes, size_t len)
{
    struct json j;
    json_begin(&j, begin());
    json_text_of(&j, NULL, bytes, len);
    json_finish(&j);
    return written();
}
#define assert_json_text(bytes, expected) assert_string_equal(json_of(bytes, sizeof(bytes) - 1), expected "\n")

static void texts_are_escaped(void **state)
{
    (void)state;
    assert_json_text("plain", "\"plain\"");
    assert_json_text("", "\"\"");
    assert_json_text("a\"b\\c/", "\"a\\\"b\\\\c/\"");
    assert_json_text("\n\t\x1b[2J\x7f", "\"\\u000a\\u0009\\u001b[2J\\u007f\"");
    assert_json_text("a\0b", "\"a\\u0000b\"");
    assert_json_text("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"");
}

// RFC 3629: what looks like UTF-8 and is not. Each byte of it is one U+FFFD, and reading goes on behind it.
static void what_is_no_utf8_becomes_a_replacement_character(void **state)
{
    (void)state;
#define BAD "\\ufffd"
    assert_json_text("a\xffz", "\"a" BAD "z\"");
    assert_json_text("\x80", "\"" BAD "\"");
    assert_json_text("\xc0\x80", "\"" BAD BAD "\"");                 // longer than needed
    assert_json_text("\xe0\x80\x80", "\"" BAD BAD BAD "\"");         // so is this
    assert_json_text("\xed\xa0\x80", "\"" BAD BAD BAD "\"");         // a surrogate
    assert_json_text("\xf4\x90\x80\x80", "\"" BAD BAD BAD BAD "\""); // beyond U+10FFFF
    assert_json_text("\xe2\x82", "\"" BAD BAD "\"");                 // cut at the end
    assert_json_text("\xe2\x82x", "\"" BAD BAD "x\"");
    assert_json_text("\xf0\x8f\xbf\xbf", "\"" BAD BAD BAD BAD "\"");
}

static void values_have_their_types(void **state)
{
    (void)state;
    struct json j;
    json_begin(&j, begin());
    json_object(&j, NULL);
    json_number(&j, "most", UINT64_MAX);
    json_real(&j, "real", 1.5, 3);
    json_real(&j, "none", 0.0 / 0.0, 3);
    json_bool(&j, "yes", true);
    json_bool(&j, "no", false);
    json_text(&j, "text", "t");
    json_text(&j, "null", NULL);
    json_array(&j, "empty");
    json_close(&j);
    json_array(&j, "list");
    json_number(&j, NULL, 1);
    json_object(&j, NULL);
    json_close(&j);
    json_close(&j);
    json_close(&j);
    json_finish(&j);
    assert_string_equal(written(),
                        "{\"most\": 18446744073709551615, \"real\": 1.500, \"none\": null, \"yes\": true, "
                        "\"no\": false, \"text\": \"t\", \"null\": null, \"empty\": [], \"list\": [1, {}]}\n");
}

static void each_element_of_the_outer_array_has_a_line(void **state)
{
    (void)state;
    struct json j;
    json_begin(&j, begin());
    json_array(&j, NULL);
    json_number(&j, NULL, 1);
    json_array(&j, NULL);
    json_number(&j, NULL, 2);
    json_number(&j, NULL, 3);
    json_close(&j);
    json_close(&j);
    json_finish(&j);
    assert_string_equal(written(), "[\n 1,\n [2, 3]\n]\n");
    json_begin(&j, begin());
    json_array(&j, NULL);
    json_close(&j);
    json_finish(&j);
    assert_string_equal(written(), "[]\n");
}

// --- Tables -----------------------------------------------------------------------------------------------

static const struct column columns[] = {
    {"pid", "PID", -6, NULL}, {"name", "NAME", -8, NULL},  {"pages", "PAGES", 7, " "}, {"endpoint", NULL, 0, NULL},
    {NULL, "MARK", -4, NULL}, {"ratio", "RATIO", 6, NULL}, {"runs", "RUNS", 0, NULL},  {NULL, NULL, 0, NULL},
};

static void put_row(struct table *t, const char *name, uint64_t pages, double ratio, bool runs)
{
    char shown[32];
    snprintf(shown, sizeof shown, "%.2f", ratio);
    table_text(t, "00a1b2");
    table_text(t, name);
    table_number(t, pages, NULL);
    table_text(t, "0123456789abcdef");
    table_text(t, "*");
    table_real(t, ratio, 3, shown);
    table_bool(t, runs, runs ? "yes" : "no");
    table_row_end(t);
}

static const char *table_of_two(bool as_json)
{
    struct table t;
    table_begin(&t, begin(), as_json, columns);
    put_row(&t, "lua", 212, 1.5, true);
    put_row(&t, "a name that is long", 1234567, 0.25, false);
    table_end(&t);
    return written();
}

static void people_see_columns(void **state)
{
    (void)state;
    assert_string_equal(table_of_two(false), "PID     NAME       PAGES  MARK   RATIO  RUNS\n"
                                             "00a1b2  lua          212  *       1.50  yes\n"
                                             "00a1b2  a name that is long 1234567  *       0.25  no\n");
}

static void programs_see_an_array_of_objects(void **state)
{
    (void)state;
    assert_string_equal(
        table_of_two(true),
        "[\n {\"pid\": \"00a1b2\", \"name\": \"lua\", \"pages\": 212, \"endpoint\": \"0123456789abcdef\", "
        "\"ratio\": 1.500, \"runs\": true},\n"
        " {\"pid\": \"00a1b2\", \"name\": \"a name that is long\", \"pages\": 1234567, "
        "\"endpoint\": \"0123456789abcdef\", \"ratio\": 0.250, \"runs\": false}\n]\n");
}

static void a_table_without_rows_is_one_too(void **state)
{
    (void)state;
    struct table t;
    table_begin(&t, begin(), false, columns);
    table_end(&t);
    assert_string_equal(written(), "PID     NAME       PAGES  MARK   RATIO  RUNS\n");
    table_begin(&t, begin(), true, columns);
    table_end(&t);
    assert_string_equal(written(), "[]\n");
}

static void a_row_that_fails_says_why(void **state)
{
    (void)state;
    struct table t;
    for (unsigned as_json = 0; as_json < 2; as_json++) {
        table_begin(&t, begin(), as_json, columns);
        table_text(&t, "00a1b2");
        table_text(&t, "n2");
        table_row_fails(&t, "it \"died\"");
        put_row(&t, "lua", 1, 1, true); // and the next one is whole again
        table_end(&t);
        assert_non_null(strstr(written(), as_json ? "\"name\": \"n2\", \"error\": \"it \\\"died\\\"\"},\n {\"pid\""
                                                  : "00a1b2  n2        (it \"died\")\n00a1b2  lua"));
    }
}

// A process may be called anything; what it is called must not steer the terminal that shows it.
static void names_cannot_steer_the_terminal(void **state)
{
    (void)state;
    print_plain(begin(),
                "\x1b[2J\n\x7f\x9b"
                "1m\xc2\x9b\xff\xc3\xa4",
                -14);
    assert_string_equal(written(), "?[2J???1m??\xc3\xa4  ");
    print_plain(begin(), "\xc3\xa4\xe2\x82\xac", 4); // a character is a column, not its bytes
    assert_string_equal(written(), "  \xc3\xa4\xe2\x82\xac");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_escaped),
        cmocka_unit_test(what_is_no_utf8_becomes_a_replacement_character),
        cmocka_unit_test(values_have_their_types),
        cmocka_unit_test(each_element_of_the_outer_array_has_a_line),
        cmocka_unit_test(people_see_columns),
        cmocka_unit_test(programs_see_an_array_of_objects),
        cmocka_unit_test(a_table_without_rows_is_one_too),
        cmocka_unit_test(a_row_that_fails_says_why),
        cmocka_unit_test(names_cannot_steer_the_terminal),
    };
    int status = UNIT_RUN(tests);
    free(text);
    return status;
}
