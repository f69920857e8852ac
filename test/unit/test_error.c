// SPDX-License-Identifier: BSD-2-Clause
// The table of errors: hand-numbered, so check what a hand gets wrong.
#include "test/unit/unit.h"

#include <limits.h>

static const long numbers[] = {
#define X(name, number, sentence) number,
    ERROR_TABLE(X)
#undef X
};
enum { COUNT = sizeof numbers / sizeof numbers[0] };

static void numbers_names_and_sentences_are_distinct(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT; i++)
        for (int k = 0; k < i; k++) {
            assert_int_not_equal(numbers[i], numbers[k]);
            assert_string_not_equal(error_name(numbers[i]), error_name(numbers[k]));
            assert_string_not_equal(error_string(numbers[i]), error_string(numbers[k]));
        }
}

static void a_number_and_its_negative_mean_the_same(void **state)
{
    (void)state;
    assert_string_equal(error_name(E_ARG), "E_ARG");
    assert_string_equal(error_name(-E_ARG), "E_ARG");
    assert_string_equal(error_name(0), "OK");
    for (int i = 0; i < COUNT; i++)
        assert_ptr_equal(error_string(numbers[i]), error_string(-numbers[i]));
}

static void unknown_numbers_have_a_name_too(void **state)
{
    (void)state;
    const long unknown[] = {1000, -1000, LONG_MAX, LONG_MIN, INT_MIN};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        assert_string_equal(error_name(unknown[i]), "E_?");
        assert_non_null(error_string(unknown[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_names_and_sentences_are_distinct),
        cmocka_unit_test(a_number_and_its_negative_mean_the_same),
        cmocka_unit_test(unknown_numbers_have_a_name_too),
    };
    return UNIT_RUN(tests);
}
