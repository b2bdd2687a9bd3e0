/* Where a report looks again: how much at most, and which places. */
#include "coordinator/verdict/finding_places.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { RATE = 48000 };

static uint32_t always = 3;
static uint64_t again_of_stems; /* samples that were read again of them */

static finding found_at(uint64_t first, uint64_t end, const char *channel)
{
    return (finding){.id = "0123456789ab", .check = "signal.click", .severity = FINDING_WARN,
                     .has_range = true, .start_sample = first, .end_sample = end,
                     .channel_count = channel == NULL ? 0 : 1, .channels = {channel}};
}

static uint32_t places_of(finding *items, size_t count, uint64_t frames, task_place *places)
{
    finding_list list = {.items = items, .count = count, .capacity = count};
    const read_share share = {
        .samples = frames * 24, .again = again_of_stems, .channels = 6, .always = always}; /* three stems of 5.1 */
    return finding_places(&list, LAYOUT_5_1, frames, RATE, &share, places);
}

static void finding_places__stay_within_a_hundredth_or_three(void **state)
{
    (void)state;
    static const struct {
        uint64_t seconds;
        uint32_t most; /* 1 % in stretches of two seconds, three where that is more, twelve at most */
    } rows[] = {{60, 3}, {600, 3}, {1200, 6}, {1600, 8}, {7200, 12}};
    finding items[100];
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        task_place places[TASK_PLACES_MAX];
        uint64_t frames = rows[r].seconds * RATE;
        for (size_t i = 0; i < 100; i++)
            items[i] = found_at(i * frames / 100, i * frames / 100 + 10, i % 2 == 0 ? "L" : "C");
        assert_int_equal(places_of(items, 100, frames, places), rows[r].most);
        for (uint32_t i = 0; i < rows[r].most; i++)
            assert_true(places[i].frame_count == 2 * RATE && places[i].first_frame + places[i].frame_count <= frames);
    }
}

/* 20 minutes of three stems and a programme: of 1 % of them all, 288 s of a channel, sync and leaks leave something, or nothing. */
static void finding_places__take_what_is_left_of_one_hundredth_of_it_all(void **state)
{
    (void)state;
    static const struct {
        uint64_t again_seconds; /* of a channel */
        uint32_t most;
    } rows[] = {{0, 6}, {288 - 72, 6}, {288 - 71, 5}, {288 - 48, 4}, {288 - 36, 3}, {288, 3}, {1000, 3}};
    finding items[100];
    const uint64_t frames = 1200 * RATE;
    for (size_t i = 0; i < 100; i++)
        items[i] = found_at(i * frames / 100, i * frames / 100 + 10, i % 2 == 0 ? "L" : "C");
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        task_place places[TASK_PLACES_MAX];
        again_of_stems = rows[r].again_seconds * RATE;
        assert_int_equal(places_of(items, 100, frames, places), rows[r].most);
    }
    again_of_stems = 0;
}

/* One place: the worst of what lasts no longer than a cell; more: of another check before another of the same. */
static void finding_places__show_each_check_before_another_of_the_same(void **state)
{
    (void)state;
    const uint64_t frames = 60 * RATE;
    finding items[] = {found_at(0, 40 * RATE, "LFE"), found_at(10 * RATE, 10 * RATE + 1, "L"),
                       found_at(20 * RATE, 20 * RATE + 1, "L"), found_at(30 * RATE, 30 * RATE + 1, "C"),
                       found_at(40 * RATE, 50 * RATE, "R")};
    task_place places[TASK_PLACES_MAX];
    items[0].check = "signal.lfe";
    items[3].check = "signal.gap";
    static const uint32_t channels[] = {1 << 0, 1 << 2, 1 << 3};
    for (always = 3; always > 0; always--) {
        assert_int_equal(places_of(items, 5, frames, places), always);
        for (uint32_t i = 0; i < always; i++)
            assert_int_equal(places[i].channels, channels[i]);
    }
    items[4].severity = FINDING_FAIL;
    always = 1;
    assert_int_equal(places_of(items, 5, frames, places), 1);
    assert_int_equal(places[0].channels, 1 << 1);
    always = 3;
}

/* Of each check the one that a report shows of many: what is farthest beyond its limit, then in the order of the list. */
static void finding_places__show_the_worst_of_a_check(void **state)
{
    (void)state;
    static const char *const names[] = {"L", "R", "C", "Ls"};
    static const double figures[] = {-1.5, -0.5, -0.4, -1.0}; /* of at most -2.0 */
    static const uint32_t bits[] = {1 << 1, 1 << 0, 1 << 2}; /* C's is worse and lasts for longer than a cell */
    finding items[4];
    for (size_t i = 0; i < 4; i++) {
        items[i] = found_at(10 * i * RATE, 10 * i * RATE + (i == 2 ? 8 * RATE : 1), names[i]);
        items[i].measured = figures[i];
        items[i].min = -100.0;
        items[i].max = -2.0;
    }
    task_place places[TASK_PLACES_MAX];
    assert_int_equal(places_of(items, 4, 60 * RATE, places), 3);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(places[i].channels, bits[i]);
}

static void finding_places__show_what_is_worth_a_look_once(void **state)
{
    (void)state;
    const uint64_t frames = 800 * RATE;
    finding items[] = {found_at(10 * RATE, 10 * RATE + 480, "Ls"), found_at(10 * RATE + 4800, 10 * RATE + 4801, "Ls"),
                       found_at(10 * RATE + 4800, 10 * RATE + 4801, "C"), found_at(50 * RATE, 80 * RATE, NULL),
                       found_at(90 * RATE, 90 * RATE + 1, "L"), found_at(95 * RATE, 95 * RATE + 1, "L"),
                       found_at(800 * RATE - 5, 800 * RATE, "LFE"), found_at(900 * RATE, 901 * RATE, "L")};
    task_place places[TASK_PLACES_MAX];
    items[4].severity = FINDING_INFO;
    items[5].has_range = false;
    assert_int_equal(places_of(items, sizeof items / sizeof items[0], frames, places), 4);
    assert_int_equal(places[0].first_frame, 10 * RATE + 240 - RATE); /* in the middle of what is short */
    assert_int_equal(places[0].channels, 1 << 4);
    assert_int_equal(places[1].channels, 1 << 2); /* another channel: its own place */
    assert_int_equal(places[2].first_frame, 50 * RATE - RATE / 2); /* the beginning of what is long */
    assert_int_equal(places[2].channels, 0x3F & ~(1 << 3)); /* no channel named: all but LFE */
    assert_int_equal(places[3].first_frame, 798 * RATE); /* within the programme */
    assert_int_equal(places[3].channels, 1 << 3);
    assert_int_equal(places_of(items, 1, 100, places), 0); /* it begins behind the end */
    items[0].start_sample = 0;
    assert_int_equal(places_of(items, 1, 100, places), 1); /* a programme shorter than a place */
    assert_true(places[0].first_frame == 0 && places[0].frame_count == 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finding_places__stay_within_a_hundredth_or_three),
        cmocka_unit_test(finding_places__take_what_is_left_of_one_hundredth_of_it_all),
        cmocka_unit_test(finding_places__show_each_check_before_another_of_the_same),
        cmocka_unit_test(finding_places__show_the_worst_of_a_check),
        cmocka_unit_test(finding_places__show_what_is_worth_a_look_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
