// SPDX-License-Identifier: BSD-2-Clause
// Lists: order, and the element that is in none.
#include "test/unit/unit.h"

#include "core/list.h"

struct item {
    int value;
    struct list link;
};

static int sum_in_order(struct list *head)
{
    int digits = 0;
    LIST_FOR (l, head)
        digits = digits * 10 + LIST_ENTRY(l, struct item, link)->value;
    return digits;
}

static void elements_come_in_the_order_they_were_put(void **state)
{
    (void)state;
    struct list head;
    struct item i[4] = {{.value = 1}, {.value = 2}, {.value = 3}, {.value = 4}};
    list_init(&head);
    assert_true(list_empty(&head));
    list_add_tail(&head, &i[1].link);
    list_add_tail(&head, &i[2].link);
    list_add(&head, &i[0].link);
    list_add_tail(&head, &i[3].link);
    assert_int_equal(sum_in_order(&head), 1234);
    list_del(&i[2].link);
    list_del(&i[0].link);
    assert_int_equal(sum_in_order(&head), 24);
}

static void an_element_in_no_list_says_so_and_can_be_removed(void **state)
{
    (void)state;
    struct list head;
    struct item i = {.value = 1};
    list_init(&head);
    list_init(&i.link);
    assert_false(list_linked(&i.link));
    list_del(&i.link);
    list_add(&head, &i.link);
    assert_true(list_linked(&i.link));
    list_del(&i.link);
    list_del(&i.link);
    assert_false(list_linked(&i.link));
    assert_true(list_empty(&head));
}

static void the_safe_loop_may_remove_every_element(void **state)
{
    (void)state;
    struct list head;
    struct item i[10];
    int seen = 0;
    list_init(&head);
    for (int k = 0; k < 10; k++)
        list_add_tail(&head, &i[k].link);
    LIST_FOR_SAFE (l, next, &head) {
        list_del(l);
        seen++;
    }
    assert_int_equal(seen, 10);
    assert_true(list_empty(&head));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_come_in_the_order_they_were_put),
        cmocka_unit_test(an_element_in_no_list_says_so_and_can_be_removed),
        cmocka_unit_test(the_safe_loop_may_remove_every_element),
    };
    return UNIT_RUN(tests);
}
