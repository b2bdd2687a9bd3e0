#include "coordinator/shell/farm_counters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void farm_counters__tell_the_rate_of_the_last_minute(void **unused)
{
    (void)unused;
    farm_counters counters = {0};
    uint64_t start_ms = 1000000;
    (void)farm_counters_rate(&counters, start_ms);
    /* Six minutes of programme in ten seconds: 0.1 h in a sixth of a minute. */
    for (uint64_t i = 0; i < 10; i++)
        farm_counters_task(&counters, start_ms + 1000 * i, 3, 500, 36000);
    assert_int_equal((int)(farm_counters_rate(&counters, start_ms + 10000) * 1000.0 + 0.5), 600);
    /* Half of it has left the minute's ring: seconds 0 to 4 lie 60 s back. */
    assert_int_equal((int)(farm_counters_rate(&counters, start_ms + 64000) * 1000.0 + 0.5), 50);
    assert_int_equal((int)(farm_counters_rate(&counters, start_ms + 1000000) * 1000.0), 0);
    assert_int_equal(counters.programme_ms, 360000);
    assert_int_equal(counters.task_count[3], 10);
    assert_int_equal(counters.task_ms[3], 5000);
}

static void farm_counters__time_one_commit_at_a_time(void **unused)
{
    (void)unused;
    farm_counters counters = {0};
    farm_counters_append(&counters, 1000, 7);
    farm_counters_append(&counters, 1500, 8);   /* while one is timed, others are not */
    farm_counters_durable(&counters, 2000, 6);  /* not yet ours */
    farm_counters_durable(&counters, 3500, 8);
    assert_int_equal(counters.commit_us, 2500);
    assert_int_equal(counters.commits[1], 1);   /* above 1 ms, up to 3 */
    farm_counters_durable(&counters, 9000, 9);  /* nothing is timed */
    farm_counters_append(&counters, 10000, 10);
    farm_counters_durable(&counters, 10000 + 4000000, 10);
    assert_int_equal(counters.commits[COMMIT_STEPS], 1);
    farm_counters_failure(&counters, STATUS_STORAGE_DENIED);
    assert_int_equal(counters.failures[STATUS_CLASS_STORAGE], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(farm_counters__tell_the_rate_of_the_last_minute),
        cmocka_unit_test(farm_counters__time_one_commit_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
