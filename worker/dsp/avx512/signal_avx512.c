#include <immintrin.h>

#define SIGNAL_WIDTH 8
#define SIGNAL_FMA(a, b, c) _mm512_fmadd_pd(a, b, c)
#define SIGNAL_LARGER(a, b) _mm512_max_pd(a, b)
#define SIGNAL_COUNT_BELOW(count, x, bound)                                                                              \
    ((signal_masks)_mm512_mask_sub_epi64((__m512i)(count), _mm512_cmp_pd_mask(x, bound, _CMP_LT_OQ), (__m512i)(count), \
                                         _mm512_set1_epi64(-1)))
#include "worker/dsp/signal_lanes.h"

void signal_avx512_fill(dsp_table *table)
{
    table->signal_measure = signal_measure_lanes;
    table->lane_sums = lane_sums_lanes;
    table->used_bits = used_bits_lanes;
    table->pcm_bits = pcm_bits_lanes;
    table->spectrum = spectrum_of_lanes;
}
