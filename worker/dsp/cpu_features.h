/** What this CPU and operating system can run, as named bundles (style: capability apart from taste). */
#ifndef WORKER_DSP_CPU_FEATURES_H
#define WORKER_DSP_CPU_FEATURES_H

#include "common/base/status.h"

typedef enum cpu_features { CPU_SCALAR, CPU_AVX2, CPU_AVX512, CPU_NEON } cpu_features;

/** CPUID and XGETBV (x86-64), always NEON on arm64. */
cpu_features cpu_features_detect(void);
/** "scalar", "avx2", "avx512", "neon". */
const char *cpu_features_name(cpu_features features);
/**
 * Caps what is detected: STATUS_INPUT_INVALID for an unknown word, STATUS_INPUT_UNSUPPORTED for one this CPU lacks.
 */
MUST_USE status cpu_features_cap(const char *word, cpu_features *out_features);

#endif
