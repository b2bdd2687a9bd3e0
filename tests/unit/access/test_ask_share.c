#include "coordinator/access/ask_share.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

enum { QUESTION_US = 20000, SECONDS = 100, TRIES_EACH_MS = 3 };

/* Asks for another question of 20 ms, again and again within one millisecond. What that cost. */
static uint64_t ask(ask_shares *shares, const char *name, uint64_t now_ms)
{
    uint64_t took_us = 0;
    for (uint32_t i = 0; i < TRIES_EACH_MS; i++) {
        if (!ask_shares_may(shares, name, now_ms))
            continue;
        ask_shares_spent(shares, name, QUESTION_US);
        took_us += QUESTION_US;
    }
    return took_us;
}

static void ask_share__gives_each_name_its_part_of_a_quarter(void **state)
{
    (void)state;
    ask_shares shares = {0};
    uint64_t now_ms = 777, flood_us = 0, other_us = 0;
    for (uint32_t i = 0; i < SECONDS * 1000; i++)
        flood_us += ask(&shares, "flood", ++now_ms);
    assert_in_range(flood_us, SECONDS * 1000000 / ASK_PART, SECONDS * 1000000 / ASK_PART + ASK_AHEAD_US + QUESTION_US);
    assert_false(ask_shares_may(&shares, "flood", now_ms));
    assert_true(ask_shares_may(&shares, "other", now_ms)); /* at the moment when it comes */
    flood_us = 0;
    for (uint32_t i = 0; i < SECONDS * 1000; i++) {
        flood_us += ask(&shares, "flood", ++now_ms);
        other_us += ask(&shares, "other", now_ms);
    }
    assert_in_range(other_us, SECONDS * 1000000 / ASK_PART / 2, SECONDS * 1000000 / ASK_PART / 2 + ASK_AHEAD_US);
    assert_in_range(flood_us, SECONDS * 1000000 / ASK_PART / 2 - ASK_AHEAD_US, SECONDS * 1000000 / ASK_PART / 2 + ASK_AHEAD_US);
}

static void ask_share__asks_of_one_that_asks_now_and_then_nothing(void **state)
{
    (void)state;
    ask_shares shares = {0};
    for (uint64_t now_ms = 1; now_ms < SECONDS * 1000; now_ms++) {
        (void)ask(&shares, "flood", now_ms);
        if (now_ms % 1000 != 0)
            continue;
        assert_true(ask_shares_may(&shares, "calm", now_ms));
        ask_shares_spent(&shares, "calm", QUESTION_US);
    }
}

static void ask_share__bounds_any_number_of_names(void **state)
{
    (void)state;
    ask_shares shares = {0};
    uint64_t took_us = 0;
    for (uint32_t i = 0; i < SECONDS * 1000; i++) {
        char name[16];
        snprintf(name, sizeof name, "many-%u", i % 1000);
        took_us += ask(&shares, name, 777 + i);
    }
    assert_true(shares.count <= ASK_SHARES_MAX);
    assert_true(took_us <= SECONDS * 1000000 / ASK_PART + 2 * ASK_AHEAD_US);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ask_share__gives_each_name_its_part_of_a_quarter),
        cmocka_unit_test(ask_share__asks_of_one_that_asks_now_and_then_nothing),
        cmocka_unit_test(ask_share__bounds_any_number_of_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
