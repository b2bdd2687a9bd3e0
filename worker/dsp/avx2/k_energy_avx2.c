/**
 * Both K-weighting biquads, four lanes a register, as avx512/k_energy_avx512.c. Both halves of a tile are walked side by
 * side, so that the recursion of one fills the gaps of the other; that is worth the few coefficients that do not stay in
 * the sixteen registers.
 */
#include "worker/dsp/dsp_unroll.h"
#include "worker/dsp/dsp_variants.h"

#include <immintrin.h>

enum { WIDTH = 4, HALVES = TILE_LANES / WIDTH };

typedef struct coefficients {
    __m256d b1, b2, a1, a2, c1, c2;
} coefficients;

/** w[n], w[n-1], w[n-2] of both stages, by age. */
typedef struct delay {
    __m256d u, v;
} delay;

/** Four lanes on their way through the frames. */
typedef struct half {
    delay first, second, third;
    __m256d step; /* between the two last v */
    __m256d sum;
} half;

/* One frame: `now` is written from `before` and `oldest`, which is used up. */
static inline __attribute__((always_inline)) void filter_frame(const coefficients *c, const double *row, delay *now,
                                                               const delay *before, delay *oldest, __m256d *step,
                                                               __m256d *sum)
{
    __m256d u = _mm256_loadu_pd(row);
    __asm__("" : "+x"(u)); /* in a register: folded into the fma it would cost the copy of a coefficient */
    u = _mm256_fnmadd_pd(c->a2, oldest->u, u);
    now->u = _mm256_fnmadd_pd(c->a1, before->u, u);
    __m256d y = _mm256_fmadd_pd(c->b1, before->u, now->u);
    y = _mm256_fmadd_pd(c->b2, oldest->u, y);
    y = _mm256_fnmadd_pd(c->c2, oldest->v, y);
    now->v = _mm256_fnmadd_pd(c->c1, before->v, y);
    const __m256d d = _mm256_sub_pd(now->v, before->v);
    const __m256d k = _mm256_sub_pd(d, *step);
    *step = d;
    *sum = _mm256_fmadd_pd(k, k, *sum);
}

static __m256d settle(__m256d z)
{
    const __m256d size = _mm256_andnot_pd(_mm256_set1_pd(-0.0), z);
    return _mm256_andnot_pd(_mm256_cmp_pd(size, _mm256_set1_pd(K_WEIGHTING_STATE_MIN), _CMP_LT_OQ), z);
}

static void k_energy(const double *tile, uint32_t frame_count, const k_weighting_coefficients *stages,
                     k_weighting_state *state, double energy[TILE_LANES])
{
    const coefficients c = {.b1 = _mm256_set1_pd(stages->shelf[0]),
                            .b2 = _mm256_set1_pd(stages->shelf[1]),
                            .a1 = _mm256_set1_pd(stages->stage[0][3]),
                            .a2 = _mm256_set1_pd(stages->stage[0][4]),
                            .c1 = _mm256_set1_pd(stages->stage[1][3]),
                            .c2 = _mm256_set1_pd(stages->stage[1][4])};
    half halves[HALVES];
    DSP_UNROLL(2)
    for (int i = 0; i < HALVES; i++) {
        half *h = &halves[i];
        h->first = (delay){_mm256_load_pd(state->z[0] + i * WIDTH), _mm256_load_pd(state->z[2] + i * WIDTH)};
        h->second = (delay){_mm256_load_pd(state->z[1] + i * WIDTH), _mm256_load_pd(state->z[3] + i * WIDTH)};
        h->step = _mm256_sub_pd(h->first.v, h->second.v);
        h->sum = _mm256_loadu_pd(energy + i * WIDTH);
    }
    /* Three frames a turn: each delay takes the place of the oldest, and nothing is moved. */
    const double *row = tile;
    uint32_t left = frame_count;
    for (; left >= 3; left -= 3, row += 3 * TILE_LANES) {
        DSP_UNROLL(2)
        for (int i = 0; i < HALVES; i++) {
            half *h = &halves[i];
            filter_frame(&c, row + i * WIDTH, &h->third, &h->first, &h->second, &h->step, &h->sum);
        }
        DSP_UNROLL(2)
        for (int i = 0; i < HALVES; i++) {
            half *h = &halves[i];
            filter_frame(&c, row + TILE_LANES + i * WIDTH, &h->second, &h->third, &h->first, &h->step, &h->sum);
        }
        DSP_UNROLL(2)
        for (int i = 0; i < HALVES; i++) {
            half *h = &halves[i];
            filter_frame(&c, row + 2 * TILE_LANES + i * WIDTH, &h->first, &h->second, &h->third, &h->step, &h->sum);
        }
    }
    DSP_UNROLL(2)
    for (int i = 0; i < HALVES; i++) {
        half *h = &halves[i];
        for (uint32_t frame = 0; frame < left; frame++) {
            filter_frame(&c, row + frame * TILE_LANES + i * WIDTH, &h->third, &h->first, &h->second, &h->step, &h->sum);
            h->second = h->first;
            h->first = h->third;
        }
        _mm256_store_pd(state->z[0] + i * WIDTH, settle(h->first.u));
        _mm256_store_pd(state->z[1] + i * WIDTH, settle(h->second.u));
        _mm256_store_pd(state->z[2] + i * WIDTH, settle(h->first.v));
        _mm256_store_pd(state->z[3] + i * WIDTH, settle(h->second.v));
        _mm256_storeu_pd(energy + i * WIDTH, h->sum);
    }
}

void k_energy_avx2_fill(dsp_table *table)
{
    table->k_energy = k_energy;
}
