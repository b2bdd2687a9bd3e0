/** The mix matrix: one masked fma per step and frame, four frames abreast to cover the latency. */
#include "worker/dsp/dsp_unroll.h"
#include "worker/dsp/dsp_variants.h"
#include "worker/dsp/mix_plan.h"

#include <immintrin.h>
#include <stdbool.h>

enum { WIDTH = 8 };

static inline __attribute__((always_inline)) void mix_rows(const mix_plan *plan, bool fresh, size_t row_at,
                                                           int row_count, double *output)
{
    __m512d sum[8];
    DSP_UNROLL(8)
    for (int i = 0; i < row_count; i++)
        sum[i] = fresh ? _mm512_setzero_pd() : _mm512_load_pd(output + row_at + (size_t)i * TILE_LANES);
    for (uint32_t number = 0; number < plan->step_count; number++) {
        const mix_step *step = &plan->steps[number];
        const double *input = step->input + row_at;
        const __m512d gain = _mm512_load_pd(step->gain);
        const __mmask8 mask = (__mmask8)step->mask;
        if (step->straight) {
            DSP_UNROLL(8)
            for (int i = 0; i < row_count; i++)
                sum[i] = _mm512_mask3_fmadd_pd(gain, _mm512_load_pd(input + i * TILE_LANES), sum[i], mask);
        } else {
            const __m512i index = _mm512_loadu_si512(step->index);
            DSP_UNROLL(8)
            for (int i = 0; i < row_count; i++) {
                const __m512d turned = _mm512_permutexvar_pd(index, _mm512_load_pd(input + i * TILE_LANES));
                sum[i] = _mm512_mask3_fmadd_pd(gain, turned, sum[i], mask);
            }
        }
    }
    DSP_UNROLL(8)
    for (int i = 0; i < row_count; i++)
        _mm512_store_pd(output + row_at + (size_t)i * TILE_LANES, sum[i]);
}

static void mix_group(const mix_plan *plan, bool fresh, uint32_t frame_count, double *output)
{
    uint32_t frame = 0;
    for (; frame + 8 <= frame_count; frame += 8)
        mix_rows(plan, fresh, (size_t)frame * TILE_LANES, 8, output);
    for (; frame < frame_count; frame++)
        mix_rows(plan, fresh, (size_t)frame * TILE_LANES, 1, output);
}

static void mix(const double *const *input_tiles, double *const *output_tiles, uint32_t output_tile_count,
                const mix_term *terms, uint32_t term_count, uint32_t frame_count)
{
    mix_by_plans(WIDTH, mix_group, input_tiles, output_tiles, output_tile_count, terms, term_count, frame_count);
}

void mix_avx512_fill(dsp_table *table)
{
    table->mix = mix;
}
