/** The mix matrix in groups of two lanes: a step is a table look-up and one fma, four frames abreast. */
#include "worker/dsp/dsp_unroll.h"
#include "worker/dsp/dsp_variants.h"
#include "worker/dsp/mix_plan.h"

#include <arm_neon.h>
#include <stdbool.h>

enum { WIDTH = 2, FRAMES_AT_ONCE = 4 };

/* Byte numbers for vqtbl1q that put lane index[i] into lane i. */
static inline __attribute__((always_inline)) uint8x16_t step_bytes(const mix_step *step)
{
    const uint8x16_t within = {0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7};
    const uint8x16_t lanes =
        vcombine_u8(vdup_n_u8((uint8_t)(step->index[0] * 8)), vdup_n_u8((uint8_t)(step->index[1] * 8)));
    return vaddq_u8(within, lanes);
}

static inline __attribute__((always_inline)) void mix_rows(const mix_plan *plan, bool fresh, size_t row_at,
                                                           int row_count, double *output)
{
    float64x2_t sum[FRAMES_AT_ONCE];
    DSP_UNROLL(4)
    for (int i = 0; i < row_count; i++)
        sum[i] = fresh ? vdupq_n_f64(0.0) : vld1q_f64(output + row_at + (size_t)i * TILE_LANES);
    for (uint32_t number = 0; number < plan->step_count; number++) {
        const mix_step *step = &plan->steps[number];
        const double *input = step->input + row_at;
        const float64x2_t gain = vld1q_f64(step->gain);
        const uint8x16_t bytes = step_bytes(step);
        const uint64x2_t mask = vcombine_u64(vdup_n_u64(step->mask & 1 ? ~UINT64_C(0) : 0),
                                             vdup_n_u64(step->mask & 2 ? ~UINT64_C(0) : 0));
        DSP_UNROLL(4)
        for (int i = 0; i < row_count; i++) {
            const uint8x16_t raw = vreinterpretq_u8_f64(vld1q_f64(input + i * TILE_LANES));
            const float64x2_t x = vreinterpretq_f64_u8(vqtbl1q_u8(raw, bytes));
            sum[i] = vbslq_f64(mask, vfmaq_f64(sum[i], gain, x), sum[i]);
        }
    }
    DSP_UNROLL(4)
    for (int i = 0; i < row_count; i++)
        vst1q_f64(output + row_at + (size_t)i * TILE_LANES, sum[i]);
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

void mix_neon_fill(dsp_table *table)
{
    table->mix = mix;
}
