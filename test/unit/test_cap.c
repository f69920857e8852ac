// SPDX-License-Identifier: BSD-2-Clause
// Capabilities: is the arithmetic the published one, and is every change noticed?
#include "test/unit/unit.h"

#include "core/cap.h"

static const uint8_t counting[32] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                     16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};

// The SipHash authors' vectors (vectors_sip128): key 00..0f, message 00..13, the length that is signed.
static void the_check_field_is_siphash_2_4_128(void **state)
{
    (void)state;
    static const uint8_t published[12] = {0x9e, 0x25, 0xfc, 0x83, 0x3f, 0x22, 0x90, 0x73, 0x3e, 0x93, 0x44, 0xa5};
    struct cap c = {0};
    memcpy(&c, counting, 20);
    cap_sign(&c, counting);
    assert_memory_equal(c.check, published, sizeof published);
}

// Expected values: an implementation in Python, from the paper, which gives the authors' vector for the empty message.
static void a_put_port_is_siphash_keyed_with_its_get_port(void **state)
{
    (void)state;
    struct port g;
    memcpy(&g, counting, sizeof g);
    struct port p = cap_put_port(g);
    assert_int_equal(p.w[0], 0x5e824b04a0bf57a9);
    assert_int_equal(p.w[1], 0x89a746c907e5da43);
    p = cap_put_port((struct port){{0, 0}});
    assert_int_equal(p.w[0], 0x06aa59883ac5c841);
    assert_int_equal(p.w[1], 0xda3ab312d3cb1bf7);
}

// Expected value: hashlib.blake2b(b"dir\0root", key=bytes(range(32))).digest()[:16].
static void a_derived_port_is_the_keyed_blake2b_of_its_names(void **state)
{
    (void)state;
    struct port p = cap_derive(counting, "dir", "root");
    assert_int_equal(p.w[0], 0x687912fe16383498);
    assert_int_equal(p.w[1], 0xd48d5ffcbdb718c9);
}

static void derived_ports_differ_when_secret_label_or_name_does(void **state)
{
    (void)state;
    uint8_t other[32] = {1};
    struct port p = cap_derive(counting, "ab", "c");
    assert_true(port_eq(p, cap_derive(counting, "ab", "c")));
    assert_false(port_eq(p, cap_derive(counting, "a", "bc")));
    assert_false(port_eq(p, cap_derive(counting, "abc", "")));
    assert_false(port_eq(p, cap_derive(counting, "ab", "d")));
    assert_false(port_eq(p, cap_derive(other, "ab", "c")));
}

static void a_signed_capability_is_good_for_its_rights_and_no_more(void **state)
{
    (void)state;
    struct cap c = cap_make((struct port){{1, 2}}, 0xabcdef, RIGHT_READ | RIGHT_EXEC, counting);
    assert_int_equal(cap_obj(&c), 0xabcdef);
    assert_int_equal(cap_rights(&c), RIGHT_READ | RIGHT_EXEC);
    assert_int_equal(cap_verify(&c, counting, 0), 0);
    assert_int_equal(cap_verify(&c, counting, RIGHT_READ), 0);
    assert_int_equal(cap_verify(&c, counting, RIGHT_READ | RIGHT_EXEC), 0);
    assert_int_equal(cap_verify(&c, counting, RIGHT_WRITE), -E_RIGHTS);
    assert_int_equal(cap_verify(&c, counting, RIGHT_READ | RIGHT_WRITE), -E_RIGHTS);
}

static void every_single_changed_bit_is_noticed(void **state)
{
    (void)state;
    const struct cap good = cap_make((struct port){{1, 2}}, 77, RIGHT_READ, counting);
    for (size_t bit = 0; bit < 8 * sizeof good; bit++) {
        struct cap forged = good;
        ((uint8_t *)&forged)[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(cap_verify(&forged, counting, 0), -E_CAP);
    }
}

static void every_single_changed_bit_of_the_key_revokes(void **state)
{
    (void)state;
    const struct cap c = cap_make((struct port){{1, 2}}, 77, RIGHT_ALL, counting);
    for (size_t bit = 0; bit < 128; bit++) {
        uint8_t key[16];
        memcpy(key, counting, sizeof key);
        key[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(cap_verify(&c, key, 0), -E_CAP);
    }
}

static void rights_cannot_be_widened(void **state)
{
    (void)state;
    for (uint32_t rights = 0; rights < RIGHT_ALL; rights++) {
        struct cap c = cap_make((struct port){{1, 2}}, 77, rights, counting);
        c.obj_rights |= RIGHT_ALL;
        // The forgery is what is told, not the right that it would have had.
        assert_int_equal(cap_verify(&c, counting, RIGHT_ALL), -E_CAP);
    }
}

static void numbers_and_rights_out_of_range_do_not_spill(void **state)
{
    (void)state;
    struct cap c = cap_make((struct port){{1, 2}}, 0x01000005, 0x102, counting);
    assert_int_equal(cap_obj(&c), 5);
    assert_int_equal(cap_rights(&c), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_check_field_is_siphash_2_4_128),
        cmocka_unit_test(a_put_port_is_siphash_keyed_with_its_get_port),
        cmocka_unit_test(a_derived_port_is_the_keyed_blake2b_of_its_names),
        cmocka_unit_test(derived_ports_differ_when_secret_label_or_name_does),
        cmocka_unit_test(a_signed_capability_is_good_for_its_rights_and_no_more),
        cmocka_unit_test(every_single_changed_bit_is_noticed),
        cmocka_unit_test(every_single_changed_bit_of_the_key_revokes),
        cmocka_unit_test(rights_cannot_be_widened),
        cmocka_unit_test(numbers_and_rights_out_of_range_do_not_spill),
    };
    return UNIT_RUN(tests);
}
