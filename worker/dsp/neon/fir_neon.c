/** The FIR kernels over two doubles. */
#include <arm_neon.h>
#include <stddef.h>

typedef float64x2_t fir_vector;
#define FIR_WIDTH 2
#define FIR_INLINE static inline __attribute__((always_inline))
FIR_INLINE fir_vector fir_load(const double *from) { return vld1q_f64(from); }
FIR_INLINE void fir_store(double *to, fir_vector x) { vst1q_f64(to, x); }
FIR_INLINE fir_vector fir_all(double x) { return vdupq_n_f64(x); }
FIR_INLINE fir_vector fir_zero(void) { return vdupq_n_f64(0.0); }
FIR_INLINE fir_vector fir_sub(fir_vector a, fir_vector b) { return vsubq_f64(a, b); }
FIR_INLINE fir_vector fir_add(fir_vector a, fir_vector b) { return vaddq_f64(a, b); }
FIR_INLINE fir_vector fir_fma(fir_vector a, fir_vector b, fir_vector c) { return vfmaq_f64(c, a, b); }

#include "worker/dsp/fir_vectors.h"

void fir_neon_fill(dsp_table *table)
{
    table->fir_odd = fir_odd;
    table->fir_lanes = fir_lanes;
}
