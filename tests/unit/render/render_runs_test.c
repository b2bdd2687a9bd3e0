/* What stays when a cell has more places near or over full scale than it stores. */
#include "worker/render/render_parts.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void render_meter__reductions_go_before_other_places(void **state)
{
    (void)state;
    render_meter *self = calloc(1, sizeof *self);
    uint32_t frame = 0;
    for (uint32_t i = 0; i < PEAK_RUNS_MAX + 44; i++, frame += 1000)
        render_meter_run(self, PEAK_RUN_TRUE, i % 6, frame, 1.0);
    assert_int_equal(self->measure.run_count, PEAK_RUNS_MAX);
    assert_int_equal(self->measure.run_dropped, 44);
    for (uint32_t i = 0; i < 10; i++, frame += 1000) {
        render_meter_run(self, PEAK_RUN_LIMITED, 0, frame, 2.0);
        render_meter_run(self, PEAK_RUN_LIMITED, 0, frame + 1, 3.0);
        for (uint32_t channel = 0; channel < 6; channel++) /* must not go on in what is the limiter's now */
            render_meter_run(self, PEAK_RUN_TRUE, channel, frame - 600, 9.0);
    }
    assert_int_equal(self->measure.run_count, PEAK_RUNS_MAX);
    uint32_t limited = 0;
    for (uint32_t i = 0; i < PEAK_RUNS_MAX; i++) {
        limited += self->runs[i].kind == PEAK_RUN_LIMITED;
        if (self->runs[i].kind == PEAK_RUN_LIMITED)
            assert_true(self->runs[i].peak == 3.0 && self->runs[i].frame_count == 2 && self->runs[i].sample_count == 2);
    }
    assert_int_equal(limited, 10);
    free(self);
}

/* One lane of a tone of 40 Hz with an amplitude, cut off at a level, in steps of so many bits. */
static render_meter *flat_tops(double amplitude, double level, int bits)
{
    enum { FRAMES = 4800 };
    render_meter *self = calloc(1, sizeof *self);
    double *tile = calloc((size_t)FRAMES * TILE_LANES, sizeof *tile);
    double step = ldexp(1.0, 1 - bits);
    double top = 0.0;
    self->full_scale = 1.0 - step;
    for (uint32_t i = 0; i < FRAMES; i++) {
        double wave = amplitude * sin(2.0 * acos(-1.0) * 40.0 * i / 48000.0);
        double sample = round(fmax(-level, fmin(level, wave)) / step) * step;
        tile[(size_t)i * TILE_LANES] = sample;
        top = fmax(top, fabs(sample));
    }
    render_meter_clips(self, 0, tile, 0, FRAMES, 0, top);
    free(tile);
    return self;
}

static void render_meter__flat_tops_below_full_scale_are_clipped_runs(void **state)
{
    (void)state;
    for (int bits = 16; bits <= 24; bits += 8) {
        render_meter *round_tops = flat_tops(0.9, 1.0, bits); /* equal samples at the top of a deep tone are none */
        assert_int_equal(round_tops->measure.run_count, 0);
        free(round_tops);
        render_meter *clipped = flat_tops(0.9, 0.7, bits);
        /* sin reaches 7/9 at 170.2 of 1200 frames and leaves it at 429.8: 259 samples in each of 8 half waves, near each other. */
        assert_int_equal(clipped->measure.run_count, 1);
        assert_int_equal(clipped->runs[0].frame, 171);
        assert_int_equal(clipped->runs[0].sample_count, 8 * 259);
        free(clipped);
        clipped = flat_tops(0.3, 0.036, bits); /* -29 dBFS: what was clipped may be in a mix that is turned down far */
        assert_int_equal(clipped->measure.run_count, 1);
        free(clipped);
        render_meter *soft = flat_tops(0.3, 0.03, bits);
        assert_int_equal(soft->measure.run_count, 0);
        free(soft);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(render_meter__reductions_go_before_other_places),
                                       cmocka_unit_test(render_meter__flat_tops_below_full_scale_are_clipped_runs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
