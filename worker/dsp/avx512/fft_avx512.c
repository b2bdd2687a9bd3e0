#define FFT_WIDTH 8
#include "worker/dsp/fft_lanes.h"

void fft_avx512_fill(dsp_table *table)
{
    table->fft_radix_4 = fft_radix_4;
    table->lane_squares = lane_squares;
}
