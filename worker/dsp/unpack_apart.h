/**
 * unpack_metered() where one loop cannot do it, or no level has one: its three parts one behind the other. Inside
 * worker/dsp only.
 */
#ifndef WORKER_DSP_UNPACK_APART_H
#define WORKER_DSP_UNPACK_APART_H

#include "worker/dsp/dsp_table.h"

#include <string.h>

static inline void unpack_apart(const dsp_table *table, sample_encoding encoding, const uint8_t *source, uint32_t source_channels,
                                uint32_t frame_count, uint32_t lane_count, const uint8_t *channels, const uint8_t *lanes,
                                double *tile, const k_weighting_coefficients *coefficients, k_weighting_state *state,
                                tile_meter *out_meter)
{
    table->unpack(encoding, source, source_channels, frame_count, lane_count, channels, lanes, tile);
    memset(out_meter->energy, 0, sizeof out_meter->energy);
    table->k_energy(tile, frame_count, coefficients, state, out_meter->energy);
    for (uint32_t first = 0; first < frame_count; first += TRUE_PEAK_BLOCK_FRAMES) {
        const uint32_t left = frame_count - first;
        table->peak(tile + (size_t)first * TILE_LANES, left < TRUE_PEAK_BLOCK_FRAMES ? left : TRUE_PEAK_BLOCK_FRAMES,
                    out_meter->peaks[first / TRUE_PEAK_BLOCK_FRAMES]);
    }
}

#endif
