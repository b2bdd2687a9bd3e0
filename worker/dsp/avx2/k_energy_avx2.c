/**
 * Both K-weighting biquads, four lanes a register, as avx512/k_energy_avx512.c. The two halves of a tile are walked
 * one after the other: coefficients and state of one fill the sixteen registers.
 */
#include "worker/dsp/dsp_variants.h"

#include <immintrin.h>

enum { WIDTH = 4 };

typedef struct coefficients {
    __m256d b0, b1, b2, a1, a2, c1, c2, two;
} coefficients;

/** w[n], w[n-1], w[n-2] of both stages, by age. */
typedef struct delay {
    __m256d u, v;
} delay;

/* One frame: `now` is written from `before` and `oldest`, which is used up. */
static inline __attribute__((always_inline)) void filter_frame(const coefficients *c, const double *row, delay *now,
                                                               const delay *before, delay *oldest, __m256d *sum)
{
    __m256d u = _mm256_loadu_pd(row);
    __asm__("" : "+x"(u)); /* in a register: folded into the fma it would cost the copy of a coefficient */
    u = _mm256_fnmadd_pd(c->a2, oldest->u, u);
    now->u = _mm256_fnmadd_pd(c->a1, before->u, u);
    __m256d y = _mm256_mul_pd(c->b2, oldest->u);
    y = _mm256_fmadd_pd(c->b1, before->u, y);
    y = _mm256_fmadd_pd(c->b0, now->u, y);
    y = _mm256_fnmadd_pd(c->c2, oldest->v, y);
    now->v = _mm256_fnmadd_pd(c->c1, before->v, y);
    const __m256d k = _mm256_add_pd(now->v, _mm256_fnmadd_pd(c->two, before->v, oldest->v));
    *sum = _mm256_fmadd_pd(k, k, *sum);
}

static __m256d settle(__m256d z)
{
    const __m256d size = _mm256_andnot_pd(_mm256_set1_pd(-0.0), z);
    return _mm256_andnot_pd(_mm256_cmp_pd(size, _mm256_set1_pd(K_WEIGHTING_STATE_MIN), _CMP_LT_OQ), z);
}

/* tile: from the first of the four lanes on. */
static void k_energy_lanes(const coefficients *c, const double *tile, uint32_t frame_count, k_weighting_state *state,
                           double energy[TILE_LANES], uint32_t lane)
{
    delay first = {_mm256_load_pd(state->z[0] + lane), _mm256_load_pd(state->z[2] + lane)};
    delay second = {_mm256_load_pd(state->z[1] + lane), _mm256_load_pd(state->z[3] + lane)};
    delay third;
    __m256d sum = _mm256_loadu_pd(energy + lane);
    /* Three frames a turn: each delay takes the place of the oldest, and nothing is moved. */
    const double *row = tile;
    uint32_t left = frame_count;
    for (; left >= 3; left -= 3, row += 3 * TILE_LANES) {
        filter_frame(c, row, &third, &first, &second, &sum);
        filter_frame(c, row + TILE_LANES, &second, &third, &first, &sum);
        filter_frame(c, row + 2 * TILE_LANES, &first, &second, &third, &sum);
    }
    for (; left > 0; left--, row += TILE_LANES) {
        filter_frame(c, row, &third, &first, &second, &sum);
        second = first;
        first = third;
    }
    const __m256d u1 = first.u;
    const __m256d u2 = second.u;
    const __m256d v1 = first.v;
    const __m256d v2 = second.v;
    _mm256_store_pd(state->z[0] + lane, settle(u1));
    _mm256_store_pd(state->z[1] + lane, settle(u2));
    _mm256_store_pd(state->z[2] + lane, settle(v1));
    _mm256_store_pd(state->z[3] + lane, settle(v2));
    _mm256_storeu_pd(energy + lane, sum);
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
    for (uint32_t lane = 0; lane < TILE_LANES; lane += WIDTH)
        k_energy_lanes(&c, tile + lane, frame_count, state, energy, lane);
}

void k_energy_avx2_fill(dsp_table *table)
{
    table->k_energy = k_energy;
}
