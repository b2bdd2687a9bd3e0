/**
 * The even and odd halves of the true-peak FIR of ITU-R BS.1770-5, Annex 2. Inside worker/dsp only.
 *
 * For a phase with taps P[0..11]: E[k] = (P[k] + P[11-k]) / 2, O[k] = (P[k] - P[11-k]) / 2, k = 0..5. Index 0 is
 * phase 0 (and 3, its reverse), index 1 is phase 1 (and 2). All are multiples of 2^-14 and so exact in double.
 */
#ifndef WORKER_DSP_TRUE_PEAK_TAPS_H
#define WORKER_DSP_TRUE_PEAK_TAPS_H

#define TRUE_PEAK_HALF_TAPS 6

static const double true_peak_even[2][TRUE_PEAK_HALF_TAPS] = {
    {-54.0 / 16384, 212.0 / 16384, -379.0 / 16384, 662.0 / 16384, -1325.0 / 16384, 9089.0 / 16384},
    {-394.0 / 16384, 511.0 / 16384, -901.0 / 16384, 1562.0 / 16384, -3005.0 / 16384, 10198.0 / 16384},
};
static const double true_peak_odd[2][TRUE_PEAK_HALF_TAPS] = {
    {82.0 / 16384, -32.0 / 16384, 57.0 / 16384, -118.0 / 16384, 351.0 / 16384, -6839.0 / 16384},
    {-84.0 / 16384, -31.0 / 16384, 53.0 / 16384, -102.0 / 16384, 277.0 / 16384, -2578.0 / 16384},
};

/**
 * true_peak_over(): blocks of TRUE_PEAK_BLOCK_FRAMES are bounded by (sum of |tap|) x their largest sample, the block before
 * included. The sum of phases 0 and 3 is 1.4342041015625. The slack covers the rounding of denormals; where sums could
 * overflow nothing is left out.
 */
#define TRUE_PEAK_OUTER_GAIN_MAX 1.4343
#define TRUE_PEAK_SLACK 1e-300
#define TRUE_PEAK_PRUNE_MAX 1e300

/**
 * A sieve before the FIR of a block: its six middle taps in single precision, plus all that the outer six can add. With
 * young and old samples of at most R, |E[k] s| + |O[k] d| <= max(|E[k]|, |O[k]|) x 2 R; for k = 0..2 of phases 1 and 2 that
 * is 0.22046 R, of 0 and 3 less. The rest of the gain covers the single precision: 2.03 R x 8 roundings of 2^-24 are
 * 1e-6 R. Samples are nudged, so that no denormal is computed with; the nudge is below the slack. Beyond
 * TRUE_PEAK_SIEVE_MAX sums could overflow, and nothing is left out.
 */
#define TRUE_PEAK_SIEVE_TAPS 3 /* of a half: k = 3..5 */
#define TRUE_PEAK_SIEVE_GAIN 0.2206
#define TRUE_PEAK_SIEVE_NUDGE 0x1p-60
#define TRUE_PEAK_SIEVE_SLACK 0x1p-50
#define TRUE_PEAK_SIEVE_MAX 1e30

#endif
