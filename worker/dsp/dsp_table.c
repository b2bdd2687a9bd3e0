#include "worker/dsp/dsp_table.h"

#include "worker/dsp/dsp_variants.h"

void dsp_table_init(dsp_table *out_table, cpu_features features)
{
    unpack_scalar_fill(out_table);
    pack_scalar_fill(out_table);
    mix_scalar_fill(out_table);
    quantise_scalar_fill(out_table);
    k_energy_scalar_fill(out_table);
    peak_scalar_fill(out_table);
    signal_scalar_fill(out_table);
    fir_scalar_fill(out_table);
    fft_scalar_fill(out_table);
    (void)features; /* a build without variants reads it nowhere else */
#if defined(DSP_LEVELS_X86)
    if (features == CPU_AVX2 || features == CPU_AVX512) {
        unpack_avx2_fill(out_table);
        pack_avx2_fill(out_table);
        mix_avx2_fill(out_table);
        quantise_avx2_fill(out_table);
        k_energy_avx2_fill(out_table);
        peak_avx2_fill(out_table);
        signal_avx2_fill(out_table);
        fir_avx2_fill(out_table);
        fft_avx2_fill(out_table);
    }
    if (features == CPU_AVX512) {
        unpack_avx512_fill(out_table);
        pack_avx512_fill(out_table);
        mix_avx512_fill(out_table);
        quantise_avx512_fill(out_table);
        k_energy_avx512_fill(out_table);
        peak_avx512_fill(out_table);
        signal_avx512_fill(out_table);
        fir_avx512_fill(out_table);
        fft_avx512_fill(out_table);
    }
#elif defined(DSP_LEVELS_ARM)
    if (features == CPU_NEON) {
        unpack_neon_fill(out_table);
        pack_neon_fill(out_table);
        mix_neon_fill(out_table);
        quantise_neon_fill(out_table);
        k_energy_neon_fill(out_table);
        peak_neon_fill(out_table);
        signal_neon_fill(out_table);
        fir_neon_fill(out_table);
        fft_neon_fill(out_table);
    }
#endif
}
