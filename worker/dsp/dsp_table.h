/**
 * The signal-processing kernels as one table of functions, filled at start for what the CPU has.
 *
 * A tile is lane-interleaved doubles: [frame_count][TILE_LANES], 64-byte aligned; a lane is one channel of one
 * programme (or of one cell of it). Linear, full scale = 1.0. Every kernel is EXACT: all variants equal the scalar
 * reference bit for bit (any NaN equals any NaN), because lanes are independent, fused multiply-adds are written out,
 * and the order of additions is fixed. No kernel allocates, fails, logs or calls libm beyond sqrt and fma. Float mode
 * is the IEEE default.
 *
 * Scalar reference, AVX2+FMA, AVX-512 (F, BW, DQ, VL), NEON: one file each per family, compiled alone with its flags.
 * Tiles of 256 frames (16 KiB) stay in a first-level cache next to their source; that is the quickest size.
 */
#ifndef WORKER_DSP_DSP_TABLE_H
#define WORKER_DSP_DSP_TABLE_H

#include "common/media/media_facts.h"
#include "worker/dsp/cpu_features.h"

#include <stddef.h>
#include <stdint.h>

enum {
    TILE_LANES = 8,
    FFT_LANES = 16, /**< of single precision, as wide as a tile's row */
    FFT_RADIX = 64,
    TILE_FRAMES_MAX = 512,
    TRUE_PEAK_TAPS = 12,
    TRUE_PEAK_HISTORY = 11, /**< frames kept before a tile for the FIR */
    TRUE_PEAK_BLOCK_FRAMES = 16, /**< that are looked at, or left out, together */
    TILE_BLOCKS_MAX = TILE_FRAMES_MAX / TRUE_PEAK_BLOCK_FRAMES
};

/** Values of `bits` of quantise() that name no PCM depth. */
enum { QUANTISE_MEASURE_ONLY = 0, QUANTISE_FLOAT_32 = 0xFF };

/**
 * Largest sum of |tap| of a phase of the true-peak FIR (2.0228271484375): sample peak x this bounds every true peak.
 */
#define TRUE_PEAK_GAIN_MAX 2.023

/**
 * State below this is cleared at the end of k_energy(), so that no denormal is ever computed in a programme's
 * silence.
 */
#define K_WEIGHTING_STATE_MIN 1e-30

/** Per lane state of the two K-weighting biquads (direct form II): w[n-1], w[n-2] of stage 1, then of stage 2. */
typedef struct k_weighting_state {
    _Alignas(64) double z[4][TILE_LANES];
} k_weighting_state;
/**
 * b0 b1 b2 a1 a2 of both stages. 48 kHz is tabled; other rates are designed at start for the same analogue response.
 * Stage 2 has b = 1, -2, 1 at every rate (BS.1770-5 Annex 1 table 2); k_energy() relies on it and does not read it.
 * k_energy() runs stage 1 divided by its b0, which saves a multiplication a frame, so its energies are to be
 * multiplied by b0^2.
 */
typedef struct k_weighting_coefficients {
    double stage[2][5];
    double shelf[2];    /* b1 / b0 and b2 / b0 of stage 1 */
    double energy_gain; /* b0^2 of stage 1 */
} k_weighting_coefficients;

/** One term of a mix: lane `output` of output tile `tile` gets gain x lane `input` of input tile `input_tile`. */
typedef struct mix_term {
    uint16_t input_tile;
    uint16_t input_lane;
    uint16_t output_tile;
    uint16_t output_lane;
    double gain;
} mix_term;

/** Running figures: quantise() raises the peaks and adds to the counts. Zero at the start of a cell. */
typedef struct quantise_result {
    _Alignas(64) double mix_peak[TILE_LANES];       /**< max |x| of the finite x before clamping */
    _Alignas(64) double sample_peak[TILE_LANES];    /**< max |x| after */
    uint64_t overload_count[TILE_LANES];            /**< samples clamped */
    uint64_t nonfinite_count[TILE_LANES];
} quantise_result;

/** Samples below this (-96.3 dBFS) are quiet: under one step of 16 bits, above the dither of 24. */
#define SIGNAL_QUIET 0x1p-16
/** Added to a sample, it leaves sample x 2^31 in the low bits of the sum: one step of it is 2^-31. */
#define SIGNAL_BITS_SHIFT 0x1.8p21
/** In used_bits(): a sample was no multiple of 2^-31 (float). */
#define SIGNAL_BITS_FINER (UINT64_C(1) << 32)

/** Frames of one spectrum. */
enum { SPECTRUM_FRAMES = 256 };

/** What signal_measure() gives for one tile. */
typedef struct signal_sums {
    _Alignas(64) double energy[TILE_LANES]; /**< sum of x^2 */
    double cross[TILE_LANES];               /**< sum of x times the sample of lane ^ 1 */
    double rough[TILE_LANES];               /**< sum of the squared fourth difference */
    double rough_peak[TILE_LANES];          /**< its largest magnitude */
    double tone[3][TILE_LANES];             /**< sums of (x[n] + x[n-2])^2, (x[n] + x[n-2]) x[n-1], x[n-1]^2 */
    uint64_t quiet_count[TILE_LANES];       /**< samples below SIGNAL_QUIET */
} signal_sums;

/**
 * Where a frame's row of FFT_LANES floats begins. Behind each FFT_RADIX rows lies one that is none: a transform reads rows that lie
 * powers of two apart, and these would share a few sets of the cache.
 */
static inline size_t fft_row(uint32_t frame)
{
    return ((size_t)frame + frame / FFT_RADIX) * FFT_LANES;
}

/** Lines of two spectra, both parts of each, in rows of FFT_LANES. */
typedef struct line_parts {
    float *even_re, *even_im, *odd_re, *odd_im;
} line_parts;

/** A spectrum with the weight of each bin. */
typedef struct spectrum_part {
    const float *re, *im, *weight;
} spectrum_part;
typedef struct cross_sums {
    float *re, *im, *squares;
} cross_sums;
/** A spectrum of even power, and the roots of the amplitude that it had at each bin and of one over that. */
typedef struct even_spectrum {
    float *re, *im;
    float *level, *inverse;
} even_spectrum;
enum { MEAN_REACH = 8, MEAN_BINS_MAX = 2048 };
/** Sums of a lane's squares that go side by side. */
enum { SQUARES_ABREAST = 4 };

/** What unpack_metered() finds in a tile. */
typedef struct tile_meter {
    _Alignas(64) double peaks[TILE_BLOCKS_MAX][TILE_LANES]; /**< peak() of each block; the last may be shorter */
    double energy[TILE_LANES];                              /**< as of k_energy() from 0 on */
} tile_meter;

typedef struct dsp_table {
    /**
     * Interleaved little-endian samples to lanes: for each i < lane_count, lane lanes[i] of each frame = channel
     * channels[i] of source. Other lanes of the tile are left alone.
     *
     * Shape      source: [frame_count][source_channels] samples; tile: [frame_count][TILE_LANES]; lane_count
     *            0..TILE_LANES, lanes[] all different, channels[] in any order and repeated at will
     * Units      PCM is scaled by 2^-(bits-1), exactly; float is taken as it is
     * State      none
     * Memory     source: any alignment, never read outside its frame_count x source_channels samples; tile: 64 bytes
     * Rates      any
     * Odd input  NaN and infinity pass through (quantise() or the caller screens them)
     * Errors     none; a wrong encoding is our own bug and leaves the tile alone
     * Exactness  EXACT
     * Source     none
     * Proof      tests/kernels/check_unpack.c
     */
    void (*unpack)(sample_encoding encoding, const uint8_t *source, uint32_t source_channels, uint32_t frame_count,
                   uint32_t lane_count, const uint8_t *channels, const uint8_t *lanes, double *tile);
    /**
     * Clears the output tiles and adds the terms in order, one fma per term, frame and lane.
     *
     * Shape      tiles [frame_count][TILE_LANES]; terms in any order; a lane without a term becomes 0
     * Units      linear; gains linear
     * State      none
     * Memory     output tiles must not overlap inputs or each other; 64-byte aligned
     * Rates      any
     * Odd input  NaN and infinity spread to the lanes whose terms name them and to no other
     * Errors     none; an index outside the tiles is our own bug
     * Exactness  EXACT
     * Source     none
     * Proof      tests/kernels/check_mix.c
     */
    void (*mix)(const double *const *input_tiles, double *const *output_tiles, uint32_t output_tile_count,
                const mix_term *terms, uint32_t term_count, uint32_t frame_count);
    /**
     * In place: NaN, infinity and whatever a 32-bit float cannot hold (|x| > FLT_MAX) become 0 (counted as non-finite:
     * no energy made from the rest overflows); x becomes the nearest multiple of 2^-(bits-1) (ties to even),
     * clamped to -1 .. 1 - 2^-(bits-1); a sample outside that range after rounding is counted as an overload.
     * bits 0 (measuring a file): only non-finite handling and peaks; bits 0xFF (float written): the same, plus rounding
     * to the nearest float. Neither can overload.
     *
     * Shape      tile [frame_count][TILE_LANES], all lanes
     * Units      linear, full scale = 1.0
     * State      result: peaks are raised, counts are added to
     * Memory     in place; tile and result 64-byte aligned
     * Rates      any
     * Odd input  as above; a PCM depth never leaves -0; bits 0 and 0xFF keep the sign of zero
     * Errors     none; bits is 0, 8..32 or 0xFF
     * Exactness  EXACT
     * Source     none
     * Proof      tests/kernels/check_quantise.c
     */
    void (*quantise)(double *tile, uint32_t frame_count, uint32_t bits, quantise_result *result);
    /**
     * Lanes back to interleaved little-endian samples: sample first_channel + i of each frame = lane lanes[i].
     *
     * Shape      destination: [frame_count][stride_channels] samples, channels first_channel .. + channel_count
     *            written
     * Units      PCM x 2^(bits-1); float32 rounds to nearest; float64 as it is
     * State      none
     * Memory     destination: any alignment, not a byte but those samples is written or read; must not overlap the
     *            tile
     * Rates      any
     * Odd input  none for PCM: the tile must hold what quantise() left for at most this depth, so this is exact
     * Errors     none; a wrong encoding is our own bug and writes nothing
     * Exactness  EXACT
     * Source     none
     * Proof      tests/kernels/check_pack.c
     */
    void (*pack)(sample_encoding encoding, const double *tile, uint32_t frame_count, uint32_t channel_count,
                 const uint8_t *lanes, uint32_t stride_channels, uint32_t first_channel, uint8_t *destination);
    /**
     * K-weights frame_count frames and adds the squares of each lane, divided by energy_gain, to energy[lane], in frame
     * order, one fma each.
     *
     * Shape      tile [frame_count][TILE_LANES]; frame_count 0..TILE_FRAMES_MAX
     * Units      linear; energy x energy_gain is a sum of squares, unweighted
     * State      zero at the start; updated in place. At the end of the call every |z| < K_WEIGHTING_STATE_MIN
     *            becomes 0: where calls are cut is part of the arithmetic and must follow from the position alone
     * Memory     64-byte aligned; energy any alignment
     * Rates      coefficients of k_weighting_design()
     * Odd input  NaN or infinity poisons that lane until the state is cleared; the caller screens first
     * Errors     none
     * Exactness  EXACT
     * Source     ITU-R BS.1770-5, Annex 1, tables 1 and 2. Both biquads run in direct form II (the recursion then
     *            costs one fma of latency per frame); its rounding acts like noise below -215 dBFS at 48 kHz
     * Proof      tests/kernels/check_k_energy.c
     */
    void (*k_energy)(const double *tile, uint32_t frame_count, const k_weighting_coefficients *coefficients,
                     k_weighting_state *state, double energy[TILE_LANES]);
    /**
     * unpack() of PCM, k_energy() of that tile and peak() of its blocks, in one pass. Lanes that are not listed hold 0.
     * self: the table of which this is an entry. Proof: tests/kernels/check_unpack.c. Otherwise as those three.
     */
    void (*unpack_metered)(const struct dsp_table *self, sample_encoding encoding, const uint8_t *source,
                           uint32_t source_channels, uint32_t frame_count, uint32_t lane_count, const uint8_t *channels,
                           const uint8_t *lanes, double *tile, const k_weighting_coefficients *coefficients,
                           k_weighting_state *state, tile_meter *out_meter);
    /**
     * max |x| per lane over the frames (a running maximum is not kept); 0 for no frames.
     *
     * Shape      tile [frame_count][TILE_LANES]
     * Units      linear
     * State      none
     * Memory     tile 64-byte aligned; peak any alignment
     * Rates      any
     * Odd input  NaN is passed over; infinity counts
     * Errors     none
     * Exactness  EXACT
     * Source     none
     * Proof      tests/kernels/check_peak.c
     */
    void (*peak)(const double *tile, uint32_t frame_count, double peak[TILE_LANES]);
    /**
     * 4x FIR of BS.1770-5 Annex 2 over the tile: for every frame the four phases of the 12 newest samples;
     * out_peak[lane] = max |y|. tile[-TRUE_PEAK_HISTORY * TILE_LANES ...] holds the frames before it.
     *
     * Shape      tile [-TRUE_PEAK_HISTORY .. frame_count)[TILE_LANES]
     * Units      linear; the attenuation of 12.04 dB in the Annex is for integers and not needed here
     * State      none (the history is in the tile)
     * Memory     tile 64-byte aligned; out_peak any alignment
     * Rates      4x at every rate; Annex 2 asks for only 2x from 96 kHz on, the same FIR reads no lower there
     * Odd input  a phase that is NaN is passed over
     * Errors     none
     * Exactness  EXACT; the taps are multiples of 2^-13, so for PCM of up to 32 bits each y is the true sum,
     *            unrounded
     * Source     ITU-R BS.1770-5, Annex 2, table of 48 taps. Phases 2 and 3 are 1 and 0 reversed: with E and O the
     *            sums over the even and odd part of the taps, a pair of phases is E + O and E - O, its maximum |E| +
     *            |O|
     * Proof      tests/kernels/check_true_peak.c
     */
    void (*true_peak)(const double *tile, uint32_t frame_count, double out_peak[TILE_LANES]);
    /**
     * true_peak() for the lanes of lane_mask only (bit i is lane i); other entries of out_peak are left alone.
     * Quicker than all lanes for up to about four; the same bits in any case.
     */
    void (*true_peak_lanes)(const double *tile, uint32_t frame_count, uint32_t lane_mask,
                            double out_peak[TILE_LANES]);
    /**
     * The larger of floor[lane] and true_peak(), per lane: what cannot pass the floor need not be computed. The bound on
     * a frame is (sum of |tap|) x the largest |sample| near it, so the result is exact in every variant whatever is left
     * out. floor and out_peak may be the same. floor: no NaN, not negative. sample_peak gets what peak() would give: the
     * bounds are made of it. block_peaks: peak() of each block of the tile where somebody has them, or NULL.
     */
    void (*true_peak_over)(const double *tile, uint32_t frame_count, const double floor[TILE_LANES],
                           const double (*block_peaks)[TILE_LANES], double out_peak[TILE_LANES],
                           double sample_peak[TILE_LANES]);
    /**
     * The same FIR, located: out_frames[frame][lane] = max |y| of the four phases whose newest sample is that frame
     * (0 when all are NaN). out_frames: [frame_count][TILE_LANES], 64-byte aligned, not overlapping the tile.
     * Otherwise as true_peak(); the largest of a lane is what true_peak() gives.
     */
    void (*true_peak_frames)(const double *tile, uint32_t frame_count, double *out_frames);
    /**
     * Sums over a tile from which the signal checks are judged. The fourth difference x[n] - 4 x[n-1] + 6 x[n-2] -
     * 4 x[n-3] + x[n-4] leaves clicks and steps and little else; a pure tone makes x[n] + x[n-2] a multiple of x[n-1].
     *
     * Shape      tile [-4 .. frame_count)[TILE_LANES]
     * Units      linear
     * State      none (the history is in the tile); out is set, not added to
     * Memory     tile and out 64-byte aligned
     * Rates      any
     * Odd input  NaN spreads in its lane and its neighbour's cross sum; it never counts as a peak or as quiet
     * Errors     none
     * Exactness  EXACT: one fma per product and sum (the difference: 6 x[n-2] last); the products of cross are rounded, as they are
     *            where the lanes of a pair do not lie side by side; every sum runs in frame order
     * Source     none
     * Proof      tests/kernels/check_signal.c
     */
    void (*signal_measure)(const double *tile, uint32_t frame_count, signal_sums *out);
    /**
     * Sum of each lane in frame order, of each of so many stretches of frame_count frames, one behind the other; set, not added
     * to. tile 64-byte aligned, sums any. Otherwise as signal_measure().
     */
    void (*lane_sums)(const double *tile, uint32_t frame_count, uint32_t stretch_count, double (*sums)[TILE_LANES]);
    /**
     * Ors each sample x 2^31 as a 32-bit word into bits[lane], and SIGNAL_BITS_FINER where that is not exact (samples beyond
     * 2^20 count as inexact too). tile 64-byte aligned. Otherwise as signal_measure().
     */
    void (*used_bits)(const double *tile, uint32_t frame_count, uint64_t bits[TILE_LANES]);
    /** used_bits() of samples that are multiples of 2^-31 within -1 .. 1: nothing can be finer, and nobody looks. */
    void (*pcm_bits)(const double *tile, uint32_t frame_count, uint64_t bits[TILE_LANES]);
    /**
     * Power spectrum of the tile's first SPECTRUM_FRAMES frames, lane by lane: band k of SPECTRUM_FRAMES / 2 lies at k /
     * SPECTRUM_FRAMES of the rate, and a sine of amplitude 1 has the power 0.5. Even samples are the real part and odd ones
     * the imaginary part of a transform of half the size.
     *
     * Shape      tile [SPECTRUM_FRAMES][TILE_LANES]; window [SPECTRUM_FRAMES], adding up to half its length; turn
     *            [SPECTRUM_FRAMES / 2] cos and -sin of 2 pi k / SPECTRUM_FRAMES; power [SPECTRUM_FRAMES / 2][TILE_LANES];
     *            lines, real and imaginary parts without a scale, of as many, or NULL
     * Units      linear
     * State      none; power and lines are set, not added to
     * Memory     tile, power and lines 64-byte aligned
     * Rates      any
     * Odd input  NaN and infinity stay in their lane
     * Errors     none
     * Exactness  EXACT: every product is rounded
     * Source     none
     * Proof      tests/kernels/check_signal.c
     */
    void (*spectrum)(const double *tile, const double *window, const double (*turn)[2], double (*power)[TILE_LANES],
                     double (*lines)[2][TILE_LANES]);
    /**
     * Three radix-4 steps of Stockham's Fourier transform of `size` frames, from blocks of `stride` frames that are in order
     * already to blocks of FFT_RADIX times as many.
     *
     * Shape      re, im, out_re, out_im [size] rows of FFT_LANES, at fft_row(); size FFT_RADIX times a power of 4, stride a power
     *            of 4 up to size / FFT_RADIX; cosine and sine [size] of 2 pi k / size
     * Units      linear
     * State      none
     * Memory     64-byte aligned; the output does not overlap the input
     * Rates      any
     * Odd input  NaN and infinity stay in their lane
     * Errors     none
     * Exactness  EXACT: every product is rounded, in single precision
     * Source     none
     * Proof      tests/kernels/check_fft.c
     */
    void (*fft_radix_64)(const float *cosine, const float *sine, uint32_t size, uint32_t stride, const float *re, const float *im,
                         float *out_re, float *out_im);
    /**
     * Two stages of fft_run(), of four transforms of `quarter` points that lie side by side one of four times as many; so
     * `count` times, one behind the other.
     *
     * Shape      re, im [count][4 x quarter]; quarter a power of 4; cosine and sine [4 x quarter], those of the stage that joins
     *            transforms of `half` points from `half` on
     * Units      linear
     * State      none
     * Memory     any alignment; in place
     * Rates      any
     * Odd input  NaN and infinity spread as in the transform
     * Errors     none
     * Exactness  EXACT: every product is rounded
     * Source     none
     * Proof      tests/kernels/check_fft.c
     */
    void (*fft_join)(const double *cosine, const double *sine, uint32_t quarter, uint32_t count, double *re, double *im);
    /** out[i][l] = rows[l][i] x scale[i]. rows [FFT_LANES][count], scale [count], out [count][FFT_LANES], 64-byte aligned. */
    void (*lanes_of_rows)(const float *const *rows, const float *scale, uint32_t count, float *out);
    /**
     * rows[l][i] = tile[i][l] in single precision, l below lane_count; NULL: nobody wants that lane. tile
     * [frame_count][TILE_LANES], 64-byte aligned; where all rows are, they are written past the cache. Adds the squares of each
     * lane, wanted or not, to squares[l]: with s[i] the sum of those of frames i, i + SQUARES_ABREAST and so on, every product
     * rounded, (s[0] + s[1]) + (s[2] + s[3]).
     */
    void (*rows_of_tile)(const double *tile, uint32_t frame_count, uint32_t lane_count, float *const *rows,
                         double squares[TILE_LANES]);
    /** rows[l][i] = lanes[i][l]. lanes [count][FFT_LANES], 64-byte aligned; rows [FFT_LANES][count], apart. */
    void (*rows_of_lanes)(const float *lanes, uint32_t count, float *const *rows);
    /**
     * Lines of the transform of two real signals, one as its real and one as its imaginary part, taken apart into those of each:
     * even_re = (re + mirror_re) / 2, even_im = (im - mirror_im) / 2, odd_re = (im + mirror_im) / 2, odd_im = (mirror_re - re) / 2,
     * both parts 0 where one of them is no finite number. The mirror of line i lies i rows before `mirror_re` and `mirror_im`.
     *
     * Shape      count rows of FFT_LANES each, one behind the other
     * Units      linear
     * State      none
     * Memory     64-byte aligned; what is written does not overlap what is read
     * Rates      any
     * Odd input  NaN and infinity become 0
     * Errors     none
     * Exactness  EXACT: every sum is rounded, in single precision
     * Source     none
     * Proof      tests/kernels/check_spectra.c
     */
    void (*lines_apart)(const float *re, const float *im, const float *mirror_re, const float *mirror_im, uint32_t count,
                        const line_parts *out);
    /**
     * The other way round, for the transform of what two spectra are the transforms of: re = even_re - odd_im, im = even_im +
     * odd_re, mirror_re = even_re + odd_im, mirror_im = odd_re - even_im. NaN and infinity stay in their lane. Otherwise as
     * lines_apart().
     */
    void (*lines_together)(const line_parts *lines, uint32_t count, float *re, float *im, float *mirror_re, float *mirror_im);
    /**
     * Of each lane the largest |row -d| x widths[|d|] of d = -reach to reach, and the first d that has it; 0 and 0 where none is
     * above 0. NaN is never the largest.
     *
     * Shape      lanes [size] rows of FFT_LANES, at fft_row(), row -d being row size - d where d is above 0; widths [reach + 1];
     *            heights and places [FFT_LANES]; reach below size / 2
     * Otherwise as cross_windows().
     */
    void (*lane_peaks)(const float *lanes, uint32_t size, uint32_t reach, const float *widths, float *heights, int32_t *places);
    /**
     * The cross-spectrum of a source and a host over their windows, bin by bin: with c the smaller of source weight x host weight
     * and weight_most, re = the sum of c (host x conjugate of source), window after window, im likewise, squares that of c c.
     *
     * Shape      sources and hosts [window_count]; each part and sum [bin_count]
     * Units      linear
     * State      none
     * Memory     any alignment; sums do not overlap the parts
     * Rates      any
     * Odd input  NaN and infinity stay in their bin; a weight that is NaN counts as weight_most
     * Errors     none
     * Exactness  EXACT: every product is rounded, in single precision
     * Source     none
     * Proof      tests/kernels/check_spectra.c
     */
    void (*cross_windows)(const spectrum_part *sources, const spectrum_part *hosts, uint32_t window_count, float weight_most,
                          uint32_t bin_count, const cross_sums *sums);
    /**
     * The power of each bin, and the mean of it and of MEAN_REACH bins on each side, as far as there are any.
     *
     * Shape      re, im, powers, means [bin_count], a multiple of 16 up to MEAN_BINS_MAX
     * Otherwise as cross_windows().
     */
    void (*mean_powers)(const float *re, const float *im, uint32_t bin_count, float *powers, float *means);
    /**
     * A spectrum brought to even power: each bin over the root of what `means` says of it, where less than `least`, or no number,
     * counts as that, and more than `most` as that. bin_count a multiple of 16. Otherwise as cross_windows().
     */
    void (*even_out)(const float *re, const float *im, const float *means, uint32_t bin_count, float least, float most,
                     const even_spectrum *out);
    /** products[i][j] += lane i of tile a x lane j of tile b, in frame order; a and b may be the same. Otherwise as above. */
    void (*lane_products)(const double *a, const double *b, uint32_t frame_count, double (*products)[TILE_LANES]);
    /**
     * An antisymmetric FIR without even taps over one lane: out[n] = sum over p of taps[p] x (samples[n - 2p - 1] -
     * samples[n + 2p + 1]), p rising from 0, one fma each. The taps of fir_design_phase_90() make it a phase shifter.
     *
     * Shape      samples [-(2 pair_count - 1) .. frame_count + 2 pair_count - 1), one lane; out [frame_count]
     * Units      linear
     * State      none
     * Memory     any alignment; out does not overlap samples
     * Rates      any
     * Odd input  NaN and infinity spread over the filter's length
     * Errors     none
     * Exactness  EXACT
     * Source     none
     * Proof      tests/kernels/check_fir.c
     */
    void (*fir_odd)(const double *samples, const double *taps, uint32_t pair_count, uint32_t frame_count, double *out);
    /**
     * One output frame of a FIR over all lanes: four chains over the taps k mod 4, each in order with one fma per tap, then
     * (chain 0 + chain 1) + (chain 2 + chain 3).
     *
     * Shape      tile [tap_count][TILE_LANES], oldest first; tap_count a multiple of 4; out [TILE_LANES]
     * Otherwise as fir_odd().
     */
    void (*fir_lanes)(const double *tile, const double *taps, uint32_t tap_count, double *out);
} dsp_table;

/** Scalar entries first, then each level the features have overwrites what it has. `features` must be usable here. */
void dsp_table_init(dsp_table *out_table, cpu_features features);

/** Coefficients for a rate. Deterministic arithmetic only: the same bits on every machine (no libm at all). */
void k_weighting_design(uint32_t sample_rate, k_weighting_coefficients *out_coefficients);

#endif
