/** Peaks, one frame of eight lanes per register; single lanes are turned so that a register holds eight frames. */
#include "worker/dsp/dsp_unroll.h"
#include "worker/dsp/dsp_variants.h"
#include "worker/dsp/true_peak_taps.h"

#include <immintrin.h>
#include <math.h>
#include <stdbool.h>

enum {
    SIEVE_FRAMES = 64, /* that are turned to single precision at once: they stay near */
    HALF_BLOCK = TRUE_PEAK_BLOCK_FRAMES / 2,
    SIEVE_BEHIND = TRUE_PEAK_HALF_TAPS + TRUE_PEAK_SIEVE_TAPS - 1 /* frames before one that its middle taps reach */
};

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

/* ---- the sieve: samples one behind the other in single precision, of six lanes or all eight, so that few are idle ---- */

static __m512 two_frames(const double *first)
{
    const __m512d nudge = _mm512_set1_pd(TRUE_PEAK_SIEVE_NUDGE);
    const __m256 one = _mm512_cvtpd_ps(_mm512_add_pd(_mm512_loadu_pd(first), nudge));
    const __m256 other = _mm512_cvtpd_ps(_mm512_add_pd(_mm512_loadu_pd(first + TILE_LANES), nudge));
    return _mm512_insertf32x8(_mm512_castps256_ps512(one), other, 1);
}

/* Eight frames at a time. */
static inline __attribute__((always_inline)) void flatten(const double *first, uint32_t frame_count, const int stride, float *out)
{
    for (uint32_t i = 0; i < frame_count; i += 8, first += 8 * TILE_LANES, out += 8 * stride) {
        const __m512 frames[4] = {two_frames(first), two_frames(first + 2 * TILE_LANES), two_frames(first + 4 * TILE_LANES),
                                  two_frames(first + 6 * TILE_LANES)};
        if (stride == 8) {
            for (int pair = 0; pair < 4; pair++)
                _mm512_store_ps(out + 16 * pair, frames[pair]);
            continue;
        }
        /* Of a register's six and six samples those that are left, then the next register's. */
        const __m512i a = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13, 16, 17, 18, 19);
        const __m512i b = _mm512_setr_epi32(4, 5, 8, 9, 10, 11, 12, 13, 16, 17, 18, 19, 20, 21, 24, 25);
        const __m512i c = _mm512_setr_epi32(10, 11, 12, 13, 16, 17, 18, 19, 20, 21, 24, 25, 26, 27, 28, 29);
        _mm512_store_ps(out, _mm512_permutex2var_ps(frames[0], a, frames[1]));
        _mm512_store_ps(out + 16, _mm512_permutex2var_ps(frames[1], b, frames[2]));
        _mm512_store_ps(out + 32, _mm512_permutex2var_ps(frames[2], c, frames[3]));
    }
}

/*
 * The samples k frames before those from `newest` on; row holds what is before them. Of six lanes nearly every load would go over
 * the edge of two lines of the cache, which costs more than turning what is in registers; of eight every other one.
 */
static inline __attribute__((always_inline)) __m512 earlier(const float *newest, const __m512 *row, const int k, const int stride)
{
    if (stride == 8)
        return _mm512_loadu_ps(newest - k * stride);
    const int offset = (SIEVE_BEHIND - k) * stride;
    const __m512i near = _mm512_castps_si512(row[offset / 16]);
    const __m512i far = _mm512_castps_si512(row[offset / 16 + 1]);
    switch (offset % 16) {
    case 2:
        return _mm512_castsi512_ps(_mm512_alignr_epi32(far, near, 2));
    case 6:
        return _mm512_castsi512_ps(_mm512_alignr_epi32(far, near, 6));
    case 8:
        return _mm512_castsi512_ps(_mm512_alignr_epi32(far, near, 8));
    case 12:
        return _mm512_castsi512_ps(_mm512_alignr_epi32(far, near, 12));
    case 14:
        return _mm512_castsi512_ps(_mm512_alignr_epi32(far, near, 14));
    default:
        return row[offset / 16];
    }
}

/* The largest sums of the middle taps in eight frames: of three registers, behind which the lanes begin anew. */
static inline __attribute__((always_inline)) void middle(const float *first, const int stride, const int first_pair, __m512 most[3])
{
    most[0] = most[1] = most[2] = _mm512_setzero_ps();
    __m512 row[8];
    DSP_UNROLL(8)
    for (int i = 0; i < stride - 1; i++)
        row[i] = _mm512_load_ps(first + 16 * i - SIEVE_BEHIND * stride);
    DSP_UNROLL(4)
    for (int i = 0; i < stride / 2; i++) {
        __m512 even[2];
        __m512 odd[2];
        DSP_UNROLL(3)
        for (int tap = 0; tap < TRUE_PEAK_SIEVE_TAPS; tap++) {
            const int k = TRUE_PEAK_HALF_TAPS - 1 - tap;
            const __m512 young = earlier(first + 16 * i, row + i, k, stride);
            const __m512 old = earlier(first + 16 * i, row + i, TRUE_PEAK_TAPS - 1 - k, stride);
            const __m512 sum = _mm512_add_ps(young, old);
            const __m512 difference = _mm512_sub_ps(young, old);
            DSP_UNROLL(2)
            for (int pair = first_pair; pair < 2; pair++) {
                const __m512 even_tap = _mm512_set1_ps((float)true_peak_even[pair][k]);
                const __m512 odd_tap = _mm512_set1_ps((float)true_peak_odd[pair][k]);
                even[pair] = tap == 0 ? _mm512_mul_ps(even_tap, sum) : _mm512_fmadd_ps(even_tap, sum, even[pair]);
                odd[pair] = tap == 0 ? _mm512_mul_ps(odd_tap, difference) : _mm512_fmadd_ps(odd_tap, difference, odd[pair]);
            }
        }
        DSP_UNROLL(2)
        for (int pair = first_pair; pair < 2; pair++)
            most[i % 3] = _mm512_max_ps(_mm512_add_ps(_mm512_abs_ps(even[pair]), _mm512_abs_ps(odd[pair])), most[i % 3]);
    }
}

/* What the middle taps may reach in a block whose samples do not pass reach. */
static __m512 middle_bound(__m512d reach, __m512d maximum)
{
    const __m512d outer = _mm512_fmadd_pd(reach, _mm512_set1_pd(TRUE_PEAK_SIEVE_GAIN), _mm512_set1_pd(TRUE_PEAK_SIEVE_SLACK));
    const __mmask8 sounding = _mm512_cmp_pd_mask(reach, _mm512_setzero_pd(), _CMP_NEQ_OQ);
    const __m512d bound = _mm512_mask_sub_pd(_mm512_set1_pd((double)INFINITY), sounding, maximum, outer);
    return _mm512_castps256_ps512(_mm512_cvt_roundpd_ps(bound, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC));
}

typedef struct sieve_block {
    __m512d reach;    /* what no sample in it and before it passes */
    uint8_t pairs[2]; /* of each half that may raise a maximum: 0, 1 (the inner one), 2 */
} sieve_block;

/* Takes the pairs from those halves of blocks whose middle taps keep to their bounds. */
static inline __attribute__((always_inline)) void sieve(const float *line, const int stride, sieve_block *blocks, uint32_t count,
                                                        __m512d maximum)
{
    for (uint32_t b = 0; b < count; b++) {
        sieve_block *block = &blocks[b];
        const bool sane = _mm512_cmp_pd_mask(block->reach, _mm512_set1_pd(TRUE_PEAK_SIEVE_MAX), _CMP_LE_OQ) == 0xFF;
        if (block->pairs[0] == 0 || !sane)
            continue;
        const __m512 lanes = middle_bound(block->reach, maximum);
        __m512 bounds[3];
#define LANE(sample) ((16 * i + (sample)) % stride)
        DSP_UNROLL(3)
        for (int i = 0; i < 3; i++)
            bounds[i] = _mm512_permutexvar_ps(
                _mm512_setr_epi32(LANE(0), LANE(1), LANE(2), LANE(3), LANE(4), LANE(5), LANE(6), LANE(7), LANE(8), LANE(9),
                                  LANE(10), LANE(11), LANE(12), LANE(13), LANE(14), LANE(15)), lanes);
#undef LANE
        for (uint32_t half = 0; half < 2; half++) {
            const uint32_t frame = b * TRUE_PEAK_BLOCK_FRAMES + half * HALF_BLOCK + SIEVE_BEHIND;
            const float *first = line + (size_t)frame * (size_t)stride;
            __m512 most[3];
            if (block->pairs[half] == 1)
                middle(first, stride, 1, most);
            else
                middle(first, stride, 0, most);
            const __mmask16 over = _mm512_cmp_ps_mask(most[0], bounds[0], _CMP_GT_OQ) |
                                   _mm512_cmp_ps_mask(most[1], bounds[1], _CMP_GT_OQ) |
                                   _mm512_cmp_ps_mask(most[2], bounds[2], _CMP_GT_OQ);
            if (over == 0)
                block->pairs[half] = 0;
        }
    }
}

static __attribute__((noinline)) void sieve_six(const double *tile, sieve_block *blocks, uint32_t count, __m512d maximum)
{
    _Alignas(64) float line[(SIEVE_BEHIND + SIEVE_FRAMES) * 6];
    flatten(tile - SIEVE_BEHIND * TILE_LANES, SIEVE_BEHIND + count * TRUE_PEAK_BLOCK_FRAMES, 6, line);
    sieve(line, 6, blocks, count, maximum);
}

static __attribute__((noinline)) void sieve_eight(const double *tile, sieve_block *blocks, uint32_t count, __m512d maximum)
{
    _Alignas(64) float line[(SIEVE_BEHIND + SIEVE_FRAMES) * 8];
    flatten(tile - SIEVE_BEHIND * TILE_LANES, SIEVE_BEHIND + count * TRUE_PEAK_BLOCK_FRAMES, 8, line);
    sieve(line, 8, blocks, count, maximum);
}

/* Functions of their own, so that no sum of theirs has to leave its register. */
static __attribute__((noinline)) __m512d fir_both(const double *newest, uint32_t frame_count, __m512d maximum)
{
    for (uint32_t i = 0; i < frame_count; i++, newest += TILE_LANES) {
        __m512d pair[2];
        true_peak_pairs(newest, TILE_LANES, pair);
        maximum = larger(pair[1], larger(pair[0], maximum));
    }
    return maximum;
}

static __attribute__((noinline)) __m512d fir_inner(const double *newest, uint32_t frame_count, __m512d maximum)
{
    for (uint32_t i = 0; i < frame_count; i++, newest += TILE_LANES)
        maximum = larger(true_peak_pair(newest, TILE_LANES, 1), maximum);
    return maximum;
}

/* At most SIEVE_FRAMES. before: the largest of the frames ahead of them. block_peaks: of them, or NULL. */
static __m512d true_peak_over_some(const double *tile, uint32_t frame_count, const double (*block_peaks)[TILE_LANES],
                                   __m512d *before, __m512d *loudest, __m512d maximum)
{
    sieve_block blocks[SIEVE_FRAMES / TRUE_PEAK_BLOCK_FRAMES];
    __m512d all = *before;
    uint32_t pairs = 0;
    for (uint32_t first = 0; first < frame_count; first += TRUE_PEAK_BLOCK_FRAMES) {
        const uint32_t left = frame_count - first;
        const uint32_t end = first + (left < TRUE_PEAK_BLOCK_FRAMES ? left : TRUE_PEAK_BLOCK_FRAMES);
        const __m512d here = block_peaks == NULL ? largest(tile, (int32_t)first, (int32_t)end)
                                                 : _mm512_loadu_pd(block_peaks[first / TRUE_PEAK_BLOCK_FRAMES]);
        sieve_block *block = &blocks[first / TRUE_PEAK_BLOCK_FRAMES];
        block->reach = larger(*before, here);
        block->pairs[0] = block->pairs[1] =
            may_pass(block->reach, TRUE_PEAK_GAIN_MAX, maximum) + may_pass(block->reach, TRUE_PEAK_OUTER_GAIN_MAX, maximum);
        pairs += block->pairs[0];
        *before = here;
        *loudest = larger(here, *loudest);
        all = larger(here, all);
    }
    if (pairs == 0)
        return maximum;
    const bool six = _mm512_cmp_pd_mask(all, _mm512_setzero_pd(), _CMP_GT_OQ) < 1 << 6;
    (six ? sieve_six : sieve_eight)(tile, blocks, frame_count / TRUE_PEAK_BLOCK_FRAMES, maximum);
    for (uint32_t first = 0; first < frame_count; first += HALF_BLOCK) {
        const uint32_t left = frame_count - first;
        const uint32_t count = left < HALF_BLOCK ? left : HALF_BLOCK;
        const double *newest = tile + (size_t)first * TILE_LANES;
        const uint8_t may = blocks[first / TRUE_PEAK_BLOCK_FRAMES].pairs[first / HALF_BLOCK % 2];
        if (may == 1)
            maximum = fir_inner(newest, count, maximum);
        else if (may == 2)
            maximum = fir_both(newest, count, maximum);
    }
    return maximum;
}

static void true_peak_over(const double *tile, uint32_t frame_count, const double floor[TILE_LANES],
                           const double (*block_peaks)[TILE_LANES], double out_peak[TILE_LANES],
                           double sample_peak[TILE_LANES])
{
    __m512d maximum = _mm512_loadu_pd(floor);
    __m512d loudest = _mm512_setzero_pd();
    __m512d before = largest(tile, -TRUE_PEAK_HISTORY, 0);
    for (uint32_t first = 0; first < frame_count; first += SIEVE_FRAMES) {
        const uint32_t left = frame_count - first;
        maximum = true_peak_over_some(tile + (size_t)first * TILE_LANES, left < SIEVE_FRAMES ? left : SIEVE_FRAMES,
                                      block_peaks == NULL ? NULL : block_peaks + first / TRUE_PEAK_BLOCK_FRAMES, &before,
                                      &loudest, maximum);
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
