/** Both K-weighting biquads for eight lanes in one register: nine operations a frame, a recursion of one fma. */
#include "worker/dsp/dsp_variants.h"

#include <immintrin.h>

typedef struct coefficients {
    __m512d b1, b2, a1, a2, c1, c2;
} coefficients;

/** w[n], w[n-1], w[n-2] of both stages, by age. */
typedef struct delay {
    __m512d u, v;
} delay;

/* One frame: `now` is written from `before` and `oldest`, which is used up. */
static inline __attribute__((always_inline)) void filter_frame(const coefficients *c, const double *row, delay *now,
                                                               const delay *before, delay *oldest, __m512d *step,
                                                               __m512d *sum)
{
    __m512d u = _mm512_loadu_pd(row);
    __asm__("" : "+v"(u)); /* in a register: folded into the fma it would cost the copy of a coefficient */
    u = _mm512_fnmadd_pd(c->a2, oldest->u, u);
    now->u = _mm512_fnmadd_pd(c->a1, before->u, u);
    __m512d y = _mm512_fmadd_pd(c->b1, before->u, now->u);
    y = _mm512_fmadd_pd(c->b2, oldest->u, y);
    y = _mm512_fnmadd_pd(c->c2, oldest->v, y);
    now->v = _mm512_fnmadd_pd(c->c1, before->v, y);
    const __m512d d = _mm512_sub_pd(now->v, before->v);
    const __m512d k = _mm512_sub_pd(d, *step);
    *step = d;
    *sum = _mm512_fmadd_pd(k, k, *sum);
}

static __m512d settle(__m512d z)
{
    const __mmask8 tiny =
        _mm512_cmp_pd_mask(_mm512_abs_pd(z), _mm512_set1_pd(K_WEIGHTING_STATE_MIN), _CMP_LT_OQ);
    return _mm512_mask_mov_pd(z, tiny, _mm512_setzero_pd());
}

static void k_energy(const double *tile, uint32_t frame_count, const k_weighting_coefficients *stages,
                     k_weighting_state *state, double energy[TILE_LANES])
{
    const coefficients c = {.b1 = _mm512_set1_pd(stages->shelf[0]),
                            .b2 = _mm512_set1_pd(stages->shelf[1]),
                            .a1 = _mm512_set1_pd(stages->stage[0][3]),
                            .a2 = _mm512_set1_pd(stages->stage[0][4]),
                            .c1 = _mm512_set1_pd(stages->stage[1][3]),
                            .c2 = _mm512_set1_pd(stages->stage[1][4])};
    delay first = {_mm512_load_pd(state->z[0]), _mm512_load_pd(state->z[2])};
    delay second = {_mm512_load_pd(state->z[1]), _mm512_load_pd(state->z[3])};
    delay third;
    __m512d step = _mm512_sub_pd(first.v, second.v);
    __m512d sum = _mm512_loadu_pd(energy);
    /* Three frames a turn: each delay takes the place of the oldest, and nothing is moved. */
    const double *row = tile;
    uint32_t left = frame_count;
    for (; left >= 3; left -= 3, row += 3 * TILE_LANES) {
        filter_frame(&c, row, &third, &first, &second, &step, &sum);
        filter_frame(&c, row + TILE_LANES, &second, &third, &first, &step, &sum);
        filter_frame(&c, row + 2 * TILE_LANES, &first, &second, &third, &step, &sum);
    }
    for (; left > 0; left--, row += TILE_LANES) {
        filter_frame(&c, row, &third, &first, &second, &step, &sum);
        second = first;
        first = third;
    }
    const __m512d u1 = first.u;
    const __m512d u2 = second.u;
    const __m512d v1 = first.v;
    const __m512d v2 = second.v;
    _mm512_store_pd(state->z[0], settle(u1));
    _mm512_store_pd(state->z[1], settle(u2));
    _mm512_store_pd(state->z[2], settle(v1));
    _mm512_store_pd(state->z[3], settle(v2));
    _mm512_storeu_pd(energy, sum);
}

void k_energy_avx512_fill(dsp_table *table)
{
    table->k_energy = k_energy;
}
