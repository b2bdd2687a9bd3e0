/*
 * A channel that was copied to the other side some samples late correlates with it fully at that distance, and hardly at none.
 * One window of a cell says so: what holds from one cell to the next is no chance.
 */
#include "worker/render/render_signal.h"

#include <string.h>

enum { REACH = SIGNAL_LATE_MAX, LAGS = 2 * REACH + 1 };
static const double sound_min = 1e-6; /* mean square: -60 dBFS */

void signal_late_take(cell_signal *cell, const double *left, const double *right, uint32_t frame_count)
{
    double l[TILE_FRAMES_MAX], r[TILE_FRAMES_MAX], energies[TILE_FRAMES_MAX + 1];
    double sums[LAGS] = {0.0};
    double energy = 0.0;
    energies[0] = 0.0;
    for (uint32_t i = 0; i < frame_count; i++) {
        l[i] = left[(size_t)i * TILE_LANES];
        r[i] = right[(size_t)i * TILE_LANES];
        energies[i + 1] = energies[i] + l[i] * l[i];
    }
    const uint32_t count = frame_count - 2 * REACH;
    for (uint32_t i = REACH; i < REACH + count; i++) {
        energy += r[i] * r[i];
        for (uint32_t k = 0; k < LAGS; k++)
            sums[k] += r[i] * l[i - REACH + k];
    }
    if (!(energy > sound_min * count))
        return;
    for (uint32_t k = 0; k < LAGS; k++) {
        const double other = energies[k + count] - energies[k];
        const double rest = other > sound_min * count ? 1.0 - sums[k] * sums[k] / (energy * other) : 1.0;
        if (!(rest < (double)cell->late_rest))
            continue;
        cell->late_rest = rest > 0.0 ? (float)rest : 0.0f;
        cell->late_lag = (int8_t)(REACH - (int32_t)k);
    }
}
