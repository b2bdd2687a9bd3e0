/** The FIR kernels one double at a time: the reference. */
#include <stddef.h>

typedef double fir_vector;
#define FIR_WIDTH 1
#define FIR_INLINE static inline __attribute__((always_inline))
FIR_INLINE fir_vector fir_load(const double *from) { return *from; }
FIR_INLINE void fir_store(double *to, fir_vector x) { *to = x; }
FIR_INLINE fir_vector fir_all(double x) { return x; }
FIR_INLINE fir_vector fir_zero(void) { return 0.0; }
FIR_INLINE fir_vector fir_sub(fir_vector a, fir_vector b) { return a - b; }
FIR_INLINE fir_vector fir_add(fir_vector a, fir_vector b) { return a + b; }
FIR_INLINE fir_vector fir_fma(fir_vector a, fir_vector b, fir_vector c) { return __builtin_fma(a, b, c); }

#include "worker/dsp/fir_vectors.h"

void fir_scalar_fill(dsp_table *table)
{
    table->fir_odd = fir_odd;
    table->fir_lanes = fir_lanes;
}
