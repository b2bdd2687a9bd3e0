#include <immintrin.h>

#define FFT_WIDTH 4
#define FFT_ROOT(x) _mm256_sqrt_ps(x)
#define FFT_LOWER(a, b) _mm256_min_ps(a, b)
#define FFT_HIGHER(a, b) _mm256_max_ps(a, b)
#define FFT_NARROW(from) \
    ((fft_eight)_mm256_set_m128(_mm256_cvtpd_ps(_mm256_load_pd((from) + 4)), _mm256_cvtpd_ps(_mm256_load_pd(from))))
#define FFT_PAST_CACHE(to, sixteen)                                            \
    (_mm256_stream_ps(to, _mm256_load_ps((const float *)(const void *)&(sixteen))), \
     _mm256_stream_ps((to) + 8, _mm256_load_ps((const float *)(const void *)&(sixteen) + 8)))
#include "worker/dsp/fft_lanes.h"

void fft_avx2_fill(dsp_table *table)
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
