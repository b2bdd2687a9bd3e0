/**
 * Rounding and clamping, two lanes a register, as avx512/quantise_avx512.c: the extremes of the input are tracked and
 * quantised once at the end (rounding keeps order); non-finite and clamped samples are counted on a side path.
 */
#include "worker/dsp/dsp_unroll.h"
#include "worker/dsp/dsp_variants.h"

#include <arm_neon.h>
#include <float.h>
#include <stdbool.h>

enum { WIDTH = 2, GROUPS = TILE_LANES / WIDTH };

typedef struct quantiser {
    float64x2_t scale;
    float64x2_t step;
    float64x2_t low;
    float64x2_t high;
    quantise_result *result;
} quantiser;

/* The three roundings return all ones in the lanes they clamped. All three are inlined into a loop of their own. */
typedef uint64x2_t rounding(const quantiser *self, float64x2_t x, float64x2_t *out);

/* Comparing and choosing, not fmin and fmax: zeros and NaN then behave as in the reference. */
static inline __attribute__((always_inline)) float64x2_t clamp(float64x2_t x, float64x2_t low, float64x2_t high)
{
    x = vbslq_f64(vcltq_f64(x, low), low, x);
    return vbslq_f64(vcgtq_f64(x, high), high, x);
}

static inline __attribute__((always_inline)) uint64x2_t unequal(float64x2_t a, float64x2_t b)
{
    return vreinterpretq_u64_u32(vmvnq_u32(vreinterpretq_u32_u64(vceqq_f64(a, b))));
}

static inline __attribute__((always_inline)) uint64x2_t round_pcm(const quantiser *self, float64x2_t x,
                                                                  float64x2_t *out)
{
    const float64x2_t rounded = vrndnq_f64(vmulq_f64(x, self->scale));
    const float64x2_t clamped = clamp(rounded, self->low, self->high);
    *out = vfmaq_f64(vdupq_n_f64(0.0), clamped, self->step); /* + 0: never -0, as the reference has it */
    return unequal(rounded, clamped);
}

static inline __attribute__((always_inline)) uint64x2_t round_float(const quantiser *self, float64x2_t x,
                                                                    float64x2_t *out)
{
    (void)self;
    *out = vcvt_f64_f32(vcvt_f32_f64(x));
    return vdupq_n_u64(0);
}

static inline __attribute__((always_inline)) uint64x2_t round_none(const quantiser *self, float64x2_t x,
                                                                   float64x2_t *out)
{
    (void)self;
    *out = x;
    return vdupq_n_u64(0);
}

static inline __attribute__((always_inline)) uint64x2_t nonfinite(float64x2_t x)
{
    return vreinterpretq_u64_u32(
        vmvnq_u32(vreinterpretq_u32_u64(vcleq_f64(vabsq_f64(x), vdupq_n_f64((double)FLT_MAX)))));
}

static inline __attribute__((always_inline)) bool any(uint64x2_t mask)
{
    return vmaxvq_u32(vreinterpretq_u32_u64(mask)) != 0;
}

static void count(uint64_t counts[WIDTH], uint64x2_t lanes)
{
    vst1q_u64(counts, vsubq_u64(vld1q_u64(counts), lanes));
}

static inline __attribute__((always_inline)) void quantise_row(const quantiser *self, double *row, rounding *round,
                                                               float64x2_t maximum[GROUPS],
                                                               float64x2_t minimum[GROUPS])
{
    float64x2_t x[GROUPS];
    uint64x2_t clamped[GROUPS];
    uint64x2_t bad = vdupq_n_u64(0);
    uint64x2_t over = vdupq_n_u64(0);
    DSP_UNROLL(4)
    for (int i = 0; i < GROUPS; i++) {
        x[i] = vld1q_f64(row + i * WIDTH);
        bad = vorrq_u64(bad, nonfinite(x[i]));
    }
    if (__builtin_expect(any(bad), 0)) {
        DSP_UNROLL(4)
        for (int i = 0; i < GROUPS; i++) {
            count(self->result->nonfinite_count + i * WIDTH, nonfinite(x[i]));
            x[i] = vreinterpretq_f64_u64(vbicq_u64(vreinterpretq_u64_f64(x[i]), nonfinite(x[i])));
            vst1q_f64(row + i * WIDTH, x[i]);
        }
    }
    DSP_UNROLL(4)
    for (int i = 0; i < GROUPS; i++) {
        maximum[i] = vbslq_f64(vcgtq_f64(x[i], maximum[i]), x[i], maximum[i]);
        minimum[i] = vbslq_f64(vcltq_f64(x[i], minimum[i]), x[i], minimum[i]);
        float64x2_t out;
        clamped[i] = round(self, x[i], &out);
        over = vorrq_u64(over, clamped[i]);
        if (round != round_none)
            vst1q_f64(row + i * WIDTH, out);
    }
    if (__builtin_expect(any(over), 0)) {
        DSP_UNROLL(4)
        for (int i = 0; i < GROUPS; i++)
            count(self->result->overload_count + i * WIDTH, clamped[i]);
    }
}

static void raise_peak(double peak[WIDTH], float64x2_t top, float64x2_t bottom)
{
    float64x2_t largest = vabsq_f64(bottom);
    largest = vbslq_f64(vcgtq_f64(top, largest), top, largest);
    const float64x2_t old = vld1q_f64(peak);
    vst1q_f64(peak, vbslq_f64(vcgtq_f64(largest, old), largest, old));
}

static inline __attribute__((always_inline)) void quantise_tile(const quantiser *self, double *tile,
                                                                uint32_t frame_count, rounding *round)
{
    float64x2_t maximum[GROUPS];
    float64x2_t minimum[GROUPS];
    DSP_UNROLL(4)
    for (int i = 0; i < GROUPS; i++)
        maximum[i] = minimum[i] = vdupq_n_f64(0.0);
    for (uint32_t frame = 0; frame < frame_count; frame++)
        quantise_row(self, tile + (size_t)frame * TILE_LANES, round, maximum, minimum);
    DSP_UNROLL(4)
    for (int i = 0; i < GROUPS; i++) {
        float64x2_t top;
        float64x2_t bottom;
        (void)round(self, maximum[i], &top);
        (void)round(self, minimum[i], &bottom);
        raise_peak(self->result->mix_peak + i * WIDTH, maximum[i], minimum[i]);
        raise_peak(self->result->sample_peak + i * WIDTH, top, bottom);
    }
}

static void quantise(double *tile, uint32_t frame_count, uint32_t bits, quantise_result *result)
{
    quantiser self = {.result = result};
    if (bits == QUANTISE_MEASURE_ONLY) {
        quantise_tile(&self, tile, frame_count, round_none);
    } else if (bits == QUANTISE_FLOAT_32) {
        quantise_tile(&self, tile, frame_count, round_float);
    } else {
        const double scale = (double)(UINT64_C(1) << (bits - 1));
        self.scale = vdupq_n_f64(scale);
        self.step = vdupq_n_f64(1.0 / scale);
        self.low = vdupq_n_f64(-scale);
        self.high = vdupq_n_f64(scale - 1.0);
        quantise_tile(&self, tile, frame_count, round_pcm);
    }
}

void quantise_neon_fill(dsp_table *table)
{
    table->quantise = quantise;
}
