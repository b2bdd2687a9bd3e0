/* Channels that stop and start again: found to the sample, wherever tiles and probes fall, and nothing else. */
#include "worker/render/render_parts.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TILE = 480, FRAMES = 96000 };

/* A tone of -20 dBFS whose frames from..to are silence, told as gaps. */
static stem_features *listen(uint32_t from, uint32_t to, bool soft)
{
    arena memory;
    arena_init(&memory);
    render_program program = {.sample_rate = 48000, .input_count = 1};
    render_gaps *gaps = render_gaps_make(&program, &memory);
    double *tile = arena_take(&memory, sizeof(double) * TILE * TILE_LANES);
    memset(tile, 0, sizeof(double) * TILE * TILE_LANES);
    stem_features *features = calloc(1, sizeof *features);
    features->frame_count = FRAMES;
    render_gaps_begin(gaps);
    for (uint32_t first = 0; first < FRAMES; first += TILE) {
        for (uint32_t i = 0; i < TILE; i++) {
            uint32_t frame = first + i;
            double away = frame < from ? from - frame : frame >= to ? frame - to + 1 : 0.0;
            double level = soft ? fmin(away / 2000.0, 1.0) : away > 0.0 ? 1.0 : 0.0;
            tile[(size_t)i * TILE_LANES] = 0.1 * level * cos(0.3 * frame + 1.0);
        }
        render_gaps_take(gaps, &tile, first, TILE, features);
    }
    render_gaps_end(gaps, features);
    arena_deinit(&memory);
    return features;
}

static void gaps__are_found_to_the_sample(void **state)
{
    (void)state;
    static const uint32_t lengths[] = {48, 49, 71, 480, 960, 4700};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
        for (uint32_t start = 20000; start < 20000 + TILE; start += 7) {
            stem_features *heard = listen(start, start + lengths[i], false);
            assert_int_equal(heard->gap_count, 1);
            assert_int_equal(heard->gaps[0].start, start);
            assert_int_equal(heard->gaps[0].end, start + lengths[i]);
            assert_false(heard->gaps[0].from_before || heard->gaps[0].goes_on);
            free(heard);
        }
}

static void gaps__at_the_edges_of_a_cell_say_so(void **state)
{
    (void)state;
    stem_features *heard = listen(0, 500, false);
    assert_int_equal(heard->gap_count, 1);
    assert_true(heard->gaps[0].from_before && heard->gaps[0].end == 500);
    free(heard);
    heard = listen(FRAMES - 500, FRAMES, false);
    assert_int_equal(heard->gap_count, 1);
    assert_true(heard->gaps[0].goes_on && heard->gaps[0].start == FRAMES - 500);
    free(heard);
}

static void gaps__are_neither_faded_nor_long_nor_absent(void **state)
{
    (void)state;
    static const struct {
        uint32_t from, to;
        bool soft;
    } none[] = {{20000, 20000, false}, {20000, 21000, true}, {20000, 60000, false}, {20000, 20040, false}};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        stem_features *heard = listen(none[i].from, none[i].to, none[i].soft);
        assert_int_equal(heard->gap_count, 0);
        free(heard);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gaps__are_found_to_the_sample),
        cmocka_unit_test(gaps__at_the_edges_of_a_cell_say_so),
        cmocka_unit_test(gaps__are_neither_faded_nor_long_nor_absent),
    };
    return cmocka_run_group_tests_name("gaps", tests, NULL, NULL);
}
