/** The mix matrix in groups of four lanes: a step is a lane permutation and one fma, four frames abreast. */
#include "worker/dsp/dsp_unroll.h"
#include "worker/dsp/dsp_variants.h"
#include "worker/dsp/mix_plan.h"

#include <immintrin.h>
#include <stdbool.h>

enum { WIDTH = 4, FRAMES_AT_ONCE = 4 };

/* A lane permutation as the word permutation that vpermd wants. */
static inline __attribute__((always_inline)) __m256i step_words(const mix_step *step)
{
    const __m256i lanes = _mm256_loadu_si256((const void *)step->index);
    const __m256i even = _mm256_slli_epi64(lanes, 1);
    const __m256i odd = _mm256_slli_epi64(_mm256_add_epi64(even, _mm256_set1_epi64x(1)), 32);
    return _mm256_or_si256(even, odd);
}

/* All ones in the lanes of the step's mask. */
static inline __attribute__((always_inline)) __m256d step_mask(const mix_step *step)
{
    const __m256i bit = _mm256_set_epi64x(8, 4, 2, 1);
    const __m256i chosen = _mm256_and_si256(_mm256_set1_epi64x((int64_t)step->mask), bit);
    return _mm256_castsi256_pd(_mm256_cmpeq_epi64(chosen, bit));
}

static inline __attribute__((always_inline)) void mix_rows(const mix_plan *plan, bool fresh, size_t row_at,
                                                           int row_count, double *output)
{
    __m256d sum[FRAMES_AT_ONCE];
    DSP_UNROLL(4)
    for (int i = 0; i < row_count; i++)
        sum[i] = fresh ? _mm256_setzero_pd() : _mm256_load_pd(output + row_at + (size_t)i * TILE_LANES);
    for (uint32_t number = 0; number < plan->step_count; number++) {
        const mix_step *step = &plan->steps[number];
        const double *input = step->input + row_at;
        const __m256d gain = _mm256_load_pd(step->gain);
        __m256d x[FRAMES_AT_ONCE];
        DSP_UNROLL(4)
        for (int i = 0; i < row_count; i++)
            x[i] = _mm256_load_pd(input + i * TILE_LANES);
        if (!step->straight) {
            const __m256i words = step_words(step);
            DSP_UNROLL(4)
            for (int i = 0; i < row_count; i++)
                x[i] = _mm256_castsi256_pd(_mm256_permutevar8x32_epi32(_mm256_castpd_si256(x[i]), words));
        }
        if (step->full) {
            DSP_UNROLL(4)
            for (int i = 0; i < row_count; i++)
                sum[i] = _mm256_fmadd_pd(gain, x[i], sum[i]);
        } else {
            const __m256d mask = step_mask(step);
            DSP_UNROLL(4)
            for (int i = 0; i < row_count; i++)
                sum[i] = _mm256_blendv_pd(sum[i], _mm256_fmadd_pd(gain, x[i], sum[i]), mask);
        }
    }
    DSP_UNROLL(4)
    for (int i = 0; i < row_count; i++)
        _mm256_store_pd(output + row_at + (size_t)i * TILE_LANES, sum[i]);
}

static void mix_group(const mix_plan *plan, bool fresh, uint32_t frame_count, double *output)
{
    uint32_t frame = 0;
    for (; frame + FRAMES_AT_ONCE <= frame_count; frame += FRAMES_AT_ONCE)
        mix_rows(plan, fresh, (size_t)frame * TILE_LANES, FRAMES_AT_ONCE, output);
    for (; frame < frame_count; frame++)
        mix_rows(plan, fresh, (size_t)frame * TILE_LANES, 1, output);
}

static void mix(const double *const *input_tiles, double *const *output_tiles, uint32_t output_tile_count,
                const mix_term *terms, uint32_t term_count, uint32_t frame_count)
{
    mix_by_plans(WIDTH, mix_group, input_tiles, output_tiles, output_tile_count, terms, term_count, frame_count);
}

void mix_avx2_fill(dsp_table *table)
{
    table->mix = mix;
}
