#include <arm_neon.h>

#define SIGNAL_WIDTH 2
#define SIGNAL_FMA(a, b, c) vfmaq_f64(c, a, b)
#define SIGNAL_LARGER(a, b) vbslq_f64(vcgtq_f64(a, b), a, b)
#include "worker/dsp/signal_lanes.h"

void signal_neon_fill(dsp_table *table)
{
    table->signal_measure = signal_measure_lanes;
    table->lane_sums = lane_sums_lanes;
    table->used_bits = used_bits_lanes;
    table->pcm_bits = pcm_bits_lanes;
    table->spectrum = spectrum_of_lanes;
}
