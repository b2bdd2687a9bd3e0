/**
 * What the features of stems are made of, in FFT_WIDTH lanes at once, by the compiler's vectors: each file of a level sets the
 * width of its registers in doubles, FFT_ROOT(x), the square root of a vector of floats, FFT_LOWER(a, b), a < b ? a : b, FFT_HIGHER
 * likewise, FFT_NARROW(from), a tile's row as floats, and FFT_PAST_CACHE(to, sixteen), a store of sixteen floats, and includes
 * this.
 * Element by element the same operations in the same order as scalar/fft_scalar.c, so the results are the same bits; nothing is
 * contracted.
 */
#ifndef WORKER_DSP_FFT_LANES_H
#define WORKER_DSP_FFT_LANES_H

#include "worker/dsp/dsp_unroll.h"
#include "worker/dsp/dsp_variants.h"

#include <stdbool.h>
#include <string.h>

#ifdef FFT_WIDTH /* alone, this header has nothing to say */

typedef double fft_vector __attribute__((vector_size(8 * FFT_WIDTH)));
typedef double fft_anywhere __attribute__((vector_size(8 * FFT_WIDTH), aligned(8), may_alias));

static inline __attribute__((always_inline)) fft_vector fft_load(const double *from)
{
    return *(const fft_vector *)(const void *)from;
}

static inline __attribute__((always_inline)) void fft_store(double *to, fft_vector x)
{
    *(fft_vector *)(void *)to = x;
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

static inline __attribute__((always_inline)) fft_floats floats_load(const float *from)
{
    return *(const fft_floats_anywhere *)(const void *)from;
}

static inline __attribute__((always_inline)) void floats_store(float *to, fft_floats x)
{
    *(fft_floats_anywhere *)(void *)to = x;
}

enum { FFT_ABREAST = 2 * FFT_WIDTH };

/* One point of a radix-4 step: inputs lie `step` floats apart, outputs at the four places `to`. */
static inline __attribute__((always_inline)) void fft_radix_4(const float *cosine, const float *sine, uint32_t turn,
                                                              const float *re, const float *im, size_t step, float *out_re,
                                                              float *out_im, const size_t to[4])
{
    const float c1 = cosine[turn];
    const float s1 = -sine[turn];
    const float c2 = cosine[2 * turn];
    const float s2 = -sine[2 * turn];
    const float c3 = cosine[3 * turn];
    const float s3 = -sine[3 * turn];
    const fft_floats ar = floats_load(re);
    const fft_floats ai = floats_load(im);
    const fft_floats br = floats_load(re + step);
    const fft_floats bi = floats_load(im + step);
    const fft_floats cr = floats_load(re + 2 * step);
    const fft_floats ci = floats_load(im + 2 * step);
    const fft_floats dr = floats_load(re + 3 * step);
    const fft_floats di = floats_load(im + 3 * step);
    const fft_floats er = ar + cr;
    const fft_floats ei = ai + ci;
    const fft_floats fr = ar - cr;
    const fft_floats fi = ai - ci;
    const fft_floats gr = br + dr;
    const fft_floats gi = bi + di;
    const fft_floats hr = bi - di; /* -i (b - d) */
    const fft_floats hi = dr - br;
    floats_store(out_re + to[0], er + gr);
    floats_store(out_im + to[0], ei + gi);
    fft_floats xr = fr + hr;
    fft_floats xi = fi + hi;
    floats_store(out_re + to[1], xr * c1 - xi * s1);
    floats_store(out_im + to[1], xr * s1 + xi * c1);
    xr = er - gr;
    xi = ei - gi;
    floats_store(out_re + to[2], xr * c2 - xi * s2);
    floats_store(out_im + to[2], xr * s2 + xi * c2);
    xr = fr - hr;
    xi = fi - hi;
    floats_store(out_re + to[3], xr * c3 - xi * s3);
    floats_store(out_im + to[3], xr * s3 + xi * c3);
}

/* The three steps of 64 points at a time, which stay in the first-level cache from one to the next. */
static void fft_radix_64(const float *cosine, const float *sine, uint32_t size, uint32_t stride, const float *re, const float *im,
                         float *out_re, float *out_im)
{
    enum { ROW = FFT_ABREAST };
    const uint32_t part = size / FFT_RADIX;
    const size_t step = fft_row(16 * part);
    _Alignas(64) float kept_re[FFT_RADIX * ROW];
    _Alignas(64) float kept_im[FFT_RADIX * ROW];
    for (uint32_t i = 0; i < part * (FFT_LANES / ROW); i++) {
        const uint32_t lane = i / part * ROW;
        const uint32_t at = i % part % stride;
        const uint32_t first = i % part - at; /* the turn of the block */
        for (uint32_t k = 0; k < 16; k++) {
            const size_t from = fft_row(i % part + k * part) + lane;
            const size_t to[4] = {4 * k * ROW, (4 * k + 1) * ROW, (4 * k + 2) * ROW, (4 * k + 3) * ROW};
            fft_radix_4(cosine, sine, first + k * part, re + from, im + from, step, kept_re, kept_im, to);
        }
        for (uint32_t k = 0; k < 16; k++) {
            const size_t from = (size_t)k * ROW;
            const size_t to[4] = {from, from + 16 * ROW, from + 32 * ROW, from + 48 * ROW};
            fft_radix_4(cosine, sine, 4 * (first + k / 4 * part), kept_re + from, kept_im + from, 16 * ROW, kept_re, kept_im, to);
        }
        for (uint32_t k = 0; k < 16; k++) {
            const size_t from = (size_t)(16 * (k / 4) + k % 4) * ROW;
            const uint32_t row = FFT_RADIX * first + at + k * stride;
            const size_t to[4] = {fft_row(row) + lane, fft_row(row + 16 * stride) + lane, fft_row(row + 32 * stride) + lane,
                                  fft_row(row + 48 * stride) + lane};
            fft_radix_4(cosine, sine, 16 * first, kept_re + from, kept_im + from, 4 * ROW, out_re, out_im, to);
        }
    }
}

/* The lower halves of two vectors, one element of each in turn, and the upper ones. */
#if FFT_WIDTH == 8
#define FFT_ZIP_LOW(a, b) __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define FFT_ZIP_HIGH(a, b) __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#elif FFT_WIDTH == 4
#define FFT_ZIP_LOW(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define FFT_ZIP_HIGH(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#else
#define FFT_ZIP_LOW(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define FFT_ZIP_HIGH(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#endif

/* Turns a square of floats: each round puts row i beside row i + half, and after as many rounds as its side has bits it stands. */
static inline __attribute__((always_inline)) void floats_turn(fft_floats *square)
{
    enum { HALF = FFT_ABREAST / 2 };
    for (uint32_t side = FFT_ABREAST; side > 1; side /= 2) {
        fft_floats zipped[FFT_ABREAST];
        DSP_UNROLL(8)
        for (uint32_t i = 0; i < HALF; i++) {
            zipped[2 * i] = FFT_ZIP_LOW(square[i], square[i + HALF]);
            zipped[2 * i + 1] = FFT_ZIP_HIGH(square[i], square[i + HALF]);
        }
        DSP_UNROLL(16)
        for (uint32_t i = 0; i < FFT_ABREAST; i++)
            square[i] = zipped[i];
    }
}

static void lanes_of_rows(const float *const *rows, const float *scale, uint32_t count, float *out)
{
    uint32_t at = 0;
    for (; at + FFT_ABREAST <= count; at += FFT_ABREAST)
        for (uint32_t lane = 0; lane < FFT_LANES; lane += FFT_ABREAST) {
            fft_floats square[FFT_ABREAST];
            const fft_floats scales = floats_load(scale + at);
            DSP_UNROLL(16)
            for (uint32_t i = 0; i < FFT_ABREAST; i++)
                square[i] = floats_load(rows[lane + i] + at) * scales;
            floats_turn(square);
            DSP_UNROLL(16)
            for (uint32_t i = 0; i < FFT_ABREAST; i++)
                floats_store(out + (size_t)(at + i) * FFT_LANES + lane, square[i]);
        }
    for (; at < count; at++)
        for (uint32_t lane = 0; lane < FFT_LANES; lane++)
            out[(size_t)at * FFT_LANES + lane] = rows[lane][at] * scale[at];
}

static void rows_of_lanes(const float *lanes, uint32_t count, float *const *rows)
{
    uint32_t at = 0;
    for (; at + FFT_ABREAST <= count; at += FFT_ABREAST)
        for (uint32_t lane = 0; lane < FFT_LANES; lane += FFT_ABREAST) {
            fft_floats square[FFT_ABREAST];
            DSP_UNROLL(16)
            for (uint32_t i = 0; i < FFT_ABREAST; i++)
                square[i] = floats_load(lanes + (size_t)(at + i) * FFT_LANES + lane);
            floats_turn(square);
            DSP_UNROLL(16)
            for (uint32_t i = 0; i < FFT_ABREAST; i++)
                floats_store(rows[lane + i] + at, square[i]);
        }
    for (; at < count; at++)
        for (uint32_t lane = 0; lane < FFT_LANES; lane++)
            rows[lane][at] = lanes[(size_t)at * FFT_LANES + lane];
}

typedef int32_t fft_words __attribute__((vector_size(8 * FFT_WIDTH)));

/* Both parts of a line, or nothing of it where one is no number. */
static inline __attribute__((always_inline)) void keep_line(fft_floats re, fft_floats im, float *out_re, float *out_im)
{
    const fft_floats none = (re - re) + (im - im); /* 0, or not a number */
    const fft_words finite = none == (fft_floats){0.0f};
    floats_store(out_re, (fft_floats)((fft_words)re & finite));
    floats_store(out_im, (fft_floats)((fft_words)im & finite));
}

static void lines_apart(const float *re, const float *im, const float *mirror_re, const float *mirror_im, uint32_t count,
                        const line_parts *out)
{
    for (size_t row = 0; row < (size_t)count * FFT_LANES; row += FFT_LANES)
        for (size_t lane = 0; lane < FFT_LANES; lane += FFT_ABREAST) {
            const fft_floats x = floats_load(re + row + lane), y = floats_load(im + row + lane);
            const fft_floats far_x = floats_load(mirror_re - row + lane), far_y = floats_load(mirror_im - row + lane);
            keep_line((x + far_x) * 0.5f, (y - far_y) * 0.5f, out->even_re + row + lane, out->even_im + row + lane);
            keep_line((y + far_y) * 0.5f, (far_x - x) * 0.5f, out->odd_re + row + lane, out->odd_im + row + lane);
        }
}

static void lines_together(const line_parts *lines, uint32_t count, float *re, float *im, float *mirror_re, float *mirror_im)
{
    for (size_t row = 0; row < (size_t)count * FFT_LANES; row += FFT_LANES)
        for (size_t lane = 0; lane < FFT_LANES; lane += FFT_ABREAST) {
            const size_t at = row + lane;
            const fft_floats even_x = floats_load(lines->even_re + at), even_y = floats_load(lines->even_im + at);
            const fft_floats odd_x = floats_load(lines->odd_re + at), odd_y = floats_load(lines->odd_im + at);
            floats_store(re + at, even_x - odd_y);
            floats_store(im + at, even_y + odd_x);
            floats_store(mirror_re - row + lane, even_x + odd_y);
            floats_store(mirror_im - row + lane, odd_x - even_y);
        }
}

/* The highest so far of some lanes, and where. */
typedef struct fft_peaks {
    fft_floats heights;
    fft_words places;
} fft_peaks;

static inline __attribute__((always_inline)) fft_peaks higher_peaks(fft_peaks first, fft_peaks second)
{
    const fft_words higher = second.heights > first.heights;
    return (fft_peaks){(fft_floats)(((fft_words)second.heights & higher) | ((fft_words)first.heights & ~higher)),
                       (second.places & higher) | (first.places & ~higher)};
}

/* Each step waits for the one before, so places below 0 and those above go abreast. */
static void lane_peaks(const float *lanes, uint32_t size, uint32_t reach, const float *widths, float *heights, int32_t *places)
{
    const fft_words zero = {0};
    const fft_words magnitude = zero + INT32_MAX;
    for (uint32_t lane = 0; lane < FFT_LANES; lane += FFT_ABREAST) {
        fft_peaks below = {{0.0f}, {0}}, above = {{0.0f}, {0}};
        for (uint32_t near = 0; near < reach; near++) {
            const uint32_t d = reach - near;
            const fft_floats left = (fft_floats)((fft_words)floats_load(lanes + fft_row(d) + lane) & magnitude);
            const fft_floats right = (fft_floats)((fft_words)floats_load(lanes + fft_row((size - near) % size) + lane) & magnitude);
            below = higher_peaks(below, (fft_peaks){left * widths[d], zero - (int32_t)d});
            above = higher_peaks(above, (fft_peaks){right * widths[near], zero + (int32_t)near});
        }
        const fft_floats last = (fft_floats)((fft_words)floats_load(lanes + fft_row((size - reach) % size) + lane) & magnitude);
        above = higher_peaks(above, (fft_peaks){last * widths[reach], zero + (int32_t)reach});
        const fft_peaks all = higher_peaks(below, above);
        memcpy(heights + lane, &all.heights, sizeof all.heights);
        memcpy(places + lane, &all.places, sizeof all.places);
    }
}

/* `vectors` abreast: each window's rows begin elsewhere, and a few lines of each at once keep the cache busy. */
static inline __attribute__((always_inline)) void cross_bins(const spectrum_part *sources, const spectrum_part *hosts,
                                                             uint32_t window_count, float weight_most, uint32_t first,
                                                             const uint32_t vectors, const cross_sums *sums)
{
    enum { MOST = 4 };
    const fft_floats most = (fft_floats){0.0f} + weight_most;
    fft_floats re[MOST] = {{0.0f}}, im[MOST] = {{0.0f}}, squares[MOST] = {{0.0f}};
    for (uint32_t w = 0; w < window_count; w++) {
        const spectrum_part source = sources[w], host = hosts[w];
        DSP_UNROLL(4)
        for (uint32_t i = 0; i < vectors; i++) {
            const size_t k = first + (size_t)i * FFT_ABREAST;
            const fft_floats counted = FFT_LOWER(floats_load(source.weight + k) * floats_load(host.weight + k), most);
            const fft_floats hr = floats_load(host.re + k);
            const fft_floats hi = floats_load(host.im + k);
            const fft_floats sr = floats_load(source.re + k);
            const fft_floats si = floats_load(source.im + k);
            re[i] += counted * (hr * sr + hi * si);
            im[i] += counted * (hi * sr - hr * si);
            squares[i] += counted * counted;
        }
    }
    DSP_UNROLL(4)
    for (uint32_t i = 0; i < vectors; i++) {
        const size_t k = first + (size_t)i * FFT_ABREAST;
        floats_store(sums->re + k, re[i]);
        floats_store(sums->im + k, im[i]);
        floats_store(sums->squares + k, squares[i]);
    }
}

static void cross_windows(const spectrum_part *sources, const spectrum_part *hosts, uint32_t window_count, float weight_most,
                          uint32_t bin_count, const cross_sums *sums)
{
    enum { VECTORS = FFT_WIDTH == 8 ? 4 : 1 }; /* as registers hold */
    uint32_t k = 0;
    for (; k + VECTORS * FFT_ABREAST <= bin_count; k += VECTORS * FFT_ABREAST)
        cross_bins(sources, hosts, window_count, weight_most, k, VECTORS, sums);
    for (; k + FFT_ABREAST <= bin_count; k += FFT_ABREAST)
        cross_bins(sources, hosts, window_count, weight_most, k, 1, sums);
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

typedef float fft_eight __attribute__((vector_size(32)));
typedef float fft_sixteen __attribute__((vector_size(64)));
typedef double fft_eight_doubles __attribute__((vector_size(64)));

#if FFT_WIDTH == 8 /* TILE_LANES */
/* Rows of a tile become rows of its lanes, sixteen at once: fours of four rows turn in two steps, then fours are put in order. */
static inline __attribute__((always_inline)) void turn_sixteen(const double *tile, fft_sixteen out[TILE_LANES])
{
    fft_sixteen turned[2][4];
    DSP_UNROLL(2)
    for (uint32_t half = 0; half < 2; half++) {
        fft_sixteen row[4], pairs[4];
        DSP_UNROLL(4)
        for (uint32_t k = 0; k < 4; k++) {
            const double *from = tile + (8 * half + k) * TILE_LANES;
            row[k] = __builtin_shufflevector(FFT_NARROW(from), FFT_NARROW(from + 4 * TILE_LANES), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
                                             11, 12, 13, 14, 15);
        }
        DSP_UNROLL(2)
        for (uint32_t k = 0; k < 2; k++) {
            const fft_sixteen a = row[2 * k], b = row[2 * k + 1];
            pairs[k] = __builtin_shufflevector(a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29);
            pairs[2 + k] = __builtin_shufflevector(a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
        }
        DSP_UNROLL(2)
        for (uint32_t k = 0; k < 2; k++) {
            const fft_sixteen a = pairs[2 * k], b = pairs[2 * k + 1];
            turned[half][2 * k] = __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29);
            turned[half][2 * k + 1] = __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
        }
    }
    DSP_UNROLL(4)
    for (uint32_t k = 0; k < 4; k++) {
        const fft_sixteen a = turned[0][k], b = turned[1][k];
        out[k] = __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
        out[4 + k] = __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
    }
}
#else
/* The same by eights: of vectors wider than its registers the compiler shuffles each element alone. */
static inline __attribute__((always_inline)) void turn_sixteen(const double *tile, fft_sixteen out[TILE_LANES])
{
    DSP_UNROLL(2)
    for (uint32_t half = 0; half < 2; half++) {
        fft_eight a[8], b[8];
        DSP_UNROLL(8)
        for (uint32_t k = 0; k < 8; k++)
            a[k] = FFT_NARROW(tile + (8 * half + k) * TILE_LANES);
        DSP_UNROLL(4)
        for (uint32_t k = 0; k < 8; k += 2) {
            b[k] = __builtin_shufflevector(a[k], a[k + 1], 0, 8, 1, 9, 4, 12, 5, 13);
            b[k + 1] = __builtin_shufflevector(a[k], a[k + 1], 2, 10, 3, 11, 6, 14, 7, 15);
        }
        DSP_UNROLL(8)
        for (uint32_t k = 0; k < 8; k++) {
            const fft_eight x = b[k / 4 * 4 + k / 2 % 2], y = b[k / 4 * 4 + k / 2 % 2 + 2];
            a[k] = k % 2 == 0 ? __builtin_shufflevector(x, y, 0, 1, 8, 9, 4, 5, 12, 13)
                              : __builtin_shufflevector(x, y, 2, 3, 10, 11, 6, 7, 14, 15);
        }
        DSP_UNROLL(4)
        for (uint32_t k = 0; k < 4; k++) {
            b[k] = __builtin_shufflevector(a[k], a[k + 4], 0, 1, 2, 3, 8, 9, 10, 11);
            b[k + 4] = __builtin_shufflevector(a[k], a[k + 4], 4, 5, 6, 7, 12, 13, 14, 15);
        }
        DSP_UNROLL(8)
        for (uint32_t k = 0; k < 8; k++)
            memcpy((unsigned char *)&out[k] + half * sizeof b[k], &b[k], sizeof b[k]);
    }
}
#endif

/* Squares of rows of a tile from a multiple of SQUARES_ABREAST on: none of these sums waits for the one before it. */
static inline __attribute__((always_inline)) void add_squares(const double *rows, const uint32_t count, fft_vector *sums)
{
    enum { VECTORS = TILE_LANES / FFT_WIDTH };
    DSP_UNROLL(64)
    for (uint32_t i = 0; i < count * VECTORS; i++) {
        const fft_vector x = fft_load(rows + (size_t)i * FFT_WIDTH);
        sums[i % (SQUARES_ABREAST * VECTORS)] += x * x;
    }
}

/* Whole lines of rows that begin with one go past the cache: they are far more than it holds, and what it holds is needed. */
static void rows_of_tile(const double *tile, uint32_t frame_count, uint32_t lane_count, float *const *rows,
                         double squares[TILE_LANES])
{
    enum { LINE = 16, VECTORS = TILE_LANES / FFT_WIDTH };
    fft_vector sums[SQUARES_ABREAST * VECTORS] = {{0.0}};
    bool lines = true;
    bool any = false;
    uint32_t i = 0;
    for (uint32_t lane = 0; lane < lane_count; lane++) {
        lines = lines && (uintptr_t)rows[lane] % (LINE * sizeof(float)) == 0; /* none does too */
        any = any || rows[lane] != NULL;
    }
    for (; i + LINE <= frame_count; i += LINE) {
        fft_sixteen turned[TILE_LANES];
        add_squares(tile + (size_t)i * TILE_LANES, LINE, sums);
        if (!any)
            continue;
        turn_sixteen(tile + (size_t)i * TILE_LANES, turned);
        DSP_UNROLL(8)
        for (uint32_t lane = 0; lane < TILE_LANES; lane++)
            if (lane < lane_count && rows[lane] != NULL) {
                if (lines)
                    FFT_PAST_CACHE(rows[lane] + i, turned[lane]);
                else
                    memcpy(rows[lane] + i, &turned[lane], sizeof turned[lane]);
            }
    }
    for (; i < frame_count; i++) {
        add_squares(tile + (size_t)i * TILE_LANES, 1, sums + i % SQUARES_ABREAST * VECTORS);
        for (uint32_t lane = 0; lane < lane_count; lane++)
            if (rows[lane] != NULL)
                rows[lane][i] = (float)tile[(size_t)i * TILE_LANES + lane];
    }
    for (uint32_t v = 0; v < VECTORS; v++)
        *(fft_anywhere *)(void *)(squares + (size_t)v * FFT_WIDTH) +=
            (sums[v] + sums[v + VECTORS]) + (sums[v + 2 * VECTORS] + sums[v + 3 * VECTORS]);
}

/* Four quarters become one at as many of their points as `vector` has; both stages in registers. */
#define FFT_JOIN_QUARTERS(vector, cosine, sine, quarter, k, re, im)                                                            \
    do {                                                                                                                       \
        vector *const r[4] = {(vector *)(void *)((re) + (k)), (vector *)(void *)((re) + (quarter) + (k)),                     \
                              (vector *)(void *)((re) + 2 * (quarter) + (k)), (vector *)(void *)((re) + 3 * (quarter) + (k))}; \
        vector *const i[4] = {(vector *)(void *)((im) + (k)), (vector *)(void *)((im) + (quarter) + (k)),                     \
                              (vector *)(void *)((im) + 2 * (quarter) + (k)), (vector *)(void *)((im) + 3 * (quarter) + (k))}; \
        const vector *const c = (const vector *)(const void *)((cosine) + (quarter) + (k));                                    \
        const vector *const s = (const vector *)(const void *)((sine) + (quarter) + (k));                                      \
        const vector *const near_c = (const vector *)(const void *)((cosine) + 2 * (quarter) + (k));                           \
        const vector *const near_s = (const vector *)(const void *)((sine) + 2 * (quarter) + (k));                             \
        const vector *const far_c = (const vector *)(const void *)((cosine) + 3 * (quarter) + (k));                            \
        const vector *const far_s = (const vector *)(const void *)((sine) + 3 * (quarter) + (k));                              \
        const vector bx = *r[1] * *c + *i[1] * *s, by = *i[1] * *c - *r[1] * *s;                                               \
        const vector dx = *r[3] * *c + *i[3] * *s, dy = *i[3] * *c - *r[3] * *s;                                               \
        const vector ar = *r[0] + bx, ai = *i[0] + by, br = *r[0] - bx, bi = *i[0] - by;                                       \
        const vector cr = *r[2] + dx, ci = *i[2] + dy, dr = *r[2] - dx, di = *i[2] - dy;                                       \
        const vector cx = cr * *near_c + ci * *near_s, cy = ci * *near_c - cr * *near_s;                                       \
        const vector ex = dr * *far_c + di * *far_s, ey = di * *far_c - dr * *far_s;                                           \
        *r[0] = ar + cx;                                                                                                       \
        *i[0] = ai + cy;                                                                                                       \
        *r[1] = br + ex;                                                                                                       \
        *i[1] = bi + ey;                                                                                                       \
        *r[2] = ar - cx;                                                                                                       \
        *i[2] = ai - cy;                                                                                                       \
        *r[3] = br - ex;                                                                                                       \
        *i[3] = bi - ey;                                                                                                       \
    } while (0)

typedef double fft_four_anywhere __attribute__((vector_size(32), aligned(8), may_alias));

static void fft_join(const double *cosine, const double *sine, uint32_t quarter, uint32_t count, double *re, double *im)
{
    for (; count > 0; count--, re += 4 * (size_t)quarter, im += 4 * (size_t)quarter)
        if (quarter == 1)
            FFT_JOIN_QUARTERS(double, cosine, sine, 1, 0, re, im);
        else if (quarter == 4)
            FFT_JOIN_QUARTERS(fft_four_anywhere, cosine, sine, 4, 0, re, im);
        else
            for (size_t k = 0; k < quarter; k += FFT_WIDTH)
                FFT_JOIN_QUARTERS(fft_anywhere, cosine, sine, (size_t)quarter, k, re, im);
}

static inline __attribute__((always_inline)) fft_floats sum_of_four(const float *values)
{
    return (floats_load(values) + floats_load(values + 1)) + (floats_load(values + 2) + floats_load(values + 3));
}

static void mean_powers(const float *re, const float *im, uint32_t bin_count, float *powers, float *means)
{
    enum { BLOCK = 16 };                                  /* bins are a multiple of it */
    float padded[MEAN_BINS_MAX + 2 * MEAN_REACH + BLOCK]; /* nothing beside the first and the last */
    float fours[MEAN_BINS_MAX + BLOCK];
    memset(padded, 0, MEAN_REACH * sizeof *padded);
    memset(padded + MEAN_REACH + bin_count, 0, (MEAN_REACH + BLOCK) * sizeof *padded);
    for (uint32_t k = 0; k < bin_count; k += FFT_ABREAST) {
        const fft_floats x = floats_load(re + k);
        const fft_floats y = floats_load(im + k);
        const fft_floats power = x * x + y * y;
        floats_store(powers + k, power);
        floats_store(padded + MEAN_REACH + k, power);
    }
    for (uint32_t k = 0; k < bin_count + BLOCK; k += FFT_ABREAST)
        floats_store(fours + k, sum_of_four(padded + k));
    for (uint32_t k = 0; k < bin_count; k += FFT_ABREAST) {
        const fft_floats lower = floats_load(fours + k) + floats_load(fours + k + 4);
        const fft_floats upper = floats_load(fours + k + 8) + floats_load(fours + k + 12);
        floats_store(means + k, (lower + upper + floats_load(padded + k + 16)) * (1.0f / (2 * MEAN_REACH + 1)));
    }
    for (uint32_t k = 0; k < MEAN_REACH; k++) {
        means[k] *= (2 * MEAN_REACH + 1) / (float)(MEAN_REACH + 1 + k);
        means[bin_count - 1 - k] *= (2 * MEAN_REACH + 1) / (float)(MEAN_REACH + 1 + k);
    }
}

static void even_out(const float *re, const float *im, const float *means, uint32_t bin_count, float least, float most,
                     const even_spectrum *out)
{
    const fft_floats zero = {0.0f};
    for (uint32_t k = 0; k < bin_count; k += FFT_ABREAST) {
        const fft_floats power = FFT_LOWER(FFT_HIGHER(floats_load(means + k), zero + least), zero + most);
        const fft_floats amplitude = FFT_ROOT(power);
        const fft_floats inverse = 1.0f / amplitude;
        const fft_floats level = FFT_ROOT(amplitude);
        floats_store(out->re + k, floats_load(re + k) * inverse);
        floats_store(out->im + k, floats_load(im + k) * inverse);
        floats_store(out->level + k, level);
        floats_store(out->inverse + k, 1.0f / level);
    }
}

#endif
#endif
