/* The definition of the signal features: one lane after the other, one frame after the other. */
#include "worker/dsp/dsp_variants.h"

#include <math.h>
#include <string.h>

static void signal_lane(const double *x, uint32_t frame_count, uint32_t lane, signal_sums *out)
{
    const double *beside = lane % 2 == 0 ? x + 1 : x - 1;
    for (uint32_t i = 0; i < frame_count; i++, x += TILE_LANES, beside += TILE_LANES) {
        const double now = x[0];
        const double one = x[-1 * TILE_LANES];
        const double two = x[-2 * TILE_LANES];
        const double outer = now + two;
        const double rough = fma(6.0, two, fma(-4.0, one + x[-3 * TILE_LANES], now + x[-4 * TILE_LANES]));
        out->energy[lane] = fma(now, now, out->energy[lane]);
        out->cross[lane] += now * *beside;
        out->rough[lane] = fma(rough, rough, out->rough[lane]);
        if (fabs(rough) > out->rough_peak[lane])
            out->rough_peak[lane] = fabs(rough);
        out->tone[0][lane] = fma(outer, outer, out->tone[0][lane]);
        out->tone[1][lane] = fma(outer, one, out->tone[1][lane]);
        out->tone[2][lane] = fma(one, one, out->tone[2][lane]);
        out->quiet_count[lane] += fabs(now) < SIGNAL_QUIET;
    }
}

static void signal_measure(const double *tile, uint32_t frame_count, signal_sums *out)
{
    memset(out, 0, sizeof *out);
    for (uint32_t lane = 0; lane < TILE_LANES; lane++)
        signal_lane(tile + lane, frame_count, lane, out);
}

static void lane_sums(const double *tile, uint32_t frame_count, uint32_t stretch_count, double (*sums)[TILE_LANES])
{
    for (uint32_t stretch = 0; stretch < stretch_count; stretch++)
        for (uint32_t lane = 0; lane < TILE_LANES; lane++) {
            double sum = 0.0;
            for (uint32_t i = 0; i < frame_count; i++)
                sum += tile[((size_t)stretch * frame_count + i) * TILE_LANES + lane];
            sums[stretch][lane] = sum;
        }
}

static void used_bits(const double *tile, uint32_t frame_count, uint64_t bits[TILE_LANES])
{
    for (uint32_t i = 0; i < frame_count; i++)
        for (uint32_t lane = 0; lane < TILE_LANES; lane++) {
            const double x = tile[(size_t)i * TILE_LANES + lane];
            const double shifted = x + SIGNAL_BITS_SHIFT;
            uint64_t word;
            memcpy(&word, &shifted, sizeof word);
            bits[lane] |= (word & 0xFFFFFFFFu) | (shifted - SIGNAL_BITS_SHIFT != x ? SIGNAL_BITS_FINER : 0);
        }
}

static void pcm_bits(const double *tile, uint32_t frame_count, uint64_t bits[TILE_LANES])
{
    for (uint32_t i = 0; i < frame_count; i++)
        for (uint32_t lane = 0; lane < TILE_LANES; lane++) {
            const double shifted = tile[(size_t)i * TILE_LANES + lane] + SIGNAL_BITS_SHIFT;
            uint64_t word;
            memcpy(&word, &shifted, sizeof word);
            bits[lane] |= word & 0xFFFFFFFFu;
        }
}

enum { HALF = SPECTRUM_FRAMES / 2, HALF_BITS = 7 };

static uint32_t reversed(uint32_t index)
{
    uint32_t out = 0;
    for (uint32_t bit = 0; bit < HALF_BITS; bit++)
        out |= (index >> bit & 1u) << (HALF_BITS - 1 - bit);
    return out;
}

/* In place, decimation in time; the input is in reversed order. The rotations are those of twice the size. */
static void transform(const double (*turns)[2], double (*z)[2])
{
    for (uint32_t size = 2; size <= HALF; size *= 2)
        for (uint32_t start = 0; start < HALF; start += size)
            for (uint32_t k = 0; k < size / 2; k++) {
                const double *turn = turns[k * (SPECTRUM_FRAMES / size)];
                double *a = z[start + k];
                double *b = z[start + k + size / 2];
                const double re = b[0] * turn[0] - b[1] * turn[1];
                const double im = b[0] * turn[1] + b[1] * turn[0];
                b[0] = a[0] - re;
                b[1] = a[1] - im;
                a[0] += re;
                a[1] += im;
            }
}

static void spectrum(const double *tile, const double *window, const double (*turn)[2], double (*power)[TILE_LANES],
                     double (*lines)[2][TILE_LANES])
{
    /* A sine of amplitude 1 has |X| = sum of the window / 2 = 64 in its band: power 1/2 = 2 x 64^2 / 128^2. */
    const double scale = 2.0 / ((double)HALF * (double)HALF);
    for (uint32_t lane = 0; lane < TILE_LANES; lane++) {
        double z[HALF][2];
        for (uint32_t i = 0; i < HALF; i++) {
            double *place = z[reversed(i)];
            place[0] = tile[(size_t)2 * i * TILE_LANES + lane] * window[2 * i];
            place[1] = tile[((size_t)2 * i + 1) * TILE_LANES + lane] * window[2 * i + 1];
        }
        transform(turn, z);
        for (uint32_t k = 0; k < HALF; k++) {
            const double *a = z[k];
            const double *b = z[(HALF - k) % HALF];
            const double even[2] = {0.5 * (a[0] + b[0]), 0.5 * (a[1] - b[1])};
            const double odd[2] = {0.5 * (a[1] + b[1]), -0.5 * (a[0] - b[0])};
            const double re = even[0] + (odd[0] * turn[k][0] - odd[1] * turn[k][1]);
            const double im = even[1] + (odd[0] * turn[k][1] + odd[1] * turn[k][0]);
            power[k][lane] = (re * re + im * im) * scale;
            if (lines != NULL) {
                lines[k][0][lane] = re;
                lines[k][1][lane] = im;
            }
        }
    }
}

void signal_scalar_fill(dsp_table *table)
{
    table->signal_measure = signal_measure;
    table->lane_sums = lane_sums;
    table->used_bits = used_bits;
    table->pcm_bits = pcm_bits;
    table->spectrum = spectrum;
}
