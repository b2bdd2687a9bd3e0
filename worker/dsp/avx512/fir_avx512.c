/** The FIR kernels over eight doubles. */
#include <immintrin.h>
#include <stddef.h>

typedef __m512d fir_vector;
#define FIR_WIDTH 8
#define FIR_INLINE static inline __attribute__((always_inline))
FIR_INLINE fir_vector fir_load(const double *from) { return _mm512_loadu_pd(from); }
FIR_INLINE void fir_store(double *to, fir_vector x) { _mm512_storeu_pd(to, x); }
FIR_INLINE fir_vector fir_all(double x) { return _mm512_set1_pd(x); }
FIR_INLINE fir_vector fir_zero(void) { return _mm512_setzero_pd(); }
FIR_INLINE fir_vector fir_sub(fir_vector a, fir_vector b) { return _mm512_sub_pd(a, b); }
FIR_INLINE fir_vector fir_add(fir_vector a, fir_vector b) { return _mm512_add_pd(a, b); }
FIR_INLINE fir_vector fir_fma(fir_vector a, fir_vector b, fir_vector c) { return _mm512_fmadd_pd(a, b, c); }

#include "worker/dsp/fir_vectors.h"

void fir_avx512_fill(dsp_table *table)
{
    table->fir_odd = fir_odd;
    table->fir_lanes = fir_lanes;
}
