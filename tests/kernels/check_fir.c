#include "tests/kernels/kernel_check.h"

#include <math.h>
#include <stdio.h>

enum { PAIRS_MAX = 40, TAPS_MAX = 64 };

static void odd_once(kernel_check *self, uint32_t frame_count, uint32_t pair_count, hostility kind, placement where)
{
    const uint32_t margin = pair_count == 0 ? 0 : 2 * pair_count - 1;
    const size_t count = (size_t)frame_count + 2 * margin;
    double *samples = (double *)(void *)guarded_place(&self->memory[0], count * sizeof(double), where, 0);
    double *taps = (double *)(void *)guarded_place(&self->memory[1], pair_count * sizeof(double), where, 0);
    double *actual = (double *)(void *)guarded_place(&self->memory[2], frame_count * sizeof(double), where, 8);
    static double expected[TILE_FRAMES_MAX];
    check_fill(self, samples, count, kind);
    check_fill(self, taps, pair_count, DATA_NOISE);
    self->reference->fir_odd(samples + margin, taps, pair_count, frame_count, expected);
    self->variant->fir_odd(samples + margin, taps, pair_count, frame_count, actual);
    char what[64];
    (void)snprintf(what, sizeof what, "odd, %s, %u pairs, %u frames", hostility_name(kind), pair_count, frame_count);
    check_doubles(self, expected, actual, frame_count, what);
    check_that(self, guarded_intact(&self->memory[2], (const uint8_t *)actual, frame_count * sizeof(double)),
               "%s: margin written", what);
}

static void lanes_once(kernel_check *self, uint32_t tap_count, hostility kind, placement where)
{
    const size_t count = (size_t)tap_count * TILE_LANES;
    double *tile = (double *)(void *)guarded_place(&self->memory[0], count * sizeof(double), where, 0);
    double *taps = (double *)(void *)guarded_place(&self->memory[1], tap_count * sizeof(double), where, 0);
    double *actual = (double *)(void *)guarded_place(&self->memory[2], TILE_LANES * sizeof(double), where, 8);
    double expected[TILE_LANES];
    check_fill(self, tile, count, kind);
    check_fill(self, taps, tap_count, DATA_NOISE);
    self->reference->fir_lanes(tile, taps, tap_count, expected);
    self->variant->fir_lanes(tile, taps, tap_count, actual);
    char what[64];
    (void)snprintf(what, sizeof what, "lanes, %s, %u taps", hostility_name(kind), tap_count);
    check_doubles(self, expected, actual, TILE_LANES, what);
    check_that(self, guarded_intact(&self->memory[2], (const uint8_t *)actual, TILE_LANES * sizeof(double)),
               "%s: margin written", what);
}

void check_fir(kernel_check *self)
{
    uint32_t frame_count;
    for (uint32_t index = 0; check_frame_count(index, &frame_count); index++)
        for (uint32_t kind = 0; kind < DATA_KIND_COUNT; kind++)
            if (check_below(self, 100) < self->effort) {
                odd_once(self, frame_count, check_below(self, PAIRS_MAX + 1), (hostility)kind,
                         (placement)(kind % PLACEMENT_COUNT));
                lanes_once(self, 4 * check_below(self, TAPS_MAX / 4 + 1), (hostility)kind,
                           (placement)(kind % PLACEMENT_COUNT));
            }
}

/* Higham's bound for n fused steps, as in check_mix; the difference of two samples is one rounding more. */
static void judge_sum(kernel_check *self, double actual, long double sum, long double size, uint32_t count, const char *what)
{
    const long double bound = 1.01L * (long double)(count + 3) * 0x1p-53L * size;
    check_that(self, fabsl((long double)actual - sum) <= bound, "%s: %La beyond %La of %La", what, (long double)actual, bound,
               sum);
}

void judge_fir(kernel_check *self)
{
    enum { FRAMES = 21, MARGIN = 2 * PAIRS_MAX - 1 };
    static double samples[FRAMES + 2 * MARGIN], taps[PAIRS_MAX], out[FRAMES];
    static double tile[TAPS_MAX * TILE_LANES], lane_taps[TAPS_MAX], lanes[TILE_LANES];
    for (uint32_t round = 0; round < check_rounds(self, 30); round++) {
        check_fill(self, samples, FRAMES + 2 * MARGIN, round % 2 ? DATA_NOISE : DATA_OVER);
        check_fill(self, taps, PAIRS_MAX, DATA_NOISE);
        self->reference->fir_odd(samples + MARGIN, taps, PAIRS_MAX, FRAMES, out);
        for (int n = 0; n < FRAMES; n++) {
            long double sum = 0.0L, size = 0.0L;
            for (int p = 0; p < PAIRS_MAX; p++) {
                const long double before = (long double)samples[MARGIN + n - 2 * p - 1];
                const long double after = (long double)samples[MARGIN + n + 2 * p + 1];
                sum += (long double)taps[p] * (before - after);
                size += fabsl((long double)taps[p]) * (fabsl(before) + fabsl(after));
            }
            judge_sum(self, out[n], sum, size, PAIRS_MAX, "odd");
        }
        check_fill(self, tile, TAPS_MAX * TILE_LANES, DATA_NOISE);
        check_fill(self, lane_taps, TAPS_MAX, DATA_NOISE);
        self->reference->fir_lanes(tile, lane_taps, TAPS_MAX, lanes);
        for (int l = 0; l < TILE_LANES; l++) {
            long double sum = 0.0L, size = 0.0L;
            for (int k = 0; k < TAPS_MAX; k++) {
                const long double term = (long double)lane_taps[k] * (long double)tile[k * TILE_LANES + l];
                sum += term;
                size += fabsl(term);
            }
            judge_sum(self, lanes[l], sum, size, TAPS_MAX, "lanes");
        }
    }
}
