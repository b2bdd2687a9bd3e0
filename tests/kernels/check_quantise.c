#include "tests/kernels/kernel_check.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const uint32_t depths[] = {QUANTISE_MEASURE_ONLY, 8, 12, 16, 20, 24, 32, QUANTISE_FLOAT_32};
enum { DEPTH_COUNT = sizeof depths / sizeof depths[0] };

static void result_fill(kernel_check *self, quantise_result *result)
{
    for (uint32_t lane = 0; lane < TILE_LANES; lane++) {
        const bool fresh = check_below(self, 2) == 0;
        result->mix_peak[lane] = fresh ? 0.0 : fabs(check_uniform(self));
        result->sample_peak[lane] = fresh ? 0.0 : fabs(check_uniform(self));
        result->overload_count[lane] = fresh ? 0 : check_below(self, 1000);
        result->nonfinite_count[lane] = fresh ? 0 : check_below(self, 1000);
    }
}

static void check_results(kernel_check *self, const quantise_result *expected, const quantise_result *actual,
                          const char *what)
{
    check_doubles(self, expected->mix_peak, actual->mix_peak, TILE_LANES, what);
    check_doubles(self, expected->sample_peak, actual->sample_peak, TILE_LANES, what);
    check_that(self, memcmp(expected->overload_count, actual->overload_count, sizeof actual->overload_count) == 0,
               "%s: overload counts differ", what);
    check_that(self, memcmp(expected->nonfinite_count, actual->nonfinite_count, sizeof actual->nonfinite_count) == 0,
               "%s: non-finite counts differ", what);
}

static void quantise_once(kernel_check *self, uint32_t frame_count, uint32_t bits, hostility kind, placement where)
{
    const size_t values = (size_t)frame_count * TILE_LANES;
    double *expected = (double *)(void *)guarded_place(&self->memory[0], values * sizeof(double), where, 0);
    double *actual = (double *)(void *)guarded_place(&self->memory[1], values * sizeof(double), where, 0);
    check_fill(self, expected, values, kind);
    if (values > 0)
        memcpy(actual, expected, values * sizeof(double));
    quantise_result expected_result;
    result_fill(self, &expected_result);
    quantise_result actual_result = expected_result;
    self->reference->quantise(expected, frame_count, bits, &expected_result);
    self->variant->quantise(actual, frame_count, bits, &actual_result);
    char what[96];
    (void)snprintf(what, sizeof what, "%s, %u bits, %u frames", hostility_name(kind), bits, frame_count);
    check_doubles(self, expected, actual, values, what);
    check_results(self, &expected_result, &actual_result, what);
    check_that(self, guarded_intact(&self->memory[1], (const uint8_t *)actual, values * sizeof(double)),
               "%s: margin written", what);
}

void check_quantise(kernel_check *self)
{
    uint32_t frame_count;
    for (uint32_t index = 0; check_frame_count(index, &frame_count); index++)
        for (uint32_t depth = 0; depth < DEPTH_COUNT; depth++)
            for (uint32_t kind = 0; kind < DATA_KIND_COUNT; kind++)
                if (check_below(self, 100) < self->effort)
                    quantise_once(self, frame_count, depths[depth], (hostility)kind,
                                  (placement)(index % PLACEMENT_COUNT));
}

static bool in_reach(double x)
{
    return isfinite(x) && fabs(x) <= (double)FLT_MAX;
}

/* The contract, one sample, in long double: scaling by a power of two is exact there, so this is the true result. */
static double quantised(double x, uint32_t bits, bool *out_clamped)
{
    *out_clamped = false;
    if (!in_reach(x))
        return 0.0;
    if (bits == QUANTISE_MEASURE_ONLY)
        return x;
    if (bits == QUANTISE_FLOAT_32)
        return (double)(float)x;
    const long double scale = ldexpl(1.0L, (int)bits - 1);
    const long double steps = rintl((long double)x * scale);
    *out_clamped = steps < -scale || steps > scale - 1.0L;
    const long double low = steps < -scale ? -scale : steps;
    return (double)((low > scale - 1.0L ? scale - 1.0L : low) / scale) + 0.0;
}

void judge_quantise(kernel_check *self)
{
    enum { FRAMES = 40 };
    _Alignas(64) double tile[FRAMES * TILE_LANES];
    double expected[FRAMES * TILE_LANES];
    for (uint32_t round = 0; round < check_rounds(self, 4 * DEPTH_COUNT * DATA_KIND_COUNT); round++) {
        const uint32_t bits = depths[round % DEPTH_COUNT];
        const hostility kind = (hostility)(round / DEPTH_COUNT % DATA_KIND_COUNT);
        check_fill(self, tile, FRAMES * TILE_LANES, kind);
        quantise_result result;
        result_fill(self, &result);
        quantise_result truth = result;
        for (uint32_t i = 0; i < FRAMES * TILE_LANES; i++) {
            const uint32_t lane = i % TILE_LANES;
            bool clamped;
            expected[i] = quantised(tile[i], bits, &clamped);
            truth.overload_count[lane] += clamped;
            truth.nonfinite_count[lane] += in_reach(tile[i]) ? 0 : 1;
            truth.mix_peak[lane] =
                in_reach(tile[i]) ? fmax(truth.mix_peak[lane], fabs(tile[i])) : truth.mix_peak[lane];
            truth.sample_peak[lane] = fmax(truth.sample_peak[lane], fabs(expected[i]));
        }
        self->reference->quantise(tile, FRAMES, bits, &result);
        char what[64];
        (void)snprintf(what, sizeof what, "%s, %u bits, by definition", hostility_name(kind), bits);
        check_doubles(self, expected, tile, FRAMES * TILE_LANES, what);
        check_results(self, &truth, &result, what);
    }
}
