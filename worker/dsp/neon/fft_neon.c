#include <arm_neon.h>

#define FFT_WIDTH 2
#define FFT_ROOT(x) vsqrtq_f32(x)
#define FFT_LOWER(a, b) vbslq_f32(vcltq_f32(a, b), a, b)
#define FFT_HIGHER(a, b) vbslq_f32(vcgtq_f32(a, b), a, b)
#define FFT_NARROW(from) __builtin_convertvector(*(const fft_eight_doubles *)(const void *)(from), fft_eight)
#define FFT_PAST_CACHE(to, sixteen) memcpy(to, &(sixteen), sizeof(sixteen))
#include "worker/dsp/fft_lanes.h"

void fft_neon_fill(dsp_table *table)
{
    table->fft_radix_64 = fft_radix_64;
    table->fft_join = fft_join;
    table->lanes_of_rows = lanes_of_rows;
    table->rows_of_tile = rows_of_tile;
    table->rows_of_lanes = rows_of_lanes;
    table->lane_products = lane_products;
    table->lines_apart = lines_apart;
    table->lines_together = lines_together;
    table->lane_peaks = lane_peaks;
    table->cross_windows = cross_windows;
    table->mean_powers = mean_powers;
    table->even_out = even_out;
}
