#include "coordinator/access/connect_rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static uint32_t take_all(uint64_t *paid_us, uint64_t now_us)
{
    uint32_t taken = 0;
    while (connect_rate_take(paid_us, now_us))
        taken++;
    return taken;
}

static void connect_rate__lets_a_whole_farm_in_at_once_and_then_some_each_second(void **state)
{
    (void)state;
    uint64_t paid_us = 0, now_us = 5000000000;
    assert_int_equal(take_all(&paid_us, now_us), CONNECTS_AT_ONCE_MAX);
    assert_int_equal(take_all(&paid_us, now_us), 0);
    assert_int_equal(take_all(&paid_us, now_us + 1000000), CONNECTS_PER_S);
    assert_int_equal(take_all(&paid_us, now_us + 1500000), CONNECTS_PER_S / 2);
    now_us += 3600 * 1000000ull; /* nobody saves up more than that */
    assert_int_equal(take_all(&paid_us, now_us), CONNECTS_AT_ONCE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connect_rate__lets_a_whole_farm_in_at_once_and_then_some_each_second),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
