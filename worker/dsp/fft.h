/**
 * Complex FFT of a power of two in double, for analysis that a verdict rests on. Nothing of it reaches a media file.
 *
 * Bit-exact on every machine: a fixed order of additions and multiplications, and twiddles made with sqrt alone (half-angle
 * formulas), because the sine of libm differs between machines in its last bit.
 *
 * Threads: a plan is const once made; it lives in the arena given.
 */
#ifndef WORKER_DSP_FFT_H
#define WORKER_DSP_FFT_H

#include "common/base/arena.h"
#include "worker/dsp/dsp_table.h"

#include <stdint.h>

enum { FFT_LOG2_MAX = 22 };

typedef struct fft_plan {
    const dsp_table *dsp;
    uint32_t size;
    double *cosine;       /**< [size / 2] of the last stage */
    double *sine;         /**< [size / 2] */
    double *stage_cosine; /**< [size] those of the stage that joins transforms of `half` points begin at `half` */
    double *stage_sine;   /**< [size] */
} fft_plan;

/** log2_size 1..FFT_LOG2_MAX */
void fft_plan_init(fft_plan *self, const dsp_table *dsp, uint32_t log2_size, arena *memory);
/** A Hann window of the plan's size, of its cosines. */
double *fft_hann_window(const fft_plan *self, arena *memory);
/** In place, X[k] = sum of x[n] exp(-2 pi i n k / size). Swap re and im for the inverse times size. */
void fft_run(const fft_plan *self, double *re, double *im);

#endif
