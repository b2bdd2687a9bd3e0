#include "common/measure/sync_model.h"
#include "worker/render/sync_align.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/sync/memory_reader.h"

enum { FRAMES = 30 * RATE };

/* The reference, which repeats from one place to another as fast as the step is long; later by `late` from a place on, and other
 * sound from another place on. */
static sync_model align_loop(size_t loop, size_t loop_end, size_t step, size_t late, size_t other, sync_measure *found,
                             arena *memory)
{
    float *guide = calloc(FRAMES, sizeof *guide);
    float *track = calloc(FRAMES, sizeof *track);
    assert_true(guide != NULL && track != NULL);
    track_reader reference = {guide, FRAMES}, heard = {track, FRAMES};
    make_noise(&reference, 1);
    make_noise(&heard, 2);
    for (size_t i = loop; i < loop_end; i++)
        guide[i] = guide[i - late];
    for (size_t i = 0; i < other; i++)
        track[i] = i < step ? guide[i] : i < step + late ? 0.0f : guide[i - late];
    error_detail detail = {0};
    sync_matcher matcher;
    dsp_table dsp;
    dsp_table_init(&dsp, CPU_SCALAR);
    sync_matcher_init(&matcher, &dsp, &heard, 0, &reference, 0, &detail);
    *found = (sync_measure){0};
    assert_int_equal(sync_align(&matcher, FRAMES, found, memory), STATUS_OK);
    sync_matcher_deinit(&matcher);
    sync_model model;
    sync_model_fit(&model, found->points, found->point_count);
    free(track);
    free(guide);
    return model;
}

static sync_model align(size_t step, size_t late, size_t other, sync_measure *found, arena *memory)
{
    return align_loop(0, 0, step, late, other, found, memory);
}

/* What is the same on both sides of a step does not tell where it is: here all that lies less than 0.9 s before it. */
static void sync_align__does_not_place_a_step_by_sound_that_repeats(void **state)
{
    (void)state;
    arena memory = {0};
    sync_measure found;
    size_t step = FRAMES / 2 + RATE;
    sync_model model = align_loop(step - RATE * 9 / 10, step, step, 2000, FRAMES, &found, &memory);
    assert_true(model.known);
    assert_int_equal(model.segment_count, 2);
    assert_true(round(model.segments[1].offset) == 2000.0);
    assert_true(model.segments[0].last < step + 4096 && model.segments[1].first + 4096 > step);
    arena_deinit(&memory);
}

static void sync_align__finds_a_step_behind_which_only_one_place_lies(void **state)
{
    (void)state;
    arena memory = {0};
    sync_measure found;
    size_t step = FRAMES - 3 * RATE / 2;
    sync_model model = align(step, 20000, FRAMES, &found, &memory);
    assert_true(model.known);
    assert_int_equal(model.segment_count, 2);
    assert_true(round(model.segments[0].offset) == 0.0 && round(model.segments[1].offset) == 20000.0);
    /* Where something is inserted it lies between the two places; half a window of slack on either side. */
    assert_true(model.segments[0].last < step + 4096 && model.segments[1].first + 4096 > step);
    assert_int_equal(found.lost_count, 0);
    arena_deinit(&memory);
}

static void sync_align__names_places_of_which_it_knows_nothing(void **state)
{
    (void)state;
    arena memory = {0};
    sync_measure found;
    sync_model model = align(0, 0, 20 * RATE, &found, &memory);
    assert_true(model.known);
    assert_int_equal(model.segment_count, 1);
    assert_true(found.lost_count >= 2);
    for (uint32_t i = 0; i < found.lost_count; i++)
        assert_true(found.lost[i] > 19 * RATE);
    arena_deinit(&memory);
}

/* Of places in a row that do not match one is heard again, and it tells that nothing is known of all of them. */
static void sync_align__hears_one_of_many_lost_places_again(void **state)
{
    (void)state;
    arena memory = {0};
    sync_measure found;
    sync_model model = align(0, 0, 12 * RATE, &found, &memory);
    assert_true(model.known);
    assert_int_equal(found.lost_count, 6);
    assert_true(found.frames_read < 7 * RATE / 2);
    arena_deinit(&memory);
}

static void sync_align__reads_little_of_a_track_that_is_plainly_in_sync(void **state)
{
    (void)state;
    arena memory = {0};
    sync_measure found;
    sync_model model = align(0, 0, FRAMES, &found, &memory);
    assert_true(model.known);
    assert_int_equal(found.point_count, found.tried);
    assert_int_equal(found.tried, 10);
    assert_true(found.frames_read < 2 * RATE);
    for (uint32_t i = 0; i < found.point_count; i++)
        assert_true(fabs(found.points[i].late) < 0.1);
    arena_deinit(&memory);
}

/* The track with other sound over it, so many times as loud, and as loud as `quiet` in every fourth half second. */
static void align_under(float louder, float quiet, sync_measure *found, arena *memory)
{
    float *guide = calloc(FRAMES, sizeof *guide);
    float *track = calloc(FRAMES, sizeof *track);
    assert_true(guide != NULL && track != NULL);
    track_reader reference = {guide, FRAMES}, heard = {track, FRAMES};
    make_noise(&reference, 1);
    make_noise(&heard, 2);
    for (size_t i = 0; i < FRAMES; i++)
        guide[i] = track[i] + guide[i] * (i / (RATE / 2) % 4 == 3 ? quiet : louder);
    error_detail detail = {0};
    sync_matcher matcher;
    dsp_table dsp;
    dsp_table_init(&dsp, CPU_SCALAR);
    sync_matcher_init(&matcher, &dsp, &heard, 0, &reference, 0, &detail);
    *found = (sync_measure){0};
    assert_int_equal(sync_align(&matcher, FRAMES, found, memory), STATUS_OK);
    sync_matcher_deinit(&matcher);
    free(track);
    free(guide);
}

/* A peak that is too low by itself is one where the others expect it: hardly anything longer is read. */
static void sync_align__takes_a_low_peak_where_it_is_expected(void **state)
{
    (void)state;
    arena memory = {0};
    sync_measure found;
    align_under(3.0f, 3.0f, &found, &memory);
    assert_int_equal(found.point_count, found.tried);
    assert_true(found.frames_read < 3 * RATE / 2);
    for (uint32_t i = 0; i < found.point_count; i++)
        assert_true(fabs(found.points[i].late) < 0.5);
    arena_deinit(&memory);
}

static void sync_align__listens_where_little_else_is_heard(void **state)
{
    (void)state;
    arena memory = {0};
    sync_measure found;
    align_under(30.0f, 1.0f, &found, &memory);
    assert_true(found.point_count >= 8);
    for (uint32_t i = 0; i < found.point_count; i++)
        assert_int_equal((found.points[i].place / (RATE / 2)) % 4, 3);
    arena_deinit(&memory);
}

static void sync_window__grows_by_what_is_not_known_yet(void **state)
{
    (void)state;
    float *samples = calloc(FRAMES, sizeof *samples);
    assert_true(samples != NULL);
    track_reader track = {samples, FRAMES};
    make_noise(&track, 1);
    error_detail detail = {0};
    sync_matcher matcher;
    sync_matcher_init(&matcher, NULL, &track, 100, &track, 0, &detail);
    sync_window small, grown, whole;
    assert_int_equal(sync_matcher_take(&matcher, 9000, 4096, NULL, &small), STATUS_OK);
    assert_int_equal(sync_matcher_take(&matcher, 9000, 16384, &small, &grown), STATUS_OK);
    size_t count = 16384 + 2 * sync_window_margin(16384);
    assert_int_equal(matcher.frames_read, count);
    assert_int_equal(sync_matcher_take(&matcher, 9000, 16384, NULL, &whole), STATUS_OK);
    assert_memory_equal(grown.sound, whole.sound, count * sizeof(double));
    sync_window part = sync_window_part(&whole, 9000, 4096);
    assert_memory_equal(part.sound, small.sound, (4096 + 2 * sync_window_margin(4096)) * sizeof(double));
    sync_matcher_deinit(&matcher);
    free(samples);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sync_align__does_not_place_a_step_by_sound_that_repeats),
        cmocka_unit_test(sync_align__finds_a_step_behind_which_only_one_place_lies),
        cmocka_unit_test(sync_align__names_places_of_which_it_knows_nothing),
        cmocka_unit_test(sync_align__reads_little_of_a_track_that_is_plainly_in_sync),
        cmocka_unit_test(sync_align__takes_a_low_peak_where_it_is_expected),
        cmocka_unit_test(sync_align__listens_where_little_else_is_heard),
        cmocka_unit_test(sync_window__grows_by_what_is_not_known_yet),
        cmocka_unit_test(sync_align__hears_one_of_many_lost_places_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
