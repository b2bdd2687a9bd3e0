/**
 * Taps of the fixed filters: computed where they are used, with additions, multiplications, divisions and square roots only,
 * whose results IEEE 754 fixes to the last bit. The same taps on every machine, and no libm.
 */
#ifndef WORKER_DSP_FIR_DESIGN_H
#define WORKER_DSP_FIR_DESIGN_H

#include <stdbool.h>
#include <stdint.h>

/**
 * A 90 degree phase shifter for dsp_table.fir_odd(): h[k] = 2 / (pi k) for odd k, Kaiser window over reach + 1, beta 8.
 * taps[(reach + 1) / 2]; reach is odd. cos becomes sin: the output lags by 90 degrees. The phase is exact by symmetry; with a
 * reach of 2047 at 48 kHz the magnitude is 1 within 0.1 dB from 25 Hz to 23,975 Hz and within 0.01 dB from 29 Hz to
 * 23,971 Hz.
 */
void fir_design_phase_90(uint32_t reach, double *taps);

/** A conversion of the sample rate by up / down: for dsp_table.fir_lanes(), one set of taps for each of `up` phases. */
typedef struct fir_resample_plan {
    uint32_t up, down;   /**< output rate / input rate in lowest terms */
    uint32_t tap_count;  /**< of each phase; a multiple of 4 */
    uint32_t before;     /**< taps on frames before the output's place, that frame included */
} fir_resample_plan;

enum { RESAMPLE_PHASES_MAX = 4096 };

/** False when the ratio has more than RESAMPLE_PHASES_MAX phases, or is no use (0, or over 16 to 1). */
bool fir_resample_plan_init(fir_resample_plan *self, uint64_t rate_in, uint64_t rate_out);
/**
 * Output frame m lies at input frame m x down / up = i + phase / up; it is the sum over k of
 * taps[phase][k] x input frame (i - before + 1 + k). taps[up x tap_count].
 *
 * sinc with its middle at 0.9565 of the lower Nyquist frequency under a Kaiser window, beta 18.5: flat within 1e-6 dB to
 * 0.913 of that frequency, images and aliases at most -175 dB from it on. No delay.
 */
void fir_design_resample(const fir_resample_plan *self, double *taps);

enum {
    M_WEIGHTING_REACH_48K = 47, /**< taps to either side at up to 48 kHz; as many more as the rate is higher */
    M_WEIGHTING_TAPS_MAX = 2 * M_WEIGHTING_REACH_48K * 8 + 4
};
/**
 * The M weighting of ISO 21727 (the curve of ITU-R BS.468-4, 0 dB at 2 kHz) for dsp_table.fir_lanes(): antisymmetric, so that it
 * falls to nothing at 0 Hz; the phase does not matter to a power. taps[M_WEIGHTING_TAPS_MAX]; returns their number, a
 * multiple of 4, or 0 for a rate over 384 kHz. Within 0.06 dB of the curve from 31.5 Hz to 20 kHz at 48 kHz; the curve
 * itself is within 0.1 dB of the table.
 */
uint32_t fir_design_m_weighting(uint32_t sample_rate, double *taps);

#endif
