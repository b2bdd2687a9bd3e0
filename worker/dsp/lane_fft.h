/**
 * The discrete Fourier transform of FFT_LANES signals at once in single precision, lane-interleaved like a tile, in
 * steps of dsp_table.fft_radix_64(): every machine the same bits (no libm: the roots of unity come from square roots).
 */
#ifndef WORKER_DSP_LANE_FFT_H
#define WORKER_DSP_LANE_FFT_H

#include "worker/dsp/dsp_table.h"

enum {
    LANE_FFT_LOG2 = 12,
    LANE_FFT_SIZE = 1 << LANE_FFT_LOG2, /**< FFT_RADIX squared */
    LANE_FFT_FLOATS = (LANE_FFT_SIZE + LANE_FFT_SIZE / FFT_RADIX) * FFT_LANES /**< of all rows, and what lies between them */
};

typedef struct lane_fft {
    float cosine[LANE_FFT_SIZE]; /**< cos(2 pi k / LANE_FFT_SIZE), the float nearest to it */
    float sine[LANE_FFT_SIZE];   /**< sin(2 pi k / LANE_FFT_SIZE) */
} lane_fft;

void lane_fft_init(lane_fft *self);
/**
 * Forward transform of LANE_FFT_SIZE complex frames of FFT_LANES lanes. real and imaginary hold the input and, afterwards, the
 * result; work is overwritten. All are [LANE_FFT_FLOATS], rows at fft_row(), 64-byte aligned; work has two of them.
 */
void lane_fft_forward(const lane_fft *self, const dsp_table *dsp, float *real, float *imaginary, float *work);

#endif
