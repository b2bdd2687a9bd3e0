/** Peaks, one frame of eight lanes per register; single lanes are turned so that a register holds eight frames. */
#include "worker/dsp/dsp_unroll.h"
#include "worker/dsp/dsp_variants.h"
#include "worker/dsp/true_peak_taps.h"

#include <immintrin.h>
#include <stdbool.h>

/* max_pd gives its second operand when either is NaN: a NaN candidate is passed over, as in the reference. */
static __m512d larger(__m512d candidate, __m512d maximum)
{
    return _mm512_max_pd(candidate, maximum);
}

static void peak(const double *tile, uint32_t frame_count, double out_peak[TILE_LANES])
{
    __m512d m0 = _mm512_setzero_pd();
    __m512d m1 = m0;
    __m512d m2 = m0;
    __m512d m3 = m0;
    uint32_t frame = 0;
    for (; frame + 4 <= frame_count; frame += 4) {
        const double *row = tile + (size_t)frame * TILE_LANES;
        m0 = larger(_mm512_abs_pd(_mm512_loadu_pd(row)), m0);
        m1 = larger(_mm512_abs_pd(_mm512_loadu_pd(row + 8)), m1);
        m2 = larger(_mm512_abs_pd(_mm512_loadu_pd(row + 16)), m2);
        m3 = larger(_mm512_abs_pd(_mm512_loadu_pd(row + 24)), m3);
    }
    for (; frame < frame_count; frame++)
        m0 = larger(_mm512_abs_pd(_mm512_loadu_pd(tile + (size_t)frame * TILE_LANES)), m0);
    _mm512_storeu_pd(out_peak, larger(larger(m0, m1), larger(m2, m3)));
}

/* |E| + |O| of one phase pair; stride is the distance between a sample and the one before it. */
static inline __attribute__((always_inline)) __m512d true_peak_pair(const double *newest, ptrdiff_t stride, int pair)
{
    __m512d even = _mm512_setzero_pd();
    __m512d odd = even;
    DSP_UNROLL(6)
    for (int k = 0; k < TRUE_PEAK_HALF_TAPS; k++) {
        const __m512d young = _mm512_loadu_pd(newest - k * stride);
        const __m512d old = _mm512_loadu_pd(newest - (TRUE_PEAK_TAPS - 1 - k) * stride);
        const __m512d sum = _mm512_add_pd(young, old);
        const __m512d difference = _mm512_sub_pd(young, old);
        const __m512d even_tap = _mm512_set1_pd(true_peak_even[pair][k]);
        const __m512d odd_tap = _mm512_set1_pd(true_peak_odd[pair][k]);
        even = k == 0 ? _mm512_mul_pd(even_tap, sum) : _mm512_fmadd_pd(even_tap, sum, even);
        odd = k == 0 ? _mm512_mul_pd(odd_tap, difference) : _mm512_fmadd_pd(odd_tap, difference, odd);
    }
    return _mm512_add_pd(_mm512_abs_pd(even), _mm512_abs_pd(odd));
}

/* Both pairs at once: the sums and differences are shared. */
static inline __attribute__((always_inline)) void true_peak_pairs(const double *newest, ptrdiff_t stride,
                                                                  __m512d out_pair[2])
{
    __m512d even[2];
    __m512d odd[2];
    DSP_UNROLL(6)
    for (int k = 0; k < TRUE_PEAK_HALF_TAPS; k++) {
        const __m512d young = _mm512_loadu_pd(newest - k * stride);
        const __m512d old = _mm512_loadu_pd(newest - (TRUE_PEAK_TAPS - 1 - k) * stride);
        const __m512d sum = _mm512_add_pd(young, old);
        const __m512d difference = _mm512_sub_pd(young, old);
        DSP_UNROLL(2)
        for (int pair = 0; pair < 2; pair++) {
            const __m512d even_tap = _mm512_set1_pd(true_peak_even[pair][k]);
            const __m512d odd_tap = _mm512_set1_pd(true_peak_odd[pair][k]);
            even[pair] = k == 0 ? _mm512_mul_pd(even_tap, sum) : _mm512_fmadd_pd(even_tap, sum, even[pair]);
            odd[pair] = k == 0 ? _mm512_mul_pd(odd_tap, difference) : _mm512_fmadd_pd(odd_tap, difference, odd[pair]);
        }
    }
    out_pair[0] = _mm512_add_pd(_mm512_abs_pd(even[0]), _mm512_abs_pd(odd[0]));
    out_pair[1] = _mm512_add_pd(_mm512_abs_pd(even[1]), _mm512_abs_pd(odd[1]));
}

static void true_peak(const double *tile, uint32_t frame_count, double out_peak[TILE_LANES])
{
    __m512d maximum = _mm512_setzero_pd();
    for (uint32_t frame = 0; frame < frame_count; frame++) {
        __m512d pair[2];
        true_peak_pairs(tile + (size_t)frame * TILE_LANES, TILE_LANES, pair);
        maximum = larger(pair[1], larger(pair[0], maximum));
    }
    _mm512_storeu_pd(out_peak, maximum);
}

static void true_peak_frames(const double *tile, uint32_t frame_count, double *out_frames)
{
    for (uint32_t frame = 0; frame < frame_count; frame++) {
        __m512d pair[2];
        true_peak_pairs(tile + (size_t)frame * TILE_LANES, TILE_LANES, pair);
        _mm512_store_pd(out_frames + (size_t)frame * TILE_LANES,
                        larger(pair[1], larger(pair[0], _mm512_setzero_pd())));
    }
}

/* Largest magnitude of the frames first .. end - 1, counted from the tile's first (negative: history). */
static __m512d largest(const double *tile, int32_t first, int32_t end)
{
    __m512d m0 = _mm512_setzero_pd();
    __m512d m1 = m0;
    for (; first + 2 <= end; first += 2) {
        m0 = larger(_mm512_abs_pd(_mm512_loadu_pd(tile + (ptrdiff_t)first * TILE_LANES)), m0);
        m1 = larger(_mm512_abs_pd(_mm512_loadu_pd(tile + ((ptrdiff_t)first + 1) * TILE_LANES)), m1);
    }
    if (first < end)
        m0 = larger(_mm512_abs_pd(_mm512_loadu_pd(tile + (ptrdiff_t)first * TILE_LANES)), m0);
    return larger(m0, m1);
}

static bool may_pass(__m512d reach, double gain, __m512d maximum)
{
    const __m512d bound = _mm512_fmadd_pd(reach, _mm512_set1_pd(gain), _mm512_set1_pd(TRUE_PEAK_SLACK));
    const __mmask8 passing = _mm512_cmp_pd_mask(bound, maximum, _CMP_GT_OQ);
    const __mmask8 sounding = _mm512_cmp_pd_mask(reach, _mm512_setzero_pd(), _CMP_GT_OQ);
    const __mmask8 huge = _mm512_cmp_pd_mask(reach, _mm512_set1_pd(TRUE_PEAK_PRUNE_MAX), _CMP_GT_OQ);
    return ((passing & sounding) | huge) != 0;
}

/*
 * What the true peaks of a whole block cannot pass, of frames before and in it that do not pass reach. Two frames abreast;
 * pair 0 is left out where it cannot matter.
 */
static inline __attribute__((always_inline)) __m512d sieve(const double *first_frame, __m512d reach, const int first_pair)
{
    enum { BEHIND = 2 * TRUE_PEAK_HALF_TAPS - 1 - TRUE_PEAK_SIEVE_TAPS, AHEAD = TRUE_PEAK_SIEVE_TAPS };
    enum { LINE_FRAMES = BEHIND + TRUE_PEAK_BLOCK_FRAMES - AHEAD };
    __m256 line[LINE_FRAMES];
    DSP_UNROLL(21)
    for (int i = 0; i < LINE_FRAMES; i++) {
        const __m512d frame = _mm512_loadu_pd(first_frame + (ptrdiff_t)(i - BEHIND) * TILE_LANES);
        line[i] = _mm512_cvtpd_ps(_mm512_add_pd(frame, _mm512_set1_pd(TRUE_PEAK_SIEVE_NUDGE)));
    }
    __m512 two[LINE_FRAMES - 1];
    DSP_UNROLL(20)
    for (int i = 0; i < LINE_FRAMES - 1; i++)
        two[i] = _mm512_insertf32x8(_mm512_castps256_ps512(line[i]), line[i + 1], 1);
    __m512 maximum = _mm512_setzero_ps();
    DSP_UNROLL(8)
    for (int frame = 0; frame < TRUE_PEAK_BLOCK_FRAMES; frame += 2) {
        __m512 even[2];
        __m512 odd[2];
        DSP_UNROLL(3)
        for (int i = 0; i < TRUE_PEAK_SIEVE_TAPS; i++) {
            const int k = TRUE_PEAK_HALF_TAPS - 1 - i;
            const __m512 young = two[frame + BEHIND - k];
            const __m512 old = two[frame + BEHIND - (TRUE_PEAK_TAPS - 1 - k)];
            const __m512 sum = _mm512_add_ps(young, old);
            const __m512 difference = _mm512_sub_ps(young, old);
            DSP_UNROLL(2)
            for (int pair = first_pair; pair < 2; pair++) {
                const __m512 even_tap = _mm512_set1_ps((float)true_peak_even[pair][k]);
                const __m512 odd_tap = _mm512_set1_ps((float)true_peak_odd[pair][k]);
                even[pair] = i == 0 ? _mm512_mul_ps(even_tap, sum) : _mm512_fmadd_ps(even_tap, sum, even[pair]);
                odd[pair] = i == 0 ? _mm512_mul_ps(odd_tap, difference) : _mm512_fmadd_ps(odd_tap, difference, odd[pair]);
            }
        }
        DSP_UNROLL(2)
        for (int pair = first_pair; pair < 2; pair++)
            maximum = _mm512_max_ps(_mm512_add_ps(_mm512_abs_ps(even[pair]), _mm512_abs_ps(odd[pair])), maximum);
    }
    const __m256 lanes = _mm256_max_ps(_mm512_castps512_ps256(maximum), _mm512_extractf32x8_ps(maximum, 1));
    const __m512d middle = _mm512_add_pd(_mm512_cvtps_pd(lanes), _mm512_set1_pd(TRUE_PEAK_SIEVE_SLACK));
    return _mm512_fmadd_pd(reach, _mm512_set1_pd(TRUE_PEAK_SIEVE_GAIN), middle);
}

static bool held(__m512d bound, __m512d reach, __m512d maximum)
{
    const __mmask8 below = _mm512_cmp_pd_mask(bound, maximum, _CMP_LE_OQ);
    const __mmask8 sane = _mm512_cmp_pd_mask(reach, _mm512_set1_pd(TRUE_PEAK_SIEVE_MAX), _CMP_LE_OQ);
    const __mmask8 silent = _mm512_cmp_pd_mask(reach, _mm512_setzero_pd(), _CMP_EQ_OQ);
    return ((below & sane) | silent) == 0xFF;
}

static void true_peak_over(const double *tile, uint32_t frame_count, const double floor[TILE_LANES],
                           double out_peak[TILE_LANES], double sample_peak[TILE_LANES])
{
    __m512d maximum = _mm512_loadu_pd(floor);
    __m512d loudest = _mm512_setzero_pd();
    __m512d before = largest(tile, -TRUE_PEAK_HISTORY, 0);
    for (uint32_t first = 0; first < frame_count; first += TRUE_PEAK_BLOCK_FRAMES) {
        const uint32_t left = frame_count - first;
        const uint32_t end = first + (left < TRUE_PEAK_BLOCK_FRAMES ? left : TRUE_PEAK_BLOCK_FRAMES);
        const __m512d here = largest(tile, (int32_t)first, (int32_t)end);
        const __m512d reach = larger(before, here);
        before = here;
        loudest = larger(here, loudest);
        if (!may_pass(reach, TRUE_PEAK_GAIN_MAX, maximum))
            continue;
        const double *first_frame = tile + (size_t)first * TILE_LANES;
        const bool whole = left >= TRUE_PEAK_BLOCK_FRAMES;
        if (!may_pass(reach, TRUE_PEAK_OUTER_GAIN_MAX, maximum)) {
            if (whole && held(sieve(first_frame, reach, 1), reach, maximum))
                continue;
            for (uint32_t frame = first; frame < end; frame++)
                maximum = larger(true_peak_pair(tile + (size_t)frame * TILE_LANES, TILE_LANES, 1), maximum);
            continue;
        }
        if (whole && held(sieve(first_frame, reach, 0), reach, maximum))
            continue;
        for (uint32_t frame = first; frame < end; frame++) {
            __m512d pair[2];
            true_peak_pairs(tile + (size_t)frame * TILE_LANES, TILE_LANES, pair);
            maximum = larger(pair[1], larger(pair[0], maximum));
        }
    }
    _mm512_storeu_pd(out_peak, maximum);
    _mm512_storeu_pd(sample_peak, loudest);
}

/* One lane over at most TILE_FRAMES_MAX frames, eight frames abreast. */
static double true_peak_lane(const double *lane, uint32_t frame_count)
{
    double line[TRUE_PEAK_HISTORY + TILE_FRAMES_MAX + 8];
    const uint32_t sample_count = TRUE_PEAK_HISTORY + frame_count;
    const double *sample = lane - TRUE_PEAK_HISTORY * TILE_LANES;
    for (uint32_t i = 0; i < sample_count; i++)
        line[i] = sample[(size_t)i * TILE_LANES];
    for (uint32_t i = sample_count; i < sample_count + 8; i++)
        line[i] = 0.0;
    __m512d maximum = _mm512_setzero_pd();
    for (uint32_t frame = 0; frame < frame_count; frame += 8) {
        __m512d pair[2];
        true_peak_pairs(line + TRUE_PEAK_HISTORY + frame, 1, pair);
        const uint32_t left = frame_count - frame;
        const __mmask8 valid = (__mmask8)(left >= 8 ? 0xFFu : (1u << left) - 1u);
        maximum = _mm512_mask_max_pd(maximum, valid, pair[0], maximum);
        maximum = _mm512_mask_max_pd(maximum, valid, pair[1], maximum);
    }
    return _mm512_reduce_max_pd(maximum);
}

static void true_peak_lanes(const double *tile, uint32_t frame_count, uint32_t lane_mask, double out_peak[TILE_LANES])
{
    enum { SINGLE_LANES_MAX = 4 }; /* from five lanes on all eight at once are quicker (check_kernels --bench) */
    if (__builtin_popcount(lane_mask & 0xFF) > SINGLE_LANES_MAX || frame_count > TILE_FRAMES_MAX) {
        double all[TILE_LANES];
        true_peak(tile, frame_count, all);
        _mm512_mask_storeu_pd(out_peak, (__mmask8)lane_mask, _mm512_loadu_pd(all));
        return;
    }
    for (uint32_t lane = 0; lane < TILE_LANES; lane++) {
        if (lane_mask >> lane & 1)
            out_peak[lane] = true_peak_lane(tile + lane, frame_count);
    }
}

void peak_avx512_fill(dsp_table *table)
{
    table->peak = peak;
    table->true_peak = true_peak;
    table->true_peak_lanes = true_peak_lanes;
    table->true_peak_over = true_peak_over;
    table->true_peak_frames = true_peak_frames;
}
