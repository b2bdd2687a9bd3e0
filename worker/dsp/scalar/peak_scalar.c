#include "worker/dsp/dsp_variants.h"
#include "worker/dsp/true_peak_taps.h"

#include <math.h>

static double larger(double candidate, double maximum)
{
    return candidate > maximum ? candidate : maximum; /* a NaN candidate is passed over */
}

static void peak(const double *tile, uint32_t frame_count, double out_peak[TILE_LANES])
{
    for (uint32_t lane = 0; lane < TILE_LANES; lane++) {
        double maximum = 0.0;
        for (uint32_t frame = 0; frame < frame_count; frame++)
            maximum = larger(fabs(tile[(size_t)frame * TILE_LANES + lane]), maximum);
        out_peak[lane] = maximum;
    }
}

/* The largest of the four phases whose newest sample is *newest. */
static double true_peak_at(const double *newest)
{
    double maximum = 0.0;
    for (int pair = 0; pair < 2; pair++) {
        double even = 0.0;
        double odd = 0.0;
        for (int k = 0; k < TRUE_PEAK_HALF_TAPS; k++) {
            const double young = newest[-k * TILE_LANES];
            const double old = newest[-(TRUE_PEAK_TAPS - 1 - k) * TILE_LANES];
            even = k == 0 ? true_peak_even[pair][k] * (young + old) : fma(true_peak_even[pair][k], young + old, even);
            odd = k == 0 ? true_peak_odd[pair][k] * (young - old) : fma(true_peak_odd[pair][k], young - old, odd);
        }
        maximum = larger(fabs(even) + fabs(odd), maximum);
    }
    return maximum;
}

static void true_peak_frames(const double *tile, uint32_t frame_count, double *out_frames)
{
    for (size_t at = 0; at < (size_t)frame_count * TILE_LANES; at++)
        out_frames[at] = true_peak_at(tile + at);
}

static void true_peak_lanes(const double *tile, uint32_t frame_count, uint32_t lane_mask, double out_peak[TILE_LANES])
{
    for (uint32_t lane = 0; lane < TILE_LANES; lane++) {
        if (!(lane_mask >> lane & 1))
            continue;
        double maximum = 0.0;
        for (uint32_t frame = 0; frame < frame_count; frame++)
            maximum = larger(true_peak_at(tile + (size_t)frame * TILE_LANES + lane), maximum);
        out_peak[lane] = maximum;
    }
}

static void true_peak(const double *tile, uint32_t frame_count, double out_peak[TILE_LANES])
{
    true_peak_lanes(tile, frame_count, 0xFF, out_peak);
}

static void true_peak_over(const double *tile, uint32_t frame_count, const double floor[TILE_LANES],
                           const double (*block_peaks)[TILE_LANES], double out_peak[TILE_LANES],
                           double sample_peak[TILE_LANES])
{
    (void)block_peaks; /* nothing is left out here */
    peak(tile, frame_count, sample_peak);
    double peaks[TILE_LANES];
    true_peak(tile, frame_count, peaks);
    for (uint32_t lane = 0; lane < TILE_LANES; lane++)
        out_peak[lane] = larger(peaks[lane], floor[lane]);
}

void peak_scalar_fill(dsp_table *table)
{
    table->peak = peak;
    table->true_peak = true_peak;
    table->true_peak_lanes = true_peak_lanes;
    table->true_peak_over = true_peak_over;
    table->true_peak_frames = true_peak_frames;
}
