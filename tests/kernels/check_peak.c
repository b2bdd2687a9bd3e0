#include "tests/kernels/kernel_check.h"

#include <math.h>
#include <stdio.h>

static void peak_once(kernel_check *self, uint32_t frame_count, hostility kind, placement where)
{
    const size_t values = (size_t)frame_count * TILE_LANES;
    double *tile = (double *)(void *)guarded_place(&self->memory[0], values * sizeof(double), where, 0);
    double *actual = (double *)(void *)guarded_place(&self->memory[1], TILE_LANES * sizeof(double), where, 8);
    check_fill(self, tile, values, kind);
    double expected[TILE_LANES];
    self->reference->peak(tile, frame_count, expected);
    self->variant->peak(tile, frame_count, actual);
    char what[64];
    (void)snprintf(what, sizeof what, "%s, %u frames", hostility_name(kind), frame_count);
    check_doubles(self, expected, actual, TILE_LANES, what);
    check_that(self, guarded_intact(&self->memory[1], (const uint8_t *)actual, TILE_LANES * sizeof(double)),
               "%s: margin written", what);
}

void check_peak(kernel_check *self)
{
    uint32_t frame_count;
    for (uint32_t index = 0; check_frame_count(index, &frame_count); index++)
        for (uint32_t kind = 0; kind < DATA_KIND_COUNT; kind++)
            if (check_below(self, 100) < self->effort)
                peak_once(self, frame_count, (hostility)kind, (placement)(index % PLACEMENT_COUNT));
}

void judge_peak(kernel_check *self)
{
    enum { FRAMES = 50 };
    _Alignas(64) double tile[FRAMES * TILE_LANES];
    for (uint32_t round = 0; round < check_rounds(self, 10 * DATA_KIND_COUNT); round++) {
        check_fill(self, tile, FRAMES * TILE_LANES, (hostility)(round % DATA_KIND_COUNT));
        double expected[TILE_LANES] = {0};
        for (uint32_t i = 0; i < FRAMES * TILE_LANES; i++)
            expected[i % TILE_LANES] =
                isnan(tile[i]) ? expected[i % TILE_LANES] : fmax(expected[i % TILE_LANES], fabs(tile[i]));
        double actual[TILE_LANES];
        self->reference->peak(tile, FRAMES, actual);
        check_doubles(self, expected, actual, TILE_LANES, "by definition");
    }
}
