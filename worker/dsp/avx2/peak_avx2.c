/** Peaks, a frame of eight lanes in two registers; single lanes are turned so that a register holds four frames. */
#include "worker/dsp/dsp_unroll.h"
#include "worker/dsp/dsp_variants.h"
#include "worker/dsp/true_peak_taps.h"

#include <immintrin.h>
#include <stdbool.h>

enum { WIDTH = 4 };

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

/*
 * What the true peaks of four lanes in a whole block cannot pass, of frames before and in it that do not pass reach. Two
 * frames abreast; pair 0 is left out where it cannot matter.
 */
static inline __attribute__((always_inline)) __m256d sieve(const double *first_frame, __m256d reach, const int first_pair)
{
    enum { BEHIND = 2 * TRUE_PEAK_HALF_TAPS - 1 - TRUE_PEAK_SIEVE_TAPS, AHEAD = TRUE_PEAK_SIEVE_TAPS };
    enum { LINE_FRAMES = BEHIND + TRUE_PEAK_BLOCK_FRAMES - AHEAD };
    _Alignas(32) float line[LINE_FRAMES * WIDTH];
    for (int i = 0; i < LINE_FRAMES; i++) {
        const __m256d frame = _mm256_loadu_pd(first_frame + (ptrdiff_t)(i - BEHIND) * TILE_LANES);
        _mm_store_ps(line + i * WIDTH, _mm256_cvtpd_ps(_mm256_add_pd(frame, _mm256_set1_pd(TRUE_PEAK_SIEVE_NUDGE))));
    }
    const __m256 sign = _mm256_set1_ps(-0.0F);
    __m256 maximum = _mm256_setzero_ps(); /* of two frames */
    for (int frame = 0; frame < TRUE_PEAK_BLOCK_FRAMES; frame += 2) {
        __m256 even[2];
        __m256 odd[2];
        DSP_UNROLL(3)
        for (int i = 0; i < TRUE_PEAK_SIEVE_TAPS; i++) {
            const int k = TRUE_PEAK_HALF_TAPS - 1 - i;
            const __m256 young = _mm256_loadu_ps(line + (frame + BEHIND - k) * WIDTH);
            const __m256 old = _mm256_loadu_ps(line + (frame + BEHIND - (TRUE_PEAK_TAPS - 1 - k)) * WIDTH);
            const __m256 sum = _mm256_add_ps(young, old);
            const __m256 difference = _mm256_sub_ps(young, old);
            DSP_UNROLL(2)
            for (int pair = first_pair; pair < 2; pair++) {
                const __m256 even_tap = _mm256_set1_ps((float)true_peak_even[pair][k]);
                const __m256 odd_tap = _mm256_set1_ps((float)true_peak_odd[pair][k]);
                even[pair] = i == 0 ? _mm256_mul_ps(even_tap, sum) : _mm256_fmadd_ps(even_tap, sum, even[pair]);
                odd[pair] = i == 0 ? _mm256_mul_ps(odd_tap, difference) : _mm256_fmadd_ps(odd_tap, difference, odd[pair]);
            }
        }
        DSP_UNROLL(2)
        for (int pair = first_pair; pair < 2; pair++)
            maximum = _mm256_max_ps(_mm256_add_ps(_mm256_andnot_ps(sign, even[pair]), _mm256_andnot_ps(sign, odd[pair])),
                                    maximum);
    }
    const __m128 lanes = _mm_max_ps(_mm256_castps256_ps128(maximum), _mm256_extractf128_ps(maximum, 1));
    const __m256d middle = _mm256_add_pd(_mm256_cvtps_pd(lanes), _mm256_set1_pd(TRUE_PEAK_SIEVE_SLACK));
    return _mm256_fmadd_pd(reach, _mm256_set1_pd(TRUE_PEAK_SIEVE_GAIN), middle);
}

static bool held(__m256d bound, __m256d reach, __m256d maximum)
{
    const __m256d below = _mm256_cmp_pd(bound, maximum, _CMP_LE_OQ);
    const __m256d sane = _mm256_cmp_pd(reach, _mm256_set1_pd(TRUE_PEAK_SIEVE_MAX), _CMP_LE_OQ);
    const __m256d silent = _mm256_cmp_pd(reach, _mm256_setzero_pd(), _CMP_EQ_OQ);
    return _mm256_movemask_pd(_mm256_or_pd(_mm256_and_pd(below, sane), silent)) == 0xF;
}

static __m256d true_peak_over_lanes(const double *lanes, uint32_t frame_count, __m256d maximum, double *sample_peak)
{
    __m256d loudest = _mm256_setzero_pd();
    __m256d before = largest(lanes, -TRUE_PEAK_HISTORY, 0);
    for (uint32_t first = 0; first < frame_count; first += TRUE_PEAK_BLOCK_FRAMES) {
        const uint32_t left = frame_count - first;
        const uint32_t end = first + (left < TRUE_PEAK_BLOCK_FRAMES ? left : TRUE_PEAK_BLOCK_FRAMES);
        const __m256d here = largest(lanes, (int32_t)first, (int32_t)end);
        const __m256d reach = larger(before, here);
        before = here;
        loudest = larger(here, loudest);
        if (!may_pass(reach, TRUE_PEAK_GAIN_MAX, maximum))
            continue;
        const double *first_frame = lanes + (size_t)first * TILE_LANES;
        const bool whole = left >= TRUE_PEAK_BLOCK_FRAMES;
        if (!may_pass(reach, TRUE_PEAK_OUTER_GAIN_MAX, maximum)) {
            if (whole && held(sieve(first_frame, reach, 1), reach, maximum))
                continue;
            for (uint32_t frame = first; frame < end; frame++)
                maximum = larger(true_peak_pair(lanes + (size_t)frame * TILE_LANES, TILE_LANES, 1), maximum);
            continue;
        }
        if (whole && held(sieve(first_frame, reach, 0), reach, maximum))
            continue;
        for (uint32_t frame = first; frame < end; frame++) {
            __m256d pair[2];
            true_peak_pairs(lanes + (size_t)frame * TILE_LANES, TILE_LANES, pair);
            maximum = larger(pair[1], larger(pair[0], maximum));
        }
    }
    _mm256_storeu_pd(sample_peak, loudest);
    return maximum;
}

static void true_peak_over(const double *tile, uint32_t frame_count, const double floor[TILE_LANES],
                           double out_peak[TILE_LANES], double sample_peak[TILE_LANES])
{
    for (uint32_t lane = 0; lane < TILE_LANES; lane += WIDTH)
        _mm256_storeu_pd(out_peak + lane, true_peak_over_lanes(tile + lane, frame_count, _mm256_loadu_pd(floor + lane),
                                                               sample_peak + lane));
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
