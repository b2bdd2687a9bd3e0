/* The definition of the signal features: one lane after the other, one frame after the other. */
#include "worker/dsp/dsp_variants.h"

#include <math.h>
#include <string.h>

static void signal_lane(const double *x, uint32_t frame_count, uint32_t lane, signal_sums *out)
{
    const double *beside = lane % 2 == 0 ? x + 1 : x - 1;
    for (uint32_t i = 0; i < frame_count; i++, x += TILE_LANES, beside += TILE_LANES) {
        const double now = x[0];
        const double one = x[-1 * TILE_LANES];
        const double two = x[-2 * TILE_LANES];
        const double outer = now + two;
        const double rough = (now + x[-4 * TILE_LANES]) - 4.0 * (one + x[-3 * TILE_LANES]) + 6.0 * two;
        out->energy[lane] += now * now;
        out->cross[lane] += now * *beside;
        out->rough[lane] += rough * rough;
        if (fabs(rough) > out->rough_peak[lane])
            out->rough_peak[lane] = fabs(rough);
        out->tone[0][lane] += outer * outer;
        out->tone[1][lane] += outer * one;
        out->tone[2][lane] += one * one;
        out->quiet_count[lane] += fabs(now) < SIGNAL_QUIET;
    }
}

static void signal_measure(const double *tile, uint32_t frame_count, signal_sums *out)
{
    memset(out, 0, sizeof *out);
    for (uint32_t lane = 0; lane < TILE_LANES; lane++)
        signal_lane(tile + lane, frame_count, lane, out);
}

static void lane_sums(const double *tile, uint32_t frame_count, double sums[TILE_LANES])
{
    for (uint32_t lane = 0; lane < TILE_LANES; lane++) {
        double sum = 0.0;
        for (uint32_t i = 0; i < frame_count; i++)
            sum += tile[(size_t)i * TILE_LANES + lane];
        sums[lane] = sum;
    }
}

static void used_bits(const double *tile, uint32_t frame_count, uint64_t bits[TILE_LANES])
{
    for (uint32_t i = 0; i < frame_count; i++)
        for (uint32_t lane = 0; lane < TILE_LANES; lane++) {
            const double x = tile[(size_t)i * TILE_LANES + lane];
            const double shifted = x + SIGNAL_BITS_SHIFT;
            uint64_t word;
            memcpy(&word, &shifted, sizeof word);
            bits[lane] |= (word & 0xFFFFFFFFu) | (shifted - SIGNAL_BITS_SHIFT != x ? SIGNAL_BITS_FINER : 0);
        }
}

void signal_scalar_fill(dsp_table *table)
{
    table->signal_measure = signal_measure;
    table->lane_sums = lane_sums;
    table->used_bits = used_bits;
}
