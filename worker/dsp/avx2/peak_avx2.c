/** Peaks, a frame of eight lanes in two registers; single lanes are turned so that a register holds four frames. */
#include "worker/dsp/dsp_unroll.h"
#include "worker/dsp/dsp_variants.h"
#include "worker/dsp/true_peak_taps.h"

#include <float.h>
#include <immintrin.h>
#include <stdbool.h>

enum {
    WIDTH = 4,
    SIEVE_FRAMES = 64, /* that are turned to single precision at once: they stay near */
    HALF_BLOCK = TRUE_PEAK_BLOCK_FRAMES / 2,
    SIEVE_BEHIND = TRUE_PEAK_HALF_TAPS + TRUE_PEAK_SIEVE_TAPS - 1 /* frames before one that its middle taps reach */
};

static inline __attribute__((always_inline)) __m256d magnitude(__m256d x)
{
    return _mm256_andnot_pd(_mm256_set1_pd(-0.0), x);
}

/* max_pd gives its second operand when either is NaN: a NaN candidate is passed over, as in the reference. */
static inline __attribute__((always_inline)) __m256d larger(__m256d candidate, __m256d maximum)
{
    return _mm256_max_pd(candidate, maximum);
}

static void peak(const double *tile, uint32_t frame_count, double out_peak[TILE_LANES])
{
    __m256d a0 = _mm256_setzero_pd();
    __m256d b0 = a0;
    __m256d a1 = a0;
    __m256d b1 = a0;
    uint32_t frame = 0;
    for (; frame + 2 <= frame_count; frame += 2) {
        const double *row = tile + (size_t)frame * TILE_LANES;
        a0 = larger(magnitude(_mm256_loadu_pd(row)), a0);
        b0 = larger(magnitude(_mm256_loadu_pd(row + 4)), b0);
        a1 = larger(magnitude(_mm256_loadu_pd(row + 8)), a1);
        b1 = larger(magnitude(_mm256_loadu_pd(row + 12)), b1);
    }
    if (frame < frame_count) {
        a0 = larger(magnitude(_mm256_loadu_pd(tile + (size_t)frame * TILE_LANES)), a0);
        b0 = larger(magnitude(_mm256_loadu_pd(tile + (size_t)frame * TILE_LANES + WIDTH)), b0);
    }
    _mm256_storeu_pd(out_peak, larger(a0, a1));
    _mm256_storeu_pd(out_peak + WIDTH, larger(b0, b1));
}

/* |E| + |O| of one phase pair; stride is the distance between a sample and the one before it. */
static inline __attribute__((always_inline)) __m256d true_peak_pair(const double *newest, ptrdiff_t stride, int pair)
{
    __m256d even = _mm256_setzero_pd();
    __m256d odd = even;
    DSP_UNROLL(6)
    for (int k = 0; k < TRUE_PEAK_HALF_TAPS; k++) {
        const __m256d young = _mm256_loadu_pd(newest - k * stride);
        const __m256d old = _mm256_loadu_pd(newest - (TRUE_PEAK_TAPS - 1 - k) * stride);
        const __m256d sum = _mm256_add_pd(young, old);
        const __m256d difference = _mm256_sub_pd(young, old);
        const __m256d even_tap = _mm256_set1_pd(true_peak_even[pair][k]);
        const __m256d odd_tap = _mm256_set1_pd(true_peak_odd[pair][k]);
        even = k == 0 ? _mm256_mul_pd(even_tap, sum) : _mm256_fmadd_pd(even_tap, sum, even);
        odd = k == 0 ? _mm256_mul_pd(odd_tap, difference) : _mm256_fmadd_pd(odd_tap, difference, odd);
    }
    return _mm256_add_pd(magnitude(even), magnitude(odd));
}

/* Both pairs at once: the sums and differences are shared. */
static inline __attribute__((always_inline)) void true_peak_pairs(const double *newest, ptrdiff_t stride,
                                                                  __m256d out_pair[2])
{
    __m256d even[2];
    __m256d odd[2];
    DSP_UNROLL(6)
    for (int k = 0; k < TRUE_PEAK_HALF_TAPS; k++) {
        const __m256d young = _mm256_loadu_pd(newest - k * stride);
        const __m256d old = _mm256_loadu_pd(newest - (TRUE_PEAK_TAPS - 1 - k) * stride);
        const __m256d sum = _mm256_add_pd(young, old);
        const __m256d difference = _mm256_sub_pd(young, old);
        DSP_UNROLL(2)
        for (int pair = 0; pair < 2; pair++) {
            const __m256d even_tap = _mm256_set1_pd(true_peak_even[pair][k]);
            const __m256d odd_tap = _mm256_set1_pd(true_peak_odd[pair][k]);
            even[pair] = k == 0 ? _mm256_mul_pd(even_tap, sum) : _mm256_fmadd_pd(even_tap, sum, even[pair]);
            odd[pair] = k == 0 ? _mm256_mul_pd(odd_tap, difference) : _mm256_fmadd_pd(odd_tap, difference, odd[pair]);
        }
    }
    out_pair[0] = _mm256_add_pd(magnitude(even[0]), magnitude(odd[0]));
    out_pair[1] = _mm256_add_pd(magnitude(even[1]), magnitude(odd[1]));
}

static void true_peak(const double *tile, uint32_t frame_count, double out_peak[TILE_LANES])
{
    for (uint32_t lane = 0; lane < TILE_LANES; lane += WIDTH) {
        __m256d maximum = _mm256_setzero_pd();
        for (uint32_t frame = 0; frame < frame_count; frame++) {
            __m256d pair[2];
            true_peak_pairs(tile + (size_t)frame * TILE_LANES + lane, TILE_LANES, pair);
            maximum = larger(pair[1], larger(pair[0], maximum));
        }
        _mm256_storeu_pd(out_peak + lane, maximum);
    }
}

static void true_peak_frames(const double *tile, uint32_t frame_count, double *out_frames)
{
    for (size_t at = 0; at < (size_t)frame_count * TILE_LANES; at += WIDTH) {
        __m256d pair[2];
        true_peak_pairs(tile + at, TILE_LANES, pair);
        _mm256_store_pd(out_frames + at, larger(pair[1], larger(pair[0], _mm256_setzero_pd())));
    }
}

/* Largest magnitude of four lanes over the frames first .. end - 1, counted from the tile's first. */
static __m256d largest(const double *lanes, int32_t first, int32_t end)
{
    __m256d m0 = _mm256_setzero_pd();
    __m256d m1 = m0;
    for (; first + 2 <= end; first += 2) {
        m0 = larger(magnitude(_mm256_loadu_pd(lanes + (ptrdiff_t)first * TILE_LANES)), m0);
        m1 = larger(magnitude(_mm256_loadu_pd(lanes + ((ptrdiff_t)first + 1) * TILE_LANES)), m1);
    }
    if (first < end)
        m0 = larger(magnitude(_mm256_loadu_pd(lanes + (ptrdiff_t)first * TILE_LANES)), m0);
    return larger(m0, m1);
}

static bool may_pass(__m256d reach, double gain, __m256d maximum)
{
    const __m256d bound = _mm256_fmadd_pd(reach, _mm256_set1_pd(gain), _mm256_set1_pd(TRUE_PEAK_SLACK));
    const __m256d passing = _mm256_cmp_pd(bound, maximum, _CMP_GT_OQ);
    const __m256d sounding = _mm256_cmp_pd(reach, _mm256_setzero_pd(), _CMP_GT_OQ);
    const __m256d huge = _mm256_cmp_pd(reach, _mm256_set1_pd(TRUE_PEAK_PRUNE_MAX), _CMP_GT_OQ);
    return _mm256_movemask_pd(_mm256_or_pd(_mm256_and_pd(passing, sounding), huge)) != 0;
}

/* ---- the sieve: samples one behind the other in single precision, of six lanes or all eight, so that few are idle ---- */

/*
 * Of eight frames the four first lanes (1) and the others (2) whose middle taps pass the bounds. These are in the order of three
 * registers, behind which the lanes begin anew.
 */
static inline __attribute__((always_inline)) int parts_over(const float *first, const int stride, const int first_pair,
                                                        const __m256 bounds[3])
{
    const __m256 sign = _mm256_set1_ps(-0.0F);
    __m256 most[3] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps()};
    DSP_UNROLL(8)
    for (int i = 0; i < stride; i++) {
        const float *newest = first + 8 * i;
        __m256 even[2];
        __m256 odd[2];
        DSP_UNROLL(3)
        for (int tap = 0; tap < TRUE_PEAK_SIEVE_TAPS; tap++) {
            const int k = TRUE_PEAK_HALF_TAPS - 1 - tap;
            const __m256 young = _mm256_loadu_ps(newest - k * stride);
            const __m256 old = _mm256_loadu_ps(newest - (TRUE_PEAK_TAPS - 1 - k) * stride);
            const __m256 sum = _mm256_add_ps(young, old);
            const __m256 difference = _mm256_sub_ps(young, old);
            DSP_UNROLL(2)
            for (int pair = first_pair; pair < 2; pair++) {
                const __m256 even_tap = _mm256_set1_ps((float)true_peak_even[pair][k]);
                const __m256 odd_tap = _mm256_set1_ps((float)true_peak_odd[pair][k]);
                even[pair] = tap == 0 ? _mm256_mul_ps(even_tap, sum) : _mm256_fmadd_ps(even_tap, sum, even[pair]);
                odd[pair] = tap == 0 ? _mm256_mul_ps(odd_tap, difference) : _mm256_fmadd_ps(odd_tap, difference, odd[pair]);
            }
        }
        DSP_UNROLL(2)
        for (int pair = first_pair; pair < 2; pair++)
            most[i % 3] = _mm256_max_ps(_mm256_add_ps(_mm256_andnot_ps(sign, even[pair]), _mm256_andnot_ps(sign, odd[pair])),
                                        most[i % 3]);
    }
    static const int last_of_six[3] = {0x30, 0x0C, 0xC3};
    int first_lanes = 0;
    int last_lanes = 0;
    DSP_UNROLL(3)
    for (int i = 0; i < 3; i++) {
        const int last = stride == 6 ? last_of_six[i] : 0xF0;
        const int over = _mm256_movemask_ps(_mm256_cmp_ps(most[i], bounds[i], _CMP_GT_OQ));
        first_lanes |= over & ~last;
        last_lanes |= over & last;
    }
    return (first_lanes != 0) | (last_lanes != 0) << 1;
}

/* All lanes, the first four and the last four. */
typedef struct lanes_pair {
    __m256d part[2];
} lanes_pair;

/* What the middle taps of four lanes may reach in a block whose samples do not pass reach; below what double would tell. */
static __m128 middle_bound(__m256d reach, __m256d maximum)
{
    const __m256d outer = _mm256_fmadd_pd(reach, _mm256_set1_pd(TRUE_PEAK_SIEVE_GAIN), _mm256_set1_pd(TRUE_PEAK_SIEVE_SLACK));
    const __m256d silent = _mm256_cmp_pd(reach, _mm256_setzero_pd(), _CMP_EQ_OQ);
    const __m128 bound = _mm256_cvtpd_ps(_mm256_blendv_pd(_mm256_sub_pd(maximum, outer), _mm256_set1_pd((double)FLT_MAX), silent));
    return _mm_fnmadd_ps(_mm_andnot_ps(_mm_set1_ps(-0.0F), bound), _mm_set1_ps(0x1p-22F), bound);
}

typedef struct sieve_block {
    lanes_pair reach; /* what no sample in it and before it passes */
    int pairs;        /* that may raise a maximum: 0, 1 (the inner one), 2 */
    int parts[2];     /* of each half: where they may, 1 the four first lanes, 2 the others */
} sieve_block;

static bool is_sane(const lanes_pair *reach)
{
    const __m256d most = _mm256_max_pd(reach->part[0], reach->part[1]);
    return _mm256_movemask_pd(_mm256_cmp_pd(most, _mm256_set1_pd(TRUE_PEAK_SIEVE_MAX), _CMP_LE_OQ)) == 0xF;
}

/* Takes the parts from those halves of blocks whose middle taps keep to their bounds. */
static inline __attribute__((always_inline)) void sieve(const double *tile, const int stride, sieve_block *blocks,
                                                        uint32_t count, const lanes_pair *maximum)
{
    _Alignas(32) float line[(SIEVE_BEHIND + SIEVE_FRAMES + 1) * TILE_LANES]; /* a frame may be followed by two silent lanes */
    const double *oldest = tile - SIEVE_BEHIND * TILE_LANES;
    const uint32_t frame_count = SIEVE_BEHIND + count * TRUE_PEAK_BLOCK_FRAMES;
    for (uint32_t i = 0; i < frame_count; i++) {
        const __m256d nudge = _mm256_set1_pd(TRUE_PEAK_SIEVE_NUDGE);
        const __m256d first = _mm256_add_pd(_mm256_loadu_pd(oldest + (size_t)i * TILE_LANES), nudge);
        const __m256d last = _mm256_add_pd(_mm256_loadu_pd(oldest + (size_t)i * TILE_LANES + WIDTH), nudge);
        _mm_storeu_ps(line + i * (size_t)stride, _mm256_cvtpd_ps(first));
        _mm_storeu_ps(line + i * (size_t)stride + WIDTH, _mm256_cvtpd_ps(last));
    }
    for (uint32_t b = 0; b < count; b++) {
        sieve_block *block = &blocks[b];
        if (block->pairs == 0 || !is_sane(&block->reach))
            continue;
        const __m256 lanes = _mm256_set_m128(middle_bound(block->reach.part[1], maximum->part[1]),
                                             middle_bound(block->reach.part[0], maximum->part[0]));
        __m256 bounds[3];
#define LANE(sample) ((8 * i + (sample)) % stride)
        DSP_UNROLL(3)
        for (int i = 0; i < 3; i++)
            bounds[i] = _mm256_permutevar8x32_ps(
                lanes, _mm256_setr_epi32(LANE(0), LANE(1), LANE(2), LANE(3), LANE(4), LANE(5), LANE(6), LANE(7)));
#undef LANE
        for (uint32_t half = 0; half < 2; half++) {
            const uint32_t frame = b * TRUE_PEAK_BLOCK_FRAMES + half * HALF_BLOCK + SIEVE_BEHIND;
            const float *first = line + (size_t)frame * (size_t)stride;
            block->parts[half] &=
                block->pairs == 1 ? parts_over(first, stride, 1, bounds) : parts_over(first, stride, 0, bounds);
        }
    }
}

static __attribute__((noinline)) void sieve_six(const double *tile, sieve_block *blocks, uint32_t count,
                                                const lanes_pair *maximum)
{
    sieve(tile, 6, blocks, count, maximum);
}

static __attribute__((noinline)) void sieve_eight(const double *tile, sieve_block *blocks, uint32_t count,
                                                  const lanes_pair *maximum)
{
    sieve(tile, 8, blocks, count, maximum);
}

/* Functions of their own, so that no sum of theirs has to leave its register. */
static __attribute__((noinline)) __m256d fir_both(const double *newest, uint32_t frame_count, __m256d maximum)
{
    for (uint32_t i = 0; i < frame_count; i++, newest += TILE_LANES) {
        __m256d pair[2];
        true_peak_pairs(newest, TILE_LANES, pair);
        maximum = larger(pair[1], larger(pair[0], maximum));
    }
    return maximum;
}

static __attribute__((noinline)) __m256d fir_inner(const double *newest, uint32_t frame_count, __m256d maximum)
{
    for (uint32_t i = 0; i < frame_count; i++, newest += TILE_LANES)
        maximum = larger(true_peak_pair(newest, TILE_LANES, 1), maximum);
    return maximum;
}

/* At most SIEVE_FRAMES. before: the largest of the frames ahead of them. */
static void true_peak_over_some(const double *tile, uint32_t frame_count, const double (*block_peaks)[TILE_LANES],
                                lanes_pair *before, lanes_pair *loudest, lanes_pair *maximum)
{
    sieve_block blocks[SIEVE_FRAMES / TRUE_PEAK_BLOCK_FRAMES];
    __m256d last_lanes = before->part[1];
    int pairs = 0;
    for (uint32_t first = 0; first < frame_count; first += TRUE_PEAK_BLOCK_FRAMES) {
        const uint32_t left = frame_count - first;
        const uint32_t end = first + (left < TRUE_PEAK_BLOCK_FRAMES ? left : TRUE_PEAK_BLOCK_FRAMES);
        sieve_block *block = &blocks[first / TRUE_PEAK_BLOCK_FRAMES];
        block->parts[0] = block->pairs = 0;
        for (uint32_t p = 0; p < 2; p++) {
            const __m256d here = block_peaks == NULL
                                     ? largest(tile + p * WIDTH, (int32_t)first, (int32_t)end)
                                     : _mm256_loadu_pd(block_peaks[first / TRUE_PEAK_BLOCK_FRAMES] + p * WIDTH);
            block->reach.part[p] = larger(before->part[p], here);
            before->part[p] = here;
            loudest->part[p] = larger(here, loudest->part[p]);
            const bool inner = may_pass(block->reach.part[p], TRUE_PEAK_GAIN_MAX, maximum->part[p]);
            const bool outer = may_pass(block->reach.part[p], TRUE_PEAK_OUTER_GAIN_MAX, maximum->part[p]);
            block->pairs = inner + outer > block->pairs ? inner + outer : block->pairs;
            block->parts[0] |= inner << p;
        }
        last_lanes = larger(before->part[1], last_lanes);
        block->parts[1] = block->parts[0];
        pairs |= block->pairs;
    }
    if (pairs == 0)
        return;
    const bool six = _mm256_movemask_pd(_mm256_cmp_pd(last_lanes, _mm256_setzero_pd(), _CMP_GT_OQ)) < 1 << 2;
    (six ? sieve_six : sieve_eight)(tile, blocks, frame_count / TRUE_PEAK_BLOCK_FRAMES, maximum);
    for (uint32_t first = 0; first < frame_count; first += HALF_BLOCK) {
        const uint32_t left = frame_count - first;
        const uint32_t count = left < HALF_BLOCK ? left : HALF_BLOCK;
        const sieve_block *block = &blocks[first / TRUE_PEAK_BLOCK_FRAMES];
        for (uint32_t p = 0; p < 2; p++) {
            const double *newest = tile + (size_t)first * TILE_LANES + p * WIDTH;
            if (block->parts[first / HALF_BLOCK % 2] >> p & 1)
                maximum->part[p] = block->pairs == 1 ? fir_inner(newest, count, maximum->part[p])
                                                     : fir_both(newest, count, maximum->part[p]);
        }
    }
}

static void true_peak_over(const double *tile, uint32_t frame_count, const double floor[TILE_LANES],
                           const double (*block_peaks)[TILE_LANES], double out_peak[TILE_LANES],
                           double sample_peak[TILE_LANES])
{
    lanes_pair maximum, loudest, before;
    for (uint32_t p = 0; p < 2; p++) {
        maximum.part[p] = _mm256_loadu_pd(floor + p * WIDTH);
        loudest.part[p] = _mm256_setzero_pd();
        before.part[p] = largest(tile + p * WIDTH, -TRUE_PEAK_HISTORY, 0);
    }
    for (uint32_t first = 0; first < frame_count; first += SIEVE_FRAMES) {
        const uint32_t left = frame_count - first;
        true_peak_over_some(tile + (size_t)first * TILE_LANES, left < SIEVE_FRAMES ? left : SIEVE_FRAMES,
                            block_peaks == NULL ? NULL : block_peaks + first / TRUE_PEAK_BLOCK_FRAMES, &before, &loudest,
                            &maximum);
    }
    for (uint32_t p = 0; p < 2; p++) {
        _mm256_storeu_pd(out_peak + p * WIDTH, maximum.part[p]);
        _mm256_storeu_pd(sample_peak + p * WIDTH, loudest.part[p]);
    }
}

/* One lane over at most TILE_FRAMES_MAX frames, four frames abreast. */
static double true_peak_lane(const double *lane, uint32_t frame_count)
{
    double line[TRUE_PEAK_HISTORY + TILE_FRAMES_MAX + WIDTH];
    const uint32_t sample_count = TRUE_PEAK_HISTORY + frame_count;
    const double *sample = lane - TRUE_PEAK_HISTORY * TILE_LANES;
    for (uint32_t i = 0; i < sample_count; i++)
        line[i] = sample[(size_t)i * TILE_LANES];
    __m256d maximum = _mm256_setzero_pd();
    uint32_t frame = 0;
    __m256d pair[2];
    for (; frame + WIDTH <= frame_count; frame += WIDTH) {
        true_peak_pairs(line + TRUE_PEAK_HISTORY + frame, 1, pair);
        maximum = larger(pair[1], larger(pair[0], maximum));
    }
    if (frame < frame_count) {
        /* Zeros stand for the frames after the last; what is made of them is cleared. */
        for (uint32_t i = sample_count; i < sample_count + WIDTH; i++)
            line[i] = 0.0;
        true_peak_pairs(line + TRUE_PEAK_HISTORY + frame, 1, pair);
        const __m256i position = _mm256_set_epi64x(3, 2, 1, 0);
        const __m256i left = _mm256_set1_epi64x((int64_t)frame_count - (int64_t)frame);
        const __m256d valid = _mm256_castsi256_pd(_mm256_cmpgt_epi64(left, position));
        maximum = larger(_mm256_and_pd(pair[1], valid), larger(_mm256_and_pd(pair[0], valid), maximum));
    }
    double lanes[WIDTH];
    _mm256_storeu_pd(lanes, maximum);
    double result = lanes[0];
    for (int i = 1; i < WIDTH; i++)
        result = lanes[i] > result ? lanes[i] : result;
    return result;
}

static void true_peak_lanes(const double *tile, uint32_t frame_count, uint32_t lane_mask, double out_peak[TILE_LANES])
{
    enum { SINGLE_LANES_MAX = 4 }; /* from five lanes on all eight at once are quicker (check_kernels --bench) */
    double all[TILE_LANES];
    const bool at_once = __builtin_popcount(lane_mask & 0xFF) > SINGLE_LANES_MAX || frame_count > TILE_FRAMES_MAX;
    if (at_once)
        true_peak(tile, frame_count, all);
    for (uint32_t lane = 0; lane < TILE_LANES; lane++) {
        if (lane_mask >> lane & 1)
            out_peak[lane] = at_once ? all[lane] : true_peak_lane(tile + lane, frame_count);
    }
}

void peak_avx2_fill(dsp_table *table)
{
    table->peak = peak;
    table->true_peak = true_peak;
    table->true_peak_lanes = true_peak_lanes;
    table->true_peak_over = true_peak_over;
    table->true_peak_frames = true_peak_frames;
}
