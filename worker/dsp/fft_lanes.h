/**
 * What the features of stems are made of, in FFT_WIDTH lanes at once, by the compiler's vectors: each file of a level sets the
 * width of its registers, FFT_ROOT(x), the square root of a vector, and FFT_LOWER(a, b), a < b ? a : b of floats, and includes
 * this. Element by element the same operations in the same order as scalar/fft_scalar.c, so the results are the same bits;
 * nothing is contracted.
 */
#ifndef WORKER_DSP_FFT_LANES_H
#define WORKER_DSP_FFT_LANES_H

#include "worker/dsp/dsp_unroll.h"
#include "worker/dsp/dsp_variants.h"

#ifdef FFT_WIDTH /* alone, this header has nothing to say */

typedef double fft_vector __attribute__((vector_size(8 * FFT_WIDTH)));

static inline __attribute__((always_inline)) fft_vector fft_load(const double *from)
{
    return *(const fft_vector *)(const void *)from;
}

static inline __attribute__((always_inline)) void fft_store(double *to, fft_vector x)
{
    *(fft_vector *)(void *)to = x;
}

static void fft_radix_4(const double *cosine, const double *sine, uint32_t size, uint32_t stride, const double *re,
                        const double *im, double *out_re, double *out_im)
{
    const uint32_t quarter = size / 4;
    const size_t step = (size_t)quarter * TILE_LANES;
    const size_t next = (size_t)stride * TILE_LANES;
    for (uint32_t group = 0; group < quarter / stride; group++) {
        const uint32_t turn = group * stride;
        const double c1 = cosine[turn];
        const double s1 = -sine[turn];
        const double c2 = cosine[2 * turn];
        const double s2 = -sine[2 * turn];
        const double c3 = cosine[3 * turn];
        const double s3 = -sine[3 * turn];
        const size_t first = (size_t)stride * group * TILE_LANES;
        for (size_t at = 0; at < next; at += FFT_WIDTH) {
            const size_t from = first + at;
            const size_t to = 4 * first + at;
            const fft_vector ar = fft_load(re + from);
            const fft_vector ai = fft_load(im + from);
            const fft_vector br = fft_load(re + from + step);
            const fft_vector bi = fft_load(im + from + step);
            const fft_vector cr = fft_load(re + from + 2 * step);
            const fft_vector ci = fft_load(im + from + 2 * step);
            const fft_vector dr = fft_load(re + from + 3 * step);
            const fft_vector di = fft_load(im + from + 3 * step);
            const fft_vector er = ar + cr;
            const fft_vector ei = ai + ci;
            const fft_vector fr = ar - cr;
            const fft_vector fi = ai - ci;
            const fft_vector gr = br + dr;
            const fft_vector gi = bi + di;
            const fft_vector hr = bi - di; /* -i (b - d) */
            const fft_vector hi = dr - br;
            fft_store(out_re + to, er + gr);
            fft_store(out_im + to, ei + gi);
            fft_vector xr = fr + hr;
            fft_vector xi = fi + hi;
            fft_store(out_re + to + next, xr * c1 - xi * s1);
            fft_store(out_im + to + next, xr * s1 + xi * c1);
            xr = er - gr;
            xi = ei - gi;
            fft_store(out_re + to + 2 * next, xr * c2 - xi * s2);
            fft_store(out_im + to + 2 * next, xr * s2 + xi * c2);
            xr = fr - hr;
            xi = fi - hi;
            fft_store(out_re + to + 3 * next, xr * c3 - xi * s3);
            fft_store(out_im + to + 3 * next, xr * s3 + xi * c3);
        }
    }
}

/* A sum waits for the one before it, so several tiles go abreast. */
static inline __attribute__((always_inline)) void squares_abreast(const double *const *tiles, const uint32_t tile_count,
                                                                  uint32_t frame_count, double (*squares)[TILE_LANES])
{
    enum { VECTORS = TILE_LANES / FFT_WIDTH };
    fft_vector sums[4 * VECTORS];
    for (uint32_t i = 0; i < tile_count * VECTORS; i++)
        sums[i] = fft_load(squares[i / VECTORS] + i % VECTORS * FFT_WIDTH);
    for (uint32_t frame = 0; frame < frame_count; frame++) {
        DSP_UNROLL(16)
        for (uint32_t i = 0; i < tile_count * VECTORS; i++) {
            const fft_vector x = fft_load(tiles[i / VECTORS] + (size_t)frame * TILE_LANES + i % VECTORS * FFT_WIDTH);
            sums[i] += x * x;
        }
    }
    for (uint32_t i = 0; i < tile_count * VECTORS; i++)
        fft_store(squares[i / VECTORS] + i % VECTORS * FFT_WIDTH, sums[i]);
}

static void lane_squares(const double *const *tiles, uint32_t tile_count, uint32_t frame_count, double (*squares)[TILE_LANES])
{
    for (; tile_count >= 4; tile_count -= 4, tiles += 4, squares += 4)
        squares_abreast(tiles, 4, frame_count, squares);
    if (tile_count == 3)
        squares_abreast(tiles, 3, frame_count, squares);
    else if (tile_count == 2)
        squares_abreast(tiles, 2, frame_count, squares);
    else if (tile_count == 1)
        squares_abreast(tiles, 1, frame_count, squares);
}

/* So many rows at a time that their sums stay in registers and none waits for the one before it. */
static void lane_products(const double *a, const double *b, uint32_t frame_count, double (*products)[TILE_LANES])
{
    enum { VECTORS = TILE_LANES / FFT_WIDTH, ROWS = FFT_WIDTH == TILE_LANES ? TILE_LANES : 4 };
    for (uint32_t first = 0; first < TILE_LANES; first += ROWS) {
        fft_vector sums[ROWS * VECTORS];
        for (uint32_t i = 0; i < ROWS * VECTORS; i++)
            sums[i] = fft_load(products[first + i / VECTORS] + i % VECTORS * FFT_WIDTH);
        for (uint32_t frame = 0; frame < frame_count; frame++) {
            const double *left = a + (size_t)frame * TILE_LANES + first;
            const double *right = b + (size_t)frame * TILE_LANES;
            DSP_UNROLL(16)
            for (uint32_t i = 0; i < ROWS * VECTORS; i++)
                sums[i] += left[i / VECTORS] * fft_load(right + i % VECTORS * FFT_WIDTH);
        }
        for (uint32_t i = 0; i < ROWS * VECTORS; i++)
            fft_store(products[first + i / VECTORS] + i % VECTORS * FFT_WIDTH, sums[i]);
    }
}

typedef float fft_floats __attribute__((vector_size(8 * FFT_WIDTH)));
typedef float fft_floats_anywhere __attribute__((vector_size(8 * FFT_WIDTH), aligned(4)));
typedef double fft_vector_anywhere __attribute__((vector_size(8 * FFT_WIDTH), aligned(8)));

static inline __attribute__((always_inline)) fft_floats floats_load(const float *from)
{
    return *(const fft_floats_anywhere *)(const void *)from;
}

static inline __attribute__((always_inline)) void floats_store(float *to, fft_floats x)
{
    *(fft_floats_anywhere *)(void *)to = x;
}

static void cross_windows(const spectrum_part *sources, const spectrum_part *hosts, uint32_t window_count, float weight_most,
                          uint32_t bin_count, const cross_sums *sums)
{
    enum { ABREAST = 2 * FFT_WIDTH };
    const fft_floats zero = {0.0f};
    const fft_floats most = zero + weight_most;
    uint32_t k = 0;
    for (; k + ABREAST <= bin_count; k += ABREAST) {
        fft_floats re = zero;
        fft_floats im = zero;
        fft_floats squares = zero;
        for (uint32_t w = 0; w < window_count; w++) {
            const fft_floats counted = FFT_LOWER(floats_load(sources[w].weight + k) * floats_load(hosts[w].weight + k), most);
            const fft_floats hr = floats_load(hosts[w].re + k);
            const fft_floats hi = floats_load(hosts[w].im + k);
            const fft_floats sr = floats_load(sources[w].re + k);
            const fft_floats si = floats_load(sources[w].im + k);
            re += counted * (hr * sr + hi * si);
            im += counted * (hi * sr - hr * si);
            squares += counted * counted;
        }
        floats_store(sums->re + k, re);
        floats_store(sums->im + k, im);
        floats_store(sums->squares + k, squares);
    }
    for (; k < bin_count; k++) {
        float re = 0.0f;
        float im = 0.0f;
        float squares = 0.0f;
        for (uint32_t w = 0; w < window_count; w++) {
            const float weight = sources[w].weight[k] * hosts[w].weight[k];
            const float counted = weight < weight_most ? weight : weight_most;
            re += counted * (hosts[w].re[k] * sources[w].re[k] + hosts[w].im[k] * sources[w].im[k]);
            im += counted * (hosts[w].im[k] * sources[w].re[k] - hosts[w].re[k] * sources[w].im[k]);
            squares += counted * counted;
        }
        sums->re[k] = re;
        sums->im[k] = im;
        sums->squares[k] = squares;
    }
}

static void square_roots(const double *values, uint32_t count, double *out_root, double *out_inverse)
{
    uint32_t i = 0;
    for (; i + FFT_WIDTH <= count; i += FFT_WIDTH) {
        const fft_vector root = FFT_ROOT((fft_vector)*(const fft_vector_anywhere *)(const void *)(values + i));
        *(fft_vector_anywhere *)(void *)(out_root + i) = root;
        *(fft_vector_anywhere *)(void *)(out_inverse + i) = 1.0 / root;
    }
    for (; i < count; i++) { /* alone in a register: sqrt() would be a call into libm */
        const fft_vector one = {values[i]};
        const fft_vector root = FFT_ROOT(one);
        out_root[i] = root[0];
        out_inverse[i] = 1.0 / root[0];
    }
}

#endif
#endif
