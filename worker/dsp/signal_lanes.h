/**
 * The signal features in SIGNAL_WIDTH lanes at once, by the compiler's vectors: each file of a level sets the width of its
 * registers, SIGNAL_FMA(a, b, c), a b + c rounded once, SIGNAL_LARGER(a, b), a where a > b and else b, and, if it has a better
 * way, SIGNAL_COUNT_BELOW(count, x, bound), one more where x < bound, and includes this.
 * Element by element the same operations in the same order as scalar/signal_scalar.c, so the results are the same bits; nothing
 * else is contracted.
 */
#ifndef WORKER_DSP_SIGNAL_LANES_H
#define WORKER_DSP_SIGNAL_LANES_H

#include "worker/dsp/dsp_unroll.h"
#include "worker/dsp/dsp_variants.h"

#ifdef SIGNAL_WIDTH /* alone, this header has nothing to say */

typedef double signal_lanes __attribute__((vector_size(8 * SIGNAL_WIDTH)));
typedef double signal_lanes_anywhere __attribute__((vector_size(8 * SIGNAL_WIDTH), aligned(8), may_alias));
typedef int64_t signal_masks __attribute__((vector_size(8 * SIGNAL_WIDTH)));

#ifndef SIGNAL_COUNT_BELOW
#define SIGNAL_COUNT_BELOW(count, x, bound) ((count) - (signal_masks)((x) < (bound)))
#endif

/* Each lane's neighbour in its pair. */
#if SIGNAL_WIDTH == 8
#define SIGNAL_BESIDE(x) __builtin_shufflevector(x, x, 1, 0, 3, 2, 5, 4, 7, 6)
#elif SIGNAL_WIDTH == 4
#define SIGNAL_BESIDE(x) __builtin_shufflevector(x, x, 1, 0, 3, 2)
#else
#define SIGNAL_BESIDE(x) __builtin_shufflevector(x, x, 1, 0)
#endif

static inline void signal_measure_lanes(const double *tile, uint32_t frame_count, signal_sums *out)
{
    const signal_lanes zero = {0};
    const signal_lanes minus_four = zero - 4.0;
    const signal_lanes six = zero + 6.0;
    const signal_masks magnitude = (signal_masks)zero + INT64_MAX;
    for (uint32_t lane = 0; lane < TILE_LANES; lane += SIGNAL_WIDTH) {
        signal_lanes energy = zero, cross = zero, rough_sum = zero, rough_peak = zero;
        signal_lanes tone_a = zero, tone_b = zero, tone_c = zero;
        signal_masks quiet = {0};
        const double *row = tile + lane;
        for (uint32_t i = 0; i < frame_count; i++, row += TILE_LANES) {
            const signal_lanes now = *(const signal_lanes *)(const void *)row;
            const signal_lanes one = *(const signal_lanes *)(const void *)(row - 1 * TILE_LANES);
            const signal_lanes two = *(const signal_lanes *)(const void *)(row - 2 * TILE_LANES);
            const signal_lanes three = *(const signal_lanes *)(const void *)(row - 3 * TILE_LANES);
            const signal_lanes last = *(const signal_lanes *)(const void *)(row - 4 * TILE_LANES);
            const signal_lanes outer = now + two;
            const signal_lanes rough = SIGNAL_FMA(six, two, SIGNAL_FMA(minus_four, one + three, now + last));
            const signal_lanes size = (signal_lanes)((signal_masks)rough & magnitude);
            energy = SIGNAL_FMA(now, now, energy);
            cross += now * SIGNAL_BESIDE(now);
            rough_sum = SIGNAL_FMA(rough, rough, rough_sum);
            rough_peak = SIGNAL_LARGER(size, rough_peak);
            tone_a = SIGNAL_FMA(outer, outer, tone_a);
            tone_b = SIGNAL_FMA(outer, one, tone_b);
            tone_c = SIGNAL_FMA(one, one, tone_c);
            quiet = SIGNAL_COUNT_BELOW(quiet, (signal_lanes)((signal_masks)now & magnitude), zero + SIGNAL_QUIET);
        }
        for (uint32_t i = 0; i < SIGNAL_WIDTH; i++) {
            out->energy[lane + i] = energy[i];
            out->cross[lane + i] = cross[i];
            out->rough[lane + i] = rough_sum[i];
            out->rough_peak[lane + i] = rough_peak[i];
            out->tone[0][lane + i] = tone_a[i];
            out->tone[1][lane + i] = tone_b[i];
            out->tone[2][lane + i] = tone_c[i];
            out->quiet_count[lane + i] = (uint64_t)quiet[i];
        }
    }
}

/* A sum waits for the one before it, so those of several stretches go abreast: half the milliseconds of a tile. */
static inline void lane_sums_lanes(const double *tile, uint32_t frame_count, uint32_t stretch_count, double (*sums)[TILE_LANES])
{
    enum { ABREAST = 5 };
    const size_t apart = (size_t)frame_count * TILE_LANES;
    for (uint32_t lane = 0; lane < TILE_LANES; lane += SIGNAL_WIDTH) {
        const double *row = tile + lane;
        uint32_t stretch = 0;
        for (; stretch + ABREAST <= stretch_count; stretch += ABREAST, row += ABREAST * apart) {
            signal_lanes sum[ABREAST] = {{0}};
            for (size_t at = 0; at < apart; at += TILE_LANES) {
                DSP_UNROLL(5)
                for (uint32_t i = 0; i < ABREAST; i++)
                    sum[i] += *(const signal_lanes *)(const void *)(row + i * apart + at);
            }
            for (uint32_t i = 0; i < ABREAST; i++)
                *(signal_lanes_anywhere *)(void *)(sums[stretch + i] + lane) = sum[i];
        }
        for (; stretch < stretch_count; stretch++, row += apart) {
            signal_lanes sum = {0};
            for (size_t at = 0; at < apart; at += TILE_LANES)
                sum += *(const signal_lanes *)(const void *)(row + at);
            *(signal_lanes_anywhere *)(void *)(sums[stretch] + lane) = sum;
        }
    }
}

static inline void used_bits_lanes(const double *tile, uint32_t frame_count, uint64_t bits[TILE_LANES])
{
    const signal_lanes shift = (signal_lanes){0} + SIGNAL_BITS_SHIFT;
    for (uint32_t lane = 0; lane < TILE_LANES; lane += SIGNAL_WIDTH) {
        signal_masks words = {0};
        signal_masks finer = {0};
        for (uint32_t i = 0; i < frame_count; i++) {
            const signal_lanes x = *(const signal_lanes *)(const void *)(tile + (size_t)i * TILE_LANES + lane);
            const signal_lanes shifted = x + shift;
            words |= (signal_masks)shifted;
            finer |= (signal_masks)(shifted - shift != x);
        }
        for (uint32_t i = 0; i < SIGNAL_WIDTH; i++)
            bits[lane + i] |= ((uint64_t)words[i] & 0xFFFFFFFFu) | (finer[i] != 0 ? SIGNAL_BITS_FINER : 0);
    }
}

static inline void pcm_bits_lanes(const double *tile, uint32_t frame_count, uint64_t bits[TILE_LANES])
{
    const signal_lanes shift = (signal_lanes){0} + SIGNAL_BITS_SHIFT;
    for (uint32_t lane = 0; lane < TILE_LANES; lane += SIGNAL_WIDTH) {
        signal_masks words = {0};
        for (uint32_t i = 0; i < frame_count; i++)
            words |= (signal_masks)(*(const signal_lanes *)(const void *)(tile + (size_t)i * TILE_LANES + lane) + shift);
        for (uint32_t i = 0; i < SIGNAL_WIDTH; i++)
            bits[lane + i] |= (uint64_t)words[i] & 0xFFFFFFFFu;
    }
}

enum { SPECTRUM_HALF = SPECTRUM_FRAMES / 2, SPECTRUM_HALF_BITS = 7 };

typedef struct spectrum_point {
    signal_lanes re, im;
} spectrum_point;

static inline void spectrum_transform(const double (*turns)[2], spectrum_point *z)
{
    for (uint32_t size = 2; size <= SPECTRUM_HALF; size *= 2)
        for (uint32_t start = 0; start < SPECTRUM_HALF; start += size)
            for (uint32_t k = 0; k < size / 2; k++) {
                const double *turn = turns[k * (SPECTRUM_FRAMES / size)];
                spectrum_point *a = &z[start + k];
                spectrum_point *b = &z[start + k + size / 2];
                const signal_lanes re = b->re * turn[0] - b->im * turn[1];
                const signal_lanes im = b->re * turn[1] + b->im * turn[0];
                b->re = a->re - re;
                b->im = a->im - im;
                a->re += re;
                a->im += im;
            }
}

static inline void spectrum_of_lanes(const double *tile, const double *window, const double (*turn)[2],
                                     double (*power)[TILE_LANES], double (*lines)[2][TILE_LANES])
{
    const double scale = 2.0 / ((double)SPECTRUM_HALF * (double)SPECTRUM_HALF);
    for (uint32_t lane = 0; lane < TILE_LANES; lane += SIGNAL_WIDTH) {
        spectrum_point z[SPECTRUM_HALF];
        for (uint32_t i = 0; i < SPECTRUM_HALF; i++) {
            uint32_t place = 0;
            for (uint32_t bit = 0; bit < SPECTRUM_HALF_BITS; bit++)
                place |= (i >> bit & 1u) << (SPECTRUM_HALF_BITS - 1 - bit);
            const double *row = tile + (size_t)2 * i * TILE_LANES + lane;
            z[place].re = *(const signal_lanes *)(const void *)row * window[2 * i];
            z[place].im = *(const signal_lanes *)(const void *)(row + TILE_LANES) * window[2 * i + 1];
        }
        spectrum_transform(turn, z);
        for (uint32_t k = 0; k < SPECTRUM_HALF; k++) {
            const spectrum_point *a = &z[k];
            const spectrum_point *b = &z[(SPECTRUM_HALF - k) % SPECTRUM_HALF];
            const signal_lanes even_re = 0.5 * (a->re + b->re);
            const signal_lanes even_im = 0.5 * (a->im - b->im);
            const signal_lanes odd_re = 0.5 * (a->im + b->im);
            const signal_lanes odd_im = -0.5 * (a->re - b->re);
            const signal_lanes re = even_re + (odd_re * turn[k][0] - odd_im * turn[k][1]);
            const signal_lanes im = even_im + (odd_re * turn[k][1] + odd_im * turn[k][0]);
            *(signal_lanes *)(void *)(power[k] + lane) = (re * re + im * im) * scale;
            if (lines != NULL) {
                *(signal_lanes *)(void *)(lines[k][0] + lane) = re;
                *(signal_lanes *)(void *)(lines[k][1] + lane) = im;
            }
        }
    }
}

#endif
#endif
