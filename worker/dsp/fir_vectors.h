/**
 * Both FIR kernels, written once over the vector that the including file names: fir_vector, FIR_WIDTH, fir_load, fir_store,
 * fir_all, fir_zero, fir_sub, fir_add, fir_fma(a, b, c) = a x b + c. Vectors lie across outputs, never along a sum, so every
 * output is the same chain of additions at every level. Inside worker/dsp only.
 */
#ifndef WORKER_DSP_FIR_VECTORS_H
#define WORKER_DSP_FIR_VECTORS_H

#include "worker/dsp/dsp_unroll.h"
#include "worker/dsp/dsp_variants.h"

#ifdef FIR_WIDTH /* alone, this header has nothing to say */

enum { FIR_ABREAST = 4, FIR_LANE_VECTORS = TILE_LANES / FIR_WIDTH, FIR_CHAINS = 4 };

static inline __attribute__((always_inline)) void fir_odd_block(const double *samples, const double *taps,
                                                                uint32_t pair_count, int vectors, double *out)
{
    fir_vector sum[FIR_ABREAST];
    DSP_UNROLL(4)
    for (int i = 0; i < vectors; i++)
        sum[i] = fir_zero();
    for (uint32_t p = 0; p < pair_count; p++) {
        const fir_vector tap = fir_all(taps[p]);
        const double *before = samples - 2 * (size_t)p - 1;
        const double *after = samples + 2 * (size_t)p + 1;
        DSP_UNROLL(4)
        for (int i = 0; i < vectors; i++)
            sum[i] = fir_fma(tap, fir_sub(fir_load(before + i * FIR_WIDTH), fir_load(after + i * FIR_WIDTH)), sum[i]);
    }
    DSP_UNROLL(4)
    for (int i = 0; i < vectors; i++)
        fir_store(out + i * FIR_WIDTH, sum[i]);
}

static void fir_odd(const double *samples, const double *taps, uint32_t pair_count, uint32_t frame_count, double *out)
{
    uint32_t frame = 0;
    for (; frame + FIR_ABREAST * FIR_WIDTH <= frame_count; frame += FIR_ABREAST * FIR_WIDTH)
        fir_odd_block(samples + frame, taps, pair_count, FIR_ABREAST, out + frame);
    for (; frame + FIR_WIDTH <= frame_count; frame += FIR_WIDTH)
        fir_odd_block(samples + frame, taps, pair_count, 1, out + frame);
    for (; frame < frame_count; frame++) {
        double sum = 0.0;
        for (uint32_t p = 0; p < pair_count; p++)
            sum = __builtin_fma(taps[p], samples[frame - 2 * (size_t)p - 1] - samples[frame + 2 * (size_t)p + 1], sum);
        out[frame] = sum;
    }
}

static void fir_lanes(const double *tile, const double *taps, uint32_t tap_count, double *out)
{
    fir_vector sum[FIR_CHAINS][FIR_LANE_VECTORS];
    for (int c = 0; c < FIR_CHAINS; c++)
        for (int v = 0; v < FIR_LANE_VECTORS; v++)
            sum[c][v] = fir_zero();
    for (uint32_t k = 0; k + FIR_CHAINS <= tap_count; k += FIR_CHAINS) {
        DSP_UNROLL(4)
        for (int c = 0; c < FIR_CHAINS; c++) {
            const fir_vector tap = fir_all(taps[k + (uint32_t)c]);
            const double *row = tile + (size_t)(k + (uint32_t)c) * TILE_LANES;
            DSP_UNROLL(8)
            for (int v = 0; v < FIR_LANE_VECTORS; v++)
                sum[c][v] = fir_fma(tap, fir_load(row + v * FIR_WIDTH), sum[c][v]);
        }
    }
    for (int v = 0; v < FIR_LANE_VECTORS; v++)
        fir_store(out + v * FIR_WIDTH, fir_add(fir_add(sum[0][v], sum[1][v]), fir_add(sum[2][v], sum[3][v])));
}

#endif
#endif
