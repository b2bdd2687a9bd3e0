/* What stays when a cell has more places near or over full scale than it stores. */
#include "worker/render/render_parts.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(render_meter__reductions_go_before_other_places)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
