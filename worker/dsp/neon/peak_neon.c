/** Peaks, two lanes a register. */
#include "worker/dsp/dsp_unroll.h"
#include "worker/dsp/dsp_variants.h"
#include "worker/dsp/true_peak_taps.h"

#include <arm_neon.h>
#include <stdbool.h>

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

/* Largest magnitude of two lanes over the frames first .. end - 1, counted from the tile's first. */
static float64x2_t largest(const double *lanes, int32_t first, int32_t end)
{
    float64x2_t m0 = vdupq_n_f64(0.0);
    float64x2_t m1 = m0;
    for (; first + 2 <= end; first += 2) {
        m0 = larger(vabsq_f64(vld1q_f64(lanes + (ptrdiff_t)first * TILE_LANES)), m0);
        m1 = larger(vabsq_f64(vld1q_f64(lanes + ((ptrdiff_t)first + 1) * TILE_LANES)), m1);
    }
    if (first < end)
        m0 = larger(vabsq_f64(vld1q_f64(lanes + (ptrdiff_t)first * TILE_LANES)), m0);
    return larger(m0, m1);
}

static bool any_lane(uint64x2_t mask)
{
    return (vgetq_lane_u64(mask, 0) | vgetq_lane_u64(mask, 1)) != 0;
}

static bool all_lanes(uint64x2_t mask)
{
    return (vgetq_lane_u64(mask, 0) & vgetq_lane_u64(mask, 1)) != 0;
}

static bool may_pass(float64x2_t reach, double gain, float64x2_t maximum)
{
    const float64x2_t bound = vfmaq_f64(vdupq_n_f64(TRUE_PEAK_SLACK), reach, vdupq_n_f64(gain));
    const uint64x2_t passing = vandq_u64(vcgtq_f64(bound, maximum), vcgtq_f64(reach, vdupq_n_f64(0.0)));
    return any_lane(vorrq_u64(passing, vcgtq_f64(reach, vdupq_n_f64(TRUE_PEAK_PRUNE_MAX))));
}

/*
 * What the true peaks of two lanes in a whole block cannot pass, of frames before and in it that do not pass reach. Two
 * frames abreast. A NaN makes the bound one, which holds nothing back.
 */
static float64x2_t sieve(const double *first_frame, float64x2_t reach)
{
    enum { BEHIND = 2 * TRUE_PEAK_HALF_TAPS - 1 - TRUE_PEAK_SIEVE_TAPS, AHEAD = TRUE_PEAK_SIEVE_TAPS };
    enum { LINE_FRAMES = BEHIND + TRUE_PEAK_BLOCK_FRAMES - AHEAD };
    float line[LINE_FRAMES * WIDTH];
    for (int i = 0; i < LINE_FRAMES; i++) {
        const float64x2_t frame = vld1q_f64(first_frame + (ptrdiff_t)(i - BEHIND) * TILE_LANES);
        vst1_f32(line + i * WIDTH, vcvt_f32_f64(vaddq_f64(frame, vdupq_n_f64(TRUE_PEAK_SIEVE_NUDGE))));
    }
    float32x4_t maximum = vdupq_n_f32(0.0F);
    for (int frame = 0; frame < TRUE_PEAK_BLOCK_FRAMES; frame += 2) {
        float32x4_t even[2];
        float32x4_t odd[2];
        DSP_UNROLL(3)
        for (int i = 0; i < TRUE_PEAK_SIEVE_TAPS; i++) {
            const int k = TRUE_PEAK_HALF_TAPS - 1 - i;
            const float32x4_t young = vld1q_f32(line + (frame + BEHIND - k) * WIDTH);
            const float32x4_t old = vld1q_f32(line + (frame + BEHIND - (TRUE_PEAK_TAPS - 1 - k)) * WIDTH);
            const float32x4_t sum = vaddq_f32(young, old);
            const float32x4_t difference = vsubq_f32(young, old);
            DSP_UNROLL(2)
            for (int pair = 0; pair < 2; pair++) {
                const float32x4_t even_tap = vdupq_n_f32((float)true_peak_even[pair][k]);
                const float32x4_t odd_tap = vdupq_n_f32((float)true_peak_odd[pair][k]);
                even[pair] = i == 0 ? vmulq_f32(even_tap, sum) : vfmaq_f32(even[pair], even_tap, sum);
                odd[pair] = i == 0 ? vmulq_f32(odd_tap, difference) : vfmaq_f32(odd[pair], odd_tap, difference);
            }
        }
        DSP_UNROLL(2)
        for (int pair = 0; pair < 2; pair++)
            maximum = vmaxq_f32(vaddq_f32(vabsq_f32(even[pair]), vabsq_f32(odd[pair])), maximum);
    }
    const float32x2_t lanes = vmax_f32(vget_low_f32(maximum), vget_high_f32(maximum));
    const float64x2_t middle = vaddq_f64(vcvt_f64_f32(lanes), vdupq_n_f64(TRUE_PEAK_SIEVE_SLACK));
    return vfmaq_f64(middle, reach, vdupq_n_f64(TRUE_PEAK_SIEVE_GAIN));
}

static bool held(float64x2_t bound, float64x2_t reach, float64x2_t maximum)
{
    const uint64x2_t below = vandq_u64(vcleq_f64(bound, maximum), vcleq_f64(reach, vdupq_n_f64(TRUE_PEAK_SIEVE_MAX)));
    return all_lanes(vorrq_u64(below, vceqq_f64(reach, vdupq_n_f64(0.0))));
}

/* block_peaks: of the two lanes, TILE_LANES from block to block, or NULL. */
static float64x2_t true_peak_over_lanes(const double *lanes, uint32_t frame_count, const double *block_peaks,
                                        float64x2_t maximum, double *sample_peak)
{
    float64x2_t loudest = vdupq_n_f64(0.0);
    float64x2_t before = largest(lanes, -TRUE_PEAK_HISTORY, 0);
    for (uint32_t first = 0; first < frame_count; first += TRUE_PEAK_BLOCK_FRAMES) {
        const uint32_t left = frame_count - first;
        const uint32_t end = first + (left < TRUE_PEAK_BLOCK_FRAMES ? left : TRUE_PEAK_BLOCK_FRAMES);
        const float64x2_t here = block_peaks == NULL
                                     ? largest(lanes, (int32_t)first, (int32_t)end)
                                     : vld1q_f64(block_peaks + first / TRUE_PEAK_BLOCK_FRAMES * TILE_LANES);
        const float64x2_t reach = larger(before, here);
        before = here;
        loudest = larger(here, loudest);
        if (!may_pass(reach, TRUE_PEAK_GAIN_MAX, maximum))
            continue;
        if (left >= TRUE_PEAK_BLOCK_FRAMES && held(sieve(lanes + (size_t)first * TILE_LANES, reach), reach, maximum))
            continue;
        for (uint32_t frame = first; frame < end; frame++)
            maximum = true_peak_raise(lanes + (size_t)frame * TILE_LANES, TILE_LANES, maximum);
    }
    vst1q_f64(sample_peak, loudest);
    return maximum;
}

static void true_peak_over(const double *tile, uint32_t frame_count, const double floor[TILE_LANES],
                           const double (*block_peaks)[TILE_LANES], double out_peak[TILE_LANES],
                           double sample_peak[TILE_LANES])
{
    for (uint32_t lane = 0; lane < TILE_LANES; lane += WIDTH)
        vst1q_f64(out_peak + lane,
                  true_peak_over_lanes(tile + lane, frame_count, block_peaks == NULL ? NULL : block_peaks[0] + lane,
                                       vld1q_f64(floor + lane), sample_peak + lane));
}

void peak_neon_fill(dsp_table *table)
{
    table->peak = peak;
    table->true_peak = true_peak;
    table->true_peak_lanes = true_peak_lanes;
    table->true_peak_over = true_peak_over;
    table->true_peak_frames = true_peak_frames;
}
