/**
 * The one exported symbol of every kernel file: it writes the file's entries into a table. Inside worker/dsp only.
 * A file of a higher level is called after those of the lower ones and replaces what it improves.
 */
#ifndef WORKER_DSP_DSP_VARIANTS_H
#define WORKER_DSP_DSP_VARIANTS_H

#include "worker/dsp/dsp_table.h"

void unpack_scalar_fill(dsp_table *table);
void pack_scalar_fill(dsp_table *table);
void mix_scalar_fill(dsp_table *table);
void quantise_scalar_fill(dsp_table *table);
void k_energy_scalar_fill(dsp_table *table);
void peak_scalar_fill(dsp_table *table);
void signal_scalar_fill(dsp_table *table);
void fir_scalar_fill(dsp_table *table);
void fft_scalar_fill(dsp_table *table);

void unpack_avx2_fill(dsp_table *table);
void pack_avx2_fill(dsp_table *table);
void mix_avx2_fill(dsp_table *table);
void quantise_avx2_fill(dsp_table *table);
void k_energy_avx2_fill(dsp_table *table);
void peak_avx2_fill(dsp_table *table);
void signal_avx2_fill(dsp_table *table);
void fir_avx2_fill(dsp_table *table);
void fft_avx2_fill(dsp_table *table);

void unpack_avx512_fill(dsp_table *table);
void pack_avx512_fill(dsp_table *table);
void mix_avx512_fill(dsp_table *table);
void quantise_avx512_fill(dsp_table *table);
void k_energy_avx512_fill(dsp_table *table);
void peak_avx512_fill(dsp_table *table);
void signal_avx512_fill(dsp_table *table);
void fir_avx512_fill(dsp_table *table);
void fft_avx512_fill(dsp_table *table);

void unpack_neon_fill(dsp_table *table);
void pack_neon_fill(dsp_table *table);
void mix_neon_fill(dsp_table *table);
void quantise_neon_fill(dsp_table *table);
void k_energy_neon_fill(dsp_table *table);
void peak_neon_fill(dsp_table *table);
void signal_neon_fill(dsp_table *table);
void fir_neon_fill(dsp_table *table);
void fft_neon_fill(dsp_table *table);

#endif
