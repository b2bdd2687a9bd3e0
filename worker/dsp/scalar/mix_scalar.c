#include "worker/dsp/dsp_variants.h"

#include <math.h>
#include <string.h>

static void mix(const double *const *input_tiles, double *const *output_tiles, uint32_t output_tile_count,
                const mix_term *terms, uint32_t term_count, uint32_t frame_count)
{
    for (uint32_t tile = 0; tile < output_tile_count; tile++)
        memset(output_tiles[tile], 0, (size_t)frame_count * TILE_LANES * sizeof(double));
    for (uint32_t i = 0; i < term_count; i++) {
        const mix_term term = terms[i];
        const double *input = input_tiles[term.input_tile] + term.input_lane;
        double *output = output_tiles[term.output_tile] + term.output_lane;
        for (size_t at = 0; at < (size_t)frame_count * TILE_LANES; at += TILE_LANES)
            output[at] = fma(term.gain, input[at], output[at]);
    }
}

void mix_scalar_fill(dsp_table *table)
{
    table->mix = mix;
}
