/** Both K-weighting biquads for eight lanes in one register: ten operations a frame, a recursion of one fma. */
#include "worker/dsp/dsp_variants.h"

#include <immintrin.h>

static __m512d settle(__m512d z)
{
    const __mmask8 tiny =
        _mm512_cmp_pd_mask(_mm512_abs_pd(z), _mm512_set1_pd(K_WEIGHTING_STATE_MIN), _CMP_LT_OQ);
    return _mm512_mask_mov_pd(z, tiny, _mm512_setzero_pd());
}

static void k_energy(const double *tile, uint32_t frame_count, const k_weighting_coefficients *coefficients,
                     k_weighting_state *state, double energy[TILE_LANES])
{
    const __m512d b0 = _mm512_set1_pd(coefficients->stage[0][0]);
    const __m512d b1 = _mm512_set1_pd(coefficients->stage[0][1]);
    const __m512d b2 = _mm512_set1_pd(coefficients->stage[0][2]);
    const __m512d a1 = _mm512_set1_pd(coefficients->stage[0][3]);
    const __m512d a2 = _mm512_set1_pd(coefficients->stage[0][4]);
    const __m512d c1 = _mm512_set1_pd(coefficients->stage[1][3]);
    const __m512d c2 = _mm512_set1_pd(coefficients->stage[1][4]);
    const __m512d two = _mm512_set1_pd(2.0);
    __m512d u1 = _mm512_load_pd(state->z[0]);
    __m512d u2 = _mm512_load_pd(state->z[1]);
    __m512d v1 = _mm512_load_pd(state->z[2]);
    __m512d v2 = _mm512_load_pd(state->z[3]);
    __m512d sum = _mm512_loadu_pd(energy);
    for (uint32_t frame = 0; frame < frame_count; frame++) {
        const __m512d x = _mm512_loadu_pd(tile + (size_t)frame * TILE_LANES);
        const __m512d u = _mm512_fnmadd_pd(a1, u1, _mm512_fnmadd_pd(a2, u2, x));
        const __m512d y = _mm512_fmadd_pd(b0, u, _mm512_fmadd_pd(b1, u1, _mm512_mul_pd(b2, u2)));
        const __m512d v = _mm512_fnmadd_pd(c1, v1, _mm512_fnmadd_pd(c2, v2, y));
        const __m512d k = _mm512_add_pd(v, _mm512_fnmadd_pd(two, v1, v2));
        sum = _mm512_fmadd_pd(k, k, sum);
        u2 = u1;
        u1 = u;
        v2 = v1;
        v1 = v;
    }
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
