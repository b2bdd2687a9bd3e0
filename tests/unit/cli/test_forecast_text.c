#include "coordinator/cli/forecast_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void forecast_text__reads_a_time_of_day(void **unused)
{
    (void)unused;
    setenv("TZ", "UTC", 1);
    tzset();
    const time_t noon = 12 * 3600; /* 1 January 1970 */
    double seconds = 0.0;
    error_detail detail;
    assert_int_equal(forecast_text_until("12:30", noon, &seconds, &detail), STATUS_OK);
    assert_int_equal((long)seconds, 1800);
    assert_int_equal(forecast_text_until("06:00", noon, &seconds, &detail), STATUS_OK); /* tomorrow's */
    assert_int_equal((long)seconds, 18 * 3600);
    static const char *const wrong[] = {"", "6", "6:00", "24:00", "12:60", "06:00x", "-1:00"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(forecast_text_until(wrong[i], noon, &seconds, &detail), STATUS_INPUT_INVALID);
}

/* 100 s on one slot, 60 s on two, 40 s on four: 50 s lie half way between two slots and four. */
static void forecast_text__finds_the_slots_that_a_deadline_needs(void **unused)
{
    (void)unused;
    json_t *forecast = json_loads("{\"by_slots\": [{\"slots\": 1, \"ready_s\": 100}, {\"slots\": 2, \"ready_s\": 60}, "
                                  "{\"slots\": 4, \"ready_s\": 40}]}", 0, NULL);
    assert_non_null(forecast);
    assert_int_equal(forecast_text_slots(forecast, 200.0), 1);
    assert_int_equal(forecast_text_slots(forecast, 60.0), 2);
    assert_int_equal(forecast_text_slots(forecast, 50.0), 3);
    assert_int_equal(forecast_text_slots(forecast, 45.0), 4);
    assert_int_equal(forecast_text_slots(forecast, 39.0), 0);
    json_decref(forecast);
}

/* 3.3 / 4.2 = 0.786; 15.7 / 4.2 = 3.738 */
static void forecast_text__says_which_way_it_missed(void **unused)
{
    (void)unused;
    char text[48];
    assert_string_equal(forecast_text_miss(4.2, 3.3, text, sizeof text), ", 21 % less");
    assert_string_equal(forecast_text_miss(4.2, 15.7, text, sizeof text), ", 274 % longer");
    assert_string_equal(forecast_text_miss(4.2, 4.21, text, sizeof text), "");
    assert_string_equal(forecast_text_miss(0.0, 4.2, text, sizeof text), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forecast_text__reads_a_time_of_day),
        cmocka_unit_test(forecast_text__finds_the_slots_that_a_deadline_needs),
        cmocka_unit_test(forecast_text__says_which_way_it_missed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
