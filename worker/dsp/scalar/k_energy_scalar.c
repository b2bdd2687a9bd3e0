#include "worker/dsp/dsp_variants.h"
#include "worker/dsp/unpack_apart.h"

#include <math.h>

static double settle(double z)
{
    return fabs(z) < K_WEIGHTING_STATE_MIN ? 0.0 : z;
}

static void k_energy(const double *tile, uint32_t frame_count, const k_weighting_coefficients *coefficients,
                     k_weighting_state *state, double energy[TILE_LANES])
{
    const double *const zeros = coefficients->shelf;
    const double *const shelf = coefficients->stage[0];
    const double *const pass = coefficients->stage[1];
    for (uint32_t lane = 0; lane < TILE_LANES; lane++) {
        double u1 = state->z[0][lane];
        double u2 = state->z[1][lane];
        double v1 = state->z[2][lane];
        double v2 = state->z[3][lane];
        double d1 = v1 - v2;
        double sum = energy[lane];
        for (uint32_t frame = 0; frame < frame_count; frame++) {
            const double x = tile[(size_t)frame * TILE_LANES + lane];
            const double u = fma(-shelf[3], u1, fma(-shelf[4], u2, x));
            const double y = fma(zeros[1], u2, fma(zeros[0], u1, u));
            const double v = fma(-pass[3], v1, fma(-pass[4], v2, y));
            const double d = v - v1;
            const double k = d - d1;
            sum = fma(k, k, sum);
            u2 = u1;
            u1 = u;
            v2 = v1;
            v1 = v;
            d1 = d;
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
    table->unpack_metered = unpack_apart;
}
