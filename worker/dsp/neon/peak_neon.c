/** Peaks, two lanes a register. */
#include "worker/dsp/dsp_unroll.h"
#include "worker/dsp/dsp_variants.h"
#include "worker/dsp/true_peak_taps.h"

#include <arm_neon.h>

enum { WIDTH = 2 };

/* A NaN candidate compares false and is passed over, signalling or not, as in the reference. */
static inline __attribute__((always_inline)) float64x2_t larger(float64x2_t candidate, float64x2_t maximum)
{
    return vbslq_f64(vcgtq_f64(candidate, maximum), candidate, maximum);
}

static void peak(const double *tile, uint32_t frame_count, double out_peak[TILE_LANES])
{
    float64x2_t maximum[TILE_LANES / WIDTH];
    DSP_UNROLL(4)
    for (int i = 0; i < TILE_LANES / WIDTH; i++)
        maximum[i] = vdupq_n_f64(0.0);
    for (uint32_t frame = 0; frame < frame_count; frame++) {
        const double *row = tile + (size_t)frame * TILE_LANES;
        DSP_UNROLL(4)
        for (int i = 0; i < TILE_LANES / WIDTH; i++)
            maximum[i] = larger(vabsq_f64(vld1q_f64(row + i * WIDTH)), maximum[i]);
    }
    DSP_UNROLL(4)
    for (int i = 0; i < TILE_LANES / WIDTH; i++)
        vst1q_f64(out_peak + i * WIDTH, maximum[i]);
}

/* The largest of the four phases of two neighbours; stride is the distance between a sample and the one before it. */
static inline __attribute__((always_inline)) float64x2_t true_peak_raise(const double *newest, ptrdiff_t stride,
                                                                         float64x2_t maximum)
{
    float64x2_t even[2];
    float64x2_t odd[2];
    DSP_UNROLL(6)
    for (int k = 0; k < TRUE_PEAK_HALF_TAPS; k++) {
        const float64x2_t young = vld1q_f64(newest - k * stride);
        const float64x2_t old = vld1q_f64(newest - (TRUE_PEAK_TAPS - 1 - k) * stride);
        const float64x2_t sum = vaddq_f64(young, old);
        const float64x2_t difference = vsubq_f64(young, old);
        DSP_UNROLL(2)
        for (int pair = 0; pair < 2; pair++) {
            const float64x2_t even_tap = vdupq_n_f64(true_peak_even[pair][k]);
            const float64x2_t odd_tap = vdupq_n_f64(true_peak_odd[pair][k]);
            even[pair] = k == 0 ? vmulq_f64(even_tap, sum) : vfmaq_f64(even[pair], even_tap, sum);
            odd[pair] = k == 0 ? vmulq_f64(odd_tap, difference) : vfmaq_f64(odd[pair], odd_tap, difference);
        }
    }
    maximum = larger(vaddq_f64(vabsq_f64(even[0]), vabsq_f64(odd[0])), maximum);
    return larger(vaddq_f64(vabsq_f64(even[1]), vabsq_f64(odd[1])), maximum);
}

static void true_peak(const double *tile, uint32_t frame_count, double out_peak[TILE_LANES])
{
    for (uint32_t lane = 0; lane < TILE_LANES; lane += WIDTH) {
        float64x2_t maximum = vdupq_n_f64(0.0);
        for (uint32_t frame = 0; frame < frame_count; frame++)
            maximum = true_peak_raise(tile + (size_t)frame * TILE_LANES + lane, TILE_LANES, maximum);
        vst1q_f64(out_peak + lane, maximum);
    }
}

static void true_peak_frames(const double *tile, uint32_t frame_count, double *out_frames)
{
    for (size_t at = 0; at < (size_t)frame_count * TILE_LANES; at += WIDTH)
        vst1q_f64(out_frames + at, true_peak_raise(tile + at, TILE_LANES, vdupq_n_f64(0.0)));
}

/* Two lanes cost what one does, so lanes are taken in the pairs that the mask touches. */
static void true_peak_lanes(const double *tile, uint32_t frame_count, uint32_t lane_mask, double out_peak[TILE_LANES])
{
    for (uint32_t lane = 0; lane < TILE_LANES; lane += WIDTH) {
        const uint32_t wanted = lane_mask >> lane & 3;
        if (wanted == 0)
            continue;
        float64x2_t maximum = vdupq_n_f64(0.0);
        for (uint32_t frame = 0; frame < frame_count; frame++)
            maximum = true_peak_raise(tile + (size_t)frame * TILE_LANES + lane, TILE_LANES, maximum);
        if (wanted & 1)
            out_peak[lane] = vgetq_lane_f64(maximum, 0);
        if (wanted & 2)
            out_peak[lane + 1] = vgetq_lane_f64(maximum, 1);
    }
}

static void true_peak_over(const double *tile, uint32_t frame_count, const double floor[TILE_LANES],
                           double out_peak[TILE_LANES], double sample_peak[TILE_LANES])
{
    peak(tile, frame_count, sample_peak);
    double peaks[TILE_LANES];
    true_peak(tile, frame_count, peaks);
    for (uint32_t lane = 0; lane < TILE_LANES; lane += WIDTH)
        vst1q_f64(out_peak + lane, larger(vld1q_f64(peaks + lane), vld1q_f64(floor + lane)));
}

void peak_neon_fill(dsp_table *table)
{
    table->peak = peak;
    table->true_peak = true_peak;
    table->true_peak_lanes = true_peak_lanes;
    table->true_peak_over = true_peak_over;
    table->true_peak_frames = true_peak_frames;
}
