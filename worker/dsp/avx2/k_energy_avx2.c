/** Both K-weighting biquads for eight lanes in two registers; the two recursions hide each other's latency. */
#include "worker/dsp/dsp_variants.h"

#include <immintrin.h>

enum { WIDTH = 4 };

typedef struct coefficients {
    __m256d b0, b1, b2, a1, a2, c1, c2, two;
} coefficients;

typedef struct lanes {
    __m256d u1, u2, v1, v2, sum;
} lanes;

static inline __attribute__((always_inline)) lanes lanes_load(const k_weighting_state *state, const double *energy,
                                                              uint32_t lane)
{
    return (lanes){_mm256_load_pd(state->z[0] + lane), _mm256_load_pd(state->z[1] + lane),
                   _mm256_load_pd(state->z[2] + lane), _mm256_load_pd(state->z[3] + lane),
                   _mm256_loadu_pd(energy + lane)};
}

static inline __attribute__((always_inline)) lanes lanes_step(lanes s, const coefficients *c, __m256d x)
{
    const __m256d u = _mm256_fnmadd_pd(c->a1, s.u1, _mm256_fnmadd_pd(c->a2, s.u2, x));
    const __m256d y = _mm256_fmadd_pd(c->b0, u, _mm256_fmadd_pd(c->b1, s.u1, _mm256_mul_pd(c->b2, s.u2)));
    const __m256d v = _mm256_fnmadd_pd(c->c1, s.v1, _mm256_fnmadd_pd(c->c2, s.v2, y));
    const __m256d k = _mm256_add_pd(v, _mm256_fnmadd_pd(c->two, s.v1, s.v2));
    return (lanes){u, s.u1, v, s.v1, _mm256_fmadd_pd(k, k, s.sum)};
}

static __m256d settle(__m256d z)
{
    const __m256d size = _mm256_andnot_pd(_mm256_set1_pd(-0.0), z);
    return _mm256_andnot_pd(_mm256_cmp_pd(size, _mm256_set1_pd(K_WEIGHTING_STATE_MIN), _CMP_LT_OQ), z);
}

static void lanes_store(const lanes *s, k_weighting_state *state, double *energy, uint32_t lane)
{
    _mm256_store_pd(state->z[0] + lane, settle(s->u1));
    _mm256_store_pd(state->z[1] + lane, settle(s->u2));
    _mm256_store_pd(state->z[2] + lane, settle(s->v1));
    _mm256_store_pd(state->z[3] + lane, settle(s->v2));
    _mm256_storeu_pd(energy + lane, s->sum);
}

static void k_energy(const double *tile, uint32_t frame_count, const k_weighting_coefficients *stages,
                     k_weighting_state *state, double energy[TILE_LANES])
{
    const coefficients c = {.b0 = _mm256_set1_pd(stages->stage[0][0]),
                            .b1 = _mm256_set1_pd(stages->stage[0][1]),
                            .b2 = _mm256_set1_pd(stages->stage[0][2]),
                            .a1 = _mm256_set1_pd(stages->stage[0][3]),
                            .a2 = _mm256_set1_pd(stages->stage[0][4]),
                            .c1 = _mm256_set1_pd(stages->stage[1][3]),
                            .c2 = _mm256_set1_pd(stages->stage[1][4]),
                            .two = _mm256_set1_pd(2.0)};
    lanes low = lanes_load(state, energy, 0);
    lanes high = lanes_load(state, energy, WIDTH);
    for (uint32_t frame = 0; frame < frame_count; frame++) {
        const double *row = tile + (size_t)frame * TILE_LANES;
        low = lanes_step(low, &c, _mm256_loadu_pd(row));
        high = lanes_step(high, &c, _mm256_loadu_pd(row + WIDTH));
    }
    lanes_store(&low, state, energy, 0);
    lanes_store(&high, state, energy, WIDTH);
}

void k_energy_avx2_fill(dsp_table *table)
{
    table->k_energy = k_energy;
}
