/**
 * Rounding and clamping, two frames at a time, as avx512/quantise_avx512.c: the extremes of the input are tracked and
 * quantised once at the end (rounding keeps order); non-finite and clamped samples are counted on a side path.
 */
#include "worker/dsp/dsp_unroll.h"
#include "worker/dsp/dsp_variants.h"

#include <float.h>
#include <immintrin.h>

enum { WIDTH = 4, REGISTERS_PER_FRAME = TILE_LANES / WIDTH, FRAMES_AT_ONCE = 2 };

typedef struct quantiser {
    __m256d scale;
    __m256d step;
    __m256d low;
    __m256d high;
    __m256d maximum[REGISTERS_PER_FRAME];
    __m256d minimum[REGISTERS_PER_FRAME];
    quantise_result *result;
} quantiser;

/* The three roundings return all ones in the lanes they clamped. All three are inlined into a loop of their own. */
typedef __m256d rounding(const quantiser *self, __m256d x, __m256d *out);

static inline __attribute__((always_inline)) __m256d round_pcm(const quantiser *self, __m256d x, __m256d *out)
{
    const __m256d rounded =
        _mm256_round_pd(_mm256_mul_pd(x, self->scale), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    const __m256d clamped = _mm256_min_pd(_mm256_max_pd(rounded, self->low), self->high);
    *out = _mm256_fmadd_pd(clamped, self->step, _mm256_setzero_pd()); /* + 0: never -0, as the reference has it */
    return _mm256_cmp_pd(rounded, clamped, _CMP_NEQ_UQ);
}

static inline __attribute__((always_inline)) __m256d round_float(const quantiser *self, __m256d x, __m256d *out)
{
    (void)self;
    *out = _mm256_cvtps_pd(_mm256_cvtpd_ps(x));
    return _mm256_setzero_pd();
}

static inline __attribute__((always_inline)) __m256d round_none(const quantiser *self, __m256d x, __m256d *out)
{
    (void)self;
    *out = x;
    return _mm256_setzero_pd();
}

static inline __attribute__((always_inline)) __m256d magnitude(__m256d x)
{
    return _mm256_andnot_pd(_mm256_set1_pd(-0.0), x);
}

static inline __attribute__((always_inline)) __m256d nonfinite(__m256d x)
{
    return _mm256_cmp_pd(magnitude(x), _mm256_set1_pd((double)FLT_MAX), _CMP_NLE_UQ);
}

static void count(uint64_t counts[WIDTH], __m256d lanes)
{
    const __m256i old = _mm256_loadu_si256((const void *)counts);
    _mm256_storeu_si256((void *)counts, _mm256_sub_epi64(old, _mm256_castpd_si256(lanes)));
}

static __attribute__((noinline)) __m256d clear_nonfinite(quantise_result *result, uint32_t lane, __m256d x)
{
    const __m256d bad = nonfinite(x);
    count(result->nonfinite_count + lane, bad);
    return _mm256_andnot_pd(bad, x);
}

static inline __attribute__((always_inline)) void quantise_registers(quantiser *self, double *row, int register_count,
                                                                     rounding *round)
{
    __m256d x[REGISTERS_PER_FRAME * FRAMES_AT_ONCE];
    __m256d clamped[REGISTERS_PER_FRAME * FRAMES_AT_ONCE];
    __m256d bad = _mm256_setzero_pd();
    __m256d over = _mm256_setzero_pd();
    DSP_UNROLL(4)
    for (int i = 0; i < register_count; i++) {
        x[i] = _mm256_load_pd(row + i * WIDTH);
        bad = _mm256_or_pd(bad, nonfinite(x[i]));
    }
    if (__builtin_expect(_mm256_movemask_pd(bad) != 0, 0)) {
        DSP_UNROLL(4)
        for (int i = 0; i < register_count; i++) {
            x[i] = clear_nonfinite(self->result, (uint32_t)(i % 2) * WIDTH, x[i]);
            _mm256_store_pd(row + i * WIDTH, x[i]);
        }
    }
    DSP_UNROLL(4)
    for (int i = 0; i < register_count; i++) {
        self->maximum[i % 2] = _mm256_max_pd(x[i], self->maximum[i % 2]);
        self->minimum[i % 2] = _mm256_min_pd(x[i], self->minimum[i % 2]);
        __m256d out;
        clamped[i] = round(self, x[i], &out);
        over = _mm256_or_pd(over, clamped[i]);
        if (round != round_none)
            _mm256_store_pd(row + i * WIDTH, out);
    }
    if (__builtin_expect(_mm256_movemask_pd(over) != 0, 0)) {
        DSP_UNROLL(4)
        for (int i = 0; i < register_count; i++)
            count(self->result->overload_count + i % 2 * WIDTH, clamped[i]);
    }
}

static void raise_peak(double peak[WIDTH], __m256d top, __m256d bottom)
{
    const __m256d largest = _mm256_max_pd(top, magnitude(bottom));
    _mm256_storeu_pd(peak, _mm256_max_pd(largest, _mm256_loadu_pd(peak)));
}

static inline __attribute__((always_inline)) void quantise_tile(quantiser *self, double *tile, uint32_t frame_count,
                                                                rounding *round)
{
    uint32_t frame = 0;
    for (; frame + FRAMES_AT_ONCE <= frame_count; frame += FRAMES_AT_ONCE)
        quantise_registers(self, tile + (size_t)frame * TILE_LANES, REGISTERS_PER_FRAME * FRAMES_AT_ONCE, round);
    if (frame < frame_count)
        quantise_registers(self, tile + (size_t)frame * TILE_LANES, REGISTERS_PER_FRAME, round);
    for (int i = 0; i < REGISTERS_PER_FRAME; i++) {
        __m256d top;
        __m256d bottom;
        (void)round(self, self->maximum[i], &top);
        (void)round(self, self->minimum[i], &bottom);
        raise_peak(self->result->mix_peak + i * WIDTH, self->maximum[i], self->minimum[i]);
        raise_peak(self->result->sample_peak + i * WIDTH, top, bottom);
    }
}

static void quantise(double *tile, uint32_t frame_count, uint32_t bits, quantise_result *result)
{
    const __m256d zero = _mm256_setzero_pd();
    quantiser self = {.maximum = {zero, zero}, .minimum = {zero, zero}, .result = result};
    if (bits == QUANTISE_MEASURE_ONLY) {
        quantise_tile(&self, tile, frame_count, round_none);
    } else if (bits == QUANTISE_FLOAT_32) {
        quantise_tile(&self, tile, frame_count, round_float);
    } else {
        const double scale = (double)(UINT64_C(1) << (bits - 1));
        self.scale = _mm256_set1_pd(scale);
        self.step = _mm256_set1_pd(1.0 / scale);
        self.low = _mm256_set1_pd(-scale);
        self.high = _mm256_set1_pd(scale - 1.0);
        quantise_tile(&self, tile, frame_count, round_pcm);
    }
}

void quantise_avx2_fill(dsp_table *table)
{
    table->quantise = quantise;
}
