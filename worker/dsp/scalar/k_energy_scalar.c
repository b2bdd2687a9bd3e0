#include "worker/dsp/dsp_variants.h"

#include <math.h>

static double settle(double z)
{
    return fabs(z) < K_WEIGHTING_STATE_MIN ? 0.0 : z;
}

static void k_energy(const double *tile, uint32_t frame_count, const k_weighting_coefficients *coefficients,
                     k_weighting_state *state, double energy[TILE_LANES])
{
    const double *const shelf = coefficients->stage[0];
    const double *const pass = coefficients->stage[1];
    for (uint32_t lane = 0; lane < TILE_LANES; lane++) {
        double u1 = state->z[0][lane];
        double u2 = state->z[1][lane];
        double v1 = state->z[2][lane];
        double v2 = state->z[3][lane];
        double sum = energy[lane];
        for (uint32_t frame = 0; frame < frame_count; frame++) {
            const double x = tile[(size_t)frame * TILE_LANES + lane];
            const double u = fma(-shelf[3], u1, fma(-shelf[4], u2, x));
            const double y = fma(shelf[0], u, fma(shelf[1], u1, shelf[2] * u2));
            const double v = fma(-pass[3], v1, fma(-pass[4], v2, y));
            const double k = v + fma(-2.0, v1, v2);
            sum = fma(k, k, sum);
            u2 = u1;
            u1 = u;
            v2 = v1;
            v1 = v;
        }
        state->z[0][lane] = settle(u1);
        state->z[1][lane] = settle(u2);
        state->z[2][lane] = settle(v1);
        state->z[3][lane] = settle(v2);
        energy[lane] = sum;
    }
}

void k_energy_scalar_fill(dsp_table *table)
{
    table->k_energy = k_energy;
}
