/** Both K-weighting biquads, two lanes a register, four independent recursions side by side. */
#include "worker/dsp/dsp_unroll.h"
#include "worker/dsp/dsp_variants.h"

#include <arm_neon.h>

enum { WIDTH = 2, GROUPS = TILE_LANES / WIDTH };

typedef struct lanes {
    float64x2_t u1, u2, v1, v2, d1, sum;
} lanes;

static inline __attribute__((always_inline)) lanes lanes_step(lanes s, const k_weighting_coefficients *c,
                                                              float64x2_t x)
{
    const double *const zeros = c->shelf;
    const double *const shelf = c->stage[0];
    const double *const pass = c->stage[1];
    /* vfmsq(a, b, c) is a - b x c in one rounding. */
    const float64x2_t u =
        vfmsq_f64(vfmsq_f64(x, vdupq_n_f64(shelf[4]), s.u2), vdupq_n_f64(shelf[3]), s.u1);
    const float64x2_t y = vfmaq_f64(vfmaq_f64(u, vdupq_n_f64(zeros[0]), s.u1), vdupq_n_f64(zeros[1]), s.u2);
    const float64x2_t v = vfmsq_f64(vfmsq_f64(y, vdupq_n_f64(pass[4]), s.v2), vdupq_n_f64(pass[3]), s.v1);
    const float64x2_t d = vsubq_f64(v, s.v1);
    const float64x2_t k = vsubq_f64(d, s.d1);
    return (lanes){u, s.u1, v, s.v1, d, vfmaq_f64(s.sum, k, k)};
}

static float64x2_t settle(float64x2_t z)
{
    const uint64x2_t tiny = vcltq_f64(vabsq_f64(z), vdupq_n_f64(K_WEIGHTING_STATE_MIN));
    return vreinterpretq_f64_u64(vbicq_u64(vreinterpretq_u64_f64(z), tiny));
}

static void k_energy(const double *tile, uint32_t frame_count, const k_weighting_coefficients *coefficients,
                     k_weighting_state *state, double energy[TILE_LANES])
{
    const k_weighting_coefficients c = *coefficients;
    lanes group[GROUPS];
    DSP_UNROLL(4)
    for (int i = 0; i < GROUPS; i++)
        group[i] = (lanes){vld1q_f64(state->z[0] + i * WIDTH), vld1q_f64(state->z[1] + i * WIDTH),
                           vld1q_f64(state->z[2] + i * WIDTH), vld1q_f64(state->z[3] + i * WIDTH),
                           vsubq_f64(vld1q_f64(state->z[2] + i * WIDTH), vld1q_f64(state->z[3] + i * WIDTH)),
                           vld1q_f64(energy + i * WIDTH)};
    for (uint32_t frame = 0; frame < frame_count; frame++) {
        const double *row = tile + (size_t)frame * TILE_LANES;
        DSP_UNROLL(4)
        for (int i = 0; i < GROUPS; i++)
            group[i] = lanes_step(group[i], &c, vld1q_f64(row + i * WIDTH));
    }
    DSP_UNROLL(4)
    for (int i = 0; i < GROUPS; i++) {
        vst1q_f64(state->z[0] + i * WIDTH, settle(group[i].u1));
        vst1q_f64(state->z[1] + i * WIDTH, settle(group[i].u2));
        vst1q_f64(state->z[2] + i * WIDTH, settle(group[i].v1));
        vst1q_f64(state->z[3] + i * WIDTH, settle(group[i].v2));
        vst1q_f64(energy + i * WIDTH, group[i].sum);
    }
}

void k_energy_neon_fill(dsp_table *table)
{
    table->k_energy = k_energy;
}
