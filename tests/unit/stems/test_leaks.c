/* From windows to the leak of a cell, and from cells to the leaks and the reach of a programme. */
#include "common/measure/leak_fit.h"
#include "common/measure/stem_bleed.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WINDOWS = 8, BAND = 4, CELLS = 3, BINS = 64 };

static const double gain = 0.003; /* -50.5 dB */

/* A window of one octave: the source at unity, the host's own at `own` of its energy, and in it what re and im say. */
static void set_window(leak_sums *sums, double re, double im, double own)
{
    sums[BAND] = (leak_sums){.own = BINS, .re = BINS * re, .im = BINS * im, .host = BINS * (re * re + im * im + own), .bins = BINS};
}

static void a_leak__is_found_beside_a_window_that_stands_out_by_chance(void **state)
{
    (void)state;
    leak_sums sums[WINDOWS][STEM_BANDS];
    double scores[WINDOWS] = {20.0, 0.0, 0.0, 0.0, 4.0, 4.0, 4.0, 4.0};
    memset(sums, 0, sizeof sums);
    set_window(sums[0], 0.0, 0.01, 1e-5); /* another gain, turned; the host is quiet there */
    for (uint32_t w = 1; w < WINDOWS; w++)
        set_window(sums[w], w < 4 ? 0.0 : gain, 0.0, 2e-6);
    stem_leak leak = {.score = 9.0f};
    leak_stretch stretch;
    assert_true(leak_fit(&leak, &stretch, (const leak_sums(*)[STEM_BANDS])sums, scores, WINDOWS));
    assert_int_equal(stretch.first, 4);
    assert_int_equal(stretch.last, 7);
    double re = 0.0;
    double im = 0.0;
    assert_true(stem_leak_band(&leak, BAND, &re, &im));
    assert_true(fabs(hypot(re, im) / gain - 1.0) < 0.01);
}

/* What windows say of an octave each in another direction is no gain, however sure each of them is. */
static void a_gain__on_which_windows_disagree_is_not_known(void **state)
{
    (void)state;
    leak_sums sums[WINDOWS][STEM_BANDS];
    double scores[WINDOWS];
    memset(sums, 0, sizeof sums);
    for (uint32_t w = 0; w < WINDOWS; w++) {
        scores[w] = 6.0;
        set_window(sums[w], gain, 0.0, 1e-6);
        sums[w][BAND + 1] = sums[w][BAND];
        sums[w][BAND + 1].re = BINS * gain * (w % 3 == 2 ? -5.0 : 6.0);
        sums[w][BAND + 1].host = BINS * gain * gain * 37.0;
    }
    stem_leak leak = {.score = 9.0f};
    leak_stretch stretch;
    double re = 0.0;
    double im = 0.0;
    assert_true(leak_fit(&leak, &stretch, (const leak_sums(*)[STEM_BANDS])sums, scores, WINDOWS));
    assert_true(stem_leak_band(&leak, BAND, &re, &im));
    assert_false(stem_leak_band(&leak, BAND + 1, &re, &im));
}

/* One draw of the rounding would be told; an octave in which it is louder shows that it is more. */
static void a_leak__that_only_octaves_show_where_it_is_below_the_rounding_is_none(void **state)
{
    (void)state;
    leak_sums sums[WINDOWS][STEM_BANDS];
    double scores[WINDOWS];
    memset(sums, 0, sizeof sums);
    for (uint32_t w = 0; w < WINDOWS; w++) {
        scores[w] = 6.0;
        set_window(sums[w], gain, 0.0, 1e-6);
        sums[w][BAND].rounding = BINS * gain * gain * 1.1;
    }
    stem_leak leak = {.score = 9.0f};
    leak_stretch stretch;
    assert_false(leak_fit(&leak, &stretch, (const leak_sums(*)[STEM_BANDS])sums, scores, WINDOWS));
    for (uint32_t w = 0; w < WINDOWS; w++) {
        sums[w][BAND + 1] = sums[w][BAND];
        sums[w][BAND + 1].rounding = BINS * gain * gain * 0.9;
    }
    assert_true(leak_fit(&leak, &stretch, (const leak_sums(*)[STEM_BANDS])sums, scores, WINDOWS));
}

typedef struct programme {
    stem_programme all;
    stem_cell cells[CELLS];
    stem_leak leaks[CELLS][2];
    float reach[CELLS][4], reach_low[CELLS][4];
} programme;

static stem_leak leak_of(int16_t delay, float score, double size)
{
    stem_leak leak = {.source = 0, .host = 1, .delay = delay, .last_step = STEM_STEPS - 1, .last_open = STEM_STEPS - 1,
                      .score = score, .chance = 4.0f, .rest = 6.0f};
    for (uint32_t band = 0; band < STEM_BANDS; band++) {
        leak.band_own[band] = 1.0f;
        leak.band_re[band] = (float)size;
        leak.band_noise[band] = (float)(size * size * 1e-4);
    }
    return leak;
}

static void set_up(programme *self)
{
    memset(self, 0, sizeof *self);
    self->all = (stem_programme){.lane_count = 2, .cell_count = CELLS, .bleed = self->cells};
    for (uint32_t c = 0; c < CELLS; c++)
        self->cells[c] = (stem_cell){.frame = (uint64_t)c * CELL_FRAMES, .frame_count = CELL_FRAMES, .window_count = WINDOWS,
                                     .group_count = 2, .all_pairs = true, .reach = self->reach[c], .reach_low = self->reach_low[c],
                                     .leaks = self->leaks[c]};
}

static stem_bleeds *find(const programme *self)
{
    static const uint8_t group_of[] = {0, 1};
    stem_bleeds *found = calloc(1, sizeof *found);
    assert_int_equal(stem_bleed_find(found, &self->all, group_of), STATUS_OK);
    return found;
}

static void the_gain__is_that_of_the_cells_with_the_delay_that_is_told(void **state)
{
    (void)state;
    programme made;
    set_up(&made);
    const float scores[CELLS] = {9.0f, 20.0f, 9.0f};
    for (uint32_t c = 0; c < CELLS; c++) { /* two samples off the delay half of the treble is lost */
        made.leaks[c][0] = leak_of(c == 1 ? 7 : 5, scores[c], c == 1 ? gain : gain / 2.0);
        made.cells[c].leak_count = 1;
    }
    stem_bleeds *found = find(&made);
    assert_int_equal(found->count, 1);
    assert_int_equal(found->items[0].delay_samples, 7);
    assert_int_equal(found->items[0].cell_count, CELLS);
    assert_true(fabs(found->items[0].gain / gain - 1.0) < 0.001);
    free(found);
}

/* Two samples beside it what is below 3 kHz is lost by less than 1 %, turned by the phase of so much time. */
static void the_gain__is_that_of_other_delays_too_in_octaves_that_lose_nothing(void **state)
{
    (void)state;
    programme made;
    set_up(&made);
    made.leaks[0][0] = leak_of(7, 20.0f, gain);
    made.leaks[1][0] = leak_of(5, 15.0f, gain);
    for (uint32_t b = 0; b < STEM_BANDS; b++) {
        const double middle = 2.0 * 2.0 * acos(-1.0) * 1.5 * (4 << b) / 4096.0;
        made.leaks[0][0].band_own[b] = 0.1f; /* a tenth as much of it, and told 15 % too high */
        made.leaks[0][0].band_re[b] = (float)(0.115 * gain);
        made.leaks[0][0].band_noise[b] = (float)(gain * gain * (b < 6 ? 5e-4 : 1.0));
        made.leaks[1][0].band_re[b] = (float)(gain * (b < 6 ? cos(middle) : 0.5));
        made.leaks[1][0].band_im[b] = (float)(gain * (b < 6 ? -sin(middle) : 0.0));
    }
    made.cells[0].leak_count = made.cells[1].leak_count = 1;
    for (int order = 0; order < 2; order++) { /* the clearest first, and last */
        stem_bleeds *found = find(&made);
        assert_int_equal(found->count, 1);
        assert_int_equal(found->items[0].delay_samples, 7);
        assert_true(fabs(found->items[0].gain / gain - 1.115 / 1.1) < 0.003);
        free(found);
        stem_leak first = made.leaks[0][0];
        made.leaks[0][0] = made.leaks[1][0];
        made.leaks[1][0] = first;
    }
}

/* What two cells tell of the cell between is one leak with them, whatever else that cell shows less clearly. */
static void a_leak__that_is_heard_beyond_its_cell_goes_on_there(void **state)
{
    (void)state;
    programme made;
    set_up(&made);
    made.leaks[0][0] = leak_of(5, 30.0f, gain);
    made.leaks[0][0].first_step = made.leaks[0][0].first_open = STEM_STEPS - 40;
    made.leaks[0][0].after = (stem_beyond){20, 20, 20};
    made.leaks[2][0] = leak_of(7, 9.0f, gain);
    made.leaks[2][0].before = (stem_beyond){30, 30, 30};
    made.leaks[2][0].last_step = made.leaks[2][0].last_open = 50;
    made.cells[0].leak_count = made.cells[2].leak_count = 1;
    made.reach[1][1] = 0.0001f; /* would show it, were it there all the time */
    stem_bleeds *found = find(&made);
    assert_int_equal(found->count, 2);
    assert_int_equal(found->items[0].end_frame, CELL_FRAMES + 20 * STEM_STEP_FRAMES);
    assert_int_equal(found->items[1].start_frame, 2 * CELL_FRAMES - 30 * STEM_STEP_FRAMES);
    free(found);
    made.leaks[0][0].after = (stem_beyond){STEM_STEPS, STEM_STEPS, STEM_STEPS};
    made.leaks[1][0] = leak_of(-300, 17.0f, gain);
    made.cells[1].leak_count = 1;
    found = find(&made);
    assert_int_equal(found->count, 1);
    assert_int_equal(found->items[0].delay_samples, 5);
    assert_int_equal(found->items[0].start_frame, (STEM_STEPS - 40) * STEM_STEP_FRAMES);
    assert_int_equal(found->items[0].end_frame, 2 * CELL_FRAMES + 51 * STEM_STEP_FRAMES);
    free(found);
}

/* What the windows that were read leave open is told: here from one second to two beyond the cell, and then from anywhere to it. */
static void a_leak__is_told_with_the_times_between_which_it_begins_and_ends(void **state)
{
    (void)state;
    programme made;
    set_up(&made);
    made.leaks[1][0] = leak_of(5, 9.0f, gain);
    made.leaks[1][0].before = (stem_beyond){36, 36, STEM_STEPS};
    made.leaks[1][0].after = (stem_beyond){24, 36, 48};
    made.cells[1].leak_count = 1;
    stem_bleeds *found = find(&made);
    assert_int_equal(found->count, 1);
    const stem_bleed *leak = &found->items[0];
    assert_int_equal(leak->start_first, 0);
    assert_int_equal(leak->start_frame, CELL_FRAMES - 36 * STEM_STEP_FRAMES);
    assert_int_equal(leak->start_last, leak->start_frame);
    assert_int_equal(leak->end_first, 2 * CELL_FRAMES + 24 * STEM_STEP_FRAMES);
    assert_int_equal(leak->end_frame, 2 * CELL_FRAMES + 36 * STEM_STEP_FRAMES);
    assert_int_equal(leak->end_last, 2 * CELL_FRAMES + 48 * STEM_STEP_FRAMES);
    free(found);
    /* Cells that would not show it leave it open, too. */
    set_up(&made);
    made.leaks[0][0] = leak_of(5, 9.0f, gain);
    made.leaks[0][0].after = (stem_beyond){0, 0, STEM_STEPS};
    made.cells[0].leak_count = 1;
    for (float hides = 1.0f; hides >= 0.25f; hides /= 4.0f) {
        made.reach[1][1] = (float)gain;
        made.reach[2][1] = (float)gain * hides;
        found = find(&made);
        assert_int_equal(found->items[0].end_frame, CELL_FRAMES);
        assert_int_equal(found->items[0].end_last, (hides < 1.0f ? 2 : 3) * CELL_FRAMES);
        free(found);
    }
}

/* Half of what is left open is told, where that is no more than half a second. */
static void a_leak__that_may_go_on_for_less_than_a_second_ends_in_the_middle_of_that(void **state)
{
    (void)state;
    programme made;
    set_up(&made);
    made.leaks[1][0] = leak_of(5, 20.0f, gain);
    made.leaks[1][0].first_step = 3;
    made.leaks[1][0].last_step = STEM_STEPS - 4; /* neither reaches its edge, and nothing is heard beyond */
    made.cells[1].leak_count = 1;
    for (uint8_t open = 17; open <= 23; open += 6) {
        const uint64_t half = open == 17 ? 10 * STEM_STEP_FRAMES : 0;
        made.leaks[1][0].before = made.leaks[1][0].after = (stem_beyond){0, 0, open};
        stem_bleeds *found = find(&made);
        assert_int_equal(found->count, 1);
        assert_int_equal(found->items[0].start_frame, CELL_FRAMES + 3 * STEM_STEP_FRAMES - half);
        assert_int_equal(found->items[0].end_frame, 2 * CELL_FRAMES - 3 * STEM_STEP_FRAMES + half);
        free(found);
    }
}

/* The cell before shows too little of it: the clearer one has heard it earlier. */
static void a_leak__begins_where_the_cell_behind_has_heard_it(void **state)
{
    (void)state;
    programme made;
    set_up(&made);
    made.leaks[0][0] = leak_of(5, 6.0f, gain);
    made.leaks[0][0].first_step = made.leaks[0][0].first_open = 131;
    made.leaks[1][0] = leak_of(7, 20.0f, gain);
    made.leaks[1][0].before = (stem_beyond){43, 48, 52};
    made.cells[0].leak_count = made.cells[1].leak_count = 1;
    stem_bleeds *found = find(&made);
    assert_int_equal(found->count, 1);
    assert_int_equal(found->items[0].start_frame, CELL_FRAMES - 48 * STEM_STEP_FRAMES);
    free(found);
}

/* A cell hears one beside it where that begins by a few windows; that one has all of its own. */
static void a_leak__ends_where_the_cell_that_it_ends_in_has_it(void **state)
{
    (void)state;
    programme made;
    set_up(&made);
    made.leaks[0][0] = leak_of(5, 20.0f, gain);
    made.leaks[0][0].after = (stem_beyond){30, 55, 80};
    made.leaks[1][0] = leak_of(6, 30.0f, gain);
    made.leaks[1][0].last_step = made.leaks[1][0].last_open = 40;
    made.cells[0].leak_count = made.cells[1].leak_count = 1;
    stem_bleeds *found = find(&made);
    assert_int_equal(found->count, 1);
    assert_int_equal(found->items[0].end_frame, CELL_FRAMES + 41 * STEM_STEP_FRAMES);
    free(found);
}

/* Tones that both have look like the leak, at about its delay, before it begins and behind its end. */
static void a_leak__begins_and_ends_where_a_far_clearer_cell_hears_it(void **state)
{
    (void)state;
    programme made;
    set_up(&made);
    made.leaks[0][0] = leak_of(2, 9.0f, gain);
    made.leaks[0][0].first_step = made.leaks[0][0].first_open = 18;
    made.leaks[1][0] = leak_of(7, 30.0f, gain);
    made.leaks[1][0].before = (stem_beyond){71, 87, 103};
    made.leaks[1][0].after = (stem_beyond){12, 15, 18};
    made.leaks[2][0] = leak_of(9, 8.5f, gain);
    for (size_t c = 0; c < 3; c++)
        made.cells[c].leak_count = 1;
    stem_bleeds *found = find(&made);
    assert_int_equal(found->count, 1);
    assert_int_equal(found->items[0].delay_samples, 7);
    assert_int_equal(found->items[0].start_frame, CELL_FRAMES - 87 * STEM_STEP_FRAMES);
    assert_int_equal(found->items[0].end_frame, 2 * CELL_FRAMES + 15 * STEM_STEP_FRAMES);
    free(found);
}

/* Each cell is sure of an octave that both sounds have by themselves: what they say of it differs. */
/* What chance shows at the end of the cell before, at another delay, is not told and cuts nothing off. */
static void a_leak__begins_where_it_is_heard_whatever_else_is_not_told_there(void **state)
{
    (void)state;
    programme made;
    set_up(&made);
    made.leaks[0][0] = leak_of(183, 5.9f, gain);
    made.leaks[0][0].rest = 0.0f;
    made.leaks[0][0].first_step = made.leaks[0][0].first_open = 131;
    made.leaks[1][0] = leak_of(5, 20.0f, gain);
    made.leaks[1][0].before = (stem_beyond){8, 8, 8};
    made.cells[0].leak_count = made.cells[1].leak_count = 1;
    stem_bleeds *found = find(&made);
    assert_int_equal(found->count, 1);
    assert_int_equal(found->items[0].delay_samples, 5);
    assert_int_equal(found->items[0].start_frame, CELL_FRAMES - 8 * STEM_STEP_FRAMES);
    free(found);
}

static void the_gain__is_not_that_of_an_octave_on_which_cells_disagree(void **state)
{
    (void)state;
    programme made;
    set_up(&made);
    for (uint32_t c = 0; c < CELLS; c++) {
        made.leaks[c][0] = leak_of(5, 20.0f, gain);
        made.leaks[c][0].band_re[BAND] = (float)(gain * (c == 1 ? -4.0 : 9.0));
        made.cells[c].leak_count = 1;
    }
    stem_bleeds *found = find(&made);
    assert_int_equal(found->count, 1);
    assert_true(fabs(found->items[0].gain / gain - 1.0) < 0.01);
    free(found);
}

/* A low-pass takes half of one octave and 0.35 dB of the one below it, which then is not told if others are known. */
static void the_gain__is_not_that_of_an_octave_beside_a_slope(void **state)
{
    (void)state;
    programme made;
    set_up(&made);
    stem_leak *leak = &made.leaks[0][0];
    *leak = leak_of(5, 20.0f, gain);
    leak->band_re[BAND] = (float)(0.96 * gain);
    leak->band_re[BAND + 1] = (float)(0.5 * gain);
    for (uint32_t band = BAND + 2; band < STEM_BANDS; band++)
        leak->band_re[band] = 0.0f;
    made.cells[0].leak_count = 1;
    stem_bleeds *found = find(&made);
    assert_int_equal(found->count, 1);
    assert_true(fabs(found->items[0].gain / gain - 1.0) < 0.001);
    free(found);
    for (uint32_t band = 0; band < BAND; band++) /* of the others nothing is known */
        leak->band_own[band] = 0.0f;
    found = find(&made);
    assert_true(fabs(found->items[0].gain / gain - 0.96) < 0.001);
    free(found);
}

/* Of several delays that the end of a cell shows the one counts that the next cell has. */
static void a_leak__begins_at_the_end_of_a_cell_that_shows_several_delays(void **state)
{
    (void)state;
    programme made;
    set_up(&made);
    for (uint32_t i = 0; i < 2; i++) {
        made.leaks[0][i] = leak_of(i == 0 ? 1000 : 228, 7.0f, gain);
        made.leaks[0][i].first_step = made.leaks[0][i].first_open = STEM_STEPS - 30;
    }
    made.cells[0].leak_count = 2;
    made.leaks[1][0] = leak_of(1000, 30.0f, gain);
    made.cells[1].leak_count = 1;
    stem_bleeds *found = find(&made);
    assert_int_equal(found->count, 1);
    assert_int_equal(found->items[0].delay_samples, 1000);
    assert_int_equal(found->items[0].start_frame, (STEM_STEPS - 30) * STEM_STEP_FRAMES);
    free(found);
}

/* Far above a low-pass of the second order what is left of the leak is upside down, and known best where the host has no treble. */
static void a_low_passed_leak__is_told_the_way_round_that_its_lowest_octaves_have(void **state)
{
    (void)state;
    programme made;
    set_up(&made);
    made.leaks[0][0] = leak_of(480, 30.0f, 0.003);
    for (uint32_t band = 4; band < STEM_BANDS; band++) {
        float size = made.leaks[0][0].band_re[band - 1] * (band == 6 ? -0.2f : 0.2f);
        made.leaks[0][0].band_re[band] = size;
        made.leaks[0][0].band_noise[band] = size * size * 1e-6f;
    }
    made.cells[0].leak_count = 1;
    stem_bleeds *found = find(&made);
    assert_int_equal(found->count, 1);
    assert_true(fabs(found->items[0].gain - 0.003) < 1e-5);
    free(found);
}

static void the_reach__is_told_by_time_and_where_it_is_worst(void **state)
{
    (void)state;
    programme made;
    stem_reach reach;
    set_up(&made);
    made.reach[0][1] = 0.001f;
    made.reach[1][1] = 0.01f;
    made.reach[2][1] = 2.0f; /* nothing is tried there */
    made.reach_low[0][1] = 0.05f;
    made.reach_low[1][1] = made.reach_low[2][1] = 0.02f; /* cells stand by their own reach */
    made.cells[2].frame_count = CELL_FRAMES / 10;
    assert_int_equal(stem_bleed_reach(&reach, &made.all, 0, 1), STATUS_OK);
    assert_true(fabs(reach.half - 0.01) < 1e-6);
    assert_true(fabs(reach.most - 0.01) < 1e-6); /* the short last cell is less than a tenth */
    assert_true(fabs(reach.low - 0.05) < 1e-6);
    assert_int_equal(reach.start_frame, 2 * CELL_FRAMES);
    assert_int_equal(reach.end_frame, 2 * CELL_FRAMES + CELL_FRAMES / 10);
    made.cells[2].frame_count = CELL_FRAMES;
    assert_int_equal(stem_bleed_reach(&reach, &made.all, 0, 1), STATUS_OK);
    assert_true(isinf(reach.most));
    assert_true(fabs(reach.half - 0.01) < 1e-6);
    assert_int_equal(stem_bleed_reach(&reach, &made.all, 1, 0), STATUS_OK);
    assert_true(reach.most <= 0.0 && reach.half <= 0.0);
    made.reach[0][2] = 1e-7f; /* under the rounding of 24 bits nothing leaks */
    assert_int_equal(stem_bleed_reach(&reach, &made.all, 1, 0), STATUS_OK);
    assert_true(fabs(reach.most - 1e-5) < 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_leak__is_found_beside_a_window_that_stands_out_by_chance),
        cmocka_unit_test(a_gain__on_which_windows_disagree_is_not_known),
        cmocka_unit_test(a_leak__that_only_octaves_show_where_it_is_below_the_rounding_is_none),
        cmocka_unit_test(the_gain__is_that_of_the_cells_with_the_delay_that_is_told),
        cmocka_unit_test(the_gain__is_that_of_other_delays_too_in_octaves_that_lose_nothing),
        cmocka_unit_test(a_leak__that_is_heard_beyond_its_cell_goes_on_there),
        cmocka_unit_test(a_leak__is_told_with_the_times_between_which_it_begins_and_ends),
        cmocka_unit_test(a_leak__that_may_go_on_for_less_than_a_second_ends_in_the_middle_of_that),
        cmocka_unit_test(a_leak__begins_where_the_cell_behind_has_heard_it),
        cmocka_unit_test(a_leak__ends_where_the_cell_that_it_ends_in_has_it),
        cmocka_unit_test(a_leak__begins_and_ends_where_a_far_clearer_cell_hears_it),
        cmocka_unit_test(a_leak__begins_where_it_is_heard_whatever_else_is_not_told_there),
        cmocka_unit_test(the_gain__is_not_that_of_an_octave_on_which_cells_disagree),
        cmocka_unit_test(the_gain__is_not_that_of_an_octave_beside_a_slope),
        cmocka_unit_test(a_leak__begins_at_the_end_of_a_cell_that_shows_several_delays),
        cmocka_unit_test(a_low_passed_leak__is_told_the_way_round_that_its_lowest_octaves_have),
        cmocka_unit_test(the_reach__is_told_by_time_and_where_it_is_worst),
    };
    return cmocka_run_group_tests_name("leaks", tests, NULL, NULL);
}
