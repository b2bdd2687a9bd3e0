/* The definition of what the features of stems are made of: one lane after the other. */
#include "worker/dsp/dsp_variants.h"

#include <math.h>
#include <stdlib.h>

/* One point of a radix-4 step: a, b, c, d and what becomes of them, in their places. */
static void fft_radix_4(const float *cosine, const float *sine, uint32_t turn, float *re[4], float *im[4])
{
    /* sums and differences, those of b and d turned by -90 degrees */
    const float er = *re[0] + *re[2];
    const float ei = *im[0] + *im[2];
    const float fr = *re[0] - *re[2];
    const float fi = *im[0] - *im[2];
    const float gr = *re[1] + *re[3];
    const float gi = *im[1] + *im[3];
    const float hr = *im[1] - *im[3];
    const float hi = *re[3] - *re[1];
    const float real[4] = {er + gr, fr + hr, er - gr, fr - hr};
    const float imaginary[4] = {ei + gi, fi + hi, ei - gi, fi - hi};
    *re[0] = real[0];
    *im[0] = imaginary[0];
    for (uint32_t k = 1; k < 4; k++) {
        const float c = cosine[k * turn];
        const float s = -sine[k * turn];
        *re[k] = real[k] * c - imaginary[k] * s;
        *im[k] = real[k] * s + imaginary[k] * c;
    }
}

/* 64 points of a lane, `part` apart, become as many in a row, those of a block `stride` apart: each to where its digits, of 4, lead
 * the other way round. */
static void fft_radix_64(const float *cosine, const float *sine, uint32_t size, uint32_t stride, const float *re, const float *im,
                         float *out_re, float *out_im)
{
    const uint32_t part = size / FFT_RADIX;
    for (uint32_t i = 0; i < part * FFT_LANES; i++) {
        const uint32_t lane = i % FFT_LANES;
        const uint32_t at = i / FFT_LANES % stride;
        const uint32_t first = i / FFT_LANES - at;
        float points[2][FFT_RADIX];
        for (uint32_t k = 0; k < FFT_RADIX; k++) {
            points[0][k] = re[fft_row(first + at + k * part) + lane];
            points[1][k] = im[fft_row(first + at + k * part) + lane];
        }
        for (uint32_t apart = 16; apart > 0; apart /= 4) /* of the digit of k that the step takes */
            for (uint32_t k = 0; k < FFT_RADIX; k++) {
                float *of[2][4];
                if (k / apart % 4 != 0)
                    continue;
                for (uint32_t j = 0; j < 8; j++)
                    of[j / 4][j % 4] = &points[j / 4][k + j % 4 * apart];
                fft_radix_4(cosine, sine, 16 / apart * (first + k % apart * part), of[0], of[1]);
            }
        for (uint32_t k = 0; k < FFT_RADIX; k++) {
            const uint32_t row = FFT_RADIX * first + at + (k / 16 + k / 4 % 4 * 4 + k % 4 * 16) * stride;
            out_re[fft_row(row) + lane] = points[0][k];
            out_im[fft_row(row) + lane] = points[1][k];
        }
    }
}

/* Transforms of half as many points become one, at one of their points. */
static void join_points(double cosine, double sine, double *re, double *im, double *far_re, double *far_im)
{
    const double x = *far_re * cosine + *far_im * sine;
    const double y = *far_im * cosine - *far_re * sine;
    *far_re = *re - x;
    *far_im = *im - y;
    *re += x;
    *im += y;
}

static void fft_join(const double *cosine, const double *sine, uint32_t quarter, uint32_t count, double *re, double *im)
{
    for (; count > 0; count--, re += 4 * (size_t)quarter, im += 4 * (size_t)quarter)
        for (uint32_t half = quarter; half < 4 * quarter; half *= 2)
            for (uint32_t first = 0; first < 4 * quarter; first += 2 * half)
                for (uint32_t k = first; k < first + half; k++)
                    join_points(cosine[half + k - first], sine[half + k - first], &re[k], &im[k], &re[k + half], &im[k + half]);
}

static void lanes_of_rows(const float *const *rows, const float *scale, uint32_t count, float *out)
{
    for (uint32_t i = 0; i < count * FFT_LANES; i++)
        out[i] = rows[i % FFT_LANES][i / FFT_LANES] * scale[i / FFT_LANES];
}

static void rows_of_lanes(const float *lanes, uint32_t count, float *const *rows)
{
    for (uint32_t i = 0; i < count * FFT_LANES; i++)
        rows[i % FFT_LANES][i / FFT_LANES] = lanes[i];
}

static void rows_of_tile(const double *tile, uint32_t frame_count, uint32_t lane_count, float *const *rows,
                         double squares[TILE_LANES])
{
    double sums[SQUARES_ABREAST][TILE_LANES] = {{0.0}};
    for (uint32_t lane = 0; lane < lane_count; lane++)
        for (uint32_t i = 0; rows[lane] != NULL && i < frame_count; i++)
            rows[lane][i] = (float)tile[(size_t)i * TILE_LANES + lane];
    for (uint32_t i = 0; i < frame_count * TILE_LANES; i++)
        sums[i / TILE_LANES % SQUARES_ABREAST][i % TILE_LANES] += tile[i] * tile[i];
    for (uint32_t lane = 0; lane < TILE_LANES; lane++)
        squares[lane] += (sums[0][lane] + sums[1][lane]) + (sums[2][lane] + sums[3][lane]);
}

static void lane_products(const double *a, const double *b, uint32_t frame_count, double (*products)[TILE_LANES])
{
    for (uint32_t i = 0; i < frame_count * TILE_LANES; i++)
        for (uint32_t j = 0; j < TILE_LANES; j++)
            products[i % TILE_LANES][j] += a[i] * b[i - i % TILE_LANES + j];
}

static void lines_apart(const float *re, const float *im, const float *mirror_re, const float *mirror_im, uint32_t count,
                        const line_parts *out)
{
    for (uint32_t i = 0; i < count * FFT_LANES; i++) {
        const ptrdiff_t at = (ptrdiff_t)(i % FFT_LANES) - (ptrdiff_t)(i - i % FFT_LANES);
        const float even[2] = {(re[i] + mirror_re[at]) * 0.5f, (im[i] - mirror_im[at]) * 0.5f};
        const float odd[2] = {(im[i] + mirror_im[at]) * 0.5f, (mirror_re[at] - re[i]) * 0.5f};
        const bool even_is = isfinite(even[0]) && isfinite(even[1]);
        const bool odd_is = isfinite(odd[0]) && isfinite(odd[1]);
        out->even_re[i] = even_is ? even[0] : 0.0f;
        out->even_im[i] = even_is ? even[1] : 0.0f;
        out->odd_re[i] = odd_is ? odd[0] : 0.0f;
        out->odd_im[i] = odd_is ? odd[1] : 0.0f;
    }
}

static void lines_together(const line_parts *lines, uint32_t count, float *re, float *im, float *mirror_re, float *mirror_im)
{
    for (uint32_t i = 0; i < count * FFT_LANES; i++) {
        const ptrdiff_t at = (ptrdiff_t)(i % FFT_LANES) - (ptrdiff_t)(i - i % FFT_LANES);
        re[i] = lines->even_re[i] - lines->odd_im[i];
        im[i] = lines->even_im[i] + lines->odd_re[i];
        mirror_re[at] = lines->even_re[i] + lines->odd_im[i];
        mirror_im[at] = lines->odd_re[i] - lines->even_im[i];
    }
}

static void lane_peaks(const float *lanes, uint32_t size, uint32_t reach, const float *widths, float *heights, int32_t *places)
{
    for (uint32_t lane = 0; lane < FFT_LANES; lane++) {
        heights[lane] = 0.0f;
        places[lane] = 0;
        for (int32_t d = -(int32_t)reach; d <= (int32_t)reach; d++) {
            const uint32_t row = d <= 0 ? (uint32_t)-d : size - (uint32_t)d;
            const float height = fabsf(lanes[fft_row(row) + lane]) * widths[abs(d)];
            if (!(height > heights[lane]))
                continue;
            heights[lane] = height;
            places[lane] = d;
        }
    }
}

static void cross_windows(const spectrum_part *sources, const spectrum_part *hosts, uint32_t window_count, float weight_most,
                          uint32_t bin_count, const cross_sums *sums)
{
    for (uint32_t k = 0; k < bin_count; k++) {
        float re = 0.0f;
        float im = 0.0f;
        float squares = 0.0f;
        for (uint32_t w = 0; w < window_count; w++) {
            const spectrum_part *source = &sources[w];
            const spectrum_part *host = &hosts[w];
            const float weight = source->weight[k] * host->weight[k];
            const float counted = weight < weight_most ? weight : weight_most;
            re += counted * (host->re[k] * source->re[k] + host->im[k] * source->im[k]);
            im += counted * (host->im[k] * source->re[k] - host->re[k] * source->im[k]);
            squares += counted * counted;
        }
        sums->re[k] = re;
        sums->im[k] = im;
        sums->squares[k] = squares;
    }
}

static float sum_of_four(const float *values)
{
    return (values[0] + values[1]) + (values[2] + values[3]);
}

static void mean_powers(const float *re, const float *im, uint32_t bin_count, float *powers, float *means)
{
    float padded[MEAN_BINS_MAX + 2 * MEAN_REACH] = {0.0f}; /* nothing beside the first and the last */
    for (uint32_t k = 0; k < bin_count; k++)
        padded[MEAN_REACH + k] = powers[k] = re[k] * re[k] + im[k] * im[k];
    for (uint32_t k = 0; k < bin_count; k++) {
        const float *from = padded + k;
        const float lower = sum_of_four(from) + sum_of_four(from + 4);
        const float upper = sum_of_four(from + 8) + sum_of_four(from + 12);
        const uint32_t beside = k < bin_count - 1 - k ? k : bin_count - 1 - k; /* bins on the side that has fewer */
        means[k] = (lower + upper + from[16]) * (1.0f / (2 * MEAN_REACH + 1));
        if (beside < MEAN_REACH)
            means[k] *= (2 * MEAN_REACH + 1) / (float)(MEAN_REACH + 1 + beside);
    }
}

static void even_out(const float *re, const float *im, const float *means, uint32_t bin_count, float least, float most,
                     const even_spectrum *out)
{
    for (uint32_t k = 0; k < bin_count; k++) {
        float power = means[k] > least ? means[k] : least;
        power = power < most ? power : most;
        const float amplitude = sqrtf(power);
        out->re[k] = re[k] * (1.0f / amplitude);
        out->im[k] = im[k] * (1.0f / amplitude);
        out->level[k] = sqrtf(amplitude);
        out->inverse[k] = 1.0f / out->level[k];
    }
}

void fft_scalar_fill(dsp_table *table)
{
    table->fft_radix_64 = fft_radix_64;
    table->fft_join = fft_join;
    table->lanes_of_rows = lanes_of_rows;
    table->rows_of_tile = rows_of_tile;
    table->rows_of_lanes = rows_of_lanes;
    table->lane_products = lane_products;
    table->lines_apart = lines_apart;
    table->lines_together = lines_together;
    table->lane_peaks = lane_peaks;
    table->cross_windows = cross_windows;
    table->mean_powers = mean_powers;
    table->even_out = even_out;
}
