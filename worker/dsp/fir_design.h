/**
 * Taps of the fixed filters: computed where they are used, with additions, multiplications, divisions and square roots only,
 * whose results IEEE 754 fixes to the last bit. The same taps on every machine, and no libm.
 */
#ifndef WORKER_DSP_FIR_DESIGN_H
#define WORKER_DSP_FIR_DESIGN_H

#include <stdint.h>

/**
 * A 90 degree phase shifter for dsp_table.fir_odd(): h[k] = 2 / (pi k) for odd k, Kaiser window over reach + 1, beta 8.
 * taps[(reach + 1) / 2]; reach is odd. cos becomes sin: the output lags by 90 degrees. The phase is exact by symmetry; with a
 * reach of 2047 at 48 kHz the magnitude is 1 within 0.1 dB from 25 Hz to 23,975 Hz and within 0.01 dB from 29 Hz to
 * 23,971 Hz.
 */
void fir_design_phase_90(uint32_t reach, double *taps);

#endif
