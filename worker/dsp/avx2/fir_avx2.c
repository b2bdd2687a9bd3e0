/** The FIR kernels over four doubles. */
#include <immintrin.h>
#include <stddef.h>

typedef __m256d fir_vector;
#define FIR_WIDTH 4
#define FIR_INLINE static inline __attribute__((always_inline))
FIR_INLINE fir_vector fir_load(const double *from) { return _mm256_loadu_pd(from); }
FIR_INLINE void fir_store(double *to, fir_vector x) { _mm256_storeu_pd(to, x); }
FIR_INLINE fir_vector fir_all(double x) { return _mm256_set1_pd(x); }
FIR_INLINE fir_vector fir_zero(void) { return _mm256_setzero_pd(); }
FIR_INLINE fir_vector fir_sub(fir_vector a, fir_vector b) { return _mm256_sub_pd(a, b); }
FIR_INLINE fir_vector fir_add(fir_vector a, fir_vector b) { return _mm256_add_pd(a, b); }
FIR_INLINE fir_vector fir_fma(fir_vector a, fir_vector b, fir_vector c) { return _mm256_fmadd_pd(a, b, c); }

#include "worker/dsp/fir_vectors.h"

void fir_avx2_fill(dsp_table *table)
{
    table->fir_odd = fir_odd;
    table->fir_lanes = fir_lanes;
}
