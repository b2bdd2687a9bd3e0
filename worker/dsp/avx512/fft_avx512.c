#include <immintrin.h>

#define FFT_WIDTH 8
#define FFT_ROOT(x) _mm512_sqrt_ps(x)
#define FFT_LOWER(a, b) _mm512_min_ps(a, b)
#define FFT_HIGHER(a, b) _mm512_max_ps(a, b)
#define FFT_NARROW(from) ((fft_eight)_mm512_cvtpd_ps(_mm512_load_pd(from)))
#define FFT_PAST_CACHE(to, sixteen) _mm512_stream_ps(to, (__m512)(sixteen))
#include "worker/dsp/fft_lanes.h"

void fft_avx512_fill(dsp_table *table)
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
