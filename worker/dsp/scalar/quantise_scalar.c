#include "worker/dsp/dsp_variants.h"

#include <float.h>
#include <math.h>

/* Adding and taking away 1.5 x 2^52 rounds to the nearest integer, ties to even, for |x| < 2^51. */
#define ROUND_MAGIC 0x1.8p52

typedef struct quantise_range {
    double scale;
    double step;
    double low;  /**< in steps */
    double high; /**< in steps */
} quantise_range;

static double quantise_pcm(double x, const quantise_range *range, uint64_t *overload_count)
{
    /* One step beyond the range is far enough to be counted and near enough for the rounding by magic. */
    double steps = x * range->scale;
    steps = steps < range->low - 1.0 ? range->low - 1.0 : steps;
    steps = steps > range->high + 1.0 ? range->high + 1.0 : steps;
    const double rounded = (steps + ROUND_MAGIC) - ROUND_MAGIC;
    double clamped = rounded < range->low ? range->low : rounded;
    clamped = clamped > range->high ? range->high : clamped;
    *overload_count += rounded != clamped;
    return clamped * range->step;
}

static void quantise_lane(double *lane, uint32_t frame_count, uint32_t bits, quantise_result *result, uint32_t index)
{
    const double scale = (double)(UINT64_C(1) << ((bits - 1) & 63));
    const quantise_range range = {.scale = scale, .step = 1.0 / scale, .low = -scale, .high = scale - 1.0};
    double mix_peak = result->mix_peak[index];
    double sample_peak = result->sample_peak[index];
    for (size_t at = 0; at < (size_t)frame_count * TILE_LANES; at += TILE_LANES) {
        double x = lane[at];
        if (!(fabs(x) <= (double)FLT_MAX)) {
            x = 0.0;
            result->nonfinite_count[index]++;
        }
        mix_peak = fabs(x) > mix_peak ? fabs(x) : mix_peak;
        if (bits == QUANTISE_FLOAT_32)
            x = (double)(float)x;
        else if (bits != QUANTISE_MEASURE_ONLY)
            x = quantise_pcm(x, &range, &result->overload_count[index]);
        sample_peak = fabs(x) > sample_peak ? fabs(x) : sample_peak;
        lane[at] = x;
    }
    result->mix_peak[index] = mix_peak;
    result->sample_peak[index] = sample_peak;
}

static void quantise(double *tile, uint32_t frame_count, uint32_t bits, quantise_result *result)
{
    for (uint32_t lane = 0; lane < TILE_LANES; lane++)
        quantise_lane(tile + lane, frame_count, bits, result, lane);
}

void quantise_scalar_fill(dsp_table *table)
{
    table->quantise = quantise;
}
