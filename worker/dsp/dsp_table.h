/**
 * The signal-processing kernels as one table of functions, filled at start for what the CPU has.
 *
 * A tile is lane-interleaved doubles: [frame_count][TILE_LANES], 64-byte aligned; a lane is one channel of one programme
 * (or of one cell of it). Linear, full scale = 1.0. Every kernel is EXACT: all variants equal the scalar reference bit
 * for bit, because lanes are independent, fused multiply-adds are written out, and the order of additions is fixed.
 * No kernel allocates, fails, logs or calls libm beyond sqrt. Float mode is the IEEE default.
 *
 * Scalar reference, AVX2+FMA, AVX-512 (F, BW, DQ, VL), NEON: one file each per family, compiled alone with its flags.
 */
#ifndef WORKER_DSP_DSP_TABLE_H
#define WORKER_DSP_DSP_TABLE_H

#include "common/media/media_facts.h"
#include "worker/dsp/cpu_features.h"

#include <stddef.h>
#include <stdint.h>

enum {
    TILE_LANES = 8,
    TILE_FRAMES_MAX = 512,
    TRUE_PEAK_TAPS = 12,
    TRUE_PEAK_HISTORY = 11 /**< frames kept before a tile for the FIR */
};

/** Per lane state of the two K-weighting biquads (transposed direct form II): BS.1770-5 Annex 1 tables 1 and 2. */
typedef struct k_weighting_state {
    _Alignas(64) double z[4][TILE_LANES];
} k_weighting_state;
/** b0 b1 b2 a1 a2 of both stages. 48 kHz is tabled; other rates are designed at start for the same analogue response. */
typedef struct k_weighting_coefficients {
    double stage[2][5];
} k_weighting_coefficients;

/** One term of a mix: lane `output` of output tile `tile` gets gain x lane `input` of input tile `input_tile`. */
typedef struct mix_term {
    uint16_t input_tile;
    uint16_t input_lane;
    uint16_t output_tile;
    uint16_t output_lane;
    double gain;
} mix_term;

typedef struct quantise_result {
    _Alignas(64) double mix_peak[TILE_LANES];       /**< max |x| before clamping, kept as a running maximum */
    _Alignas(64) double sample_peak[TILE_LANES];    /**< max |x| after */
    uint64_t overload_count[TILE_LANES];            /**< samples clamped */
    uint64_t nonfinite_count[TILE_LANES];
} quantise_result;

typedef struct dsp_table {
    /**
     * Interleaved little-endian samples to lanes: for each i < lane_count, lane lanes[i] of tile[i's frame] = channel
     * channels[i] of source. Other lanes of the tile are left alone. PCM is scaled by 2^-(bits-1) exactly.
     */
    void (*unpack)(sample_encoding encoding, const uint8_t *source, uint32_t source_channels, uint32_t frame_count,
                   uint32_t lane_count, const uint8_t *channels, const uint8_t *lanes, double *tile);
    /** Clears the output tiles and adds the terms in order, one fma per term, frame and lane. */
    void (*mix)(const double *const *input_tiles, double *const *output_tiles, uint32_t output_tile_count,
                const mix_term *terms, uint32_t term_count, uint32_t frame_count);
    /**
     * In place: NaN and infinity become 0 (counted); x becomes the nearest multiple of 2^-(bits-1) (ties to even),
     * clamped to -1 .. 1 - 2^-(bits-1). bits 0 (float output or measuring a file): only non-finite handling and peaks;
     * bits 0xFF (float written): the same, plus rounding to the nearest float.
     */
    void (*quantise)(double *tile, uint32_t frame_count, uint32_t bits, quantise_result *result);
    /** Lanes back to interleaved little-endian samples; the tile is already quantised, so this is exact. */
    void (*pack)(sample_encoding encoding, const double *tile, uint32_t frame_count, uint32_t channel_count,
                 const uint8_t *lanes, uint32_t stride_channels, uint32_t first_channel, uint8_t *destination);
    /** K-weights frame_count frames and adds the squares of each lane to energy[lane], in frame order. */
    void (*k_energy)(const double *tile, uint32_t frame_count, const k_weighting_coefficients *coefficients,
                     k_weighting_state *state, double energy[TILE_LANES]);
    /** max |x| per lane over the frames (a running maximum is not kept). */
    void (*peak)(const double *tile, uint32_t frame_count, double peak[TILE_LANES]);
    /**
     * 4x FIR of BS.1770-5 Annex 2 over the tile: for every frame the four phases of the 12 newest samples; out_peak[lane]
     * = max |y|. tile[-TRUE_PEAK_HISTORY * TILE_LANES ...] holds the frames before it.
     */
    void (*true_peak)(const double *tile, uint32_t frame_count, double out_peak[TILE_LANES]);
} dsp_table;

/** Scalar entries first, then each level the features have overwrites what it has. */
void dsp_table_init(dsp_table *out_table, cpu_features features);

/** Coefficients for a rate. Deterministic arithmetic only: the same bits on every machine (no libm but sqrt). */
void k_weighting_design(uint32_t sample_rate, k_weighting_coefficients *out_coefficients);

/** Largest sum of |tap| of a phase of the true-peak FIR: sample peak x this bounds every inter-sample peak. */
#define TRUE_PEAK_GAIN_MAX 2.023

#endif
