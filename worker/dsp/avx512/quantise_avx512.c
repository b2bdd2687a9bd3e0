/**
 * Rounding and clamping, four frames at a time.
 *
 * The rounding never lowers a larger sample below a smaller one, so the largest result is the result of the largest
 * sample: only the extremes of the input are tracked, and quantised once at the end. Non-finite and clamped samples
 * are rare; they are counted on a side path.
 */
#include "worker/dsp/dsp_unroll.h"
#include "worker/dsp/dsp_variants.h"

#include <float.h>
#include <immintrin.h>

enum { FRAMES_AT_ONCE = 4 };

typedef struct quantiser {
    __m512d scale;
    __m512d step;
    __m512d low;
    __m512d high;
    __m512d maximum;
    __m512d minimum;
    quantise_result *result;
} quantiser;

/* The three roundings return the lanes they clamped. All three are inlined into a loop of their own. */
typedef __mmask8 rounding(const quantiser *self, __m512d x, __m512d *out);

static inline __attribute__((always_inline)) __mmask8 round_pcm(const quantiser *self, __m512d x, __m512d *out)
{
    /* Adding +0 turns the -0 of a rounded small negative into +0, as the reference has it; clamping keeps it. */
    const __m512d rounded =
        _mm512_roundscale_pd(_mm512_mul_pd(x, self->scale), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    const __m512d clamped = _mm512_min_pd(_mm512_max_pd(rounded, self->low), self->high);
    *out = _mm512_fmadd_pd(clamped, self->step, _mm512_setzero_pd());
    return _mm512_cmp_pd_mask(rounded, clamped, _CMP_NEQ_UQ);
}

static inline __attribute__((always_inline)) __mmask8 round_float(const quantiser *self, __m512d x, __m512d *out)
{
    (void)self;
    *out = _mm512_cvtps_pd(_mm512_cvtpd_ps(x));
    return 0;
}

static inline __attribute__((always_inline)) __mmask8 round_none(const quantiser *self, __m512d x, __m512d *out)
{
    (void)self;
    *out = x;
    return 0;
}

static inline __attribute__((always_inline)) __mmask8 nonfinite(__m512d x)
{
    return _mm512_cmp_pd_mask(_mm512_abs_pd(x), _mm512_set1_pd((double)FLT_MAX), _CMP_NLE_UQ);
}

static void count(uint64_t counts[TILE_LANES], __mmask8 lanes)
{
    const __m512i old = _mm512_loadu_si512(counts);
    _mm512_storeu_si512(counts, _mm512_mask_add_epi64(old, lanes, old, _mm512_set1_epi64(1)));
}

static __attribute__((noinline)) __m512d clear_nonfinite(quantiser *self, __m512d x)
{
    const __mmask8 bad = nonfinite(x);
    count(self->result->nonfinite_count, bad);
    return _mm512_mask_mov_pd(x, bad, _mm512_setzero_pd());
}

static inline __attribute__((always_inline)) void quantise_rows(quantiser *self, double *row, int row_count,
                                                                rounding *round)
{
    __m512d x[FRAMES_AT_ONCE];
    __mmask8 clamped[FRAMES_AT_ONCE];
    unsigned bad = 0;
    unsigned over = 0;
    DSP_UNROLL(4)
    for (int i = 0; i < row_count; i++) {
        x[i] = _mm512_load_pd(row + i * TILE_LANES);
        bad |= nonfinite(x[i]);
    }
    if (__builtin_expect(bad != 0, 0)) {
        DSP_UNROLL(4)
        for (int i = 0; i < row_count; i++) {
            x[i] = clear_nonfinite(self, x[i]);
            _mm512_store_pd(row + i * TILE_LANES, x[i]);
        }
    }
    DSP_UNROLL(4)
    for (int i = 0; i < row_count; i++) {
        self->maximum = _mm512_max_pd(x[i], self->maximum);
        self->minimum = _mm512_min_pd(x[i], self->minimum);
        __m512d out;
        clamped[i] = round(self, x[i], &out);
        over |= clamped[i];
        if (round != round_none)
            _mm512_store_pd(row + i * TILE_LANES, out);
    }
    if (__builtin_expect(over != 0, 0)) {
        DSP_UNROLL(4)
        for (int i = 0; i < row_count; i++)
            count(self->result->overload_count, clamped[i]);
    }
}

static inline __attribute__((always_inline)) void quantise_tile(quantiser *self, double *tile, uint32_t frame_count,
                                                                rounding *round)
{
    uint32_t frame = 0;
    for (; frame + FRAMES_AT_ONCE <= frame_count; frame += FRAMES_AT_ONCE)
        quantise_rows(self, tile + (size_t)frame * TILE_LANES, FRAMES_AT_ONCE, round);
    for (; frame < frame_count; frame++)
        quantise_rows(self, tile + (size_t)frame * TILE_LANES, 1, round);

    quantise_result *result = self->result;
    __m512d top;
    __m512d bottom;
    (void)round(self, self->maximum, &top);
    (void)round(self, self->minimum, &bottom);
    const __m512d mix = _mm512_max_pd(self->maximum, _mm512_abs_pd(self->minimum));
    const __m512d sample = _mm512_max_pd(top, _mm512_abs_pd(bottom));
    _mm512_storeu_pd(result->mix_peak, _mm512_max_pd(mix, _mm512_loadu_pd(result->mix_peak)));
    _mm512_storeu_pd(result->sample_peak, _mm512_max_pd(sample, _mm512_loadu_pd(result->sample_peak)));
}

static void quantise(double *tile, uint32_t frame_count, uint32_t bits, quantise_result *result)
{
    quantiser self = {.maximum = _mm512_setzero_pd(), .minimum = _mm512_setzero_pd(), .result = result};
    if (bits == QUANTISE_MEASURE_ONLY) {
        quantise_tile(&self, tile, frame_count, round_none);
    } else if (bits == QUANTISE_FLOAT_32) {
        quantise_tile(&self, tile, frame_count, round_float);
    } else {
        const double scale = (double)(UINT64_C(1) << (bits - 1));
        self.scale = _mm512_set1_pd(scale);
        self.step = _mm512_set1_pd(1.0 / scale);
        self.low = _mm512_set1_pd(-scale);
        self.high = _mm512_set1_pd(scale - 1.0);
        quantise_tile(&self, tile, frame_count, round_pcm);
    }
}

void quantise_avx512_fill(dsp_table *table)
{
    table->quantise = quantise;
}
